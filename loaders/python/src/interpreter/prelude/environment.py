"""Virtual environments: packages that are installed for bundles.

Packages keep their own names, which are shared by the whole process: many packages have extension modules in C,
which can be loaded only once.
"""

import importlib.machinery
import importlib.metadata
import os
import sys

# The environments in use, by their folders.
_environments = {}

# The modules of environments that are not in use any more and have extension modules, by the environments' folders.
_kept_modules = {}


class Environment:
    """The packages of one virtual environment."""

    def __init__(self, folder, folders):
        self.folder, self.folders = folder, folders
        self.users = 0

    def acquire(self):
        """Counts a bundle that uses the environment. Returns the environment to use, which is another object if another
        thread has made one for the same folder meanwhile."""
        used = _environments.setdefault(self.folder, self)
        used.users += 1
        if used.users == 1:
            sys.modules.update(_kept_modules.pop(used.folder, {}))
        if _package_finder not in sys.meta_path:
            sys.meta_path.append(_package_finder)
        return used

    def release(self):
        """Stops counting a bundle. After the last one, removes the modules, and keeps them if some are extensions."""
        self.users -= 1
        if self.users:
            return
        _environments.pop(self.folder, None)
        if not _environments and _package_finder in sys.meta_path:
            sys.meta_path.remove(_package_finder)
        inside = {name: module for name, module in list(sys.modules.items()) if self.has_loaded(module)}
        for name in inside:
            sys.modules.pop(name, None)
        for folder in list(sys.path_importer_cache):
            if self.contains(folder):
                sys.path_importer_cache.pop(folder, None)
        if any(_is_extension_module(module) for module in inside.values()):
            _kept_modules[self.folder] = inside

    def find_spec(self, top):
        """Returns the spec of a top-level package; `None` if the environment does not have the package."""
        return importlib.machinery.PathFinder.find_spec(top, self.folders)

    def has_loaded(self, module):
        """Returns whether a module was loaded from this environment; not if its attributes cannot be read, as those of
        objects that stand for modules."""
        try:
            spec = getattr(module, "__spec__", None)
            origin = getattr(module, "__file__", None) or getattr(spec, "origin", None)
            if isinstance(origin, str):
                return self.contains(origin)
            locations = getattr(spec, "submodule_search_locations", None)
            return any(self.contains(location) for location in locations or () if isinstance(location, str))
        except Exception:
            return False

    def contains(self, path):
        """Returns whether a path is in the environment's folders."""
        return any(path == folder or path.startswith(folder + os.sep) for folder in self.folders)

    def python_program(self):
        """Returns the path of the environment's Python."""
        for name in ("bin/python", "Scripts/python.exe"):
            if os.path.exists(os.path.join(self.folder, name)):
                return os.path.join(self.folder, *name.split("/"))
        return "python"


class _PackageFinder:
    """Finds the packages of all environments in use."""

    def find_spec(self, fullname, path=None, target=None):
        if path is not None:
            return None
        for environment in _environments_of(sys._getframe(1)):
            spec = environment.find_spec(fullname)
            if spec is not None:
                return spec
        return None

    def find_distributions(self, context=importlib.metadata.DistributionFinder.Context()):
        folders = [folder for environment in _environments_of(sys._getframe(1)) for folder in environment.folders]
        found = importlib.metadata.DistributionFinder.Context(name=context.name, path=folders)
        return importlib.metadata.MetadataPathFinder.find_distributions(found)

    def invalidate_caches(self):
        importlib.machinery.PathFinder.invalidate_caches()


_package_finder = _PackageFinder()


def _environments_of(frame):
    """Returns the environments in which the code of a frame finds packages: the one of its bundle, the one that has the
    code's file, or all."""
    while frame is not None:
        bundle = bundle_of(frame)
        if bundle is not None:
            return [bundle.environment] if bundle.environment else []
        for environment in list(_environments.values()):
            if environment.contains(frame.f_code.co_filename):
                return [environment]
        frame = frame.f_back
    return list(_environments.values())


def is_from_other_environment(top, environment, bundle):
    """Returns whether the process has loaded a package from an environment that is not the bundle's. Raises an
    `ImportError` if the bundle's environment has a package of that name as well."""
    if not (_environments or _kept_modules) or top in _standard_names():
        return False
    loaded = sys.modules.get(top)
    if loaded is None:
        kept = _kept_modules.items()
        loaded_from = next((folder for folder, modules in kept if _has_extension_modules(modules, top)), None)
        if loaded_from is None:
            return False
    else:
        if environment and environment.has_loaded(loaded):
            return False
        loaded_from = getattr(loaded, "__file__", None) or "elsewhere"
    own = environment.find_spec(top) if environment else None
    if own is None:
        return loaded is not None and any(other.has_loaded(loaded) for other in list(_environments.values()))
    raise ImportError(
        f"the package `{top}` of bundle `{bundle}` is in {own.origin}, and another bundle has loaded it from "
        f"{loaded_from}: a process can have one of a name; let the bundles share a virtual environment", name=top)


def _is_extension_module(module):
    return isinstance(getattr(getattr(module, "__spec__", None), "loader", None),
                      importlib.machinery.ExtensionFileLoader)


def _has_extension_modules(modules, top):
    return any(_is_extension_module(module) for name, module in modules.items() if name.partition(".")[0] == top)


def _standard_names():
    return getattr(sys, "stdlib_module_names", sys.builtin_module_names)


def open_environment(folder):
    """Returns the virtual environment in a folder."""
    folder = os.path.realpath(folder)
    known = _environments.get(folder)
    if known is not None:
        return known
    if not os.path.isfile(os.path.join(folder, "pyvenv.cfg")):
        raise ValueError(f"{folder} is no virtual environment, it has no pyvenv.cfg: python -m venv {folder} makes one")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    candidates = [os.path.join(folder, "lib", f"python{version}", "site-packages"),
                  os.path.join(folder, "Lib", "site-packages")]
    site = next((candidate for candidate in candidates if os.path.isdir(candidate)), None)
    if site is None:
        made_for = _version_of(folder)
        raise ValueError(f"the virtual environment {folder} is for Python {made_for}, and this is Python "
                         f"{sys.version.split()[0]}: make it anew with python{version} -m venv {folder}")
    return Environment(folder, [site, *_pth_folders(site)])


def _version_of(folder):
    """Returns the version of Python for which an environment was made."""
    for line in _lines_of(os.path.join(folder, "pyvenv.cfg")):
        key, _, value = line.partition("=")
        if key.strip() in ("version", "version_info"):
            return value.strip()
    return "another version"


def _pth_folders(site):
    """Returns the folders that .pth files name, as editable installs do."""
    folders = []
    for name in sorted(os.listdir(site)):
        if not name.endswith(".pth"):
            continue
        for line in _lines_of(os.path.join(site, name)):
            folder = os.path.join(site, line.strip())
            if line.strip() and not line.startswith(("#", "import ", "import\t")) and os.path.isdir(folder):
                folders.append(os.path.realpath(folder))
    return folders


def _lines_of(path, limit=1 << 20):
    """Returns the lines of a small file; none for what is no regular file, as opening a pipe would wait."""
    if not os.path.isfile(path):
        return []
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read(limit).splitlines()
