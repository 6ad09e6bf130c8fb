//! A plugin written in Rust checks what it is called with: canonical memory that is no value is refused.

use std::sync::Arc;

use polyplug::{Contract, Runtime};
use polyplug_abi::{AbiErrorCode, CallArena, GuestContractInstance, StringView};
use polyplug_tests::{Bundle, reported, runtime};
use test_contracts::Calculator;

const GREET: u32 = 2;
const SUM: u32 = 3;

/// An instance of the good calculator, as a C program holds it.
struct Calc {
    runtime: Arc<Runtime>,
    instance: GuestContractInstance,
    _bundle: Bundle,
}

impl Calc {
    fn new() -> Self {
        let bundle = Bundle::native("calc", "plugin-calc");
        let runtime = runtime();
        runtime.load_bundle(bundle.path()).unwrap();
        let handle = runtime.find_guest_contract(<dyn Calculator>::ID.id(), 0).unwrap();
        let host = runtime.host_abi();
        let mut instance = GuestContractInstance::null();
        let (code, text) = reported(|error| {
            // SAFETY: the runtime is alive, and both places are writable.
            unsafe { ((*host).create_guest_instance)(host, handle, std::ptr::null(), &raw mut instance, error) }
        });
        assert_eq!(code, 0, "{text}");
        Self { runtime, instance, _bundle: bundle }
    }

    /// Calls a method with one list or text as argument.
    fn call<R: Default>(&self, fn_id: u32, argument: *const StringView, arena: *mut CallArena) -> (u32, String, R) {
        let host = self.runtime.host_abi();
        let mut result = R::default();
        let (code, text) = reported(|error| {
            // SAFETY: the runtime is alive, and the callee is to check the rest.
            unsafe {
                let out = (&raw mut result).cast();
                ((*host).call_guest_method)(host, self.instance, fn_id, argument.cast(), out, arena, error);
            }
        });
        (code, text, result)
    }

    /// Calls a method, which must refuse `argument` and serve on.
    #[track_caller]
    fn refuses(&self, fn_id: u32, argument: StringView, parts: &[&str]) {
        let mut room = [0; 256];
        // SAFETY: the room outlives the arena and is used by nothing else.
        let mut arena = unsafe { CallArena::fixed(room.as_mut_ptr(), room.len()) };
        let (code, text, _) = self.call::<[usize; 2]>(fn_id, &raw const argument, &raw mut arena);
        assert_eq!(code, AbiErrorCode::InvalidArgument as u32, "{text}");
        for part in parts {
            assert!(text.contains(part), "{part} is in: {text}");
        }
        let (code, _, sum) = self.call::<u64>(SUM, &StringView::from_static(&[1, 2, 3]), std::ptr::null_mut());
        assert_eq!((code, sum), (0, 6), "the plugin serves on");
    }
}

#[test]
fn a_text_that_is_not_utf_8_is_refused() {
    Calc::new().refuses(GREET, StringView::from_static(b"caf\xc3"), &["name", "not UTF-8"]);
}

#[test]
fn a_null_text_with_a_length_is_refused() {
    Calc::new().refuses(GREET, StringView { ptr: std::ptr::null(), len: 4 }, &["name", "null"]);
}

#[test]
fn a_text_longer_than_memory_is_refused() {
    let endless = StringView { ptr: b"x".as_ptr(), len: usize::MAX };
    Calc::new().refuses(GREET, endless, &["name", "cannot exist"]);
}

#[test]
fn a_null_list_with_a_length_is_refused() {
    Calc::new().refuses(SUM, StringView { ptr: std::ptr::null(), len: 4 }, &["data", "null"]);
}

#[test]
fn a_null_list_without_a_length_is_empty() {
    let (code, text, sum) = Calc::new().call::<u64>(SUM, &StringView::null(), std::ptr::null_mut());
    assert_eq!((code, sum), (0, 0), "{text}");
}

#[test]
fn null_arguments_are_refused() {
    let (code, text, _) = Calc::new().call::<u64>(SUM, std::ptr::null(), std::ptr::null_mut());
    assert_eq!(code, AbiErrorCode::InvalidPointer as u32);
    assert!(text.contains("arguments"), "{text}");
}

#[test]
fn a_result_without_room_is_refused() {
    let calc = Calc::new();
    let host = calc.runtime.host_abi();
    let argument = StringView::from_static(&[1]);
    let (code, text) = reported(|error| {
        // SAFETY: the runtime is alive; the callee is to notice that there is no room.
        unsafe {
            let (args, out) = ((&raw const argument).cast(), std::ptr::null_mut());
            ((*host).call_guest_method)(host, calc.instance, SUM, args, out, std::ptr::null_mut(), error);
        }
    });
    assert_eq!(code, AbiErrorCode::InvalidPointer as u32);
    assert!(text.contains("result"), "{text}");
}

#[test]
fn a_result_that_overflows_its_arena_says_so() {
    let calc = Calc::new();
    let mut room = [0; 16];
    // SAFETY: the room outlives the arena and is used by nothing else.
    let mut arena = unsafe { CallArena::fixed(room.as_mut_ptr(), room.len()) };
    let long = StringView::from_static(b"somebody with a long name");
    let (code, text, _) = calc.call::<[usize; 2]>(GREET, &raw const long, &raw mut arena);
    assert_eq!(code, AbiErrorCode::BufferTooSmall as u32);
    assert!(text.contains("does not fit"), "the text finds room elsewhere: {text:?}");

    arena.reset();
    let short = StringView::from_static(b"Ada");
    let (code, _, result) = calc.call::<[usize; 2]>(GREET, &raw const short, &raw mut arena);
    assert_eq!((code, result[1]), (0, "Hello, Ada!".len()));
}

#[test]
fn a_result_that_needs_an_arena_and_has_none_says_so() {
    let name = StringView::from_static(b"Ada");
    let (code, text, _) = Calc::new().call::<[usize; 2]>(GREET, &raw const name, std::ptr::null_mut());
    assert_eq!(code, AbiErrorCode::BufferTooSmall as u32);
    assert!(text.contains("does not fit"), "{text}");
}
