"""Classes for the types of contracts: dataclasses, enums, exceptions."""

import dataclasses
import enum
import sys

_SLOTS = {"slots": True} if sys.version_info >= (3, 10) else {}


@dataclasses.dataclass(**_SLOTS)
class Some:
    """What an option holds that could be without a value itself."""

    value: object


@dataclasses.dataclass(**_SLOTS)
class Ok:
    """The answer, where a result is part of another value."""

    value: object


@dataclasses.dataclass(**_SLOTS)
class Err:
    """The error in place of an answer, where a result is part of another value."""

    error: object


class Declared(Exception):
    """An error that a method declares whose type is no class: text, a number, a list."""

    def __init__(self, value):
        super().__init__(value)
        self.value = value


class CallError(Exception):
    """A call of somebody else that failed."""

    def __init__(self, message, kind="failed", method=None):
        super().__init__(message)
        self.kind = kind
        self.method = method


for _class in (Some, Ok, Err, Declared, CallError):
    _class.__module__ = "polyplug"


class TimeLimit(BaseException):
    """The call takes longer than it may."""


class Closing(BaseException):
    """The interpreter shuts down."""


class Types:
    """The types of a contract, by their names."""

    def __init__(self, contract):
        self.__dict__["_contract"] = contract

    def __getattr__(self, name):
        known = [known for known in self.__dict__ if not known.startswith("_")]
        listed = "it has " + ", ".join(known) if known else "it has none"
        raise AttributeError(f"the contract {self._contract} has no type `{name}`: {listed}")

    def __repr__(self):
        return f"types({self._contract!r})"


def type_hint(ty, names):
    """The type hint for a type of a contract."""
    kind = ty[0]
    if kind in _HINTS:
        return _HINTS[kind]
    inner = [type_hint(part, names) for part in ty[1:] if isinstance(part, tuple)]
    if kind == "option":
        return f"{inner[0]} | None"
    if kind == "list":
        return f"list[{inner[0]}]"
    if kind == "map":
        return f"dict[{inner[0]}, {inner[1]}]"
    if kind == "tuple":
        return f"tuple[{', '.join(inner)}]"
    if kind == "result":
        return f"Ok[{inner[0]}] | Err[{inner[1]}]"
    return names[ty[1]]


_HINTS = {
    "unit": "None",
    "bool": "bool",
    "int": "int",
    "float": "float",
    "char": "str",
    "string": "str",
    "bytes": "bytes",
}


def make_types(contract, definitions, errors):
    """Makes a class for each definition: its name, documentation, kind and parts, whose names are none of Python's own
    words. Those whose numbers are in `errors` can be raised. Returns what guests see, and for each definition what the
    loader needs."""
    space = Types(contract)
    names = [name for name, _, _, _ in definitions]
    made = []
    for number, (name, docs, kind, parts) in enumerate(definitions):
        maker = _Maker(contract, name, docs, names, number in errors)
        made.append(getattr(maker, kind)(parts))
        if kind != "object":
            space.__dict__[name] = made[-1][0]
    return space, made


class _Maker:
    def __init__(self, contract, name, docs, names, is_error):
        self.contract, self.name, self.docs, self.names, self.is_error = contract, name, docs, names, is_error

    def record(self, fields):
        bases = (Exception,) if self.is_error else ()
        return self._body(self.name, self.docs, fields, bases, {})

    def enum(self, cases):
        options = {"type": Exception} if self.is_error else {}
        members = [(case, number) for number, case in enumerate(cases)]
        made = enum.Enum(self.name, members, module=self.contract, qualname=self.name, **options)
        made.__doc__ = self.docs or None
        made._polyplug_type_ = (self.contract, self.name)
        return made, list(made)

    def variant(self, cases):
        namespace = {"__module__": self.contract, "__qualname__": self.name, "__doc__": self.docs or None}
        namespace["_polyplug_type_"] = (self.contract, self.name)
        if self.is_error:
            base = type(self.name, (Exception,), namespace)
        else:
            base = type(self.name, (), {**namespace, "__slots__": ()})
        bodies = []
        for case, name, docs, fields in cases:
            body = self._body(f"{self.name}.{name}", docs, fields, (base,), {"_polyplug_case_": case})
            setattr(base, name, body[0])
            bodies.append(body)
        return base, bodies

    def object(self, methods):
        return methods

    def _body(self, name, docs, fields, bases, namespace):
        keys = self._keys(fields)
        annotated = []
        # What may be left out comes last, or cannot be left out.
        may_be_left_out = [ty[0] == "option" for _, ty in fields]
        for at, (key, (_, ty)) in enumerate(zip(keys, fields)):
            default = [dataclasses.field(default=None)] if all(may_be_left_out[at:]) else []
            annotated.append((key, type_hint(ty, self.names), *default))
        # Dataclasses look for their module, which has to exist, and is named afterwards.
        namespace = {"__module__": "builtins", "_polyplug_type_": (self.contract, self.name), **namespace}
        if docs:
            namespace["__doc__"] = docs
        options = _SLOTS
        if self.is_error:
            # Python's own machinery keeps exceptions in sets.
            namespace["__hash__"] = Exception.__hash__
            namespace["__str__"] = lambda error: repr(error)
            options = {}
        made = dataclasses.make_dataclass(
            name.rpartition(".")[2], annotated, bases=bases, namespace=namespace, **options)
        made.__qualname__ = name
        made.__module__ = self.contract
        return made, keys

    def _keys(self, fields):
        names = [name for name, _ in fields]
        if names == ["0"]:
            return ["value"]
        keys = [f"_{name}" if name.isdigit() else name for name in names]
        # What exceptions have already.
        return [key + "_" if self.is_error and hasattr(Exception, key) else key for key in keys]


def make_remote_class(base, contract, methods):
    """The class of those who have a contract's methods, elsewhere."""
    namespace = {"__slots__": (), "__module__": "polyplug", **methods}
    return type(contract, (base,), namespace)
