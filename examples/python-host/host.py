"""A host in Python: loads a bundle that provides the contract example.greeter, and greets. README.md says how it is run.

Usage: host.py [BUNDLE [NAME..]]

Offsets and structures are those of docs/src/abi.md.
"""

import ctypes
import os
import sys
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_size_t, c_uint8, c_uint32, c_uint64, c_void_p
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIBRARY = {"darwin": "libpolyplug_loaders.dylib", "win32": "polyplug_loaders.dll"}.get(
    sys.platform, "libpolyplug_loaders.so"
)
BUILD = "cargo build -p polyplug-loaders --no-default-features --features js,lua,native"


class StringView(Structure):
    """Text that somebody else owns, in UTF-8."""

    _fields_ = [("ptr", c_void_p), ("len", c_size_t)]

    def text(self):
        return ctypes.string_at(self.ptr, self.len).decode() if self.len else ""


class AbiError(Structure):
    _fields_ = [("code", c_uint32), ("message", StringView)]


class Handle(Structure):
    _fields_ = [("index", c_uint32), ("generation", c_uint32)]


class Instance(Structure):
    _fields_ = [("data", c_void_p), ("contract_id", c_uint64)]


NO_HANDLE = 0xFFFFFFFF

# Functions of the host's table: offset, result, arguments after the table itself.
FUNCTIONS = {
    "find_guest_contract": (32, Handle, c_uint64, c_uint32),
    "load_bundle": (88, None, c_void_p, c_size_t, POINTER(AbiError)),
    "call_guest_method": (144, None, Instance, c_uint32, c_void_p, c_void_p, c_void_p, POINTER(AbiError)),
    "create_guest_instance": (152, None, Handle, c_void_p, POINTER(Instance), POINTER(AbiError)),
    "destroy_guest_instance": (160, None, Instance),
    "enter_arena": (200, c_void_p),
    "leave_arena": (208, None, c_void_p),
}
# What the table has at least, if it has those.
TABLE_SIZE, STRUCT_SIZE_OFFSET = 216, 136


class PolyplugError(Exception):
    """What polyplug or a plugin reported, with its code."""

    def __init__(self, what, code, message):
        super().__init__(f"{what} (error {code}): {message}")
        self.code = code


def contract_id(name, major):
    """Returns the id of a contract that plugins implement: the hash FNV-1a of its name and version."""
    value = 0xCBF29CE484222325
    for byte in f"guest_contract:{name}@{major}".encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


class Runtime:
    """A runtime of polyplug, which ends with the `with` block."""

    def __init__(self, library):
        try:
            self.library = ctypes.CDLL(str(library))
        except OSError as error:
            raise SystemExit(f"host.py: cannot open polyplug's library: {error}\nIt is built by `{BUILD}`") from None
        self.library.polyplug_runtime_create.restype = c_void_p
        self.library.polyplug_runtime_create.argtypes = [c_void_p]
        self.library.polyplug_runtime_destroy.restype = None
        self.library.polyplug_runtime_destroy.argtypes = [c_void_p]
        self.table = self.library.polyplug_runtime_create(None)
        if not self.table:
            raise SystemExit("host.py: no runtime can be made")
        if c_size_t.from_address(self.table + STRUCT_SIZE_OFFSET).value < TABLE_SIZE:
            raise SystemExit("host.py: polyplug's library is too old")
        for name, (offset, result, *arguments) in FUNCTIONS.items():
            function = CFUNCTYPE(result, c_void_p, *arguments)(c_void_p.from_address(self.table + offset).value)
            setattr(self, name, lambda *arguments, function=function: function(self.table, *arguments))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.library.polyplug_runtime_destroy(self.table)

    def tried(self, what, function, *arguments):
        """Calls a function whose last argument is an error. Raises that error."""
        error = AbiError()
        function(*arguments, byref(error))
        if error.code:
            raise PolyplugError(what, error.code, error.message.text())

    def load(self, bundle):
        path = os.fspath(bundle).encode()
        self.tried("cannot load the bundle", self.load_bundle, path, len(path))


class Greeter:
    """A plugin that implements example.greeter@1; see examples/c/greeter.h."""

    NAME, MAJOR, MINOR = "example.greeter", 1, 0
    # The methods' numbers: their places in the contract.
    ADD, GREET, GREETED = range(3)

    def __init__(self, runtime):
        self.runtime = runtime
        handle = runtime.find_guest_contract(contract_id(self.NAME, self.MAJOR), self.MINOR)
        if handle.index == NO_HANDLE:
            raise PolyplugError("no greeter", 4, f"the bundle does not provide {self.NAME}@{self.MAJOR}.{self.MINOR}")
        self.instance = Instance()
        runtime.tried("cannot make a greeter", runtime.create_guest_instance, handle, None, byref(self.instance))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.runtime.destroy_guest_instance(self.instance)

    def call(self, name, number, arguments, result, read):
        # The result may lie in the arena, and an error's text as well: both are read before the arena is left.
        arena = self.runtime.enter_arena()
        try:
            arguments = None if arguments is None else byref(arguments)
            self.runtime.tried(
                name, self.runtime.call_guest_method, self.instance, number, arguments, byref(result), arena
            )
            return read(result)
        finally:
            self.runtime.leave_arena(arena)

    def greet(self, name):
        text = name.encode()
        buffer = (c_uint8 * len(text)).from_buffer_copy(text)
        argument = StringView(ctypes.addressof(buffer), len(text))
        return self.call("greet", self.GREET, argument, StringView(), StringView.text)

    def greeted(self):
        return self.call("greeted", self.GREETED, None, c_uint64(), lambda count: count.value)


def main():
    bundle, *names = sys.argv[1:] or [HERE / "greeter"]
    library = os.environ.get("POLYPLUG_LIBRARY") or HERE.parent.parent / "target/debug" / LIBRARY
    try:
        with Runtime(library) as runtime:
            runtime.load(bundle)
            with Greeter(runtime) as greeter:
                for name in names or ["Ada", "Grace"]:
                    print(greeter.greet(name))
                print("greeted so far:", greeter.greeted())
    except PolyplugError as error:
        raise SystemExit(f"host.py: {error}") from None


if __name__ == "__main__":
    main()
