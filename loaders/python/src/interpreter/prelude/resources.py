"""The data beside the modules of a pack, for `importlib.resources`.

Nothing is imported from there: most bundles have no use for it.
"""

import errno
import io
import os
import pathlib


class PackReader:
    """Gives the data in the folders of a package (`TraversableResources`)."""

    def __init__(self, files, folders):
        self._root = PackPath(files, folders)

    def files(self):
        return self._root

    def open_resource(self, resource):
        return self._root.joinpath(resource).open("rb")

    def resource_path(self, resource):
        # Python then makes a temporary file.
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self._root.joinpath(resource)))

    def is_resource(self, name):
        return self._root.joinpath(name).is_file()

    def contents(self):
        return (item.name for item in self._root.iterdir())


class PackPath:
    """A file or a folder of a pack (`Traversable`). One path stands for all folders of a package that has several."""

    def __init__(self, files, paths):
        self._files, self._paths = files, tuple(paths)

    def __str__(self):
        return self._paths[0]

    def __repr__(self):
        return f"{type(self).__name__}({str(self)!r})"

    def __eq__(self, other):
        return type(other) is PackPath and (self._files, self._paths) == (other._files, other._paths)

    def __hash__(self):
        return hash(self._paths)

    @property
    def name(self):
        return os.path.basename(str(self))

    @property
    def stem(self):
        return pathlib.PurePath(str(self)).stem

    @property
    def suffix(self):
        return pathlib.PurePath(str(self)).suffix

    @property
    def parent(self):
        return PackPath(self._files, [os.path.dirname(str(self))])

    def is_dir(self):
        return self._files.is_folder(str(self))

    def is_file(self):
        return self._files.is_file(str(self))

    def exists(self):
        return self.is_dir() or self.is_file()

    def iterdir(self):
        names = dict.fromkeys(name for path in self._paths for name, _ in self._files.entries(path))
        return map(self.joinpath, names)

    def joinpath(self, *descendants):
        paths = [os.path.join(path, *descendants) for path in self._paths]
        folders = [path for path in paths if self._files.is_folder(path)]
        found = next((path for path in paths if path in folders or self._files.is_file(path)), paths[0])
        return PackPath(self._files, folders if found in folders else [found])

    def __truediv__(self, child):
        return self.joinpath(child)

    def open(self, mode="r", encoding=None, errors=None, newline=None):
        if sorted(mode) not in (["r"], ["b", "r"], ["r", "t"]):
            raise io.UnsupportedOperation(f"{self}: a file of a pack is opened with 'r' or 'rb', not with {mode!r}")
        data = io.BytesIO(self.read_bytes())
        return data if "b" in mode else io.TextIOWrapper(data, encoding, errors, newline)

    def read_bytes(self):
        return self._files.read(str(self))

    def read_text(self, encoding=None, errors=None):
        with self.open(encoding=encoding, errors=errors) as file:
            return file.read()


class PackNamespaceLoader:
    """Loads a package that is a set of folders of a pack, and gives the data in them."""

    def __init__(self, files, folders):
        self._reader = PackReader(files, folders)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        pass

    def is_package(self, fullname):
        return True

    def get_source(self, fullname):
        return ""

    def get_code(self, fullname):
        return compile("", "<string>", "exec", dont_inherit=True)

    def get_resource_reader(self, fullname):
        return self._reader


def adapt_resources(common):
    """Has `importlib.resources.files` ask a pack's loaders for their readers, and take packages that are folders, in
    Python 3.9. `common` is the module that makes the paths, which has just been loaded."""
    real = common.from_package

    def from_package(package):
        get_reader = getattr(package.__spec__.loader, "get_resource_reader", None)
        reader = get_reader(package.__spec__.name) if get_reader else None
        if isinstance(reader, PackReader):
            return reader.files()
        spec = package.__spec__
        if spec.origin is None and spec.submodule_search_locations:
            return pathlib.Path(next(iter(spec.submodule_search_locations)))
        return real(package)

    common.from_package = from_package
