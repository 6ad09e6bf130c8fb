//! What a bundle in Python changes in modules of the process is taken back when the bundle ends.

use polyplug::{BundleId, Runtime};
use polyplug_python::PythonLoader;
use polyplug_python::pyo3::Python;
use polyplug_tests::lua::{Script, run};
use polyplug_tests::python::{SCRIPT, ask, load_python, python_bundle, python_runtime};
use polyplug_tests::{Bundle, child};

/// Makes a runtime with a bundle that looks at what others leave.
fn with_observer() -> std::sync::Arc<Runtime> {
    let runtime = python_runtime(PythonLoader::new());
    load_observer(&runtime);
    runtime
}

fn load_observer(runtime: &Runtime) {
    let attempt = "def attempt(f):\n try: return f()\n except Exception as error: return type(error).__name__";
    load_python(runtime, "observer", &format!("{SCRIPT}\n{attempt}"));
}

#[track_caller]
fn see(runtime: &Runtime, expression: &str) -> String {
    let observer = runtime.proxy_from::<dyn Script>(BundleId::new("observer")).unwrap();
    observer.run(&format!("import sys, threading, gc, warnings\nreturn {expression}")).unwrap()
}

/// What a bundle does, and an expression that shows what is left of it.
const CHANGES: &[(&str, &str)] = &[
    (
        "import logging\nclass H(logging.Handler): pass\nlogging.getLogger('some').handlers.append(H())",
        "__import__('logging').getLogger('some').handlers",
    ),
    (
        "import logging\nclass H(logging.Handler): pass\nlogging.getLogger().addHandler(H())",
        "__import__('logging').root.handlers",
    ),
    (
        "import logging\nlogging.getLogger('some').addHandler(logging.NullHandler())",
        "__import__('logging').getLogger('some').handlers",
    ),
    (
        "import logging\nlogging.getLogger('some').addFilter(lambda record: True)",
        "__import__('logging').getLogger('some').filters",
    ),
    (
        "import logging\nlogging.getLogger('some').setLevel(7)\nlogging.getLogger('some').setLevel(8)",
        "__import__('logging').getLogger('some').level",
    ),
    (
        "import logging\nlogging.basicConfig(level=5, handlers=[logging.NullHandler()])",
        "(__import__('logging').root.handlers, __import__('logging').root.level)",
    ),
    (
        "import logging.config\nlogging.config.dictConfig({'version': 1, 'handlers': {'h': {'class': 'logging.NullHandler'}}, \
         'root': {'handlers': ['h'], 'level': 'DEBUG'}, 'loggers': {'some': {'propagate': False, 'level': 5}}})",
        "[(l.handlers, l.level, l.propagate, l.disabled) for l in map(__import__('logging').getLogger, (None, 'some'))]",
    ),
    (
        "import logging\nclass L(logging.Logger): pass\nlogging.setLoggerClass(L)\nlogging.getLogger('a.made')\nlogging.disable(30)",
        "(__import__('logging').getLoggerClass(), __import__('logging').root.manager.disable, 'a.made' in __import__('logging').root.manager.loggerDict)",
    ),
    (
        "import logging\nclass R(logging.LogRecord): pass\nlogging.setLogRecordFactory(R)\nlogging.addLevelName(33, 'MINE')",
        "(__import__('logging').getLogRecordFactory(), __import__('logging').getLevelName(33))",
    ),
    (
        "import warnings\nwarnings.simplefilter('error')\nwarnings.filterwarnings('ignore', message='x')",
        "warnings.filters",
    ),
    (
        "import warnings\ndef show(*a): pass\nwarnings.showwarning = show\nwarnings.formatwarning = show",
        "(warnings.showwarning.__qualname__, warnings.formatwarning)",
    ),
    (
        "import codecs\ndef search(name): return codecs.lookup('utf-8') if name == 'mine' else None\ncodecs.register(search)\n'a'.encode('mine')",
        "attempt(lambda: 'a'.encode('mine'))",
    ),
    (
        "import codecs\ncodecs.register_error('mine', lambda e: ('?', e.end))",
        "attempt(lambda: 'é'.encode('ascii', 'mine'))",
    ),
    ("import codecs\ncodecs.register_error('replace', lambda e: ('!', e.end))", "'é'.encode('ascii', 'replace')"),
    (
        "import sys\ndef hook(*a): pass\nsys.excepthook = sys.unraisablehook = sys.displayhook = sys.breakpointhook = hook",
        "(sys.excepthook, sys.unraisablehook.__qualname__, sys.displayhook, sys.breakpointhook)",
    ),
    ("import threading\ndef hook(*a): pass\nthreading.excepthook = hook", "threading.excepthook.__qualname__"),
    (
        "import threading\nthreading.settrace(lambda *a: None)\nthreading.setprofile(lambda *a: None)",
        "(threading._trace_hook, threading._profile_hook)",
    ),
    (
        "import sys\nsys.settrace(lambda *a: None)\nsys.setprofile(lambda *a: None)",
        "(sys.gettrace(), sys.getprofile())",
    ),
    (
        "import sys\nclass F:\n def find_spec(self, *a): return None\nsys.meta_path.append(F())\nsys.path.append('/nowhere')\n\
      def no(path): raise ImportError\nsys.path_hooks.append(no)",
        "(len(sys.meta_path), sys.path, len(sys.path_hooks))",
    ),
    ("import sys, io\nsys.stdout = io.StringIO()", "type(sys.stdout).__name__"),
    (
        "import sys\nclass Out:\n def write(self, text): pass\n def flush(self): pass\nsys.stderr = Out()",
        "type(sys.stderr).__name__",
    ),
    (
        "import sys\nsys.setrecursionlimit(5000)\nsys.setrecursionlimit(6000)\nsys.setswitchinterval(0.5)",
        "(sys.getrecursionlimit(), sys.getswitchinterval())",
    ),
    (
        "import gc\ngc.callbacks.append(lambda *a: None)\ngc.disable()\ngc.set_threshold(5, 5, 5)",
        "(gc.callbacks, gc.isenabled(), gc.get_threshold())",
    ),
    ("import socket\nsocket.setdefaulttimeout(3)", "__import__('socket').getdefaulttimeout()"),
    (
        "import locale\nlocale.setlocale(locale.LC_NUMERIC, 'C.UTF-8')",
        "__import__('locale').setlocale(__import__('locale').LC_NUMERIC)",
    ),
    (
        "import mimetypes\nmimetypes.add_type('text/mine', '.mine')\nmimetypes.add_type('text/mine', '.html')",
        "[__import__('mimetypes').guess_type(name) for name in ('a.mine', 'a.html')] + __import__('mimetypes').guess_all_extensions('text/mine')",
    ),
    (
        "import csv\ncsv.register_dialect('mine', delimiter=';')\ncsv.field_size_limit(99)",
        "('mine' in __import__('csv').list_dialects(), __import__('csv').field_size_limit())",
    ),
    (
        "import copyreg\nclass C: pass\ncopyreg.pickle(C, lambda c: (C, ()))\ncopyreg.pickle(complex, lambda c: (complex, (1,)))",
        "(len(__import__('copyreg').dispatch_table), __import__('pickle').loads(__import__('pickle').dumps(2j)))",
    ),
    (
        "import collections.abc\nclass C: pass\ncollections.abc.Sized.register(C)\nassert isinstance(C(), collections.abc.Sized)",
        "0",
    ),
    (
        "import threading\nclass C: pass\n@threading.generic.register(C)\ndef _(x): return 'C'\n@threading.generic.register(int)\ndef _(x): return 'int'",
        "(threading.generic(5), len(threading.generic.registry))",
    ),
    (
        "import threading\nclass C: pass\nthreading.cached(C)\nthreading.cached(C())",
        "threading.cached.cache_info().currsize",
    ),
    (
        "import json\ndef mine(*a, **k): return 'mine'\njson.dumps = mine\njson.JSONEncoder.default = mine\njson.JSONEncoder.extra = mine",
        "(__import__('json').dumps([1]), __import__('json').JSONEncoder.default.__module__, hasattr(__import__('json').JSONEncoder, 'extra'))",
    ),
    (
        "import random, time\nclass Fixed:\n def __call__(self): return 4\nrandom.random = Fixed()\nreal = time.time\ntime.time = lambda: real() + 1",
        "(__import__('random').random.__class__, __import__('time').time)",
    ),
    (
        "import builtins\ndef mine(): pass\nbuiltins.of_the_bundle = mine",
        "hasattr(__import__('builtins'), 'of_the_bundle')",
    ),
    ("import sys\nclass Odd: pass\nsys.modules['odd'] = Odd()", "'odd' in sys.modules"),
    (
        "import asyncio\nclass P(asyncio.DefaultEventLoopPolicy): pass\nasyncio.set_event_loop_policy(P())\nasync def f(): pass\nasyncio.run(f())",
        "type(__import__('asyncio').get_event_loop_policy()).__module__.startswith('_polyplug')",
    ),
    (
        "import tempfile, threading\nfolder = tempfile.TemporaryDirectory()\nthreading.folder = folder.name",
        "__import__('os').path.exists(getattr(threading, 'folder', '/nowhere'))",
    ),
    ("import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()): pass", "type(sys.stdout).__name__"),
];

/// Makes the shared functions that [`CHANGES`] uses.
fn prepare() {
    drop(with_observer());
    let code = c"import functools, threading
names = {'__name__': 'threading', 'functools': functools, 'threading': threading}
exec(\"\"\"
@functools.singledispatch
def generic(x): return 'any'
threading.generic = generic
@functools.lru_cache
def cached(x): return x
threading.cached = cached
\"\"\", names)";
    Python::attach(|py| py.run(code, None, None)).unwrap();
}

/// Returns [`CHANGES`] that can be taken back: before Python 3.10, a search function of `codecs` cannot.
fn changes() -> impl Iterator<Item = (&'static str, &'static str)> {
    let can_unregister = ask("hasattr(__import__('codecs'), 'unregister')") == "True";
    CHANGES.iter().copied().filter(move |(code, _)| can_unregister || !code.contains("codecs.register("))
}

#[test]
fn changes_of_a_main_file_are_taken_back() {
    prepare();
    let runtime = with_observer();
    for (code, left) in changes() {
        let before = see(&runtime, left);
        load_python(&runtime, "python", &format!("{SCRIPT}\n{code}"));
        let report = runtime.unload_bundle(BundleId::new("python")).unwrap();
        assert_eq!(see(&runtime, left), before, "{code}");
        assert!(report.reclaimed, "{code}: {report}");
    }
}

/// Changes by assignment of objects of shared classes are attributed to a bundle only while its main file runs.
const ONLY_AT_THE_START: [&str; 2] = ["io.StringIO()", "'/nowhere'"];

#[test]
fn changes_of_calls_are_taken_back() {
    prepare();
    let runtime = with_observer();
    for (code, left) in changes().filter(|(code, _)| !ONLY_AT_THE_START.iter().any(|only| code.contains(only))) {
        let before = see(&runtime, left);
        load_python(&runtime, "python", SCRIPT);
        let changed = {
            runtime.proxy_from::<dyn Script>(BundleId::new("python")).unwrap().run(&format!("global C, real\n{code}"))
        };
        changed.unwrap_or_else(|error| panic!("{code}: {error}"));
        let report = runtime.unload_bundle(BundleId::new("python")).unwrap();
        assert_eq!(see(&runtime, left), before, "{code}");
        assert!(report.reclaimed, "{code}: {report}");
    }
}

/// Removes what differs between versions of a bundle: addresses, and the numbers of private names.
fn without_numbers(text: &str) -> String {
    let mut text = text.to_owned();
    for marker in ["0x", "_polyplug_python_"] {
        let parts = text.split(marker).map(|part| part.trim_start_matches(|letter: char| letter.is_ascii_hexdigit()));
        text = parts.collect::<Vec<_>>().join(marker);
    }
    text
}

/// A logger and a cache that hold objects of the old version end with it. A trace function belongs to a thread, and a
/// reload runs the main file on one of its own.
const NOT_KEPT: [&str; 3] = ["a.made", "threading.cached", "sys.settrace"];

#[test]
fn a_reload_keeps_what_the_new_version_has_changed() {
    prepare();
    let runtime = Runtime::builder().loader(PythonLoader::new()).hot_reload(true).build().unwrap();
    load_observer(&runtime);
    for (code, left) in changes().filter(|(code, _)| !NOT_KEPT.iter().any(|not| code.contains(not))) {
        let before = see(&runtime, left);
        let bundle = python_bundle("python", "", &[]);
        bundle.write("main.py", format!("{SCRIPT}\n{code}"));
        runtime.load_bundle(bundle.path()).unwrap();
        let during = see(&runtime, left);
        for _ in 0..2 {
            runtime.reload_bundle(bundle.path()).unwrap();
            assert_eq!(without_numbers(&see(&runtime, left)), without_numbers(&during), "{code}");
        }
        runtime.unload_bundle(BundleId::new("python")).unwrap();
        assert_eq!(see(&runtime, left), before, "{code}");
    }
}

#[test]
fn a_log_line_is_written_once_after_reloads() {
    let folder = Bundle::empty();
    let file = folder.path().join("log");
    let bundle = python_bundle("python", "", &[]);
    bundle.write(
        "main.py",
        format!(
            "{SCRIPT}\nimport logging\nhandler = logging.FileHandler({file:?})\nlogging.getLogger().addHandler(handler)\n\
             logging.getLogger().setLevel('INFO')"
        ),
    );
    let runtime = Runtime::builder().loader(PythonLoader::new()).hot_reload(true).build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    for _ in 0..2 {
        let report = runtime.reload_bundle(bundle.path()).unwrap();
        assert!(report.reclaimed, "{report:?}");
    }
    run(&runtime, "logging.getLogger('some').info('once')").unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "once\n");
}

#[test]
fn what_others_have_changed_stays() {
    let runtime = with_observer();
    let other = "import logging, sys, warnings, socket\nlogging.root.addHandler(logging.NullHandler())\n\
                 socket.setdefaulttimeout(9)\nsys.setrecursionlimit(4321)\nwarnings.filterwarnings('ignore', message='other')";
    load_python(
        &runtime,
        "first",
        &format!("{SCRIPT}\nimport socket, sys\nsocket.setdefaulttimeout(3)\nsys.setrecursionlimit(1234)"),
    );
    load_python(&runtime, "second", &format!("{SCRIPT}\n{other}"));
    runtime.unload_bundle(BundleId::new("first")).unwrap();
    let left = "(len(__import__('logging').root.handlers), __import__('socket').getdefaulttimeout(), \
                sys.getrecursionlimit(), any('other' in str(f) for f in warnings.filters))";
    assert_eq!(see(&runtime, left), "(1, 9.0, 4321, True)");
    runtime.unload_bundle(BundleId::new("second")).unwrap();
    assert_eq!(see(&runtime, left), "(0, None, 1000, False)");
}

#[test]
fn what_a_shared_module_registers_when_it_is_imported_stays() {
    let packages = [("logging", "logging.shutdown"), ("concurrent.futures.thread", "x._python_exit")];
    let runtime = with_observer();
    load_python(
        &runtime,
        "python",
        &format!("{SCRIPT}\nimport logging, concurrent.futures.thread, multiprocessing.util, weakref, tempfile"),
    );
    let before = see(&runtime, "(__import__('atexit')._ncallbacks(), len(threading._threading_atexits))");
    assert!(runtime.unload_bundle(BundleId::new("python")).unwrap().reclaimed, "{packages:?}");
    assert_eq!(see(&runtime, "(__import__('atexit')._ncallbacks(), len(threading._threading_atexits))"), before);
}

#[test]
fn functions_for_forks_and_audits_are_void_after_the_end() {
    if !child::alone("functions_for_forks_and_audits_are_void_after_the_end") {
        return;
    }
    let runtime = with_observer();
    let code = "import os, sys, threading\nthreading.seen = []\ndef at_fork(): threading.seen.append('fork')\n\
                def audit(event, arguments): \n if event == 'test.event': threading.seen.append(event)\n\
                os.register_at_fork(before=at_fork)\nsys.addaudithook(audit)";
    load_python(&runtime, "python", &format!("{SCRIPT}\n{code}"));
    let act = "[sys.audit('test.event'), (lambda os: os.waitpid(os.fork() or os._exit(0), 0))(__import__('os'))] and threading.seen";
    assert_eq!(see(&runtime, act), "['test.event', 'fork']");
    let report = runtime.unload_bundle(BundleId::new("python")).unwrap();
    assert!(report.reclaimed, "{report}");
    assert_eq!(see(&runtime, act), "['test.event', 'fork']");
}

#[test]
fn what_is_registered_again_and_again_does_not_accumulate() {
    let runtime = with_observer();
    load_python(&runtime, "python", SCRIPT);
    let script = runtime.proxy_from::<dyn Script>(BundleId::new("python")).unwrap();
    let code = "import logging, warnings, sys\nfor _ in range(500):\n with warnings.catch_warnings():\n  warnings.simplefilter('ignore')\n\
                \n h = logging.NullHandler()\n logging.root.addHandler(h)\n logging.root.removeHandler(h)\n sys.setrecursionlimit(2000)\n\
                return len(__import__('builtins').__dict__)";
    script.run(code).unwrap();
    assert_eq!(
        ask(
            "1 <= max((len(o.changes) for o in gc.get_objects() if type(o).__name__ == 'Bundle' and o.__dict__), default=-1) <= 3"
        ),
        "True"
    );
}
