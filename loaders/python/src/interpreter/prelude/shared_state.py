"""Shared state that bundles change. What a bundle registers in modules of the process is taken back when it ends.

There is one mechanism. The functions by which shared state is changed are replaced once, when their module is loaded.
The replacement notes for a call on behalf of a bundle how to take the change back. Calls of other code pass through.
Changes by assignment, such as `json.dumps = mine`, are found at the end: the functions and classes of shared modules are
kept as they were imported, and a place that holds code of the bundle gets its first value again.
"""

import atexit
import functools
import gc
import sys
import threading
import types as module_types
import warnings
import weakref

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

# The number of bundles that run their main file now.
_starting = 0

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
    """The change of a value: what it was, and what the bundle has set."""

    def __init__(self, key, before, after, read, write):
        self.key, self.before, self.after = key, before, after
        self.read, self.write = read, write

    def take_back(self):
        if self.read() == self.after:
            self.write(self.before)
            return
        # Another bundle has set the value since: it takes it back to what was there before this one.
        for bundle in list(_bundles.values()):
            later = bundle.changes.get(self.key)
            if later is not None and later is not self and later.before == self.after:
                later.before = self.before


def _watch_value(module, name, read, write=None):
    def make(real):
        restore = write or (lambda before: real(*before) if isinstance(before, tuple) else real(before))

        def replacement(*arguments, **options):
            bundle = change_owner()
            if bundle is None:
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


class _Entry:
    """An entry that the bundle has made. `remove` takes it out again."""

    def __init__(self, remove, *arguments):
        self.remove, self.arguments = remove, arguments

    def take_back(self):
        self.remove(*self.arguments)


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


# The modules.


@_watches("atexit")
def _watch_atexit(module):
    """Exit functions of a bundle run when the bundle ends."""

    # `weakref` registers a function of its own when it is used first, which may be on behalf of a bundle.
    if not weakref.finalize._registered_with_atexit:
        module.register(weakref.finalize._exitfunc)
        weakref.finalize._registered_with_atexit = True

    def register(bundle, real, arguments, options):
        function, *rest = arguments
        if not callable(function) or _is_of_shared_module(function, bundle):
            return real(*arguments, **options)
        bundle.exit_functions.append((function, rest, options))
        return function

    def unregister(bundle, real, arguments, options):
        bundle.exit_functions[:] = [entry for entry in bundle.exit_functions if entry[0] != arguments[0]]

    _watch_entries(module, "register", register)
    _watch_entries(module, "unregister", unregister)


def _is_of_shared_module(function, bundle):
    """Returns whether a function that is registered on behalf of a bundle belongs to the shared module that registers it:
    it is to be called when the process ends."""
    if bundle_of(sys._getframe(3)) is bundle or package_of(function) == bundle.package:
        return False
    owner = getattr(function, "__self__", None)
    return owner is None or isinstance(owner, (type, module_types.ModuleType))


@_watches("threading")
def _watch_threading(module):
    """Threads know the bundle that has started them."""

    def register(bundle, real, arguments, options):
        function, *rest = arguments
        if _is_of_shared_module(function, bundle):
            return real(*arguments, **options)
        bundle.thread_exit_functions.append((function, rest, options))

    _watch_entries(module, "_register_atexit", register)
    for name, attribute in (("settrace", "_trace_hook"), ("setprofile", "_profile_hook")):
        _watch_value(module, name, functools.partial(getattr, module, attribute, None))
    _watch_value(module, "stack_size", module.stack_size)

    def start(bundle, real, arguments, options):
        arguments[0]._polyplug_bundle = bundle.package
        return real(*arguments, **options)

    _watch_entries(module.Thread, "start", start)


@_watches("sys")
def _watch_sys(module):
    for setter, getter in (("setrecursionlimit", "getrecursionlimit"), ("setswitchinterval", "getswitchinterval"),
                           ("set_int_max_str_digits", "get_int_max_str_digits")):
        if hasattr(module, getter):
            _watch_value(module, setter, getattr(module, getter))
    for setter, getter in (("settrace", "gettrace"), ("setprofile", "getprofile")):
        _watch_of_thread(module, setter, getattr(module, getter))
    _watch_for_ever(module, "addaudithook")


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


@_watches("os")
def _watch_os(module):
    _watch_for_ever(module, "register_at_fork")


@_watches("gc")
def _watch_gc(module):
    _watch_value(module, "set_threshold", module.get_threshold)
    _watch_value(module, "set_debug", module.get_debug)
    for name, is_enabled in (("disable", False), ("enable", True)):
        restore = functools.partial(_set_gc, module.enable, module.disable)
        _watch_value(module, name, module.isenabled, restore)


def _set_gc(enable, disable, is_enabled):
    (enable if is_enabled else disable)()


@_watches("warnings")
def _watch_warnings(module):
    def remove(item):
        if item in module.filters:
            module.filters.remove(item)
            module._filters_mutated()

    def note(bundle, real, arguments, options):
        before = list(module.filters)
        real(*arguments, **options)
        for item in module.filters:
            if item not in before:
                bundle.changes[("warnings", item)] = _Entry(remove, item)

    for name in ("filterwarnings", "simplefilter"):
        _watch_entries(module, name, note)


@_watches("signal")
def _watch_signal(module):
    def note(bundle, real, arguments, options):
        before = real(*arguments, **options)
        number, handler = arguments[:2]
        read = functools.partial(module.getsignal, number)
        change = bundle.changes.get(("signal", number))
        if change is None:
            bundle.changes[("signal", number)] = _Value(("signal", number), before, handler, read,
                                                        functools.partial(real, number))
        else:
            change.after = handler
        return before

    _watch_entries(module, "signal", note)


@_watches("codecs")
def _watch_codecs(module):
    unregister = getattr(module, "unregister", None)
    if unregister is None:  # Python 3.9
        _watch_for_ever(module, "register")
    else:
        def register(bundle, real, arguments, options):
            real(*arguments, **options)
            bundle.changes[("codecs", id(arguments[0]))] = _Entry(unregister, arguments[0])

        _watch_entries(module, "register", register)

    def register_error(bundle, real, arguments, options):
        name = arguments[0]
        try:
            before = module.lookup_error(name)
        except LookupError:
            def before(error):
                raise LookupError(f"unknown error handler name '{name}'")
        real(*arguments, **options)
        key = ("codecs error", name)
        bundle.changes.setdefault(key, _Value(key, before, arguments[1], functools.partial(module.lookup_error, name),
                                              functools.partial(real, name))).after = arguments[1]

    _watch_entries(module, "register_error", register_error)


@_watches("logging")
def _watch_logging(module):
    def attach(method, remove_by):
        def note(bundle, real, arguments, options):
            target, item = arguments
            real(target, item)
            bundle.changes[(method, id(target), id(item))] = _Entry(_remove_from, target, remove_by, item)

        return note

    def detach(method):
        def note(bundle, real, arguments, options):
            real(*arguments, **options)
            bundle.changes.pop((method, id(arguments[0]), id(arguments[1])), None)

        return note

    _watch_entries(module.Logger, "addHandler", attach("handler", "removeHandler"))
    _watch_entries(module.Logger, "removeHandler", detach("handler"))
    _watch_entries(module.Filterer, "addFilter", attach("filter", "removeFilter"))
    _watch_entries(module.Filterer, "removeFilter", detach("filter"))

    def level(bundle, real, arguments, options):
        target = arguments[0]
        before = target.level
        real(*arguments, **options)
        read, write = functools.partial(getattr, target, "level"), functools.partial(real, target)
        _note_value(bundle, ("level", id(target)), before, read, write)

    _watch_entries(module.Logger, "setLevel", level)
    def level_name(bundle, real, arguments, options):
        levels = (module._levelToName, module._nameToLevel)
        before = [dict(names) for names in levels]
        real(*arguments, **options)
        added = [(names, key) for names, first in zip(levels, before) for key in names if key not in first]
        changed = [(names, key, first[key]) for names, first in zip(levels, before) for key in first
                   if names.get(key) != first[key]]

        def remove():
            for names, key in added:
                names.pop(key, None)
            for names, key, value in changed:
                names[key] = value

        bundle.changes.setdefault(("level name", *arguments), _Entry(remove))

    _watch_entries(module, "addLevelName", level_name)
    _watch_value(module, "disable", lambda: module.root.manager.disable)
    _watch_value(module, "setLoggerClass", module.getLoggerClass)
    _watch_value(module, "setLogRecordFactory", module.getLogRecordFactory)
    _watch_value(module, "captureWarnings", lambda: module._warnings_showwarning is not None)


def _remove_from(target, method, item):
    """Removes a handler or a filter, and ends a handler as `logging` does at the end of Python."""
    getattr(target, method)(item)
    if method != "removeHandler":
        return
    try:
        item.acquire()
        item.flush()
        item.close()
    except (OSError, ValueError):
        pass  # its file is closed already
    finally:
        item.release()


@_watches("logging.config")
def _watch_logging_config(module):
    import logging

    def loggers():
        known = [logger for logger in list(logging.root.manager.loggerDict.values())
                 if isinstance(logger, logging.Logger)]
        return {logger: (logger.level, logger.propagate, logger.disabled, list(logger.handlers), list(logger.filters))
                for logger in [logging.root, *known]}

    def restore(before):
        for logger, now in loggers().items():
            level, propagate, disabled, handlers, filters = before.get(logger, (0, True, False, [], []))
            for handler in now[3]:
                if handler not in handlers:
                    _remove_from(logger, "removeHandler", handler)
            for handler in handlers:
                logger.addHandler(handler)
            logger.filters[:] = filters
            logger.setLevel(level)
            logger.propagate, logger.disabled = propagate, disabled

    def note(bundle, real, arguments, options):
        bundle.changes.setdefault(("logging.config",), _Entry(restore, loggers()))
        return real(*arguments, **options)

    for name in ("dictConfig", "fileConfig"):
        _watch_entries(module, name, note)


@_watches("socket")
def _watch_socket(module):
    _watch_value(module, "setdefaulttimeout", module.getdefaulttimeout)


@_watches("locale")
def _watch_locale(module):
    def note(bundle, real, arguments, options):
        category = arguments[0] if arguments else options["category"]
        before = real(category)
        result = real(*arguments, **options)
        if before != real(category):
            _note_value(bundle, ("locale", category), before, functools.partial(real, category),
                        functools.partial(real, category))
        return result

    _watch_entries(module, "setlocale", note)


@_watches("mimetypes")
def _watch_mimetypes(module):
    def note(bundle, real, arguments, options):
        def read():
            types, inverse = module._db.types_map[strict], module._db.types_map_inv[strict]
            return types.get(extension), {kind: list(names) for kind, names in inverse.items() if extension in names}

        def write(before):
            types, inverse = module._db.types_map[strict], module._db.types_map_inv[strict]
            kind, kinds = before
            types.pop(extension, None)
            if kind is not None:
                types[extension] = kind
            for other, names in list(inverse.items()):
                if extension in names and other not in kinds:
                    names.remove(extension)
                    if not names:
                        del inverse[other]

        if module._db is None:
            module.init()
        extension = options["ext"] if "ext" in options else arguments[1]
        strict = bool(options["strict"] if "strict" in options else (*arguments, True, True)[2])
        before = read()
        real(*arguments, **options)
        _note_value(bundle, ("mimetypes", extension, strict), before, read, write)

    _watch_entries(module, "add_type", note)


@_watches("csv")
def _watch_csv(module):
    def register(bundle, real, arguments, options):
        name = arguments[0]
        before = module.get_dialect(name) if name in module.list_dialects() else None
        real(*arguments, **options)

        def remove():
            module.unregister_dialect(name)
            if before is not None:
                real(name, before)

        bundle.changes.setdefault(("csv", name), _Entry(remove))

    _watch_entries(module, "register_dialect", register)
    _watch_value(module, "field_size_limit", module.field_size_limit)


@_watches("copyreg")
def _watch_copyreg(module):
    table = module.dispatch_table

    def note(bundle, real, arguments, options):
        kind = arguments[0]
        before = table.get(kind, _ABSENT)
        real(*arguments, **options)

        def write(value):
            table.pop(kind, None)
            if value is not _ABSENT:
                table[kind] = value

        _note_value(bundle, ("copyreg", kind), before, lambda: table.get(kind, _ABSENT), write)

    _watch_entries(module, "pickle", note)


@_watches("asyncio")
def _watch_asyncio(module):
    _watch_value(module, "set_event_loop_policy", lambda: getattr(module.events, "_event_loop_policy", None))


# The places that bundles change by assignment.

_LISTS = ((sys, "path"), (sys, "meta_path"), (sys, "path_hooks"), (gc, "callbacks"))
_PLACES = ((sys, "stdin"), (sys, "stdout"), (sys, "stderr"), (sys, "excepthook"), (sys, "unraisablehook"),
           (sys, "displayhook"), (sys, "breakpointhook"), (threading, "excepthook"), (warnings, "showwarning"),
           (warnings, "formatwarning"))


class MainRun:
    """The time in which the main file of a bundle runs. Objects of shared classes that appear in shared lists and hooks
    meanwhile are the bundle's, unless another bundle starts at the same time."""

    def __init__(self, bundle):
        self.bundle = bundle

    def __enter__(self):
        global _starting
        finish_others()
        watch_shared_modules()
        _starting += 1
        self.is_alone = _starting == 1
        self.lists = [list(getattr(*place)) for place in _LISTS]
        self.values = [getattr(*place) for place in _PLACES]

    def __exit__(self, *raised):
        global _starting
        self.is_alone &= _starting == 1
        _starting -= 1
        watch_shared_modules()
        if not self.is_alone:
            return
        for place, before in zip(_LISTS, self.lists):
            known = list(map(id, before))
            for item in getattr(*place):
                if id(item) not in known and item is not _finder and item is not _package_finder:
                    self.bundle.changes[("list", place[1], id(item))] = _Entry(_remove_item, place, item)
        for place, before in zip(_PLACES, self.values):
            if getattr(*place) is not before:
                owner, name = place
                _note_value(self.bundle, ("place", name), before, functools.partial(getattr, owner, name),
                            functools.partial(setattr, owner, name))


def _remove_item(place, item):
    items = getattr(*place)
    for index, other in enumerate(items):
        if other is item:
            del items[index]
            return


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
        _forget_loggers(logging.root.manager.loggerDict, bundle.package)


def _forget_loggers(loggers, package):
    """Removes the loggers with names of a bundle's modules, and those of a class of the bundle."""
    for name, logger in list(loggers.items()):
        if name.partition(".")[0] == package or package_of(logger) == package:
            loggers.pop(name, None)
    for holder in list(loggers.values()):
        children = getattr(holder, "loggerMap", None)
        for child in list(children or ()):
            if loggers.get(getattr(child, "name", None)) is not child:
                children.pop(child, None)


def restore_places(package):
    """Gives the places in shared modules and classes that hold code of a package their first values. Removes the places
    that had none, and entries of known tables."""
    for name, module in list(sys.modules.items()):
        if package_of(module) == package:
            sys.modules.pop(name, None)
            continue
        names = getattr(module, "__dict__", None)
        if not isinstance(names, dict) or names.get("__name__") == "_polyplug":
            continue
        first = _first_values.get(name, {})
        for key, value in list(names.items()):
            if isinstance(value, type) and value in _first_attributes:
                _restore_class(value, package)
            _restore(names, key, value, first, package)
    for value in list(sys.modules.values()):
        for attribute in list(getattr(value, "__dict__", None) or {}):
            _forget_cached(getattr(value, "__dict__", {}).get(attribute), package)


def _restore(names, key, value, first, package):
    if key in ("__builtins__", "__loader__", "__spec__") or package_of(value) != package:
        return
    if key in first:
        names[key] = first[key]
    elif key in _hook_defaults:
        names[key] = _hook_defaults[key]()
    else:
        names.pop(key, None)


# What hooks are set back to whose first value is not a function of their module.
_hook_defaults = {"unraisablehook": lambda: sys.__unraisablehook__, "excepthook": lambda: sys.__excepthook__,
                  "displayhook": lambda: sys.__displayhook__, "stdout": lambda: sys.__stdout__,
                  "stderr": lambda: sys.__stderr__, "stdin": lambda: sys.__stdin__}


def _restore_class(cls, package):
    first = _first_attributes[cls]
    for key, value in list(cls.__dict__.items()):
        if package_of(value) != package:
            continue
        if key in first:
            setattr(cls, key, first[key])
        else:
            delattr(cls, key)


def _forget_cached(function, package):
    """Removes the classes and functions of a package from the registry of a generic function, and empties a cache."""
    if isinstance(function, functools._lru_cache_wrapper):
        if _is_in_cache(function, package):
            function.cache_clear()
        return
    if not isinstance(function, module_types.FunctionType):
        return
    registry = getattr(function, "registry", None)
    if not isinstance(registry, module_types.MappingProxyType):
        return
    entries = gc.get_referents(registry)[0]
    gone = [cls for cls, value in registry.items() if package in (package_of(cls), package_of(value))]
    for cls in gone:
        del entries[cls]
    if gone:
        function._clear_cache()


def _is_in_cache(function, package):
    """Returns whether the cache of a function holds code of a package."""
    inside = [function]
    for _ in range(4):
        inside = gc.get_referents(*(item for item in inside if not isinstance(item, (module_types.FunctionType, type,
                                                                                    module_types.ModuleType))))
        if any(package_of(item) == package for item in inside):
            return True
    return False
