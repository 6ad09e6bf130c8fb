//! A caller gives its callee objects to call back: lent for the call, or to be kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use polyplug::schema::{Schema, Shape};
use polyplug::{CallError, Runtime};
use polyplug_native::NativeLoader;
use polyplug_tests::{Bundle, eventually, manifest, runtime};
use test_contracts::callbacks::{Progress, Worker, WorkerProxy};

/// Counts its steps, and goes on until a limit.
struct Count {
    steps: Arc<AtomicU32>,
    limit: u32,
    alive: Arc<AtomicU32>,
}

impl Count {
    fn new(limit: u32) -> Self {
        let alive = Arc::new(AtomicU32::new(1));
        Self { steps: Arc::default(), limit, alive }
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Progress for Count {
    fn step(&self, _: u32, label: &str) -> bool {
        assert!(!label.is_empty());
        self.steps.fetch_add(1, Ordering::SeqCst) + 1 < self.limit
    }

    fn breaks(&self) {
        panic!("the pencil broke");
    }

    fn note(&self, text: String) -> Result<u32, String> {
        if text.starts_with("first") { Ok(text.len() as u32) } else { Err(text) }
    }
}

fn load(runtime: &Runtime, name: &str, needs: &[&str]) -> (Bundle, WorkerProxy) {
    let bundle = Bundle::native(name, "plugin-worker");
    let needs = needs.iter().map(|contract| format!("[[dependency]]\ncontract = {contract:?}\n"));
    bundle.write("manifest.toml", manifest(name, "native", "plugin") + &needs.collect::<String>());
    let id = runtime.load_bundle(bundle.path()).unwrap();
    (bundle, runtime.proxy_from::<dyn Worker>(id).unwrap())
}

#[test]
fn a_lent_object_is_called() {
    let runtime = runtime();
    let (_bundle, worker) = load(&runtime, "worker", &[]);
    let count = Count::new(4);
    assert_eq!(worker.work(10, &count), Ok(3), "the caller says when to stop");
    assert_eq!(count.steps.load(Ordering::SeqCst), 4);
    assert_eq!(worker.work(2, &Count::new(100)), Ok(2));
    let answer = worker.both(&count, "one", &Count::new(1));
    assert_eq!(answer, Ok("Ok(9) Err(\"second one\")".to_owned()), "texts, results and errors cross");
}

#[test]
fn what_lies_on_the_callers_stack_can_be_lent() {
    struct Borrowing<'a>(&'a AtomicU32);
    impl Progress for Borrowing<'_> {
        fn step(&self, _: u32, _: &str) -> bool {
            self.0.fetch_add(1, Ordering::SeqCst) < 5
        }

        fn breaks(&self) {}

        fn note(&self, text: String) -> Result<u32, String> {
            Err(text)
        }
    }
    let runtime = runtime();
    let (_bundle, worker) = load(&runtime, "worker", &[]);
    let steps = AtomicU32::new(0);
    assert_eq!(worker.work(100, &Borrowing(&steps)), Ok(5));
}

#[test]
fn a_lent_object_may_be_called_on_other_threads() {
    let runtime = runtime();
    let (_bundle, worker) = load(&runtime, "worker", &[]);
    let count = Count::new(u32::MAX);
    assert_eq!(worker.on_threads(4, 250, &count), Ok(1000));
    assert_eq!(count.steps.load(Ordering::SeqCst), 1000);
}

#[test]
fn an_object_that_fails_ends_the_call() {
    let runtime = runtime();
    let (_bundle, worker) = load(&runtime, "worker", &[]);
    let error = worker.provoke(&Count::new(1)).unwrap_err();
    let CallError::Panic(failure) = &error else { panic!("{error:?}") };
    assert_eq!(failure.method, "test.worker.provoke");
    assert!(
        failure
            .message
            .starts_with("the host, test.progress.breaks: panicked: the pencil broke (at tests/tests/callbacks.rs:"),
        "{failure:?}"
    );
    assert_eq!(worker.work(1, &Count::new(5)), Ok(1), "the plugin is none the worse");
}

#[test]
fn a_callback_may_be_kept() {
    let runtime = runtime();
    let (_bundle, worker) = load(&runtime, "worker", &[]);
    let count = Count::new(3);
    let (steps, alive) = (Arc::clone(&count.steps), Arc::clone(&count.alive));
    let callback = runtime.callback::<dyn Progress>(count).unwrap();
    assert_eq!(callback.step(0, "by its maker"), Ok(true));
    assert_eq!(worker.keep_copy(&callback), Ok(1));
    assert_eq!(worker.keep(callback), Ok(2));
    assert_eq!(worker.tell_all("later"), Ok(vec![Ok(true), Ok(false)]));
    assert_eq!(steps.load(Ordering::SeqCst), 3);
    assert_eq!(alive.load(Ordering::SeqCst), 1);
    worker.forget_all().unwrap();
    eventually("it ends when nobody has it any more", || alive.load(Ordering::SeqCst) == 0);
}

#[test]
fn a_plugin_that_is_unloaded_drops_its_callbacks() {
    let runtime = runtime();
    let (_bundle, worker) = load(&runtime, "worker", &[]);
    let count = Count::new(3);
    let alive = Arc::clone(&count.alive);
    worker.keep(runtime.callback::<dyn Progress>(count).unwrap()).unwrap();
    drop(worker);
    runtime.unload_bundle(polyplug::BundleId::new("worker")).unwrap();
    eventually("it ends with its last holder", || alive.load(Ordering::SeqCst) == 0);
}

#[test]
fn a_callback_ends_with_the_bundle_that_made_it() {
    let runtime = runtime();
    let (_keeper, keeper) = load(&runtime, "keeper", &[]);
    let (planter_bundle, planter) = load(&runtime, "planter", &["test.worker@1"]);
    assert_eq!(planter.plant(), Ok(Ok(1)));
    assert_eq!(keeper.tell_all("planted"), Ok(vec![Ok(true)]));
    drop(planter);
    runtime.unload_bundle(polyplug::BundleId::new("planter")).unwrap();
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), [], "a callback keeps nobody's code");
    let answers = keeper.tell_all("planted").unwrap();
    assert_eq!(
        answers,
        [Err("bundle `planter`, test.progress.step: the bundle is unloaded: make a new proxy after loading it again"
            .to_owned())]
    );
    drop(planter_bundle);
}

#[test]
fn a_callback_ends_with_the_version_that_made_it() {
    let runtime = Runtime::builder().loader(NativeLoader::new()).hot_reload(true).build().unwrap();
    let (_keeper, keeper) = load(&runtime, "keeper", &[]);
    let (bundle, planter) = load(&runtime, "planter", &["test.worker@1"]);
    assert_eq!(planter.plant(), Ok(Ok(1)));
    runtime.reload_bundle(bundle.path()).unwrap();
    assert!(keeper.tell_all("planted").unwrap()[0].is_err());
    drop(planter);
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
}

#[test]
fn an_object_is_handed_on() {
    let runtime = runtime();
    let (_keeper, _) = load(&runtime, "keeper", &[]);
    let (_other, other) = load(&runtime, "other", &["test.worker@1"]);
    let count = Count::new(3);
    assert_eq!(other.pass_on(10, &count), Ok(Ok(2)), "through one plugin to another and back to the host");
}

#[test]
fn the_schema_describes_objects() {
    let schema = Schema::of::<dyn Worker>();
    let interfaces: Vec<_> = schema
        .types
        .iter()
        .filter_map(|definition| match &definition.shape {
            Shape::Object(interface) => Some((interface.contract.as_str(), interface.kept, interface.methods.len())),
            _ => None,
        })
        .collect();
    assert_eq!(interfaces, [("test.progress", false, 3), ("test.progress", true, 3)]);
    assert_eq!(Schema::decode(&schema.encode()), Ok(schema.clone()));
    let wit = schema.to_wit();
    assert!(wit.contains("work: func(steps: u32, progress: borrow<progress>) -> u32;"), "{wit}");
    assert!(wit.contains("resource progress {"), "{wit}");
}

mod changed {
    use polyplug::Callback;

    #[polyplug::contract(name = "test.progress", version = "1.1")]
    pub(crate) trait Progress {
        fn step(&self, done: u64, label: &str) -> bool;
    }

    #[polyplug::contract(name = "test.worker", version = "1.0")]
    pub(crate) trait Worker {
        fn work(&self, steps: u32, progress: &dyn Progress) -> u32;
        fn keep(&self, progress: Callback<dyn Progress>) -> u32;
    }
}

#[test]
fn objects_of_another_contract_are_noticed() {
    let ours = Schema::of::<dyn changed::Worker>();
    let differences = ours.differences(&Schema::of::<dyn Worker>());
    let texts: Vec<_> = differences.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "work: argument `progress`: progress.step: argument `done`: the host has u64, the plugin u32",
            "keep: argument `progress`: progress.step: argument `done`: the host has u64, the plugin u32",
        ]
    );
}

#[test]
fn objects_are_no_values() {
    let runtime = runtime();
    let (_bundle, _) = load(&runtime, "worker", &[]);
    let error = runtime.call("test.worker@1", "work", &[1u32.into(), 2u32.into()]).unwrap_err();
    assert!(error.to_string().contains("an object of a contract is no value"), "{error}");
}

#[test]
fn a_runtime_that_ends_takes_callbacks_along() {
    let runtime = runtime();
    let count = Count::new(3);
    let alive = Arc::clone(&count.alive);
    let callback = runtime.callback::<dyn Progress>(count).unwrap();
    drop(runtime);
    assert!(matches!(callback.step(0, "x"), Err(CallError::Unloaded { .. })));
    eventually("it ends", || alive.load(Ordering::SeqCst) == 0);
}
