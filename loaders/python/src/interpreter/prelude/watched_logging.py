"""Changes of the module `logging`, and how to take them back."""

import functools


@_watches("logging")
def _watch_logging(module):
    def attach(method, remove_by):
        def note(bundle, real, arguments, options):
            target, item = arguments
            real(target, item)
            bundle.changes[(method, id(target), id(item))] = _Entry(_remove_from, target, remove_by, item)

        return note

    def detach(method):
        def note(bundle, real, arguments, options):
            real(*arguments, **options)
            bundle.changes.pop((method, id(arguments[0]), id(arguments[1])), None)

        return note

    _watch_entries(module.Logger, "addHandler", attach("handler", "removeHandler"))
    _watch_entries(module.Logger, "removeHandler", detach("handler"))
    _watch_entries(module.Filterer, "addFilter", attach("filter", "removeFilter"))
    _watch_entries(module.Filterer, "removeFilter", detach("filter"))

    def level(bundle, real, arguments, options):
        target = arguments[0]
        before = target.level
        real(*arguments, **options)
        read, write = functools.partial(getattr, target, "level"), functools.partial(real, target)
        _note_value(bundle, ("level", id(target)), before, read, write)

    _watch_entries(module.Logger, "setLevel", level)
    def configure(bundle, real, arguments, options):
        # The function does nothing if there are handlers. Those of another version of the bundle do not count.
        root = module.root
        others = [change.arguments[2] for other in list(_bundles.values())
                  if other is not bundle and other.name == bundle.name
                  for key, change in list(other.changes.items()) if key[0] == "handler" and change.arguments[0] is root]
        others = [handler for handler in others if handler in root.handlers]
        for handler in others:
            root.handlers.remove(handler)
        try:
            return real(*arguments, **options)
        finally:
            root.handlers[:0] = others

    _watch_entries(module, "basicConfig", configure)

    def level_name(bundle, real, arguments, options):
        keys = (lambda level, levelName: (level, levelName))(*arguments, **options)
        tables = (module._levelToName, module._nameToLevel)

        def read():
            return [table.get(key, _ABSENT) for table, key in zip(tables, keys)]

        def write(before):
            for table, key, value in zip(tables, keys, before):
                _set_entry(table, key, value)

        before = read()
        real(*arguments, **options)
        _note_value(bundle, ("level name", *keys), before, read, write)

    _watch_entries(module, "addLevelName", level_name)
    _watch_value(module, "disable", lambda: module.root.manager.disable)
    _watch_value(module, "setLoggerClass", module.getLoggerClass)
    _watch_value(module, "setLogRecordFactory", module.getLogRecordFactory)
    _watch_value(module, "captureWarnings", lambda: module._warnings_showwarning is not None)


def _remove_from(target, method, item):
    """Removes a handler or a filter, and ends a handler as `logging` does at the end of Python."""
    getattr(target, method)(item)
    if method != "removeHandler":
        return
    try:
        item.acquire()
        item.flush()
        item.close()
    except (OSError, ValueError):
        pass  # its file is closed already
    finally:
        item.release()


@_watches("logging.config")
def _watch_logging_config(module):
    import logging

    def loggers():
        known = [logger for logger in list(logging.root.manager.loggerDict.values())
                 if isinstance(logger, logging.Logger)]
        return {logger: (logger.level, logger.propagate, logger.disabled, list(logger.handlers), list(logger.filters))
                for logger in [logging.root, *known]}

    def restore(before):
        for logger, now in loggers().items():
            level, propagate, disabled, handlers, filters = before.get(logger, (0, True, False, [], []))
            for handler in now[3]:
                if handler not in handlers:
                    _remove_from(logger, "removeHandler", handler)
            for handler in handlers:
                logger.addHandler(handler)
            logger.filters[:] = filters
            logger.setLevel(level)
            logger.propagate, logger.disabled = propagate, disabled

    def note(bundle, real, arguments, options):
        before = loggers()
        result = real(*arguments, **options)
        _note_value(bundle, ("logging.config",), before, lambda: None, restore)
        return result

    for name in ("dictConfig", "fileConfig"):
        _watch_entries(module, name, note)


def _forget_loggers(root, package):
    """Removes the loggers with names of a bundle's modules, and those of a class of the bundle. Removes handlers and
    filters of the bundle that were put into the lists of other loggers."""
    loggers = root.manager.loggerDict
    for name, logger in list(loggers.items()):
        if name.partition(".")[0] == package or package_of(logger) == package:
            loggers.pop(name, None)
    for holder in [root, *loggers.values()]:
        for items in (getattr(holder, "handlers", []), getattr(holder, "filters", [])):
            for item in list(items):
                if package_of(item) == package:
                    items.remove(item)
        children = getattr(holder, "loggerMap", None)
        for child in list(children or ()):
            if loggers.get(getattr(child, "name", None)) is not child:
                children.pop(child, None)
