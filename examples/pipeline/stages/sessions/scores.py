"""How unusual a client is: how many standard deviations lie between what it asks for and the mean of all clients."""

import statistics
from dataclasses import dataclass

MEASURES = ("requests", "errors", "bytes")


@dataclass
class Score:
    client: str
    sessions: int
    measure: str
    value: int
    mean: float
    deviations: float


def unusual(clients, deviations):
    """The scores of at least so many deviations, the highest first."""
    found = []
    if len(clients) < 2:
        return found
    for measure in MEASURES:
        usual = statistics.NormalDist.from_samples([getattr(client, measure) for client in clients.values()])
        if usual.stdev == 0:
            continue
        for name, client in clients.items():
            value = getattr(client, measure)
            score = usual.zscore(value)
            if score >= deviations:
                found.append(Score(name, len(client.sessions), measure, value, usual.mean, score))
    return sorted(found, key=lambda score: score.deviations, reverse=True)


def quartiles(values):
    """What a quarter, half and three quarters of the values reach at most."""
    if len(values) < 2:
        return values * 3 or [0] * 3
    return statistics.quantiles(values, n=4, method="inclusive")
