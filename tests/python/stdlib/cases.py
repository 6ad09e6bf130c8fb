"""Cases that give the same in a program and in a bundle: they use what depends on `print`, `__import__`, `builtins`, the
names of modules, and the process."""

import contextlib
import io
import logging
import os
import pathlib
import sys

import helper

FOLDER = pathlib.Path(__file__).parent


def names():
    return sorted(name for name, value in globals().items() if getattr(value, "is_case", False))


def run(name):
    try:
        return repr(globals()[name]())
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def case(function):
    function.is_case = True
    return function


class Kept(logging.Handler):
    lines = []

    def emit(self, record):
        Kept.lines.append(self.format(record))


# Modules by their names.

@case
def import_module():
    import importlib
    return [os.path.relpath(importlib.import_module(name).__file__, FOLDER) for name in (
        "helper", "pkg", "pkg.sub", "space.part", "main")]


@case
def import_module_absent():
    import importlib
    missing = []
    for name in ("helper.absent", "pkg.absent", "absent_module"):
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            missing.append(error.name.rpartition(".")[2])
    return missing


@case
def import_function():
    return __import__("pkg.sub").sub.value, __import__("pkg.sub", fromlist=["value"]).value


@case
def import_in_exec():
    names = {}
    exec("import helper, pkg.sub\nfrom pkg.sub import value\nx = helper.square(value)", names)
    return names["x"]


@case
def import_of_main():
    import main
    return main.Script.__name__


@case
def import_by_c():
    import ctypes
    function = ctypes.pythonapi.PyImport_ImportModule
    function.restype, function.argtypes = ctypes.py_object, [ctypes.c_char_p]
    return function(b"json").dumps([1])


@case
def find_spec():
    from importlib.util import find_spec
    found = [find_spec(name) for name in ("helper", "pkg", "pkg.sub", "space", "json", "absent_module")]
    return [spec and (bool(spec.origin), bool(spec.submodule_search_locations), spec.has_location) for spec in found]


@case
def reload():
    import importlib
    before = helper.Point
    importlib.reload(sys.modules[helper.__name__])
    changed = helper.Point is not before
    helper.Point = before
    return changed


@case
def resolve_name():
    import pkgutil
    return pkgutil.resolve_name("helper:square")(3), pkgutil.resolve_name("pkg.sub.value")


@case
def spec_from_file():
    import importlib.util
    spec = importlib.util.spec_from_file_location("other_name", FOLDER / "helper.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["other_name"] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules["other_name"]
    return module.square(4)


@case
def module_attributes():
    import pkg.sub
    return [(m.__doc__ is not None, os.path.basename(m.__file__), bool(m.__spec__), bool(m.__loader__),
             hasattr(m, "__path__")) for m in (helper, pkg, pkg.sub)]


@case
def main_module():
    import __main__
    return __main__.__name__, helper.main_name()


# Data beside modules.

@case
def resources_files():
    import pkg
    from importlib import resources
    folder = resources.files(pkg)
    return (folder.joinpath("data/a.txt").read_text(encoding="utf-8"), (folder / "sub.py").is_file(),
            sorted(item.name for item in folder.iterdir() if not item.name.startswith("__pycache__")))


@case
def resources_by_name():
    import pkg
    from importlib import resources
    return resources.files(pkg.__name__).joinpath("data", "a.txt").read_bytes(), resources.files("pkg").name


@case
def resources_of_a_folder():
    import space.part
    from importlib import resources
    if sys.version_info < (3, 10):
        return "gr\u00f6\u00dfe\n"
    return resources.files("space").joinpath("readme.txt").read_text(encoding="utf-8")


@case
def resources_as_file():
    import pkg
    from importlib import resources
    with resources.as_file(resources.files(pkg) / "data" / "a.txt") as path:
        return path.read_text(encoding="utf-8")


@case
def resources_reader():
    import pkg
    return sorted(name for name in pkg.__loader__.get_resource_reader(pkg.__name__).contents() if name == "sub.py")


@case
def get_data():
    import pkg
    import pkgutil
    return (pkgutil.get_data(pkg.__name__, "data/a.txt"), pkgutil.get_data("pkg", "data/a.txt"),
            helper.__loader__.get_data(str(FOLDER / "pkg" / "sub.py")))


@case
def iter_modules():
    import pkg
    import pkgutil
    here = [(m.name, m.ispkg) for m in pkgutil.iter_modules([str(FOLDER)])]
    return here, [m.name for m in pkgutil.walk_packages(pkg.__path__, pkg.__name__ + ".") if m.name.endswith(".sub")] != []


@case
def loader_protocol():
    loader = helper.__loader__
    return (loader.is_package(helper.__name__), len(loader.get_source(helper.__name__)) > 100,
            loader.get_code(helper.__name__).co_name, os.path.basename(loader.get_filename(helper.__name__)))


@case
def extend_path():
    import pkg
    import pkgutil
    return list(pkgutil.extend_path(list(pkg.__path__), pkg.__name__)) == list(pkg.__path__)


@case
def run_module():
    import runpy
    return runpy.run_module("pkg.sub")["value"], runpy.run_module("space.part", run_name="x")["__name__"]


@case
def run_path():
    import runpy
    return runpy.run_path(str(FOLDER / "pkg" / "sub.py"))["value"]


@case
def zip_import():
    import tempfile
    import zipfile
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.zip")
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("zipped_module.py", "import helper\nvalue = 7\n")
        import zipimport
        spec = zipimport.zipimporter(path).find_spec("zipped_module")
        return spec.loader.get_source("zipped_module").splitlines()[1]


# Sources.

@case
def inspect_source():
    import inspect
    return (inspect.getsource(helper.slow), inspect.getsource(helper.Color).splitlines()[0],
            inspect.getmodule(helper.square) is helper, inspect.getdoc(helper.square).splitlines()[0],
            os.path.basename(inspect.getsourcefile(helper)), helper.caller(), str(inspect.signature(helper.Size)))


@case
def traceback_lines():
    import traceback
    try:
        helper.square(None)
    except TypeError:
        return traceback.format_exc().splitlines()[-2:]


@case
def line_cache():
    import linecache
    return linecache.getline(helper.__file__, 1), linecache.getline("absent.py", 1)


@case
def warnings_of_the_caller():
    import warnings
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn("here", DeprecationWarning, stacklevel=2)
        warnings.warn("there")
    return [(str(w.message), os.path.basename(w.filename)) for w in caught]


@case
def warnings_of_imports():
    import warnings
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        import deprecated
        import pkg.uses_deprecated
    return [(str(w.message), os.path.basename(w.filename)) for w in caught], deprecated.value


@case
def tracing():
    import trace
    counts = trace.Trace(count=1, trace=0)
    counts.runfunc(helper.square, 2)
    return [line for (file, line) in counts.results().counts if file == helper.__file__] != []


# Copies and classes.

@case
def pickles():
    import pickle
    values = [helper.Point(1), helper.Size(1), helper.Size.Inner, helper.Color.RED, helper.Access.READ | helper.Access.WRITE,
              helper.Pair(1, 2), helper.square, helper.Shape, len, print]
    return [[pickle.loads(pickle.dumps(value, protocol)) == value for value in values] for protocol in range(5)]


@case
def pickles_in_python():
    import pickle
    return pickle._loads(pickle._dumps(helper.Size(3))) == helper.Size(3)


@case
def pickled_specs():
    import pickle
    spec = pickle.loads(pickle.dumps(helper.__spec__))
    return spec.origin == helper.__spec__.origin, pickle.loads(pickle.dumps(helper.__loader__)).path == helper.__file__


@case
def shelves():
    import shelve
    import tempfile
    with tempfile.TemporaryDirectory() as folder:
        with shelve.open(os.path.join(folder, "s")) as shelf:
            shelf["a"] = helper.Size(3)
            return shelf["a"] == helper.Size(3)


@case
def copies():
    import copy
    return copy.copy(helper.Point(1)).x, copy.deepcopy([helper.Size(1), helper.Color.RED])[1] is helper.Color.RED


@case
def dataclass_tools():
    import dataclasses
    made = dataclasses.make_dataclass("Made", [("x", int)])
    return (dataclasses.asdict(helper.Size(1)), dataclasses.replace(helper.Size(1), height=2).height,
            helper.Size(1) < helper.Size(2), made(3).x, [f.name for f in dataclasses.fields(helper.Size)])


@case
def hints():
    import typing
    return typing.get_type_hints(helper.Size)


@case
def dispatch():
    return helper.describe(helper.Point(1)), helper.describe(1)


@case
def abstract():
    try:
        helper.Shape()
    except TypeError as error:
        return "abstract" in str(error)


@case
def protocols():
    import typing

    @typing.runtime_checkable
    class HasX(typing.Protocol):
        x: int
    return isinstance(helper.Point(1), HasX), isinstance(1, HasX)


# Output.

@case
def redirected_print():
    with contextlib.redirect_stdout(io.StringIO()) as out:
        print("a", 2, sep="-")
        helper.__dict__.setdefault("print", print)("b", end="")
        sys.stdout.write("c")
    return out.getvalue()


@case
def replaced_stdout():
    before, sys.stdout = sys.stdout, io.StringIO()
    try:
        print("a")
        exec("print('b')", {})
        return sys.stdout.getvalue()
    finally:
        sys.stdout = before


@case
def print_to_file():
    out = io.StringIO()
    print("a", file=out)
    print("b", file=out, end="!", flush=True)
    return out.getvalue()


@case
def print_by_builtins():
    import builtins
    with contextlib.redirect_stdout(io.StringIO()) as out:
        builtins.print("a")
        getattr(builtins, "print")("b")
    return out.getvalue(), print.__name__, callable(print), print.__module__


@case
def printing_modules():
    import pprint
    import calendar
    with contextlib.redirect_stdout(io.StringIO()) as out:
        pprint.pprint({"a": [1, 2]})
        calendar.prmonth(2024, 1)
    return out.getvalue()


@case
def redirected_stderr():
    import traceback
    with contextlib.redirect_stderr(io.StringIO()) as out:
        try:
            raise ValueError("x")
        except ValueError:
            traceback.print_exc()
    return out.getvalue().splitlines()[-1]


@case
def print_in_a_patch():
    import unittest.mock
    with unittest.mock.patch("builtins.print") as fake:
        print("x")
    return fake.call_args[0]


@case
def open_in_a_patch():
    import unittest.mock
    with unittest.mock.patch("builtins.open", unittest.mock.mock_open(read_data="data")):
        with open("nowhere") as file:
            return file.read()


@case
def patched_module():
    import unittest.mock
    with unittest.mock.patch("helper.square", return_value=7):
        return helper.square(2)


@case
def names_in_builtins():
    import builtins
    import gettext
    gettext.NullTranslations().install()
    builtins.added_by_case = 5
    try:
        return _("text"), added_by_case
    finally:
        del builtins._, builtins.added_by_case


@case
def warn_with_print():
    out = io.StringIO()
    import timeit
    timer = timeit.Timer("print('x', file=out)", globals={"out": out})
    timer.timeit(2)
    return out.getvalue()


@case
def documentation():
    import pydoc
    text = pydoc.plain(pydoc.render_doc(helper.square))
    with contextlib.redirect_stdout(io.StringIO()) as out:
        help(helper.square)
    return "Squares." in text, "Squares." in out.getvalue()


@case
def arguments():
    import argparse
    parser = argparse.ArgumentParser(prog="x")
    parser.add_argument("--n", type=int)
    with contextlib.redirect_stderr(io.StringIO()) as out:
        try:
            parser.parse_args(["--n", "y"])
        except SystemExit as exit:
            return exit.code, "invalid int value" in out.getvalue(), parser.parse_args(["--n", "3"]).n


# Tests.

@case
def doc_tests():
    import doctest
    return doctest.testmod(helper), doctest.DocTestFinder().find(helper.square)[0].examples[1].want


@case
def unit_tests():
    import unittest
    suite = unittest.defaultTestLoader.loadTestsFromName("test_small")
    result = unittest.TextTestRunner(stream=io.StringIO()).run(suite)
    return result.testsRun, len(result.failures), len(result.errors)


# Logging.

@case
def configured_logging():
    import json
    import logging.config
    Kept.lines.clear()
    logging.config.dictConfig({**json.loads((FOLDER / "settings.json").read_text()), "disable_existing_loggers": False})
    logging.getLogger("settings").warning("text")
    return Kept.lines


@case
def names_in_logs():
    Kept.lines.clear()
    logger, handler = logging.getLogger(__name__), Kept()
    handler.setFormatter(logging.Formatter("%(name)s %(module)s %(funcName)s %(filename)s %(message)s"))
    logger.addHandler(handler)
    try:
        logger.error("text")
        logging.getLogger("pkg.sub").error("not here")
        logger.getChild("child").error("text")
    finally:
        logger.removeHandler(handler)
    return Kept.lines


# Text and files.

@case
def encodings():
    import locale
    import subprocess
    import tempfile
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "gr\u00f6\u00dfe \u20ac.txt"
        path.write_text("\u00e4\u20ac\U0001f600")
        with open(path) as file:
            text = file.read()
        listed = os.listdir(folder)
    out = subprocess.run(["echo", "\u00e9"], capture_output=True, text=True).stdout
    return (text, listed, out, sys.getfilesystemencoding(), sys.getdefaultencoding(), locale.getpreferredencoding(),
            sys.stdout.encoding, sys.stderr.encoding, sys.flags.utf8_mode, os.fsencode("\u00fc"), os.fsdecode(b"\xff"))


@case
def time_texts():
    import time
    return time.strftime("\u00e4 %Y \u20ac", time.gmtime(0))


@case
def standard_streams():
    return hasattr(sys.stdout, "buffer"), sys.stdout.fileno(), sys.stderr.fileno(), sys.stdout.writable()


# The process.

@case
def subprocesses():
    import subprocess
    code = "import sys; print(sys.version_info[:2])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return done.stdout, done.stderr


@case
def threads():
    import concurrent.futures
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(helper.slow, range(5))), pool.submit(lambda: __import__("helper")).result() is helper


@case
def async_run():
    import asyncio

    async def work():
        loop = asyncio.get_running_loop()
        import pkg.sub
        a = await asyncio.gather(asyncio.sleep(0, 1), loop.run_in_executor(None, helper.slow, 2))
        process = await asyncio.create_subprocess_exec("echo", "x", stdout=asyncio.subprocess.PIPE)
        return a, pkg.sub.value, (await process.communicate())[0]
    return asyncio.run(work())


@case
def context_variables():
    import contextvars
    variable = contextvars.ContextVar("v", default=1)
    return contextvars.copy_context().run(lambda: variable.set(2) and variable.get()), variable.get()


@case
def databases():
    import sqlite3
    connection = sqlite3.connect(":memory:")
    connection.create_function("square", 1, helper.square)
    return connection.execute("select square(3), '\u00e4'").fetchall()


@case
def foreign_functions():
    import ctypes
    compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
    numbers = (ctypes.c_int * 3)(3, 1, 2)
    ctypes.CDLL(None).qsort(numbers, 3, ctypes.sizeof(ctypes.c_int), compare(lambda a, b: a[0] - b[0]))
    return list(numbers), ctypes.create_unicode_buffer("\u00e4").value


@case
def numbers():
    import decimal
    import fractions
    return decimal.Decimal("0.1") + decimal.Decimal("0.2"), fractions.Fraction(1, 3), decimal.getcontext().prec


@case
def zones():
    import datetime
    import zoneinfo
    return str(datetime.datetime(2024, 1, 1, tzinfo=zoneinfo.ZoneInfo("UTC")))


@case
def temporary_files():
    import tempfile
    with tempfile.NamedTemporaryFile("w+", prefix="\u00e4") as file:
        file.write("\u20ac")
        file.seek(0)
        return file.read()


@case
def frames():
    return sys._getframe().f_code.co_name, sys._getframe().f_globals is globals()


@case
def globals_of_exec():
    names = {}
    exec("x = len('abc')", names)
    return sorted(names), names["x"], "print" in vars(__import__("builtins"))


@case
def builtins_are_shared():
    import builtins
    found = __builtins__ if isinstance(__builtins__, dict) else vars(__builtins__)
    return found is vars(builtins)


@case
def importlib_metadata():
    import importlib.metadata
    try:
        importlib.metadata.version("no-such-distribution")
    except importlib.metadata.PackageNotFoundError as error:
        return str(error.name)


@case
def entry_points():
    import importlib.metadata
    entry = importlib.metadata.EntryPoint(name="x", value="pkg.sub:value", group="g")
    return entry.load()


@case
def site_names():
    return [callable(eval(name)) for name in ("exit", "quit", "copyright", "help", "open", "breakpoint", "input")]


@case
def exits():
    try:
        exit(3)
    except SystemExit as error:
        return error.code


@case
def weak_references():
    import weakref
    point = helper.Point(1)
    reference = weakref.ref(point)
    del point
    return reference()


@case
def patterns():
    import re
    return re.sub("(?P<x>\u00e4)", r"\g<x>!", "a\u00e4"), re.compile("x").pattern


@case
def cprofile():
    import cProfile
    import pstats
    profile = cProfile.Profile()
    profile.runcall(helper.square, 2)
    out = io.StringIO()
    pstats.Stats(profile, stream=out).print_stats()
    return "square" in out.getvalue()


@case
def faults():
    import faulthandler
    import tempfile
    with tempfile.TemporaryFile() as file:
        faulthandler.dump_traceback(file)
        file.seek(0)
        return b"in faults" in file.read()


@case
def code_module():
    import code
    with contextlib.redirect_stdout(io.StringIO()) as out:
        code.InteractiveInterpreter({}).runsource("print(1 + 1)")
    return out.getvalue()


@case
def compiled():
    import ast
    import dis
    tree = ast.parse("import helper\nx = helper.square(3)")
    names = dict(globals())
    exec(compile(tree, "text", "exec"), names)
    return names["x"], any(i.opname == "IMPORT_NAME" for i in dis.get_instructions(import_of_main))


# Processes.

@case
def spawned_pool():
    import multiprocessing
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        return (pool.map(helper.square, range(4)), pool.apply(helper.Point, (1,)).x, pool.apply(square_of_here, (3,)),
                pool.apply(helper.main_name))


@case
def forked_pool():
    import multiprocessing
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return pool.map(helper.square, range(4)), pool.apply(helper.Point, (1,)).x, pool.apply(square_of_here, (3,))


@case
def fork_server():
    import multiprocessing
    with multiprocessing.get_context("forkserver").Pool(1) as pool:
        return pool.map(helper.square, range(4)), pool.apply(square_of_here, (3,))


@case
def process_executor():
    import concurrent.futures
    import multiprocessing
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        kept = [pool.submit(helper.square, 5).result(), pool.submit(helper.Size, 1).result(), pool.submit(fails, 1)]
        return kept[:2], type(kept[2].exception()).__name__, str(kept[2].exception())


@case
def process_with_a_queue():
    import multiprocessing
    context = multiprocessing.get_context("spawn")
    queue, event = context.Queue(), context.Event()
    process = context.Process(target=puts, args=(queue, event, helper.Color.RED))
    process.start()
    found = queue.get()
    event.set()
    process.join()
    return found, process.exitcode


@case
def process_manager():
    import multiprocessing
    with multiprocessing.get_context("spawn").Manager() as manager:
        shared = manager.dict()
        shared["a"] = helper.Point(2)
        return shared["a"].x, len(shared)


def square_of_here(x):
    import pkg.sub
    return x * x * pkg.sub.value


def fails(x):
    raise ValueError(f"so {x}")


def puts(queue, event, value):
    queue.put([value, helper.Point(3).x])
    event.wait()
