"""The message, place and traceback of an exception."""

import functools
import opcode
import os
import traceback


def describe_exception(exception, bundle):
    """Returns the message of an exception, the place where it was raised, and its traceback."""
    are_lines_in_use = use_lines_of(bundle, exception)
    report = traceback.TracebackException(type(exception), exception, exception.__traceback__)
    if are_lines_in_use:
        clear_line_cache(bundle.directory + os.sep)
    if isinstance(exception, SyntaxError):
        kind, text = type(exception).__name__, exception.msg
        message = f"{kind}: {text}"
        location = f"{bundle.relative(exception.filename)}:{exception.lineno}" if exception.filename else None
        return bundle.without_private_names(message), location, None
    message = message_of_call(exception) or "".join(report.format_exception_only()).strip()
    # Frames of the loader mean nothing to the author of a plugin.
    frames = [frame for frame in report.stack if not is_loader_file(frame.filename)]
    frames = [frame for frame in frames if not frame.filename.startswith("<frozen importlib")] or frames
    report.stack = traceback.StackSummary.from_list(frames)
    inside = [frame for frame in report.stack if bundle.has_file(frame.filename)] or list(report.stack)
    location = f"{bundle.relative(inside[-1].filename)}:{inside[-1].lineno}" if inside else None
    text = "".join(report.format()).rstrip() if report.stack else None
    return bundle.without_private_names(message), location, text and bundle.without_private_names(text)


def message_of_call(exception):
    """Returns the message of a declared error that a call has raised and that is still being raised; None for other
    exceptions."""
    raised_by = getattr(exception, "_polyplug_raised_by_", None)
    innermost = exception.__traceback__
    if raised_by is None or innermost is None:
        return None
    while innermost.tb_next is not None:
        innermost = innermost.tb_next
    code, at = innermost.tb_frame.f_code.co_code, innermost.tb_lasti
    # The members of enums keep the note: the bundle may have raised one itself.
    is_own = at >= 0 and code[at] == opcode.opmap["RAISE_VARARGS"] and code[at + 1] > 0
    return None if is_own else raised_by.describe(exception)


def place_of_function(target, name, bundle):
    """Returns the file and the first line of an object's method, or of the object itself if it has no such method; None
    if they are not known."""
    function = getattr(target, name, target)
    for _ in range(64):  # a wrapper may wrap itself
        inner = getattr(function, "__wrapped__", None) or getattr(function, "__func__", None)
        if inner is None and isinstance(function, functools.partial):
            inner = function.func
        if inner is None:
            break
        function = inner
    code = getattr(function, "__code__", None) or getattr(getattr(type(function), "__call__", None), "__code__", None)
    return f"{bundle.relative(code.co_filename)}:{code.co_firstlineno}" if code else None


def is_loader_file(filename):
    """Returns whether a file is one of the prelude's."""
    return filename.startswith("<polyplug ")
