from polyplug import plugin


@plugin("comparison.calculator@1")
class Calculator:
    def add(self, a, b):
        return a + b

    def greet(self, name):
        return "Hello, " + name + "!"

    def sum(self, data):
        return sum(data)
