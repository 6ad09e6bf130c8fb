"""Whether a method, as it is written, can be what a contract asks for."""

import dataclasses
import enum
import inspect
import types
import typing

_INTEGERS = (int,)
_UNIONS = (typing.Union, getattr(types, "UnionType", typing.Union))
_SCALARS = ("bool", "int", "float", "char", "string", "unit")


def check_method(cls, name, parameters, result, classes):
    """Raises a `TypeError` that says why the method `name` of a class cannot be the contract's, whose parameters have a
    name, a type and a text for it."""
    raw = inspect.getattr_static(cls, name)
    function = getattr(raw, "__func__", raw)
    if not isinstance(function, types.FunctionType):
        return  # made by others: what it takes shows when it is called
    where = f"`{name}` (line {function.__code__.co_firstlineno})"
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(f"{where} is asynchronous: a method of a contract is an ordinary function; "
                        "`asyncio.run` runs a coroutine within it")
    own = 0 if isinstance(raw, staticmethod) else 1
    _check_count(function, where, own, [parameter for parameter, _, _ in parameters])
    try:
        hints = typing.get_type_hints(function)
    except Exception:
        return  # names that exist for type checkers only
    code = function.__code__
    given = code.co_varnames[own:code.co_argcount]
    if code.co_flags & inspect.CO_VARARGS:
        more = code.co_varnames[code.co_argcount + code.co_kwonlyargcount]
        given += (more,) * (len(parameters) - len(given))
    for name, (_, ty, text) in zip(given, parameters):
        if name in hints and not _takes(hints[name], ty, classes):
            raise TypeError(f"{where}: the argument `{name}` is {text} in the contract, and {_shown(hints[name])} by "
                            "its hint")
    ty, text = result
    if "return" in hints and not _gives(hints["return"], ty, classes):
        raise TypeError(f"{where}: the result is {text} in the contract, and {_shown(hints['return'])} by its hint")


def _check_count(function, where, own, expected):
    code = function.__code__
    most = code.co_argcount - own
    least = most - len(function.__defaults__ or ())
    if code.co_flags & inspect.CO_VARARGS:
        most = max(most, len(expected))
    names = code.co_varnames[code.co_argcount:code.co_argcount + code.co_kwonlyargcount]
    needed = [name for name in names if name not in (function.__kwdefaults__ or {})]
    if needed:
        raise TypeError(f"{where} needs `{needed[0]}` by name: arguments come by their places")
    if own and code.co_argcount == 0 and not code.co_flags & inspect.CO_VARARGS:
        raise TypeError(f"{where} lacks `self`")
    if not least <= len(expected) <= most:
        listed = ", ".join(["self"] * own + expected)
        raise TypeError(f"{where} takes {_count(least, most)}, and the contract has {len(expected)}: "
                        f"def {function.__name__}({listed})")


def _count(least, most):
    number = str(most) if least == most else f"{least} to {most}"
    return f"{number} argument{'' if number == '1' else 's'}"


def _shown(hint):
    return hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint).replace("typing.", "")


def _options(hint):
    """The alternatives of a hint; `None` if anything may be one."""
    if hint is None:
        return [type(None)]
    if hint in (typing.Any, object) or isinstance(hint, (str, typing.TypeVar)):
        return None
    origin = typing.get_origin(hint)
    if origin in _UNIONS:
        parts = [_options(part) for part in typing.get_args(hint)]
        return None if None in parts else [option for part in parts for option in part]
    if origin is typing.Annotated:
        return _options(typing.get_args(hint)[0])
    if origin in (typing.Literal, getattr(typing, "Final", None), typing.ClassVar):
        return None
    return [hint]


def _classes_of(ty):
    return {"bool": (bool,), "int": _INTEGERS, "float": (float,), "char": (str,), "string": (str,), "bytes": (bytes,),
            "list": (list,), "map": (dict,), "tuple": (tuple,), "unit": (type(None),)}.get(ty[0])


def _takes(hint, ty, classes):
    """Whether a parameter with this hint takes every value of the type."""
    options = _options(hint)
    if options is None:
        return True
    if ty[0] == "option":
        return _takes_one(options, ("unit",), classes) and _takes_one(options, ty[1], classes)
    return _takes_one(options, ty, classes)


def _takes_one(options, ty, classes):
    return any(_takes_option(option, ty, classes) for option in options)


def _takes_option(option, ty, classes):
    origin = _class_of(option)
    if not isinstance(origin, type) or getattr(origin, "_is_protocol", False):
        return True
    if ty[0] == "named":
        made = classes[ty[1]]
        if made is None:
            return not _is_plain(origin)
        return _is_related(made, origin) or not (_is_plain(origin) or _is_data(origin))
    value = _classes_of(ty)
    if value is None:
        return True
    if ty[0] == "int" and origin in (float, complex) or ty[0] == "float" and origin is complex:
        return True  # by the rules for hints, these take integers
    if ty[0] == "bytes" and origin in (bytearray, memoryview):
        return True  # as hints were once understood
    return issubclass(value[0], origin) and _inner(option, ty, classes, _takes)


def _gives(hint, ty, classes):
    """Whether a function with this hint may return a value of the type."""
    options = _options(hint)
    if options is None:
        return True
    if ty[0] == "option":
        return any(option is type(None) or _gives_option(option, ty[1], classes) for option in options)
    return any(_gives_option(option, ty, classes) for option in options)


def _gives_option(option, ty, classes):
    origin = _class_of(option)
    if origin is getattr(typing, "NoReturn", None) or origin is getattr(typing, "Never", None):
        return True
    if not isinstance(origin, type) or getattr(origin, "_is_protocol", False):
        return True
    kind = ty[0]
    if kind == "named":
        made = classes[ty[1]]
        if made is None:
            return not _is_plain(origin)
        if _is_related(made, origin) or _is_related(origin, made):
            return True
        if hasattr(origin, "_polyplug_type_"):
            return False
        if issubclass(made, enum.Enum):
            return origin is str or not (_is_plain(origin) or _is_data(origin))
        return origin is dict or not _is_plain(origin) and origin.__module__ != "collections.abc"
    if _is_data(origin) and kind in (*_SCALARS, "list"):
        return any(hasattr(origin, name) for name in ("__index__", "__float__", "__iter__"))
    if origin.__module__ == "collections.abc" and kind in _SCALARS:
        return issubclass(_classes_of(ty)[0], origin)
    if kind == "map" and origin.__module__ == "collections.abc":
        return issubclass(dict, origin) and _inner(option, ty, classes, _gives)
    if kind != "list" and not _is_plain(origin):
        return True
    allowed = {"bool": (bool,), "int": (int,), "float": (float, int), "char": (str,), "string": (str,),
               "bytes": (bytes, bytearray, memoryview, list, tuple), "map": (dict,), "tuple": (tuple, list),
               "unit": (type(None),)}.get(kind)
    if kind == "int" and issubclass(origin, bool):
        return False
    if kind == "list":
        return not issubclass(origin, (str, bytes, bytearray, dict, int, float, bool, type(None))) \
            and _inner(option, ty, classes, _gives)
    return allowed is None or issubclass(origin, allowed) and _inner(option, ty, classes, _gives)


def _class_of(option):
    origin = typing.get_origin(option) or option
    # Such a class only says what is in a dict.
    return dict if type(origin).__name__ == "_TypedDictMeta" else origin


def _is_related(derived, base):
    """Whether a class is another one, or derived from it; that of another version of a contract may stand for it."""
    known = getattr(base, "_polyplug_type_", None)
    if known is not None and "_polyplug_case_" not in vars(base) and getattr(derived, "_polyplug_type_", None) == known:
        return True
    try:
        return issubclass(derived, base)
    except TypeError:
        return True  # a class that does not say


def _is_data(origin):
    return dataclasses.is_dataclass(origin) or hasattr(origin, "_polyplug_type_")


def _is_plain(origin):
    """Whether a class is one of Python's own, of which it is known what it is."""
    return origin in (bool, int, float, complex, str, bytes, bytearray, memoryview, list, dict, tuple, set, frozenset,
                      type(None)) or issubclass(origin, enum.Enum)


def _inner(option, ty, classes, check):
    """Whether the parts in a hint's brackets fit those of the type."""
    arguments = typing.get_args(option)
    parts = [part for part in ty[1:] if isinstance(part, tuple)]
    if not arguments or not parts:
        return True
    is_tuple = issubclass(typing.get_origin(option), tuple)
    if is_tuple and arguments[-1] is Ellipsis:
        is_tuple, arguments = False, arguments[:1]
    if ty[0] == "list":
        items = arguments if is_tuple else arguments[:1]
        return all(check(item, parts[0], classes) for item in items)
    if ty[0] == "tuple" and not is_tuple:
        return all(check(arguments[0], part, classes) for part in parts)
    if len(arguments) != len(parts):
        return ty[0] != "tuple"
    return all(check(argument, part, classes) for argument, part in zip(arguments, parts))
