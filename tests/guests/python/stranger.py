"""Is for a contract that nobody knows."""

from polyplug import plugin


@plugin("test.nobody@1")
class Stranger:
    def add(self, a, b):
        return a + b
