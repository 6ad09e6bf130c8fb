"""Plugins with state: one that keeps it over a reload, and one that does not."""

from polyplug import plugin


@plugin("test.counter@1")
class Counter:
    def __init__(self):
        self.count = 0

    def add(self, by):
        self.count += by
        return self.count

    def save(self) -> bytes:
        if self.count == 665:
            raise ValueError("665 cannot be told")
        return str(self.count).encode()

    def restore(self, state: bytes, version: str):
        if state == b"666":
            major, minor, _ = version.split(".")
            raise ValueError(f"666 brings bad luck, in version {major}.{minor}")
        self.count = int(state)


made = 0


@plugin("test.singleton@1", singleton=True)
class Singleton:
    def __init__(self):
        global made
        made += 1
        self.asked = 0

    def count(self):
        self.asked += 1
        return self.asked

    def made(self):
        return made
