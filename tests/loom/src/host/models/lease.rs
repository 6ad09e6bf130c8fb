//! Leases: the last one hands the version over, once, when everybody is through with the code.

use std::sync::Arc as Untracked;

use super::{Event, join, spawn};
use crate::explore::explore;
use crate::host::runtime::runtime::Runtime;
use crate::sync::{Arc, OnceLock};

/// Two users of the code, and the runtime, which unloads it: whoever is last, it goes after all of them.
pub fn the_code_goes_after_its_last_user() {
    explore(|| {
        let runtime = Runtime::new();
        let loaded = runtime.load(1, true);
        let code = Untracked::clone(&loaded.code);
        let gone = Event::gone(&loaded.version);
        let users = [(); 2].map(|()| {
            let (lease, code) = (Arc::clone(&loaded.version), Untracked::clone(&code));
            spawn(move || {
                code.run();
                drop(lease);
            })
        });
        runtime.unload(loaded);
        users.into_iter().for_each(join);
        gone.wait();
        assert!(code.is_gone());
    });
}

/// The shared instance of a version ends before its code goes, and after its last call.
pub fn the_shared_instance_ends_after_its_last_call() {
    explore(|| {
        let runtime = Runtime::new();
        let loaded = runtime.load(1, true);
        let code = Untracked::clone(&loaded.code);
        let gone = Event::gone(&loaded.version);
        let proxy = runtime.proxy().expect("it serves");
        let users = [proxy.clone(), proxy].map(|proxy| spawn(move || drop(proxy.call())));
        runtime.unload(loaded);
        users.into_iter().for_each(join);
        gone.wait();
        assert!(code.is_gone());
    });
}

/// Who asks whether a version is gone, as `Runtime::quiesce` does, is not told so before. That nobody holds it any more is
/// too early: whoever was last is about to queue it.
pub fn a_version_that_is_said_to_be_gone_is() {
    explore(|| {
        let runtime = Runtime::new();
        let loaded = runtime.load(1, true);
        let code = Untracked::clone(&loaded.code);
        let fate = Untracked::new(OnceLock::new());
        let told = Untracked::clone(&fate);
        loaded.version.when_gone(move |_| assert!(told.set(()).is_ok(), "it goes once"));
        let lease = Arc::clone(&loaded.version);
        let user = spawn(move || drop(lease));
        runtime.unload(loaded);
        runtime.reclaimer.collecting(|| crossbeam_epoch::pin().flush());
        if fate.get().is_some() {
            assert!(code.is_gone(), "it is said to be gone");
        }
        join(user);
    });
}
