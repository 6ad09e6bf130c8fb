//! The owners of proxies for an instance that a plugin shares: found without a lock, while their version retires.

use std::sync::Arc as Untracked;

use super::{Event, join, spawn};
use crate::explore::explore;
use crate::host::runtime::runtime::Runtime;
use crate::sync::Arc;

/// A proxy that is made while its version is unloaded works or returns an error; the code is reclaimed after the last
/// proxy.
pub fn proxies_made_during_an_unload_hold_their_version() {
    explore(|| {
        let runtime = Runtime::new();
        let loaded = runtime.load(1, true);
        let code = Untracked::clone(&loaded.code);
        let reclaimed = Event::reclaimed(&loaded.version);
        // Makes an owner, which the next look-up finds without the lock.
        drop(runtime.proxy());
        let user = spawn({
            let runtime = Untracked::clone(&runtime);
            move || {
                let Ok(proxy) = runtime.proxy() else { return };
                if let Ok(number) = proxy.call() {
                    assert_eq!(number, 1);
                }
            }
        });
        runtime.unload(loaded);
        join(user);
        reclaimed.wait();
        assert!(code.is_reclaimed());
    });
}

/// The first two proxies are made at the same time, and one of them finds the other's owner without a lock.
pub fn the_first_proxies_share_an_owner() {
    explore(|| {
        let runtime = Runtime::new();
        let _loaded = runtime.load(1, true);
        let user = spawn({
            let runtime = Untracked::clone(&runtime);
            move || runtime.proxy().expect("it serves").call().expect("it serves")
        });
        let proxy = runtime.proxy().expect("it serves");
        assert_eq!(proxy.call().expect("it serves"), 1);
        assert_eq!(join(user), 1);
    });
}

/// A provider that was looked up before its version retired makes owners afterwards. No thread finds such an owner by
/// the pointer to the recent one, which keeps no count.
pub fn an_owner_made_after_retirement_is_not_remembered() {
    explore(|| {
        let runtime = Runtime::new();
        let loaded = runtime.load(1, true);
        let code = Untracked::clone(&loaded.code);
        let reclaimed = Event::reclaimed(&loaded.version);
        let users = [(); 2].map(|()| {
            let runtime = Untracked::clone(&runtime);
            spawn(move || drop(runtime.proxy()))
        });
        runtime.unload(loaded);
        users.into_iter().for_each(join);
        reclaimed.wait();
        assert!(code.is_reclaimed());
    });
}

/// A report is made while an instance ends, whose code makes a report as well: no lock is held when that code runs.
pub fn a_report_ends_no_instance_under_a_lock() {
    explore(|| {
        let runtime = Runtime::new();
        let loaded = runtime.load(1, false);
        let code = Untracked::clone(&loaded.code);
        let provider = Arc::clone(&loaded.provider);
        *code.at_end.borrow_mut() = Some(Box::new({
            let provider = Arc::clone(&provider);
            move || drop(provider.leases().sites())
        }));
        let proxy = runtime.proxy().expect("it serves");
        let user = spawn(move || drop(proxy));
        assert!(provider.leases().sites().len() <= 1);
        join(user);
        assert!(provider.leases().sites().is_empty());
        code.at_end.take();
    });
}
