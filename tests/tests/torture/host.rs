//! The host's side of it: a call without an end and without a limit, and bundles that go on when there is no host.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use polyplug::Runtime;
use polyplug_tests::child::{again, is_child};

#[cfg(feature = "python")]
use crate::runtime;
use crate::{DEADLINE, Language, Torture, builder};

/// A call that nothing ends: its bundle's unload and reload say so in time, others go on, and the process ends.
fn without_a_limit(language: Language, test: &str, endless: &'static str) {
    if !is_child() {
        let begun = Instant::now();
        // The bundles that this process leaves behind go with this folder.
        let temporary = tempfile::tempdir().unwrap();
        let output = again(test).env("TMPDIR", temporary.path()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}\n{text}", output.status);
        assert!(begun.elapsed() < DEADLINE, "{:?}", begun.elapsed());
        return;
    }
    let short = Duration::from_millis(500);
    let runtime = builder(false, false).reload_limit(short).unload_limit(short).build().unwrap();
    let (bundle, other) = (language.bundle("bundle"), Language::Js.bundle("other"));
    let id = runtime.load_bundle(bundle.path()).unwrap();
    runtime.load_bundle(other.path()).unwrap();
    let proxy = runtime.proxy_from::<dyn Torture>(id).unwrap();
    let (send, entered) = mpsc::channel();
    std::thread::spawn(move || {
        send.send(()).unwrap();
        let _ = proxy.number(endless);
    });
    entered.recv().unwrap();
    std::thread::sleep(Duration::from_millis(100));
    serves(&runtime);
    // A new version takes the place of the one whose call never ends.
    let report = runtime.reload_bundle(bundle.path()).unwrap();
    assert!(!report.reclaimed && !report.holders.is_empty(), "{report:?}");
    assert_eq!(runtime.proxy_from::<dyn Torture>(id).unwrap().number("return 7"), Ok(7));
    serves(&runtime);
    let begun = Instant::now();
    let report = runtime.unload_bundle(id).unwrap();
    println!("{report:?}");
    assert_eq!(runtime.quiesce(Duration::ZERO).len(), 1, "the version with the call");
    assert!(begun.elapsed() < DEADLINE / 2, "{:?}", begun.elapsed());
    serves(&runtime);
    // The thread is still in its call, and nobody waits for it.
    std::process::exit(0);
}

fn serves(runtime: &Runtime) {
    let other = runtime.proxy_from::<dyn Torture>("other").unwrap();
    assert_eq!(other.number("return 7"), Ok(7));
}

#[test]
fn lua_without_a_limit() {
    without_a_limit(Language::Lua, "host::lua_without_a_limit", "while true do end");
}

#[test]
fn js_without_a_limit() {
    without_a_limit(Language::Js, "host::js_without_a_limit", "for (;;);");
}

/// A thread of a script that calls the host when the bundle is gone, and when the runtime is.
#[cfg(feature = "python")]
#[test]
fn a_thread_calls_when_there_is_no_host() {
    const THREAD: &str = "
import threading, time
def work():
    while not self.done:
        try: self.answers.append(log('ab'))
        except Exception as error: self.errors.append(str(error))
        time.sleep(0.001)
self.done, self.answers, self.errors = False, [], []
global kept
kept = self
threading.Thread(target=work, daemon=True).start()
return 1";
    let runtime = runtime(false, false);
    let (bundle, other) = (Language::Python.bundle("bundle"), Language::Python.bundle("other"));
    let id = runtime.load_bundle(bundle.path()).unwrap();
    runtime.load_bundle(other.path()).unwrap();
    let proxy = runtime.proxy_from::<dyn Torture>(id).unwrap();
    assert_eq!(proxy.number(THREAD), Ok(1));
    let begun = Instant::now();
    while proxy.number("return len(self.answers)") == Ok(0) {
        assert!(begun.elapsed() < DEADLINE, "the thread calls");
    }
    drop(proxy);
    let report = runtime.unload_bundle(id).unwrap();
    println!("{report:?}");
    std::thread::sleep(Duration::from_millis(50));
    let other = runtime.proxy_from::<dyn Torture>("other").unwrap();
    assert_eq!(other.number("return 7"), Ok(7));
    drop(other);
    drop(runtime);
    std::thread::sleep(Duration::from_millis(50));
    // The interpreter serves other runtimes.
    let runtime = crate::runtime(false, false);
    let bundle = Language::Python.bundle("bundle");
    runtime.load_bundle(bundle.path()).unwrap();
    assert_eq!(runtime.proxy::<dyn Torture>().unwrap().number("return 7"), Ok(7));
}
