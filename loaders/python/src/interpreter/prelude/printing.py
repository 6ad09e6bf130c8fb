"""`print` in a bundle's code, which writes to the host's log."""

import builtins
import io
import sys
import threading

_real_print = builtins.print


def _print(*values, sep=" ", end="\n", file=None, flush=False):
    frame = _named_frame(sys._getframe().f_back)
    caller = _bundle_that_was_given_print(frame)
    if file is not None or sys.stdout is not sys.__stdout__ or not (caller or _is_bundle_code(frame)):
        return _real_print(*values, sep=sep, end=end, file=file, flush=flush)
    text = io.StringIO()
    _real_print(*values, sep=sep, end=end, file=text)
    text = text.getvalue()
    text = text[:-1] if text.endswith("\n") else text
    bundle = caller or bundle_of(frame)
    if bundle is not None:
        bundle.host_functions.log("info", text)
    elif _hooks:
        _hooks.log("info", text)  # the code of a bundle that is closed


def _bundle_that_was_given_print(frame):
    """Returns the bundle that has passed `print` on as a function to call: to run at its end, or as a thread."""
    ending = getattr(bundles_that_end, "bundle", None)
    if ending is not None or frame is None or frame.f_globals.get("__name__") != "threading":
        return ending
    return _bundles.get(getattr(threading.current_thread(), "_polyplug_bundle", None))


_print.__name__ = _print.__qualname__ = "print"
_print.__module__, _print.__doc__ = "builtins", _real_print.__doc__


def install_print():
    """Replaces `print` while there are bundles. Called for each new one."""
    if builtins.print is _real_print:
        builtins.print = _print
