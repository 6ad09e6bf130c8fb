//! The host's table as a bundle has it: whatever a bundle passes, the answer is an error or nothing. A bundle reaches no
//! more by guessing than by looking up, and what it does not give back is its own loss.
#![cfg(unix)]

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::Arc;

use polyplug::schema::Schema;
use polyplug::{Contract, Runtime, Value};
use polyplug_abi::{
    AbiErrorCode, CallArena, GuestContractHandle, GuestContractInstance, HostApi, ObjectOffer, ProxyRequest,
    ProxyTarget, StringView,
};
use polyplug_tests::{Bundle, last_error, manifest, reported, runtime, works};
use test_contracts::{Calculator, Counter};

/// A bundle that gives its table away: `tests/c/table.c`.
#[polyplug::contract(name = "test.table", version = "1.0")]
trait Table {
    /// The address of the bundle's host table.
    fn table(&self) -> u64;
    /// Misuses arenas, and returns `way`.
    fn number(&self, way: u32) -> u32;
    /// Misuses arenas, and returns `text`.
    fn text(&self, way: u32) -> String;
}

/// The ways in which the plugin misuses arenas.
const WAYS: std::ops::Range<u32> = 0..9;

/// A bundle whose table the tests use.
struct Owner {
    table: *const HostApi,
    proxy: TableProxy,
    _bundle: Bundle,
}

/// Loads a bundle that declares to call the contracts `needs`.
fn owner(runtime: &Runtime, name: &str, needs: &[&str]) -> Owner {
    let bundle = Bundle::c(name, "table.c", &[]);
    let needs = needs.iter().map(|contract| format!("[[dependency]]\ncontract = {contract:?}\n"));
    bundle.write("manifest.toml", manifest(name, "native", "plugin") + &needs.collect::<String>());
    bundle.write("test.table@1.schema", Schema::of::<dyn Table>().encode());
    let id = runtime.load_bundle(bundle.path()).unwrap();
    let proxy = runtime.proxy_from::<dyn Table>(id).unwrap();
    let table = std::ptr::with_exposed_provenance(usize::try_from(proxy.table().unwrap()).unwrap());
    Owner { table, proxy, _bundle: bundle }
}

/// A runtime with the calculator, and the calculator's handle.
fn with_calculator() -> (Arc<Runtime>, Bundle, GuestContractHandle) {
    let runtime = runtime();
    let calc = Bundle::native("calc", "plugin-calc");
    runtime.load_bundle(calc.path()).unwrap();
    let handle = runtime.find_guest_contract(<dyn Calculator>::ID.id(), 0).unwrap();
    (runtime, calc, handle)
}

#[test]
fn a_method_that_misuses_arenas_changes_nothing_for_its_caller() {
    let runtime = runtime();
    let owner = owner(&runtime, "owner", &[]);
    let schema_call = |method: &str, way: u32| runtime.call("test.table@1", method, &[Value::U32(way)]);
    for _ in 0..3 {
        for way in WAYS {
            assert_eq!(owner.proxy.number(way), Ok(way));
            assert_eq!(owner.proxy.text(way).as_deref(), Ok("text"), "way {way}");
            assert_eq!(schema_call("number", way), Ok(Value::U32(way)));
            assert_eq!(schema_call("text", way), Ok(Value::String("text".to_owned())), "way {way}");
        }
    }
    works(&runtime);
}

/// Arenas that a callee leaves behind do not pile up: each call of a proxy begins at the depth of the one before.
#[test]
fn arenas_that_are_not_returned_do_not_pile_up() {
    let runtime = runtime();
    let owner = owner(&runtime, "owner", &[]);
    owner.proxy.text(1).unwrap();
    // SAFETY: the runtime is alive.
    let enter = || unsafe { ((*owner.table).enter_arena)(owner.table) };
    // SAFETY: the runtime is alive, and the arena the innermost one.
    let leave = |arena| unsafe { ((*owner.table).leave_arena)(owner.table, arena) };
    let first = enter();
    leave(first);
    for _ in 0..100 {
        owner.proxy.text(1).unwrap();
        let arena = enter();
        assert_eq!(arena, first, "the depth is that of before");
        leave(arena);
    }
}

#[test]
fn an_arena_that_is_not_the_innermost_is_not_left() {
    let runtime = runtime();
    let owner = owner(&runtime, "owner", &[]);
    // SAFETY: the runtime is alive. What is no innermost arena of this thread and table is ignored.
    unsafe {
        let (api, host) = (&*runtime.host_abi(), runtime.host_abi());
        let outer = (api.enter_arena)(host);
        let inner = (api.enter_arena)(host);
        (*inner).alloc(64, 8).write_bytes(7, 64);
        let kept = (*outer).alloc(8, 8).cast::<u64>();
        kept.write(42);
        for arena in [null_mut(), outer, 16 as *mut CallArena, inner.wrapping_byte_add(8)] {
            (api.leave_arena)(host, arena);
        }
        (api.leave_arena)(owner.table, inner);
        (api.leave_arena)(null(), inner);
        let elsewhere = (inner.expose_provenance(), host.expose_provenance());
        std::thread::spawn(move || {
            let host = std::ptr::with_exposed_provenance::<HostApi>(elsewhere.1);
            ((*host).leave_arena)(host, std::ptr::with_exposed_provenance_mut(elsewhere.0));
        })
        .join()
        .unwrap();
        let next = (api.enter_arena)(host);
        assert!(next != inner && next != outer, "both are in use");
        (api.leave_arena)(host, next);
        (api.leave_arena)(host, inner);
        (api.leave_arena)(host, inner);
        assert_eq!(kept.read(), 42);
        assert_eq!((api.enter_arena)(host), inner, "it was left once");
        (api.leave_arena)(host, inner);
        (api.leave_arena)(host, outer);
        (api.leave_arena)(host, outer);
    }
    works(&runtime);
}

#[test]
fn a_thread_without_a_function_is_refused() {
    let runtime = runtime();
    let owner = owner(&runtime, "owner", &[]);
    let names = [StringView::null(), StringView { ptr: null(), len: 9 }, StringView::from_static(b"\xff\0x")];
    for table in [owner.table, runtime.host_abi()] {
        for name in names {
            // SAFETY: the runtime is alive, and the name readable or malformed.
            let (code, text) = reported(|error| unsafe { ((*table).spawn)(table, name, None, null_mut(), error) });
            assert_eq!(code, AbiErrorCode::InvalidPointer as u32, "{text}");
            assert!(text.contains("null"), "{text}");
            // SAFETY: the runtime is alive.
            unsafe {
                assert_eq!(last_error(table), text);
                ((*table).spawn)(table, name, None, null_mut(), null_mut());
                assert_eq!(last_error(table), text);
            }
        }
    }
    unsafe extern "C" fn set(done: *mut c_void) {
        // SAFETY: the test waits for the flag, which it owns.
        unsafe { &*done.cast::<std::sync::atomic::AtomicBool>() }.store(true, std::sync::atomic::Ordering::Release);
    }
    for name in names {
        let done = std::sync::atomic::AtomicBool::new(false);
        let data = std::ptr::from_ref(&done).cast_mut().cast();
        let table = owner.table;
        // SAFETY: the runtime is alive, and the flag until the thread has set it.
        let (code, text) = reported(|error| unsafe { ((*table).spawn)(table, name, Some(set), data, error) });
        assert_eq!(code, 0, "{text}");
        polyplug_tests::eventually("the thread runs", || done.load(std::sync::atomic::Ordering::Acquire));
    }
}

/// Checks that each function that takes a handle refuses one, and reports the error.
#[track_caller]
fn refused_by_all(owner: &Owner, handle: GuestContractHandle, expected: AbiErrorCode) {
    let table = owner.table;
    let mut instance = GuestContractInstance::null();
    // SAFETY: the runtime is alive, and the places are writable.
    unsafe {
        let _ = last_error(table);
        assert!(((*table).resolve_guest_contract)(table, handle).is_null());
        // The null handle is the answer of a look-up that has found nothing, and no error.
        let recorded = last_error(table);
        assert_eq!(recorded.is_empty(), handle.is_null());
        let outcomes = [
            reported(|error| ((*table).create_guest_instance)(table, handle, null(), &raw mut instance, error)),
            reported(|error| assert!(((*table).lease)(table, handle, error).is_null())),
        ];
        for (code, reason) in outcomes {
            assert_eq!(code, expected as u32, "{reason}");
            assert!(handle.is_null() || reason == recorded, "{reason}");
        }
    }
    assert!(instance.is_null());
}

#[test]
fn a_guessed_handle_reaches_no_undeclared_peer() {
    let (runtime, _calc, calculator) = with_calculator();
    let owner = owner(&runtime, "owner", &["test.counter@1"]);
    refused_by_all(&owner, calculator, AbiErrorCode::NotAllowed);
    for index in 0..32 {
        for generation in 0..4 {
            let handle = GuestContractHandle { index, generation };
            // SAFETY: the runtime is alive.
            let interface = unsafe { ((*owner.table).resolve_guest_contract)(owner.table, handle) };
            // SAFETY: the calculator's bundle stays loaded.
            let contract = (!interface.is_null()).then(|| unsafe { (*interface).contract_id });
            // The bundle's own plugin, and the contract that its manifest declares.
            let allowed = [<dyn Table>::ID, <dyn Counter>::ID];
            assert!(contract.is_none_or(|contract| allowed.contains(&contract)), "{handle:?} is {contract:?}");
        }
    }
    for handle in [
        GuestContractHandle { index: u32::MAX, generation: 1 },
        GuestContractHandle { index: u32::MAX, generation: u32::MAX },
        GuestContractHandle { index: 1 << 20, generation: 1 },
        GuestContractHandle { generation: calculator.generation + 1, ..calculator },
    ] {
        refused_by_all(&owner, handle, AbiErrorCode::StaleHandle);
    }
    // The host itself may use any handle.
    let host = runtime.host_abi();
    // SAFETY: the runtime is alive.
    assert!(!unsafe { ((*host).resolve_guest_contract)(host, calculator) }.is_null());
    works(&runtime);
}

#[test]
fn a_declared_peer_is_reached_by_its_handle() {
    let (runtime, _calc, calculator) = with_calculator();
    let owner = owner(&runtime, "owner", &["demo.calculator@1"]);
    let table = owner.table;
    // SAFETY: the runtime is alive, arguments and room are what `add` expects.
    unsafe {
        let found = ((*table).find_guest_contract)(table, <dyn Calculator>::ID.id(), 0);
        assert_eq!(found, calculator);
        assert!(!((*table).resolve_guest_contract)(table, found).is_null());
        let mut instance = GuestContractInstance::null();
        let (code, text) =
            reported(|error| ((*table).create_guest_instance)(table, found, null(), &raw mut instance, error));
        assert_eq!(code, 0, "{text}");
        let (args, mut sum) = ([2_i32, 3], 0_i32);
        let (args, out) = (args.as_ptr().cast(), (&raw mut sum).cast());
        let (code, text) =
            reported(|error| ((*table).call_guest_method)(table, instance, 0, args, out, null_mut(), error));
        assert_eq!((code, sum), (0, 5), "{text}");
        ((*table).destroy_guest_instance)(table, instance);
        let (code, _) =
            reported(|error| ((*table).call_guest_method)(table, instance, 0, args, out, null_mut(), error));
        assert_eq!(code, AbiErrorCode::StaleHandle as u32);
    }
}

/// A bundle that guesses the token of another bundle's instance reaches nothing that it may not look up.
#[test]
fn a_guessed_token_reaches_no_undeclared_peer() {
    let (runtime, _calc, calculator) = with_calculator();
    let maker = owner(&runtime, "maker", &["demo.calculator@1"]);
    let thief = owner(&runtime, "thief", &["test.counter@1"]);
    let mut token = GuestContractInstance::null();
    let (args, mut sum) = ([2_i32, 3], 0_i32);
    let (args, out) = (args.as_ptr().cast::<()>(), (&raw mut sum).cast::<()>());
    // SAFETY: the runtime is alive, arguments and room are what `add` expects.
    let call = |table: *const HostApi, token| unsafe {
        reported(|error| ((*table).call_guest_method)(table, token, 0, args, out, null_mut(), error))
    };
    // SAFETY: the runtime is alive, and the place writable.
    let (code, text) = unsafe {
        let table = maker.table;
        reported(|error| ((*table).create_guest_instance)(table, calculator, null(), &raw mut token, error))
    };
    assert_eq!(code, 0, "{text}");
    let (code, text) = call(thief.table, token);
    assert_eq!(code, AbiErrorCode::NotAllowed as u32, "{text}");
    assert!(text.contains("thief") && text.contains("[[dependency]]"), "{text}");
    // Under the contract that the thief declares, the token is none.
    let posed = GuestContractInstance { contract_id: <dyn Counter>::ID, ..token };
    assert_eq!(call(thief.table, posed).0, AbiErrorCode::StaleHandle as u32);
    for token in [token, posed] {
        // SAFETY: the runtime is alive.
        unsafe { ((*thief.table).destroy_guest_instance)(thief.table, token) };
    }
    assert_eq!(call(maker.table, token).0, 0, "the instance was not destroyed");
    assert_eq!(call(runtime.host_abi(), token).0, 0, "the host may use any token");
}

/// A proxy of a bundle's is its own: another bundle can neither call nor close it.
#[test]
fn a_guessed_proxy_is_not_called() {
    let (runtime, _calc, _) = with_calculator();
    let maker = owner(&runtime, "maker", &["demo.calculator@1"]);
    let thief = owner(&runtime, "thief", &[]);
    let request = ProxyRequest {
        struct_size: size_of::<ProxyRequest>(),
        target: ProxyTarget::Peer,
        contract_name: StringView::from_static(b"demo.calculator"),
        major: 1,
        minor: 0,
        reserved: 0,
        schema: StringView::null(),
    };
    let mut token = null_mut();
    let (args, mut sum) = ([2_i32, 3], 0_i32);
    let (args, out) = (args.as_ptr().cast::<()>(), (&raw mut sum).cast::<()>());
    let table = maker.table;
    // SAFETY: the runtime is alive, and the request readable.
    let (code, text) = unsafe {
        reported(|error| ((*table).open_proxy)(table, &raw const request, &raw mut token, null_mut(), error))
    };
    assert_eq!(code, 0, "{text}");
    // SAFETY: the runtime is alive, arguments and room are what `add` expects.
    let call = |table: *const HostApi| unsafe {
        reported(|error| ((*table).call_proxy)(table, token, 0, args, out, null_mut(), error))
    };
    assert_eq!(call(maker.table).0, 0);
    let (code, text) = call(thief.table);
    assert_ne!(code, 0, "{text}");
    // SAFETY: the runtime is alive.
    unsafe { ((*thief.table).close_proxy)(thief.table, token) };
    assert_eq!(call(maker.table).0, 0, "the proxy is open");
    // SAFETY: the runtime is alive.
    unsafe { ((*maker.table).close_proxy)(maker.table, token) };
    assert_ne!(call(maker.table).0, 0);
}

#[test]
fn a_lease_is_released_by_the_bundle_that_took_it() {
    let (runtime, _calc, calculator) = with_calculator();
    let maker = owner(&runtime, "maker", &["demo.calculator@1"]);
    let thief = owner(&runtime, "thief", &["demo.calculator@1"]);
    // SAFETY: the runtime is alive; a pointer that is not leased is ignored.
    unsafe {
        let interface = ((*maker.table).lease)(maker.table, calculator, null_mut());
        assert!(!interface.is_null());
        for table in [thief.table, runtime.host_abi()] {
            ((*table).release)(table, interface);
            assert!(last_error(table).contains("release"), "it is not theirs");
        }
        for other in [null(), std::ptr::without_provenance(16)] {
            ((*maker.table).release)(maker.table, other);
            assert!(last_error(maker.table).contains("release"));
        }
        ((*maker.table).release)(maker.table, interface);
        assert_eq!(last_error(maker.table), "");
        ((*maker.table).release)(maker.table, interface);
        assert!(last_error(maker.table).contains("release"), "once");
    }
}

#[test]
fn a_table_that_is_released_too_often_stays() {
    let runtime = runtime();
    let owner = owner(&runtime, "owner", &[]);
    for table in [owner.table, runtime.host_abi()] {
        // SAFETY: the runtime is alive.
        unsafe {
            ((*table).retain_host)(table);
            for _ in 0..100 {
                ((*table).release_host)(table);
            }
            assert_eq!(((*table).struct_size), size_of::<HostApi>());
            assert!(((*table).config)(table).bytes().is_some());
        }
    }
    works(&runtime);
}

#[test]
fn an_object_without_a_function_is_refused() {
    unsafe extern "C" fn answer(
        _: GuestContractInstance,
        _: *const (),
        _: *mut (),
        _: *mut CallArena,
        _: *mut polyplug_abi::AbiError,
    ) {
    }
    let runtime = runtime();
    let owner = owner(&runtime, "owner", &[]);
    let functions: [*const (); 3] = [answer as *const (), null(), answer as *const ()];
    let offer = |functions: *const *const (), function_count| ObjectOffer {
        struct_size: size_of::<ObjectOffer>(),
        instance: GuestContractInstance::null(),
        functions: functions.cast(),
        function_count,
        by_host: 0,
        drop: None,
    };
    for (offer, expected) in [
        (offer(functions.as_ptr(), 3), "function 1 of 3 is null"),
        (offer(null(), 1), "null or not aligned"),
        (offer(functions.as_ptr().wrapping_byte_add(1), 1), "null or not aligned"),
        (offer(functions.as_ptr(), u32::MAX), "too many"),
    ] {
        let table = owner.table;
        // SAFETY: the runtime is alive, and the offer readable.
        let (code, text) = reported(|error| unsafe {
            assert!(((*table).offer_object)(table, &raw const offer, error).is_null());
        });
        assert_eq!(code, AbiErrorCode::InvalidArgument as u32, "{text}");
        assert!(text.contains(expected), "{text}");
    }
    let whole = offer(functions.as_ptr(), 1);
    let table = owner.table;
    // SAFETY: the runtime is alive, and the offer readable.
    unsafe {
        let token = ((*table).offer_object)(table, &raw const whole, null_mut());
        assert!(!token.is_null());
        ((*table).close_proxy)(table, token);
        ((*table).close_proxy)(table, token);
    }
}
