from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, final

from polyplug import CallError, Declared, Err, Ok, Some, log, on_unload, plugin, types

if TYPE_CHECKING:
    from polyplug import Context
    from polyplug.test_kinds_1 import Chain, Colour, Item, Kinds as Methods, Pair, Point, ProgressProxy, Shape
else:
    Methods = object

kinds = types("test.kinds@1")
Shapes = kinds.Shape
Colours = kinds.Colour
Refusal = kinds.Refusal


@plugin("test.kinds@1", singleton=True)
@final
class Guest(Methods):
    def __init__(self, ctx: Context) -> None:
        self.name = ctx.bundle
        log("debug", self.name)

    def numbers(self, a: int, b: int, large: int, real: float, flag: bool, letter: str) -> tuple[int, float]:
        return (large, real) if flag and letter == "é" else (a, b)

    def text(self, name: str, data: bytes) -> bytes:
        return name.encode() + data

    def names(self, items: list[Item], by_name: dict[str, Point]) -> Iterator[str]:
        for item in items:
            note: str = (item.note or "").strip()
            yield item.name + note
        for name, point in by_name.items():
            assert point.x < point.y
            yield name

    def deep(self, value: Some[int | None] | None) -> Some[int | None] | None:
        return None if value is None else Some(value.value)

    def shape(self, shape: Shape) -> Shape:
        if isinstance(shape, Shapes.Line):
            return Shapes.Line(shape._1, shape._0)
        if isinstance(shape, Shapes.Circle):
            return Shapes.Circle(centre=shape.centre, radius=shape.radius * 2)
        return Shapes.Dot(1)

    def colour(self, colour: Colour) -> Colour | None:
        return Colours.Green if colour is Colours.Red else None

    def swap(self, pair: Pair) -> Pair:
        if pair._0 == 0:
            raise Refusal.Full(capacity=7)
        return kinds.Pair(pair._1, pair._0)

    def settled(self, value: Ok[int] | Err[str]) -> list[Ok[None] | Err[str]]:
        number = value.value if isinstance(value, Ok) else 0
        return [Ok(None), Err(str(number))]

    def watch(self, steps: int, progress: ProgressProxy) -> int:
        try:
            for step in range(steps):
                if not progress.step(step, label="step"):
                    return step
        except CallError as failure:
            raise Declared(f"{failure.kind} in {failure.method}")
        return steps

    def import_(self, number: int, end: str) -> int:
        return number + len(end)

    def length(self, chain: Chain) -> int:
        return 1 if chain.next is None else 1 + self.length(chain.next)

    def forget_all(self) -> None:
        self.name = ""


@on_unload
def end() -> None:
    log("info", "done")
