"""Shared state that bundles change. What a bundle registers in modules of the process is taken back when it ends.

There is one mechanism. The functions by which shared state is changed are replaced once, when their module is loaded.
The replacement notes for a call on behalf of a bundle how to take the change back. Calls of other code pass through.
Changes by assignment, such as `json.dumps = mine`, are found at the end: the functions and classes of shared modules are
kept as they were imported, and a place that holds code of the bundle gets its first value again.
"""

import atexit
import functools
import gc
import itertools
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
    def remove(key):
        if not _others_have(key) and key[1] in module.filters:
            module.filters.remove(key[1])
            module._filters_mutated()

    def note(bundle, real, arguments, options):
        before = list(module.filters)
        real(*arguments, **options)
        for item in module.filters[:1] + module.filters[-1:]:
            key = ("warnings", item)
            if item not in before or _others_have(key):
                bundle.changes[key] = _Entry(remove, key)

    for name in ("filterwarnings", "simplefilter"):
        _watch_entries(module, name, note)


@_watches("signal")
def _watch_signal(module):
    def note(bundle, real, arguments, options):
        before = real(*arguments, **options)
        number = arguments[0]
        _note_value(bundle, ("signal", number), before, functools.partial(module.getsignal, number),
                    functools.partial(real, number))
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
        _note_value(bundle, ("codecs error", name), before, functools.partial(module.lookup_error, name),
                    functools.partial(real, name))

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
    def configure(bundle, real, arguments, options):
        # The function does nothing if there are handlers. Those of another version of the bundle do not count.
        root = module.root
        others = [change.arguments[2] for other in list(_bundles.values())
                  if other is not bundle and other.name == bundle.name
                  for key, change in list(other.changes.items()) if key[0] == "handler" and change.arguments[0] is root]
        others = [handler for handler in others if handler in root.handlers]
        for handler in others:
            root.handlers.remove(handler)
        try:
            return real(*arguments, **options)
        finally:
            root.handlers[:0] = others

    _watch_entries(module, "basicConfig", configure)

    def level_name(bundle, real, arguments, options):
        keys = (lambda level, levelName: (level, levelName))(*arguments, **options)
        tables = (module._levelToName, module._nameToLevel)

        def read():
            return [table.get(key, _ABSENT) for table, key in zip(tables, keys)]

        def write(before):
            for table, key, value in zip(tables, keys, before):
                _set_entry(table, key, value)

        before = read()
        real(*arguments, **options)
        _note_value(bundle, ("level name", *keys), before, read, write)

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
        before = loggers()
        result = real(*arguments, **options)
        _note_value(bundle, ("logging.config",), before, lambda: None, restore)
        return result

    for name in ("dictConfig", "fileConfig"):
        _watch_entries(module, name, note)


@_watches("socket")
def _watch_socket(module):
    _watch_value(module, "setdefaulttimeout", module.getdefaulttimeout)


@_watches("locale")
def _watch_locale(module):
    def note(bundle, real, arguments, options):
        category, value = (lambda category, locale=None: (category, locale))(*arguments, **options)
        if value is None:
            return real(category)
        before = real(category)
        result = real(*arguments, **options)
        _note_value(bundle, ("locale", category), before, functools.partial(real, category),
                    functools.partial(real, category))
        return result

    _watch_entries(module, "setlocale", note)


@_watches("mimetypes")
def _watch_mimetypes(module):
    def note(bundle, real, arguments, options):
        def read():
            types, inverse = module._db.types_map[strict], module._db.types_map_inv[strict]
            return types.get(extension), {kind for kind, names in inverse.items() if extension in names}

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
        extension, strict = (lambda type, ext, strict=True: (ext, bool(strict)))(*arguments, **options)
        before = read()
        real(*arguments, **options)
        _note_value(bundle, ("mimetypes", extension, strict), before, read, write)

    _watch_entries(module, "add_type", note)


@_watches("csv")
def _watch_csv(module):
    def register(bundle, real, arguments, options):
        name = arguments[0]

        def read():
            return module.get_dialect(name) if name in module.list_dialects() else _ABSENT

        def write(before):
            if before is _ABSENT:
                module.unregister_dialect(name)
            else:
                real(name, before)

        before = read()
        real(*arguments, **options)
        _note_value(bundle, ("csv", name), before, read, write)

    _watch_entries(module, "register_dialect", register)
    _watch_value(module, "field_size_limit", module.field_size_limit)


@_watches("copyreg")
def _watch_copyreg(module):
    table = module.dispatch_table

    def note(bundle, real, arguments, options):
        kind = arguments[0]
        before = table.get(kind, _ABSENT)
        real(*arguments, **options)

        _note_value(bundle, ("copyreg", kind), before, lambda: table.get(kind, _ABSENT),
                    functools.partial(_set_entry, table, kind))

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
        _forget_loggers(logging.root, bundle.package)


def _forget_loggers(root, package):
    """Removes the loggers with names of a bundle's modules, and those of a class of the bundle. Removes handlers and
    filters of the bundle that were put into the lists of other loggers."""
    loggers = root.manager.loggerDict
    for name, logger in list(loggers.items()):
        if name.partition(".")[0] == package or package_of(logger) == package:
            loggers.pop(name, None)
    for holder in [root, *loggers.values()]:
        for items in (getattr(holder, "handlers", []), getattr(holder, "filters", [])):
            for item in list(items):
                if package_of(item) == package:
                    items.remove(item)
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
