"""The end of a bundle. It follows the end of Python, as far as one bundle can: exit functions, then threads, then
modules. Whether the bundle's code is gone is measured, and what holds it is named."""

import functools
import gc
import io
import itertools
import os
import stat
import sys
import threading
import time
import traceback
import types as module_types
import weakref

# How long the end of a bundle waits for its threads, in seconds.
_THREADS = 0.25

_MARK = "__polyplug_mark__"

# The bundle whose exit function runs on a thread, as `bundle`.
bundles_that_end = threading.local()

# The bundles whose threads had not ended when the bundles did: their marks, and their threads.
_unfinished = []


class Mark:
    """An object in the namespace of a module, which lives as long as the namespace: as long as any function of the
    module, or a call of one."""

    __slots__ = ("module", "__weakref__")

    def __init__(self, module):
        self.module = module


# Exit functions and threads.


def end_activity(bundle):
    """Runs the exit functions of a bundle, after its executors have ended, and waits for its threads for a while."""
    _run_exit_functions(bundle, bundle.thread_exit_functions)
    executors = [thread for thread in threads_of(bundle.package) if _shut_down_executor(thread)]
    _join(executors)
    _run_exit_functions(bundle, bundle.exit_functions)
    _run_finalizers(bundle)
    _run_process_finalizers(bundle)
    _join(threads_of(bundle.package))


def end_process():
    """Ends the activity of all bundles, the last loaded first, and writes their files: the interpreter or the process
    ends while the bundles are still loaded."""
    for bundle in reversed(list(_bundles.values())):
        end_activity(bundle)
    for file in _files_and_classes()[0]:
        try:
            file.flush()
        except Exception:
            pass  # as in the `__del__` of files


def _run_exit_functions(bundle, functions):
    while functions:
        function, arguments, options = functions.pop()
        _run_last(bundle, function, arguments, options)


def _run_finalizers(bundle):
    """Calls the finalizers of `weakref.finalize` that are to be called at exit, the latest first."""
    registry = weakref.finalize._registry
    for finalizer, info in sorted(list(registry.items()), key=lambda item: item[1].index, reverse=True):
        target = info.weakref()
        if info.atexit and bundle.package in (package_of(info.func), package_of(target)):
            _run_last(bundle, finalizer, (), {})
        del target


def _run_process_finalizers(bundle):
    """Calls the finalizers of `multiprocessing`, those of high priority first, the latest first."""
    registry = getattr(sys.modules.get("multiprocessing.util"), "_finalizer_registry", {})
    own = [(key, finalizer) for key, finalizer in list(registry.items()) if finalizer in bundle.process_finalizers]
    for key, finalizer in sorted((entry for entry in own if entry[0][0] is not None), key=_first, reverse=True):
        _run_last(bundle, finalizer, (), {})


def _first(pair):
    return pair[0]


def _run_last(bundle, function, arguments, options):
    bundles_that_end.bundle = bundle
    try:
        function(*arguments, **(options or {}))
    except BaseException as error:
        if isinstance(error, (TimeLimit, Closing)):
            raise
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__.tb_next)).rstrip()
        bundle.host_functions.log("error", f"an exit function failed: {bundle.shown_traceback(text)}")
    finally:
        bundles_that_end.bundle = None


def threads_of(package):
    """Returns the threads that a bundle has started and that run, except for this one."""
    here = threading.get_ident()
    return [thread for thread in threading.enumerate()
            if getattr(thread, "_polyplug_bundle", None) == package and thread.ident != here]


def _shut_down_executor(thread):
    """Shuts down the executor that a thread works for, unless it is one of a shared module. Returns whether an executor
    was shut down."""
    owners = getattr(thread, "_args", None) or ()
    owners = [*owners[:1], getattr(thread, "executor_reference", None)]
    for owner in owners:
        executor = owner() if isinstance(owner, weakref.ref) else None
        if executor is not None and callable(getattr(executor, "shutdown", None)) and not _is_shared(executor):
            executor.shutdown(wait=False)
            return True
    return False


def _is_shared(value):
    """Returns whether a value has a name in a module that is no bundle's."""
    return any(item is value for name, module in list(sys.modules.items()) if _top(name) not in _bundles
               for item in list((getattr(module, "__dict__", None) or {}).values()))


def _join(threads):
    end = time.monotonic() + _THREADS
    for thread in threads:
        thread.join(max(end - time.monotonic(), 0))


def _running(package):
    """Returns the names of the threads that run code of a package, or that a bundle has started."""
    names = {thread.ident: thread.name for thread in threads_of(package)}
    here = threading.get_ident()
    for ident, frame in sys._current_frames().items():
        while frame is not None and ident != here and ident not in names:
            if _top(frame.f_globals.get("__name__")) == package:
                thread = threading._active.get(ident)
                names[ident] = thread.name if thread is not None else f"thread {ident}"
            frame = frame.f_back
    return names


# Modules.


def _top(name):
    return name.partition(".")[0] if isinstance(name, str) else ""


class Marks:
    """The marks in the modules of a bundle, and weak references to the classes of the bundle: a class without functions
    does not refer to its module. The references are found by the classes' numbers: a set would compare classes, by a
    method of their metaclass, which may be one of the bundle's."""

    def __init__(self, package, names):
        self.package = package
        self.modules = []
        self.classes = {}
        for name in names:
            module = sys.modules.get(name)
            if not isinstance(module, module_types.ModuleType):
                continue
            mark = Mark(name)
            module.__dict__[_MARK] = mark
            self.modules.append(weakref.ref(mark))

    def is_alive(self):
        """Returns whether code of the modules is still referenced."""
        return any(reference() is not None for reference in (*self.modules, *self.classes.values()))

    def add_classes(self, classes):
        """Adds those of some classes that the bundle has made."""
        inside = self.package + "."
        for cls in classes:
            if _module_of(cls).startswith(inside):
                self.classes[id(cls)] = weakref.ref(cls)

    def namespaces(self):
        """Returns the namespaces that are alive, those of the modules that were imported last first."""
        found = []
        for mark in map(_call, reversed(self.modules)):
            if mark is not None:
                found += [names for names in gc.get_referrers(mark)
                          if isinstance(names, dict) and names.get(_MARK) is mark]
        return found


def _call(reference):
    return reference()


def end_modules(marks):
    """Ends the modules of a bundle, which nothing but the bundle itself is to refer to by now. Returns what remains of
    them: the reason why, or `None`, the names of threads, and a function that returns whether something still remains."""
    finish_others()
    threads = _running(marks.package)
    _collect(marks)
    if marks.is_alive():
        restore_places(marks.package)
        _collect(marks)
    if threads:
        # The threads go on, so their modules stay whole.
        _flush_files(marks)
        if marks.is_alive():
            _unfinished.append((marks, frozenset(threads)))
        names = ", ".join(f"`{name}`" for name in threads.values())
        text = f"its threads {names} have not ended" if len(threads) > 1 else f"its thread {names} has not ended"
        return text, list(threads.values()), functools.partial(_is_there, marks, frozenset(threads))
    if marks.is_alive():
        _clear(marks)
    return (_describe_holders(marks) if marks.is_alive() else None), [], marks.is_alive


def _is_there(marks, threads):
    """Returns whether code of a bundle is still referenced, or threads of it run."""
    finish_others()
    return marks.is_alive() or not threads.isdisjoint(sys._current_frames())


def finish_others():
    """Clears the modules of bundles whose threads have ended since the bundles did."""
    running = sys._current_frames()
    for entry in list(_unfinished):
        marks, threads = entry
        if not threads & running.keys() and entry in _unfinished:
            _unfinished.remove(entry)
            if marks.is_alive():
                _clear(marks)


def _collect(marks):
    """Collects garbage, and notes the classes of the bundle before. Files that only garbage refers to are closed after
    that: objects with `__del__` may still write to them, and the collector would close the parts of a file in an order
    that loses what was written last."""
    files, classes = _files_and_classes()
    marks.add_classes(classes)
    del classes
    gc.collect()
    for kind in _FILES:  # a file of text before the file of bytes in it
        for file in files:
            # The list, the variable and the argument refer to it.
            if type(file) is kind and sys.getrefcount(file) <= 3:
                try:
                    file.close()
                except Exception:
                    pass  # as in the `__del__` of files


_FILES = (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom)


def _module_of(cls):
    """Returns the name of the module of a class; the empty string if the class gives none."""
    try:
        name = cls.__module__
        return name if isinstance(name, str) else ""
    except Exception:
        return ""


def _files_and_classes():
    """Returns the regular files that are open for writing, and the classes. Looks at all objects, so it runs no code in
    Python for each."""
    kinds, new = [type], [type]
    while new:
        new = [kind for base in new for kind in type.__subclasses__(base)]
        kinds += new
    is_wanted = frozenset(map(id, [*kinds, *_FILES])).__contains__
    objects = gc.get_objects()
    found = list(itertools.compress(objects, map(is_wanted, map(id, map(type, objects)))))
    classes = [cls for cls in found if isinstance(cls, type)]
    return [file for file in found if type(file) in _FILES and _is_regular(file)], classes


def _is_regular(file):
    """Returns whether a file is open for writing and a regular one, which is written to without a wait."""
    try:
        return not file.closed and file.writable() and stat.S_ISREG(os.fstat(file.fileno()).st_mode)
    except Exception:
        return False


def _flush_files(marks):
    """Writes what is buffered of files that the modules of a bundle refer to by a name."""
    for names in marks.namespaces():
        for value in list(names.values()):
            if type(value) in _FILES and _is_regular(value):
                try:
                    value.flush()
                except Exception:
                    pass  # as in the `__del__` of files


# Names that are not cleared: the code that is left raises exceptions, which name its module.
_KEPT_NAMES = ("__builtins__", "__name__", _MARK)


def _clear(marks):
    """Clears the namespaces that something still refers to, in the order of Python: names with one underscore first."""
    for names in marks.namespaces():
        for is_private in (True, False):
            for name, value in list(names.items()):
                if name not in _KEPT_NAMES and (name[:1] == "_" and name[1:2] != "_" or not is_private):
                    names[name] = value = None
    names = value = None
    _collect(marks)
