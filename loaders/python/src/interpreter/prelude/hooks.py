"""Hooks for an interpreter that is part of a program: output that Python would print goes to the host's log."""

import atexit
import sys
import threading
import traceback
import warnings


class _Hooks:
    """Sends unhandled exceptions and warnings to the host's log. `log` writes those that belong to no bundle."""

    def __init__(self, log):
        self.log = log
        self.show_warning = warnings.showwarning
        self.has_logging = False
        sys.unraisablehook = self.unraisable
        threading.excepthook = self.thread
        warnings.showwarning = self.warning

    def unraisable(self, raised):
        if raised.exc_type is not None and issubclass(raised.exc_type, TimeLimit):
            return  # `__del__` of an object that a call had whose time is up; its caller is told
        what = raised.err_msg or "an exception that nobody can be told about"
        self._exception(what, raised.object, raised.exc_type, raised.exc_value, raised.exc_traceback)

    def thread(self, raised):
        if raised.exc_type is SystemExit:
            return  # the usual way to end a thread
        name = getattr(raised.thread, "name", None)
        self._exception("an exception ended a thread", name, raised.exc_type, raised.exc_value, raised.exc_traceback)

    def warning(self, message, category, filename, lineno, file=None, line=None):
        if file is not None:
            self.show_warning(message, category, filename, lineno, file, line)
            return
        bundle = _bundle_in_stack(None, sys._getframe()) or _bundle_of_file(filename)
        place = bundle.relative(filename) if bundle else filename
        self._log_to("warn", f"{category.__name__}: {message} (at {place}:{lineno})", bundle)

    def imported(self):
        """Redirects `logging` once a bundle has imported it. Called after each import."""
        if not self.has_logging and "logging" in sys.modules:
            self.has_logging = True
            _redirect_logging(self)

    def _exception(self, what, subject, kind, exception, trace):
        try:
            text = "".join(traceback.format_exception(kind, exception, trace)).rstrip()
            what = f"{what} in {subject!r}" if subject is not None else what
        except BaseException:
            text = kind.__name__  # the exception's own methods fail
        bundle = _bundle_in_stack(trace, sys._getframe())
        self._log_to("error", f"{what}: {bundle.shown_traceback(text) if bundle else text}", bundle)

    def _log_to(self, level, text, bundle):
        try:
            (bundle.host_functions.log if bundle else self.log)(level, text)
        except BaseException:
            pass  # the bundle was just closed, or the interpreter shuts down


def _bundle_in_stack(trace, frame):
    """Returns the bundle whose frame is innermost in a traceback or, after that, in the running stack."""
    frames = []
    while trace is not None:
        frames.insert(0, trace.tb_frame)
        trace = trace.tb_next
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    return next(filter(None, map(bundle_of, frames)), None)


def _bundle_of_file(filename):
    """Returns the bundle that has a file."""
    return next((bundle for bundle in reversed(list(_bundles.values())) if bundle.directory and bundle.has_file(filename)),
                None)


def _redirect_logging(hooks):
    """Sends the records that `logging` would print for want of a handler to the host's log."""
    import logging

    class _HostHandler(logging.Handler):
        def emit(self, record):
            level = "error" if record.levelno >= logging.ERROR else "warn"
            try:
                text = self.format(record)
            except Exception as error:
                level, text = "error", f"{record.msg!r} cannot be shown: {type(error).__name__}: {error}"
            hooks._log_to(level, f"{record.name}: {text}", _bundle_in_stack(None, sys._getframe()))

    # Handlers of bundles show the names of loggers that their authors know.
    make_record = logging.getLogRecordFactory()

    def make_named_record(name, *args, **kwargs):
        return make_record(without_private_name(name), *args, **kwargs)

    logging.setLogRecordFactory(make_named_record)

    logging.lastResort = _HostHandler(logging.WARNING)
    # `logging.warning` and its like call `basicConfig` if there is no handler.
    real = logging.basicConfig

    def basic_config(**options):
        if options or logging.root.handlers:
            real(**options)
        else:
            logging.root.addHandler(_HostHandler())

    logging.basicConfig = basic_config


def at_exit(shut_down, is_ours):
    """Registers `shut_down` for the shutdown of the interpreter: it is called before the interpreter waits for threads,
    and again after that, before any of its parts end."""

    def shut_down_first():
        shut_down(False)
        # The main thread is the loader's and never ends, so the thread that shuts down must not wait for it.
        if is_ours:
            locks, main = getattr(threading, "_shutdown_locks", set()), threading.main_thread()
            locks.discard(getattr(main, "_tstate_lock", None))

    atexit.register(shut_down, True)
    atexit.register(end_process)
    register = getattr(threading, "_register_atexit", None)
    if register:
        register(shut_down_first)


_hooks = None


def install_hooks(log):
    """Installs the hooks."""
    global _hooks
    _hooks = _Hooks(log)
    # The option is set by the loader and not by an argument; programs of this Python that are started take it as well.
    sys._xoptions.setdefault("utf8", True)
    watch_shared_modules()
