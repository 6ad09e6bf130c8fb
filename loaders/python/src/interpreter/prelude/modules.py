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

    def __init__(self, fullname, path, source=None):
        super().__init__(fullname, path)
        self.source = source.encode() if isinstance(source, str) else source

    def get_filename(self, fullname=None):
        return self.path

    def get_data(self, path):
        if path == self.path:
            return self._read_source()
        bundle = self._bundle()
        return super().get_data(bundle.stored(path) if bundle else path)

    def get_code(self, fullname=None):
        return self.source_to_code(self._read_source(), self.path)

    def _read_source(self):
        """Returns the source. The host reads the file, which may be something else than a file of the bundle."""
        if self.source is not None:
            return self.source
        bundle = self._bundle()
        if bundle and not is_hostless:
            return bundle.host_functions.read_program(self.path)
        return super().get_data(bundle.stored(self.path) if bundle else self.path)

    def _bundle(self):
        return _bundles.get(self.name.partition(".")[0])

    def is_package(self, fullname=None):
        return os.path.basename(self.path) == "__init__.py"


class _ExtensionLoader(importlib.machinery.ExtensionFileLoader):
    """Loads an extension module from the file that `stored` names, under the path that the bundle's author knows."""

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
        if path is None:
            path = bundle.folders
        name = rest.rpartition(".")[2]
        folders = [os.path.join(folder, name) for folder in path]
        for base in folders:
            start, stored = os.path.join(base, "__init__.py"), bundle.stored(base)
            if os.path.isfile(bundle.stored(start)):
                return _spec(_SourceLoader(fullname, start), [base])
            for suffix in importlib.machinery.EXTENSION_SUFFIXES:
                if os.path.isfile(stored + suffix):
                    if not is_hostless:
                        bundle.host_functions.check_inside(base + suffix)
                    return _spec(_ExtensionLoader(fullname, base + suffix, stored + suffix))
            if os.path.isfile(stored + ".py"):
                return _spec(_SourceLoader(fullname, base + ".py"))
        namespaces = [base for base in folders if os.path.isdir(bundle.stored(base))]
        return namespace_spec(fullname, namespaces) if namespaces else None

    def invalidate_caches(self):
        pass


_finder = _Finder()


def _spec(loader, folders=None):
    spec = importlib.machinery.ModuleSpec(loader.name, loader, origin=loader.path, is_package=folders is not None)
    spec.submodule_search_locations = folders
    spec.has_location = True
    return spec


def namespace_spec(fullname, folders):
    """Returns the spec of a package that is a set of folders."""
    spec = importlib.machinery.ModuleSpec(fullname, None, is_package=True)
    # The class of the paths of such packages, which importlib's readers of data insist on.
    namespace = importlib._bootstrap_external._NamespacePath
    spec.submodule_search_locations = namespace(fullname, folders, _finder.find_spec)
    return spec


def make_module(spec):
    """Returns a new module with a spec, which is not run, after entering it into `sys.modules`."""
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    return module
