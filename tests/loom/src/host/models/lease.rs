//! Leases: dropping the last one hands the version's resources over, once, after the last use of the code.

use std::sync::Arc as Untracked;

use super::{Event, join, spawn};
use crate::explore::explore;
use crate::host::runtime::runtime::Runtime;
use crate::sync::{Arc, OnceLock};

/// Two threads use the code while the runtime unloads it: the code is reclaimed after all of them, in every order.
pub fn the_code_is_reclaimed_after_its_last_user() {
    explore(|| {
        let runtime = Runtime::new();
        let loaded = runtime.load(1, true);
        let code = Untracked::clone(&loaded.code);
        let reclaimed = Event::reclaimed(&loaded.version);
        let users = [(); 2].map(|()| {
            let (lease, code) = (Arc::clone(&loaded.version), Untracked::clone(&code));
            spawn(move || {
                code.run();
                drop(lease);
            })
        });
        runtime.unload(loaded);
        users.into_iter().for_each(join);
        reclaimed.wait();
        assert!(code.is_reclaimed());
    });
}

/// The shared instance of a version ends before its code is unmapped, and after its last call.
pub fn the_shared_instance_ends_after_its_last_call() {
    explore(|| {
        let runtime = Runtime::new();
        let loaded = runtime.load(1, true);
        let code = Untracked::clone(&loaded.code);
        let reclaimed = Event::reclaimed(&loaded.version);
        let proxy = runtime.proxy().expect("it serves");
        let users = [proxy.clone(), proxy].map(|proxy| spawn(move || drop(proxy.call())));
        runtime.unload(loaded);
        users.into_iter().for_each(join);
        reclaimed.wait();
        assert!(code.is_reclaimed());
    });
}

/// A caller that asks whether a version is gone, as `Runtime::quiesce` does, gets the answer only after the version was
/// reclaimed. The drop of the last lease is too early: the dropping thread has not queued the resources yet.
pub fn a_version_reported_as_gone_is_reclaimed() {
    explore(|| {
        let runtime = Runtime::new();
        let loaded = runtime.load(1, true);
        let code = Untracked::clone(&loaded.code);
        let status = Untracked::new(OnceLock::new());
        let notified = Untracked::clone(&status);
        loaded.version.when_gone(move |_| assert!(notified.set(()).is_ok(), "it is reclaimed once"));
        let lease = Arc::clone(&loaded.version);
        let user = spawn(move || drop(lease));
        runtime.unload(loaded);
        runtime.reclaimer.collecting(|| crossbeam_epoch::pin().flush());
        if status.get().is_some() {
            assert!(code.is_reclaimed(), "it is reported as gone");
        }
        join(user);
    });
}
