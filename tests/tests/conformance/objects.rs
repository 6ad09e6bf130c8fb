//! Objects are handed over in both directions: lent for a call, or to be kept.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use polyplug::{BundleId, Callback, Runtime};
use polyplug_tests::{Bundle, eventually, unloaded};
use test_contracts::callbacks::Progress;
use test_contracts::conformance::{Listener, Objects, ObjectsProxy, Radio};

use crate::guest::{Guest, needs, raised};

/// Counts its steps, and goes on until a limit.
struct Count {
    steps: Arc<AtomicU32>,
    limit: u32,
    alive: Arc<AtomicU32>,
}

impl Count {
    fn new(limit: u32) -> Self {
        Self { steps: Arc::default(), limit, alive: Arc::new(AtomicU32::new(1)) }
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
        if self.limit > 1 { Ok(text.len() as u32) } else { Err(text) }
    }
}

fn load(guest: &Guest, runtime: &Runtime, name: &str) -> (Bundle, ObjectsProxy) {
    let (bundle, id) = guest.load(runtime, name, "objects", "");
    (bundle, runtime.proxy_from::<dyn Objects>(id).unwrap())
}

/// A bundle that hands objects on to the one that was loaded first.
fn load_other(guest: &Guest, runtime: &Runtime, name: &str) -> (Bundle, ObjectsProxy) {
    let (bundle, id) = guest.load(runtime, name, "objects", &needs(&["test.objects@1"]));
    (bundle, runtime.proxy_from::<dyn Objects>(id).unwrap())
}

pub(crate) fn a_lent_object_is_called(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Objects>("objects");
    let count = Count::new(4);
    assert_eq!(proxy.work(10, &count), Ok(3), "the caller says when to stop");
    assert_eq!(count.steps.load(Ordering::SeqCst), 4);
    assert_eq!(proxy.work(2, &Count::new(100)), Ok(2));
    let (steps, lent) = (AtomicU32::new(0), Count::new(u32::MAX));
    for round in 1..=1000 {
        assert_eq!(proxy.work(1, &lent), Ok(1));
        assert_eq!(lent.steps.load(Ordering::SeqCst), round);
        steps.fetch_add(1, Ordering::SeqCst);
    }
}

pub(crate) fn objects_return_errors(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Objects>("objects");
    let notes = proxy.notes("Grüße", &Count::new(9), &Count::new(1)).unwrap();
    assert_eq!(notes, ["7", "no: Grüße"]);
}

pub(crate) fn an_object_that_fails_ends_the_call(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Objects>("objects");
    let failure = raised(proxy.provoke(&Count::new(1)));
    assert_eq!(failure.method, "test.objects.provoke");
    assert!(
        failure.message.contains("panicked: the pencil broke (at tests/tests/conformance/objects.rs:"),
        "{failure:?}"
    );
    assert_eq!(proxy.work(1, &Count::new(5)), Ok(1), "the plugin serves on");
}

pub(crate) fn a_failing_object_can_be_caught(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Objects>("objects");
    let text = proxy.catch(&Count::new(1)).unwrap();
    assert!(text.contains("panicked: the pencil broke (at tests/tests/conformance/objects.rs:"), "{text}");
}

pub(crate) fn an_object_may_be_kept(guest: &Guest) {
    let (runtime, _bundle, proxy) = guest.proxy::<dyn Objects>("objects");
    let count = Count::new(3);
    let (steps, alive) = (Arc::clone(&count.steps), Arc::clone(&count.alive));
    let callback = runtime.callback::<dyn Progress>(count).unwrap();
    assert_eq!(proxy.keep(callback.clone()), Ok(1));
    assert_eq!(proxy.keep(callback), Ok(2));
    assert_eq!(proxy.tell_all("later"), Ok(vec![Ok(true), Ok(true)]));
    assert_eq!(proxy.tell_all("later"), Ok(vec![Ok(false), Ok(false)]));
    assert_eq!((steps.load(Ordering::SeqCst), alive.load(Ordering::SeqCst)), (4, 1));
    proxy.forget().unwrap();
    eventually("it ends when nobody has it any more", || alive.load(Ordering::SeqCst) == 0);
    assert_eq!(proxy.tell_all("later"), Ok(vec![]));
}

pub(crate) fn objects_go_with_their_holder(guest: &Guest) {
    let (runtime, _bundle, proxy) = guest.proxy::<dyn Objects>("objects");
    let count = Count::new(3);
    let alive = Arc::clone(&count.alive);
    proxy.keep(runtime.callback::<dyn Progress>(count).unwrap()).unwrap();
    drop(proxy);
    runtime.unload_bundle(BundleId::new("objects")).unwrap();
    eventually("it ends with its last holder", || alive.load(Ordering::SeqCst) == 0);
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
}

pub(crate) fn an_object_of_its_own_is_kept_by_others(guest: &Guest) {
    let runtime = guest.runtime();
    let (_keeper, keeper) = load(guest, &runtime, "keeper");
    let (_planter, planter) = load_other(guest, &runtime, "planter");
    assert_eq!((planter.plant(), planter.plant()), (Ok(Ok(1)), Ok(Ok(2))));
    assert_eq!(keeper.tell_all("planted"), Ok(vec![Ok(true), Ok(true)]));
    assert_eq!(keeper.tell_all("other"), Ok(vec![Ok(false), Ok(false)]));
}

pub(crate) fn an_object_of_its_own_is_lent(guest: &Guest) {
    let runtime = guest.runtime();
    let (_keeper, _) = load(guest, &runtime, "keeper");
    let (_lender, lender) = load_other(guest, &runtime, "lender");
    assert_eq!((lender.lend(10), lender.lend(1)), (Ok(Ok(2)), Ok(Ok(1))));
}

pub(crate) fn an_object_is_handed_on(guest: &Guest) {
    let runtime = guest.runtime();
    let (_keeper, _) = load(guest, &runtime, "keeper");
    let (_other, other) = load_other(guest, &runtime, "other");
    assert_eq!(other.pass_on(10, &Count::new(3)), Ok(Ok(2)), "through one plugin to another and back to the host");
}

pub(crate) fn an_object_ends_with_its_bundle(guest: &Guest) {
    let runtime = guest.runtime();
    let (_keeper, keeper) = load(guest, &runtime, "keeper");
    let (_planter, planter) = load_other(guest, &runtime, "planter");
    assert_eq!(planter.plant(), Ok(Ok(1)));
    drop(planter);
    runtime.unload_bundle(BundleId::new("planter")).unwrap();
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), [], "an object keeps nobody's code");
    let answers = keeper.tell_all("planted").unwrap();
    let [Err(error)] = &answers[..] else { panic!("an error, not {answers:?}") };
    assert!(error.contains("bundle `planter`, ") && error.contains("the bundle is unloaded"), "{error}");
    keeper.forget().unwrap();
}

/// Plays to listeners.
#[derive(Default, Clone)]
pub(crate) struct Station(pub(crate) Arc<Mutex<Vec<Callback<dyn Listener>>>>);

impl Radio for Station {
    fn play(&self, words: &str, listener: &dyn Listener) -> Result<u32, String> {
        listener.hear(words)
    }

    fn tune(&self, listener: Callback<dyn Listener>) {
        self.0.lock().unwrap().push(listener);
    }
}

pub(crate) fn the_host_gets_an_object(guest: &Guest) {
    let (runtime, _bundle, proxy) = guest.proxy::<dyn Objects>("objects");
    runtime.provide::<dyn Radio>(Station::default()).unwrap();
    assert_eq!(proxy.listen("Grüße"), Ok(Ok(7)));
    assert_eq!(proxy.listen(""), Ok(Err("silence".to_owned())), "and the error that its method declares");
    assert_eq!(proxy.heard(), Ok(2));
}

pub(crate) fn the_host_keeps_an_object(guest: &Guest) {
    let (runtime, _bundle, proxy) = guest.proxy::<dyn Objects>("objects");
    let station = Station::default();
    runtime.provide::<dyn Radio>(station.clone()).unwrap();
    proxy.subscribe().unwrap();
    let listener = station.0.lock().unwrap()[0].clone();
    assert_eq!(listener.hear("one"), Ok(Ok(3)));
    assert_eq!(std::thread::scope(|scope| scope.spawn(|| listener.hear("three")).join().unwrap()), Ok(Ok(5)));
    assert_eq!(listener.hear(""), Ok(Err("silence".to_owned())));
    assert_eq!(proxy.heard(), Ok(3));
    drop(proxy);
    runtime.unload_bundle(BundleId::new("objects")).unwrap();
    let gone = listener.hear("four");
    assert_eq!(unloaded(gone), "objects");
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), [], "an object keeps nobody's code");
}

pub(crate) fn exceptions_of_objects_arrive(guest: &Guest) {
    let (runtime, _bundle, proxy) = guest.proxy::<dyn Objects>("objects");
    let station = Station::default();
    runtime.provide::<dyn Radio>(station.clone()).unwrap();
    proxy.subscribe().unwrap();
    let listener = station.0.lock().unwrap()[0].clone();
    let failure = raised(listener.hear("!"));
    assert_eq!(failure.method, "test.listener.hear");
    assert!(failure.message.ends_with("too loud"), "{failure:?}");
    assert!(failure.location.as_ref().is_some_and(|location| location.contains("objects.")), "{failure:?}");
    assert_eq!(listener.hear("one"), Ok(Ok(3)), "the object serves on");
    // The host passes it on as a panic of its own, which the plugin tells of.
    let error = proxy.listen("!").unwrap().unwrap_err();
    assert!(error.contains("too loud"), "{error}");
    assert_eq!(proxy.heard(), Ok(3));
}

pub(crate) fn objects_leave_nothing_behind(guest: &Guest) {
    let (runtime, _bundle, proxy) = guest.proxy::<dyn Objects>("objects");
    runtime.provide::<dyn Radio>(Station::default()).unwrap();
    let count = Count::new(u32::MAX);
    let alive = Arc::clone(&count.alive);
    let callback = runtime.callback::<dyn Progress>(count).unwrap();
    let give = || {
        for _ in 0..500 {
            assert_eq!(proxy.work(1, &Count::new(9)), Ok(1));
            assert_eq!(proxy.listen("x"), Ok(Ok(1)));
            assert_eq!(proxy.listen(""), Ok(Err("silence".to_owned())));
            proxy.keep(callback.clone()).unwrap();
        }
        proxy.forget().unwrap();
        runtime.bundles()[0].memory
    };
    let before = give().max(give());
    let after = (0..5).map(|_| give()).min().expect("five");
    assert!(after < before + (64 << 10), "{before} bytes have become {after}");
    drop(callback);
    eventually("nobody has it any more", || alive.load(Ordering::SeqCst) == 0);
}

pub(crate) fn objects_cross_between_languages(guest: &Guest) {
    for other in guest.all() {
        let runtime = guest.runtime_for_all();
        let (_keeper, keeper) = load(other, &runtime, "keeper");
        let (_planter, planter) = load_other(guest, &runtime, "planter");
        assert_eq!(planter.plant(), Ok(Ok(1)), "{} gives to {}", guest.loader, other.loader);
        assert_eq!(keeper.tell_all("planted"), Ok(vec![Ok(true)]));
        assert_eq!(planter.lend(10), Ok(Ok(2)));
        assert_eq!(planter.pass_on(10, &Count::new(3)), Ok(Ok(2)));
        assert_eq!(planter.pass_on(10, &Count::new(1)), Ok(Ok(0)));
        keeper.forget().unwrap();
    }
}
