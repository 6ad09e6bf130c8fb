"""The lines of a bundle's files for tracebacks, debuggers and `inspect`.

They are those of the version that runs, and not those of the file that is in the bundle's directory by now.
"""

import builtins
import importlib.util
import io
import linecache

_real_update_cache = linecache.updatecache


def _update_cache(filename, module_globals=None):
    bundle = _bundle_with_lines(filename, module_globals)
    lines = _lines_of_version(bundle, filename) if bundle is not None else None
    return lines if lines is not None else _real_update_cache(filename, module_globals)


def _bundle_with_lines(filename, module_globals):
    """Returns the bundle that has a file, if the disk may have another one there: of several versions the one that a module is
    of, or else the last one."""
    name = module_globals.get("__name__") if module_globals else None
    bundle = _bundles.get(name.partition(".")[0]) if isinstance(name, str) else None
    if bundle is None or not bundle.has_apart(filename):
        bundle = next((bundle for bundle in reversed(list(_bundles.values())) if bundle.has_apart(filename)), None)
    return bundle


def _lines_of_version(bundle, filename):
    """Enters the lines of a file of this version of a bundle into the cache and returns them. Returns None if the version
    does not have the file."""
    try:
        source = importlib.util.decode_source(bundle.files.read(filename))
    except (OSError, SyntaxError, UnicodeDecodeError):
        return None
    lines = io.StringIO(source if source.endswith("\n") else source + "\n").readlines()
    # An entry without a time is not compared with the file that has the name.
    linecache.cache[filename] = (len(source), None, lines, filename)
    return lines


def use_lines_of(bundle, exception):
    """Has the traceback of an exception show the lines of this version of a bundle, until `clear_line_cache` is called.
    Returns whether there is another version whose lines the traceback would show otherwise."""
    files = set()
    for trace in _tracebacks(exception):
        while trace is not None:
            filename = trace.tb_frame.f_code.co_filename
            if bundle.has_apart(filename) and _bundle_with_lines(filename, None) is not bundle:
                files.add(filename)
            trace = trace.tb_next
    for filename in files:
        _lines_of_version(bundle, filename)
    return bool(files)


def _tracebacks(exception):
    """Yields the tracebacks of an exception and of all that its report shows beside it."""
    found, seen = [exception], set()
    while found:
        exception = found.pop()
        if not isinstance(exception, BaseException) or id(exception) in seen:
            continue
        seen.add(id(exception))
        yield exception.__traceback__
        found += (exception.__cause__, exception.__context__)
        if isinstance(exception, getattr(builtins, "BaseExceptionGroup", ())):
            found += exception.exceptions


def clear_line_cache(place):
    """Drops the lines of the files below a place that were read for tracebacks."""
    for name in list(linecache.cache):
        if name.startswith(place):
            linecache.cache.pop(name, None)


def install_lines():
    """Replaces the reading of lines while there are bundles. Called for each new one."""
    if linecache.updatecache is _real_update_cache:
        linecache.updatecache = _update_cache


def uninstall_lines():
    """Takes the replacement back, except in an interpreter of the loader's own."""
    if linecache.updatecache is _update_cache and not _hooks:
        linecache.updatecache = _real_update_cache
