"""The module `polyplug.test`: tests of a bundle, run by `polyplug test`."""

import contextlib as _contextlib
import json as _json
import os as _os
import sys as _sys
import traceback as _traceback
import types as _types

import polyplug as _polyplug
from . import comparing as _comparing

__all__ = ["fail", "instance", "near", "raises", "settings", "skip", "stand_in"]

_PACKAGE = __name__.partition(".")[0]
_directory = str(_polyplug.directory)
_cases, _settings = [], None


class _Skip(BaseException):
    """The end of a test that is left out."""


# What tests call.


def instance(contract):
    """Returns a new instance of a plugin of the bundle under test."""
    return _polyplug.peer(contract)


def stand_in(contract, implementation):
    """Has the methods of an object serve as a host contract, or as a plugin of another bundle, for the bundle under test.
    Returns the object."""
    if isinstance(implementation, type):
        raise TypeError(f"stand_in takes an object with the methods of {contract}, not the class {implementation.__name__}: "
                        f"write {implementation.__name__}()")

    def forward(name):
        return lambda self, *arguments: getattr(implementation, name)(*arguments)

    names = [name for name in dir(implementation) if not name.startswith("__") and callable(getattr(implementation, name))]
    forwarding = type("StandIn", (), {name: forward(name) for name in names})
    _polyplug.plugin(contract, name=f"stand-in for {contract}", singleton=True)(forwarding)
    return implementation


def settings(**values):
    """Sets the settings with which the bundle under test is loaded."""
    global _settings
    _settings = {**(_settings or {}), **values}


def fail(message="failed"):
    """Ends the test as failed."""
    raise _comparing.Failed(str(message))


def skip(reason=""):
    """Leaves out the rest of the test."""
    raise _Skip(str(reason))


class _Raised:
    """The exception that `raises` has caught."""

    value = None


@_contextlib.contextmanager
def raises(expected=Exception, match=None):
    """Expects that its block raises an exception: one of a class, or one that equals a value. The text of the exception
    contains `match`. The exception is `value` of what `as` names."""
    raised = _Raised()
    try:
        yield raised
    except (_comparing.Failed, _Skip):
        raise
    except BaseException as error:
        is_class = isinstance(expected, (type, tuple))
        if not (isinstance(error, expected) if is_class else error == expected):
            if is_class:
                raise
            values = {"expected": _comparing.text_of(expected), "actual": _comparing.text_of(error)}
            raise _comparing.Failed("another exception was raised", values) from None
        if match is not None and match not in str(error):
            raise _comparing.Failed("the text of the exception is another one",
                                    {"expected": match, "actual": str(error)}) from None
        raised.value = error
        return
    name = getattr(expected, "__name__", None) or repr(expected)
    raise _comparing.Failed(f"{name} was not raised")


class near:
    """Equals numbers that differ from `value` by `tolerance` at most."""

    def __init__(self, value, tolerance=1e-9):
        self.value, self.tolerance = value, tolerance

    def __eq__(self, other):
        return abs(other - self.value) <= self.tolerance

    __hash__ = None

    def __repr__(self):
        return f"near({self.value!r}, {self.tolerance!r})"


# The collection of the tests.


def _run_file(name):
    """Runs a test file, and declares its tests."""
    path = _os.path.join(_directory, name)
    with open(path, "rb") as file:
        source = file.read()
    stem = "".join(letter if letter.isalnum() else "_" for letter in name.rpartition(".")[0])
    module = _types.ModuleType(f"{_PACKAGE}.{stem}")
    module.__file__ = path
    module.__dict__[_comparing.NAME] = _comparing
    _sys.modules[module.__name__] = module
    exec(_comparing.compiled(source, path), module.__dict__)
    for key, value in list(module.__dict__.items()):
        if key.startswith("test_") and isinstance(value, _types.FunctionType):
            _cases.append((key, value, lambda value=value: value()))
        elif key.startswith("Test") and isinstance(value, type) and value.__module__ == module.__name__:
            _collect_class(key, value)


def _collect_class(name, cls):
    methods = [(key, value) for base in reversed(cls.__mro__) for key, value in base.__dict__.items()]
    for key, method in dict(methods).items():
        if key.startswith("test_") and callable(method):
            _cases.append((f"{name} > {key}", method, lambda cls=cls, key=key: _run_method(cls, key)))


def _run_method(cls, name):
    this = cls()
    if hasattr(this, "setup_method"):
        this.setup_method()
    try:
        getattr(this, name)()
    finally:
        if hasattr(this, "teardown_method"):
            this.teardown_method()


def _place(file, line):
    return {"file": _os.path.relpath(file, _directory).replace(_os.sep, "/"), "line": line}


def _is_of_tests(file):
    inside = file.startswith(_directory + _os.sep)
    return inside and not file.startswith(_os.path.join(_directory, "polyplug") + _os.sep)


def _failure(error):
    frames = [frame for frame in _traceback.extract_tb(error.__traceback__) if _is_of_tests(frame.filename)]
    place = _place(frames[-1].filename, frames[-1].lineno) if frames else None
    if isinstance(error, _comparing.Failed):
        message, values = error.message, error.values
    else:
        message, values = "".join(_traceback.format_exception_only(type(error), error)).strip(), None
        if type(error) is AssertionError and not error.args and frames:
            message = f"AssertionError: {frames[-1].line}"  # of a module, whose assertions do not show their values
    trace = None
    if len(frames) > 1:
        places = [_place(frame.filename, frame.lineno) for frame in reversed(frames)]
        trace = "\n".join(f"called at tests/{place['file']}:{place['line']}" for place in places)
    return {"message": message.replace(_PACKAGE + ".", ""), "place": place, "values": values, "trace": trace}


@_polyplug.plugin("polyplug.tests@1", name="tests", singleton=True)
class _Tests:
    def cases(self):
        places = [getattr(function, "__code__", None) for _, function, _ in _cases]
        places = [code and _place(code.co_filename, code.co_firstlineno) for code in places]
        return [{"name": name, "place": place} for (name, _, _), place in zip(_cases, places)]

    def settings(self):
        return None if _settings is None else _json.dumps(_settings)

    def run(self, number):
        try:
            _cases[number][2]()
        except _Skip as skipped:
            return {"skipped": str(skipped), "failure": None}
        except Exception as error:
            return {"skipped": None, "failure": _failure(error)}
        return {"skipped": None, "failure": None}
