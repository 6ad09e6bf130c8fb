//! The end of the interpreter while the host goes on, whose the signals are, and threads that come and go.
#![cfg(target_os = "linux")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use polyplug::{BundleId, CallError, Runtime};
use polyplug_python::PythonLoader;
use polyplug_python::pyo3::{Python, ffi};
use polyplug_tests::footprint::{Slack, flat};
use polyplug_tests::lua::{Script, run};
use polyplug_tests::python::{SCRIPT, ask, load_python, loaded, python_runtime, try_load_python};
use polyplug_tests::{child, eventually};
use test_contracts::calling::Logger;

/// Ends the interpreter, as a host may that knows of it.
fn finalize() {
    // SAFETY: the interpreter runs; the thread is attached, and nothing of it is used afterwards.
    unsafe {
        ffi::PyGILState_Ensure();
        ffi::Py_FinalizeEx();
    }
}

/// Runs the test in a process of its own, which has to end by itself, and well.
#[track_caller]
fn ends_well(name: &str) -> bool {
    if child::is_child() {
        // Whatever hangs is ended by the system, which is a failure.
        // SAFETY: sets a timer that ends the process.
        unsafe { libc::alarm(120) };
    }
    child::alone(name)
}

#[track_caller]
fn says_so(error: impl ToString) {
    let error = error.to_string();
    assert!(error.contains("the Python interpreter is shutting down"), "{error}");
}

/// A host's function in which a call waits.
#[derive(Default)]
struct Gate {
    inside: AtomicU32,
    may_go: AtomicBool,
}

struct Waits(Arc<Gate>);

impl Logger for Waits {
    fn log(&self, _: &str) -> u32 {
        self.0.inside.fetch_add(1, SeqCst);
        while !self.0.may_go.load(SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        5
    }

    fn panics(&self, _: &str) {
        self.0.inside.fetch_add(1, SeqCst);
    }

    fn lines(&self) -> Vec<String> {
        Vec::new()
    }
}

const LOG: &str = "from polyplug import host\nlog = host('test.logger@1')\n";

#[test]
fn calls_in_flight_end_with_an_error() {
    if !ends_well("calls_in_flight_end_with_an_error") {
        return;
    }
    let gate = Arc::new(Gate::default());
    let runtime = python_runtime(PythonLoader::new());
    runtime.provide::<dyn Logger>(Waits(Arc::clone(&gate))).unwrap();
    load_python(&runtime, "python", SCRIPT);
    let script = runtime.proxy::<dyn Script>().unwrap();
    let idle = runtime.proxy::<dyn Script>().unwrap();
    idle.run("return 1").unwrap();
    std::thread::scope(|scope| {
        let busy = |code: &'static str| {
            let script = &script;
            scope.spawn(move || script.run(&format!("{LOG}log.panics('in')\n{code}")))
        };
        let busy = [
            busy("while True: len('')"),
            busy("while True:\n try:\n  while True: len('')\n except Exception: pass"),
            busy("import time\nwhile True: time.sleep(0.01)"),
            busy("import threading\nwhile not threading.Event().wait(0.05): pass"),
        ];
        // One that goes in and out all the time.
        let repeated = scope.spawn(|| {
            loop {
                if let Err(error) = script.run("return 1") {
                    return error;
                }
            }
        });
        let held = scope.spawn(|| script.run(&format!("{LOG}log.log('x')\nwhile True: len('')")));
        eventually("all are in", || gate.inside.load(SeqCst) == 5);
        let ended = scope.spawn(finalize);
        for busy in busy {
            says_so(busy.join().unwrap().unwrap_err());
        }
        says_so(repeated.join().unwrap());
        // Whoever is in a function of the host's is waited for.
        assert!(!held.is_finished() && !ended.is_finished());
        gate.may_go.store(true, SeqCst);
        says_so(held.join().unwrap().unwrap_err());
        ended.join().unwrap();
    });
    after_the_end(&runtime, &idle);
    drop((script, idle, runtime));
    std::thread::spawn(|| python_runtime(PythonLoader::new())).join().unwrap();
}

/// Nothing works any more, and everything says so.
fn after_the_end(runtime: &Arc<Runtime>, script: &polyplug_tests::lua::ScriptProxy) {
    says_so(script.run("return 1").unwrap_err());
    says_so(std::thread::scope(|scope| scope.spawn(|| script.run("return 1")).join().unwrap()).unwrap_err());
    says_so(runtime.proxy::<dyn Script>().map(drop).unwrap_err());
    says_so(try_load_python(runtime, "late", SCRIPT).unwrap_err());
    runtime.unload_bundle(BundleId::new("python")).unwrap();
    assert!(script.run("return 1").is_err());
}

#[test]
fn an_idle_interpreter_ends_at_once() {
    if !ends_well("an_idle_interpreter_ends_at_once") {
        return;
    }
    let gate = Arc::new(Gate::default());
    let runtime = python_runtime(PythonLoader::new());
    runtime.provide::<dyn Logger>(Waits(gate)).unwrap();
    load_python(&runtime, "python", &format!("{LOG}{SCRIPT}"));
    let script = runtime.proxy::<dyn Script>().unwrap();
    // What the interpreter takes with it: objects that lead to the host, and such as run code when they end.
    script
        .run("global kept\nclass A:\n def __del__(self): log.panics('x')\nkept = A()\nself.kept = [log, A()]")
        .unwrap();
    // A thread that has called, and is still there.
    let (called, calls) = std::sync::mpsc::channel::<()>();
    let (send, receive) = std::sync::mpsc::channel::<()>();
    let other = std::thread::spawn({
        let script = script.clone();
        move || {
            script.run("return 1").unwrap();
            called.send(()).unwrap();
            let _ = receive.recv();
            says_so(script.run("return 1").unwrap_err());
        }
    });
    calls.recv().unwrap();
    finalize();
    drop(send);
    other.join().unwrap();
    after_the_end(&runtime, &script);
    drop((script, runtime));
}

#[test]
fn limits_and_kept_objects_do_not_outlive_the_interpreter() {
    if !ends_well("limits_and_kept_objects_do_not_outlive_the_interpreter") {
        return;
    }
    let runtime = python_runtime(PythonLoader::new().with_time_limit(Duration::from_millis(50)));
    load_python(&runtime, "python", SCRIPT);
    let script = runtime.proxy::<dyn Script>().unwrap();
    assert!(matches!(script.run("while True: len('')"), Err(CallError::LimitReached(_))));
    finalize();
    after_the_end(&runtime, &script);
    drop((script, runtime));
}

#[test]
fn a_process_ends_though_calls_run() {
    if !ends_well("a_process_ends_though_calls_run") {
        return;
    }
    let runtime = loaded(SCRIPT);
    let script = runtime.proxy::<dyn Script>().unwrap();
    let begun = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&begun);
    std::thread::spawn(move || {
        flag.store(true, SeqCst);
        script.run("while True: len('')")
    });
    eventually("it runs", || begun.load(SeqCst));
    // The runtime stays as well, as one in a static does.
    std::mem::forget(runtime);
}

/// Calls a bundle in Python back, and then waits as [`Waits`] does.
struct CallsAndWaits(std::sync::Weak<Runtime>, Waits);

impl Logger for CallsAndWaits {
    fn log(&self, line: &str) -> u32 {
        run(&self.0.upgrade().expect("the test keeps it"), "return 1").unwrap();
        self.1.log(line)
    }

    fn panics(&self, _: &str) {}

    fn lines(&self) -> Vec<String> {
        Vec::new()
    }
}

#[test]
fn a_call_within_a_call_does_not_hide_the_outer_one() {
    if !ends_well("a_call_within_a_call_does_not_hide_the_outer_one") {
        return;
    }
    let gate = Arc::new(Gate::default());
    let runtime = python_runtime(PythonLoader::new());
    runtime.provide::<dyn Logger>(CallsAndWaits(Arc::downgrade(&runtime), Waits(Arc::clone(&gate)))).unwrap();
    load_python(&runtime, "python", SCRIPT);
    let script = runtime.proxy::<dyn Script>().unwrap();
    std::thread::scope(|scope| {
        let held = scope.spawn(|| script.run(&format!("{LOG}log.log('x')\nwhile True: len('')")));
        eventually("it is in", || gate.inside.load(SeqCst) == 1);
        let ended = scope.spawn(finalize);
        eventually("nobody is let in", || script.run("return 1").is_err());
        // Time for an interpreter that does not wait.
        std::thread::sleep(Duration::from_millis(300));
        let is_gone = ended.is_finished();
        gate.may_go.store(true, SeqCst);
        assert!(!is_gone, "a call comes back to an interpreter that is gone");
        says_so(held.join().unwrap().unwrap_err());
        ended.join().unwrap();
    });
}

#[test]
fn threads_of_pythons_own_come_back_from_the_host() {
    if !ends_well("threads_of_pythons_own_come_back_from_the_host") {
        return;
    }
    let gate = Arc::new(Gate::default());
    let runtime = python_runtime(PythonLoader::new());
    runtime.provide::<dyn Logger>(Waits(Arc::clone(&gate))).unwrap();
    load_python(&runtime, "python", SCRIPT);
    let code = format!(
        "{LOG}import threading\ndef work():\n while True: log.log('x')\n\
         threading.Thread(target=work, daemon=True).start()"
    );
    let script = runtime.proxy::<dyn Script>().unwrap();
    script.run(&code).unwrap();
    eventually("it is in", || gate.inside.load(SeqCst) == 1);
    std::thread::scope(|scope| {
        let ended = scope.spawn(finalize);
        eventually("nobody is let in", || script.run("return 1").is_err());
        // Time for an interpreter that does not wait.
        std::thread::sleep(Duration::from_millis(300));
        let is_gone = ended.is_finished();
        gate.may_go.store(true, SeqCst);
        ended.join().unwrap();
        assert!(!is_gone, "a thread comes back to an interpreter that is gone");
    });
}

#[test]
fn an_interrupt_ends_a_host_as_it_does_without_python() {
    let name = "an_interrupt_ends_a_host_as_it_does_without_python";
    if !child::is_child() {
        use std::os::unix::process::ExitStatusExt;
        let output = child::again(name).output().unwrap();
        assert_eq!(output.status.signal(), Some(libc::SIGINT), "{output:?}");
        return;
    }
    // SAFETY: a timer, so that a host that survives ends otherwise.
    unsafe { libc::alarm(60) };
    let runtime = loaded(SCRIPT);
    std::thread::spawn(|| {
        std::thread::sleep(Duration::from_millis(100));
        // SAFETY: sends a signal to this process.
        unsafe { libc::kill(libc::getpid(), libc::SIGINT) };
    });
    let _ = run(&runtime, "while True: len('')");
}

static INTERRUPTS: AtomicU32 = AtomicU32::new(0);

extern "C" fn count(_: libc::c_int) {
    INTERRUPTS.fetch_add(1, SeqCst);
}

/// Returns the handler of a signal.
fn handler_of(signal: libc::c_int) -> libc::sighandler_t {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: without a new action, the call only writes the present one.
    let asked = unsafe { libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) };
    assert_eq!(asked, 0);
    // SAFETY: `sigaction` has written the action, and zeroes are one as well.
    unsafe { action.assume_init() }.sa_sigaction
}

#[test]
fn a_hosts_own_handler_stays() {
    if !ends_well("a_hosts_own_handler_stays") {
        return;
    }
    let handler = count as extern "C" fn(libc::c_int) as libc::sighandler_t;
    // SAFETY: the handler only counts.
    unsafe { libc::signal(libc::SIGINT, handler) };
    let others = [libc::SIGPIPE, libc::SIGTERM, libc::SIGXFSZ];
    let before = others.map(handler_of);
    let runtime = loaded(SCRIPT);
    assert_eq!(others.map(handler_of), before);
    let code = "import os, signal\nfor n in range(3): os.kill(os.getpid(), signal.SIGINT)\nreturn 7";
    assert_eq!(run(&runtime, code).unwrap(), "7");
    // SAFETY: sends a signal to this thread.
    unsafe { libc::raise(libc::SIGINT) };
    eventually("the handler runs", || INTERRUPTS.load(SeqCst) >= 2);
    // One may be set while Python runs, as well.
    // SAFETY: the handler only counts.
    assert_eq!(unsafe { libc::signal(libc::SIGINT, handler) }, handler);
    let error = run(&runtime, "import signal\nsignal.signal(signal.SIGINT, lambda *a: None)").unwrap_err().to_string();
    assert!(error.contains("ValueError: signal only works in main thread"), "{error}");
}

#[test]
fn an_interpreter_of_the_hosts_is_used() {
    if !ends_well("an_interpreter_of_the_hosts_is_used") {
        return;
    }
    Python::initialize();
    Python::attach(|py| py.run(c"import sys\nsys.flags_of_host = 'mine'\nhook = sys.unraisablehook", None, None))
        .unwrap();
    let runtime = loaded(SCRIPT);
    assert_eq!(run(&runtime, "import sys\nreturn sys.flags_of_host").unwrap(), "mine");
    assert_eq!(ask("sys.unraisablehook is sys.__unraisablehook__"), "True", "it is set up as the host likes");
    // A thread that is attached calls.
    Python::attach(|_| assert_eq!(run(&runtime, "return 1").unwrap(), "1"));
    Python::attach(|py| {
        py.detach(|| {
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| assert_eq!(run(&runtime, "return 2").unwrap(), "2"));
                }
            });
        });
    });
    assert!(runtime.unload_bundle(BundleId::new("python")).unwrap().reclaimed);
}

/// Calls back the bundle of this name.
struct CallsBack(std::sync::Weak<Runtime>);

impl Logger for CallsBack {
    fn log(&self, line: &str) -> u32 {
        run(&self.0.upgrade().expect("the test keeps it"), line).unwrap().parse().unwrap()
    }

    fn panics(&self, _: &str) {}

    fn lines(&self) -> Vec<String> {
        Vec::new()
    }
}

#[test]
fn threads_of_pythons_own_call_the_host_which_calls_python() {
    let runtime = python_runtime(PythonLoader::new());
    runtime.provide::<dyn Logger>(CallsBack(Arc::downgrade(&runtime))).unwrap();
    load_python(&runtime, "python", SCRIPT);
    let code = format!(
        "{LOG}import threading\nfound = []\n\
         def work(n):\n found.extend(log.log(f'return {{n}} + {{m}}') for m in range(20))\n\
         threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]\n\
         for t in threads: t.start()\nfor t in threads: t.join()\nreturn len(found), sum(found)"
    );
    let sum: u32 = (0..8).flat_map(|n| (0..20).map(move |m| n + m)).sum();
    assert_eq!(run(&runtime, &code).unwrap(), format!("(160, {sum})"));
    // A thread that ends when its call does, and one that stays in another.
    let code = format!(
        "{LOG}from concurrent.futures import ThreadPoolExecutor\n\
         with ThreadPoolExecutor(4) as pool: return sum(pool.map(log.log, ['return 3'] * 40))"
    );
    assert_eq!(run(&runtime, &code).unwrap(), "120");
}

#[test]
fn threads_that_end_leave_nothing() {
    if !ends_well("threads_that_end_leave_nothing") {
        return;
    }
    let runtime = loaded(SCRIPT);
    let script = runtime.proxy::<dyn Script>().unwrap();
    let one = || {
        std::thread::scope(|scope| {
            scope.spawn(|| script.run("return 1").unwrap());
        });
    };
    let states = || ask("len(sys._current_frames())");
    one();
    let before = states();
    flat("threads that call", 10_000, Slack::PAGES, |_| one());
    assert_eq!(states(), before);
}

#[test]
fn the_version_is_that_of_the_library() {
    drop(loaded(SCRIPT));
    let version = Python::attach(|py: Python<'_>| py.version_info().minor.to_string());
    assert_eq!(version, ask("sys.version_info.minor"));
}
