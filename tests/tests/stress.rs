//! Callers of all kinds against reloads, loads, unloads and the end of the runtime, with real libraries: each call is
//! answered by one version, whole, or is told why it cannot be.
//!
//! `POLYPLUG_SOAK=10` makes everything go on ten times as long, `0.1` a tenth.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex, MutexGuard, PoisonError};
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use polyplug::error::{LoaderError, RegistryError, RuntimeError};
use polyplug::{BundleId, CallError, Contract, Proxy, Runtime};
use polyplug_abi::{AbiErrorCode, GuestContractInstance, GuestContractInterface, VmLoaderData};
use polyplug_native::NativeLoader;
use polyplug_tests::copies::mapped_copies;
use polyplug_tests::handles::{Handles, Refused};
use polyplug_tests::{Bundle, eventually, mapped_below, rounds, unloaded};
use test_contracts::{Card, Counter, CounterProxy, Stamp, StampProxy};

const NAME: &str = "reloaded";

/// One test at a time: all of them want all processors, and a pin of one delays the reclaiming of another.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn versions() -> [Bundle; 2] {
    ["plugin-reload-one", "plugin-reload-two"].map(|package| Bundle::native(NAME, package))
}

fn hot() -> Arc<Runtime> {
    Runtime::builder().loader(NativeLoader::new()).hot_reload(true).build().unwrap()
}

/// The version that made a card; nothing else may be on it.
#[track_caller]
fn whole(card: &Card, text: &str) -> u8 {
    let version = card.last;
    assert!(version == 1 || version == 2, "{card:?}");
    assert_eq!(*card, Card::new(version, text), "torn");
    version
}

/// A text that differs from call to call, in length as well.
fn text(n: u64) -> String {
    "x".repeat((n % 40) as usize) + &n.to_string()
}

/// Sets a flag when dropped, so that nobody runs on for ever when a test fails.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Everybody who calls, until told to stop, and once more then: that call must be answered by the last version.
struct Callers<'scope> {
    stop: StopAtEnd<'scope>,
    /// How many have called once.
    begun: &'scope AtomicU64,
    threads: Vec<ScopedJoinHandle<'scope, [u64; 3]>>,
}

impl<'scope> Callers<'scope> {
    fn new(stop: &'scope AtomicBool, begun: &'scope AtomicU64) -> Self {
        Self { stop: StopAtEnd(stop), begun, threads: Vec::new() }
    }

    /// A thread that runs `call`, which gives the version that answered, or 0 for one that may be either.
    fn add(&mut self, scope: &'scope std::thread::Scope<'scope, '_>, mut call: impl FnMut(&str) -> u8 + Send + 'scope) {
        let (stop, begun) = (self.stop.0, self.begun);
        self.threads.push(scope.spawn(move || {
            let mut answers = [0; 3];
            answers[usize::from(call("the first"))] += 1;
            begun.fetch_add(1, Ordering::Relaxed);
            for n in 0.. {
                let last = stop.load(Ordering::Acquire);
                let version = call(&text(n));
                answers[usize::from(version)] += 1;
                if n % 64 == 63 {
                    // On a machine with fewer processors than callers, whoever reloads must get one as well.
                    std::thread::sleep(Duration::from_micros(500));
                }
                if last {
                    assert_ne!(version, 2, "the last reload is done");
                    return answers;
                }
            }
            unreachable!("the loop ends by itself only after 2^64 calls")
        }));
    }

    fn wait_until_begun(&self) {
        let all = self.threads.len() as u64;
        let failed = || self.threads.iter().any(ScopedJoinHandle::is_finished);
        eventually("all have called once", || failed() || self.begun.load(Ordering::Relaxed) == all);
    }

    fn finish(self) -> Vec<[u64; 3]> {
        drop(self.stop);
        self.threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    }
}

/// One call through the table that a handle resolves to, with an instance of its own, all of it under a pin.
fn call_resolved(runtime: &Runtime, handles: Handles, text: &str) -> u8 {
    let _pin = polyplug::pin();
    let handle = runtime.find_guest_contract(<dyn Stamp>::ID.id(), 0).unwrap();
    // SAFETY: resolved under the pin, which lasts until the end.
    let table = unsafe { &*runtime.resolve_guest_contract(handle).unwrap() };
    call_table(runtime, table, handles, text)
}

/// The same through a table that is leased.
fn call_leased(runtime: &Runtime, handles: Handles, text: &str) -> u8 {
    let lease = runtime.lease(runtime.find_guest_contract(<dyn Stamp>::ID.id(), 0).unwrap()).unwrap();
    // SAFETY: valid while the lease is.
    let table = unsafe { &*lease.interface() };
    call_table(runtime, table, handles, text)
}

/// One call through the table of a native [`Stamp`], with an instance of its own. The table is valid during the call.
fn call_table(runtime: &Runtime, table: &GuestContractInterface, handles: Handles, text: &str) -> u8 {
    let (data, mut instance) = (VmLoaderData::null(), GuestContractInstance::null());
    // SAFETY: the host's table is valid while the runtime is, and the place is writable.
    unsafe { (table.create_instance)(data, runtime.host_abi(), std::ptr::null(), &raw mut instance) };
    // SAFETY: the fixture is native, and has three methods and more.
    let entry = unsafe { *table.dispatch.native.functions.cast::<polyplug_abi::Entry>().add(2) };
    // SAFETY: method 2 is called with what it takes and returns.
    let card = handles.card_by(text, |args, out, arena, error| unsafe { entry(instance, args, out, arena, error) });
    // SAFETY: made by this table, and not used any more.
    unsafe { (table.destroy_instance)(data, runtime.host_abi(), instance) };
    whole(&card.unwrap(), text)
}

#[test]
fn every_call_is_answered_by_one_version() {
    let _alone = alone();
    let [one, two] = versions();
    let runtime = hot();
    runtime.load_bundle(one.path()).unwrap();
    // SAFETY: the runtime outlives all threads of the scope below.
    let handles = unsafe { Handles::new(runtime.host_abi()) };
    let (stamp_id, counter_id) = (<dyn Stamp>::ID.id(), <dyn Counter>::ID.id());
    let (stop, begun) = (AtomicBool::new(false), AtomicU64::new(0));
    let answers = std::thread::scope(|scope| {
        let mut callers = Callers::new(&stop, &begun);
        let runtime = &*runtime;
        for _ in 0..2 {
            let never_refreshed = runtime.proxy::<dyn Stamp>().unwrap();
            callers.add(scope, move |text| whole(&never_refreshed.card(text).unwrap(), text));
        }
        for _ in 0..2 {
            let mut refreshed = runtime.proxy::<dyn Stamp>().unwrap();
            callers.add(scope, move |text| {
                refreshed.refresh();
                whole(&refreshed.card(text).unwrap(), text)
            });
        }
        callers.add(scope, |text| whole(&runtime.proxy::<dyn Stamp>().unwrap().card(text).unwrap(), text));
        callers.add(scope, |_| {
            let made_anew = runtime.proxy::<dyn Counter>().unwrap();
            // A reload between the two makes the count begin again.
            let (first, second) = (made_anew.add(1).unwrap(), made_anew.add(1).unwrap());
            assert!(matches!((first, second), (1, 2) | (2, 4) | (1 | 2, 1 | 2)), "{first}, {second}");
            if second == 1 { 1 } else { 0 }
        });
        let kept = runtime.proxy::<dyn Counter>().unwrap();
        callers.add(scope, move |_| {
            assert_ne!(kept.add(1).unwrap(), 0);
            0
        });
        let mut cloned = runtime.proxy::<dyn Counter>().unwrap();
        callers.add(scope, move |_| {
            cloned = cloned.clone();
            assert_ne!(cloned.add(1).unwrap(), 0);
            0
        });

        let handle = handles.find(stamp_id).unwrap();
        for _ in 0..2 {
            let kept = handles.create(handle).unwrap();
            callers.add(scope, move |text| whole(&handles.card(kept, text).unwrap(), text));
        }
        let kept = handles.create(handles.find(counter_id).unwrap()).unwrap();
        callers.add(scope, move |_| {
            assert_ne!(handles.add(kept, 1).unwrap(), 0);
            0
        });
        callers.add(scope, move |text| {
            let token = handles.create(handle).unwrap();
            let card = handles.card(token, text).unwrap();
            handles.destroy(token);
            whole(&card, text)
        });
        callers.add(scope, move |text| {
            let token = handles.create(handles.find(stamp_id).unwrap()).unwrap();
            let card = handles.card(token, text).unwrap();
            handles.destroy(token);
            whole(&card, text)
        });
        callers.add(scope, move |_| {
            let token = handles.create(handles.find(counter_id).unwrap()).unwrap();
            let sum = handles.add(token, 1).unwrap();
            handles.destroy(token);
            assert!(sum == 1 || sum == 2, "{sum}");
            u8::try_from(sum).unwrap()
        });
        callers.add(scope, move |text| call_resolved(runtime, handles, text));
        callers.add(scope, move |text| call_leased(runtime, handles, text));

        callers.wait_until_begun();
        for round in 0..rounds(200) {
            runtime.reload_bundle(if round % 2 == 0 { two.path() } else { one.path() }).unwrap();
        }
        callers.finish()
    });
    let seen = |version: usize| answers.iter().map(|answers| answers[version]).sum::<u64>();
    assert!(seen(1) > 16 && seen(2) > 16, "callers met both versions: {answers:?}");
    println!("answers by callers, by either version, 1 and 2: {answers:?}");
    let folders = [one.path(), two.path()];
    drop(runtime);
    assert!(folders.iter().all(|folder| mapped_below(folder).is_empty()), "it was never mapped where it lies");
}

/// What a call may answer while its bundle comes and goes.
#[track_caller]
fn answered<R>(outcome: Result<R, CallError>) -> Option<R> {
    match outcome {
        Ok(result) => Some(result),
        Err(error) if error.is_unloaded() => {
            assert_eq!(error.bundle(), Some(NAME));
            None
        }
        Err(other) => panic!("{other:?}"),
    }
}

/// What a request for a proxy may answer meanwhile.
#[track_caller]
fn found<R>(outcome: Result<R, RuntimeError>) -> Option<R> {
    match outcome {
        Ok(result) => Some(result),
        Err(RuntimeError::NoProvider { .. }) => None,
        Err(other) => panic!("{other:?}"),
    }
}

/// What the host's table may answer meanwhile.
#[track_caller]
fn accepted<R>(outcome: Result<R, Refused>) -> Option<R> {
    match outcome {
        Ok(result) => Some(result),
        Err((AbiErrorCode::NotFound | AbiErrorCode::StaleHandle | AbiErrorCode::Unloaded, _)) => None,
        Err(other) => panic!("{other:?}"),
    }
}

/// Calls in every way until told to stop; how many answers came.
fn call_until(stop: &AtomicBool, runtime: &Runtime, handles: Handles, kind: usize, answered_so_far: &AtomicU64) -> u64 {
    let (stamp_id, mut answers) = (<dyn Stamp>::ID.id(), 0);
    let mut proxies: Option<(StampProxy, CounterProxy)> = None;
    let mut token = None;
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let text = text(n);
        let answer = match kind % 4 {
            0 => {
                if proxies.is_none() {
                    let stamp = found(runtime.proxy::<dyn Stamp>());
                    proxies = stamp.and_then(|stamp| Some((stamp, found(runtime.proxy::<dyn Counter>())?)));
                }
                let card = proxies.as_ref().and_then(|(stamp, _)| answered(stamp.card(&text)));
                let sum = proxies.as_ref().and_then(|(_, counter)| answered(counter.add(1)));
                if card.is_none() || sum.is_none() {
                    proxies = None;
                }
                card.map(|card| whole(&card, &text)).filter(|_| sum.is_some_and(|sum| sum > 0))
            }
            1 => found(runtime.proxy::<dyn Stamp>())
                .and_then(|stamp| answered(stamp.clone().card(&text)))
                .map(|card| whole(&card, &text)),
            2 => {
                let fresh = || handles.find(stamp_id).and_then(|handle| accepted(handles.create(handle)));
                token = token.or_else(fresh);
                let card = token.and_then(|token| accepted(handles.card(token, &text)));
                if card.is_none() {
                    token.take().inspect(|token| handles.destroy(*token));
                }
                card.map(|card| whole(&card, &text))
            }
            _ => {
                let _pin = polyplug::pin();
                match runtime.find_guest_contract(stamp_id, 0).and_then(|found| runtime.resolve_guest_contract(found)) {
                    Ok(table) => {
                        // SAFETY: resolved under the pin.
                        assert_eq!(unsafe { (*table).contract_id }, <dyn Stamp>::ID);
                        Some(1)
                    }
                    Err(RegistryError::NotFound { .. } | RegistryError::StaleHandle { .. }) => None,
                    Err(other) => panic!("{other:?}"),
                }
            }
        };
        match answer {
            Some(_) => {
                answers += 1;
                answered_so_far.fetch_add(1, Ordering::Relaxed);
            }
            None => std::thread::yield_now(),
        }
    }
    token.inspect(|token| handles.destroy(*token));
    answers
}

/// Callers of every kind, while `change` changes bundles.
///
/// `change` is given the number of answers that callers have got so far.
fn among_callers(runtime: &Arc<Runtime>, change: impl FnOnce(&AtomicU64)) {
    // SAFETY: the runtime outlives the scope.
    let handles = unsafe { Handles::new(runtime.host_abi()) };
    let (stop, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let (stop, answered) = (&stop, &answered);
        let caller = |kind| scope.spawn(move || call_until(stop, runtime, handles, kind, answered));
        let callers: Vec<_> = (0..8).map(caller).collect();
        let stop_at_end = StopAtEnd(stop);
        change(answered);
        drop(stop_at_end);
        let answers: Vec<_> = callers.into_iter().map(|caller| caller.join().unwrap()).collect();
        println!("answers: {answers:?}");
    });
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
}

#[test]
fn loads_and_unloads_race_with_callers() {
    let _alone = alone();
    for runtime in [hot(), polyplug_tests::runtime()] {
        let [one, two] = versions();
        among_callers(&runtime, |answers| {
            for round in 0..rounds(80) {
                let id = runtime.load_bundle(if round % 2 == 0 { two.path() } else { one.path() }).unwrap();
                let before = answers.load(Ordering::Relaxed);
                eventually("callers are answered", || answers.load(Ordering::Relaxed) > before + 8);
                runtime.unload_bundle(id).unwrap();
            }
        });
        assert!(runtime.bundle_ids().is_empty());
        for folder in [one.path(), two.path()] {
            eventually("the libraries are gone", || mapped_below(folder).is_empty());
        }
    }
}

/// A change of a bundle that others change as well.
#[track_caller]
fn in_turn<R>(outcome: Result<R, RuntimeError>) -> u64 {
    match outcome {
        Ok(_) => 1,
        Err(
            RuntimeError::BundleNotLoaded { .. }
            | RuntimeError::ReloadOfUnloaded { .. }
            | RuntimeError::AlreadyLoaded { .. },
        ) => 0,
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn reloads_race_with_reloads_loads_and_unloads() {
    let _alone = alone();
    let [one, two] = versions();
    let runtime = hot();
    let id = BundleId::new(NAME);
    among_callers(&runtime, |_| {
        // Reloads that find nothing to reload do not count, so that all four get their turn.
        let (enough, left) = (u64::from(rounds(30)), AtomicU64::new(2));
        let reloads = |path: &Path| {
            let mut done = 0;
            while done < enough {
                done += in_turn(runtime.reload_bundle(path));
            }
            left.fetch_sub(1, Ordering::Relaxed);
            done
        };
        let meanwhile = |change: &dyn Fn() -> u64| {
            let mut done = 0;
            while left.load(Ordering::Relaxed) > 0 {
                done += change();
            }
            done
        };
        let changed = std::thread::scope(|scope| {
            let to_one = scope.spawn(|| reloads(one.path()));
            let to_two = scope.spawn(|| reloads(two.path()));
            let loads = scope.spawn(|| meanwhile(&|| in_turn(runtime.load_bundle(one.path()))));
            let unloads = scope.spawn(|| meanwhile(&|| in_turn(runtime.unload_bundle(id))));
            [to_one, to_two, loads, unloads].map(|thread| thread.join().unwrap())
        });
        println!("reloads to one and to two, loads, unloads: {changed:?}");
        let [.., loads, unloads] = changed;
        assert!(loads > 0 && (loads == unloads || loads == unloads + 1), "{changed:?}");
        assert_eq!(runtime.bundle_ids().len() as u64, loads - unloads, "each counted once");
        in_turn(runtime.unload_bundle(id));
    });
}

#[test]
fn reloads_of_several_bundles_do_not_wait_for_each_other() {
    let _alone = alone();
    let names = ["first", "second", "third"];
    let bundles =
        names.map(|name| ["plugin-reload-one", "plugin-reload-two"].map(|package| Bundle::native(name, package)));
    let runtime = hot();
    for [one, _] in &bundles {
        runtime.load_bundle(one.path()).unwrap();
    }
    std::thread::scope(|scope| {
        for (name, [one, two]) in names.iter().zip(&bundles) {
            let runtime = &runtime;
            scope.spawn(move || {
                let stamp = runtime.proxy_from::<dyn Stamp>(BundleId::new(name)).unwrap();
                for round in 0..rounds(20) {
                    let (bundle, version) = if round % 2 == 0 { (two, 2) } else { (one, 1) };
                    runtime.reload_bundle(bundle.path()).unwrap();
                    assert_eq!(stamp.card(name), Ok(Card::new(version, name)), "nobody else changes this bundle");
                }
            });
        }
    });
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
}

/// What a runtime that may be at its end says to somebody who still has it.
fn reload_at_the_end(runtime: &Runtime, path: &Path) {
    match runtime.reload_bundle(path) {
        Ok(_) | Err(RuntimeError::ReloadOfUnloaded { .. }) => {}
        Err(RuntimeError::Loader(LoaderError::Failed { reason, .. })) => panic!("{reason}"),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn the_runtime_ends_under_its_users() {
    let _alone = alone();
    let [one, two] = versions();
    let served = AtomicU64::new(0);
    for round in 0..rounds(40) as usize {
        let runtime = hot();
        runtime.load_bundle(one.path()).unwrap();
        let ready = Barrier::new(5);
        std::thread::scope(|scope| {
            for user in 0..4 {
                let proxies = (runtime.proxy::<dyn Stamp>().unwrap(), runtime.proxy::<dyn Counter>().unwrap());
                let (strong, weak) = (Arc::clone(&runtime), Arc::downgrade(&runtime));
                let (ready, two, one, served) = (&ready, two.path(), one.path(), &served);
                scope.spawn(move || {
                    let mut strong = Some(strong).filter(|_| user % 2 == 0);
                    ready.wait();
                    // Until the runtime has ended, which everybody sees.
                    for n in 0.. {
                        let text = text(n);
                        match answered(proxies.0.card(&text)) {
                            Some(card) => _ = whole(&card, &text),
                            None => break,
                        }
                        answered(proxies.1.add(1));
                        served.fetch_add(1, Ordering::Relaxed);
                        if user == 0
                            && n as usize == round % 3
                            && let Some(runtime) = &strong
                        {
                            reload_at_the_end(runtime, two);
                        }
                        if user == 1
                            && let Some(runtime) = weak.upgrade()
                        {
                            // May end the runtime.
                            reload_at_the_end(&runtime, one);
                        }
                        if user == 2
                            && let Some(runtime) = &strong
                        {
                            found(runtime.proxy::<dyn Counter>()).map(|counter| answered(counter.add(1)));
                        }
                        if n as usize > round % 5 {
                            strong = None;
                        }
                    }
                    assert_eq!(unloaded(proxies.0.clone().version()), NAME);
                    assert_eq!(weak.upgrade().map(|_| ()), None, "unloaded, for it has ended");
                });
            }
            ready.wait();
            drop(runtime);
        });
    }
    assert!(served.load(Ordering::Relaxed) > 0);
    eventually("all libraries are gone", || mapped_copies().is_empty());
}

#[test]
fn panics_under_reloads_stay_calls_that_failed() {
    let _alone = alone();
    let [one, two] = versions();
    let runtime = hot();
    runtime.load_bundle(one.path()).unwrap();
    let (stop, begun) = (AtomicBool::new(false), AtomicU64::new(0));
    let answers = std::thread::scope(|scope| {
        let mut callers = Callers::new(&stop, &begun);
        let runtime = &runtime;
        for caller in 0..5 {
            let mut stamp = runtime.proxy::<dyn Stamp>().unwrap();
            callers.add(scope, move |text| {
                match caller % 3 {
                    0 => {}
                    1 => stamp.refresh(),
                    _ => stamp = runtime.proxy::<dyn Stamp>().unwrap(),
                }
                let Err(CallError::Panic(failure)) = stamp.give_up(text) else { panic!("a panic") };
                let (version, said) = failure.message.split_once(' ').unwrap();
                assert_eq!(said, text, "torn");
                let place = ["tests/plugins/reload-one/", "tests/plugins/reload-two/"];
                let version: u8 = version.parse().unwrap();
                let location = failure.location.as_deref().unwrap_or_default();
                assert!(location.starts_with(place[usize::from(version) - 1]), "{failure:?}");
                assert!(stamp.version().unwrap() <= 2, "it serves on");
                version
            });
        }
        callers.wait_until_begun();
        for round in 0..rounds(60) {
            runtime.reload_bundle(if round % 2 == 0 { two.path() } else { one.path() }).unwrap();
        }
        callers.finish()
    });
    println!("panics by callers, of version 1 and 2: {answers:?}");
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
}
