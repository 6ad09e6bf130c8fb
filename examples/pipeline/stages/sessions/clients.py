"""What is known of each client: how much it asked for, and in which sessions."""

from dataclasses import dataclass, field


@dataclass
class Session:
    begin: int
    end: int
    requests: int = 0

    @property
    def seconds(self):
        return self.end - self.begin


@dataclass
class Client:
    requests: int = 0
    errors: int = 0
    bytes: int = 0
    sessions: list[Session] = field(default_factory=list)


class Clients:
    def __init__(self, gap):
        """Sessions end with more than `gap` seconds without a request."""
        self.gap = gap
        self.known = {}

    def visit(self, entry):
        """Counts a request; whether a session begins with it."""
        client = self.known.setdefault(entry.client, Client())
        client.requests += 1
        client.errors += entry.status >= 400
        client.bytes += entry.size
        begins = not client.sessions or entry.time - client.sessions[-1].end > self.gap
        if begins:
            client.sessions.append(Session(begin=entry.time, end=entry.time))
        session = client.sessions[-1]
        session.requests += 1
        # Servers write a request down when it is answered, which need not be in the order of their times.
        session.begin = min(session.begin, entry.time)
        session.end = max(session.end, entry.time)
        return begins

    def sessions(self):
        """Those of all clients."""
        return [session for client in self.known.values() for session in client.sessions]
