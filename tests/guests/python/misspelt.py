"""Has a method whose name is misspelt."""

from polyplug import plugin


@plugin("demo.calculator@1")
class Calculator:
    def add(self, a, b):
        return a + b

    def divdie(self, a, b):
        return a // b

    def greet(self, name):
        return name

    def sum(self, data):
        return 0
