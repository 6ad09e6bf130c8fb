"""Virtual environments: packages that are installed for bundles.

Packages keep their own names, which are shared by the whole process: many packages have extension modules in C,
which can be loaded only once.
"""

import importlib.machinery
import importlib.metadata
import os
import re
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
            # Before the packages of Python itself, which a program of the environment would not see either.
            first = [at for at, finder in enumerate(sys.meta_path) if finder is importlib.machinery.PathFinder]
            sys.meta_path.insert(first[0] if first else len(sys.meta_path), _package_finder)
            sys.meta_path.append(_rest_finder)
        return used

    def release(self):
        """Stops counting a bundle. After the last one, removes the modules, and keeps them if some are extensions."""
        self.users -= 1
        if self.users:
            return
        _environments.pop(self.folder, None)
        for finder in (_package_finder, _rest_finder):
            if not _environments and finder in sys.meta_path:
                sys.meta_path.remove(finder)
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

    def editable_file(self, top):
        """Returns the .pth file whose code would make a package known, as some editable installs do; `None` if there is
        none. Such code is not run: it would change the search for modules of the whole process."""
        site = self.folders[0]
        for name in sorted(os.listdir(site)):
            if not name.endswith(".pth"):
                continue
            path = os.path.join(site, name)
            for line in _read(path).splitlines():
                module = re.match(r"import\s+(\w+)", line)
                # The file of setuptools imports a module with a table of the packages and their folders.
                if module and repr(top) in _read(os.path.join(site, module[1] + ".py")):
                    return path
        return None

    def python_program(self):
        """Returns the path of the environment's Python."""
        for name in ("bin/python", "Scripts/python.exe"):
            if os.path.exists(os.path.join(self.folder, name)):
                return os.path.join(self.folder, *name.split("/"))
        return "python"


class _PackageFinder:
    """Finds the packages of the environments in use for the code that they are meant for."""

    def find_spec(self, fullname, path=None, target=None):
        if path is not None or fullname in _standard_names():
            return None
        for environment in self._environments(sys._getframe().f_back):
            spec = environment.find_spec(fullname)
            if spec is not None:
                return spec
        return None

    def find_distributions(self, context=importlib.metadata.DistributionFinder.Context()):
        folders = [folder for environment in self._environments(sys._getframe().f_back) for folder in environment.folders]
        found = importlib.metadata.DistributionFinder.Context(name=context.name, path=folders)
        return importlib.metadata.MetadataPathFinder.find_distributions(found)

    def invalidate_caches(self):
        importlib.machinery.PathFinder.invalidate_caches()

    def _environments(self, frame):
        return _environments_of(frame) or []


class _RestFinder(_PackageFinder):
    """Finds the packages of all environments for code that belongs neither to a bundle nor to an environment."""

    def _environments(self, frame):
        return list(_environments.values()) if _environments_of(frame) is None else []


_package_finder, _rest_finder = _PackageFinder(), _RestFinder()


def _environments_of(frame):
    """Returns the environments in which the code of a frame finds packages: the one of its bundle, or the one that has
    the code's file; `None` if the code is of neither."""
    while frame is not None:
        bundle = bundle_of(frame)
        if bundle is not None:
            return [bundle.environment] if bundle.environment else []
        for environment in list(_environments.values()):
            if environment.contains(frame.f_code.co_filename):
                return [environment]
        frame = frame.f_back
    return None


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


def _names_of_the_standard_library():
    names = set(sys.builtin_module_names)
    folder = os.path.dirname(os.__file__)
    for place in (folder, os.path.join(folder, "lib-dynload")):
        names.update(name.partition(".")[0] for name in (os.listdir(place) if os.path.isdir(place) else ()))
    return names


# Python 3.9 does not know the names.
_stdlib_names = getattr(sys, "stdlib_module_names", None) or _names_of_the_standard_library()


def _standard_names():
    return _stdlib_names


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


def _read(path):
    """Returns the text of a file; nothing if it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


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
