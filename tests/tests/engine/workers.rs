//! Bundles with workers: calls of stateless plugins run side by side, each in a VM of its own; all else is as with one.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use polyplug::error::{LoaderError, RuntimeError};
use polyplug::{BundleId, CallError, Runtime};
use polyplug_tests::engine::{Call, Class, Code, Raise, Toy, ToyLoader};
use polyplug_tests::{eventually, rounds};

use crate::declaring;

#[polyplug::contract(name = "test.work", version = "1.0")]
trait Work {
    fn work(&self, steps: u32) -> u32;
}

#[polyplug::contract(name = "test.more_work", version = "1.0")]
trait MoreWork {
    fn work(&self, steps: u32) -> u32;
}

/// Implemented by plugins that are not stateless.
#[polyplug::contract(name = "test.lone_work", version = "1.0")]
trait LoneWork {
    fn work(&self, steps: u32) -> u32;
}

/// A time in which each wait that ends does end, even on a slow computer.
const LONG: Duration = Duration::from_secs(60);

/// A place where threads wait for each other.
#[derive(Default)]
struct Meeting {
    arrived: Mutex<u32>,
    changed: Condvar,
}

impl Meeting {
    /// Waits until `all` threads have arrived. Returns whether they have.
    fn of(&self, all: u32) -> bool {
        let mut arrived = self.arrived.lock().unwrap();
        *arrived += 1;
        self.changed.notify_all();
        let (_arrived, waited) = self.changed.wait_timeout_while(arrived, LONG, |arrived| *arrived < all).unwrap();
        !waited.timed_out()
    }
}

fn class(contract: &str, work: impl Fn(&mut Call<'_>) -> Result<Toy, Raise> + Send + Sync + 'static) -> Class {
    Class::new(contract).method("work", work)
}

/// A plugin for `test.work@1` whose calls meet.
fn meeting(threads: u32, result: i128) -> Class {
    let meeting = Arc::new(Meeting::default());
    class("test.work@1", move |_| if meeting.of(threads) { Ok(Toy::Int(result)) } else { Err("alone".into()) })
        .stateless()
}

/// Returns what tells the VM of a call from others.
fn vm(call: &Call<'_>) -> usize {
    Arc::as_ptr(call.guest()).addr()
}

/// Calls `work` on several threads at once.
fn at_once(threads: usize, work: impl Fn() -> Result<u32, CallError> + Sync) -> Vec<Result<u32, CallError>> {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(&work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn load(
    workers: &str,
    program: impl Fn(&mut Code<'_>) -> Result<(), Raise> + Send + Sync + 'static,
) -> (ToyLoader, Arc<Runtime>, Result<BundleId, RuntimeError>) {
    let loader = ToyLoader::new();
    let runtime = loader.runtime();
    let id = loader.load(&runtime, "toy", workers, program);
    (loader, runtime, id)
}

#[track_caller]
fn nothing_is_left(loader: &ToyLoader) {
    let counts = loader.counts();
    eventually("everything ends", || counts.vms() == 0);
    assert_eq!(counts.made(), counts.ended(), "each ended once");
    assert_eq!(counts.overlaps(), 0, "one thread at a time in each VM");
}

/// Returns the error of a load, of which nothing stays.
#[track_caller]
fn refused(workers: &str, program: impl Fn(&mut Code<'_>) -> Result<(), Raise> + Send + Sync + 'static) -> String {
    let (loader, runtime, id) = load(workers, program);
    let error = id.unwrap_err();
    assert!(runtime.bundle_ids().is_empty(), "nothing of it stays");
    nothing_is_left(&loader);
    let RuntimeError::Loader(LoaderError::InitFailed { error, .. }) = error else { return error.to_string() };
    error
}

#[test]
fn calls_run_side_by_side() {
    let (loader, runtime, id) = load("workers = 3\n", declaring(meeting(3, 7)));
    let id = id.unwrap();
    assert_eq!((loader.counts().vms(), loader.counts().made()), (3, 3), "a VM each, with one object");
    let info = runtime.bundle(id).unwrap();
    let [plugin] = &info.plugins[..] else { panic!("one plugin") };
    assert_eq!((plugin.shared, plugin.workers), (true, 3));
    assert!(info.to_string().ends_with("one instance in each of 3 workers"), "{info}");
    assert_eq!(info.memory % 3, 0);
    let work = runtime.proxy::<dyn Work>().unwrap();
    assert_eq!(at_once(3, || work.work(0)), [Ok(7), Ok(7), Ok(7)]);
    drop(work);
    let report = runtime.unload_bundle(id).unwrap();
    assert!(report.reclaimed, "{report:?}");
    nothing_is_left(&loader);
}

#[test]
fn without_the_key_there_is_one_vm() {
    for workers in ["", "workers = 1\n"] {
        let inside = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let (loader, runtime, id) = load(workers, {
            let most = Arc::clone(&most);
            declaring(
                class("test.work@1", move |_| {
                    most.fetch_max(inside.fetch_add(1, SeqCst) + 1, SeqCst);
                    thread::yield_now();
                    inside.fetch_sub(1, SeqCst);
                    Ok(Toy::Int(1))
                })
                .stateless(),
            )
        });
        let id = id.unwrap();
        assert_eq!((loader.counts().vms(), loader.counts().made()), (1, 1));
        assert_eq!(runtime.bundle(id).unwrap().plugins[0].workers, 1);
        let work = runtime.proxy::<dyn Work>().unwrap();
        let many = at_once(4, || (0..rounds(200)).map(|_| work.work(0)).collect::<Result<Vec<_>, _>>().map(|_| 1));
        assert_eq!(many, [Ok(1), Ok(1), Ok(1), Ok(1)]);
        assert_eq!(most.load(SeqCst), 1, "one call at a time");
        drop((work, runtime));
        nothing_is_left(&loader);
    }
}

#[test]
fn more_threads_than_workers_take_turns() {
    let (loader, runtime, id) = load(
        "workers = 2\n",
        declaring(class("test.work@1", |call| Ok(Toy::Int(call.arguments[0].int() + 1))).stateless()),
    );
    id.unwrap();
    let work = runtime.proxy::<dyn Work>().unwrap();
    let many = || (0..rounds(2000)).try_fold(0, |sum, _| work.work(sum));
    assert_eq!(at_once(6, many), vec![Ok(rounds(2000)); 6]);
    drop((work, runtime));
    nothing_is_left(&loader);
}

thread_local! {
    /// The bundles that this thread went through, with their VMs.
    static VISITED: RefCell<Vec<(&'static str, usize)>> = const { RefCell::new(Vec::new()) };
}

/// A plugin that goes on to another one.
fn passing_on(name: &'static str, own: &str, other: &'static str) -> Class {
    let work = move |call: &mut Call<'_>| {
        VISITED.with_borrow_mut(|visited| visited.push((name, vm(call))));
        let steps = call.arguments[0].int();
        if steps == 0 {
            return Ok(Toy::Int(0));
        }
        let other = call.peer(other)?;
        Ok(Toy::Int(1 + call.invoke(&other, "work", &[Toy::Int(steps - 1)])?.int()))
    };
    class(own, work).stateless()
}

#[test]
fn a_nested_call_is_in_the_vm_of_its_thread() {
    let loader = ToyLoader::new();
    let runtime = loader.runtime();
    let bundles = [
        ("few", "workers = 2\n", "test.work@1", "test.more_work@1"),
        ("many", "workers = 5\n", "test.more_work@1", "test.work@1"),
    ];
    for (name, workers, own, other) in bundles {
        let more = format!("{workers}[[dependency]]\ncontract = \"{other}\"\n");
        loader.load(&runtime, name, &more, declaring(passing_on(name, own, other))).unwrap();
    }
    let work = runtime.proxy::<dyn Work>().unwrap();
    let used = Mutex::new(Vec::new());
    let walk = || {
        for _ in 0..rounds(100) {
            assert_eq!(work.work(7)?, 7);
            let mut visited = VISITED.take();
            assert_eq!(visited.len(), 8);
            visited.sort_unstable();
            visited.dedup();
            assert_eq!(visited.len(), 2, "one VM of each bundle: {visited:x?}");
            used.lock().unwrap().extend(visited);
        }
        Ok(0)
    };
    assert_eq!(at_once(4, walk), vec![Ok(0); 4]);
    drop((work, runtime));
    nothing_is_left(&loader);
}

/// Two bundles that call each other: `pool` has two workers, `lone` is a singleton, so that to open it makes no instance. Work 0 ends at once, work 1 calls the other
/// bundle when all threads of a round are in, and work 2 waits for the gate.
struct Crossing {
    loader: ToyLoader,
    runtime: Arc<Runtime>,
    gate: Arc<(Mutex<bool>, Condvar)>,
}

impl Crossing {
    fn new(threads: usize) -> Self {
        let (loader, barrier) = (ToyLoader::new(), Arc::new(Barrier::new(threads)));
        let runtime = loader.runtime();
        let gate = Arc::new((Mutex::new(false), Condvar::new()));
        for (name, more, own, other) in [
            ("pool", "workers = 2\n", "test.work@1", "test.lone_work@1"),
            ("lone", "", "test.lone_work@1", "test.work@1"),
        ] {
            let (barrier, gate) = (Arc::clone(&barrier), Arc::clone(&gate));
            let work = move |call: &mut Call<'_>| {
                match call.arguments[0].int() {
                    0 => {}
                    1 => {
                        let other = call.peer(other)?;
                        barrier.wait();
                        call.invoke(&other, "work", &[Toy::Int(0)])?;
                    }
                    _ => {
                        barrier.wait();
                        drop(gate.1.wait_while(gate.0.lock().unwrap(), |open| !*open).unwrap());
                    }
                }
                Ok(Toy::Int(0))
            };
            let class = class(own, work);
            let class = if name == "pool" { class.stateless() } else { class.singleton() };
            let more = format!("{more}[[dependency]]\ncontract = \"{other}\"\n");
            loader.load(&runtime, name, &more, declaring(class)).unwrap();
        }
        Self { loader, runtime, gate }
    }

    fn open(&self, open: bool) {
        *self.gate.0.lock().unwrap() = open;
        self.gate.1.notify_all();
    }

    /// Calls the lone plugin with 1, and the pool with each of these works, at once.
    fn go(&self, pool: &[u32]) -> Vec<Result<u32, CallError>> {
        let (lone, work) = (self.runtime.proxy::<dyn LoneWork>().unwrap(), self.runtime.proxy::<dyn Work>().unwrap());
        self.open(false);
        thread::scope(|scope| {
            let first = scope.spawn(|| lone.work(1));
            let work = &work;
            let others: Vec<_> = pool.iter().map(|steps| scope.spawn(move || work.work(*steps))).collect();
            // Most likely the threads wait by now. The outcome is the same if they do not.
            thread::sleep(Duration::from_millis(5));
            self.open(true);
            [first].into_iter().chain(others).map(|thread| thread.join().unwrap()).collect()
        })
    }

    fn end(self) {
        drop(self.runtime);
        nothing_is_left(&self.loader);
    }
}

#[test]
fn a_wait_for_a_pool_goes_on_while_one_worker_does() {
    let crossing = Crossing::new(3);
    for _ in 0..rounds(20) {
        // One worker waits for the thread that waits for any worker; the other is about to return.
        assert_eq!(crossing.go(&[1, 2]), [Ok(0), Ok(0), Ok(0)]);
    }
    crossing.end();
}

#[test]
fn if_all_workers_would_wait_for_each_other_one_call_is_refused() {
    let crossing = Crossing::new(3);
    for _ in 0..rounds(20) {
        let outcomes = crossing.go(&[1, 1]);
        let refused: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
        let [CallError::Deadlock(failure)] = refused[..] else { panic!("one is refused, not {outcomes:?}") };
        let texts = [
            "bundle `pool` is busy on a thread that waits for this one to leave bundle `lone`",
            "bundle `lone` is busy on a thread that waits for this one to leave bundle `pool`",
        ];
        assert!(texts.iter().any(|text| failure.message.contains(text)), "{}", failure.message);
    }
    crossing.end();
}

#[test]
fn other_plugins_stay_in_the_first_vm() {
    let (starts, used) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
    let (loader, runtime, id) = load("workers = 3\n", {
        let (starts, used) = (Arc::clone(&starts), Arc::clone(&used));
        move |code: &mut Code<'_>| {
            starts.lock().unwrap().push(Arc::as_ptr(code.guest).addr());
            let used = Arc::clone(&used);
            code.declare(class("test.lone_work@1", move |call| {
                used.lock().unwrap().push(vm(call));
                Ok(Toy::Int(1))
            }));
            code.declare(meeting(1, 2));
            Ok(())
        }
    });
    let id = id.unwrap();
    let [lone, pooled] = &runtime.bundle(id).unwrap().plugins[..] else { panic!("two plugins") };
    assert_eq!(((lone.shared, lone.workers), (pooled.shared, pooled.workers)), ((false, 1), (true, 3)));
    let proxies = [(); 3].map(|()| runtime.proxy::<dyn LoneWork>().unwrap());
    thread::scope(|scope| {
        for proxy in &proxies {
            scope.spawn(|| (0..rounds(50)).for_each(|_| assert_eq!(proxy.work(0), Ok(1))));
        }
    });
    let first = starts.lock().unwrap()[0];
    assert!(used.lock().unwrap().iter().all(|vm| *vm == first), "all in the first VM");
    assert_eq!(loader.counts().made(), 3 + 3, "an instance for each proxy, and one object in each VM");
    drop((proxies, runtime));
    nothing_is_left(&loader);
}

#[test]
fn memory_is_that_of_all_workers() {
    let (loader, runtime, id) = load("workers = 2\n", declaring(meeting(1, 2)));
    let objects = (loader.counts().made() - loader.counts().ended()) as u64;
    assert_eq!(runtime.bundle(id.unwrap()).unwrap().memory, 2 * 1000 * objects);
}

#[test]
fn a_bundle_without_a_stateless_plugin_needs_no_workers() {
    let plain = || declaring(class("test.work@1", |_| Ok(Toy::Nil)));
    for workers in ["2", "\"cores\""] {
        assert_eq!(
            refused(&format!("workers = {workers}\n"), plain()),
            format!(
                "the manifest has `workers = {workers}`, and no plugin is declared stateless, so that none could use a \
                 second one: declare those that keep nothing from one call to the next with the option `stateless`, or \
                 remove `workers`"
            )
        );
    }
    load("workers = 1\n", plain()).2.unwrap();
}

#[test]
fn a_stateless_plugin_has_no_state() {
    for workers in ["", "workers = 2\n"] {
        let error = refused(workers, declaring(meeting(1, 0).singleton().at("main.toy:3")));
        let text = "toy/main.toy:3: the plugin is declared both stateless and a singleton: ";
        assert!(error.starts_with(text) && error.ends_with("remove one of the two options"), "{error}");
        let keeping = || meeting(1, 0).keeping(|_| Ok(Vec::new()), |_, _| Ok(Toy::Nil));
        let error = refused(workers, declaring(keeping().at("main.toy:4")));
        let text = "toy/main.toy:4: the plugin is declared stateless and has `save` and `restore`, ";
        assert!(
            error.starts_with(text) && error.ends_with("remove the two methods or the option `stateless`"),
            "{error}"
        );
    }
}

#[test]
fn a_worker_that_does_not_start_fails_the_load() {
    let (starts, ended) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let error = refused("workers = 3\n", {
        let ended = Arc::clone(&ended);
        move |code: &mut Code<'_>| {
            let ended = Arc::clone(&ended);
            code.guest.on_unload(move || {
                ended.fetch_add(1, SeqCst);
                Ok(())
            })?;
            if starts.fetch_add(1, SeqCst) == 1 {
                return Err("no second time".into());
            }
            code.declare(meeting(1, 0));
            Ok(())
        }
    });
    assert_eq!(error, "worker 2 of 3: no second time");
    assert_eq!(ended.load(SeqCst), 2, "the functions for the unload of both that have begun");
}

#[test]
fn each_worker_declares_the_same() {
    let differing = |change: fn(&mut Code<'_>)| {
        let starts = AtomicUsize::new(0);
        move |code: &mut Code<'_>| {
            code.declare(meeting(1, 0));
            if starts.fetch_add(1, SeqCst) == 1 {
                change(code);
            }
            Ok(())
        }
    };
    let more = differing(|code| code.declare(class("test.more_work@1", |_| Ok(Toy::Nil))));
    let remedy = "than in the first worker: the code has to declare the same each time that it is started";
    assert_eq!(refused("workers = 2\n", more), format!("worker 2 of 2: 2 plugins are declared, and not 1 {remedy}"));
    let starts = AtomicUsize::new(0);
    let other = move |code: &mut Code<'_>| {
        let class = meeting(1, 0);
        code.declare(if starts.fetch_add(1, SeqCst) == 1 { class.named("other") } else { class });
        Ok(())
    };
    assert_eq!(
        refused("workers = 2\n", other),
        format!("worker 2 of 2: plugin `test.work@1` is declared differently {remedy}")
    );
}

#[test]
fn an_instance_that_one_worker_refuses_fails_the_load() {
    let times = AtomicUsize::new(0);
    let class = meeting(1, 0).init(move |_| match times.fetch_add(1, SeqCst) {
        1 => Err("no paper left".into()),
        _ => Ok(Toy::Nil),
    });
    let error = refused("workers = 2\n", declaring(class));
    assert!(error.contains("no paper left"), "{error}");
}

#[test]
fn what_remains_of_one_worker_is_reported() {
    let starts = AtomicUsize::new(0);
    let (_loader, runtime, id) = load("workers = 3\n", move |code| {
        if starts.fetch_add(1, SeqCst) == 1 {
            // The first measurement counts.
            code.guest.record_end(Some("a timer of the second worker".to_owned().into()));
        }
        code.declare(meeting(1, 0));
        Ok(())
    });
    let report = runtime.unload_bundle(id.unwrap()).unwrap();
    assert!(!report.reclaimed);
    assert_eq!(report.still_mapped.as_deref(), Some("a timer of the second worker"));
}

#[test]
fn a_panic_in_one_worker_leaves_the_others() {
    let meeting = Arc::new(Meeting::default());
    let work = move |call: &mut Call<'_>| {
        assert!(meeting.of(2), "the other is in");
        assert!(call.arguments[0] != Toy::Int(1), "the wheel is off");
        Ok(Toy::Int(5))
    };
    let (loader, runtime, id) = load("workers = 2\n", declaring(class("test.work@1", work).stateless()));
    id.unwrap();
    let work = runtime.proxy::<dyn Work>().unwrap();
    let (good, bad) = thread::scope(|scope| {
        let good = scope.spawn(|| work.work(0));
        (work.work(1), good.join().unwrap())
    });
    assert!(matches!(&good, Err(CallError::Exception(failure)) if failure.message.contains("the wheel is off")));
    assert_eq!(bad, Ok(5));
    assert_eq!(at_once(2, || work.work(0)), [Ok(5), Ok(5)], "both serve on");
    drop((work, runtime));
    nothing_is_left(&loader);
}

#[test]
fn a_reload_replaces_all_workers() {
    let loader = ToyLoader::new();
    let (runtime, bundle) = (loader.runtime(), ToyLoader::bundle("toy", "workers = 2\n"));
    loader.program("toy", declaring(meeting(2, 1)));
    runtime.load_bundle(bundle.path()).unwrap();
    let work = runtime.proxy::<dyn Work>().unwrap();
    assert_eq!(at_once(2, || work.work(0)), [Ok(1), Ok(1)]);
    loader.program("toy", declaring(meeting(2, 2)));
    drop(work);
    let report = runtime.reload_bundle(bundle.path()).unwrap();
    assert!(report.reclaimed, "{report:?}");
    assert_eq!((report.migrated, report.restarted, loader.counts().vms()), (0, 0, 2));
    let work = runtime.proxy::<dyn Work>().unwrap();
    assert_eq!(at_once(2, || work.work(0)), [Ok(2), Ok(2)], "both are new");
    // A worker of the next version that does not start leaves this version as it is.
    let starts = AtomicUsize::new(0);
    loader.program("toy", move |code| {
        code.declare(meeting(2, 3));
        if starts.fetch_add(1, SeqCst) == 1 { Err("no second time".into()) } else { Ok(()) }
    });
    let error = runtime.reload_bundle(bundle.path()).unwrap_err().to_string();
    assert!(error.contains("worker 2 of 2: no second time"), "{error}");
    assert_eq!(at_once(2, || work.work(0)), [Ok(2), Ok(2)]);
    eventually("the failed version ends", || loader.counts().vms() == 2);
    drop((work, runtime));
    nothing_is_left(&loader);
}

#[test]
fn calls_go_on_during_reloads() {
    let loader = ToyLoader::new();
    let (runtime, bundle) = (loader.runtime(), ToyLoader::bundle("toy", "workers = 2\n"));
    loader.program("toy", declaring(meeting(1, 1)));
    runtime.load_bundle(bundle.path()).unwrap();
    let (work, done) = (runtime.proxy::<dyn Work>().unwrap(), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(SeqCst) {
                    assert_eq!(work.work(0), Ok(1));
                }
            });
        }
        for _ in 0..rounds(20) {
            runtime.reload_bundle(bundle.path()).unwrap();
        }
        done.store(true, SeqCst);
    });
    drop((work, runtime));
    nothing_is_left(&loader);
}
