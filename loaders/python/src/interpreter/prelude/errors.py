"""The message, place and traceback of an exception."""

import os
import traceback


def describe_exception(exception, bundle):
    """Returns the message of an exception, the place where it was raised, and its traceback."""
    are_lines_in_use = use_lines_of(bundle, exception.__traceback__)
    report = traceback.TracebackException(type(exception), exception, exception.__traceback__)
    if are_lines_in_use:
        clear_line_cache(bundle.directory + os.sep)
    if isinstance(exception, SyntaxError):
        kind, text = type(exception).__name__, exception.msg
        message = f"{kind}: {text}"
        location = f"{bundle.relative(exception.filename)}:{exception.lineno}" if exception.filename else None
        return bundle.without_private_names(message), location, None
    message = "".join(report.format_exception_only()).strip()
    # Frames of the loader mean nothing to the author of a plugin.
    frames = [frame for frame in report.stack if not is_loader_file(frame.filename)]
    frames = [frame for frame in frames if not frame.filename.startswith("<frozen importlib")] or frames
    report.stack = traceback.StackSummary.from_list(frames)
    inside = [frame for frame in report.stack if bundle.has_file(frame.filename)] or list(report.stack)
    location = f"{bundle.relative(inside[-1].filename)}:{inside[-1].lineno}" if inside else None
    text = "".join(report.format()).rstrip() if report.stack else None
    return bundle.without_private_names(message), location, text and bundle.without_private_names(text)


def is_loader_file(filename):
    """Returns whether a file is one of the prelude's."""
    return filename.startswith("<polyplug ")
