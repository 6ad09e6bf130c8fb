"""Calls its host and others."""

import math
from contextlib import contextmanager

from polyplug import CallError, Declared, Err, Ok, host, peer, plugin, types

MathError = types("demo.calculator@1").MathError
mirrored = types("test.mirror@1")
Shape, Colour, Point, Item = mirrored.Shape, mirrored.Colour, mirrored.Point, mirrored.Item
Refusal = mirrored.Refusal

ORDER = mirrored.Order(
    id=2**64 - 1,
    customer="Ångström & Söhne",
    items=[Item("ink", 2, 1.25), Item("", 0, 0.0)],
    note=None,
    colour=Colour.Green,
    shape=Shape.Dot(3),
    stock={"ink": 7, "paper": 0},
    size=(3, "A4"),
)

EXTREMES = mirrored.Extremes(
    int8=(-128, 127),
    int16=(-32768, 32767),
    int32=(-(2**31), 2**31 - 1),
    int64=(-(2**63), 2**63 - 1),
    nat8=255,
    nat16=65535,
    nat32=2**32 - 1,
    nat64=2**64 - 1,
    inexact=(-(2**53) - 1, 2**53 + 1),
    beyond=2**63,
    infinite=(-math.inf, math.inf),
    finite=(1.7976931348623157e308, 3.4028234663852886e38, 5e-324),
    letter="\U0010ffff",
    text="Grüße, 世界 🦀 e\u0301 \0!",
    bytes=b"\x00\x7f\x80\xff",
)

SHAPES = [
    Shape.Empty(),
    Shape.Dot(3),
    Shape.Line(Point(0.0, 1.0), Point(2.0, 3.0)),
    Shape.Circle(centre=Point(0.0, 1.0), radius=2.0),
    Shape.Named(name="flag", tags=["a", "b"], colour=Colour.Red),
    Shape.Inside(None),
    Shape.Inside(Shape.Inside(Shape.Empty())),
]


@contextmanager
def told():
    """If a call fails, this one's declared error is the failure as text."""
    try:
        yield
    except CallError as error:
        raise Declared(str(error)) from None


@plugin("test.reaching@1")
class Reaching:
    def __init__(self):
        self.calculator = None

    def log(self, line):
        with told():
            return host("test.logger@1").log(line)

    def host_panics(self, words):
        with told():
            host("test.logger@1").panics(words)

    def host_panics_through(self, words):
        host("test.logger@1").panics(words)

    def mirrored(self):
        mirror = host("test.mirror@1")
        same = [mirror.order(order=ORDER) == ORDER, mirror.extremes(EXTREMES) == EXTREMES]
        return same + [mirror.shape(Ok(shape)) == shape for shape in SHAPES]

    def many(self):
        mirror = host("test.mirror@1")
        return mirror.many(1, "zwei", True, -(2**63), 5.5, f="6", g=None, h=2**64 - 1, i=Colour.Blue)

    def refused(self):
        try:
            host("test.mirror@1").shape(Err(Refusal.Full(capacity=7)))
        except Refusal.Full as full:
            return f"full {full.capacity}"
        return "something else"

    def add(self, a, b):
        with told():
            return peer("demo.calculator@1").add(a, b)

    def add_again(self, a, b):
        with told():
            if self.calculator is None:
                self.calculator = peer("demo.calculator@1")
            return self.calculator.add(a, b)

    def divide(self, a, b):
        with told():
            try:
                return peer("demo.calculator@1").divide(a, b)
            except MathError.DivisionByZero:
                raise Declared("DivisionByZero")
            except MathError.Overflow as overflow:
                raise Declared(f"Overflow {overflow.at}")

    def undeclared(self):
        with told():
            return peer("test.stamp@1").version()

    def nested(self, depth):
        if depth == 0:
            return 0
        # The error that the host declares is text, like this method's, and goes through as it is.
        with told():
            return host("test.echo@1").call_back(depth) + 1
