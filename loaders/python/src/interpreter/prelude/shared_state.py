"""Shared state that bundles change. What a bundle registers in modules of the process is taken back when it ends.

There is one mechanism. The functions by which shared state is changed are replaced once, when their module is loaded.
The replacement notes for a call on behalf of a bundle how to take the change back. Calls of other code pass through.
Changes by assignment, such as `json.dumps = mine`, are found at the end: the functions and classes of shared modules are
kept as they were imported, and a place that holds code of the bundle gets its first value again.
"""

import functools
import itertools
import sys
import threading
import types as module_types

# The functions that prepare modules for the changes of bundles, by the names of modules that are not loaded yet.
_watchers = {}

# The functions and classes of shared modules as they were imported, by the names of the modules.
_first_values = {}

# The attributes of classes of shared modules as they were imported, by the classes.
_first_attributes = {}

# The number of modules when new modules were looked for last.
_watched_modules = 0

# Whether modules were being imported when new modules were looked for last.
_has_unfinished = False

_CODE = (module_types.FunctionType, module_types.BuiltinFunctionType, module_types.MethodType, type)
_FRAMES_OF_IMPORTS = ("importlib._bootstrap", "_frozen_importlib")
_ABSENT = object()


def change_owner():
    """Returns the bundle on whose behalf the running code changes shared state; `None` for other code, and for a shared
    module that is being imported, which stays when the bundle that imports it ends."""
    frame = sys._getframe(2)
    while frame is not None:
        bundle = bundle_of(frame)
        if bundle is not None:
            return bundle
        if frame.f_globals.get("__name__") in _FRAMES_OF_IMPORTS:
            return None
        frame = frame.f_back
    thread = threading._active.get(threading.get_ident())
    return _bundles.get(getattr(thread, "_polyplug_bundle", None))


def package_of(value):
    """Returns the name of the package that the code of a value belongs to: of a function, a method, a class, or an
    object. Returns the empty string if it cannot be read."""
    try:
        for _ in range(8):
            if isinstance(value, functools.partial):
                value = value.func
            elif isinstance(value, (staticmethod, classmethod)):
                value = value.__func__
            elif isinstance(value, module_types.MethodType):
                value = value.__func__ if isinstance(value.__func__, module_types.FunctionType) else value.__self__
            elif isinstance(value, property):
                value = value.fget
            else:
                break
        if isinstance(value, module_types.FunctionType):
            name = value.__globals__.get("__name__")
        elif isinstance(value, type):
            name = value.__module__
        elif isinstance(value, module_types.ModuleType):
            name = value.__name__
        else:
            name = type(value).__module__
        return name.partition(".")[0] if isinstance(name, str) else ""
    except Exception:
        return ""


def watch_shared_modules():
    """Prepares the modules that have been loaded since the last call. Called before and after imports of bundles."""
    global _watched_modules, _has_unfinished
    if len(sys.modules) == _watched_modules:
        return
    _watched_modules = len(sys.modules)
    look_at_all, _has_unfinished = _has_unfinished, False
    for name in reversed(list(sys.modules)):
        if name in _first_values:
            if look_at_all:
                continue
            break  # the dictionary has the order of the imports
        module = sys.modules.get(name)
        if name.startswith("_polyplug") or module is None:
            continue
        if getattr(getattr(module, "__spec__", None), "_initializing", False):
            _watched_modules, _has_unfinished = -1, True  # a thread is importing it
            continue
        _remember(name, module)
        for watch in _watchers.pop(name, ()):
            watch(module)


def _remember(name, module):
    names = getattr(module, "__dict__", None)
    if not isinstance(names, dict):
        names = {}
    values = _first_values[name] = {key: value for key, value in list(names.items()) if isinstance(value, _CODE)}
    if name == "logging":
        values["lastResort"] = module.lastResort
    for value in list(values.values()):
        # Only classes that are written in Python can be changed.
        if type(value) is type and value.__flags__ & 0x200 and value not in _first_attributes:
            _first_attributes[value] = dict(value.__dict__)


def forget_removed_modules():
    """Forgets the first values of modules that are not loaded any more, which would keep the modules in memory."""
    global _watched_modules
    _watched_modules = -1
    for name in [name for name in _first_values if name not in sys.modules]:
        del _first_values[name]
    for cls in [cls for cls in _first_attributes if cls.__module__ not in sys.modules]:
        del _first_attributes[cls]


def _watches(name):
    """Registers a function that prepares the module `name`."""

    def register(watch):
        _watchers.setdefault(name, []).append(watch)
        return watch

    return register


def _replace(owner, name, make):
    """Replaces a function by `make(real)`, and remembers the replacement as the first value."""
    real = owner.__dict__.get(name)
    if real is None:
        return
    replacement = functools.wraps(real)(make(real))
    setattr(owner, name, replacement)
    if isinstance(owner, type):
        _first_attributes.setdefault(owner, dict(owner.__dict__))[name] = replacement
    else:
        _first_values[owner.__name__][name] = replacement


# Values that are set by one function and read by another.


class _Value:
    """The change of a value: what it was before, and what the bundle has set."""

    def __init__(self, key, before, after, read, write):
        self.key, self.before, self.after = key, before, after
        self.read, self.write = read, write
        self.number = next(_change_numbers)

    def take_back(self):
        others = [bundle.changes.get(self.key) for bundle in list(_bundles.values())]
        later = [other for other in others if other is not None and other.number > self.number]
        if later:
            # Another bundle, such as the next version of this one, has set the value since. It takes back both changes.
            min(later, key=lambda other: other.number).before = self.before
        elif self.read() == self.after:
            self.write(self.before)


_change_numbers = itertools.count()


def _watch_value(module, name, read, write=None):
    def make(real):
        restore = write or (lambda before: real(*before) if isinstance(before, tuple) else real(before))

        def replacement(*arguments, **options):
            bundle = change_owner()
            if bundle is None or read is real and not arguments:  # some functions read the value as well
                return real(*arguments, **options)
            before = read()
            result = real(*arguments, **options)
            _note_value(bundle, (module.__name__, name), before, read, restore)
            return result

        return replacement

    _replace(module, name, make)


def _note_value(bundle, key, before, read, write):
    change = bundle.changes.get(key)
    if change is None:
        bundle.changes[key] = _Value(key, before, read(), read, write)
    else:
        change.after = read()


def _set_entry(table, key, value):
    if value is _ABSENT:
        table.pop(key, None)
    else:
        table[key] = value


class _Entry:
    """An entry that the bundle has made. `remove` takes it out again."""

    def __init__(self, remove, *arguments):
        self.remove, self.arguments = remove, arguments

    def take_back(self):
        self.remove(*self.arguments)


def _others_have(key):
    """Returns whether a bundle has noted a change with this key. A bundle that ends takes its own one out first."""
    return any(key in bundle.changes for bundle in list(_bundles.values()))


def _watch_entries(owner, name, note):
    """Replaces a function that registers something. `note(bundle, real, arguments, options)` calls the real one."""

    def make(real):
        def replacement(*arguments, **options):
            bundle = change_owner()
            if bundle is None:
                return real(*arguments, **options)
            return note(bundle, real, arguments, options)

        return replacement

    _replace(owner, name, make)


def _watch_of_thread(module, name, read):
    """Watches a value that each thread has. It is taken back on the thread that ends the bundle; on others it is made
    void."""

    def note(bundle, real, arguments, options):
        function = arguments[0] if arguments else None
        if function is None or package_of(function) != bundle.package:
            return real(*arguments, **options)
        place, thread = [function], threading.get_ident()

        def hook(*arguments):
            inner = place[0]
            if inner is None:
                real(None)
                return None
            return inner(*arguments)

        result = real(hook)

        def remove():
            place[0] = None
            if threading.get_ident() == thread and read() is hook:
                real(None)

        bundle.changes[(name, thread)] = _Entry(remove)
        return result

    _watch_entries(module, name, note)


def _watch_for_ever(module, name):
    """Watches a function whose registrations cannot be removed. What a bundle registers is made void."""

    def note(bundle, real, arguments, options):
        def void(function):
            place = [function]
            bundle.changes[(name, id(place))] = _Entry(place.clear)

            def replacement(*arguments):
                for inner in place:
                    return inner(*arguments)

            return replacement

        return real(*map(void, arguments), **{option: void(function) for option, function in options.items()})

    _watch_entries(module, name, note)


def take_back_changes(bundle):
    """Takes back what a bundle has noted, the latest first."""
    while bundle.changes:
        key, change = bundle.changes.popitem()
        try:
            change.take_back()
        except Exception as error:
            bundle.host_functions.log("warn", f"a change of `{key[0]}` could not be taken back: {error!r}")
    for owner, name in _LISTS:
        items = getattr(owner, name)
        for item in list(items):
            if package_of(item) == bundle.package:
                _remove_item((owner, name), item)
    logging = sys.modules.get("logging")
    if logging is not None:
        _forget_loggers(logging.root, bundle.package)
