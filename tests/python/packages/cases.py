"""Cases with packages from PyPI, which give the same in a program and in a bundle."""

import contextlib
import io
import os
import pathlib
import pickle
import sys

import commands

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


@case
def pydantic_models():
    import pydantic
    model = commands.Model(x="1", next={"x": 2})
    try:
        commands.Model(x="no")
    except pydantic.ValidationError as error:
        wrong = error.error_count()
    return model, wrong, pickle.loads(pickle.dumps(model)) == model, sorted(commands.Model.model_json_schema())


@case
def attrs_classes():
    import attrs
    box = commands.Box(1)
    return box, attrs.asdict(box), pickle.loads(pickle.dumps(box)) == box, attrs.resolve_types(commands.Box) is commands.Box


@case
def certificates():
    import certifi
    return len(certifi.contents()) > 1000, os.path.isfile(certifi.where())


@case
def click_commands():
    from click.testing import CliRunner
    result = CliRunner().invoke(commands.hello, ["--count", "2", "x"])
    return result.output, result.exit_code, CliRunner().invoke(commands.hello, []).exit_code


@case
def jinja_loaders():
    import jinja2
    found = []
    for package in ("views", commands.__name__.replace("commands", "views")):
        environment = jinja2.Environment(loader=jinja2.PackageLoader(package))
        found.append((environment.get_template("page.txt").render(name="x"), environment.list_templates()))
    files = jinja2.Environment(loader=jinja2.FileSystemLoader(FOLDER / "views" / "templates"))
    return found, files.from_string("{% for n in range(3) %}{{ n }}{% endfor %}").render()


@case
def yaml_objects():
    import yaml
    text = yaml.safe_dump({"a": [1, "\u00e4"]}, allow_unicode=True)
    return yaml.safe_load(text), yaml.safe_load("!loaded {x: 1}").x, yaml.unsafe_load("!!python/name:commands.Box").__name__


@case
def versions():
    import importlib.metadata
    from packaging.version import Version
    return Version("1.10") > Version("1.9"), importlib.metadata.version("packaging") != "", [
        entry.name for entry in importlib.metadata.distribution("jinja2").entry_points]


@case
def six_moves():
    import six
    import six.moves.urllib.parse
    from six.moves import range as six_range, configparser
    return six.moves.urllib.parse.quote("\u00e4"), list(six_range(2)), configparser.__name__, six.PY3


@case
def cloud_pickles():
    import cloudpickle
    local = 3
    restored = pickle.loads(cloudpickle.dumps(lambda x: x * local))
    return restored(2), cloudpickle.loads(cloudpickle.dumps(commands.Box(1))), cloudpickle.loads(
        cloudpickle.dumps(commands.Box)) is commands.Box


@case
def progress_bars():
    import tqdm
    out = io.StringIO()
    total = sum(tqdm.tqdm(range(3), file=out))
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        tqdm.tqdm.write("x")
    return total, "3/3" in out.getvalue(), printed.getvalue()


@case
def pytest_runs():
    import pytest

    class Counts:
        outcomes = []

        def pytest_runtest_logreport(self, report):
            if report.when == "call":
                self.outcomes.append((report.nodeid.rpartition("::")[2], report.outcome, report.capstdout))

    counts = Counts()
    with contextlib.redirect_stdout(io.StringIO()):
        code = pytest.main(["-q", "-p", "no:cacheprovider", str(FOLDER / "test_sample.py")], plugins=[counts])
    return int(code), counts.outcomes


@case
def package_resources():
    try:
        import pkg_resources
    except ImportError:
        return None
    return pkg_resources.resource_string(commands.__name__.replace("commands", "views"), "templates/page.txt")
