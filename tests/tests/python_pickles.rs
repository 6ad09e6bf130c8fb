//! Pickles in Python: of objects of a bundle, which a later version reads, and of values of contracts' types.

use polyplug::Runtime;
use polyplug_python::PythonLoader;
use polyplug_tests::child;
use polyplug_tests::lua::run;
use polyplug_tests::python::{SCRIPT, loaded, python_bundle, python_runtime};

const STATE: &str = r#"
import pickle
import helper
from polyplug import plugin, types

Row = types("test.rows@1").Row


class Kept:
    def __init__(self, value):
        self.value = value


@plugin("test.script@1")
class Script:
    def __init__(self):
        self.state = []

    def run(self, code):
        if code:
            self.state = [helper.Point(3), Kept(4), Row("x", 5), helper.Point]
        point, kept, row, cls = self.state
        return f"{point.where()} {kept.value} {row.size} {cls is helper.Point} {type(kept) is Kept} {type(row) is Row}"

    def save(self):
        return pickle.dumps(self.state)

    def restore(self, state, version):
        self.state = pickle.loads(state)
"#;

fn helper(version: &str) -> String {
    format!(
        "class Point:\n    def __init__(self, x): self.x = x\n    def where(self): return f'{version}:{{self.x}}'\n"
    )
}

#[test]
fn a_later_version_reads_them() {
    let bundle = python_bundle("python", "", &[("main.py", STATE), ("helper.py", &helper("one"))]);
    let runtime = Runtime::builder().loader(PythonLoader::new()).hot_reload(true).build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    let script = runtime.proxy::<dyn polyplug_tests::lua::Script>().unwrap();
    assert_eq!(script.run("fill").as_deref(), Ok("one:3 4 5 True True True"));
    for version in ["two", "three"] {
        bundle.write("helper.py", helper(version));
        runtime.reload_bundle(bundle.path()).unwrap();
        assert_eq!(script.run(""), Ok(format!("{version}:3 4 5 True True True")));
    }
}

#[test]
fn a_bundle_reads_what_it_wrote_to_a_file_before_it_was_loaded_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept").display().to_string();
    let bundle = python_bundle("python", "", &[("helper.py", &helper("one"))]);
    let runtime = python_runtime(PythonLoader::new());
    let id = runtime.load_bundle(bundle.path()).unwrap();
    let written = format!(
        "import helper, pickle, pathlib\nfor n in range(6):\n \
         pathlib.Path({path:?} + str(n)).write_bytes(pickle.dumps([helper.Point(n)], n))"
    );
    run(&runtime, &written.replace("range(6)", "range(pickle.HIGHEST_PROTOCOL + 1)")).unwrap();
    runtime.unload_bundle(id).unwrap();
    bundle.write("helper.py", helper("two"));
    runtime.load_bundle(bundle.path()).unwrap();
    for read in [
        "pickle.loads(pathlib.Path(path).read_bytes())",
        "pickle.loads(bytearray(pathlib.Path(path).read_bytes()))",
        "pickle.loads(memoryview(pathlib.Path(path).read_bytes()))",
        "pickle.load(open(path, 'rb'))",
        "pickle.Unpickler(open(path, 'rb')).load()",
        "pickle._Unpickler(open(path, 'rb')).load()",
        "type('Mine', (pickle.Unpickler,), {})(open(path, 'rb')).load()",
        "concurrent.futures.ThreadPoolExecutor(1).submit(pickle.load, open(path, 'rb')).result()",
    ] {
        let code = format!(
            "import pickle, pathlib, concurrent.futures\nfound = []\nfor n in range(pickle.HIGHEST_PROTOCOL + 1):\n \
             path = {path:?} + str(n)\n found += [p.where() for p in {read}]\nreturn found[0], found[-1][:4]"
        );
        assert_eq!(run(&runtime, &code).as_deref(), Ok("('two:0', 'two:')"), "{read}");
    }
}

#[test]
fn values_of_contracts_are_copied_and_pickled() {
    let runtime = loaded(SCRIPT);
    let values = "from polyplug import types, Some, Ok, Err, Declared, CallError, AbiError, AbiErrorCode\n\
                  import pickle, copy\nT = types('test.types@1')\nR = types('test.rows@1')\n\
                  class Heir(R.Row): pass\nglobals()['Heir'] = Heir\nHeir.__qualname__ = 'Heir'\n\
                  values = [R.Row('x', 1), R.Row('x', 1, None), R.Color.Green, R.Shape.Circle(radius=1.5), R.Shape.Empty(), \
                  [R.Row('x', n) for n in range(3)], {R.Color.Green: Some(R.Row('x', 2))}, Ok(1), Err(R.Color.Red), \
                  R.Pair(1, 'x'), AbiErrorCode.Panic, AbiError(3, 'x'), Heir('x', 2)]\n";
    for how in
        ["copy.copy(v)", "copy.deepcopy(v)", "pickle.loads(pickle.dumps(v, n))", "pickle._loads(pickle._dumps(v, n))"]
    {
        let code = format!(
            "{values}wrong = []\nfor n in range(pickle.HIGHEST_PROTOCOL + 1):\n for v in values:\n  w = {how}\n  \
             if w != v or type(w) is not type(v): wrong.append((n, v, w))\nreturn wrong"
        );
        assert_eq!(run(&runtime, &code).as_deref(), Ok("[]"), "{how}");
    }
    // Exceptions are equal to themselves alone.
    let code = format!(
        "{values}error = pickle.loads(pickle.dumps(R.Problem('so', 3)))\nsame = copy.copy(error)\n\
         call = pickle.loads(pickle.dumps(CallError('x', 'panic', 'm')))\ndeclared = pickle.loads(pickle.dumps(Declared(5)))\n\
         return type(error) is R.Problem, error, same.code, str(call), call.kind, call.method, declared.value"
    );
    let expected = "(True, Problem(text='so', code=3), 3, 'x', 'panic', 'm', 5)";
    assert_eq!(run(&runtime, &code).as_deref(), Ok(expected));
    // A record that contains itself.
    let code = "from polyplug import types\nimport pickle\nT = types('test.rows@1')\nr = T.Row('x', 1)\nr.note = [r]\n\
                c = pickle.loads(pickle.dumps(r))\nreturn c.note[0] is c";
    assert_eq!(run(&runtime, code).as_deref(), Ok("True"));
}

const POOL: &str = r#"
import multiprocessing
from polyplug import host, plugin, types
import work

logger = host("test.logger@1")
Row = types("test.rows@1").Row


def of_main(row):
    return Row(row.name + "!", row.size + 1)


def calls_the_host(line):
    return logger.log(line)


@plugin("test.script@1")
class Script:
    def run(self, method):
        with multiprocessing.get_context(method).Pool(2) as pool:
            rows = pool.map(of_main, [Row("x", n) for n in range(3)])
            try:
                pool.apply(calls_the_host, ("x",))
                failed = None
            except Exception as error:
                failed = f"{type(error).__name__} {error.kind}: {error}"
            return f"{rows[2]} {type(rows[0]) is Row} {pool.map(work.square, range(3))} {failed}"
"#;

#[test]
fn other_processes_read_them() {
    if !child::alone("other_processes_read_them") {
        return;
    }
    let options = "[[host]]\ncontract = \"test.logger@1\"\n";
    let work = "import polyplug\ndef square(n): return n * n\n";
    let bundle = python_bundle("python", options, &[("main.py", POOL), ("work.py", work)]);
    let runtime = python_runtime(PythonLoader::new());
    runtime.provide::<dyn test_contracts::calling::Logger>(Silent).unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    for method in ["spawn", "forkserver"] {
        let answer = run(&runtime, method).unwrap();
        for part in [
            "Row(name='x!', size=3, note=None) True [0, 1, 4] CallError not_found: test.logger.log: process ",
            "was started by a bundle and has no host: call the host in the process of the host",
        ] {
            assert!(answer.contains(part), "{method}: {answer}");
        }
    }
}

struct Silent;

impl test_contracts::calling::Logger for Silent {
    fn log(&self, _: &str) -> u32 {
        0
    }

    fn panics(&self, _: &str) {}

    fn lines(&self) -> Vec<String> {
        Vec::new()
    }
}

#[test]
fn other_processes_import_a_bundle_from_memory() {
    if !child::alone("other_processes_import_a_bundle_from_memory") {
        return;
    }
    let code = "import multiprocessing\nfrom polyplug import bundle, config, plugin\n\n\
                def square(n): return n * n, bundle, len(config)\n\n\
                @plugin('test.script@1')\nclass Script:\n    def run(self, method):\n        \
                with multiprocessing.get_context(method).Pool(1) as pool: return str(pool.map(square, [3]))\n";
    let runtime = loaded(code);
    assert_eq!(run(&runtime, "spawn").as_deref(), Ok("[(9, 'python', 0)]"));
}

#[test]
fn a_module_that_other_processes_cannot_import_is_an_error() {
    if !child::alone("a_module_that_other_processes_cannot_import_is_an_error") {
        return;
    }
    let options = "[[host]]\ncontract = \"test.logger@1\"\n";
    let code = "import multiprocessing\nfrom polyplug import host, plugin\n\n\
                host('test.logger@1').log('loaded')\n\ndef square(n): return n * n\n\n\
                @plugin('test.script@1')\nclass Script:\n    def run(self, method):\n        \
                with multiprocessing.get_context(method).Pool(2) as pool: return str(pool.map(square, [3]))\n";
    let bundle = python_bundle("python", options, &[("main.py", code)]);
    let runtime = python_runtime(PythonLoader::new());
    runtime.provide::<dyn test_contracts::calling::Logger>(Silent).unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    for method in ["spawn", "forkserver"] {
        let error = run(&runtime, method).unwrap_err().to_string();
        for part in ["ImportError: main cannot be imported in a process that its bundle has started", "has no host"] {
            assert!(error.contains(part), "{method}: no {part:?} in: {error}");
        }
    }
    // A forked process has imported it.
    assert_eq!(run(&runtime, "fork").as_deref(), Ok("[9]"));
}
