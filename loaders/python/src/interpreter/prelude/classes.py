"""Classes for the types of contracts: dataclasses, enums, exceptions."""

import dataclasses
import enum
import sys

_SLOTS = {"slots": True} if sys.version_info >= (3, 10) else {}


@dataclasses.dataclass(**_SLOTS)
class Some:
    """The value of an option whose type is an option itself."""

    value: object


@dataclasses.dataclass(**_SLOTS)
class Ok:
    """The value of a result that is part of another value."""

    value: object


@dataclasses.dataclass(**_SLOTS)
class Err:
    """The error of a result that is part of another value."""

    error: object


class Declared(Exception):
    """A declared error whose type is not a class, such as text, a number or a list."""

    def __init__(self, value):
        super().__init__(value)
        self.value = value


class CallError(Exception):
    """A failed call of a host contract, a peer or an object."""

    def __init__(self, message, kind="failed", method=None, bundle=None, contract=None, location=None):
        super().__init__(message)
        self._message = message
        self.kind = kind
        self.method = method
        self.bundle = bundle
        self.contract = contract
        self.location = location


for _class, *_fields in ((Some, "value"), (Ok, "value"), (Err, "error"), (Declared, "value"),
                         (CallError, "_message", "kind", "method", "bundle", "contract", "location")):
    _class.__module__ = "polyplug"
    make_own_picklable(_class, _fields)


class TimeLimit(BaseException):
    """The time of a call is up."""


class LastTimeLimit(TimeLimit):
    """The second exception of a call whose time is up. CPython makes the instance when code catches the exception; the
    loader gives the class the function `insist`, which raises an exception at each line from then on."""

    def __init__(self):
        super().__init__()
        LastTimeLimit.insist(TimeLimit)


LastTimeLimit.__name__ = LastTimeLimit.__qualname__ = "TimeLimit"


class Closing(BaseException):
    """The interpreter shuts down."""


class Types:
    """The types of a contract, by their names."""

    def __init__(self, contract):
        self.__dict__["_contract"] = contract

    def __getattr__(self, name):
        known = [known for known in self.__dict__ if not known.startswith("_")]
        listed = "it has " + ", ".join(known) if known else "it has none"
        contract = self._contract.partition("@")[0]
        raise AttributeError(f"the contract {contract} has no type `{name}`: {listed}")

    def __repr__(self):
        return f"types({self._contract.partition('@')[0]!r})"


def type_hint(ty, names):
    """Returns the type hint for a type of a contract."""
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
    """Makes a class for each definition, which is given by its name, documentation, kind and parts.

    The names of the parts are not keywords. Definitions whose numbers are in `errors` become exceptions. Returns the
    object with the classes as attributes, and for each definition the classes and names that the loader uses.
    """
    types = Types(contract)
    types.__dict__["_made_from"] = contract, definitions, errors
    make_picklable(types)
    names = [name for name, _, _, _ in definitions]
    made = []
    for number, (name, docs, kind, parts) in enumerate(definitions):
        maker = _ClassMaker(types, name, docs, names, made, number in errors)
        made.append(getattr(maker, kind)(parts))
        if kind != "object":
            types.__dict__[name] = made[-1][0]
    return types, made


def make_value(described, made):
    """Makes a value of its description: the kind and the parts. `made` are the classes of all definitions."""
    kind, *parts = described
    of = lambda part: make_value(part, made)
    if kind == "plain":
        return parts[0]
    if kind in _WRAPPERS:
        return _WRAPPERS[kind](of(parts[0]))
    if kind == "list":
        return [of(item) for item in parts[0]]
    if kind == "tuple":
        return tuple(of(part) for part in parts[0])
    if kind == "map":
        return {of(key): of(value) for key, value in parts[0]}
    number, *parts = parts
    classes = made[number]
    if kind == "record":
        return classes[0](*map(of, parts[0]))
    case = classes[1][parts[0]]
    return case if kind == "enum" else case[0](*map(of, parts[1]))


_WRAPPERS = {"some": Some, "ok": Ok, "err": Err}


class _ClassMaker:
    """Makes the classes of one definition. Its methods are named after the kinds."""

    def __init__(self, types, name, docs, names, made, is_error):
        self.contract = types._contract.partition("@")[0]
        self.name, self.docs, self.names, self.made, self.is_error = name, docs, names, made, is_error
        self.reduce = reduce_value(types)

    def record(self, fields):
        bases = (Exception,) if self.is_error else ()
        return self._body(self.name, self.docs, fields, bases, {})

    def enum(self, cases):
        options = {"type": Exception} if self.is_error else {}
        members = [(case, number) for number, case in enumerate(cases)]
        made = enum.Enum(self.name, members, module=self.contract, qualname=self.name, **options)
        made.__doc__ = self.docs or None
        made._polyplug_type_ = (self.contract, self.name)
        made.__reduce_ex__ = self.reduce
        if self.is_error:
            # A case without fields is raised alike, whether others of its type have fields or not.
            made.__call__ = lambda member: member
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
        # Only fields at the end have a default: a field with one cannot precede a field without.
        may_be_left_out = [ty[0] == "option" or default is not None for _, ty, default in fields]
        for at, (key, (_, ty, default)) in enumerate(zip(keys, fields)):
            default = [self._default(default)] if all(may_be_left_out[at:]) else []
            annotated.append((key, type_hint(ty, self.names), *default))
        # `make_dataclass` looks the module up, so the class gets the contract's name only afterwards.
        namespace = {"__module__": "builtins", "_polyplug_type_": (self.contract, self.name),
                     "_polyplug_fields_": tuple(keys), "__reduce_ex__": self.reduce, **namespace}
        if docs:
            namespace["__doc__"] = docs
        options = _SLOTS
        if self.is_error:
            # `traceback` keeps exceptions in sets.
            namespace["__hash__"] = Exception.__hash__
            namespace["__str__"] = lambda error: repr(error)
            options = {}
        made = dataclasses.make_dataclass(
            name.rpartition(".")[2], annotated, bases=bases, namespace=namespace, **options)
        made.__qualname__ = name
        made.__module__ = self.contract
        return made, keys

    def _default(self, default):
        kind, value = default[:2] if default else ("plain", None)
        if kind == "plain":
            return dataclasses.field(default=value)
        made = self.made
        # Each object gets a list of its own, and the classes may not all be made yet.
        return dataclasses.field(default_factory=lambda: make_value(default, made))

    def _keys(self, fields):
        names = [name for name, *_ in fields]
        if names == ["0"]:
            return ["value"]
        keys = [f"_{name}" if name.isdigit() else name for name in names]
        # Names that every exception has get an underscore.
        return [key + "_" if self.is_error and hasattr(Exception, key) else key for key in keys]


def make_remote_class(base, contract, methods):
    """Makes the class of remote objects with a contract's methods."""
    namespace = {"__slots__": (), "__module__": "polyplug", **methods}
    return type(contract, (base,), namespace)
