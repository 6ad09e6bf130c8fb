"""Stage `sessions`: groups the requests of each client into sessions, and finds clients that ask for unusually much.

Its settings are in the manifest, under `[config]`.
"""

import weakref
from collections import Counter

import scores
import settings
from clients import Clients
from polyplug import plugin, types

stage = types("pipeline.stage@1")
Batch, Flush, Report, Label = stage.Batch, stage.Flush, stage.Report, stage.Label
StageInfo, StageError = stage.StageInfo, stage.StageError
Text, Integer, Number = stage.Cell.Text, stage.Cell.Integer, stage.Cell.Number
Level = types("pipeline.log@1").Level
SessionCounts = types("pipeline.sessions@1").SessionCounts

# The clients of each stage that lives, for those who ask about all.
known = weakref.WeakSet()


@plugin("pipeline.stage@1")
class Sessions:
    def __init__(self, ctx):
        self.settings = settings.read(ctx.config)
        self.log = ctx.host("pipeline.log@1")
        self.progress = ctx.host("pipeline.progress@1")
        self.clients = Clients(self.settings.gap * 60)
        known.add(self.clients)

    def describe(self) -> StageInfo:
        return StageInfo(name="sessions", summary="finds sessions, and clients that are unusual")

    def process(self, records) -> Batch:
        for record in records:
            if record.entry is None:
                raise StageError.Missing(line=record.line, field="entry")
        for record in records:
            if self.clients.visit(record.entry):
                record.labels.append(Label(key="session", value="begins"))
        self.progress.advance(len(records))
        return Batch(records=records, rejected=[])

    def flush(self) -> Flush:
        sessions = self.clients.sessions()
        unusual = scores.unusual(self.clients.known, self.settings.deviations)
        names = {score.client for score in unusual}
        clients = len(self.clients.known)
        self.log.log(Level.Info, f"{len(sessions)} sessions of {clients} clients, {len(names)} of which are unusual")
        reports = [report_of(sessions), report_of_unusual(unusual, self.settings.top)]
        return Flush(
            batch=Batch(records=[], rejected=[]),
            reports=[report for report in reports if report.rows],
        )


@plugin("pipeline.sessions@1")
class Counts:
    def counts(self) -> SessionCounts:
        sessions = [session for clients in known for session in clients.sessions()]
        return SessionCounts(
            clients=sum(len(clients.known) for clients in known),
            seconds=Counter(session.seconds for session in sessions),
            requests=Counter(session.requests for session in sessions),
        )


def report_of(sessions) -> Report:
    rows = [
        [Text(name), Number(low), Number(middle), Number(high)]
        for name, (low, middle, high) in (
            ("requests", scores.quartiles([session.requests for session in sessions])),
            ("minutes", scores.quartiles([session.seconds / 60 for session in sessions])),
        )
    ]
    return Report(
        title=f"Sessions, {len(sessions)} in all",
        columns=["of each", "a quarter has up to", "half have up to", "three quarters have up to"],
        rows=rows if sessions else [],
    )


def report_of_unusual(unusual, top) -> Report:
    title = "Unusual clients"
    if len(unusual) > top:
        title += f", first {top} of {len(unusual)} findings"
    return Report(
        title=title,
        columns=["client", "sessions", "what", "how much", "mean", "deviations"],
        rows=[
            [
                Text(score.client),
                Integer(score.sessions),
                Text(score.measure),
                Integer(score.value),
                Number(score.mean),
                Number(score.deviations),
            ]
            for score in unusual[:top]
        ],
    )
