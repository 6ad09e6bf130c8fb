"""Virtual environments: packages that are installed for bundles.

Packages have their own names, in the whole process, for many of them are partly written in C, and such modules can be
loaded once only.
"""

import importlib.machinery
import importlib.metadata
import os
import sys

# The environments that bundles use, by their folders.
_environments = {}

# What modules an environment had that cannot be loaded a second time, by its folders.
_kept = {}


class Environment:
    """The packages of one virtual environment."""

    def __init__(self, place, folders):
        self.place, self.folders = place, folders
        self.users = 0

    def enter(self):
        """One user more. Returns what is used: this, or what another thread has made of the same folder meanwhile."""
        used = _environments.setdefault(self.place, self)
        used.users += 1
        if used.users == 1:
            sys.modules.update(_kept.pop(used.place, {}))
        if _packages not in sys.meta_path:
            sys.meta_path.append(_packages)
        return used

    def leave(self):
        self.users -= 1
        if self.users:
            return
        _environments.pop(self.place, None)
        if not _environments and _packages in sys.meta_path:
            sys.meta_path.remove(_packages)
        inside = {name: module for name, module in list(sys.modules.items()) if self.has(module)}
        for name in inside:
            sys.modules.pop(name, None)
        for folder in list(sys.path_importer_cache):
            if self.holds(folder):
                sys.path_importer_cache.pop(folder, None)
        if any(_is_native(module) for module in inside.values()):
            _kept[self.place] = inside

    def find(self, top):
        return importlib.machinery.PathFinder.find_spec(top, self.folders)

    def has(self, module):
        """Whether a module was loaded from here. What stands for a module may run code that fails when it is asked."""
        try:
            spec = getattr(module, "__spec__", None)
            origin = getattr(module, "__file__", None) or getattr(spec, "origin", None)
            if isinstance(origin, str):
                return self.holds(origin)
            locations = getattr(spec, "submodule_search_locations", None)
            return any(self.holds(location) for location in locations or () if isinstance(location, str))
        except Exception:
            return False

    def holds(self, path):
        return any(path == folder or path.startswith(folder + os.sep) for folder in self.folders)

    def program(self):
        for name in ("bin/python", "Scripts/python.exe"):
            if os.path.exists(os.path.join(self.place, name)):
                return os.path.join(self.place, *name.split("/"))
        return "python"


class _Packages:
    """Finds the packages of all environments in use."""

    def find_spec(self, fullname, path=None, target=None):
        if path is not None:
            return None
        for environment in _environments_of(sys._getframe(1)):
            spec = environment.find(fullname)
            if spec is not None:
                return spec
        return None

    def find_distributions(self, context=importlib.metadata.DistributionFinder.Context()):
        folders = [folder for environment in _environments_of(sys._getframe(1)) for folder in environment.folders]
        found = importlib.metadata.DistributionFinder.Context(name=context.name, path=folders)
        return importlib.metadata.MetadataPathFinder.find_distributions(found)

    def invalidate_caches(self):
        importlib.machinery.PathFinder.invalidate_caches()


_packages = _Packages()


def _environments_of(frame):
    """The environments in which the code that asks finds packages: that of its bundle, or that which it lies in itself."""
    while frame is not None:
        bundle = bundle_of(frame)
        if bundle is not None:
            return [bundle.environment] if bundle.environment else []
        for environment in list(_environments.values()):
            if environment.holds(frame.f_code.co_filename):
                return [environment]
        frame = frame.f_back
    return list(_environments.values())


def is_foreign(top, environment, bundle):
    """Whether the process has a module from an environment that is not the bundle's. Raises an `ImportError` if the
    bundle's has one of that name as well."""
    if not (_environments or _kept) or top in _standard_names():
        return False
    loaded = sys.modules.get(top)
    if loaded is None:
        theirs = next((place for place, modules in _kept.items() if _has_native_parts(modules, top)), None)
        if theirs is None:
            return False
    else:
        if environment and environment.has(loaded):
            return False
        theirs = getattr(loaded, "__file__", None) or "elsewhere"
    mine = environment.find(top) if environment else None
    if mine is None:
        return loaded is not None and any(other.has(loaded) for other in list(_environments.values()))
    raise ImportError(
        f"the package `{top}` of bundle `{bundle}` is in {mine.origin}, and another bundle has loaded it from "
        f"{theirs}: a process can have one of a name; let the bundles share a virtual environment", name=top)


def _is_native(module):
    return isinstance(getattr(getattr(module, "__spec__", None), "loader", None),
                      importlib.machinery.ExtensionFileLoader)


def _has_native_parts(modules, top):
    return any(_is_native(module) for name, module in modules.items() if name.partition(".")[0] == top)


def _standard_names():
    return getattr(sys, "stdlib_module_names", sys.builtin_module_names)


def open_environment(place):
    """The virtual environment in a folder."""
    place = os.path.realpath(place)
    known = _environments.get(place)
    if known is not None:
        return known
    if not os.path.isfile(os.path.join(place, "pyvenv.cfg")):
        raise ValueError(f"{place} is no virtual environment, it has no pyvenv.cfg: python -m venv {place} makes one")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    candidates = [os.path.join(place, "lib", f"python{version}", "site-packages"),
                  os.path.join(place, "Lib", "site-packages")]
    site = next((candidate for candidate in candidates if os.path.isdir(candidate)), None)
    if site is None:
        made_for = _version_of(place)
        raise ValueError(f"the virtual environment {place} is for Python {made_for}, and this is Python "
                         f"{sys.version.split()[0]}: make it anew with python{version} -m venv {place}")
    return Environment(place, [site, *_linked(site)])


def _version_of(place):
    with open(os.path.join(place, "pyvenv.cfg"), encoding="utf-8", errors="replace") as file:
        for line in file:
            key, _, value = line.partition("=")
            if key.strip() in ("version", "version_info"):
                return value.strip()
    return "another version"


def _linked(site):
    """The folders that are named in .pth files, as those of packages that are worked on."""
    folders = []
    for name in sorted(os.listdir(site)):
        if not name.endswith(".pth"):
            continue
        with open(os.path.join(site, name), encoding="utf-8", errors="replace") as file:
            for line in file:
                folder = os.path.join(site, line.strip())
                if line.strip() and not line.startswith(("#", "import ", "import\t")) and os.path.isdir(folder):
                    folders.append(os.path.realpath(folder))
    return folders
