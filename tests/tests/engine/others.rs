//! Host contracts, peers and objects, in both directions.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use polyplug::engine::Fault;
use polyplug::{CallError, Runtime};
use polyplug_tests::engine::{Call, Class, Raise, Toy, ToyLoader};
use polyplug_tests::eventually;
use test_contracts::Calculator;
use test_contracts::callbacks::{Progress, Worker};
use test_contracts::calling::{Caller, Logger};

use crate::{calculator, declaring};

#[derive(Default, Clone)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Logger for Lines {
    fn log(&self, line: &str) -> u32 {
        let mut lines = self.0.lock().unwrap();
        lines.push(line.to_owned());
        lines.len() as u32
    }

    fn panics(&self, words: &str) {
        panic!("{words}")
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// The error of a call that a guest made, as text; or a fault of its own.
fn as_declared(outcome: Result<Toy, Raise>) -> Result<Toy, Raise> {
    match outcome {
        Err(Raise::Fault(fault)) => match fault.into_call_error() {
            Ok(error) => Err(Raise::Declared(Toy::text(error.to_string()))),
            Err(fault) => Err(Raise::Declared(Toy::text(fault.to_string()))),
        },
        outcome => outcome,
    }
}

/// A caller of everybody.
fn caller() -> Class {
    let refuse = |_: &mut Call<'_>| Err(Raise::from("not today"));
    let log = |call: &mut Call<'_>| {
        let logger = call.host("test.logger@1")?;
        as_declared(call.invoke(&logger, "log", &call.arguments))
    };
    Class::new("test.caller@1")
        .method("log", log)
        .method("host_panics", |call| {
            let logger = call.host("test.logger@1")?;
            as_declared(call.invoke(&logger, "panics", &call.arguments))
        })
        .method("lines", |call| {
            let logger = call.host("test.logger@1")?;
            as_declared(call.invoke(&logger, "lines", &[]))
        })
        .method("add", |call| {
            let peer = call.peer("demo.calculator@1");
            as_declared(peer.and_then(|peer| call.invoke(&peer, "add", &call.arguments)))
        })
        .method("count", refuse)
        .method("undeclared", |call| as_declared(call.peer("test.counter@1").map(|_| Toy::Int(0))))
        .method("nested", refuse)
        .method("forget", |_| Ok(Toy::Nil))
        .method("log_on_threads", refuse)
}

const DEPENDS: &str = "[[dependency]]\ncontract = \"demo.calculator@1\"\n";

fn start() -> (ToyLoader, Arc<Runtime>, Lines) {
    let loader = ToyLoader::new();
    let runtime = loader.runtime();
    let lines = Lines::default();
    runtime.provide::<dyn Logger>(lines.clone()).unwrap();
    loader.load(&runtime, "caller", DEPENDS, declaring(caller())).unwrap();
    (loader, runtime, lines)
}

#[test]
fn host_contracts_are_called() {
    let (_loader, runtime, lines) = start();
    let caller = runtime.proxy::<dyn Caller>().unwrap();
    assert_eq!((caller.log("one"), caller.log("two")), (Ok(Ok(1)), Ok(Ok(2))));
    assert_eq!(*lines.0.lock().unwrap(), ["one", "two"]);
    assert_eq!(caller.lines(), Ok(Ok(vec!["one".to_owned(), "two".to_owned()])));
    let error = caller.host_panics("the pencil broke").unwrap().unwrap_err();
    assert!(
        error.starts_with("the host, test.logger.panics: panicked: the pencil broke (at tests/tests/engine/others.rs:"),
        "{error}"
    );
}

#[test]
fn a_host_contract_that_is_not_provided_is_named() {
    let loader = ToyLoader::new();
    let runtime = loader.runtime();
    loader.load(&runtime, "caller", "", declaring(caller())).unwrap();
    let error = runtime.proxy::<dyn Caller>().unwrap().log("one").unwrap_err();
    let CallError::Exception(failure) = &error else { panic!("an exception, not {error:?}") };
    assert!(failure.message.contains("does not provide the host contract test.logger@1"), "{error}");
}

#[test]
fn peers_are_called() {
    let (loader, runtime, _) = start();
    let caller = runtime.proxy::<dyn Caller>().unwrap();
    let error = caller.add(2, 3).unwrap().unwrap_err();
    assert!(error.contains("no other loaded bundle provides demo.calculator@1"), "{error}");
    let id = loader.load(&runtime, "calculator", "", declaring(calculator())).unwrap();
    assert_eq!(caller.add(2, 3), Ok(Ok(5)));
    let error = caller.undeclared().unwrap().unwrap_err();
    assert!(error.contains("test.counter@1") && error.contains("[[dependency]]"), "{error}");
    runtime.unload_bundle_cascade(id).unwrap();
    drop(caller);
    eventually("everything ends", || loader.counts().vms() == 0);
}

/// What goes wrong with a call that a guest makes says nothing of the call that the guest is in.
#[test]
fn an_error_of_a_call_that_a_guest_makes_is_that_calls() {
    let (loader, runtime, _) = start();
    loader.load(&runtime, "calculator", "", declaring(calculator())).unwrap();
    let caught = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&caught);
    let class = caller().method("add", move |call| {
        let peer = call.peer("demo.calculator@1")?;
        for arguments in [vec![Toy::Int(1)], vec![Toy::Int(1), "x".into()], vec![Toy::Int(1 << 40), Toy::Int(0)]] {
            let Err(Raise::Fault(fault)) = call.invoke(&peer, "add", &arguments) else { panic!("an error") };
            seen.lock().unwrap().push(fault.into_call_error().expect("the error of a call"));
        }
        call.invoke(&peer, "add", &["x".into(), "y".into()])
    });
    let id = loader.load(&runtime, "other", DEPENDS, declaring(class)).unwrap();
    let error = runtime.proxy_from::<dyn Caller>(id).unwrap().add(1, 2).unwrap_err();
    let CallError::Exception(failure) = &error else { panic!("an exception, not {error:?}") };
    let text = "bundle `calculator`, demo.calculator.add: an argument is no value of its type: a: expected i32, got text \"x\"";
    assert_eq!(failure.message, text);
    let texts: Vec<_> = caught.lock().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "bundle `calculator`, demo.calculator.add: an argument is no value of its type: 2 arguments are expected, and 1 given: \
             add(a: i32, b: i32) -> i32",
            "bundle `calculator`, demo.calculator.add: an argument is no value of its type: b: expected i32, got text \"x\"",
            "bundle `calculator`, demo.calculator.add: an argument is no value of its type: a: 1099511627776 is out of range for i32",
        ]
    );
    assert!(caught.lock().unwrap().iter().all(|error| matches!(error, CallError::InvalidArgument(_))));
}

#[test]
fn faults_of_the_engine_are_no_errors_of_calls() {
    assert!(Fault::new("x").into_call_error().is_err());
    assert!(Fault::limit("x").into_call_error().is_err());
}

/// Works with objects.
fn worker(kept: Arc<Mutex<Vec<Toy>>>) -> Class {
    let refuse = |_: &mut Call<'_>| Err(Raise::from("not today"));
    let (keeping, telling, forgetting) = (Arc::clone(&kept), Arc::clone(&kept), kept);
    let keep = move |call: &mut Call<'_>| {
        let mut kept = keeping.lock().unwrap();
        kept.push(call.arguments[0].clone());
        Ok(Toy::Int(kept.len() as i128))
    };
    Class::new("test.worker@1")
        .method("work", |call| {
            let (steps, progress) = (call.arguments[0].int(), call.arguments[1].clone());
            for step in 1..=steps {
                if call.invoke(&progress, "step", &[Toy::Int(step), "working".into()])? == Toy::Bool(false) {
                    return Ok(Toy::Int(step));
                }
            }
            Ok(Toy::Int(steps))
        })
        .method("both", refuse)
        .method("on_threads", refuse)
        .method("provoke", |call| match call.invoke(&call.arguments[0], "breaks", &[]) {
            Err(Raise::Fault(fault)) => Ok(Toy::text(fault.to_string())),
            other => other,
        })
        .method("keep", keep.clone())
        .method("keep_copy", keep)
        .method("tell_all", move |call| {
            let all = telling.lock().unwrap().clone();
            let told = all.iter().map(|progress| {
                match as_declared(call.invoke(progress, "step", &[Toy::Int(0), call.arguments[0].clone()])) {
                    Ok(answer) => Toy::map([("ok", answer)]),
                    Err(Raise::Declared(error)) => Toy::map([("err", error)]),
                    Err(Raise::Fault(fault)) => Toy::map([("err", Toy::text(fault.to_string()))]),
                }
            });
            Ok(Toy::List(told.collect()))
        })
        .method("forget_all", move |_| {
            forgetting.lock().unwrap().clear();
            Ok(Toy::Nil)
        })
        .method("plant", |call| {
            let worker = call.peer("test.worker@1")?;
            let name = call.guest().bundle().to_owned();
            let object = Toy::object("step", move |call| Ok(Toy::Bool(call.arguments[1] == Toy::text(&name))));
            as_declared(call.invoke(&worker, "keep", &[object]))
        })
        .method("pass_on", |call| {
            let worker = call.peer("test.worker@1")?;
            let progress = call.arguments[1].clone();
            let told = move |call: &mut Call<'_>| call.invoke(&progress, "step", &call.arguments);
            as_declared(call.invoke(&worker, "work", &[call.arguments[0].clone(), Toy::object("step", told)]))
        })
}

const KNOWS_WORKERS: &str = "[[dependency]]\ncontract = \"test.worker@1\"\n";

/// Counts steps up to a limit.
#[derive(Clone)]
struct Count(Arc<AtomicU32>, u32);

impl Progress for Count {
    fn step(&self, _: u32, _: &str) -> bool {
        self.0.fetch_add(1, Ordering::SeqCst) + 1 < self.1
    }

    fn breaks(&self) {
        panic!("the pencil broke")
    }

    fn note(&self, text: String) -> Result<u32, String> {
        Err(text)
    }
}

#[test]
fn objects_are_lent_to_engines() {
    let loader = ToyLoader::new();
    let runtime = loader.runtime();
    let kept = Arc::default();
    loader.load(&runtime, "worker", "", declaring(worker(Arc::clone(&kept)))).unwrap();
    let worker = runtime.proxy::<dyn Worker>().unwrap();
    let count = Count(Arc::default(), 4);
    assert_eq!(worker.work(10, &count), Ok(4));
    assert_eq!(worker.work(2, &Count(Arc::default(), 9)), Ok(2));
    let error = worker.provoke(&count).unwrap();
    assert!(error.contains("the pencil broke"), "{error}");
}

#[test]
fn objects_are_kept_by_engines() {
    let loader = ToyLoader::new();
    let runtime = loader.runtime();
    let kept = Arc::default();
    let id = loader.load(&runtime, "worker", "", declaring(worker(Arc::clone(&kept)))).unwrap();
    let worker = runtime.proxy::<dyn Worker>().unwrap();
    let (one, other) = (Count(Arc::default(), 2), Count(Arc::default(), 9));
    assert_eq!(worker.keep(runtime.callback::<dyn Progress>(one.clone()).unwrap()), Ok(1));
    assert_eq!(worker.keep_copy(&runtime.callback::<dyn Progress>(other.clone()).unwrap()), Ok(2));
    assert_eq!(worker.tell_all("x"), Ok(vec![Ok(true), Ok(true)]));
    assert_eq!(worker.tell_all("x"), Ok(vec![Ok(false), Ok(true)]));
    assert_eq!(Arc::strong_count(&one.0), 2, "the worker has one");
    worker.forget_all().unwrap();
    assert_eq!(Arc::strong_count(&one.0), 1, "no longer");
    assert_eq!(worker.tell_all("x"), Ok(vec![]));
    drop(worker);
    runtime.unload_bundle(id).unwrap();
}

#[test]
fn engines_hand_over_objects() {
    let loader = ToyLoader::new();
    let runtime = loader.runtime();
    let (one, other) = (Arc::default(), Arc::default());
    let a = loader.load(&runtime, "a", KNOWS_WORKERS, declaring(worker(Arc::clone(&one)))).unwrap();
    let b = loader.load(&runtime, "b", "", declaring(worker(Arc::clone(&other)))).unwrap();
    let (a_worker, b_worker) =
        (runtime.proxy_from::<dyn Worker>(a).unwrap(), runtime.proxy_from::<dyn Worker>(b).unwrap());
    assert_eq!(a_worker.plant(), Ok(Ok(1)), "b keeps an object of a's");
    assert_eq!(b_worker.tell_all("a"), Ok(vec![Ok(true)]));
    assert_eq!(b_worker.tell_all("b"), Ok(vec![Ok(false)]));

    let count = Count(Arc::default(), 3);
    assert_eq!(a_worker.pass_on(10, &count), Ok(Ok(3)), "through an object of a's, which calls the host's");
    assert_eq!(count.0.load(Ordering::SeqCst), 3);

    // It goes with the bundle that handed it over.
    drop((a_worker, one));
    runtime.unload_bundle(a).unwrap();
    let [Err(told)] = &b_worker.tell_all("a").unwrap()[..] else { panic!("it is gone") };
    assert!(told.contains("bundle `a`, ") && told.contains(": the bundle is unloaded"), "{told}");
    other.lock().unwrap().clear();
    drop(b_worker);
    runtime.unload_bundle(b).unwrap();
    let counts = loader.counts();
    eventually("everything ends", || counts.vms() == 0 && counts.made() == counts.ended());
}

#[test]
fn what_is_no_object_is_refused_as_one() {
    let (loader, kept) = (ToyLoader::new(), Arc::default());
    let runtime = loader.runtime();
    let class = worker(kept).method("plant", |call| {
        let worker = call.peer("test.worker@1")?;
        call.invoke(&worker, "keep", &[Toy::Int(1)])
    });
    let a = loader.load(&runtime, "a", KNOWS_WORKERS, declaring(class)).unwrap();
    loader.load(&runtime, "b", "", declaring(worker(Arc::default()))).unwrap();
    let error = runtime.proxy_from::<dyn Worker>(a).unwrap().plant().unwrap_err().to_string();
    assert!(error.contains("progress: expected an object, got int 1"), "{error}");
}

#[test]
fn calls_without_end_end_in_an_error() {
    let loader = ToyLoader::new();
    let runtime = loader.runtime();
    let class = |next: &'static str| {
        calculator().method("add", move |call| {
            let depth = call.arguments[0].int();
            let peer = call.peer(next)?;
            call.invoke(&peer, "add", &[Toy::Int(depth + 1), Toy::Int(0)])
        })
    };
    loader.load(&runtime, "a", DEPENDS, declaring(class("demo.calculator@1"))).unwrap();
    loader.load(&runtime, "b", DEPENDS, declaring(class("demo.calculator@1"))).unwrap();
    let calculator = runtime.proxy::<dyn Calculator>().unwrap();
    let error = calculator.add(0, 0).unwrap_err().to_string();
    assert!(error.contains("do plugins call each other without end?"), "{error}");
    assert_eq!(calculator.divide(4, 2), Ok(Ok(2)), "it serves on");
}
