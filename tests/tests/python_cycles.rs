//! Bundles in Python that come and go while other code of the interpreter's is at work.

use std::time::Duration;

use polyplug::{BundleId, CallError, Runtime};
use polyplug_python::PythonLoader;
use polyplug_tests::lua::{Script, run};
use polyplug_tests::python::{SCRIPT, ask, load_python, loaded, python_bundle, python_runtime};
use test_contracts::calling::Logger;

/// Modules that come and go in threads while `during` runs.
fn while_others_import(runtime: &Runtime, during: impl FnOnce()) {
    load_python(runtime, "importing", SCRIPT);
    let script = runtime.proxy_from::<dyn Script>(BundleId::new("importing")).unwrap();
    let begin = "global go, threads\nimport sys, types, threading, linecache\ngo = True\n\
                 def work(me):\n n = 0\n while go:\n  n += 1\n  name = f'made_{me}_{n % 5000}'\n\
                 \n  if sys.modules.pop(name, None) is None: sys.modules[name] = types.ModuleType(name)\n\
                 \n  if linecache.cache.pop(name, None) is None: linecache.cache[name] = (0, None, [], name)\n\
                 threads = [threading.Thread(target=work, args=(n,)) for n in range(2)]\n\
                 for thread in threads: thread.start()";
    script.run(begin).unwrap();
    during();
    script.run("global go\ngo = False\nfor thread in threads: thread.join()").unwrap();
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
