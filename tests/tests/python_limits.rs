//! The time that calls of bundles in Python may take: one that takes too long fails, and everything else goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

use polyplug::{BundleId, CallError, Runtime};
use polyplug_python::PythonLoader;
use polyplug_tests::lua::{Script, ScriptProxy, run};
use polyplug_tests::python::{SCRIPT, load_python, loaded_by, python_runtime, try_load_python};
use test_contracts::calling::Logger;

/// Long enough for whatever ends, on any machine.
const LONG: Duration = Duration::from_secs(600);

/// Enough for a small call on a busy machine.
const SHORT: Duration = Duration::from_millis(200);

fn impatient() -> PythonLoader {
    PythonLoader::new().with_time_limit(SHORT)
}

#[track_caller]
fn reaches(runtime: &Runtime, code: &str) {
    println!("{code}");
    let error = run(runtime, code).unwrap_err();
    let CallError::LimitReached(failure) = &error else { panic!("{code}: {error:?}") };
    assert!(failure.message.contains("the call of bundle `python` takes longer than its 200ms"), "{code}: {error}");
    assert_eq!(failure.method, "test.script.run");
    // Usable at once, by the same proxy or another.
    assert_eq!(run(runtime, "return 1 + 1").unwrap(), "2", "after {code}");
}

#[test]
fn a_call_that_never_ends_is_ended() {
    let runtime = loaded_by(impatient(), SCRIPT);
    for code in [
        "while True: pass",
        "n = 0\nwhile True: n += 1",
        "for x in iter(int, 1): pass",
        "import itertools\nfor x in itertools.count(): pass",
        "def f(): yield from f2()\ndef f2():\n while True: yield 1\nfor x in f(): pass",
        "sorted([3, 2, 1], key=lambda x: exec('while True: pass'))",
        "class A:\n def __str__(self):\n  while True: pass\nreturn A()",
        "import threading\nwhile True: threading.Event().wait(0.001)",
        "eval('[0 for x in iter(int, 1)]')",
        "class A:\n def __index__(self):\n  while True: pass\nreturn 'x' * A()",
    ] {
        reaches(&runtime, code);
    }
}

#[test]
fn code_that_catches_everything_is_ended() {
    // CPython takes the start of a loop that is the first in a `try` for a part of what is before it.
    let runtime = loaded_by(impatient(), SCRIPT);
    for code in [
        "try:\n n = 0\n while True: len('')\nexcept Exception: pass\nwhile True: len('')",
        "try:\n n = 0\n while True: len('')\nexcept BaseException: pass\nwhile True: len('')",
        "for n in range(5):\n try:\n  n = 0\n  while True: len('')\n except BaseException: pass\nwhile True: len('')",
        "try:\n n = 0\n while True: len('')\nfinally:\n while True: len('')",
        "try:\n n = 0\n while True: len('')\nexcept: raise",
        "try:\n n = 0\n while True: len('')\nexcept BaseException as e: raise e",
        "import contextlib\nwith contextlib.suppress(BaseException):\n while True: len('')\nwhile True: len('')",
    ] {
        reaches(&runtime, code);
    }
    // What is made of it is what the call ends in.
    let code =
        "try:\n n = 0\n while True: len('')\nexcept BaseException as error: raise ValueError('cleaned up') from error";
    let error = run(&runtime, code).unwrap_err().to_string();
    assert!(error.contains("cleaned up"), "{error}");
    // Code that ends before it comes again has an answer.
    let code = "try:\n n = 0\n while True: len('')\nexcept BaseException as error: return type(error).__name__";
    assert_eq!(run(&runtime, code).unwrap(), "TimeLimit");
    assert_eq!(run(&runtime, "return 2").unwrap(), "2");
}

#[test]
fn a_wait_in_c_is_over_when_it_is() {
    let runtime = loaded_by(impatient(), SCRIPT);
    let begin = Instant::now();
    // The exception comes when the wait is over, if there is any code in Python to come.
    reaches(&runtime, "import time\ntime.sleep(0.6)\nfor n in range(1_000_000): pass");
    assert!(begin.elapsed() >= Duration::from_millis(600));
    match run(&runtime, "import time\nreturn time.sleep(0.6)") {
        Ok(answer) => assert_eq!(answer, "None"),
        Err(error) => assert!(matches!(error, CallError::LimitReached(_)), "{error:?}"),
    }
    assert_eq!(run(&runtime, "return 3").unwrap(), "3");
}

#[test]
fn time_is_that_of_a_call_and_not_of_all_calls() {
    let runtime = loaded_by(impatient(), SCRIPT);
    let script = runtime.proxy::<dyn Script>().unwrap();
    let begin = Instant::now();
    while begin.elapsed() < SHORT * 4 {
        assert_eq!(script.run("return 'quick'").unwrap(), "quick");
    }
}

#[test]
fn a_limit_that_no_clock_can_tell_is_none() {
    let runtime = loaded_by(PythonLoader::new().with_time_limit(Duration::MAX), SCRIPT);
    assert_eq!(run(&runtime, "return sum(range(100000))").unwrap(), "4999950000");
    let runtime = python_runtime(PythonLoader::new().with_time_limit(LONG));
    load_python(&runtime, "python", SCRIPT);
    assert_eq!(run(&runtime, "return sum(range(100000))").unwrap(), "4999950000");
}

#[test]
fn no_time_at_all_is_never_enough() {
    let runtime = python_runtime(PythonLoader::new().with_time_limit(Duration::ZERO));
    let error = try_load_python(&runtime, "python", &format!("{SCRIPT}\nwhile True: pass\n")).unwrap_err();
    assert!(error.contains("takes longer than its 0ns"), "{error}");
}

#[test]
fn an_instance_remembers_what_it_did_before_its_time_was_up() {
    let runtime = loaded_by(impatient(), SCRIPT);
    let script = runtime.proxy::<dyn Script>().unwrap();
    assert!(script.run("self.count = 1\nwhile True: self.count += 1").is_err());
    assert_eq!(script.run("return self.count > 1").unwrap(), "True");
}

#[test]
fn starting_is_limited_as_well() {
    let runtime = python_runtime(impatient());
    let error = try_load_python(&runtime, "python", &format!("{SCRIPT}\nwhile True: pass\n")).unwrap_err();
    assert!(error.contains("takes longer than its 200ms"), "{error}");
    load_python(&runtime, "python", &format!("{SCRIPT}\n    def __init__(self):\n        while True: pass\n"));
    let error = runtime.proxy::<dyn Script>().map(drop).unwrap_err().to_string();
    assert!(error.contains("takes longer than its 200ms"), "{error}");
}

/// Holds a bundle's call until the test says so.
struct Gate {
    is_in: AtomicBool,
    may_go: AtomicBool,
}

struct Waits(Arc<Gate>);

impl Logger for Waits {
    fn log(&self, _: &str) -> u32 {
        self.0.is_in.store(true, SeqCst);
        while !self.0.may_go.load(SeqCst) {
            std::thread::yield_now();
        }
        0
    }

    fn panics(&self, _: &str) {}

    fn lines(&self) -> Vec<String> {
        Vec::new()
    }
}

#[test]
fn other_bundles_never_wait() {
    let gate = Arc::new(Gate { is_in: AtomicBool::new(false), may_go: AtomicBool::new(false) });
    let runtime = python_runtime(PythonLoader::new().with_time_limit(LONG));
    runtime.provide::<dyn Logger>(Waits(Arc::clone(&gate))).unwrap();
    load_python(&runtime, "busy", SCRIPT);
    load_python(&runtime, "other", SCRIPT);
    let script = |name: &str| -> ScriptProxy { runtime.proxy_from::<dyn Script>(BundleId::new(name)).unwrap() };
    let (busy, other) = (script("busy"), script("other"));
    std::thread::scope(|scope| {
        let held =
            scope.spawn(|| busy.run("from polyplug import host\nhost('test.logger@1').log('x')\nreturn 'went on'"));
        while !gate.is_in.load(SeqCst) {
            std::thread::yield_now();
        }
        assert_eq!(other.run("return sum(range(100000))").unwrap(), "4999950000");
        assert!(!held.is_finished());
        gate.may_go.store(true, SeqCst);
        assert_eq!(held.join().unwrap().unwrap(), "went on");
    });
}

#[test]
fn only_the_thread_that_takes_too_long_is_ended() {
    let runtime = python_runtime(impatient());
    load_python(&runtime, "python", SCRIPT);
    let script = runtime.proxy::<dyn Script>().unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let quick = scope.spawn(|| {
            let mut calls = 0_u32;
            while !is_over.load(SeqCst) {
                match script.run("return 5") {
                    Ok(answer) => assert_eq!(answer, "5"),
                    // Its own time may be up on a busy machine, with another thread in the interpreter.
                    Err(error) => assert!(matches!(error, CallError::LimitReached(_)), "{error:?}"),
                }
                calls += 1;
            }
            calls
        });
        let slow: Vec<_> = (0..3).map(|_| scope.spawn(|| script.run("while True: pass"))).collect();
        for slow in slow {
            let error = slow.join().unwrap().unwrap_err();
            assert!(matches!(error, CallError::LimitReached(_)), "{error:?}");
        }
        is_over.store(true, SeqCst);
        assert!(quick.join().unwrap() > 0);
    });
    assert_eq!(script.run("return 6").unwrap(), "6");
}

/// Runs what it is told to in the bundle of this name.
struct CallsBack(std::sync::Weak<Runtime>, &'static str);

impl Logger for CallsBack {
    fn log(&self, line: &str) -> u32 {
        let runtime = self.0.upgrade().expect("the test keeps it");
        let script = runtime.proxy_from::<dyn Script>(BundleId::new(self.1)).unwrap();
        u32::from(script.run(line).is_err())
    }

    fn panics(&self, line: &str) {
        let runtime = self.0.upgrade().expect("the test keeps it");
        let script = runtime.proxy_from::<dyn Script>(BundleId::new(self.1)).unwrap();
        script.run(line).unwrap();
    }

    fn lines(&self) -> Vec<String> {
        Vec::new()
    }
}

#[test]
fn the_time_of_a_call_within_a_call_is_the_outers_too() {
    let runtime = python_runtime(impatient());
    load_python(&runtime, "python", SCRIPT);
    runtime.provide::<dyn Logger>(CallsBack(Arc::downgrade(&runtime), "python")).unwrap();
    let log = "from polyplug import host\nlog = host('test.logger@1')";
    reaches(&runtime, &format!("{log}\nlog.log('return 1')\nwhile True: pass"));
    reaches(&runtime, &format!("{log}\nlog.log('while True: pass')\nwhile True: pass"));
    reaches(&runtime, &format!("{log}\nwhile True: log.log('return 1')"));
    assert_eq!(run(&runtime, &format!("{log}\nreturn log.log('return 1')")).unwrap(), "0");
}

#[test]
fn a_bundle_without_a_limit_ends_for_a_caller_that_has_one() {
    let limited = python_runtime(impatient());
    let free = python_runtime(PythonLoader::new());
    load_python(&limited, "python", SCRIPT);
    load_python(&free, "free", SCRIPT);
    limited.provide::<dyn Logger>(CallsBack(Arc::downgrade(&free), "free")).unwrap();
    let log = "from polyplug import host\nlog = host('test.logger@1')";
    reaches(&limited, &format!("{log}\nlog.log('while True: pass')\nwhile True: pass"));
    // The inner call says that the time is not its own.
    let seen = Arc::new(std::sync::Mutex::new(String::new()));
    struct Tells(std::sync::Weak<Runtime>, Arc<std::sync::Mutex<String>>);
    impl Logger for Tells {
        fn log(&self, line: &str) -> u32 {
            let error = run(&self.0.upgrade().unwrap(), line).unwrap_err();
            *self.1.lock().unwrap() = format!("{}: {error}", error.kind());
            0
        }

        fn panics(&self, _: &str) {}

        fn lines(&self) -> Vec<String> {
            Vec::new()
        }
    }
    let limited = python_runtime(impatient());
    load_python(&limited, "python", SCRIPT);
    limited.provide::<dyn Logger>(Tells(Arc::downgrade(&free), Arc::clone(&seen))).unwrap();
    reaches(&limited, &format!("{log}\nlog.log('while True: pass')\nwhile True: pass"));
    let seen = seen.lock().unwrap().clone();
    assert!(
        seen.starts_with("limit_reached: ") && seen.contains("the time of a call that this one is part of is up"),
        "{seen}"
    );
}

#[test]
fn no_exception_hits_another_call() {
    const LIMIT: Duration = Duration::from_millis(3);
    // Calls that end about when their time is up, now before and now after it.
    let runtime = python_runtime(PythonLoader::new().with_time_limit(LIMIT));
    // Loading is limited as well, and takes longer at times on a busy machine.
    while try_load_python(&runtime, "short", SPINNER).is_err() {}
    let free = python_runtime(PythonLoader::new());
    load_python(&free, "free", SPINNER);
    let (short, free) = (runtime.proxy::<dyn Script>().unwrap(), free.proxy::<dyn Script>().unwrap());
    let (mut ended, mut answered) = (0, 0);
    for n in 0..1_000_u32 {
        let micros = 2_600 + (n % 80) * 10;
        match short.run(&format!("{}", f64::from(micros) / 1e6)) {
            Ok(_) => answered += 1,
            Err(CallError::LimitReached(_)) => ended += 1,
            Err(other) => panic!("{other:?}"),
        }
        // On the same thread, without a limit: nothing may come.
        free.run("0.0002").unwrap();
    }
    println!("{ended} ended, {answered} answered");
    assert!(ended > 0 && answered > 0, "{ended} ended, {answered} answered");
}

/// Is busy for as many seconds as it is told.
const SPINNER: &str = r#"
import sys
import time

# Whoever watches the time gets in within these calls.
sys.setswitchinterval(1e-5)

from polyplug import plugin

@plugin("test.script@1")
class Spinner:
    def run(self, code):
        end = time.perf_counter() + float(code)
        while time.perf_counter() < end:
            pass
        return code
"#;

#[test]
fn a_loop_whose_body_catches_everything_is_ended() {
    let runtime = python_runtime(impatient());
    load_python(&runtime, "python", SCRIPT);
    runtime.provide::<dyn Logger>(CallsBack(Arc::downgrade(&runtime), "python")).unwrap();
    for code in [
        "import time\nwhile True:\n try: time.sleep(0.01)\n except BaseException: pass",
        "import time\nwhile True:\n try: time.sleep(0.01)\n except: pass",
        "import time\nwhile True:\n try: time.sleep(0.01)\n finally: continue",
        "import time\nwhile True:\n try:\n  time.sleep(0.01)\n except BaseException as error:\n  kept = error\n  continue",
        "import time, contextlib\nwhile True:\n with contextlib.suppress(BaseException): time.sleep(0.01)",
        "import time\ndef again():\n try: time.sleep(0.01)\n except BaseException: pass\n again()\nimport sys\nsys.setrecursionlimit(10000)\nagain()",
        "import time\nclass A:\n def __del__(self):\n  pass\n def __exit__(self, *a): return True\n def __enter__(self): pass\n\
         while True:\n with A(): time.sleep(0.01)",
        "import asyncio\nasync def work():\n while True:\n  try: await asyncio.sleep(0.01)\n  except (GeneratorExit, RuntimeError): raise\n  \
         except BaseException: pass\nasyncio.run(work())",
        "import time\ndef numbers():\n while True:\n  try:\n   time.sleep(0.01)\n   yield 1\n  except BaseException: pass\nfor n in numbers(): pass",
        "from polyplug import host\nlog = host('test.logger@1')\nwhile True:\n try: log.log('import time')\n except: pass",
        "import queue\nq = queue.Queue()\nwhile True:\n try: q.get(timeout=0.01)\n except BaseException: pass",
        "exec('import time\\nwhile True:\\n try: time.sleep(0.01)\\n except BaseException: pass', {})",
    ] {
        reaches(&runtime, code);
    }
    // The queue that a call waited for when its time was up is as usable as before.
    let code = "import queue\nself.q = queue.Queue()\nwhile True:\n try: self.q.get(timeout=0.01)\n except BaseException: pass";
    let script = runtime.proxy::<dyn Script>().unwrap();
    assert!(script.run(code).is_err());
    assert_eq!(script.run("self.q.put(1)\nreturn self.q.get()").unwrap(), "1");
    // Nothing is traced any more, and code that catches nothing gets nothing.
    assert_eq!(run(&runtime, "import sys\nreturn sys.gettrace()").unwrap(), "None");
}

#[test]
fn other_threads_go_on_while_a_loop_that_catches_everything_is_ended() {
    let runtime = loaded_by(impatient(), SCRIPT);
    let free = python_runtime(PythonLoader::new());
    load_python(&free, "free", SCRIPT);
    let code = "import threading\nself.stop = threading.Event()\nself.count = 0\ndef work():\n while not self.stop.is_set():\n  \
                try: self.stop.wait(0.001)\n  except BaseException: self.count += 1\nself.thread = threading.Thread(target=work)\n\
                self.thread.start()";
    let script = free.proxy::<dyn Script>().unwrap();
    script.run(code).unwrap();
    reaches(&runtime, "import time\nwhile True:\n try: time.sleep(0.01)\n except BaseException: pass");
    assert_eq!(script.run("self.stop.set()\nself.thread.join()\nreturn self.count").unwrap(), "0");
}
