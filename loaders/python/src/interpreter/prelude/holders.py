"""The search for what holds the code of a bundle."""

import functools
import gc
import os
import sys
import threading
import time
import types as module_types

# How long holders of code are searched, in seconds, and how many are named.
_SEARCH, _NAMED = 0.25, 4


def _describe_holders(marks):
    """Returns a text that names what holds the code of the bundle."""
    finder = _HolderSearch(marks.package)
    targets = [cls for cls in map(_call, marks.classes.values()) if cls is not None]
    for names in marks.namespaces():
        targets += [user for user in gc.get_referrers(names) if isinstance(user, _USERS)
                    and not (isinstance(user, module_types.FunctionType) and user.__globals__ is not names)]
    names = user = None
    found = []
    for target in targets:
        for holder in finder.holders(target):
            text = f"{finder.describe(target)} is held by {holder}"
            if text not in found:
                found.append(text)
        if len(found) >= _NAMED or finder.is_late():
            break
    target = None
    if not found:
        return "its code is still referenced by something that Python's garbage collector does not see, such as an " \
               "object of an extension module, or one from the start of the interpreter"
    return "its code is still referenced: " + "; ".join(found[:_NAMED])


_USERS = (module_types.FunctionType, module_types.FrameType, module_types.GeneratorType, module_types.CoroutineType,
          module_types.ModuleType)


class _HolderSearch:
    """A search for what refers to an object, along containers without a name, up to something that has one."""

    def __init__(self, package):
        self.package = package
        self.end = time.monotonic() + _SEARCH
        self.places = {}
        for module_name, module in list(sys.modules.items()):
            for name, value in list((getattr(module, "__dict__", None) or {}).items()):
                if gc.is_tracked(value) and id(value) not in self.places:
                    self.places[id(value)] = f"`{module_name}.{name}`"

    def is_late(self):
        return time.monotonic() > self.end

    def holders(self, target):
        """Returns texts that name the holders of an object."""
        found, unnamed, level, seen = [], [], [target], {id(target)}
        place = self.places.get(id(target))
        if place is not None:
            return [place]
        for _ in range(6):
            if not level or found or self.is_late():
                break
            hidden = {id(level), id(found), id(seen), id(self.__dict__)}
            referrers = gc.get_referrers(*level)
            hidden.add(id(referrers))
            level = []
            for referrer in referrers:
                if id(referrer) in seen or id(referrer) in hidden or self._is_ours(referrer):
                    continue
                seen.add(id(referrer))
                place = self._name(referrer)
                if place is not None:
                    found.append(place)
                    continue
                level.append(referrer)
                kind = type(referrer)
                if kind.__module__ != "builtins" and kind not in (functools.partial, Mark) \
                        and package_of(referrer) != self.package:
                    unnamed.append(f"an object {kind.__module__}.{kind.__qualname__}")
            referrer = referrers = None
        return (found or unnamed)[:2]

    def _is_ours(self, referrer):
        """Returns whether an object is part of this search, or of the bundle itself."""
        if isinstance(referrer, module_types.FrameType):
            return referrer.f_globals is globals()
        if isinstance(referrer, dict) and (_MARK in referrer or referrer is globals()):
            return True
        return isinstance(referrer, (module_types.FunctionType, type)) and package_of(referrer) == self.package

    def _name(self, referrer):
        """Returns the name of an object by which a user finds it; `None` for one that has no name."""
        place = self.places.get(id(referrer))
        if place is not None:
            return place
        if isinstance(referrer, module_types.FrameType):
            return f"a call of {referrer.f_code.co_name} ({os.path.basename(referrer.f_code.co_filename)}:" \
                   f"{referrer.f_lineno})"
        if isinstance(referrer, type):
            return f"the class `{referrer.__module__}.{referrer.__qualname__}`"
        if isinstance(referrer, module_types.FunctionType):
            return f"the function `{referrer.__module__}.{referrer.__qualname__}`"
        if isinstance(referrer, threading.Thread):
            return f"the thread `{referrer.name}`"
        kind = type(referrer)
        if kind.__module__ == "builtins" or package_of(referrer) == self.package:
            return None
        name = vars(referrer).get("name") if hasattr(referrer, "__dict__") else None
        return f"{kind.__module__}.{kind.__qualname__} `{name}`" if isinstance(name, str) else None

    def describe(self, target):
        """Returns what an object of the bundle is."""
        if isinstance(target, module_types.FrameType):
            return f"a call of `{target.f_code.co_name}` in {self._file(target.f_code)}"
        if isinstance(target, (module_types.GeneratorType, module_types.CoroutineType)):
            return f"`{target.__qualname__}`, which is suspended,"
        if isinstance(target, module_types.ModuleType):
            return f"module `{self._short(target.__name__)}`"
        if isinstance(target, type):
            return f"class `{target.__qualname__}` of module `{self._short(target.__module__)}`"
        return f"function `{target.__qualname__}` of {self._file(target.__code__)}"

    def _short(self, name):
        return name[len(self.package) + 1:] if name.startswith(self.package + ".") else name

    def _file(self, code):
        return os.path.basename(code.co_filename)
