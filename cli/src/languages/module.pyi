"""The module `polyplug`, which the Python loader gives to plugins, and the contracts that are named below.

Made by `polyplug stubs --lang python`.
"""

import dataclasses as _dataclasses
import enum as _enum
import pathlib as _pathlib
from collections.abc import Callable as _Callable
from typing import Any as _Any, Generic as _Generic, Literal as _Literal, Protocol as _Protocol, TypeVar as _TypeVar
from typing import overload as _overload

@imports@
_T = _TypeVar("_T", covariant=True)
_E = _TypeVar("_E", covariant=True)
_F = _TypeVar("_F", bound=_Callable[[], object])
@variables@
_Level = _Literal["error", "warn", "info", "debug", "trace"]

class Context(_Protocol):
    """What the first argument of a plugin's `__init__` gets."""

    @property
    def config(self) -> dict[str, _Any]:
        """The bundle's settings."""
    @property
    def bundle(self) -> str:
        """The bundle's name."""
    @property
    def directory(self) -> _pathlib.Path | None:
        """The bundle's own folder; `None` for a bundle from memory."""
    def data_directory(self) -> _pathlib.Path:
        """Returns the folder in which the bundle keeps its data, and makes it if it does not exist."""
    def log(self, level: _Level, message: str, /) -> None:
        """Writes to the host's log."""
@context@
config: dict[str, _Any]
"""The bundle's settings."""
bundle: str
"""The bundle's name."""
directory: _pathlib.Path | None
"""The bundle's own folder; `None` for a bundle from memory."""

def data_directory() -> _pathlib.Path:
    """Returns the folder in which the bundle keeps its data, and makes it if it does not exist."""

def log(level: _Level, message: str, /) -> None:
    """Writes to the host's log."""

def on_unload(function: _F, /) -> _F:
    """Has a function called before the bundle is unloaded."""

class Some(_Generic[_T]):
    """The value of an option whose type is an option itself."""

    value: _T
    __match_args__ = ("value",)
    def __init__(self, value: _T) -> None: ...

class Ok(_Generic[_T]):
    """The value of a result that is part of another value."""

    value: _T
    __match_args__ = ("value",)
    def __init__(self, value: _T) -> None: ...

class Err(_Generic[_E]):
    """The error of a result that is part of another value."""

    error: _E
    __match_args__ = ("error",)
    def __init__(self, error: _E) -> None: ...

class Declared(Exception):
    """A declared error whose type is not a class, such as text, a number or a list."""

    value: _Any
    def __init__(self, value: object) -> None: ...

class CallError(Exception):
    """A failed call of a host contract, a peer or an object."""

    kind: str
    """The kind of the failure, such as `exception`, `unloaded` or `invalid_argument`."""
    method: str | None
    """The method that was called, with the contract."""
    bundle: str | None
    """The bundle that was called; `None` for the host."""
    contract: str | None
    location: str | None
    def __init__(
        self,
        message: str,
        kind: str = ...,
        method: str | None = ...,
        bundle: str | None = ...,
        contract: str | None = ...,
        location: str | None = ...,
    ) -> None: ...

class AbiErrorCode(_enum.IntEnum):
    """The error codes of the ABI. Codes from 256 on belong to plugins."""

    Ok = 0
    Generic = 1
    BufferTooSmall = 2
    Panic = 3
    NotFound = 4
    StaleHandle = 5
    FunctionNotAvailable = 6
    DuplicateProvider = 7
    InvalidPointer = 8
    ReentrantCall = 9
    InvalidArgument = 10
    Unloaded = 11
    Deadlock = 12
    Exception = 13
    FactoryFailed = 14
    TooDeep = 15
    InvalidInterface = 16
    NotAllowed = 17
    IncompatibleContract = 18
    InvalidResult = 19
    LimitReached = 20
    HostContractNotFound = 100
    HostContractVersionMismatch = 101
    HostContractCallFailed = 102

@_dataclasses.dataclass
class AbiError:
    """The outcome of `polyplug_init`: `AbiError(0)` is success."""

    code: int = ...
    message: str = ...

@functions@
