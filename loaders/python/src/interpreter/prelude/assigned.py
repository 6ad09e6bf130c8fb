"""Changes of shared modules by assignment: found while a main file runs, and at the end by the code that is assigned."""

import functools
import gc
import sys
import threading
import types as module_types
import warnings

# The number of bundles that run their main file now.
_starting = 0

_LISTS = ((sys, "path"), (sys, "meta_path"), (sys, "path_hooks"), (gc, "callbacks"))
_PLACES = ((sys, "stdin"), (sys, "stdout"), (sys, "stderr"), (sys, "excepthook"), (sys, "unraisablehook"),
           (sys, "displayhook"), (sys, "breakpointhook"), (threading, "excepthook"), (warnings, "showwarning"),
           (warnings, "formatwarning"))

# The loader's own entries of `sys.meta_path` and `sys.path_hooks`.
_OWN_ENTRIES = (_finder, _asked_finder, _package_finder, _rest_finder, folder_hook)


class MainRun:
    """The time in which the main file of a bundle runs. Objects of shared classes that appear in shared lists and hooks
    meanwhile are the bundle's, unless another bundle starts at the same time."""

    def __init__(self, bundle):
        self.bundle = bundle

    def __enter__(self):
        global _starting
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
                if id(item) not in known and not any(item is own for own in _OWN_ENTRIES):
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
            if type(value) is type and value in _first_attributes:
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
