//! Plugins in Python, beside the same by hand with pyo3: attach, call a function that was looked up before, extract the
//! result.

use std::ffi::CString;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use polyplug::loader::BundleSource;
use polyplug::{BundleId, Runtime};
use polyplug_python::PythonLoader;
use polyplug_python::pyo3::prelude::*;
use polyplug_python::pyo3::types::{PyBytes, PyList, PyModule};
use polyplug_tests::bench::{Goal, Table};
use polyplug_tests::{Bundle, manifest};
use test_contracts::types::Tree;
use test_contracts::{Calculator, MathError};

const CALCULATOR: &str = include_str!("python/calculator.py");
const TREES: &str = include_str!("python/trees.py");
const BY_HAND: &str = include_str!("python/by_hand.py");

/// Takes a record with a list of records and returns it; doubles numbers.
#[polyplug::contract(name = "bench.trees", version = "1.0")]
trait Trees {
    fn tree(&self, value: &Tree) -> Tree;
    fn double(&self, values: &[f64]) -> Vec<f64>;
}

fn runtime(loader: PythonLoader) -> Arc<Runtime> {
    Runtime::builder().loader(loader).hot_reload(true).build().expect("one loader has no rival")
}

fn load(runtime: &Runtime, name: &str, code: &str) {
    let source = BundleSource::Code(code.to_owned());
    runtime.load_bundle_from(&manifest(name, "python", "main.py"), source).expect("the fixture loads");
}

fn main() {
    let start = Instant::now();
    let runtime = runtime(PythonLoader::new());
    load(&runtime, "calculator", CALCULATOR);
    println!("first load, which starts the interpreter: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    load(&runtime, "trees", TREES);
    calls(&runtime);
    limits(&runtime);
    life_cycle();
    memory();
    failures(&runtime);
}

/// Returns a function of the module that is written by hand.
fn by_hand(name: &str) -> Py<PyAny> {
    Python::attach(|py| {
        let code = CString::new(BY_HAND).expect("text");
        let module = PyModule::from_code(py, &code, c"by_hand.py", c"by_hand").expect("the code runs");
        module.getattr(name).expect("it has it").unbind()
    })
}

fn calls(runtime: &Runtime) {
    let calc = runtime.proxy::<dyn Calculator>().expect("the fixture provides it");
    let trees = runtime.proxy::<dyn Trees>().expect("the fixture provides it");
    let name = "sixteen letters!";
    let data: Vec<u8> = (0..4096u32).map(|n| n as u8).collect();
    let total = data.iter().map(|byte| u64::from(*byte)).sum();
    assert_eq!(calc.add(2, 3), Ok(5));
    assert_eq!(calc.greet(name), Ok("Hello, sixteen letters!!".to_owned()));
    assert_eq!(calc.sum(&data), Ok(total));
    let (add, greet, sum, class) = (by_hand("add"), by_hand("greet"), by_hand("total"), by_hand("Tree"));
    let (tree, double) = (by_hand("tree"), by_hand("double"));

    let table = Table::new("Calls of a Python plugin, beside pyo3's `attach` and `call1`");
    table.line("python attach alone", Goal::None, || Python::attach(|_| ()), || Python::attach(|_| ()));
    table.line(
        "python add(i32, i32)",
        Goal::Within { ns: 65.0, reference: 58.0 },
        || {
            Python::attach(|py| {
                let sum = add.bind(py).call1((black_box(2), black_box(3))).expect("it answers");
                sum.extract::<i32>().expect("a number")
            })
        },
        || calc.add(black_box(2), black_box(3)).expect("it answers"),
    );
    table.line(
        "python greet(&str) -> String",
        Goal::Within { ns: 100.0, reference: 89.0 },
        || {
            Python::attach(|py| {
                let text = greet.bind(py).call1((black_box(name),)).expect("it answers");
                text.extract::<String>().expect("text")
            })
        },
        || calc.greet(black_box(name)).expect("it answers"),
    );
    table.line(
        "python sum(&[u8] of 4 KiB)",
        Goal::Times(1.05),
        || {
            Python::attach(|py| {
                let bytes = PyBytes::new(py, black_box(&data));
                let sum = sum.bind(py).call1((bytes,)).expect("it answers");
                sum.extract::<u64>().expect("a number")
            })
        },
        || calc.sum(black_box(&data)).expect("it answers"),
    );
    let given = Tree { value: 1, children: (0..8).map(|value| Tree { value, children: Vec::new() }).collect() };
    assert_eq!(trees.tree(&given), Ok(given.clone()));
    table.line(
        "python record with a nested list, in and out",
        Goal::None,
        || {
            Python::attach(|py| {
                let value = to_python(class.bind(py), black_box(&given));
                from_python(&tree.bind(py).call1((value,)).expect("it answers"))
            })
        },
        || trees.tree(black_box(&given)).expect("it answers"),
    );
    let numbers: Vec<f64> = (0..1000).map(f64::from).collect();
    table.line(
        "python list of 1,000 floats, in and out",
        Goal::None,
        || {
            Python::attach(|py| {
                let list = PyList::new(py, black_box(&numbers)).expect("a list");
                let doubled = double.bind(py).call1((list,)).expect("it answers");
                doubled.extract::<Vec<f64>>().expect("numbers")
            })
        },
        || trees.double(black_box(&numbers)).expect("it answers"),
    );
    // A thread without a state in the interpreter: pyo3 makes a state for it at each call.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            table.line(
                "python add on a thread of the host's",
                Goal::None,
                || {
                    let call = || {
                        Python::attach(|py| {
                            let sum = add.bind(py).call1((black_box(2), black_box(3))).expect("it answers");
                            sum.extract::<i32>().expect("a number")
                        })
                    };
                    call()
                },
                || calc.add(black_box(2), black_box(3)).expect("it answers"),
            );
        });
    });
}

fn limits(free: &Runtime) {
    let free = free.proxy::<dyn Calculator>().expect("the fixture provides it");
    let timed = runtime(PythonLoader::new().with_time_limit(Duration::from_secs(1)));
    load(&timed, "calculator", CALCULATOR);
    let timed = timed.proxy::<dyn Calculator>().expect("the fixture provides it");
    let table = Table::new("What a limit of time costs, beside none");
    table.line(
        "python add with a limit of time",
        Goal::None,
        || free.add(black_box(2), black_box(3)),
        || timed.add(black_box(2), black_box(3)),
    );
}

fn life_cycle() {
    let table = Table::new("Loading a Python bundle, beside running its file in a module of its own");
    if !table.wants("load reload") {
        return;
    }
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", manifest("calculator", "python", "main.py"));
    bundle.write("main.py", CALCULATOR);
    let file = bundle.path().join("main.py");
    let without = Runtime::builder().loader(PythonLoader::new()).build().expect("one loader has no rival");
    let stub = "plugin = lambda name: lambda cls: cls\ntypes = lambda name: __import__('types').SimpleNamespace(MathError=0)\n";
    table.line(
        "python load and unload",
        Goal::None,
        || {
            let text = std::fs::read_to_string(&file).expect("it is there");
            let code = CString::new(stub.to_owned() + &text.replace("from polyplug import plugin, types", ""));
            Python::attach(|py| {
                let module = PyModule::from_code(py, &code.expect("text"), c"main.py", c"main").expect("it runs");
                py.import("sys").and_then(|sys| sys.getattr("modules")?.del_item("main")).expect("it is there");
                module.unbind()
            })
        },
        || {
            let id = without.load_bundle(bundle.path()).expect("it loads");
            without.unload_bundle(id).expect("it unloads")
        },
    );

    let id = BundleId::new("calculator");
    let mut first = Duration::ZERO;
    let mut last = Duration::ZERO;
    print_each("load alone (goal 3,000)", 500, || {
        let start = Instant::now();
        without.load_bundle(bundle.path()).expect("it loads");
        let taken = start.elapsed();
        without.unload_bundle(id).expect("it unloads");
        if first.is_zero() {
            first = taken;
        }
        last = taken;
        taken
    });
    println!("its first and last: {:.0} and {:.0} us", first.as_secs_f64() * 1e6, last.as_secs_f64() * 1e6);
    let with = runtime(PythonLoader::new());
    with.load_bundle(bundle.path()).expect("it loads");
    print_each("reload, private copy and all", 300, || {
        let start = Instant::now();
        with.reload_bundle(bundle.path()).expect("it reloads");
        start.elapsed()
    });
}

/// Prints the memory of a bundle: the growth of the process by a bundle.
fn memory() {
    const BUNDLES: usize = 200;
    let table = Table::new("Memory of a Python bundle");
    if !table.wants("memory") {
        return;
    }
    let runtime = runtime(PythonLoader::new());
    load(&runtime, "before", CALCULATOR);
    let Some(before) = resident() else { return };
    for number in 0..BUNDLES {
        load(&runtime, &format!("calculator-{number}"), CALCULATOR);
    }
    let grown = resident().unwrap_or(before).saturating_sub(before);
    println!("memory of a loaded bundle: {} KiB", grown / BUNDLES);
}

/// Returns the memory of this process in KiB, or `None` where the system has no such figure.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn failures(runtime: &Runtime) {
    let calc = runtime.proxy::<dyn Calculator>().expect("the fixture provides it");
    let table = Table::new("Calls that end in an error, beside those that do not");
    assert_eq!(calc.divide(1, 0), Ok(Err(MathError::DivisionByZero)));
    table.line(
        "python error that is declared",
        Goal::None,
        || calc.divide(black_box(1), black_box(1)),
        || calc.divide(black_box(1), black_box(0)),
    );
    let failing = r#"
from polyplug import plugin

@plugin("demo.calculator@1")
class Calculator:
    def add(self, a, b): return int("x")
    def divide(self, a, b): return 0
    def greet(self, name): return ""
    def sum(self, data): return 0
"#;
    let other = self::runtime(PythonLoader::new());
    load(&other, "failing", failing);
    let wrong = other.proxy::<dyn Calculator>().expect("the fixture provides it");
    table.line(
        "python exception, with its traceback",
        Goal::None,
        || calc.add(black_box(1), black_box(1)),
        || wrong.add(black_box(1), black_box(1)),
    );
}

fn print_each(name: &str, times: usize, mut once: impl FnMut() -> Duration) {
    let mut taken: Vec<_> = (0..times).map(|_| once()).collect();
    taken.sort_unstable();
    println!("{name:<44} {:>11.1} us (median of {times})", taken[times / 2].as_secs_f64() * 1e6);
}

fn to_python<'py>(class: &Bound<'py, PyAny>, tree: &Tree) -> Bound<'py, PyAny> {
    let children: Vec<_> = tree.children.iter().map(|child| to_python(class, child)).collect();
    class.call1((tree.value, children)).expect("a record")
}

fn from_python(tree: &Bound<'_, PyAny>) -> Tree {
    let children = tree.getattr("children").expect("a field");
    let children = children.try_iter().expect("a list").map(|child| from_python(&child.expect("a record"))).collect();
    Tree { value: tree.getattr("value").expect("a field").extract().expect("a number"), children }
}
