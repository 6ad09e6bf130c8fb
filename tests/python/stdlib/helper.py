"""Things that other modules find by their names."""

import abc
import collections
import dataclasses
import enum
import functools
import typing

Pair = collections.namedtuple("Pair", "a b")


class Point:
    def __init__(self, x, y=0):
        self.x, self.y = x, y

    def __eq__(self, other):
        return (self.x, self.y) == (other.x, other.y)


@dataclasses.dataclass(order=True, frozen=True)
class Size:
    width: "int"
    height: "typing.Optional[int]" = None

    class Inner:
        value = 5


class Color(enum.Enum):
    RED = 1
    GREEN = 2


@enum.unique
class Access(enum.IntFlag):
    READ = 1
    WRITE = 2


class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self): ...


@functools.singledispatch
def describe(value):
    return "other"


@describe.register
def _(value: Point):
    return "point"


def square(x):
    """Squares.

    >>> square(3)
    9
    >>> print(square(2))
    4
    """
    return x * x


def slow(x):
    import time
    time.sleep(0.001)
    return x


def main_name():
    return __name__ == "__main__"


def caller():
    import inspect
    return inspect.stack()[1].function
