"""Errors and exceptions."""

from polyplug import Declared, plugin, types

contract = types("test.failing@1")
Refusal, Colour, Problem = contract.Refusal, contract.Colour, contract.Problem


@plugin("test.failing@1")
class Failing:
    def variant(self, which):
        if which == "closed":
            raise Refusal.Closed()
        if which == "full":
            raise Refusal.Full(capacity=7)
        if which == "other":
            raise Refusal.Other("why", -(2**63))
        return 1

    def case(self):
        raise Colour.Blue

    def record(self):
        raise Problem(code=2**63 - 1, text="no")

    def text(self):
        raise Declared("no: 5")

    def number(self):
        raise Declared(2**64 - 1)

    def list(self):
        raise Declared(["a", "b"])

    def tuple(self):
        raise Declared((5, None))

    def throw(self, words):
        fail(words)

    def raise_instead(self, words):
        fail(words)

    def raise_nothing(self, words):
        fail(words)

    def calm(self, number):
        return number


def fail(words):
    raise RuntimeError(words)  # here
