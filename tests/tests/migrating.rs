//! A plugin marked `#[plugin(migrate)]` carries the state of its instances over a reload.
//!
//! Where it fails to, see `reload_faults`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use polyplug::runtime::ReloadPolicy;
use polyplug::{Migrate, Runtime, Version};
use polyplug_native::NativeLoader;
use polyplug_tests::Bundle;
use test_contracts::Counter;
use test_contracts::instances::Singleton;
use test_contracts::moody::Moody;

/// A runtime that has loaded a bundle whose counter migrates. Writing `version-2` into its file `mood` makes the next
/// version count double.
fn counting(policy: ReloadPolicy) -> (Arc<Runtime>, Bundle) {
    let bundle = Bundle::native("moody", "plugin-moody");
    let builder = Runtime::builder().loader(NativeLoader::new()).hot_reload(true).reload_policy(policy);
    let runtime = builder.build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    (runtime, bundle)
}

#[test]
fn state_is_carried_over() {
    let (runtime, bundle) = counting(ReloadPolicy::Restart);
    let (one, other) = (runtime.proxy::<dyn Counter>().unwrap(), runtime.proxy::<dyn Counter>().unwrap());
    let clone = one.clone();
    assert_eq!((one.add(5), other.add(7)), (Ok(5), Ok(7)));

    bundle.write("mood", "version-2");
    let report = runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!((report.migrated, report.restarted, report.drained), (3, 0, 0), "two, and the singleton: {report:?}");
    assert_eq!(runtime.proxy::<dyn Moody>().unwrap().version(), Ok(2), "the new code serves");
    assert_eq!((one.add(1), other.add(1)), (Ok(7), Ok(9)), "each goes on from its own state");
    assert_eq!(clone.add(1), Ok(9), "clones share an instance, before and after");
    assert_eq!(runtime.proxy::<dyn Counter>().unwrap().add(1), Ok(2), "others begin afresh");
}

#[test]
fn state_is_carried_over_again_and_again() {
    let (runtime, bundle) = counting(ReloadPolicy::Restart);
    let counter = runtime.proxy::<dyn Counter>().unwrap();
    for round in 1..=10 {
        assert_eq!(counter.add(1), Ok(round));
        assert_eq!(runtime.reload_bundle(bundle.path()).unwrap().migrated, 2, "though it is never refreshed");
    }
}

#[test]
fn state_is_carried_over_rather_than_drained() {
    let (runtime, bundle) = counting(ReloadPolicy::Drain);
    let counter = runtime.proxy::<dyn Counter>().unwrap();
    assert_eq!(counter.add(5), Ok(5));
    bundle.write("mood", "version-2");
    let report = runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!((report.migrated, report.drained), (2, 0), "{report:?}");
    assert_eq!(counter.add(1), Ok(7));
}

#[test]
fn a_singletons_state_is_carried_over() {
    for policy in [ReloadPolicy::Restart, ReloadPolicy::Drain] {
        let (runtime, bundle) = counting(policy);
        let (one, other) = (runtime.proxy::<dyn Singleton>().unwrap(), runtime.proxy::<dyn Singleton>().unwrap());
        assert_eq!((one.count(), other.count(), one.made()), (Ok(1), Ok(2), Ok(1)));

        bundle.write("mood", "version-2");
        let report = runtime.reload_bundle(bundle.path()).unwrap();
        assert_eq!((report.migrated, report.restarted, report.drained), (1, 0, 0), "{report:?}");
        assert_eq!((one.count(), other.count()), (Ok(4), Ok(6)), "by twos, from where it was");
        assert_eq!(runtime.proxy::<dyn Singleton>().unwrap().count(), Ok(8), "there is one only");
        assert_eq!(one.made(), Ok(1), "the new library made one");

        bundle.write("mood", "version-2 singleton-restore-fails");
        let error = runtime.reload_bundle(bundle.path()).unwrap_err().to_string();
        for part in ["`moody`", "`Tally`", "its state could not be restored: the sum does not add up"] {
            assert!(error.contains(part), "{part} is in: {error}");
        }
        assert_eq!((one.count(), one.made()), (Ok(10), Ok(1)), "untouched");

        drop((one, other));
        bundle.write("mood", "");
        assert_eq!(runtime.reload_bundle(bundle.path()).unwrap().migrated, 1, "though nobody holds it");
        assert_eq!(runtime.proxy::<dyn Singleton>().unwrap().count(), Ok(11));
    }
}

#[test]
fn a_singleton_that_does_not_migrate_is_made_afresh_and_counted() {
    let bundle = Bundle::native("counting", "plugin-instances");
    let runtime = Runtime::builder().loader(NativeLoader::new()).hot_reload(true).build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    let singleton = runtime.proxy::<dyn Singleton>().unwrap();
    assert_eq!((singleton.count(), singleton.count()), (Ok(1), Ok(2)));
    let report = runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!((report.migrated, report.restarted), (0, 1), "not the one without data: {report:?}");
    assert_eq!(singleton.count(), Ok(1));
}

#[test]
fn instances_of_the_c_abi_migrate() {
    use polyplug::Contract;
    use polyplug_tests::handles::Handles;

    let (runtime, bundle) = counting(ReloadPolicy::Restart);
    // SAFETY: the runtime outlives the host.
    let host = unsafe { Handles::new(runtime.host_abi()) };
    let token = host.create(host.find(<dyn Counter>::ID.id()).unwrap()).unwrap();
    assert_eq!(host.add(token, 5), Ok(5));
    runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!(host.add(token, 1), Ok(6));
    host.destroy(token);
}

/// Implements `Migrate` as its documentation has it, which says that the error may be anything that can be shown.
#[derive(Default)]
struct Count(AtomicU64);

impl Migrate for Count {
    fn save(&self) -> Vec<u8> {
        self.0.load(Ordering::Relaxed).to_le_bytes().to_vec()
    }

    fn restore(state: &[u8], from: Version) -> Result<Self, impl std::fmt::Display> {
        assert_eq!(from, Version::new(1, 2, 3));
        state.try_into().map(|bytes| Self(AtomicU64::new(u64::from_le_bytes(bytes))))
    }
}

#[test]
fn a_plugin_can_test_its_own_migration() {
    let count = Count(AtomicU64::new(300));
    let Ok(restored) = Count::restore(&count.save(), Version::new(1, 2, 3)) else { panic!("it is whole") };
    assert_eq!(restored.0.into_inner(), 300);
    let Err(error) = Count::restore(b"half", Version::new(1, 2, 3)) else { panic!("it is not whole") };
    assert_eq!(error.to_string(), "could not convert slice to array");
}
