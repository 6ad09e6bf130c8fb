//! The examples in docs/src/javascript.md run.

use std::time::{Duration, Instant};

use polyplug::Runtime;
use polyplug_js::JsLoader;
use polyplug_tests::Bundle;
use polyplug_tests::js::{js_runtime, try_load_js};

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

/// The page's greeter, which is a module.
#[polyplug::contract(name = "demo.greeter", version = "1.0")]
pub trait Greeter {
    /// A greeting.
    fn greet(&self, name: &str) -> String;
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

/// The page's plugin that waits.
#[polyplug::contract(name = "demo.slow", version = "1.0")]
pub trait Slow {
    /// Twice the number, after a while.
    fn twice(&self, number: u32) -> u32;
}

/// The page's way to the web.
#[polyplug::contract(name = "demo.web", version = "1.0")]
pub trait Web {
    /// The body of a page.
    fn get(&self, url: &str) -> Result<Vec<u8>, String>;
}

/// The page's plugin that uses it.
#[polyplug::contract(name = "demo.titles", version = "1.0")]
pub trait Titles {
    /// The title of a page.
    fn title(&self, url: &str) -> Option<String>;
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

struct OnePage;

impl Web for OnePage {
    fn get(&self, url: &str) -> Result<Vec<u8>, String> {
        Ok(format!("<html>\n<title>Über {url}</title>").into_bytes())
    }
}

/// The page's blocks in JavaScript that are complete.
fn blocks() -> Vec<String> {
    let page = include_str!("../../docs/src/javascript.md");
    let parts = page.split("```js\n").skip(1);
    parts.map(|part| part.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn every_example_runs() {
    let blocks = blocks();
    assert_eq!(blocks.len(), 8);
    let runtime = js_runtime(JsLoader::new());
    runtime.provide::<dyn Logger>(Fails).unwrap();
    runtime.provide::<dyn Web>(OnePage).unwrap();
    let mut loaded = 0;
    for (number, block) in blocks.iter().enumerate() {
        let declares = block.contains("\nplugin(") || block.contains("export const contract");
        match try_load_js(&runtime, &format!("block-{number}"), block) {
            Ok(()) => loaded += 1,
            // It ran, and declares no plugin.
            Err(error) => assert!(!declares && error.contains("no plugin"), "{error}"),
        }
    }
    assert_eq!(loaded, 6);
    let calculator = runtime.proxy::<dyn test_contracts::Calculator>().unwrap();
    assert_eq!((calculator.add(2, 3), calculator.greet("you")), (Ok(5), Ok("Hello, you!".to_owned())));
    assert_eq!((calculator.divide(-7, 2), calculator.sum(&[1, 255])), (Ok(Ok(-3)), Ok(256)));
    assert_eq!(calculator.divide(1, 0), Ok(Err(test_contracts::MathError::DivisionByZero)));

    assert_eq!(runtime.proxy::<dyn Greeter>().unwrap().greet("you"), Ok("Good day, you!".to_owned()));
    let title = runtime.proxy::<dyn Titles>().unwrap().title("x.example");
    assert_eq!(title, Ok(Some("Über x.example".to_owned())));

    let worker = runtime.proxy::<dyn Worker>().unwrap();
    assert_eq!((worker.work(9, &UpTo(4)), worker.work(2, &UpTo(4))), (Ok(4), Ok(2)));
    assert_eq!(worker.watch(&Tells), Ok(10));

    let begin = Instant::now();
    assert_eq!(runtime.proxy::<dyn Slow>().unwrap().twice(21), Ok(42));
    assert!(begin.elapsed() >= Duration::from_millis(5), "it waited");
}

#[test]
fn the_counter_keeps_its_state() {
    let code = blocks().into_iter().find(|block| block.contains("restore")).unwrap();
    let bundle = Bundle::script("js", &code);
    let runtime = Runtime::builder().hot_reload(true).loader(JsLoader::new()).build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    let counter = runtime.proxy::<dyn Counter>().unwrap();
    assert_eq!((counter.add(2), counter.add(3)), (Ok(2), Ok(5)));
    assert_eq!(runtime.reload_bundle(bundle.path()).unwrap().migrated, 1);
    assert_eq!(counter.add(1), Ok(6));
}

/// Returns the page's example that is run with something else beside it, and begins like this.
fn part(begin: &str) -> &'static str {
    let page = include_str!("../../docs/src/javascript.md");
    let parts = page.split("```js,ignore\n").skip(1).map(|part| part.split("```").next().unwrap());
    parts.into_iter().find(|part| part.starts_with(begin)).unwrap_or_else(|| panic!("the page has no {begin}"))
}

#[test]
fn the_stateless_calculator_has_workers() {
    let calculator = blocks().remove(0);
    let (class, declaration) = calculator.rsplit_once("plugin(").unwrap();
    assert_eq!(declaration, "\"demo.calculator@1\", Calculator);\n");
    let manifest = include_str!("../../docs/src/javascript.md").split("```toml\n").skip(1);
    let manifest =
        manifest.map(|part| part.split("```").next().unwrap()).find(|part| part.contains("workers")).unwrap();
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", manifest);
    bundle.write("main.js", format!("{class}{}", part("plugin(")));
    let runtime = js_runtime(JsLoader::new());
    let id = runtime.load_bundle(bundle.path()).unwrap();
    let cores = std::thread::available_parallelism().unwrap().get();
    assert_eq!(runtime.bundle(id).unwrap().plugins[0].workers, cores);
    assert_eq!(runtime.proxy::<dyn test_contracts::Calculator>().unwrap().add(2, 3), Ok(5));
}

#[test]
fn the_modules_are_imported() {
    let code = format!(
        "{}\nexport const contract = \"demo.greeter@1\";\nexport const greetings = [greet(\"Ada\"), table.word, late.word];\n\
         export function greet_all(name) {{ return greetings.join(\" \") + name; }}\nexport {{ greet_all as greet }};\n",
        part("import { greet }")
    );
    let bundle = Bundle::script("js", &code);
    for folder in ["words", "data"] {
        std::fs::create_dir(bundle.path().join(folder)).unwrap();
    }
    bundle.write("words/greet.js", "export function greet(name) { return `Hello, ${name}!`; }\n");
    bundle.write("data/table.json", "{ \"word\": \"from a table\" }");
    bundle.write("late.js", "export const word = \"and late, \";\n");
    let runtime = js_runtime(JsLoader::new());
    runtime.load_bundle(bundle.path()).unwrap();
    let greeting = runtime.proxy::<dyn Greeter>().unwrap().greet("Bob");
    assert_eq!(greeting, Ok("Hello, Ada! from a table and late, Bob".to_owned()));
}
