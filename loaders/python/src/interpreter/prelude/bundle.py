"""The modules of a bundle: found in its folders, with private names, and removed when the bundle is dropped."""

import builtins
import gc
import importlib
import importlib.machinery
import importlib.util
import io
import itertools
import os
import pathlib
import sys
import types as module_types
import typing

_real_import = builtins.__import__
_numbers = itertools.count(1)

# The loaded bundles, by the names of their packages.
_bundles = {}


class Bundle:
    """One version of a bundle."""

    def __init__(self, host_functions, name, directory, origin, folders, config, environment):
        self.host_functions, self.name = host_functions, name
        self.directory, self.origin = directory, origin
        self.folders = folders
        self.environment = environment
        identifier = "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in name)
        self.package = f"_polyplug_{identifier}_{next(_numbers)}"
        # The beginning of the paths of all its files.
        self._path_prefix = (directory or self.package) + os.sep
        self.is_declaring = False
        self.declared = []
        self._own_modules, self._own_namespaces = self._find_own_modules()
        self._entered = None
        self.builtins = {**builtins.__dict__, "__import__": self._import, "print": self._print}
        self.module = self._make_module(config)
        _bundles[self.package] = self
        if _finder not in sys.meta_path:
            sys.meta_path.insert(0, _finder)
        if environment:
            self.environment = self._entered = environment.acquire()

    def run(self, source, file):
        """Runs the text of the main file and returns its module. Fills `declared` with the plugins of the file."""
        package = module_types.ModuleType(self.package)
        package.__path__ = list(self.folders)
        package.__spec__ = importlib.machinery.ModuleSpec(self.package, None, is_package=True)
        sys.modules[self.package] = package
        stem = pathlib.PurePath(file).stem
        name = stem if stem.isidentifier() else "main"
        module = module_types.ModuleType(f"{self.package}.{name}")
        module.__package__ = self.package
        module.__file__ = os.path.join(self.directory, file) if self.directory else file
        module.__builtins__ = self.builtins
        # A module from memory gets a path as well, under which tracebacks find its lines.
        place = module.__file__ if self.directory else self._path_prefix + file
        module.__spec__ = importlib.machinery.ModuleSpec(module.__name__, _SourceLoader(self, place, source),
                                                         origin=module.__file__)
        module.__loader__ = module.__spec__.loader
        sys.modules[module.__name__] = module
        setattr(package, name, module)
        self._own_modules.discard(name)  # `import` of the main file's name means another module
        self.is_declaring = True
        try:
            exec(module.__loader__.compile(), module.__dict__)
        finally:
            self.is_declaring = False
        return module

    def close(self):
        """Removes all traces of the bundle. Called when nothing can run its code any more."""
        _bundles.pop(self.package, None)
        if not _bundles and _finder in sys.meta_path:
            sys.meta_path.remove(_finder)
        # A copy: other threads may import modules meanwhile.
        inside = self.package + "."
        for name in list(sys.modules):
            if name == self.package or name.startswith(inside):
                sys.modules.pop(name, None)
        try:
            if self._entered:
                self._entered.release()
            clear_line_cache(self._path_prefix)
            for folder in list(sys.path_importer_cache) if self.directory else ():
                if folder == self.directory or folder.startswith(self._path_prefix):
                    sys.path_importer_cache.pop(folder, None)
            for forget in getattr(typing, "_cleanups", ()):
                forget()
        finally:
            self.__dict__.clear()

    # Texts of errors.

    def has_file(self, filename):
        """Returns whether a file is one of the bundle's own."""
        if not self.directory:
            return not os.path.isabs(filename) and not filename.startswith("<")
        return filename.startswith(self._path_prefix)

    def relative(self, filename):
        """Returns the path of a file relative to the bundle's directory; the path itself for other files."""
        return filename[len(self._path_prefix):] if filename.startswith(self._path_prefix) else filename

    def without_private_names(self, text):
        """Returns a text without the private names of modules, and with the directory that the user knows."""
        text = text.replace(self.package + ".", "")
        if not self.directory:
            return text.replace(self._path_prefix, "")
        if self.origin and self.directory != self.origin:
            text = text.replace(self.directory, self.origin)
        return text

    # The names that the bundle's code sees.

    def _make_module(self, config):
        """Makes the bundle's module `polyplug`."""
        functions = self.host_functions
        module = module_types.ModuleType("polyplug", "What plugins for polyplug are made with.")
        module.__dict__.update(
            plugin=self._plugin, host=functions.host, peer=functions.peer, types=functions.types,
            log=functions.log, config=config, bundle=self.name,
            directory=pathlib.Path(self.directory) if self.directory else None,
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

    def _print(self, *values, sep=" ", end="\n", file=None, flush=False):
        if file is not None:
            return builtins.print(*values, sep=sep, end=end, file=file, flush=flush)
        text = io.StringIO()
        builtins.print(*values, sep=sep, end=end, file=text)
        text = text.getvalue()
        self.host_functions.log("info", text[:-1] if text.endswith("\n") else text)

    # The search for modules.

    def _find_own_modules(self):
        """Returns the names of the modules in the bundle's folders, and the names of folders without `__init__.py`.
        Such a folder is a module only if no other module has the name."""
        own, namespaces = set(), set()
        for folder in self.folders:
            try:
                entries = list(os.scandir(folder))
            except OSError:
                continue
            for entry in entries:
                stem, dot, _ = entry.name.partition(".")
                if not stem.isidentifier():
                    continue
                if entry.is_dir():
                    if dot:
                        continue
                    is_package = os.path.isfile(os.path.join(entry.path, "__init__.py"))
                    (own if is_package else namespaces).add(stem)
                elif entry.name.endswith((".py", *importlib.machinery.EXTENSION_SUFFIXES)):
                    own.add(stem)
        return own, namespaces - own

    def _is_own_module(self, top):
        """Returns whether `import` of a top-level name means a module of the bundle."""
        if top in self._own_modules:
            return True
        if top in self._own_namespaces and top not in sys.modules and top not in _standard_names():
            return not (self.environment and self.environment.find_spec(top))
        return False

    def _import(self, name, globals=None, locals=None, fromlist=(), level=0):
        if level:
            return _real_import(name, globals, locals, fromlist, level)
        if name == "polyplug":
            return self.module
        top = name.partition(".")[0]
        if self._is_own_module(top):
            inside = f"{self.package}.{name}"
            if fromlist:
                return _real_import(inside, globals, locals, fromlist, 0)
            importlib.import_module(inside)
            return sys.modules[f"{self.package}.{top}"]
        if is_from_other_environment(top, self.environment, self.name):
            raise ModuleNotFoundError(self._missing_message(top), name=top)
        try:
            imported = _real_import(name, globals, locals, fromlist, level)
            if _hooks:
                _hooks.imported()
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
        else:
            remedy = "a package from elsewhere needs a virtual environment: the key `venv` of the table [python] in " \
                     "manifest.toml names its folder"
        return f"there is no module `{name}` in {', '.join(places[:-1])}{' or ' if places[1:] else ''}{places[-1]}: " \
               f"{remedy}"


def bundle_of(frame):
    """Returns the bundle whose code a frame runs; `None` for other code."""
    name = frame.f_globals.get("__name__")
    return _bundles.get(name.partition(".")[0]) if isinstance(name, str) else None


def takes_context(cls):
    """Returns whether `__init__` of a class takes the context."""
    if cls.__init__ is object.__init__:
        return False
    code = getattr(cls.__init__, "__code__", None)
    if code is None:
        return False
    required = code.co_argcount - len(cls.__init__.__defaults__ or ())
    needed = [name for name in code.co_varnames[code.co_argcount:code.co_argcount + code.co_kwonlyargcount]
              if name not in (cls.__init__.__kwdefaults__ or {})]
    if required > 2 or needed:
        raise TypeError(f"__init__ of {cls.__name__} takes more than the context: def __init__(self, ctx)")
    return code.co_argcount >= 2 or bool(code.co_flags & 0x04)


class _SourceLoader:
    """Loads a module from source text. Bytecode is not cached: the cache compares times, which a reload can outrun."""

    def __init__(self, bundle, filename, source=None):
        self.bundle, self.filename, self.source = bundle, filename, source

    def compile(self):
        source = self.source
        if source is None:
            source = self.bundle.host_functions.read_program(self.filename)
        return compile(source, self.filename, "exec", dont_inherit=True)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        module.__builtins__ = self.bundle.builtins
        exec(self.compile(), module.__dict__)

    def get_source(self, name):
        if self.source is not None:
            return self.source if isinstance(self.source, str) else importlib.util.decode_source(self.source)
        return importlib.util.decode_source(self.bundle.host_functions.read_program(self.filename))


class _Finder:
    """Finds the modules of all bundles."""

    def find_spec(self, fullname, path=None, target=None):
        package, dot, rest = fullname.partition(".")
        bundle = _bundles.get(package)
        if bundle is None or not dot:
            return None
        name = rest.rpartition(".")[2]
        folders = [os.path.join(folder, name) for folder in (path if path is not None else bundle.folders)]
        for base in folders:
            start = os.path.join(base, "__init__.py")
            if os.path.isfile(start):
                return self._spec(fullname, _SourceLoader(bundle, start), start, [base])
            for suffix in importlib.machinery.EXTENSION_SUFFIXES:
                if os.path.isfile(base + suffix):
                    bundle.host_functions.check_inside(base + suffix)
                    loader = importlib.machinery.ExtensionFileLoader(fullname, base + suffix)
                    return self._spec(fullname, loader, base + suffix)
            if os.path.isfile(base + ".py"):
                return self._spec(fullname, _SourceLoader(bundle, base + ".py"), base + ".py")
        namespaces = [base for base in folders if os.path.isdir(base)]
        return self._spec(fullname, None, None, namespaces) if namespaces else None

    def _spec(self, fullname, loader, origin, folders=None):
        spec = importlib.machinery.ModuleSpec(fullname, loader, origin=origin, is_package=folders is not None)
        if folders is not None:
            spec.submodule_search_locations = folders
        spec.has_location = origin is not None
        return spec

    def invalidate_caches(self):
        pass


_finder = _Finder()


def collect_garbage():
    """Collects reference cycles. Every class is part of one."""
    gc.collect()
