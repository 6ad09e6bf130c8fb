"""Processes that bundles start with `multiprocessing`.

A process that is not forked imports the modules of its functions anew. It is told, with the data that `multiprocessing`
sends first, the folders and private names of the bundles, and the files of those in packs, and runs this prelude, without
the host.
"""

import os
import sys
import types as module_types

# The texts of the prelude's files, by their names, which the loader fills in.
_sources = {}


class _Setup:
    """An object that makes the loaded bundles known in the process that unpickles it."""

    def __reduce__(self):
        bundles = [bundle.description() for bundle in list(_bundles.values())]
        contracts = [types._made_from for types in list(_types_by_contract.values())]
        return exec, (_START, {"sources": dict(_sources), "bundles": bundles, "contracts": contracts})


_START = """
names = {"__name__": "_polyplug", "_sources": sources}
for file, text in sources.items():
    exec(compile(text, f"<polyplug {file}>", "exec"), names)
names["start_without_host"](bundles, contracts)
"""


def adapt_multiprocessing(spawn):
    """Adds the bundles to what `multiprocessing` tells a process that it starts. `spawn` is the module
    `multiprocessing.spawn`, which has just been loaded."""
    real = spawn.get_preparation_data

    def get_preparation_data(name):
        data = real(name)
        if _bundles:
            data["polyplug"] = _Setup()
        return data

    spawn.get_preparation_data = get_preparation_data


def start_without_host(bundles, contracts):
    """Makes bundles known in a process that has no host."""
    global install_print, is_hostless
    install_print, is_hostless = lambda: None, True
    publish()
    kept = [make_types(*arguments)[0] for arguments in contracts]
    for name, directory, files, folders, config, venv, package, main, data, shown in bundles:
        environment = open_environment(venv) if venv else None
        functions = _HostlessFunctions(name, kept, data, shown)
        files = described_files(directory, *files)
        Bundle(functions, name, directory, files, folders, config, environment, package).make_known(*main)


def load_or_stand_in(name, load):
    """Loads a module of a bundle for a function that another process has sent. If it cannot be loaded, returns a module
    whose functions raise the reason: `multiprocessing` gives their caller the exception, and starts processes that end
    before they have read their function again and again."""
    try:
        return load()
    except Exception as error:
        reason = f"{without_private_name(name)} cannot be imported in a process that its bundle has started: " \
                 f"{type(error).__name__}: {error}"
    module = sys.modules[name] = module_types.ModuleType(name)

    def get(attribute):
        if attribute.startswith("__"):
            raise AttributeError(attribute)

        def fail(*arguments, **named):
            raise ImportError(reason, name=name)
        return fail

    module.__getattr__ = get
    return module


class _HostlessFunctions:
    """What a bundle's module `polyplug` has in place of the host's functions."""

    def __init__(self, name, contracts, data, directory):
        self.name, self.data, self._directory = name, data, directory
        self.contracts = {types._contract: types for types in contracts}

    def host(self, contract):
        return _AbsentRemote(contract)

    peer = host

    def types(self, contract):
        name, at, version = contract.partition("@")
        found = self.contracts.get(f"{name}@{version.partition('.')[0]}")
        if found is None:
            raise CallError(f"the types of {contract} were not in use when this process was started", "not_found")
        return found

    def name_files(self, traceback):
        return traceback

    def log(self, level, message):
        if sys.stderr is not None:
            shown = {"error": "error: ", "warn": "warning: "}.get(level, "")
            lines = f"{shown}{message}".split("\n")
            sys.stderr.write("".join(f"[{self.name}] {line}\n" for line in lines))

    def directory(self):
        return self._directory

    def data_path(self):
        return self.data

    def data_directory(self):
        if self.data is None:
            raise OSError(f"bundle `{self.name}` has no folder for its data")
        os.makedirs(self.data, exist_ok=True)
        return self.data


class _AbsentRemote:
    """What stands for a host contract or a peer in a process that has no host. Its methods raise a `CallError`."""

    def __init__(self, contract):
        self._contract = contract

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)

        def method(*arguments, **named):
            contract = self._contract.partition("@")[0]
            raise CallError(f"{contract}.{name}: process {os.getpid()} was started by a bundle and has no host: "
                            "call the host in the process of the host", "not_found", f"{contract}.{name}",
                            contract=contract)
        return method
