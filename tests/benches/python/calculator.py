from polyplug import plugin, types

MathError = types("demo.calculator@1").MathError


@plugin("demo.calculator@1")
class Calculator:
    def add(self, a, b):
        return a + b

    def divide(self, a, b):
        if b == 0:
            raise MathError.DivisionByZero()
        return a // b

    def greet(self, name):
        return "Hello, " + name + "!"

    def sum(self, data):
        return sum(data)
