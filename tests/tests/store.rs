//! The store keeps its promises when it is used by itself, for tables, bundles and ids it knows nothing of.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use polyplug::error::{RegistryError, RuntimeError};
use polyplug::pin;
use polyplug::runtime_store::RuntimeStore;
use polyplug_abi::{
    BundleId, DispatchMechanisms, DispatchType, GuestContractHandle, GuestContractId, GuestContractInstance,
    GuestContractInterface, HostApi, NativeDispatch, PluginDescriptor, StringView, Version, VmLoaderData,
};

unsafe extern "C" fn create(_: VmLoaderData, _: *const HostApi, _: *const (), _: *mut GuestContractInstance) {}
unsafe extern "C" fn destroy(_: VmLoaderData, _: *const HostApi, _: GuestContractInstance) {}

const CALC: GuestContractId = GuestContractId::new("test.calc", 1);

/// A table as a program has it that registers one by hand.
static STATIC: GuestContractInterface = interface(CALC, Version::new(1, 0, 0));

const fn interface(contract_id: GuestContractId, contract_version: Version) -> GuestContractInterface {
    GuestContractInterface {
        contract_id,
        contract_version,
        dispatch_type: DispatchType::Native,
        create_instance: create,
        destroy_instance: destroy,
        dispatch: DispatchMechanisms { native: NativeDispatch { function_count: 0, functions: std::ptr::null() } },
    }
}

const DESCRIPTOR: PluginDescriptor = PluginDescriptor {
    name: StringView::from_static(b"Basic"),
    contract_name: StringView::from_static(b"test.calc"),
    version: Version::new(0, 1, 0),
};

fn register(
    store: &RuntimeStore,
    bundle: u64,
    interface: &GuestContractInterface,
) -> Result<GuestContractHandle, RegistryError> {
    // SAFETY: the store copies the table, and the table leads to functions that live for ever.
    unsafe { store.register_guest_contract(DESCRIPTOR, interface, "test.calc".to_owned(), BundleId::from_u64(bundle)) }
}

/// Registers version 1.`minor` of the contract for a bundle.
fn register_minor(store: &RuntimeStore, bundle: u64, minor: u32) -> GuestContractHandle {
    register(store, bundle, &interface(CALC, Version::new(1, minor, 0))).unwrap()
}

/// The version of the table that a handle leads to.
fn version(store: &RuntimeStore, handle: GuestContractHandle) -> Result<Version, RegistryError> {
    let _guard = pin();
    let found = store.resolve_guest_contract(handle)?;
    // SAFETY: pinned since before the look-up.
    Ok(unsafe { (*found).contract_version })
}

#[test]
fn a_static_table_is_found_and_resolved() {
    let store = RuntimeStore::new();
    let handle = register(&store, 1, &STATIC).unwrap();
    assert!(!handle.is_null());
    assert_eq!(store.find_guest_contract(CALC, 0), Ok(handle));
    let _guard = pin();
    // SAFETY: pinned since before the look-up.
    let found = unsafe { &*store.resolve_guest_contract(handle).unwrap() };
    assert_eq!((found.contract_id, found.contract_version), (CALC, Version::new(1, 0, 0)));
    assert_eq!(found.create_instance as usize, create as *const () as usize);
}

/// A factory needs a host, and a store by itself has none.
#[test]
fn a_table_without_a_runtime_has_no_proxies() {
    let id = <dyn test_contracts::Calculator as polyplug::Contract>::ID;
    let store = RuntimeStore::new();
    register(&store, 1, &interface(id, Version::new(1, 2, 0))).unwrap();
    let error = store.snapshot().proxy::<dyn test_contracts::Calculator>().unwrap_err();
    assert!(matches!(&error, RuntimeError::NoSchema { plugin, .. } if plugin == "Basic"), "{error:?}");
}

#[test]
fn an_empty_store_has_nothing() {
    let store = RuntimeStore::new();
    let error = store.find_guest_contract(CALC, 3).unwrap_err();
    assert_eq!(error, RegistryError::NotFound { contract_id: CALC.id(), min_version: 3 });
    assert!(error.to_string().contains(&CALC.to_string()), "{error}");
    assert!(store.find_all_guest_contracts(CALC, 0).is_empty());
}

#[test]
fn several_providers_are_found_in_the_order_of_registration() {
    let store = RuntimeStore::new();
    let handles = [7, 3, 9].map(|bundle| register_minor(&store, bundle, 0));
    assert_eq!(store.find_guest_contract(CALC, 0), Ok(handles[0]));
    assert_eq!(store.find_all_guest_contracts(CALC, 0), handles);
    store.invalidate_bundle(BundleId::from_u64(7));
    assert_eq!(store.find_guest_contract(CALC, 0), Ok(handles[1]));
    let again = register_minor(&store, 7, 0);
    assert_eq!(store.find_all_guest_contracts(CALC, 0), [handles[1], handles[2], again], "now the last");
}

#[test]
fn many_providers_come_and_go_and_keep_their_order() {
    let store = RuntimeStore::new();
    let mut expected = Vec::new();
    for bundle in 0..300 {
        expected.push((bundle, register_minor(&store, bundle, 0)));
        if bundle % 3 == 2 {
            let (gone, _) = expected.remove(expected.len() / 2);
            store.invalidate_bundle(BundleId::from_u64(gone));
        }
        let handles: Vec<_> = expected.iter().map(|(_, handle)| *handle).collect();
        assert_eq!(store.find_all_guest_contracts(CALC, 0), handles);
        assert_eq!(store.find_guest_contract(CALC, 0), Ok(handles[0]));
    }
}

#[test]
fn a_swapped_provider_still_is_its_bundles_only_one() {
    let store = RuntimeStore::new();
    let handle = register_minor(&store, 1, 0);
    let other = interface(GuestContractId::new("test.calc", 2), Version::new(2, 0, 0));
    store.swap_guest_contract_interface(handle.index, Arc::new(other)).unwrap();
    assert!(matches!(register(&store, 1, &STATIC), Err(RegistryError::DuplicateProvider { .. })));
}

#[test]
fn the_first_provider_that_is_new_enough_is_found() {
    let store = RuntimeStore::new();
    let handles = [1, 4, 2].map(|minor| register_minor(&store, u64::from(minor), minor));
    for (least, expected) in [(0, Some(0)), (1, Some(0)), (2, Some(1)), (3, Some(1)), (4, Some(1)), (5, None)] {
        let found = store.find_guest_contract(CALC, least).ok();
        assert_eq!(found, expected.map(|i: usize| handles[i]), "at least 1.{least}");
    }
    assert_eq!(store.find_all_guest_contracts(CALC, 2), [handles[1], handles[2]]);
}

#[test]
fn a_bundle_provides_a_contract_once() {
    let store = RuntimeStore::new();
    let handle = register_minor(&store, 1, 0);
    let error = register(&store, 1, &interface(CALC, Version::new(1, 5, 0))).unwrap_err();
    assert!(matches!(&error, RegistryError::DuplicateProvider { existing, .. } if existing == "Basic"), "{error:?}");
    assert_eq!(store.find_all_guest_contracts(CALC, 0), [handle]);
    assert_eq!(version(&store, handle), Ok(Version::new(1, 0, 0)));
}

#[test]
fn a_null_table_is_refused() {
    let store = RuntimeStore::new();
    // SAFETY: null is allowed.
    let refused = unsafe {
        store.register_guest_contract(DESCRIPTOR, std::ptr::null(), "test.calc".to_owned(), BundleId::from_u64(1))
    };
    assert!(matches!(refused, Err(RegistryError::InvalidInterface { .. })), "{refused:?}");
    assert!(store.find_guest_contract(CALC, 0).is_err());
}

#[test]
fn a_swap_keeps_handles_valid() {
    let store = RuntimeStore::new();
    let (first, second) = (register_minor(&store, 1, 0), register_minor(&store, 2, 0));
    store.swap_guest_contract_interface(first.index, Arc::new(interface(CALC, Version::new(1, 3, 0)))).unwrap();
    assert_eq!(version(&store, first), Ok(Version::new(1, 3, 0)));
    assert_eq!(version(&store, second), Ok(Version::new(1, 0, 0)));
    assert_eq!(store.find_all_guest_contracts(CALC, 0), [first, second], "and their order");
    assert_eq!(store.find_guest_contract(CALC, 2), Ok(first), "with the new minor version");
}

#[test]
fn a_slot_swapped_to_another_major_version_is_found_where_it_was() {
    let store = RuntimeStore::new();
    let handle = register_minor(&store, 1, 4);
    for contract in [CALC, GuestContractId::new("test.calc", 2)] {
        store
            .swap_guest_contract_interface(handle.index, Arc::new(interface(contract, Version::new(2, 0, 0))))
            .unwrap();
        assert_eq!(store.find_guest_contract(CALC, 0), Ok(handle), "swapped to a table of {contract}");
        assert_eq!(version(&store, handle), Ok(Version::new(2, 0, 0)));
    }
    store.swap_guest_contract_interface(handle.index, Arc::new(STATIC)).unwrap();
    assert_eq!(store.find_guest_contract(CALC, 0), Ok(handle), "and back");
    store.invalidate_bundle(BundleId::from_u64(1));
    assert_eq!(
        version(&store, handle),
        Err(RegistryError::StaleHandle { index: handle.index }),
        "it is the bundle's yet"
    );
}

#[test]
fn a_swap_where_nothing_is_fails() {
    let store = RuntimeStore::new();
    let table = || Arc::new(STATIC);
    assert_eq!(store.swap_guest_contract_interface(0, table()), Err(RegistryError::InvalidHandle { index: 0 }));
    let handle = register_minor(&store, 1, 0);
    store.invalidate_bundle(BundleId::from_u64(1));
    let index = handle.index;
    assert_eq!(store.swap_guest_contract_interface(index, table()), Err(RegistryError::StaleHandle { index }));
    assert!(store.find_guest_contract(CALC, 0).is_err());
    assert!(store.swap_guest_contract_interface(u32::MAX, table()).is_err());
}

#[test]
fn an_invalidated_bundle_takes_its_handles_and_no_others() {
    let store = RuntimeStore::new();
    let (first, second) = (register_minor(&store, 1, 0), register_minor(&store, 2, 0));
    let other = GuestContractId::new("test.other", 1);
    let third = register(&store, 1, &interface(other, Version::new(1, 0, 0))).unwrap();
    store.invalidate_bundle(BundleId::from_u64(1));
    for handle in [first, third] {
        let error = store.resolve_guest_contract(handle).unwrap_err();
        assert_eq!(error, RegistryError::StaleHandle { index: handle.index });
        assert!(error.to_string().contains("look it up again"), "{error}");
    }
    assert_eq!(store.find_guest_contract(CALC, 0), Ok(second));
    assert!(store.find_guest_contract(other, 0).is_err());
    assert!(version(&store, second).is_ok());
}

#[test]
fn invalidating_an_unknown_bundle_changes_nothing() {
    let store = RuntimeStore::new();
    let handle = register_minor(&store, 1, 0);
    store.invalidate_bundle(BundleId::from_u64(99));
    store.invalidate_bundle(BundleId::new("unheard of"));
    assert_eq!(store.find_guest_contract(CALC, 0), Ok(handle));
}

#[test]
fn a_handle_that_never_was_is_invalid() {
    let store = RuntimeStore::new();
    let handle = register_minor(&store, 1, 0);
    for unknown in [GuestContractHandle::null(), GuestContractHandle { index: handle.index + 1, generation: 1 }] {
        let error = store.resolve_guest_contract(unknown).unwrap_err();
        assert_eq!(error, RegistryError::InvalidHandle { index: unknown.index });
    }
    let other = GuestContractHandle { generation: handle.generation.wrapping_add(1), ..handle };
    assert_eq!(store.resolve_guest_contract(other), Err(RegistryError::StaleHandle { index: handle.index }));
}

#[test]
fn a_slot_used_again_has_another_generation() {
    let store = RuntimeStore::new();
    let mut handles = Vec::new();
    for _ in 0..100 {
        handles.push(register_minor(&store, 1, 0));
        store.invalidate_bundle(BundleId::from_u64(1));
    }
    let last = register_minor(&store, 1, 0);
    assert!(handles.iter().all(|handle| handle.index == last.index), "vacant slots are used again");
    for handle in handles {
        assert_eq!(store.resolve_guest_contract(handle), Err(RegistryError::StaleHandle { index: handle.index }));
    }
    assert!(store.resolve_guest_contract(last).is_ok());
}

/// Registers each of `ids`, and sees that each is found, and no other.
#[track_caller]
fn all_are_found(ids: &[u64]) {
    let store = RuntimeStore::new();
    let register = |id: &u64| {
        register(&store, 1, &interface(GuestContractId::from_u64(*id), Version::new(1, 0, *id as u32))).unwrap()
    };
    let handles: Vec<_> = ids.iter().map(register).collect();
    for (id, handle) in ids.iter().zip(handles) {
        assert_eq!(store.find_guest_contract(GuestContractId::from_u64(*id), 0), Ok(handle), "{id:#x}");
        assert_eq!(version(&store, handle), Ok(Version::new(1, 0, *id as u32)), "{id:#x}");
    }
    for unknown in [ids.len() as u64 + 7, 1 << 63 | 5, 3 << 33 | 1, 0xdead_beef_dead_beef] {
        let found = store.find_guest_contract(GuestContractId::from_u64(unknown), 0).is_ok();
        assert_eq!(found, ids.contains(&unknown), "{unknown:#x}");
    }
}

#[test]
fn sequential_ids_are_found() {
    all_are_found(&Vec::from_iter(0..300));
}

#[test]
fn ids_that_differ_in_their_upper_half_only_are_found() {
    all_are_found(&Vec::from_iter((0..300).map(|n| n << 32)));
    all_are_found(&Vec::from_iter((0..64).map(|n| 1 << n)));
}

#[test]
fn the_ids_at_the_ends_are_found() {
    all_are_found(&[0]);
    all_are_found(&[u64::MAX]);
    all_are_found(&[0, u64::MAX, 1, u64::MAX - 1]);
}

#[test]
fn ten_thousand_contracts_are_found() {
    all_are_found(&Vec::from_iter((0..10_000).map(|n| GuestContractId::new("test.many", n).id())));
}

/// Readers see whole tables, whatever writers do meanwhile.
#[test]
fn readers_are_safe_against_swaps_and_invalidation() {
    const READERS: usize = 5;
    let store = RuntimeStore::new();
    let stop = AtomicBool::new(false);
    let seen = AtomicU32::new(0);
    // A table whose parts agree: a torn or freed one would not.
    let table = |n: u32| interface(CALC, Version::new(n, n ^ 0x5555, n.wrapping_mul(3)));
    register(&store, 0, &table(0)).unwrap();
    let check = |found: &GuestContractInterface| {
        let Version { major, minor, patch } = found.contract_version;
        assert_eq!((found.contract_id, minor, patch), (CALC, major ^ 0x5555, major.wrapping_mul(3)));
        seen.fetch_add(1, Ordering::Relaxed);
    };
    std::thread::scope(|scope| {
        for _ in 0..READERS {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let _guard = pin();
                    let Ok(handle) = store.find_guest_contract(CALC, 0) else { continue };
                    let Ok(found) = store.resolve_guest_contract(handle) else { continue };
                    for _ in 0..10 {
                        // SAFETY: pinned since before the look-up.
                        check(unsafe { &*found });
                    }
                }
            });
        }
        let swapper = scope.spawn(|| {
            for n in 0..2000 {
                let Ok(handle) = store.find_guest_contract(CALC, 0) else { continue };
                let _ = store.swap_guest_contract_interface(handle.index, Arc::new(table(n)));
            }
        });
        let writers = [1, 2].map(|bundle| {
            let (store, table) = (&store, &table);
            scope.spawn(move || {
                for n in 0..1000 {
                    let handle = register(store, bundle, &table(n)).unwrap();
                    store.invalidate_bundle(BundleId::from_u64(bundle));
                    assert_eq!(
                        store.resolve_guest_contract(handle),
                        Err(RegistryError::StaleHandle { index: handle.index })
                    );
                }
            })
        });
        let finished = [swapper].into_iter().chain(writers).all(|writer| writer.join().is_ok());
        stop.store(true, Ordering::Relaxed);
        assert!(finished, "a writer panicked");
    });
    assert!(seen.load(Ordering::Relaxed) > 0);
    assert_eq!(store.find_all_guest_contracts(CALC, 0).len(), 1, "the provider that stayed");
}
