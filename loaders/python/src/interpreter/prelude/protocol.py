"""The types that bundles of the low-level protocol return."""

import dataclasses
import enum


class AbiErrorCode(enum.IntEnum):
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


@dataclasses.dataclass
class AbiError:
    """The outcome of polyplug_init: AbiError(0) is success."""

    code: int = 0
    message: str = ""


AbiErrorCode.__module__ = AbiError.__module__ = "polyplug"
make_own_picklable(AbiErrorCode, ["value"])
make_own_picklable(AbiError, ["code", "message"])
