"""The calculator of the documentation."""

from polyplug import plugin, types

MathError = types("demo.calculator@1").MathError


@plugin("demo.calculator@1")
class Calculator:
    def add(self, a: int, b: int) -> int:
        return a + b

    def divide(self, a: int, b: int) -> int:
        if b == 0:
            raise MathError.DivisionByZero()
        if b == -1 and a == -(2**63):
            raise MathError.Overflow(at=a)
        # Towards zero, as other languages divide.
        quotient = abs(a) // abs(b)
        return quotient if (a < 0) == (b < 0) else -quotient

    def greet(self, name: str) -> str:
        return f"Hello, {name}!"

    def sum(self, data: bytes) -> int:
        return sum(data)
