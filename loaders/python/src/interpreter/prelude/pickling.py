"""Pickles of what bundles make: the classes of a bundle's modules, and the values of contracts' types.

A module has another name in each version of its bundle, so a pickle names the modules of the version that wrote it. When
a pickle is read, such a name stands for the module of the version that reads.
"""

import enum
import io
import itertools
import os
import sys
import time
import types as module_types
import weakref

# `Types` of contracts by "name@major", the last ones that were made.
_types_by_contract = weakref.WeakValueDictionary()

# `Types` by the tokens that pickles have, for the process that wrote the pickle.
_types_by_token = weakref.WeakValueDictionary()
_tokens = (f"{os.getpid()}.{time.time_ns()}.{number}" for number in itertools.count())


def publish():
    """Makes functions and classes of the prelude those of a module, so that pickles can name them. The module has a copy of
    the names: modules are emptied when the interpreter shuts down, and the prelude is needed longer."""
    module = sys.modules["_polyplug"] = module_types.ModuleType("_polyplug")
    module.__dict__.update((name, value) for name, value in globals().items() if not name.startswith("__"))


def make_picklable(types):
    """Enters the types of a contract into the tables in which pickles look for them."""
    types.__dict__["_token"] = token = next(_tokens)
    _types_by_token[token] = types
    _types_by_contract[types._contract] = types


def reduce_value(types):
    """Returns the method `__reduce_ex__` of the classes of `types`."""
    types = weakref.ref(types)

    def reduce(value, protocol):
        cls, made = type(value), types()
        if "_polyplug_type_" not in cls.__dict__ or made is None:
            # The class inherits from a contract's type, or its contract is gone.
            return object.__reduce_ex__(value, max(protocol, 2))
        path = cls.__qualname__
        if isinstance(value, enum.Enum):
            return rebuild, (made._contract, made._token, f"{path}.{value.name}")
        fields = {name: getattr(value, name) for name in cls._polyplug_fields_ if hasattr(value, name)}
        # An exception takes a `dict`; other objects may have slots, which are the second part.
        state = fields if isinstance(value, BaseException) else (None, fields)
        return rebuild, (made._contract, made._token, path), state

    return reduce


def rebuild(contract, token, path):
    """Returns a value of a contract's type, without its fields, or the case of an enum."""
    found = _types_by_token.get(token) or _types_of(contract)
    for name in path.split("."):
        found = getattr(found, name)
    return found.__new__(found) if isinstance(found, type) and not issubclass(found, enum.Enum) else found


def _types_of(contract):
    bundle = _bundle_in_stack(None, sys._getframe())
    try:
        if bundle is not None:
            return bundle.host_functions.types(contract)
    except Exception:
        pass  # the bundle has nothing to do with the contract
    found = _types_by_contract.get(contract)
    if found is None:
        raise LookupError(f"the contract {contract} is not in use, so its types cannot be unpickled")
    return found


def rebuild_own(name, arguments):
    """Returns an object of a class of the module `polyplug`."""
    return _own_classes[name](*arguments)


_own_classes = {}


def make_own_picklable(cls, fields):
    """Makes the objects of a class of the module `polyplug` picklable. They are made from these fields."""
    def reduce(value, protocol):
        if type(value) is not cls:
            return object.__reduce_ex__(value, max(protocol, 2))
        return rebuild_own, (cls.__name__, tuple(getattr(value, field) for field in fields))

    _own_classes[cls.__name__] = cls
    cls.__reduce_ex__ = reduce


def _current_module(name):
    """Returns the name under which the version of a bundle that reads a pickle has a module of the version that wrote
    the pickle. Other names are returned as they are."""
    package, dot, rest = name.partition(".")
    if not package.startswith(_PREFIX):
        return name
    kind = package.rpartition("_")[0]
    reader = _bundle_in_stack(None, sys._getframe())
    if reader is None or reader.package.rpartition("_")[0] != kind:
        if package in _bundles:
            return name
        reader = next((bundle for bundle in reversed(list(_bundles.values()))
                       if bundle.package.rpartition("_")[0] == kind), None)
    return reader.package + dot + rest if reader else name


def adapt_pickle(pickle):
    """Replaces what reads pickles in the module `pickle`, which has just been loaded."""
    real_load, real_loads = pickle.load, pickle.loads

    class Unpickler(pickle.Unpickler):
        def find_class(self, module, name):
            return super().find_class(_current_module(module), name)

    def find_class(self, module, name):
        return real_find_class(self, _current_module(module), name)

    def load(file, **options):
        return Unpickler(file, **options).load()

    def loads(data, /, **options):
        # Most pickles are of no bundle, and need no Python code to be read.
        is_plain = isinstance(data, (bytes, bytearray)) and _PREFIX.encode() not in data
        return real_loads(data, **options) if is_plain else Unpickler(io.BytesIO(data), **options).load()

    real_find_class = pickle._Unpickler.find_class
    pickle._Unpickler.find_class = find_class
    for made, real in ((Unpickler, pickle.Unpickler), (load, real_load), (loads, real_loads)):
        made.__module__, made.__doc__ = "pickle", real.__doc__
        made.__name__ = made.__qualname__ = real.__name__
        setattr(pickle, real.__name__, made)
