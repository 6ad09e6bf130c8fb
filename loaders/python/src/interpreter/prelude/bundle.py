"""The modules of a bundle: found in its folders, with private names, and removed when the bundle is dropped."""

import importlib._bootstrap
import importlib.machinery
import itertools
import os
import pathlib
import sys
import types as module_types
import typing
import weakref

_numbers = itertools.count(1)

# The beginning of the private names of modules.
_PREFIX = "_polyplug_"

# The loaded bundles, by the names of their packages.
_bundles = {}

# Whether this process has no host: a bundle has started it.
is_hostless = False


class Bundle:
    """One version of a bundle."""

    def __init__(self, host_functions, name, directory, files, folders, config, environment, package=None):
        self.host_functions, self.name = host_functions, name
        # The bundle's own directory or pack, below which everybody sees the paths of its files, and what reads these.
        self.directory, self.files = directory, files
        self.folders, self.config = folders, config
        self.environment = environment
        identifier = "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in name)
        self.package = package or f"{_PREFIX}{identifier}_{next(_numbers)}"
        # The beginning of the paths of all its files.
        self._path_prefix = (directory or self.package) + os.sep
        self.is_declaring = is_hostless  # where there is no host, nothing is ever loaded
        # Here, where the time of the bundle's start is not limited.
        finish_others()
        watch_shared_modules()
        self.declared = []
        # What is to be done at the end: `(function, arguments, options)`, and changes to take back, by their keys.
        self.exit_functions, self.thread_exit_functions, self.changes = [], [], {}
        self.process_finalizers = weakref.WeakSet()
        self.main_spec = None
        self._own_modules, self._own_namespaces = self._find_own_modules()
        self._entered = None
        self.module = self._make_module(config)
        _bundles[self.package] = self
        clear_line_cache(self._path_prefix)  # which may have the lines of an earlier version
        self._forget_importers()
        install_imports()
        install_lines()
        install_print()
        if environment:
            self.environment = self._entered = environment.acquire()

    def run(self, source, file):
        """Runs the text of the main file and returns its module. Fills `declared` with the plugins of the file."""
        # A module from memory gets a path as well, under which tracebacks find its lines.
        place = os.path.join(self.directory, file) if self.directory else self._path_prefix + file
        package, spec = self.make_known(self._main_name(file), place, source)
        module = make_module(spec)
        module.__file__ = place if self.directory else file
        setattr(package, spec.name.rpartition(".")[2], module)
        self.is_declaring = True
        try:
            with MainRun(self):
                exec(spec.loader.get_code(), module.__dict__)
        finally:
            self.is_declaring = False
        return module

    def end_activity(self):
        """Runs the exit functions, and ends executors and threads as far as they can be ended."""
        end_activity(self)

    def make_known(self, name, place, source):
        """Makes the package of the bundle's modules, and the spec of the main file's, which has this name."""
        package = make_module(namespace_spec(self.package, list(self.folders), self.files))
        loader = _SourceLoader(f"{self.package}.{name}", place, self.files, source)
        self.main_spec = importlib.machinery.ModuleSpec(loader.name, loader, origin=place)
        self.main_spec.has_location = bool(self.directory)
        # `import` of this name means the main file, unless Python or the environment has a module of that name.
        self._own_modules.discard(name)
        self._own_namespaces.add(name)
        return package, self.main_spec

    def description(self):
        """Returns what another process needs to import the bundle's modules."""
        venv = self.environment.folder if self.environment else None
        main = self.main_spec.loader
        main = (main.name.rpartition(".")[2], main.path, main.source)
        data = self.host_functions.data_path()
        shown = self.host_functions.directory()
        files = self.files.description()
        return (self.name, self.directory, files, self.folders, self.config, venv, self.package, main, data, shown)

    def _main_name(self, file):
        """Returns the name of the main file's module."""
        stem = pathlib.PurePath(file).stem
        if stem.isidentifier():
            return stem
        return "__main__" if "main" in self._own_modules else "main"

    def close(self):
        """Removes all traces of the bundle. Called when nothing can run its code any more, except for its own threads.
        Returns what remains: see `end_modules`."""
        take_back_changes(self)
        inside = self.package + "."
        names = [name for name in list(sys.modules) if name == self.package or name.startswith(inside)]
        marks = Marks(self.package, names)
        _bundles.pop(self.package, None)
        if not _bundles:
            uninstall_imports()
            uninstall_lines()
        for name in names:
            sys.modules.pop(name, None)
        try:
            if self._entered:
                self._entered.release()
                forget_removed_modules()
            clear_line_cache(self._path_prefix)
            self._forget_importers()
            for forget in getattr(typing, "_cleanups", ()):
                forget()
            for name in names:
                getattr(typing, "_overload_registry", {}).pop(name, None)  # what `get_overloads` finds
            self.declared.clear()
            return end_modules(marks)
        finally:
            self.files.close()
            self.__dict__.clear()

    def _forget_importers(self):
        """Drops what `sys.path_importer_cache` has of the bundle's folders, which may be of another version."""
        for folder in list(sys.path_importer_cache) if self.directory else ():
            if folder == self.directory or folder.startswith(self._path_prefix):
                sys.path_importer_cache.pop(folder, None)

    # Texts of errors.

    def has_file(self, filename):
        """Returns whether a file is one of the bundle's own."""
        if not self.directory:
            return not os.path.isabs(filename) and not filename.startswith("<")
        return filename.startswith(self._path_prefix) and not (self.environment and self.environment.contains(filename))

    def has_apart(self, path):
        """Returns whether the bundle has what is at a path, and the disk may have something else there."""
        return self.files.are_apart and (path == self.directory or self.has_file(path))

    def relative(self, filename):
        """Returns the path of a file relative to the bundle's directory; the path itself for other files."""
        return filename[len(self._path_prefix):] if filename.startswith(self._path_prefix) else filename

    def without_private_names(self, text):
        """Returns a text without the private names of modules."""
        text = text.replace(self.package + ".", "")
        return text if self.directory else text.replace(self._path_prefix, self.name + "/")

    def shown_traceback(self, text):
        """Returns a traceback for a log, with the names that errors of calls give to the bundle's files."""
        return self.host_functions.name_files(self.without_private_names(text))

    # The names that the bundle's code sees.

    def _make_module(self, config):
        """Makes the bundle's module `polyplug`."""
        functions = self.host_functions
        module = module_types.ModuleType("polyplug", "What plugins for polyplug are made with.")
        module.__dict__.update(
            plugin=self._plugin, host=functions.host, peer=functions.peer, types=functions.types,
            log=functions.log, on_unload=self._on_unload, config=config, bundle=self.name,
            directory=pathlib.Path(functions.directory()) if functions.directory() else None,
            data_directory=self._data_directory,
            Some=Some, Ok=Ok, Err=Err, Declared=Declared, CallError=CallError,
            AbiError=AbiError, AbiErrorCode=AbiErrorCode)
        return module

    def _plugin(self, contract, *, name=None, singleton=False):
        """Declares that a class implements a contract: `@plugin("demo.calculator@1")`."""
        if not isinstance(contract, str):
            raise TypeError("the name of a contract is expected, such as @plugin(\"demo.calculator@1\"), "
                            f"not {contract!r}")
        if name is not None and not isinstance(name, str):
            raise TypeError(f"the option `name` is a string, not {name!r}")
        if not isinstance(singleton, bool):
            raise TypeError(f"the option `singleton` is True or False, not {singleton!r}")
        caller = sys._getframe(1)
        place = f"{self.relative(caller.f_code.co_filename)}:{caller.f_lineno}"

        def declare(cls):
            if not isinstance(cls, type):
                raise TypeError(f"@plugin stands before a class, not before {cls!r}")
            if not self.__dict__ or not self.is_declaring:
                raise RuntimeError("plugins are declared while their bundle is being loaded, not later")
            methods = [member for member in dir(cls) if not member.startswith("__") and callable(getattr(cls, member))]
            keeps_state = "save" in methods and "restore" in methods
            self.declared.append((contract, name, singleton, methods, keeps_state, place, cls, takes_context(cls)))
            return cls

        return declare

    def _on_unload(self, function):
        """Has a function called before the bundle is unloaded: `@on_unload`. The last one is called first."""
        if not callable(function):
            raise TypeError(f"@on_unload stands before a function, not before {function!r}")
        if not self.__dict__:
            raise RuntimeError("the bundle is unloaded")
        if not is_hostless:  # where there is no host, nothing is ever unloaded
            self.host_functions.on_unload(function)
        return function

    def _data_directory(self):
        """Returns the folder in which the bundle keeps its data, a `pathlib.Path`, and makes it if it does not exist."""
        if not self.__dict__:
            raise RuntimeError("the bundle is unloaded")
        return pathlib.Path(self.host_functions.data_directory())

    # The search for modules.

    def _find_own_modules(self):
        """Returns the names of the modules in the bundle's folders, and the names of folders without `__init__.py`.
        Such a folder is a module only if no other module has the name."""
        own, namespaces = set(), set()
        for folder in self.folders:
            try:
                modules = modules_in(self.files, folder)
            except OSError:
                continue
            for name, kind in modules:
                (namespaces if kind == "namespace" else own).add(name)
        return own, namespaces - own

    def _is_own_module(self, top):
        """Returns whether `import` of a top-level name means a module of the bundle."""
        return top in self._own_modules or top in self._own_namespaces and self.has_module_for_others(top)

    def has_module_for_others(self, top):
        """Returns whether the bundle has a module, and nothing else in the process has one of that name. A function of
        a package or of the standard library that is given a name finds such a module."""
        if top not in self._own_modules and top not in self._own_namespaces:
            return False
        if top in sys.modules or top in _standard_names():
            return False
        return not (self.environment and self.environment.find_spec(top))

    def import_by_statement(self, name, globals, locals, fromlist):
        """Imports a module as `import` of its name in the bundle's code does."""
        if name == "polyplug":
            return self.module
        top = name.partition(".")[0]
        if self._is_own_module(top):
            inside = f"{self.package}.{name}"
            if fromlist:
                return import_decided(inside, globals, locals, fromlist)
            import_decided(inside, globals, locals, ("__name__",))
            return sys.modules[f"{self.package}.{top}"]
        return self._import_foreign(top, lambda: import_decided(name, globals, locals, fromlist))

    def import_by_name(self, name, import_foreign):
        """Imports a module as `importlib.import_module` in the bundle's code does. `import_foreign` imports a module
        that is not the bundle's own."""
        if name == "polyplug":
            return self.module
        top = name.partition(".")[0]
        if self._is_own_module(top):
            return importlib._bootstrap._gcd_import(f"{self.package}.{name}")
        return self._import_foreign(top, import_foreign)

    def _import_foreign(self, top, import_foreign):
        if is_from_other_environment(top, self.environment, self.name):
            raise ModuleNotFoundError(self._missing_message(top), name=top)
        try:
            imported = import_foreign()
            if _hooks:
                _hooks.imported()
            watch_shared_modules()
            return imported
        except ModuleNotFoundError as error:
            if error.name != top:
                raise
            missing = error
        raise ModuleNotFoundError(self._missing_message(missing.name), name=missing.name, path=missing.path)

    def _missing_message(self, name):
        """Returns the message of the error for a module that is not found."""
        places = [f"Python {sys.version.split()[0]} in {sys.prefix}"]
        if self.folders:
            places.insert(0, "the bundle's folder")
        if self.environment:
            places.insert(1, f"the virtual environment {self.environment.folder}")
            remedy = f"install what has it: {self.environment.python_program()} -m pip install"
            editable = self.environment.editable_file(name)
            if editable:
                remedy = f"{editable} would make it known by code, which is not run: install it without --editable, or " \
                         "with --config-settings editable_mode=compat, which names its folder"
        else:
            remedy = "a package from elsewhere needs a virtual environment: the key `venv` of the table [python] in " \
                     "manifest.toml names its folder"
        return f"there is no module `{name}` in {', '.join(places[:-1])}{' or ' if places[1:] else ''}{places[-1]}: " \
               f"{remedy}"


def bundle_of(frame):
    """Returns the bundle whose code a frame runs; `None` for other code."""
    name = frame.f_globals.get("__name__") if frame is not None else None
    return _bundles.get(name.partition(".")[0]) if isinstance(name, str) else None


def without_private_name(name):
    """Returns the name of a module or logger as the author of a bundle knows it; other names as they are."""
    package, dot, rest = name.partition(".")
    bundle = _bundles.get(package)
    if bundle is None:
        return name
    return rest if dot else bundle.name


def _named_frame(frame):
    """Returns the innermost frame whose code is part of a module. Code that `exec` runs may have no module."""
    while frame is not None and "__name__" not in frame.f_globals:
        frame = frame.f_back
    return frame


def _is_bundle_code(frame):
    """Returns whether a frame runs the code of a bundle, which may be closed."""
    name = frame.f_globals.get("__name__") if frame is not None else None
    return isinstance(name, str) and name.startswith(_PREFIX)
