"""Implements an earlier minor version of its contract."""

from polyplug import plugin


@plugin("demo.calculator@1.1")
class Calculator:
    def add(self, a, b):
        return a + b

    def divide(self, a, b):
        return a // b

    def greet(self, name):
        return f"Hello, {name}!"
