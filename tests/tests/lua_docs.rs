//! The examples in docs/src/lua.md run.

use polyplug::loader::BundleSource;
use polyplug_lua::LuaLoader;
use polyplug_tests::lua::{lua_runtime, try_load_lua};

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

/// The page's counter of words.
#[polyplug::contract(name = "demo.words", version = "1.0")]
pub trait Words {
    /// Counts the words of a text.
    fn count(&self, text: &str) -> u32;
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

/// The page's blocks in a language.
fn blocks(language: &str) -> Vec<String> {
    let page = include_str!("../../docs/src/lua.md");
    let begin = format!("```{language}\n");
    let parts = page.split(&begin).skip(1);
    parts.map(|part| part.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn every_example_runs() {
    let blocks = blocks("lua");
    assert_eq!(blocks.len(), 6);
    let runtime = lua_runtime(LuaLoader::new());
    runtime.provide::<dyn Logger>(Fails).unwrap();
    let mut loaded = 0;
    for (number, block) in blocks.iter().enumerate() {
        match try_load_lua(&runtime, &format!("block-{number}"), block) {
            Ok(()) => loaded += 1,
            // It ran, and declares no plugin.
            Err(error) => assert!(!block.contains("polyplug.plugin(") && error.contains("no plugin"), "{error}"),
        }
    }
    assert_eq!(loaded, 4);
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
fn the_example_with_workers_has_them() {
    let code = blocks("lua").into_iter().find(|block| block.contains("stateless")).unwrap();
    let manifest = blocks("toml").into_iter().find(|block| block.contains("workers")).unwrap();
    let runtime = lua_runtime(LuaLoader::new());
    let id = runtime.load_bundle_from(&manifest, BundleSource::Code(code)).unwrap();
    assert_eq!(runtime.bundle(id).unwrap().plugins[0].workers, 4);
    let words = runtime.proxy::<dyn Words>().unwrap();
    assert_eq!(words.count("three small words"), Ok(3));
}
