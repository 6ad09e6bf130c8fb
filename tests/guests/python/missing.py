"""Lacks methods of its contract."""

from polyplug import plugin


@plugin("demo.calculator@1")
class Calculator:
    def add(self, a, b):
        return a + b

    def greet(self, name):
        return name
