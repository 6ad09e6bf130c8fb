"""What an exception says, in parts."""

import linecache
import traceback


def describe_exception(exception, bundle):
    """Its message, where it was raised, and the calls it came through."""
    told = traceback.TracebackException(type(exception), exception, exception.__traceback__)
    if isinstance(exception, SyntaxError):
        kind, text = type(exception).__name__, exception.msg
        message = f"{kind}: {text}"
        location = f"{bundle.relative(exception.filename)}:{exception.lineno}" if exception.filename else None
        return bundle.readable(message), location, None
    message = "".join(told.format_exception_only()).strip()
    # Frames of the loader's own are of no interest to anybody.
    told.stack = traceback.StackSummary.from_list([frame for frame in told.stack if not is_own(frame.filename)])
    inside = [frame for frame in told.stack if bundle.has(frame.filename)] or list(told.stack)
    location = f"{bundle.relative(inside[-1].filename)}:{inside[-1].lineno}" if inside else None
    text = "".join(told.format()).rstrip() if told.stack else None
    return bundle.readable(message), location, text and bundle.readable(text)


def is_own(filename):
    return filename.startswith("<polyplug ")


def forget_lines(place):
    """Drops what was read of a bundle's files to show them in tracebacks."""
    for name in list(linecache.cache):
        if name.startswith(place):
            linecache.cache.pop(name, None)
