//! The examples in docs/src/dotnet.md run, and its messages are those that come.
#![cfg(target_os = "linux")]

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use polyplug::{BundleId, CallError, Contract, Runtime};
use polyplug_tests::dotnet::{Version, assembly, copy, dotnet_runtime, loader};
use polyplug_tests::{Bundle, Logged, eventually, logged, manifest, on_each_dotnet};
use test_contracts::{Calculator, MathError};
use tracing::Level;

on_each_dotnet! {
    the_calculator_calculates the_greeter_needs_no_instance the_drawing_has_all_kinds_of_types the_refusal_is_as_shown
    the_exception_is_as_shown the_reporter_catches_what_the_logger_throws the_averages_call_the_calculator
    the_worker_calls_and_passes_objects the_slow_one_is_waited_for the_journal_has_its_settings_data_and_log
    the_counter_keeps_its_state the_ticker_ends_its_timer what_keeps_the_ticker_is_as_shown
}

/// The page's examples, each of which a test here loads.
const EXAMPLES: [&str; 12] = [
    "Averages",
    "Calculator",
    "Counter",
    "Drawing",
    "Greeter",
    "Journal",
    "Kept",
    "Refused",
    "Reporter",
    "Slow",
    "Ticker",
    "Worker",
];

/// The page's logger.
#[polyplug::contract(name = "demo.logger", version = "1.0")]
pub trait Logger {
    /// Panics.
    fn log(&self, line: &str);
}

struct Fails;

impl Logger for Fails {
    fn log(&self, line: &str) {
        assert_ne!(line, "too much", "the disk is full");
    }
}

/// The page's plugin that uses it.
#[polyplug::contract(name = "demo.reporter", version = "1.0")]
pub trait Reporter {
    /// How it went.
    fn report(&self, line: &str) -> String;
}

/// The page's greeter, which is a static class.
#[polyplug::contract(name = "demo.greeter", version = "1.0")]
pub trait Greeter {
    /// A greeting.
    fn greet(&self, name: &str) -> String;
}

/// The page's plugin that calls the calculator.
#[polyplug::contract(name = "demo.averages", version = "1.0")]
pub trait Averages {
    /// The average.
    fn average(&self, values: Vec<i64>) -> Result<i64, String>;
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

/// The page's journal.
#[polyplug::contract(name = "demo.journal", version = "1.0")]
pub trait Journal {
    /// The number of lines.
    fn add(&self, line: &str) -> u64;
}

/// The page's plugin with a timer.
#[polyplug::contract(name = "demo.ticker", version = "1.0")]
pub trait Ticker {
    /// How often it ticked.
    fn ticks(&self) -> i32;
}

/// The page's types.
#[derive(Debug, Clone, Copy, PartialEq, polyplug::Type)]
pub enum Colour {
    /// A case.
    Red,
    /// A case.
    Green,
}

/// A record by a constructor.
#[derive(Debug, Clone, Copy, PartialEq, polyplug::Type)]
pub struct Point {
    /// A field.
    pub x: f64,
    /// A field.
    pub y: f64,
}

/// A record by properties.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub struct Layer {
    /// A field.
    pub layer_name: String,
    /// An enum that may be absent.
    pub fill: Option<Colour>,
    /// A list of variants.
    pub figures: Vec<Figure>,
}

/// A variant.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub enum Figure {
    /// A case without fields.
    Nothing,
    /// A case with fields without names.
    Line(Point, Point),
    /// A case with fields with names.
    Circle {
        /// A field.
        centre: Point,
        /// A field.
        radius: f64,
    },
}

/// The page's plugin with records, enums and variants.
#[polyplug::contract(name = "demo.drawing", version = "1.0")]
pub trait Drawing {
    /// The figures of the layers that have the palette's colour.
    fn flatten(&self, layers: Vec<Layer>, palette: HashMap<String, Colour>) -> Vec<Figure>;
    /// The centre.
    fn centre(&self, figure: Figure) -> Option<Point>;
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

const PAGE: &str = include_str!("../../docs/src/dotnet.md");

/// Makes a bundle of an example, with lines for its manifest.
fn example(name: &str, lines: &str) -> Bundle {
    let bundle = Bundle::empty();
    copy(&assembly(&format!("page/{name}")), bundle.path());
    let id = format!("{}-dotnet", name.to_lowercase());
    bundle.write("manifest.toml", manifest(&id, "dotnet", &format!("{name}.dll")) + lines);
    bundle
}

fn loaded<C: Contract + ?Sized>(version: Version, name: &str) -> (Arc<Runtime>, C::Proxy) {
    let runtime = dotnet_runtime(version);
    let proxy = load::<C>(&runtime, &example(name, ""));
    (runtime, proxy)
}

#[track_caller]
fn load<C: Contract + ?Sized>(runtime: &Runtime, bundle: &Bundle) -> C::Proxy {
    runtime.load_bundle(bundle.path()).unwrap_or_else(|error| panic!("{error}"));
    runtime.proxy::<C>().unwrap_or_else(|error| panic!("{error}"))
}

/// Checks that the page shows a message.
#[track_caller]
fn shown(message: &str) {
    assert!(PAGE.contains(&format!("\n```text\n{message}\n```\n")), "docs/src/dotnet.md should show:\n{message}");
}

#[test]
fn every_example_is_loaded_by_a_test() {
    let examples = PAGE.split("```csharp\n// ").skip(1).filter_map(|block| block.split(".cs\n").next());
    assert_eq!(examples.collect::<BTreeSet<_>>(), BTreeSet::from(EXAMPLES));
    assert_eq!(PAGE.matches("```csharp").count(), EXAMPLES.len());
}

fn the_calculator_calculates(version: Version) {
    let (_runtime, calculator) = loaded::<dyn Calculator>(version, "Calculator");
    assert_eq!((calculator.add(2, 3), calculator.greet("you")), (Ok(5), Ok("Hello, you!".to_owned())));
    assert_eq!((calculator.divide(-7, 2), calculator.sum(&[1, 255])), (Ok(Ok(-3)), Ok(256)));
    assert_eq!(calculator.divide(1, 0), Ok(Err(MathError::DivisionByZero)));
    let runtime = dotnet_runtime(version);
    let calculator = load::<dyn Calculator>(&runtime, &example("Calculator", "\n[config]\ngreeting = \"Good day\"\n"));
    assert_eq!(calculator.greet("you"), Ok("Good day, you!".to_owned()));
}

fn the_greeter_needs_no_instance(version: Version) {
    let (_runtime, greeter) = loaded::<dyn Greeter>(version, "Greeter");
    assert_eq!(greeter.greet("you"), Ok("Good day, you!".to_owned()));
}

fn the_drawing_has_all_kinds_of_types(version: Version) {
    let (_runtime, drawing) = loaded::<dyn Drawing>(version, "Drawing");
    let (from, to) = (Point { x: 0.0, y: 2.0 }, Point { x: 4.0, y: 8.0 });
    let (line, circle) = (Figure::Line(from, to), Figure::Circle { centre: to, radius: 0.5 });
    let layer = |name: &str, fill, figures| Layer { layer_name: name.to_owned(), fill, figures };
    let layers = vec![
        layer("sky", Some(Colour::Red), vec![line.clone(), Figure::Nothing]),
        layer("grass", Some(Colour::Red), vec![Figure::Nothing]),
        layer("frame", None, vec![Figure::Nothing]),
        layer("sun", Some(Colour::Green), vec![circle.clone()]),
    ];
    let green = ["grass", "frame", "sun"].map(|name| (name.to_owned(), Colour::Green));
    let palette = green.into_iter().chain([("sky".to_owned(), Colour::Red)]).collect();
    assert_eq!(drawing.flatten(layers, palette), Ok(vec![line.clone(), Figure::Nothing, circle.clone()]));
    assert_eq!(drawing.centre(line), Ok(Some(Point { x: 2.0, y: 5.0 })));
    assert_eq!((drawing.centre(circle), drawing.centre(Figure::Nothing)), (Ok(Some(to)), Ok(None)));
}

fn the_refusal_is_as_shown(version: Version) {
    let error = dotnet_runtime(version).load_bundle(example("Refused", "").path()).unwrap_err();
    shown(&error.to_string());
}

fn the_exception_is_as_shown(version: Version) {
    let (_runtime, calculator) = loaded::<dyn Calculator>(version, "Calculator");
    let error = calculator.add(i32::MAX, 1).unwrap_err();
    assert!(matches!(error, CallError::Exception(_)), "{error:?}");
    // To some compilers a method begins with its brace, to others with its first statement.
    shown(&error.to_string().replace("Calculator.cs:32)", "Calculator.cs:31)"));
}

fn the_reporter_catches_what_the_logger_throws(version: Version) {
    let runtime = dotnet_runtime(version);
    runtime.provide::<dyn Logger>(Fails).unwrap();
    let reporter = load::<dyn Reporter>(&runtime, &example("Reporter", "\n[[host]]\ncontract = \"demo.logger@1\"\n"));
    assert_eq!(reporter.report("fine"), Ok("done".to_owned()));
    let caught = reporter.report("too much").unwrap();
    assert!(caught.starts_with("panic: the host, demo.logger.log: panicked: "), "{caught}");
}

fn the_averages_call_the_calculator(version: Version) {
    let runtime = dotnet_runtime(version);
    let averages = example("Averages", "\n[[dependency]]\ncontract = \"demo.calculator@1\"\n");
    runtime.load_bundle(example("Calculator", "").path()).unwrap();
    let averages = load::<dyn Averages>(&runtime, &averages);
    assert_eq!(averages.average(vec![1, 2, 6]), Ok(Ok(3)));
    assert_eq!(averages.average(vec![]), Ok(Err("no average: DivisionByZero".to_owned())));
}

fn the_worker_calls_and_passes_objects(version: Version) {
    let (_runtime, worker) = loaded::<dyn Worker>(version, "Worker");
    assert_eq!((worker.work(9, &UpTo(4)), worker.work(2, &UpTo(4))), (Ok(4), Ok(2)));
    assert_eq!(worker.watch(&Tells), Ok(10));
}

fn the_slow_one_is_waited_for(version: Version) {
    let (_runtime, slow) = loaded::<dyn Slow>(version, "Slow");
    let begin = Instant::now();
    assert_eq!(slow.twice(21), Ok(42));
    assert!(begin.elapsed() >= Duration::from_millis(4), "it waited");
}

fn the_journal_has_its_settings_data_and_log(version: Version) {
    let folder = Bundle::empty();
    let runtime = Runtime::builder().loader(loader(version)).data_directory(folder.path()).build().unwrap();
    let bundle = example("Journal", "\n[config]\nlimit = 5\n");
    let journal = load::<dyn Journal>(&runtime, &bundle);
    let (answers, messages) = logged(|| [journal.add("short"), journal.add("rather long")]);
    assert_eq!(answers, [Ok(1), Ok(2)]);
    let messages: Vec<_> = messages.iter().map(|Logged { level, message, .. }| (*level, message.as_str())).collect();
    let written = (Level::INFO, "written");
    assert_eq!(messages, [written, (Level::WARN, "a line of 11 characters is cut"), written]);
    drop(journal);
    assert!(runtime.unload_bundle(BundleId::new("journal-dotnet")).unwrap().reclaimed);
    let file = folder.path().join("journal-dotnet/journal.txt");
    assert_eq!(std::fs::read_to_string(file).unwrap(), "short\nrathe\n", "written when the instance ended");

    let error = runtime.load_bundle(example("Journal", "\n[config]\nlimit = 0\n").path()).unwrap_err().to_string();
    let begin = "bundle `journal-dotnet`: plugin `demo.journal` could not be started: \
                 System.ArgumentException: `limit` is 0, and must be positive (at journal-dotnet/Journal.cs:18)\n   \
                 at Journal..ctor(PluginContext context)";
    assert!(error.starts_with(begin) && error.lines().count() == 2, "{error}");
}

fn the_counter_keeps_its_state(version: Version) {
    let (runtime, bundle) = (dotnet_runtime(version), example("Counter", ""));
    let counter = load::<dyn Counter>(&runtime, &bundle);
    assert_eq!((counter.add(2), counter.add(3)), (Ok(2), Ok(5)));
    assert_eq!(runtime.reload_bundle(bundle.path()).unwrap().migrated, 1);
    assert_eq!(counter.add(1), Ok(6));
}

fn the_ticker_ends_its_timer(version: Version) {
    let (runtime, ticker) = loaded::<dyn Ticker>(version, "Ticker");
    eventually("it ticks", || ticker.ticks().unwrap() > 0);
    drop(ticker);
    let report = runtime.unload_bundle(BundleId::new("ticker-dotnet")).unwrap();
    assert!(report.reclaimed, "{report}");
}

fn what_keeps_the_ticker_is_as_shown(version: Version) {
    let (runtime, ticker) = loaded::<dyn Ticker>(version, "Kept");
    eventually("it ticks", || ticker.ticks().unwrap() > 0);
    drop(ticker);
    let report = runtime.unload_bundle(BundleId::new("kept-dotnet")).unwrap();
    assert!(!report.reclaimed, "{report}");
    shown(&report.to_string());
}
