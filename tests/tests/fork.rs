//! A host that forks: the child's calls are answered, the child ends without harm to its parent, and the parent goes on.
#![cfg(target_os = "linux")]

use std::os::unix::process::ExitStatusExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

use polyplug::Runtime;
use polyplug_tests::Bundle;
use polyplug_tests::calculators::{self, LOADERS, calculator};
use polyplug_tests::child::alone;
use polyplug_tests::copies::own_copies;
use test_contracts::{Calculator, CalculatorProxy};

/// The limit of a child's life.
const LIFE: Duration = Duration::from_secs(60);

/// Runs `work` in a child process and waits for its end, which must be a good one.
#[track_caller]
fn forked(what: &str, work: impl FnOnce()) {
    // SAFETY: the child goes on with this thread alone. It uses no lock that another thread of this process can hold, as
    // each test runs in a process of its own whose other threads wait.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "{}", std::io::Error::last_os_error());
    if child == 0 {
        let code = match catch_unwind(AssertUnwindSafe(work)) {
            Ok(()) => 0,
            Err(_) => 101,
        };
        // SAFETY: the function has no preconditions.
        unsafe { libc::_exit(code) };
    }
    let begun = Instant::now();
    let mut status = 0;
    // SAFETY: the pointer is that of a number.
    while unsafe { libc::waitpid(child, &raw mut status, libc::WNOHANG) } == 0 {
        if begun.elapsed() > LIFE {
            // SAFETY: the child is this process's own, and not waited for yet.
            unsafe { libc::kill(child, libc::SIGKILL) };
            panic!("{what}: the child hangs");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let status = ExitStatus::from_raw(status);
    assert!(status.success(), "{what}: {status}");
}

/// A runtime with a bundle for each loader.
struct Host {
    runtime: Arc<Runtime>,
    bundles: Vec<Bundle>,
    proxies: Vec<CalculatorProxy>,
}

impl Host {
    fn new(hot_reload: bool) -> Self {
        let runtime = calculators::runtime(hot_reload);
        let bundles: Vec<_> = LOADERS.iter().map(|loader| calculator(loader, loader)).collect();
        for bundle in &bundles {
            runtime.load_bundle(bundle.path()).unwrap();
        }
        let proxies = LOADERS.iter().map(|loader| runtime.proxy_from::<dyn Calculator>(*loader).unwrap()).collect();
        Self { runtime, bundles, proxies }
    }

    fn check(&self, what: &str) {
        for (proxy, loader) in self.proxies.iter().zip(LOADERS) {
            calculators::check(proxy, &format!("{what}: {loader}"));
        }
    }

    /// Everything that a host does, after there was a child.
    fn goes_on(self) {
        self.check("the parent");
        for (bundle, loader) in self.bundles.iter().zip(LOADERS) {
            self.runtime.reload_bundle(bundle.path()).expect(loader);
        }
        self.check("the parent, after reloads");
        drop(self.proxies);
        for loader in LOADERS {
            self.runtime.unload_bundle(*loader).expect(loader);
        }
        assert_eq!(self.runtime.quiesce(Duration::from_secs(20)), []);
        assert_eq!(own_copies(), [] as [PathBuf; 0]);
    }
}

#[test]
fn a_child_calls_and_ends() {
    if !alone("a_child_calls_and_ends") {
        return;
    }
    let host = Host::new(true);
    host.check("before");
    for round in 0..5 {
        forked(&format!("child {round}"), || host.check("the child"));
    }
    // Several at once, each with children of its own.
    forked("a child", || {
        host.check("the child");
        forked("a grandchild", || host.check("the grandchild"));
        host.check("the child, once more");
    });
    host.goes_on();
}

#[test]
fn what_a_child_has_not_called_yet_works_there() {
    if !alone("what_a_child_has_not_called_yet_works_there") {
        return;
    }
    let host = Host::new(true);
    forked("a child", || host.check("the first calls of all are the child's"));
    host.goes_on();
}

/// The end of what the child has takes nothing from the parent.
#[test]
fn a_child_drops_all_it_has() {
    if !alone("a_child_drops_all_it_has") {
        return;
    }
    let host = Host::new(true);
    host.check("before");
    let copies = own_copies();
    // JavaScript is read whole, and needs none.
    assert_eq!(copies.len(), LOADERS.len() - 1);
    let mut shared = Some(host);
    forked("a child", || {
        let Host { runtime, bundles, proxies } = shared.take().unwrap();
        std::mem::forget(bundles); // these folders are the parent's
        drop(proxies);
        drop(runtime);
    });
    assert_eq!(own_copies(), copies, "what the parent runs from is still there");
    shared.unwrap().goes_on();
}

/// A child may be a host of its own, with private copies of its own.
#[test]
fn a_child_is_a_host_too() {
    if !alone("a_child_is_a_host_too") {
        return;
    }
    let host = Host::new(true);
    host.check("before");
    let copies = own_copies();
    forked("a child", || {
        let own = calculators::runtime(true);
        for loader in LOADERS.iter().filter(|loader| **loader != "python") {
            let bundle = calculator("own", loader);
            let id = own.load_bundle(bundle.path()).expect(loader);
            let copies = if *loader == "js" { 0 } else { 1 };
            assert_eq!(own_copies().len(), copies, "{loader}: in a folder of this process");
            calculators::check(&own.proxy::<dyn Calculator>().unwrap(), loader);
            own.reload_bundle(bundle.path()).expect(loader);
            calculators::check(&own.proxy::<dyn Calculator>().unwrap(), loader);
            own.unload_bundle(id).expect(loader);
        }
    });
    assert_eq!(own_copies(), copies);
    host.goes_on();
}
