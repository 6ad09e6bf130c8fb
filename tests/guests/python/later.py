"""Is for a minor version of a contract that the host does not have yet."""

from polyplug import plugin


@plugin("demo.calculator@1.7")
class Calculator:
    def add(self, a, b):
        return a + b
