//! The examples in docs/src/python.md run.

use polyplug::Runtime;
use polyplug::loader::BundleSource;
use polyplug::schema::Schema;
use polyplug_python::PythonLoader;
use polyplug_tests::{Bundle, manifest};

/// The page's logger.
#[polyplug::contract(name = "demo.logger", version = "1.0")]
pub trait Logger {
    /// Panics.
    fn log(&self, line: &str);
}

struct Fails;

impl Logger for Fails {
    fn log(&self, line: &str) {
        panic!("{line}");
    }
}

/// The page's counter.
#[polyplug::contract(name = "demo.counter", version = "1.0")]
pub trait Counter {
    /// The new count.
    fn add(&self, by: u32) -> u32;
}

/// What the page's worker tells.
#[polyplug::contract(name = "demo.progress", version = "1.0")]
pub trait Progress {
    /// Whether to go on.
    fn step(&self, step: u32) -> bool;
}

/// Whom the page's worker gives an object.
#[polyplug::contract(name = "demo.watcher", version = "1.0")]
pub trait Watcher {
    /// Begins to tell.
    fn begin(&self, progress: polyplug::Callback<dyn Progress>);
}

/// The page's worker.
#[polyplug::contract(name = "demo.worker", version = "1.0")]
pub trait Worker {
    /// How many steps were done.
    fn work(&self, steps: u32, progress: &dyn Progress) -> u32;
    /// How many were told.
    fn watch(&self, watcher: &dyn Watcher) -> u32;
}

/// What the page's low-level plugin makes.
#[polyplug::contract(name = "demo.labels", version = "1.0")]
pub trait Labels {
    /// The label of an item.
    fn label(&self, number: u32) -> String;
}

struct UpTo(u32);

impl Progress for UpTo {
    fn step(&self, step: u32) -> bool {
        step < self.0
    }
}

struct Tells;

impl Watcher for Tells {
    fn begin(&self, progress: polyplug::Callback<dyn Progress>) {
        let steps = (1..).take_while(|step| progress.step(*step).unwrap());
        assert_eq!(steps.count(), 3);
    }
}

/// The page's blocks in Python.
fn blocks() -> Vec<String> {
    let page = include_str!("../../docs/src/python.md");
    let parts = page.split("```python\n").skip(1);
    parts.map(|part| part.split("```").next().unwrap().to_owned()).collect()
}

/// Whether a block does without `@plugin`.
fn is_low_level(block: &str) -> bool {
    block.contains("def polyplug_init")
}

fn load(runtime: &Runtime, name: &str, block: &str) -> Result<(), String> {
    let source = BundleSource::Code(block.to_owned());
    let loaded = runtime.load_bundle_from(&manifest(name, "python", "main.py"), source);
    loaded.map(drop).map_err(|error| error.to_string())
}

#[test]
fn every_example_runs() {
    let blocks = blocks();
    assert_eq!(blocks.len(), 6);
    let runtime = Runtime::builder().loader(PythonLoader::new()).build().unwrap();
    runtime.provide::<dyn Logger>(Fails).unwrap();
    let mut loaded = 0;
    for (number, block) in blocks.iter().filter(|block| !is_low_level(block)).enumerate() {
        match load(&runtime, &format!("block-{number}"), block) {
            Ok(()) => loaded += 1,
            // It ran, and declares no plugin.
            Err(error) => assert!(!block.contains("@plugin(") && error.contains("no plugin"), "{error}"),
        }
    }
    assert_eq!(loaded, 3);
    let calculator = runtime.proxy::<dyn test_contracts::Calculator>().unwrap();
    assert_eq!((calculator.add(2, 3), calculator.greet("you")), (Ok(5), Ok("Hello, you!".to_owned())));
    assert_eq!((calculator.divide(-7, 2), calculator.sum(&[1, 255])), (Ok(Ok(-4)), Ok(256)));
    assert_eq!(calculator.divide(1, 0), Ok(Err(test_contracts::MathError::DivisionByZero)));

    let worker = runtime.proxy::<dyn Worker>().unwrap();
    assert_eq!((worker.work(9, &UpTo(4)), worker.work(2, &UpTo(4))), (Ok(4), Ok(2)));
    assert_eq!(worker.watch(&Tells), Ok(10));

    let counter = runtime.proxy::<dyn Counter>().unwrap();
    assert_eq!((counter.add(2), counter.add(3)), (Ok(2), Ok(5)));
}

#[test]
fn the_low_level_example_runs() {
    let runtime = Runtime::builder().loader(PythonLoader::new()).build().unwrap();
    let block = blocks().into_iter().find(|block| is_low_level(block)).expect("the page has one");
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", manifest("labels", "python", "main.py"));
    bundle.write("main.py", block);
    bundle.write("demo.labels@1.schema", Schema::of::<dyn Labels>().encode());
    runtime.load_bundle(bundle.path()).unwrap();
    let labels = runtime.proxy::<dyn Labels>().unwrap();
    assert_eq!(labels.label(7), Ok("item 7, label 1".to_owned()));
    assert_eq!(labels.label(8), Ok("item 8, label 2".to_owned()));
    let others = runtime.proxy::<dyn Labels>().unwrap();
    assert_eq!(others.label(9), Ok("item 9, label 1".to_owned()));
}

/// Returns a bundle of the page's example that begins like this, with a plugin that answers `answer` for each item.
fn part(begin: &str, answer: &str) -> Bundle {
    let page = include_str!("../../docs/src/python.md");
    let mut parts = page.split("```python,ignore\n").skip(1).map(|part| part.split("```").next().unwrap());
    let code = parts.find(|part| part.starts_with(begin)).unwrap_or_else(|| panic!("the page has no {begin}"));
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", manifest("part", "python", "main.py"));
    let plugin = format!(
        "from polyplug import plugin\n\n@plugin(\"demo.labels@1\")\nclass Labels:\n    def label(self, number):\n        return {answer}\n"
    );
    bundle.write("main.py", format!("{code}\n{plugin}"));
    bundle
}

fn label(bundle: &Bundle, number: u32) -> String {
    let runtime = Runtime::builder().loader(PythonLoader::new()).build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    runtime.proxy::<dyn Labels>().unwrap().label(number).unwrap()
}

#[test]
fn the_processes_work() {
    let bundle = part("import multiprocessing", "str(squares[number])");
    bundle.write("work.py", "def square(number):\n    return number * number\n");
    assert_eq!(label(&bundle, 999), "998001");
}

#[test]
fn the_file_beside_the_modules_is_read() {
    let bundle = part("from importlib import resources", "text.split()[number]");
    std::fs::create_dir(bundle.path().join("data")).unwrap();
    bundle.write("data/words.txt", "zero one two");
    assert_eq!(label(&bundle, 2), "two");
}
