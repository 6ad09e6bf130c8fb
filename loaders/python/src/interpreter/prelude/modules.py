"""The modules in a bundle's folders: how they are found and loaded, with the protocols of `importlib`."""

import importlib._bootstrap_external
import importlib.machinery
import importlib.util
import os
import sys


class _SourceLoader(importlib.machinery.SourceFileLoader):
    """Loads a module from source text, and gives the data beside the module. Bytecode is not cached: the cache compares
    times, which a reload can outrun. Names are not compared with `self.name`: code asks by the name that the bundle's
    author knows as well."""

    def __init__(self, fullname, path, files, source=None):
        super().__init__(fullname, path)
        self._files = files
        self.source = source.encode() if isinstance(source, str) else source

    def get_filename(self, fullname=None):
        return self.path

    def get_data(self, path):
        return self._read_source() if path == self.path else self._files.read(path)

    def get_code(self, fullname=None):
        return self.source_to_code(self._read_source(), self.path)

    def _read_source(self):
        return self._files.read_program(self.path) if self.source is None else self.source

    def get_resource_reader(self, module=None):
        reader = self._files.resource_reader([os.path.dirname(self.path)])
        return reader or super().get_resource_reader(self.name)

    def is_package(self, fullname=None):
        return os.path.basename(self.path) == "__init__.py"


class _ExtensionLoader(importlib.machinery.ExtensionFileLoader):
    """Loads an extension module from the file `stored`, under the path that the bundle's author knows."""

    def __init__(self, fullname, path, stored):
        super().__init__(fullname, path)
        self._stored = stored

    def create_module(self, spec):
        if self._stored == self.path:
            return super().create_module(spec)
        module = super().create_module(importlib.machinery.ModuleSpec(spec.name, self, origin=self._stored))
        if getattr(module, "__file__", None) == self._stored:
            module.__file__ = self.path
        return module

    def get_data(self, path):
        return super().get_data(self._stored if path == self.path else path)


class _Finder:
    """Finds the modules of all bundles, by their private names."""

    def find_spec(self, fullname, path=None, target=None):
        package, dot, rest = fullname.partition(".")
        bundle = _bundles.get(package)
        if bundle is None or not dot:
            return None
        if bundle.main_spec and fullname == bundle.main_spec.name:
            return bundle.main_spec
        return _find_in(bundle.files, fullname, bundle.folders if path is None else path)

    def invalidate_caches(self):
        pass


_finder = _Finder()


def _find_in(files, fullname, path):
    """Returns the spec of the module that has a name in one of the folders of `path`."""
    name = fullname.rpartition(".")[2]
    folders = [os.path.join(folder, name) for folder in path]
    for base in folders:
        start = os.path.join(base, "__init__.py")
        if files.is_file(start):
            return _spec(_SourceLoader(fullname, start, files), [base])
        for suffix in importlib.machinery.EXTENSION_SUFFIXES:
            stored = files.extension_file(base + suffix)
            if stored:
                return _spec(_ExtensionLoader(fullname, base + suffix, stored))
        if files.is_file(base + ".py"):
            return _spec(_SourceLoader(fullname, base + ".py", files))
    namespaces = [base for base in folders if files.is_folder(base)]
    return namespace_spec(fullname, namespaces, files) if namespaces else None


class _FolderFinder:
    """Finds the modules in a folder for what goes by the path of a package, as `pkgutil` does: those that the version has
    there, and not those that the disk has there by now."""

    def __init__(self, path):
        self.path = path

    def find_spec(self, fullname, target=None):
        bundle = _bundles.get(fullname.partition(".")[0]) or self._bundle()
        return _find_in(bundle.files, fullname, [self.path]) if bundle else None

    def iter_modules(self, prefix=""):
        bundle = self._bundle()
        try:
            modules = modules_in(bundle.files, self.path) if bundle else ()
        except OSError:
            modules = ()  # as for folders that do not exist
        modules = [(name, kind) for name, kind in sorted(modules) if name != "__init__" and kind != "namespace"]
        return [(prefix + name, kind == "package") for name, kind in modules]

    def invalidate_caches(self):
        pass

    def _bundle(self):
        """Returns the bundle that asks, if it has the folder, or else the last one that has it."""
        bundles = [bundle for bundle in reversed(list(_bundles.values())) if bundle.has_apart(self.path)]
        asking = _bundle_in_stack(None, sys._getframe())
        return asking if asking in bundles else next(iter(bundles), None)


def folder_hook(path):
    """Returns the finder of a folder of a bundle: an entry of `sys.path_hooks`."""
    is_own = any(bundle.has_apart(path) for bundle in list(_bundles.values()))
    if is_own and not any(environment.contains(path) for environment in list(_environments.values())):
        return _FolderFinder(path)
    raise ImportError("no folder of a bundle that has other files than the disk", path=path)


def modules_in(files, folder):
    """Returns the names of the modules in a folder, each with its kind: `module`, `package`, or `namespace` for a folder
    without `__init__.py`."""
    modules = {}
    for entry, is_folder in files.entries(folder):
        name, dot, _ = entry.partition(".")
        if not name.isidentifier():
            continue
        if is_folder and not dot:
            is_package = files.is_file(os.path.join(folder, name, "__init__.py"))
            modules[name] = "package" if is_package else modules.get(name, "namespace")
        elif not is_folder and entry.endswith((".py", *importlib.machinery.EXTENSION_SUFFIXES)):
            modules[name] = "package" if modules.get(name) == "package" else "module"
    return modules.items()


def _spec(loader, folders=None):
    spec = importlib.machinery.ModuleSpec(loader.name, loader, origin=loader.path, is_package=folders is not None)
    spec.submodule_search_locations = folders
    spec.has_location = True
    return spec


def namespace_spec(fullname, folders, files):
    """Returns the spec of a package that is a set of folders."""
    spec = importlib.machinery.ModuleSpec(fullname, files.namespace_loader(folders), is_package=True)
    # The class of the paths of such packages, which importlib's readers of data insist on.
    namespace = importlib._bootstrap_external._NamespacePath
    spec.submodule_search_locations = namespace(fullname, folders, _finder.find_spec)
    return spec


def make_module(spec):
    """Returns a new module with a spec, which is not run, after entering it into `sys.modules`."""
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    return module
