//! Bundles in Python that come and go while other code of the interpreter's is at work.

use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use polyplug::{BundleId, CallError, Runtime};
use polyplug_python::PythonLoader;
use polyplug_tests::lua::{Script, run};
use polyplug_tests::python::{SCRIPT, ask, load_python, loaded, python_bundle, python_runtime};
use test_contracts::callbacks::{Progress, Worker};
use test_contracts::calling::Logger;

/// Modules that come and go in threads while `during` runs.
fn while_others_import(runtime: &Runtime, during: impl FnOnce()) {
    load_python(runtime, "importing", SCRIPT);
    let script = runtime.proxy_from::<dyn Script>(BundleId::new("importing")).unwrap();
    let begin = "global go, threads\nimport sys, types, threading, linecache\ngo = True\nsys.setswitchinterval(1e-6)\n\
                 def work(me):\n n = 0\n while go:\n  n += 1\n  name = f'made_{me}_{n % 5000}'\n\
                 \n  if sys.modules.pop(name, None) is None: sys.modules[name] = types.ModuleType(name)\n\
                 \n  if linecache.cache.pop(name, None) is None: linecache.cache[name] = (0, None, [], name)\n\
                 threads = [threading.Thread(target=work, args=(n,)) for n in range(2)]\n\
                 for thread in threads: thread.start()";
    script.run(begin).unwrap();
    during();
    script
        .run("global go\ngo = False\nfor thread in threads: thread.join()\nimport sys\nsys.setswitchinterval(0.005)")
        .unwrap();
}

#[test]
fn bundles_end_though_others_import() {
    let runtime = python_runtime(PythonLoader::new());
    let bundle = python_bundle("python", "", &[("helper.py", "value = 1\n")]);
    while_others_import(&runtime, || {
        for _ in 0..100 {
            runtime.load_bundle(bundle.path()).unwrap();
            let script = runtime.proxy_from::<dyn Script>(BundleId::new("python")).unwrap();
            assert_eq!(script.run("import helper\nreturn helper.value").unwrap(), "1");
            drop(script);
            assert!(runtime.unload_bundle(BundleId::new("python")).unwrap().reclaimed);
        }
    });
    assert_eq!(ask("[name for name in list(sys.modules) if name.startswith('_polyplug_python')]"), "[]");
}

#[test]
fn what_a_search_for_modules_leaves_goes() {
    let runtime = python_runtime(PythonLoader::new());
    let bundle = python_bundle("python", "", &[]);
    runtime.load_bundle(bundle.path()).unwrap();
    let code = "try:\n from . import absent\nexcept ImportError: pass\nimport pkgutil\n\
                return [m.name for m in pkgutil.iter_modules([str(__import__('polyplug').directory)])]";
    assert_eq!(run(&runtime, code).unwrap(), "['main']");
    assert!(runtime.unload_bundle(BundleId::new("python")).unwrap().reclaimed);
    let folder = bundle.path().display();
    assert_eq!(ask(&format!("[p for p in list(sys.path_importer_cache) if p.startswith('{folder}')]")), "[]");
}

#[test]
fn what_stands_for_a_module_may_fail_when_it_is_asked() {
    drop(loaded(SCRIPT)); // starts it
    let version = ask("'%d.%d' % sys.version_info[:2]");
    let packages = format!(".venv/lib/python{version}/site-packages");
    let files = [
        (".venv/pyvenv.cfg".to_owned(), format!("version = {version}\n")),
        (format!("{packages}/of_the_environment.py"), "value = 5\n".to_owned()),
    ];
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let bundle = python_bundle("python", "[python]\nvenv = \".venv\"\n", &files);
    let runtime = python_runtime(PythonLoader::new());
    runtime.load_bundle(bundle.path()).unwrap();
    let code = "import sys, of_the_environment\nclass Odd:\n @property\n def __spec__(self): raise RuntimeError('odd')\n\
                sys.modules['odd'] = Odd()\nreturn of_the_environment.value";
    assert_eq!(run(&runtime, code).unwrap(), "5");
    assert!(runtime.unload_bundle(BundleId::new("python")).unwrap().reclaimed);
    assert_eq!(ask("[name for name in list(sys.modules) if name == 'of_the_environment']"), "[]");
    assert_eq!(ask("'odd' in sys.modules"), "False", "the bundle has put it there");
}

#[test]
fn tracebacks_of_bundles_in_memory_show_their_own_lines() {
    let failing = |line: &str| {
        let runtime = loaded(&SCRIPT.replace("        tree", &format!("        {line}\n        tree")));
        let error = run(&runtime, "return 1").unwrap_err();
        let CallError::Exception(failure) = error else { panic!("{error:?}") };
        assert!(failure.traceback.as_deref().is_some_and(|traceback| traceback.contains(line)), "{failure:?}");
        failure
    };
    let first = failing("raise ValueError('one')");
    let other = failing("raise KeyError('another')");
    assert_eq!(first.location.as_deref(), other.location.as_deref());
    let both = loaded(&SCRIPT.replace("        tree", "        raise OSError('a third')\n        tree"));
    let error = run(&both, "return 1").unwrap_err();
    assert!(error.to_string().contains("a third"), "{error}");
    failing("raise IndexError('while the third is there')");
    drop(both);
    assert_eq!(ask("[name for name in linecache.cache if 'main.py' in name]"), "[]");
}

#[test]
fn results_that_never_end_reach_the_limit() {
    let runtime = python_runtime(PythonLoader::new().with_time_limit(Duration::from_millis(200)));
    for lines in [
        "        while True: yield ''",
        "        return iter(lambda: [0 for _ in range(10**9)] and 'x', None)",
        "        return [Endless()]",
    ] {
        let endless = "class Endless:\n    def __repr__(self):\n        while True: len('')\n";
        let code = format!(
            "from polyplug import plugin\n{endless}\n@plugin('test.logger@1.1')\nclass Logger:\n    \
             def log(self, line): return 7\n    def panics(self, words): pass\n    def lines(self):\n{lines}\n"
        );
        load_python(&runtime, "logger", &code);
        let logger = runtime.proxy::<dyn Logger>().unwrap();
        let error = logger.lines().unwrap_err();
        let CallError::LimitReached(failure) = &error else { panic!("{lines}: {error:?}") };
        assert!(failure.message.contains("the call of bundle `logger` takes longer than its 200ms"), "{error}");
        assert_eq!(logger.log("x").unwrap(), 7);
        drop(logger);
        runtime.unload_bundle(BundleId::new("logger")).unwrap();
    }
}

/// Calls a bundle in Python when it ends; keeps what that gave.
struct Ends(Weak<Runtime>, Arc<Mutex<Option<String>>>);

impl Progress for Ends {
    fn step(&self, _: u32, _: &str) -> bool {
        true
    }

    fn breaks(&self) {}

    fn note(&self, _: String) -> Result<u32, String> {
        Ok(1)
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        let code = "import json\nreturn sorted(json.loads('[3, 1]'), key=lambda n: str(n)) + list(map(str, [5]))";
        let outcome = run(&self.0.upgrade().expect("the test keeps it"), code);
        *self.1.lock().unwrap() = Some(outcome.unwrap_or_else(|error| error.to_string()));
    }
}

#[test]
fn what_ends_while_an_exception_is_raised_may_call_python() {
    let runtime = python_runtime(PythonLoader::new());
    load_python(&runtime, "python", SCRIPT);
    let others = ["work(self, a, b)", "both(self, a, b, c)", "on_threads(self, a, b, c)", "provoke(self, a)"];
    let more = ["keep_copy(self, a)", "tell_all(self, a)", "plant(self)", "pass_on(self, a, b)"];
    let others: String = others.iter().chain(&more).map(|method| format!("    def {method}: pass\n")).collect();
    let code = format!(
        "from polyplug import plugin\n@plugin('test.worker@1')\nclass Worker:\n{others}    \
         def keep(self, progress):\n        self.kept = progress\n        return 1\n    \
         def forget_all(self):\n        try: print(self.__dict__.pop('kept'), 1 / 0)\n        \
         except ZeroDivisionError: return\n"
    );
    load_python(&runtime, "worker", &code);
    let worker = runtime.proxy::<dyn Worker>().unwrap();
    let told = Arc::new(Mutex::new(None));
    let ends = Ends(Arc::downgrade(&runtime), Arc::clone(&told));
    assert_eq!(worker.keep(runtime.callback::<dyn Progress>(ends).unwrap()), Ok(1));
    assert_eq!(*told.lock().unwrap(), None);
    worker.forget_all().unwrap();
    assert_eq!(told.lock().unwrap().as_deref(), Some("[1, 3, '5']"));
}
