//! The end of a bundle in Python: exit functions run, threads are named, files are written, and whether the code is gone
//! is measured.

use std::path::Path;
use std::sync::Arc;

use polyplug::runtime::UnloadReport;
use polyplug::{BundleId, Runtime};
use polyplug_python::PythonLoader;
use polyplug_python::pyo3::ffi;
use polyplug_tests::lua::run;
use polyplug_tests::python::{SCRIPT, ask, load_python, loaded, python_bundle, python_runtime, try_load_python};
use polyplug_tests::{Bundle, Logged, child, eventually, logged};

#[track_caller]
fn unload(runtime: &Runtime) -> UnloadReport {
    runtime.unload_bundle(BundleId::new("python")).unwrap()
}

/// Loads a bundle of this code beside [`SCRIPT`] and unloads it.
#[track_caller]
fn load_and_unload(code: &str) -> (UnloadReport, Vec<String>) {
    let runtime = python_runtime(PythonLoader::new());
    let (report, messages) = logged(|| {
        load_python(&runtime, "python", &format!("{SCRIPT}\n{code}"));
        unload(&runtime)
    });
    (report, messages.into_iter().map(|Logged { message, .. }| message).collect())
}

/// Unloads a bundle of this code, which has to be gone. Returns what it has logged.
#[track_caller]
fn gone(code: &str) -> Vec<String> {
    let (report, messages) = load_and_unload(code);
    assert!(report.reclaimed, "{report}");
    assert_eq!((report.threads, report.still_mapped), (vec![], None));
    messages
}

/// Evaluates an expression for what it does.
fn act(expression: &str) {
    let _none = ask(expression);
}

/// A value that is found in memory by [`data`].
const DATA: &str = "data = [7654321]";

/// Returns the values of [`DATA`] that are in memory.
fn data() -> String {
    ask("[o for o in gc.get_objects() if type(o) is list and len(o) == 1 and type(o[0]) is int and o[0] == 7654321]")
}

fn reloading() -> Arc<Runtime> {
    Runtime::builder().loader(PythonLoader::new()).hot_reload(true).build().unwrap()
}

/// Makes a bundle with [`SCRIPT`] and this code in its main file.
fn bundle(code: &str) -> Bundle {
    let bundle = python_bundle("python", "", &[]);
    bundle.write("main.py", format!("{SCRIPT}\n{code}"));
    bundle
}

fn text(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap()
}

/// Ways to write to `FILE` so that the text `a` is still in memory at the end.
const WRITERS: [&str; 6] = [
    "f = open(FILE, 'w')\nf.write('a')",
    "f = open(FILE, 'w')\nf.write('a')\ndef user(): return f",
    "class Log:\n def __init__(self):\n  self.me, self.f = self, open(FILE, 'w')\n  self.f.write('a')\nlog = Log()",
    "logs = [open(FILE, 'wb')]\nlogs[0].write(b'a')\nlogs.append(logs)",
    "import pathlib\ndef write():\n f = pathlib.Path(FILE).open('w')\n f.write('a')\n while True: yield f\nw = write()\nnext(w)",
    "f = open(FILE, 'w')\nclass Last:\n def __del__(self):\n  f.write(letter())\ndef letter(): return 'a'\nlast = [Last()]",
];

#[test]
fn files_are_written() {
    let folder = Bundle::empty();
    for (number, code) in WRITERS.into_iter().enumerate() {
        let file = folder.path().join(number.to_string());
        gone(&format!("FILE = {file:?}\n{code}"));
        assert_eq!(text(&file), "a", "{code}");
    }
}

#[test]
fn files_are_written_by_a_reload_and_at_the_end_of_the_runtime() {
    let folder = Bundle::empty();
    let file = folder.path().join("file");
    let bundle = bundle(&format!("f = open({file:?}, 'a')\nf.write('a')\ndef user(): return f"));
    let runtime = reloading();
    runtime.load_bundle(bundle.path()).unwrap();
    let report = runtime.reload_bundle(bundle.path()).unwrap();
    assert!(report.reclaimed, "{report:?}");
    assert_eq!(text(&file), "a");
    drop(runtime);
    assert_eq!(text(&file), "aa");
}

#[test]
fn files_are_written_when_the_load_fails() {
    let folder = Bundle::empty();
    let file = folder.path().join("file");
    let runtime = python_runtime(PythonLoader::new());
    let code = format!("f = open({file:?}, 'w')\nf.write('a')\ndef user(): return f\nraise ValueError('no')");
    let error = try_load_python(&runtime, "python", &code).unwrap_err();
    assert!(error.contains("ValueError: no"), "{error}");
    assert_eq!(text(&file), "a");
}

#[test]
fn exit_functions_run_in_reverse_order() {
    let messages = gone(
        "import atexit\nfrom polyplug import log\ndef say(what): log('info', what)\natexit.register(say, 'first')\n\
         @atexit.register\ndef second(): say('second')\natexit.register(say, what='third')\n\
         atexit.register(second)\natexit.unregister(second)",
    );
    assert_eq!(messages, ["third", "first"]);
}

#[test]
fn exit_functions_that_are_registered_in_calls_run() {
    let runtime = loaded(SCRIPT);
    run(&runtime, "import atexit\natexit.register(print, 'the end')").unwrap();
    let (report, messages) = logged(|| unload(&runtime));
    assert!(report.reclaimed, "{report}");
    assert_eq!(messages[0].message, "the end");
    assert_eq!(messages[0].bundle, "python");
}

#[test]
fn an_exit_function_that_fails_is_logged_and_the_others_run() {
    let messages = gone(
        "import atexit, sys\natexit.register(print, 'last')\natexit.register(lambda: 1 / 0)\natexit.register(sys.exit, 3)",
    );
    let [exits, fails, last] = &messages[..] else { panic!("{messages:?}") };
    assert!(exits.starts_with("an exit function failed:") && exits.contains("SystemExit: 3"), "{exits}");
    assert!(fails.contains("ZeroDivisionError") && !fails.contains("_polyplug_python"), "{fails}");
    assert_eq!(last, "last");
}

#[test]
fn finalizers_run() {
    let messages = gone(
        "import weakref, logging\nclass A: pass\na = A()\nweakref.finalize(a, print, 'of the bundle')\n\
         def late(): print('of a shared object')\nweakref.finalize(logging, late)\n\
         never = weakref.finalize(A, print, 'no')\nnever.atexit = False\nnever.detach()",
    );
    assert_eq!(messages, ["of a shared object", "of the bundle"]);
}

#[test]
fn destructors_find_their_modules_whole() {
    let messages = gone(
        "import json\nlimit = 7\nclass A:\n def __del__(self): print(json.dumps([limit, helper()]))\n\
         def helper(): return 'ok'\na = A()\nmore = {'a': [A()]}",
    );
    assert_eq!(messages, ["[7, \"ok\"]"; 2]);
}

#[test]
fn executors_are_shut_down_after_their_work() {
    let before =
        || ask("len([t for t in threading.enumerate() if type(t) is threading.Thread])").parse::<u32>().unwrap();
    drop(loaded(SCRIPT));
    let threads = before();
    let code = "from concurrent.futures import ThreadPoolExecutor\nimport time\ndone = []\n\
                pool = ThreadPoolExecutor(2)\ndef work(n):\n time.sleep(0.01)\n print('done', n)\n\
                futures = [pool.submit(work, n) for n in range(4)]";
    let (report, _) = load_and_unload(code);
    assert!(report.reclaimed, "{report}");
    assert_eq!(before(), threads);
    let bundle = bundle(&format!("{code}\nfor future in futures: future.result()"));
    let runtime = reloading();
    runtime.load_bundle(bundle.path()).unwrap();
    for _ in 0..20 {
        let report = runtime.reload_bundle(bundle.path()).unwrap();
        assert!(report.reclaimed, "{report:?}");
        assert_eq!(before(), threads + 2);
    }
    drop(runtime);
    assert_eq!(before(), threads);
}

#[test]
fn pools_of_processes_end() {
    gone(
        "import multiprocessing\nfrom concurrent.futures import ProcessPoolExecutor\n\
         fork = multiprocessing.get_context('fork')\npool = fork.Pool(2)\nassert pool.map(abs, [-1, -2]) == [1, 2]\n\
         executor = ProcessPoolExecutor(1, mp_context=fork)\nassert executor.submit(abs, -3).result() == 3",
    );
    assert_eq!(ask("__import__('multiprocessing').active_children()"), "[]");
}

#[test]
fn threads_that_an_exit_function_ends_are_waited_for() {
    gone(
        "import atexit, threading\nstop = threading.Event()\ndef work(): stop.wait()\n\
         threading.Thread(target=work).start()\natexit.register(stop.set)",
    );
}

/// A thread that runs until another bundle sets `threading.may_end`.
const ENDLESS: &str = "import threading, time\nthreading.may_end = False\ndef step(): time.sleep(0.005)\n\
                       def work():\n while not threading.may_end: step()\n print('ended well')\n\
                       threading.Thread(target=work, name='endless', daemon=True).start()";

#[test]
fn a_thread_that_does_not_end_is_named_and_goes_on_until_it_does() {
    let folder = Bundle::empty();
    let file = folder.path().join("file");
    let (report, _) = load_and_unload(&format!("{ENDLESS}\nf = open({file:?}, 'w')\nf.write('a')\n{DATA}"));
    assert!(!report.reclaimed, "{report}");
    assert_eq!(report.threads, ["endless"]);
    assert_eq!(report.still_mapped.as_deref(), Some("its thread `endless` has not ended"));
    assert_eq!(text(&file), "a");
    assert_eq!(data(), "[[7654321]]");
    assert!(ask("[thread.name for thread in threading.enumerate()]").contains("endless"));
    act("setattr(threading, 'may_end', True)");
    eventually("the thread ends", || !ask("[t.name for t in threading.enumerate()]").contains("endless"));
    gone("");
    assert_eq!(data(), "[]");
}

#[test]
fn a_reload_names_the_threads_of_the_old_version() {
    let bundle = bundle(&ENDLESS.replace("may_end", "may_end_too"));
    let runtime = reloading();
    runtime.load_bundle(bundle.path()).unwrap();
    bundle.write("main.py", SCRIPT);
    let report = runtime.reload_bundle(bundle.path()).unwrap();
    assert!(!report.reclaimed, "{report:?}");
    assert_eq!(report.threads, ["endless"]);
    let [retired] = &runtime.retired()[..] else { panic!("{:?}", runtime.retired()) };
    assert_eq!(
        (retired.threads.as_slice(), &retired.still_mapped),
        (&["endless".to_owned()][..], &report.still_mapped)
    );
    act("setattr(threading, 'may_end_too', True)");
    eventually("the old version is gone", || runtime.retired().is_empty());
    assert!(runtime.reload_bundle(bundle.path()).unwrap().reclaimed);
}

#[test]
fn threads_without_an_object_are_named() {
    let code = "import _thread, time, threading\nrunning = threading.Event()\ndef work():\n running.set()\n \
                while not getattr(threading, 'raw_may_end', False): time.sleep(0.005)\n\
                _thread.start_new_thread(work, ())\nrunning.wait()";
    let (report, _) = load_and_unload(code);
    let [name] = &report.threads[..] else { panic!("{report}") };
    assert!(name.starts_with("thread "), "{name}");
    act("setattr(threading, 'raw_may_end', True)");
}

#[test]
fn what_holds_the_code_is_named() {
    drop(loaded(SCRIPT));
    act("setattr(threading, 'held', [])");
    for (code, expected) in [
        (
            "def handler(): pass\nthreading.held.append(handler)",
            "function `handler` of main.py is held by `threading.held`",
        ),
        ("class Kind: pass\nthreading.held.append(Kind)", "class `Kind` of module `main` is held by `threading.held`"),
        (
            "class Kind: pass\nthreading.held.append({'a': (Kind(),)})",
            "class `Kind` of module `main` is held by `threading.held`",
        ),
        // The metaclass compares classes by a name that the module has no more, as those of `typing_extensions` do.
        (
            "import abc\nclass Meta(type):\n __hash__ = type.__hash__\n \
             def __eq__(cls, other): return abc.ABCMeta.__eq__(cls, other)\n\
             class Kind(metaclass=Meta): pass\nthreading.held.append(Kind)",
            "class `Kind` of module `main` is held by `threading.held`",
        ),
        ("def steps(): yield 1\nthreading.held.append(steps())", "is held by `threading.held`"),
        (
            "import functools\ndef handler(): pass\nthreading.held.append([functools.partial(handler)])",
            "function `handler` of main.py is held by `threading.held`",
        ),
        ("import sys\nthreading.held.append(sys.modules[__name__])", "module `main` is held by `threading.held`"),
        (
            "def handler(): pass\nclass Of(threading.local): pass\nimport types\n\
             threading.held.append(types.SimpleNamespace(on=handler))",
            "function `handler` of main.py is held by `threading.held`",
        ),
    ] {
        let (report, _) = load_and_unload(&format!("import threading\n{code}\n{DATA}"));
        assert!(!report.reclaimed, "{code}: {report}");
        let reason = report.still_mapped.as_deref().unwrap();
        assert!(reason.starts_with("its code is still referenced: ") && reason.contains(expected), "{code}: {reason}");
        assert!(report.to_string().contains(expected), "{report}");
        // The code stays, but what the module has gathered goes.
        assert_eq!(data(), "[]");
        act("threading.held.clear()");
    }
}

#[test]
fn variants_of_functions_for_type_checkers_are_forgotten() {
    gone(
        "from typing import overload\n@overload\ndef f(a: int) -> int: ...\n@overload\ndef f(a: str) -> str: ...\n\
          def f(a): return a",
    );
}

#[test]
fn packages_of_an_environment_go_with_the_last_bundle() {
    drop(loaded(SCRIPT));
    let version = ask("'%d.%d' % sys.version_info[:2]");
    let package = format!(".venv/lib/python{version}/site-packages/of_the_environment.py");
    let config = format!("version = {version}\n");
    let files = [
        (".venv/pyvenv.cfg", &*config),
        (&*package, "data = [7654321]\ndef user(): return data\nclass A:\n def b(self): user()\n"),
    ];
    let bundle = python_bundle("python", "[python]\nvenv = \".venv\"\n", &files);
    let runtime = reloading();
    runtime.load_bundle(bundle.path()).unwrap();
    assert_eq!(run(&runtime, "import of_the_environment\nreturn of_the_environment.data").unwrap(), "[7654321]");
    assert_eq!(data(), "[[7654321]]");
    assert!(unload(&runtime).reclaimed);
    assert_eq!(data(), "[]");
}

#[test]
fn what_an_extension_holds_is_measured_too() {
    let code = "import _thread, threading\ndef step(): pass\nimport itertools, _functools\n\
                threading.hidden = _functools.reduce(lambda a, b: a, [iter(step, 1)])";
    let (report, _) = load_and_unload(code);
    assert!(!report.reclaimed, "{report}");
    assert!(report.still_mapped.unwrap().contains("function `step` of main.py is held by `threading.hidden`"));
    act("delattr(threading, 'hidden')");
}

#[cfg(target_os = "linux")]
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// Reloads a bundle with 4 MiB of data 50 times. Memory may not grow: 50 versions that stay have 200 MiB. The allocator keeps
/// some of the blocks that were freed. So a series that grows is followed by another, up to four in all: what leaks grows in
/// each of them, what settles does not.
#[cfg(target_os = "linux")]
#[track_caller]
fn stays_flat(code: &str) {
    let bundle = bundle(&format!("data = bytearray(b'x' * (4 << 20))\n{code}"));
    let runtime = reloading();
    runtime.load_bundle(bundle.path()).unwrap();
    let reload = || drop(runtime.reload_bundle(bundle.path()).unwrap());
    (0..10).for_each(|_| reload());
    let mut series = Vec::new();
    for _ in 0..4 {
        let before = resident();
        (0..50).for_each(|_| reload());
        series.push((before, resident()));
        if series.last().is_some_and(|(before, after)| *after < before + (24 << 10)) {
            return;
        }
    }
    panic!("{code}: memory grows, in KiB: {series:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn memory_stays_flat() {
    stays_flat("def user(): return data");
    stays_flat(
        "import logging\nclass Mine(logging.Handler):\n def emit(self, record): data\nlogging.getLogger().addHandler(Mine())",
    );
    stays_flat(
        "import threading\nthreading.kept = getattr(threading, 'kept', [])\ndef user(): return data\nthreading.kept.append(user)",
    );
}

#[test]
fn the_time_limit_holds_for_exit_functions() {
    let runtime = python_runtime(PythonLoader::new().with_time_limit(std::time::Duration::from_millis(200)));
    load_python(
        &runtime,
        "python",
        &format!("{SCRIPT}\nimport atexit\ndef endless():\n while True: pass\natexit.register(endless)"),
    );
    assert!(unload(&runtime).reclaimed);
}

#[test]
fn bundles_of_the_low_level_protocol_end_likewise() {
    let folder = Bundle::empty();
    let file = folder.path().join("file");
    let code = format!(
        "import atexit\nf = open({file:?}, 'w')\nf.write('a')\natexit.register(print, 'end')\n\
         def polyplug_init(host, context):\n return ([dict(contract='test.script@1', factory=lambda host: f, functions=[])], \
         type('E', (), dict(code=0)))"
    );
    let runtime = python_runtime(PythonLoader::new());
    let (report, messages) = logged(|| {
        load_python(&runtime, "python", &code);
        unload(&runtime)
    });
    assert!(report.reclaimed, "{report}");
    assert_eq!((messages[0].message.as_str(), text(&file).as_str()), ("end", "a"));
}

#[test]
fn the_exit_of_the_process_runs_exit_functions_and_writes_files() {
    let name = "the_exit_of_the_process_runs_exit_functions_and_writes_files";
    if child::is_child() {
        let folder = std::env::var("FOLDER").unwrap();
        let code = format!(
            "import atexit\nf = open({folder:?} + '/file', 'w')\nf.write('a')\ndef last():\n \
             with open({folder:?} + '/last', 'w') as g: g.write('b')\natexit.register(last)"
        );
        // Never dropped, as that of a host with the runtime in a static.
        std::mem::forget(loaded(&format!("{SCRIPT}\n{code}")));
        return;
    }
    let folder = Bundle::empty();
    let output = child::again(name).env("FOLDER", folder.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!((text(&folder.path().join("file")), text(&folder.path().join("last"))), ("a".into(), "b".into()));
}

#[test]
fn the_end_of_the_interpreter_ends_bundles() {
    let name = "the_end_of_the_interpreter_ends_bundles";
    if !child::alone(name) {
        return;
    }
    let folder = Bundle::empty();
    let (file, last) = (folder.path().join("file"), folder.path().join("last"));
    let code = format!(
        "import atexit\nf = open({file:?}, 'w')\nf.write('a')\ndef last():\n \
         with open({last:?}, 'w') as g: g.write('b')\natexit.register(last)"
    );
    let runtime = loaded(&format!("{SCRIPT}\n{code}"));
    // SAFETY: the interpreter runs; the thread is attached, and nothing of it is used afterwards.
    unsafe {
        ffi::PyGILState_Ensure();
        ffi::Py_FinalizeEx();
    }
    assert_eq!((text(&file), text(&last)), ("a".into(), "b".into()));
    let report = unload(&runtime);
    assert!(!report.reclaimed, "it was not measured: {report}");
    assert!(report.still_mapped.unwrap().contains("the Python interpreter is shutting down"));
}
