"""The functions of the standard library by which bundles change shared state, and how to take the changes back."""

import functools
import sys
import types as module_types
import weakref


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


@_watches("multiprocessing.util")
def _watch_multiprocessing(module):
    """What pools and managers of a bundle do at exit is done when the bundle ends."""

    def note(bundle, real, arguments, options):
        real(*arguments, **options)
        bundle.process_finalizers.add(arguments[0])

    _watch_entries(module.Finalize, "__init__", note)


@_watches("sys")
def _watch_sys(module):
    for setter, getter in (("setrecursionlimit", "getrecursionlimit"), ("setswitchinterval", "getswitchinterval"),
                           ("set_int_max_str_digits", "get_int_max_str_digits")):
        if hasattr(module, getter):
            _watch_value(module, setter, getattr(module, getter))
    for setter, getter in (("settrace", "gettrace"), ("setprofile", "getprofile")):
        _watch_of_thread(module, setter, getattr(module, getter))
    _watch_for_ever(module, "addaudithook")


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
