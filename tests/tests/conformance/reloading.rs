//! A bundle is replaced while it serves.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use polyplug::runtime::ReloadPolicy;
use test_contracts::conformance::Reading;
use test_contracts::instances::Singleton;
use test_contracts::{Card, Counter, Stamp};

use crate::guest::Guest;
use crate::settings::SETTINGS;

pub(crate) fn the_new_code_serves(guest: &Guest) {
    let runtime = guest.runtime();
    let (bundle, _) = guest.load(&runtime, "stamp", "stamp_one", "");
    let proxy = runtime.proxy::<dyn Stamp>().unwrap();
    assert_eq!(proxy.card("Grüße"), Ok(Card::new(1, "Grüße")));
    guest.write(&bundle, "stamp", "stamp_two", "");
    runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!(proxy.version(), Ok(2), "a proxy that was there before");
    assert_eq!(runtime.proxy::<dyn Stamp>().unwrap().card("Grüße"), Ok(Card::new(2, "Grüße")));
    drop(proxy);
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), [], "the old version is gone");
}

pub(crate) fn state_is_carried_over(guest: &Guest) {
    let (runtime, bundle, one) = guest.proxy::<dyn Counter>("state");
    let other = runtime.proxy::<dyn Counter>().unwrap();
    assert_eq!((one.add(5), other.add(7)), (Ok(5), Ok(7)));
    let report = runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!(report.migrated, 2, "{report:?}");
    assert_eq!((one.add(1), other.add(1)), (Ok(6), Ok(8)), "each goes on from its own state");
    for round in 0..10 {
        runtime.reload_bundle(bundle.path()).unwrap();
        assert_eq!(one.add(1), Ok(7 + round));
    }
    assert_eq!(runtime.proxy::<dyn Counter>().unwrap().add(1), Ok(1), "others begin afresh");
}

pub(crate) fn state_is_made_afresh(guest: &Guest) {
    let (runtime, bundle, proxy) = guest.proxy::<dyn Singleton>("state");
    assert_eq!((proxy.count(), proxy.count()), (Ok(1), Ok(2)));
    let report = runtime.reload_bundle(bundle.path()).unwrap();
    assert!(report.migrated == 0 && report.restarted > 0, "{report:?}");
    assert_eq!((proxy.count(), proxy.made()), (Ok(1), Ok(1)));
}

pub(crate) fn a_state_that_is_refused_keeps_the_old(guest: &Guest) {
    let (runtime, bundle, proxy) = guest.proxy::<dyn Counter>("state");
    assert_eq!(proxy.add(666), Ok(666));
    let from = runtime.bundles()[0].plugins[0].version;
    let reason = format!("666 brings bad luck, in version {}.{}", from.major, from.minor);
    for _ in 0..3 {
        let error = runtime.reload_bundle(bundle.path()).unwrap_err().to_string();
        for part in ["`state`", reason.as_str()] {
            assert!(error.contains(part), "{part} is in: {error}");
        }
        assert_eq!(proxy.add(0), Ok(666), "untouched");
    }
    assert_eq!(proxy.add(1), Ok(667));
    runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!(proxy.add(1), Ok(668));
}

pub(crate) fn a_state_that_cannot_be_saved_keeps_the_old(guest: &Guest) {
    let (runtime, bundle, proxy) = guest.proxy::<dyn Counter>("state");
    assert_eq!(proxy.add(665), Ok(665));
    for _ in 0..3 {
        let error = runtime.reload_bundle(bundle.path()).unwrap_err().to_string();
        for part in ["`state`", "665 cannot be told"] {
            assert!(error.contains(part), "{part} is in: {error}");
        }
        assert_eq!(proxy.add(0), Ok(665), "untouched");
    }
    assert_eq!(runtime.retired(), [], "nothing is left of what failed");
}

pub(crate) fn a_failing_reload_keeps_the_old(guest: &Guest) {
    let runtime = guest.runtime();
    let (bundle, _) = guest.load(&runtime, "stamp", "stamp_one", "");
    let proxy = runtime.proxy::<dyn Stamp>().unwrap();
    guest.write(&bundle, "stamp", "broken", "");
    for _ in 0..3 {
        let error = runtime.reload_bundle(bundle.path()).unwrap_err().to_string();
        assert!(error.contains("the start is no good"), "{error}");
        assert_eq!(proxy.version(), Ok(1));
    }
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), [], "nothing is left of what failed");
    guest.write(&bundle, "stamp", "stamp_two", "");
    runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!(proxy.version(), Ok(2));
}

pub(crate) fn callers_see_one_version_at_a_time(guest: &Guest) {
    let runtime = guest.runtime();
    let (bundle, _) = guest.load(&runtime, "stamp", "stamp_one", "");
    let (is_over, calls) = (AtomicBool::new(false), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (runtime, is_over, calls) = (&runtime, &is_over, &calls);
            scope.spawn(move || {
                let proxy = runtime.proxy::<dyn Stamp>().unwrap();
                let text = format!("thread {thread}");
                while !is_over.load(Ordering::Relaxed) {
                    let card = proxy.card(&text).unwrap();
                    assert_eq!(card, Card::new(card.last, &text));
                    calls.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for round in 0..20 {
            // Calls run before, during and after.
            let before = calls.load(Ordering::Relaxed);
            while calls.load(Ordering::Relaxed) < before + 4 {
                std::thread::yield_now();
            }
            guest.write(&bundle, "stamp", if round % 2 == 0 { "stamp_two" } else { "stamp_one" }, "");
            if let Err(error) = runtime.reload_bundle(bundle.path()) {
                is_over.store(true, Ordering::Relaxed);
                panic!("{error}");
            }
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert_eq!(runtime.proxy::<dyn Stamp>().unwrap().version(), Ok(1));
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
}

pub(crate) fn settings_are_read_again(guest: &Guest) {
    let runtime = guest.runtime();
    let (bundle, _) = guest.load(&runtime, "named", "reading", SETTINGS);
    let proxy = runtime.proxy::<dyn Reading>().unwrap();
    assert_eq!(proxy.title(), Ok("Grüße 🦀".to_owned()));
    guest.write(&bundle, "named", "reading", &SETTINGS.replace("Grüße 🦀", "other"));
    runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!(proxy.title(), Ok("other".to_owned()));
}

pub(crate) fn instances_may_stay_on_the_old_code(guest: &Guest) {
    let runtime = guest.runtime_with(ReloadPolicy::Drain);
    let (bundle, _) = guest.load(&runtime, "named", "reading", SETTINGS);
    let old = runtime.proxy::<dyn Reading>().unwrap();
    guest.write(&bundle, "named", "reading", &SETTINGS.replace("Grüße 🦀", "other"));
    let report = runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!((report.migrated, report.drained), (0, 1), "{report:?}");
    assert_eq!(old.title(), Ok("Grüße 🦀".to_owned()));
    assert_eq!(runtime.proxy::<dyn Reading>().unwrap().title(), Ok("other".to_owned()));
    drop(old);
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
}

pub(crate) fn reloads_leave_nothing_behind(guest: &Guest) {
    let (runtime, bundle, proxy) = guest.proxy::<dyn Counter>("state");
    let reload = || {
        for _ in 0..20 {
            runtime.reload_bundle(bundle.path()).unwrap();
            proxy.add(1).unwrap();
        }
        // The proxy holds the version that it was made with.
        assert!(runtime.retired().len() <= 2, "{:?}", runtime.retired());
    };
    reload();
    reload();
    assert_eq!(proxy.add(0), Ok(40));
    drop(proxy);
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
}
