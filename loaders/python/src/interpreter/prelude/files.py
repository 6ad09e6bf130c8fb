"""The files of a version of a bundle: those of a folder, or of a pack that is in memory.

Everybody sees the paths of the bundle's own directory or pack. The objects say what the version has under a path, and read
it.
"""

import errno
import os
import posixpath
import sys


class FolderFiles:
    """The files of a bundle in a folder. A version may run from a private copy of the bundle's directory, which does not
    change, and which nobody sees. A bundle from memory has neither."""

    def __init__(self, directory, stored, host_functions=None):
        # The bundle's own directory, whose paths everybody sees, and the one that files are read from.
        self._directory, self._stored = directory, stored
        self._host = host_functions

    def __reduce__(self):
        return files_at, (self._directory,)

    @property
    def are_apart(self):
        """Whether the files are others than those that the disk has under their paths, or may be so."""
        return self._stored != self._directory

    def stored(self, path):
        """Returns the path under which a file is read."""
        path = str(path)
        if path == self._directory:
            return self._stored
        if not self.are_apart or not path.startswith(self._directory + os.sep):
            return path
        return self._stored + path[len(self._directory):]

    def is_file(self, path):
        """Returns whether there is a file at a path."""
        return os.path.isfile(self.stored(path))

    def is_folder(self, path):
        """Returns whether there is a folder at a path."""
        return os.path.isdir(self.stored(path))

    def entries(self, folder):
        """Returns the names in a folder, each with whether it is a folder's. Raises an `OSError` if there is no such
        folder."""
        with os.scandir(self.stored(folder)) as entries:
            return [(entry.name, entry.is_dir()) for entry in entries]

    def read(self, path):
        """Returns the bytes of a file."""
        try:
            with open(self.stored(path), "rb") as file:
                return file.read()
        except OSError as error:
            error.filename = path
            raise

    def read_program(self, path):
        """Returns the bytes of a file with code. The host reads the file, which may be something else than a file of the
        bundle."""
        return self._host.read_program(path) if self._host else self.read(path)

    def extension_file(self, path):
        """Returns the file that the system loads an extension module from; `None` if there is none. Raises an
        `ImportError` if the file lies outside of the bundle."""
        if not self.is_file(path):
            return None
        if self._host:
            self._host.check_inside(path)
        return self.stored(path)

    def resource_reader(self, folders):
        """Returns what reads the data in the folders of a package: `None` stands for Python's own reader."""
        return None

    def namespace_loader(self, folders):
        """Returns the loader of a package that is a set of folders: `None` stands for Python's own loader."""
        return None

    def description(self):
        """Returns what another process needs to read the files: see `described_files`."""
        return self._stored, None

    def close(self):
        """Gives up the copy and the host. Code that still runs finds what the disk has."""
        self._stored, self._host = self._directory, None


class PackFiles:
    """The files of a bundle in a pack, under paths below that of the pack's file. `pack` gives the names of the files, and
    reads them."""

    are_apart = True

    def __init__(self, path, pack):
        self._path, self._pack = path, pack
        # The names in each folder, with whether they are folders', by the name of the folder in the pack.
        self._folders = {"": {}}
        for name in pack.names():
            is_folder = False
            while name:
                parent, _, last = name.rpartition("/")
                self._folders.setdefault(parent, {})[last] = is_folder
                name, is_folder = parent, True

    def __reduce__(self):
        return files_at, (self._path,)

    def is_file(self, path):
        return self._is_file(self._name(path))

    def is_folder(self, path):
        return self._name(path) in self._folders

    def entries(self, folder):
        name = self._name(folder)
        if name in self._folders:
            return list(self._folders[name].items())
        raise _error(errno.ENOTDIR if self._is_file(name) else errno.ENOENT, folder)

    def read(self, path):
        return self._pack.read(self._name_of_file(path))

    def read_program(self, path):
        return self._pack.read_program(self._name_of_file(path))

    def extension_file(self, path):
        return None  # a pack with one is unpacked

    def resource_reader(self, folders):
        return PackReader(self, folders)

    def namespace_loader(self, folders):
        return PackNamespaceLoader(self, folders)

    def description(self):
        return None, {name: self._pack.read(name) for name in self._pack.names()}

    def close(self):
        pass  # what has the files keeps them

    def _name(self, path):
        """Returns the name that a path has in the pack; `None` for other paths."""
        path, start = os.fspath(path), self._path + os.sep
        if path == self._path:
            return ""
        if not path.startswith(start):
            return None
        name = posixpath.normpath(path[len(start):].replace(os.sep, "/"))
        return "" if name == "." else name

    def _is_file(self, name):
        if not name:
            return False
        folder, _, last = name.rpartition("/")
        return self._folders.get(folder, {}).get(last) is False

    def _name_of_file(self, path):
        name = self._name(path)
        if self._is_file(name):
            return name
        raise _error(errno.EISDIR if name in self._folders else errno.ENOENT, path)


class _SentPack:
    """A pack in a process that a bundle has started."""

    def __init__(self, contents):
        self.contents = contents
        self.read = self.read_program = contents.__getitem__

    def names(self):
        return list(self.contents)


def described_files(directory, stored, contents):
    """Returns the files that another process has described."""
    return FolderFiles(directory, stored) if contents is None else PackFiles(directory, _SentPack(contents))


def files_at(directory):
    """Returns the files of a directory or pack that a pickle names: those of the bundle that reads the pickle, or else of
    the last one that has them."""
    bundles = [bundle for bundle in reversed(list(_bundles.values())) if bundle.directory == directory]
    reader = _bundle_in_stack(None, sys._getframe())
    bundle = reader if reader in bundles else next(iter(bundles), None)
    return bundle.files if bundle else FolderFiles(directory, directory)


def _error(number, path):
    """Returns the exception that `open` raises for a reason, such as a `FileNotFoundError`."""
    return OSError(number, os.strerror(number), str(path))
