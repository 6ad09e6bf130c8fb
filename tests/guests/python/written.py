"""Values as Python writes them."""

import math
import sys
from dataclasses import fields

from polyplug import Some, plugin, types

contract = types("test.written@1")
Shape, Colour, Point, Item = contract.Shape, contract.Colour, contract.Point, contract.Item
Order, Options, Many, Extremes = contract.Order, contract.Options, contract.Many, contract.Extremes

EXTREMES = Extremes(
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

NEXT = {Colour.Red: Colour.Green, Colour.Green: Colour.Blue, Colour.Blue: Colour.Red}


def told(value):
    """An option as text."""
    return "none" if value is None else str(value).lower()


def spelled_by_class(shape):
    """Spells a shape without `match`, which Python 3.9 has not."""
    if isinstance(shape, Shape.Dot):
        return f"dot {shape.value}"
    if isinstance(shape, Shape.Line):
        start, end = shape._0, shape._1
        return f"line {start.x:g} {start.y:g} {end.x:g} {end.y:g}"
    if isinstance(shape, Shape.Circle):
        return f"circle {shape.centre.x:g} {shape.centre.y:g} {shape.radius:g}"
    if isinstance(shape, Shape.Named):
        return f"{shape.name} {','.join(shape.tags)} {shape.colour.name}"
    if isinstance(shape, Shape.Inside):
        return "inside nothing" if shape.value is None else f"inside {spelled_by_class(shape.value)}"
    return "empty"


BY_MATCH = """
def spelled(shape):
    match shape:
        case Shape.Empty():
            return "empty"
        case Shape.Dot(size):
            return f"dot {size}"
        case Shape.Line(start, end):
            return f"line {start.x:g} {start.y:g} {end.x:g} {end.y:g}"
        case Shape.Circle(centre=Point(x, y), radius=radius):
            return f"circle {x:g} {y:g} {radius:g}"
        case Shape.Named(name=name, tags=tags, colour=colour):
            return f"{name} {','.join(tags)} {colour.name}"
        case Shape.Inside(None):
            return "inside nothing"
        case Shape.Inside(inner):
            return f"inside {spelled(inner)}"
"""

spelled = spelled_by_class
if sys.version_info >= (3, 10):
    exec(BY_MATCH)


@plugin("test.written@1")
class Written:
    def extremes(self) -> Extremes:
        return EXTREMES

    def differing(self, value: Extremes) -> list[str]:
        # The text of a number says whether it is an integer, too.
        names = (field.name for field in fields(EXTREMES))
        return [name for name in names if repr(getattr(value, name)) != repr(getattr(EXTREMES, name))]

    def float_kind(self, value: float) -> tuple[bool, bool]:
        return math.isnan(value), value == 0 and math.copysign(1, value) < 0

    def odd_floats(self) -> tuple[float, float]:
        return math.nan, -0.0

    def total(self, order: Order) -> float:
        return sum(item.count * item.price for item in order.items)

    def order(self) -> Order:
        items = [("ink", 2, 1.25), ("paper", 500, 0.01), ("pen", 1, 3), ("", 0, 0)]
        return {
            "id": 2**64 - 1,
            "customer": "Ångström & Söhne",
            "items": (Item(name, count, price) for name, count, price in items),
            "note": None,
            "colour": "Green",
            "shape": Shape.Dot(3),
            "stock": {"ink": 7, "paper": 0},
            "size": [3, "A4"],
        }

    def shapes(self) -> list[Shape]:
        return [
            Shape.Empty,
            Shape.Dot(3),
            Shape.Line(Point(0, 1), {"x": 2, "y": 3}),
            Shape.Circle(centre=Point(x=0.0, y=1.0), radius=2),
            Shape.Named(name="flag", tags=("a", "b"), colour=Colour.Red),
            Shape.Inside(None),
            Shape.Inside(Shape.Inside(Shape.Empty())),
        ]

    def spell(self, shape: Shape) -> str:
        return spelled(shape)

    def next(self, colour: Colour) -> Colour:
        return NEXT[colour]

    def tell(self, options: Options) -> list[str]:
        nested = "none" if options.nested is None else f"some {told(options.nested.value)}"
        flag, number = options.in_tuple
        in_map = sorted(options.in_map.items())
        return [
            f"plain={told(options.plain)}",
            f"nested={nested}",
            f"in_list={','.join(map(told, options.in_list))}",
            f"in_tuple={told(flag)} {number}",
            f"in_map={','.join(f'{key}:{told(value)}' for key, value in in_map)}",
            f"boxed={told(options.boxed and options.boxed.name)}",
        ]

    def options(self, with_: bool) -> Options:
        if with_:
            return Options(
                plain=5,
                nested=Some(5),
                in_list=[None, "a", None],
                in_tuple=(False, 7),
                in_map={"a": None, "b": 5},
                boxed=Item("ink", 1, 0.5),
            )
        return Options(
            plain=None,
            nested=Some(None),
            in_list=[None] * 3,
            in_tuple=(None, 7),
            in_map={"a": None, "b": None},
            boxed=None,
        )

    def empty(self) -> tuple:
        return "", b"", [], {}

    def measure(self, text: str, bytes: bytes) -> tuple[int, int]:
        return len(text.encode()), len(bytes)

    def repeat(self, text: str, times: int) -> str:
        return text * times

    def fill(self, count: int) -> bytes:
        return b"\xff" * count

    def many(self, a, b, c, d, e, f, g, h, i, j) -> Many:
        return Many(a, b, c, d, e, f, g, h, i, j)
