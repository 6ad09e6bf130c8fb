//! The revision: a thread that sees it change finds what was published before.

use std::sync::Arc as Untracked;

use polyplug::CallError;

use super::{Event, join, spawn};
use crate::explore::explore;
use crate::host::runtime::runtime::Runtime;
use crate::sync::Arc;

/// Calls through a proxy during a reload run on the old version or the new one, and never on the old one again.
fn calls_during_a_reload(shares: bool) {
    explore(move || {
        let runtime = Runtime::new();
        let old = runtime.load(1, shares);
        let proxy = Untracked::new(runtime.proxy().expect("it serves"));
        let caller = spawn({
            let proxy = Untracked::clone(&proxy);
            move || [proxy.call(), proxy.call()].map(|number| number.expect("a version serves all the time"))
        });
        let new = runtime.make(2, shares, &old.lineage);
        let _new = runtime.reload(old, new);
        let numbers = join(caller);
        assert!(numbers.is_sorted(), "{numbers:?}");
        assert_eq!(proxy.call().expect("it serves"), 2);
    });
}

/// The same for an instance that all proxies share.
pub fn calls_during_a_reload_find_a_shared_instance() {
    calls_during_a_reload(true);
}

/// The same for an instance of the proxy's own.
pub fn calls_during_a_reload_find_their_instance() {
    calls_during_a_reload(false);
}

/// A proxy that is made during a reload works, finds the new version, and keeps only its own.
fn a_proxy_made_during_a_reload(shares: bool) {
    explore(move || {
        let runtime = Runtime::new();
        let old = runtime.load(1, shares);
        let old_code = Untracked::clone(&old.code);
        let reclaimed = Event::reclaimed(&old.version);
        let maker = spawn({
            let runtime = Untracked::clone(&runtime);
            move || {
                let proxy = runtime.proxy().expect("a version serves all the time");
                assert!(matches!(proxy.call(), Ok(1 | 2)));
                proxy
            }
        });
        let new = runtime.make(2, shares, &old.lineage);
        let _new = runtime.reload(old, new);
        let proxy = join(maker);
        assert_eq!(proxy.call().expect("it serves"), 2);
        let refreshed = proxy.clone();
        drop(proxy);
        reclaimed.wait();
        assert!(old_code.is_reclaimed());
        assert_eq!(refreshed.call().expect("it serves"), 2);
    });
}

/// The same for an instance that all proxies share.
pub fn a_proxy_made_during_a_reload_shares_an_instance() {
    a_proxy_made_during_a_reload(true);
}

/// The same for an instance of the proxy's own.
pub fn a_proxy_made_during_a_reload_has_an_instance() {
    a_proxy_made_during_a_reload(false);
}

/// An unload is final: calls fail from then on, even when the bundle is loaded again.
fn calls_during_an_unload(shares: bool) {
    explore(move || {
        let runtime = Runtime::new();
        let loaded = runtime.load(1, shares);
        let code = Untracked::clone(&loaded.code);
        let reclaimed = Event::reclaimed(&loaded.version);
        let proxy = Untracked::new(runtime.proxy().expect("it serves"));
        let caller = spawn({
            let proxy = Untracked::clone(&proxy);
            move || [proxy.call(), proxy.call()]
        });
        runtime.unload(loaded);
        let _again = runtime.load(2, shares);
        let answers = join(caller);
        assert!(matches!(answers, [Ok(1), Ok(1) | Err(CallError::Unloaded { .. })] | [Err(_), Err(_)]), "{answers:?}");
        assert!(matches!(proxy.call(), Err(CallError::Unloaded { .. })));
        drop(proxy);
        reclaimed.wait();
        assert!(code.is_reclaimed());
    });
}

/// The same for an instance that all proxies share.
pub fn calls_during_an_unload_of_a_shared_instance() {
    calls_during_an_unload(true);
}

/// The same for an instance of the proxy's own.
pub fn calls_during_an_unload_of_their_instance() {
    calls_during_an_unload(false);
}

/// State that a reload carried over is not lost to a call that looks for the instance at that moment.
pub fn a_call_during_a_second_reload_keeps_the_state() {
    explore(|| {
        let runtime = Runtime::new();
        let first = runtime.load(1, false);
        let lineage = Arc::clone(&first.lineage);
        let proxy = Untracked::new(runtime.proxy().expect("it serves"));
        let second = runtime.reload(first, runtime.make(2, false, &lineage));
        for _ in 0..3 {
            assert_eq!(proxy.call().expect("it serves"), 2);
        }
        let caller = spawn({
            let proxy = Untracked::clone(&proxy);
            move || proxy.call().expect("a version serves all the time")
        });
        let third = runtime.make(3, false, &lineage);
        let code = Untracked::clone(&third.code);
        let _third = runtime.reload(second, third);
        assert!([2, 3].contains(&join(caller)));
        assert_eq!(code.made.get(), 0, "an instance is made although its state is carried over");
        // A call between the saving of the state and its publication may be lost.
        let calls = proxy.calls().expect("it serves");
        assert!([3, 4].contains(&calls), "of 3 calls before the reload and 1 during it, {calls} are counted");
    });
}

/// Clones of a proxy whose instance was not migrated by a reload agree on the next instance.
pub fn clones_that_catch_up_share_an_instance() {
    explore(|| {
        let runtime = Runtime::new();
        let old = runtime.load(1, false);
        let provider = Arc::clone(&old.provider);
        let new = runtime.make(2, false, &old.lineage);
        let _new = runtime.reload(old, new);
        let proxy = Untracked::new(runtime.proxy_for(provider));
        let callers = [(); 2].map(|()| {
            let proxy = Untracked::clone(&proxy);
            spawn(move || proxy.call().expect("it serves"))
        });
        assert_eq!(callers.map(join), [2, 2]);
        assert_eq!(proxy.calls().expect("it serves"), 2);
    });
}

/// A proxy of a version that was reloaded keeps a later version only during a call.
pub fn a_proxy_keeps_only_the_version_it_was_made_with() {
    explore(|| {
        let runtime = Runtime::new();
        let old = runtime.load(1, false);
        let old_code = Untracked::clone(&old.code);
        let old_reclaimed = Event::reclaimed(&old.version);
        let provider = Arc::clone(&old.provider);
        let new = runtime.make(2, false, &old.lineage);
        let new = runtime.reload(old, new);
        let new_reclaimed = Event::reclaimed(&new.version);
        let proxy = Untracked::new(runtime.proxy_for(provider));
        let caller = spawn({
            let proxy = Untracked::clone(&proxy);
            move || drop(proxy.call())
        });
        runtime.unload(new);
        join(caller);
        new_reclaimed.wait();
        assert!(!old_code.is_reclaimed());
        drop(proxy);
        old_reclaimed.wait();
    });
}
