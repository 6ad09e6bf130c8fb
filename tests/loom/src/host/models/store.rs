//! The store: the providers that readers find are whole, and stay while the readers hold them.

use std::sync::Arc as Untracked;

use crossbeam_epoch::memory;
use polyplug_abi::{BundleId, GuestContractHandle};

use super::{join, spawn};
use crate::explore::explore;
use crate::host::code::{CONTRACT, Code};
use crate::host::plugin::plugin::Plugin;
use crate::host::store::provider::Provider;
use crate::host::store::runtime_store::RuntimeStore;
use crate::sync::Arc;

const BUNDLE: BundleId = BundleId::from_u64(1);
const OTHER: BundleId = BundleId::from_u64(2);

fn provider(bundle: BundleId, number: u32) -> Arc<Provider> {
    Arc::new(Provider::bare(Plugin::new(bundle, Code::new(number))))
}

/// A store with one provider.
fn store() -> (Untracked<RuntimeStore>, GuestContractHandle) {
    let store = Untracked::new(RuntimeStore::new());
    let handle = store.publish(vec![provider(BUNDLE, 1)]).expect("the only one")[0];
    (store, handle)
}

/// Under a pin, a look-up finds the old provider or the new one, and may use it until the pin is dropped.
pub fn what_is_found_stays_while_the_pin_is_held() {
    explore(|| {
        let (store, _) = store();
        let reader = spawn({
            let store = Untracked::clone(&store);
            move || {
                let guard = crossbeam_epoch::pin();
                let provider = store.first(CONTRACT, &guard).expect("a bundle provides it all the time");
                provider.plugin.code().run()
            }
        });
        store.replace_bundle(BUNDLE, vec![provider(BUNDLE, 2)]);
        assert!([1, 2].contains(&join(reader)));
        let guard = crossbeam_epoch::pin();
        assert_eq!(store.first(CONTRACT, &guard).map(|provider| provider.plugin.code().run()), Some(2));
    });
}

/// A handle leads to the old table or to the new one, and the pointer may be read while a pin from before is held.
pub fn a_handle_leads_to_one_of_two_tables() {
    explore(|| {
        let (store, handle) = store();
        let table = move |store: &RuntimeStore| store.resolve_guest_contract(handle).expect("a table all the time");
        let old = table(&store);
        let reader = spawn({
            let store = Untracked::clone(&store);
            move || {
                let _guard = crossbeam_epoch::pin();
                let found = table(&store);
                memory::touch(found.addr());
                found.addr()
            }
        });
        store.replace_bundle(BUNDLE, vec![provider(BUNDLE, 2)]);
        let new = table(&store);
        assert_ne!(old, new);
        assert!([old.addr(), new.addr()].contains(&join(reader)));
    });
}

/// During an unload a handle is stale, or leads to a provider that may be used as a lease.
pub fn a_lease_from_a_handle_keeps_its_provider() {
    explore(|| {
        let (store, handle) = store();
        let reader = spawn({
            let store = Untracked::clone(&store);
            move || store.lease(handle).map(|provider| provider.plugin.code().run())
        });
        store.invalidate_bundle(BUNDLE);
        assert!(matches!(join(reader), Ok(1) | Err(_)));
        assert!(store.lease(handle).is_err());
    });
}

/// A snapshot is one state, and stays when the store changes.
pub fn a_snapshot_is_kept_by_itself() {
    explore(|| {
        let (store, handle) = store();
        let reader = spawn({
            let store = Untracked::clone(&store);
            move || {
                let snapshot = store.snapshot();
                let table = snapshot.view.resolve(handle).expect("a table all the time");
                memory::touch(table.addr());
                snapshot.view.first(CONTRACT).expect("a provider all the time").plugin.code().run()
            }
        });
        store.replace_bundle(BUNDLE, vec![provider(BUNDLE, 2)]);
        assert!([1, 2].contains(&join(reader)));
    });
}

/// Of two changes at the same time none is lost.
pub fn writers_take_turns() {
    explore(|| {
        let (store, first) = store();
        let second = store.publish(vec![provider(OTHER, 1)]).expect("of another bundle")[0];
        let table = |store: &RuntimeStore, handle| store.resolve_guest_contract(handle).expect("a table");
        let before = [table(&store, first), table(&store, second)];
        let swap = |store: &RuntimeStore, handle: GuestContractHandle| {
            let plugin = Plugin::new(BUNDLE, Code::new(2));
            store.swap_guest_contract_interface(handle.index, plugin.interface).expect("a table");
        };
        let writer = spawn({
            let store = Untracked::clone(&store);
            move || swap(&store, second)
        });
        swap(&store, first);
        join(writer);
        assert_ne!(table(&store, first), before[0], "a change is lost");
        assert_ne!(table(&store, second), before[1], "a change is lost");
    });
}
