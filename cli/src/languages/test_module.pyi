"""The module `polyplug.test`, which `polyplug test` gives to test files.

Made by `polyplug stubs --lang python`.
"""

from types import TracebackType as _TracebackType
from typing import Any as _Any, Generic as _Generic, Literal as _Literal, NoReturn as _NoReturn, TypeVar as _TypeVar
from typing import overload as _overload

@imports@
_T = _TypeVar("_T")
_E = _TypeVar("_E", bound=BaseException)

@instance@
def stand_in(contract: str, implementation: _T) -> _T:
    """Has an object implement a contract that the bundle under test calls. Returns the object."""

def settings(**values: object) -> None:
    """Replaces settings of the bundle under test."""

def fail(message: object = ...) -> _NoReturn:
    """Ends the test as failed."""

def skip(reason: object = ...) -> _NoReturn:
    """Ends a test that is left out from here."""

class _Raised(_Generic[_E]):
    value: _E
    """The exception."""

class _Raises(_Generic[_E]):
    def __enter__(self) -> _Raised[_E]: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: _TracebackType | None, /
    ) -> bool: ...

@_overload
def raises(
    expected: type[_E] | tuple[type[_E], ...] = ..., match: str | None = ...
) -> _Raises[_E]:
    """Expects that its block raises an exception of a class, or one that equals a value, whose text contains `match`."""
@_overload
def raises(expected: object, match: str | None = ...) -> _Raises[_Any]:
    """Expects that its block raises an exception of a class, or one that equals a value, whose text contains `match`."""

class near:
    """Equals numbers that differ by the tolerance at most."""

    def __init__(self, value: float, tolerance: float = ...) -> None: ...
    def __eq__(self, other: object) -> bool: ...
