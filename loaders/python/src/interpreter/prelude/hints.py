"""The check of a method's signature and hints against a contract."""

import dataclasses
import enum
import inspect
import types
import typing

_INTEGERS = (int,)
_UNIONS = (typing.Union, getattr(types, "UnionType", typing.Union))
_SCALARS = ("bool", "int", "float", "char", "string", "unit")


def check_method(cls, name, parameters, result, classes):
    """Raises a `TypeError` if the method `name` of a class cannot be the contract's.

    `parameters` has the name, the type and the type's text of each parameter, `result` the type and its text, and
    `classes` the class of each definition.
    """
    raw = inspect.getattr_static(cls, name)
    function = getattr(raw, "__func__", raw)
    if not isinstance(function, types.FunctionType):
        return  # not a Python function: wrong arguments show in the call
    where = f"`{name}` (line {function.__code__.co_firstlineno})"
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(f"{where} is asynchronous: a method of a contract is an ordinary function; "
                        "`asyncio.run` runs a coroutine within it")
    implicit = 0 if isinstance(raw, staticmethod) else 1
    _check_count(function, where, implicit, [parameter for parameter, _, _ in parameters])
    try:
        hints = typing.get_type_hints(function)
    except Exception:
        return  # the hints use names that exist for type checkers only
    code = function.__code__
    given = code.co_varnames[implicit:code.co_argcount]
    if code.co_flags & inspect.CO_VARARGS:
        more = code.co_varnames[code.co_argcount + code.co_kwonlyargcount]
        given += (more,) * (len(parameters) - len(given))
    for name, (_, ty, text) in zip(given, parameters):
        if name in hints and not _accepts(hints[name], ty, classes):
            raise TypeError(f"{where}: the argument `{name}` is {text} in the contract, and "
                            f"{_hint_text(hints[name])} by its hint")
    ty, text = result
    if "return" in hints and not _may_return(hints["return"], ty, classes):
        raise TypeError(f"{where}: the result is {text} in the contract, and {_hint_text(hints['return'])} by its hint")


def _check_count(function, where, implicit, expected):
    code = function.__code__
    most = code.co_argcount - implicit
    least = most - len(function.__defaults__ or ())
    if code.co_flags & inspect.CO_VARARGS:
        most = max(most, len(expected))
    names = code.co_varnames[code.co_argcount:code.co_argcount + code.co_kwonlyargcount]
    needed = [name for name in names if name not in (function.__kwdefaults__ or {})]
    if needed:
        raise TypeError(f"{where} needs `{needed[0]}` by name: arguments come by their places")
    if implicit and code.co_argcount == 0 and not code.co_flags & inspect.CO_VARARGS:
        raise TypeError(f"{where} lacks `self`")
    if not least <= len(expected) <= most:
        listed = ", ".join(["self"] * implicit + expected)
        raise TypeError(f"{where} takes {_argument_count(least, most)}, and the contract has {len(expected)}: "
                        f"def {function.__name__}({listed})")


def _argument_count(least, most):
    number = str(most) if least == most else f"{least} to {most}"
    return f"{number} argument{'' if number == '1' else 's'}"


def _hint_text(hint):
    return hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint).replace("typing.", "")


def _alternatives(hint):
    """Returns the alternatives of a hint; `None` if the hint allows everything."""
    if hint is None:
        return [type(None)]
    if hint in (typing.Any, object) or isinstance(hint, (str, typing.TypeVar)):
        return None
    origin = typing.get_origin(hint)
    if origin in _UNIONS:
        parts = [_alternatives(part) for part in typing.get_args(hint)]
        return None if None in parts else [alternative for part in parts for alternative in part]
    if origin is typing.Annotated:
        return _alternatives(typing.get_args(hint)[0])
    if origin in (typing.Literal, getattr(typing, "Final", None), typing.ClassVar):
        return None
    return [hint]


def _classes_of(ty):
    return {"bool": (bool,), "int": _INTEGERS, "float": (float,), "char": (str,), "string": (str,), "bytes": (bytes,),
            "list": (list,), "map": (dict,), "tuple": (tuple,), "unit": (type(None),)}.get(ty[0])


def _accepts(hint, ty, classes):
    """Returns whether a parameter with this hint accepts every value of the type."""
    alternatives = _alternatives(hint)
    if alternatives is None:
        return True
    if ty[0] == "option":
        return _one_accepts(alternatives, ("unit",), classes) and _one_accepts(alternatives, ty[1], classes)
    return _one_accepts(alternatives, ty, classes)


def _one_accepts(alternatives, ty, classes):
    return any(_alternative_accepts(alternative, ty, classes) for alternative in alternatives)


def _alternative_accepts(alternative, ty, classes):
    origin = _class_of(alternative)
    if not isinstance(origin, type) or getattr(origin, "_is_protocol", False):
        return True
    if ty[0] == "named":
        contract_class = classes[ty[1]]
        if contract_class is None:
            return not _is_builtin_or_enum(origin)
        return _is_related(contract_class, origin) or not (_is_builtin_or_enum(origin) or _is_data_class(origin))
    value = _classes_of(ty)
    if value is None:
        return True
    if ty[0] == "int" and origin in (float, complex) or ty[0] == "float" and origin is complex:
        return True  # PEP 484: `float` and `complex` accept the smaller types
    if ty[0] == "bytes" and origin in (bytearray, memoryview):
        return True  # PEP 484: `bytes` meant all three, until PEP 688
    return issubclass(value[0], origin) and _parts_fit(alternative, ty, classes, _accepts)


def _may_return(hint, ty, classes):
    """Returns whether a function with this hint may return a value of the type."""
    alternatives = _alternatives(hint)
    if alternatives is None:
        return True
    if ty[0] == "option":
        is_optional = any(alternative is type(None) for alternative in alternatives)
        return is_optional or _may_return_one(alternatives, ty[1], classes)
    return _may_return_one(alternatives, ty, classes)


def _may_return_one(alternatives, ty, classes):
    return any(_alternative_may_return(alternative, ty, classes) for alternative in alternatives)


def _alternative_may_return(alternative, ty, classes):
    origin = _class_of(alternative)
    if origin is getattr(typing, "NoReturn", None) or origin is getattr(typing, "Never", None):
        return True
    if not isinstance(origin, type) or getattr(origin, "_is_protocol", False):
        return True
    kind = ty[0]
    if kind == "named":
        contract_class = classes[ty[1]]
        if contract_class is None:
            return not _is_builtin_or_enum(origin)
        if _is_related(contract_class, origin) or _is_related(origin, contract_class):
            return True
        if hasattr(origin, "_polyplug_type_"):
            return False
        if issubclass(contract_class, enum.Enum):
            return origin is str or not (_is_builtin_or_enum(origin) or _is_data_class(origin))
        return origin is dict or not _is_builtin_or_enum(origin) and origin.__module__ != "collections.abc"
    if _is_data_class(origin) and kind in (*_SCALARS, "list"):
        return any(hasattr(origin, name) for name in ("__index__", "__float__", "__iter__"))
    if origin.__module__ == "collections.abc" and kind in _SCALARS:
        return issubclass(_classes_of(ty)[0], origin)
    if kind == "map" and origin.__module__ == "collections.abc":
        return issubclass(dict, origin) and _parts_fit(alternative, ty, classes, _may_return)
    if kind != "list" and not _is_builtin_or_enum(origin):
        return True
    allowed = {"bool": (bool,), "int": (int,), "float": (float, int), "char": (str,), "string": (str,),
               "bytes": (bytes, bytearray, memoryview, list, tuple), "map": (dict,), "tuple": (tuple, list),
               "unit": (type(None),)}.get(kind)
    if kind == "int" and issubclass(origin, bool):
        return False
    if kind == "list":
        return not issubclass(origin, (str, bytes, bytearray, dict, int, float, bool, type(None))) \
            and _parts_fit(alternative, ty, classes, _may_return)
    return allowed is None or issubclass(origin, allowed) and _parts_fit(alternative, ty, classes, _may_return)


def _class_of(alternative):
    origin = typing.get_origin(alternative) or alternative
    # A `TypedDict` is a `dict` at run time.
    return dict if type(origin).__name__ == "_TypedDictMeta" else origin


def _is_related(derived, base):
    """Returns whether a class is derived from another one, or stands for the same type in another version of the
    contract."""
    known = getattr(base, "_polyplug_type_", None)
    if known is not None and "_polyplug_case_" not in vars(base) and getattr(derived, "_polyplug_type_", None) == known:
        return True
    try:
        return issubclass(derived, base)
    except TypeError:
        return True  # the class refuses the question


def _is_data_class(origin):
    return dataclasses.is_dataclass(origin) or hasattr(origin, "_polyplug_type_")


def _is_builtin_or_enum(origin):
    """Returns whether a class is a built-in one or an enum, whose values cannot be of another type."""
    return origin in (bool, int, float, complex, str, bytes, bytearray, memoryview, list, dict, tuple, set, frozenset,
                      type(None)) or issubclass(origin, enum.Enum)


def _parts_fit(alternative, ty, classes, check):
    """Returns whether the parts in a hint's brackets fit the parts of the type."""
    arguments = typing.get_args(alternative)
    parts = [part for part in ty[1:] if isinstance(part, tuple)]
    if not arguments or not parts:
        return True
    is_tuple = issubclass(typing.get_origin(alternative), tuple)
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
