"""What suits an interpreter that is part of a program: what Python would print goes to the log of the host."""

import atexit
import sys
import threading
import traceback
import warnings


class _Hooks:
    """Takes what Python prints where nobody takes it. `log` writes what belongs to no bundle."""

    def __init__(self, log):
        self.log = log
        self.show_warning = warnings.showwarning
        self.has_logging = False
        sys.unraisablehook = self.unraisable
        threading.excepthook = self.thread
        warnings.showwarning = self.warning

    def unraisable(self, raised):
        what = raised.err_msg or "an exception that nobody can be told about"
        self._exception(what, raised.object, raised.exc_type, raised.exc_value, raised.exc_traceback)

    def thread(self, raised):
        if raised.exc_type is SystemExit:
            return  # ends a thread, as it does in any program
        name = getattr(raised.thread, "name", None)
        self._exception("an exception ended a thread", name, raised.exc_type, raised.exc_value, raised.exc_traceback)

    def warning(self, message, category, filename, lineno, file=None, line=None):
        if file is not None:
            self.show_warning(message, category, filename, lineno, file, line)
            return
        bundle = _owner(None, sys._getframe()) or _holder(filename)
        place = bundle.relative(filename) if bundle else filename
        self._tell("warn", f"{category.__name__}: {message} (at {place}:{lineno})", bundle)

    def imported(self):
        """Some module has been imported: what `logging` prints where nobody has set it up goes to the log as well."""
        if not self.has_logging and "logging" in sys.modules:
            self.has_logging = True
            _take_logging(self)

    def _exception(self, what, subject, kind, exception, trace):
        try:
            text = "".join(traceback.format_exception(kind, exception, trace)).rstrip()
            what = f"{what} in {subject!r}" if subject is not None else what
        except BaseException:
            text = kind.__name__  # it cannot be shown
        bundle = _owner(trace, sys._getframe())
        self._tell("error", f"{what}: {bundle.readable(text) if bundle else text}", bundle)

    def _tell(self, level, text, bundle):
        try:
            (bundle.native.log if bundle else self.log)(level, text)
        except BaseException:
            pass  # a bundle that has just gone, or an interpreter that shuts down


def _owner(trace, frame):
    """The bundle whose code an exception came through last, or which runs."""
    frames = []
    while trace is not None:
        frames.insert(0, trace.tb_frame)
        trace = trace.tb_next
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    return next(filter(None, map(bundle_of, frames)), None)


def _holder(filename):
    return next((bundle for bundle in list(_bundles.values()) if bundle.directory and bundle.has(filename)), None)


def _take_logging(hooks):
    import logging

    class Last(logging.Handler):
        def emit(self, record):
            level = "error" if record.levelno >= logging.ERROR else "warn"
            try:
                text = self.format(record)
            except Exception as error:
                level, text = "error", f"{record.msg!r} cannot be shown: {type(error).__name__}: {error}"
            hooks._tell(level, f"{record.name}: {text}", _owner(None, sys._getframe()))

    logging.lastResort = Last(logging.WARNING)
    # `logging.warning` and its like set up a handler of their own where there is none.
    real = logging.basicConfig

    def basic_config(**options):
        if options or logging.root.handlers:
            real(**options)
        else:
            logging.root.addHandler(Last())

    logging.basicConfig = basic_config


def at_exit(close, is_ours):
    """Has `close` called when the interpreter shuts down: before it waits for threads, and again when it has, before
    anything of it ends."""

    def first():
        close(False)
        # The main thread is the loader's, and never ends: another one that shuts down must not wait for it.
        if is_ours:
            locks, main = getattr(threading, "_shutdown_locks", set()), threading.main_thread()
            locks.discard(getattr(main, "_tstate_lock", None))

    atexit.register(close, True)
    register = getattr(threading, "_register_atexit", None)
    if register:
        register(first)


_hooks = None


def install_hooks(log):
    """Makes the interpreter part of the program."""
    global _hooks
    _hooks = _Hooks(log)
