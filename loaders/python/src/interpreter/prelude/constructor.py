"""The arguments of a plugin's class: none, or the context."""

import inspect

_ONE_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)

# The names of an argument that gets the context although it has a default.
_CONTEXT_NAMES = ("ctx", "context")

# The types of arguments that are not the context.
_OTHER_TYPES = ("bool", "int", "float", "complex", "str", "bytes", "list", "tuple", "dict", "set", "frozenset", "Path")


def takes_context(cls):
    """Returns whether a class is called with the context: if its first argument has no default, or is named `ctx` or
    `context`. Arguments with a default belong to the class's author."""
    try:
        parameters = list(inspect.signature(cls).parameters.values())
    except ValueError:
        return False  # a class in C
    first = parameters[0] if parameters and parameters[0].kind in _ONE_BY_POSITION else None
    takes = first is not None and (first.default is first.empty or first.name in _CONTEXT_NAMES)
    if takes and first.default is first.empty and not _may_be_context(cls, first):
        raise TypeError(f"{_constructor(cls)} takes `{first}`, which has no default and is not the context: {_REMEDY}")
    for parameter in parameters[takes:]:
        if parameter.default is parameter.empty and parameter.kind not in (
                parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            what = "takes more than the context" if takes else "takes an argument by name"
            raise TypeError(f"{_constructor(cls)} {what}: `{parameter}` has no default: {_REMEDY}")
    return takes


_REMEDY = "the loader passes the context, as in def __init__(self, ctx), and nothing else; give a default to other arguments"


def _constructor(cls):
    return f"__init__ of {cls.__name__}"


def _may_be_context(cls, parameter):
    """Returns whether an argument without a default can be meant for the context."""
    if parameter.name in _CONTEXT_NAMES:
        return True
    if parameter.name in getattr(cls, "__dataclass_fields__", {}) and not _has_own_constructor(cls):
        return False
    annotation = parameter.annotation
    if annotation is parameter.empty:
        return True
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", repr(annotation))
    return text.partition("[")[0].rpartition(".")[2] not in _OTHER_TYPES


def _has_own_constructor(cls):
    """Returns whether the author has written `__init__`, and not `dataclasses`, which runs it from a text."""
    code = getattr(cls.__init__, "__code__", None)
    return code is not None and not code.co_filename.startswith("<")
