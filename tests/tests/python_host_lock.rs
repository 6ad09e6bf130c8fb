//! A host that uses Python itself and holds the interpreter's lock while it changes bundles: nothing waits for the lock
//! that this thread holds.

use polyplug::{BundleId, Runtime};
use polyplug_python::PythonLoader;
use polyplug_python::pyo3::prelude::*;
use polyplug_tests::lua::Script;
use polyplug_tests::python::{SCRIPT, load_python};
use polyplug_tests::{Bundle, eventually, logged_anywhere};

/// Ends the process if the test hangs, which is a failure.
fn end_if_hanging() {
    // SAFETY: sets a timer that ends the process.
    unsafe { libc::alarm(120) };
}

fn bundle(code: &str) -> Bundle {
    Bundle::script("python", &format!("{SCRIPT}\n{code}"))
}

fn builder() -> polyplug::runtime::RuntimeBuilder {
    Runtime::builder().loader(polyplug_lua::LuaLoader::new()).loader(PythonLoader::new()).hot_reload(true)
}

#[test]
fn a_host_that_holds_the_lock_loads_reloads_and_unloads() {
    end_if_hanging();
    let (_, messages) = logged_anywhere(|| {
        Python::initialize();
        Python::attach(|py| {
            let runtime = builder().build().unwrap();
            let bundle = bundle("import polyplug\npolyplug.on_unload(lambda: print('ended'))");
            let id = runtime.load_bundle(bundle.path()).unwrap();
            let script = runtime.proxy_from::<dyn Script>(id).unwrap();
            assert_eq!(script.run("return 1").unwrap(), "1");
            // The new version is prepared on a thread of its own.
            let report = runtime.reload_bundle(bundle.path()).unwrap();
            assert!(report.reclaimed || report.drained + report.restarted == 1, "{report:?}");
            assert_eq!(script.run("return 2").unwrap(), "2");
            drop(script);
            assert_eq!(runtime.quiesce(std::time::Duration::from_secs(20)), []);
            // Functions for the unload run on a thread of their own.
            let report = runtime.unload_bundle(id).unwrap();
            assert!(report.reclaimed, "{report}");
            assert_eq!(py.eval(c"6 * 7", None, None).unwrap().extract::<i32>().unwrap(), 42, "the lock is held again");
        });
    });
    let messages: Vec<_> = messages.iter().map(|logged| logged.message.as_str()).collect();
    assert_eq!(messages, ["ended", "ended"]);
}

#[test]
fn a_runtime_ends_while_its_host_holds_the_lock() {
    end_if_hanging();
    let (_, messages) = logged_anywhere(|| {
        Python::initialize();
        Python::attach(|_| {
            let runtime = builder().build().unwrap();
            load_python(
                &runtime,
                "python",
                &format!("{SCRIPT}\nimport polyplug\npolyplug.on_unload(lambda: print('ended'))"),
            );
            drop(runtime);
        });
    });
    assert_eq!(messages.iter().map(|logged| logged.message.as_str()).collect::<Vec<_>>(), ["ended"]);
}

/// The thread with the lock waits for the change that another thread makes, which needs the lock.
#[test]
fn a_change_on_another_thread_gets_the_lock() {
    end_if_hanging();
    Python::initialize();
    let runtime = builder().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let begun = folder.path().join("begun");
    let bundle = bundle(&format!("import time\nopen({:?}, 'w').close()\ntime.sleep(0.3)", begun.to_str().unwrap()));
    std::thread::scope(|scope| {
        scope.spawn(|| runtime.load_bundle(bundle.path()).unwrap());
        eventually("the bundle's code runs", || begun.exists());
        Python::attach(|_| {
            let second = runtime.load_bundle(bundle.path()).unwrap_err();
            assert!(second.to_string().contains("is loaded already"), "{second}");
            assert!(runtime.unload_bundle(BundleId::new("python")).unwrap().reclaimed);
        });
    });
}
