"""The import of modules by a bundle's code: by statements, and by functions that get a name.

`__import__` of the module `builtins` is replaced while bundles are loaded, and leads on to the bundle whose code
imports. A private copy of `builtins` for each bundle would not have what other code adds to the module later.
"""

import builtins
import importlib
import importlib._bootstrap
import sys

_real_import = builtins.__import__
_real_find_and_load = importlib._bootstrap._find_and_load



def _import_by_statement(name, globals=None, locals=None, fromlist=(), level=0):
    if level == 0:
        bundle = _bundle_that_imports(globals)
        if bundle is not None:
            return bundle.import_by_statement(name, globals, locals, fromlist)
    try:
        return _real_import(name, globals, locals, fromlist, level)
    except ModuleNotFoundError as error:
        _explain_closed_bundle(globals, error)
        raise


_import_by_statement.__name__ = _import_by_statement.__qualname__ = "__import__"
_import_by_statement.__module__, _import_by_statement.__doc__ = "builtins", _real_import.__doc__


def _bundle_that_imports(globals):
    """Returns the bundle whose code executes an `import`; `None` for other code."""
    # Extension modules pass their own names, and have no frame.
    name = globals.get("__name__") if globals is not None else None
    if isinstance(name, str):
        return _bundles.get(name.partition(".")[0])
    return bundle_of(_named_frame(sys._getframe().f_back.f_back))


def _explain_closed_bundle(globals, error):
    """Raises an error that says so if the module that is missing is one of a bundle that is closed."""
    package = globals.get("__name__") if globals is not None else None
    package = package.partition(".")[0] if isinstance(package, str) else ""
    if package.startswith(_PREFIX) and package not in _bundles:
        name = (error.name or "").replace(package + ".", "")
        raise ModuleNotFoundError(f"the module `{name}` cannot be imported: the bundle of the code that imports it has "
                                  "been unloaded or replaced", name=error.name) from None


def import_decided(name, globals=None, locals=None, fromlist=()):
    """Imports a module that is not the bundle's own."""
    return _real_import(name, globals, locals, fromlist, 0)


def _find_and_load(name, import_):
    """Imports a module that `sys.modules` does not have, or that `importlib.import_module` was asked for. The function
    takes the place of the one that all ways to import end in."""
    if name in _adapted_modules:
        # The change comes before the importer takes names out of the module.
        module = _real_find_and_load(name, import_)
        adapt_modules()
        return module
    if not _bundles or name.partition(".")[0] in _bundles:
        if is_hostless and _bundles and _asking_bundle(sys._getframe().f_back)[0] is None:
            return load_or_stand_in(name, lambda: _real_find_and_load(name, import_))
        return _real_find_and_load(name, import_)
    bundle, is_direct = _asking_bundle(sys._getframe().f_back)
    if bundle is None:
        return _real_find_and_load(name, import_)
    if is_direct:
        return bundle.import_by_name(name, lambda: _real_find_and_load(name, import_))
    top = name.partition(".")[0]
    if bundle.has_module_for_others(top) and importlib._bootstrap._find_spec(top, None) is None:
        return importlib._bootstrap._gcd_import(f"{bundle.package}.{name}")
    return _real_find_and_load(name, import_)


def _asking_bundle(frame):
    """Returns the bundle whose code has asked for a module by calling a function, such as `importlib.import_module` or
    one that calls it, and whether nothing but `importlib` is between. Modules that import others while they are loaded
    do not ask for a bundle: they are shared."""
    is_direct = True
    while frame is not None:
        code = frame.f_code
        if code is import_decided.__code__:
            return None, False
        if code is not _import_by_statement.__code__ and not _is_importlib(code.co_filename):
            bundle = bundle_of(frame)
            if bundle is not None:
                return bundle, is_direct
            if code.co_name == "<module>":
                return None, False
            is_direct = False
        frame = frame.f_back
    return None, False


def _is_importlib(filename):
    return filename.startswith("<frozen importlib") or filename == importlib.__file__


class _AskedFinder:
    """Finds the modules of the bundle whose code asks for a spec, such as by `importlib.util.find_spec`."""

    def find_spec(self, fullname, path=None, target=None):
        frame = sys._getframe().f_back
        while frame is not None and frame.f_code is not _find_and_load.__code__ and _is_importlib(frame.f_code.co_filename):
            frame = frame.f_back
        if frame is None or frame.f_code is _find_and_load.__code__:
            return None  # the module is imported, and not only looked for
        bundle, _ = _asking_bundle(frame)
        if bundle is None or not bundle.has_module_for_others(fullname.partition(".")[0]):
            return None
        private = f"{bundle.package}.{fullname}"
        return _finder.find_spec(private, path) or getattr(sys.modules.get(private), "__spec__", None)

    def invalidate_caches(self):
        pass


_asked_finder = _AskedFinder()


# The modules of the standard library that are changed when they have been loaded, and the functions that do it.
_adapted_modules = {}


def adapt_modules():
    """Changes the modules that are to be changed and have been loaded by now. Each is changed once."""
    for name in list(_adapted_modules):
        module = sys.modules.get(name)
        adapt = _adapted_modules.pop(name, None) if module is not None else None
        if adapt:
            adapt(module)


def install_imports():
    """Replaces the import while there are bundles. Called for each new one."""
    adapt_modules()
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
        sys.meta_path.append(_asked_finder)
        sys.path_hooks.insert(0, folder_hook)
    if builtins.__import__ is _real_import:
        builtins.__import__ = _import_by_statement
    importlib._bootstrap._find_and_load = _find_and_load


def uninstall_imports():
    """Takes the replacements back, except one that other code has replaced itself. In an interpreter of the loader's
    own they stay, for code of a closed bundle that still runs."""
    for finder in (_finder, _asked_finder):
        if finder in sys.meta_path:
            sys.meta_path.remove(finder)
    if folder_hook in sys.path_hooks:
        sys.path_hooks.remove(folder_hook)
    if _hooks:
        return
    if builtins.__import__ is _import_by_statement:
        builtins.__import__ = _real_import
    if importlib._bootstrap._find_and_load is _find_and_load:
        importlib._bootstrap._find_and_load = _real_find_and_load


_adapted_modules.update({"pickle": adapt_pickle, "multiprocessing.spawn": adapt_multiprocessing})
if sys.version_info < (3, 10):
    _adapted_modules["importlib._common"] = adapt_resources
