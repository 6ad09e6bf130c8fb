//! The functions that the bridge calls.

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::Arc;

use polyplug::CallError;
use polyplug::engine::{Fault, ImportedObject, KnownContract, OutgoingCall, guarded, log_message};
use polyplug::schema::plan::Kind;
use polyplug::types::LiftError;
use polyplug_abi::{CallArena, GuestContractInstance, LogLevel};

use crate::bridge::{DotnetObject, Handle, HostTable, bridge};
use crate::bundle::Bundle;
use crate::engine::DotnetEngine;
use crate::wire::Reader;
use crate::{describe, fault};

/// Bytes that a function returns to the bridge, which gives them back with `free`. Beyond the bridge's memory for it, a
/// reply owns a `Vec`.
#[repr(C)]
struct Reply {
    start: *mut u8,
    count: usize,
    capacity: usize,
}

impl Reply {
    /// Sets the reply of a call of the bridge.
    ///
    /// # Safety
    ///
    /// `reply` must be writable.
    unsafe fn set(reply: *mut Self, bytes: Vec<u8>) {
        let mut bytes = std::mem::ManuallyDrop::new(bytes);
        let (start, count, capacity) = (bytes.as_mut_ptr(), bytes.len(), bytes.capacity());
        // SAFETY: the caller promises a writable reply.
        unsafe { reply.write(Self { start, count, capacity }) };
    }
}

/// The table of the functions below.
pub(crate) static HOST: HostTable = HostTable([
    append as *const c_void,
    grow as *const c_void,
    log as *const c_void,
    open as *const c_void,
    describe as *const c_void,
    import as *const c_void,
    offer as *const c_void,
    share as *const c_void,
    release as *const c_void,
    enter as *const c_void,
    leave as *const c_void,
    call as *const c_void,
    wrong_value as *const c_void,
    declared as *const c_void,
    drop_error as *const c_void,
    on_unload as *const c_void,
    data_directory as *const c_void,
    free as *const c_void,
    close as *const c_void,
    drop_bundle as *const c_void,
    place_default as *const c_void,
]);

// BRIDGE is the condition of every unsafe function here: only the bridge calls them, with addresses that it got from this
// loader and has not given back, with a reply that is writable and empty, and with texts that are readable for the call.

unsafe fn text<'a>(start: *const u8, count: usize) -> std::borrow::Cow<'a, str> {
    if count == 0 {
        return "".into();
    }
    // SAFETY: BRIDGE.
    String::from_utf8_lossy(unsafe { std::slice::from_raw_parts(start, count) })
}

/// Runs a function for the bridge. Sets the reply to the text of a fault, and returns whether there was none.
unsafe fn answered<R>(
    bundle: Option<&Bundle>,
    reply: *mut Reply,
    body: impl FnOnce() -> Result<R, Fault>,
) -> Option<R> {
    match guarded(body) {
        Ok(value) => Some(value),
        Err(fault) => {
            let text = bundle.map_or_else(|| fault.to_string(), |bundle| bundle.guest.describe(&fault));
            // SAFETY: BRIDGE.
            unsafe { Reply::set(reply, text.into_bytes()) };
            None
        }
    }
}

unsafe extern "C" fn append(sink: *mut Vec<u8>, start: *const u8, count: usize) {
    if count > 0 {
        // SAFETY: BRIDGE; a sink is a `Vec` on the stack of the call that this function is called in.
        unsafe { (*sink).extend_from_slice(std::slice::from_raw_parts(start, count)) };
    }
}

unsafe extern "C" fn grow(arena: *mut CallArena, size: usize, align: usize) -> *mut u8 {
    // SAFETY: BRIDGE; the arena is that of a call that has not returned.
    unsafe { (*arena).alloc(size, align) }
}

unsafe extern "C" fn log(bundle: *const Bundle, level: u32, start: *const u8, count: usize) {
    // SAFETY: BRIDGE.
    let (bundle, message) = unsafe { (bundle.as_ref(), text(start, count)) };
    let level = match level {
        1 => LogLevel::Error,
        2 => LogLevel::Warn,
        4 => LogLevel::Debug,
        5 => LogLevel::Trace,
        _ => LogLevel::Info,
    };
    let written = guarded(|| {
        match bundle {
            Some(bundle) => bundle.guest.log(level, &message),
            None => log_message(level, &message),
        }
        Ok(())
    });
    drop(written);
}

unsafe extern "C" fn open(
    bundle: *const Bundle,
    target: u32,
    start: *const u8,
    count: usize,
    contract: *mut *const KnownContract,
    reply: *mut Reply,
) -> *const ImportedObject {
    // SAFETY: BRIDGE.
    let (bundle, name) = unsafe { (&*bundle, text(start, count)) };
    let opened = || if target == 0 { bundle.guest.host(&name) } else { bundle.guest.peer(&name) };
    // SAFETY: BRIDGE.
    unsafe {
        let Some(object) = answered(Some(bundle), reply, opened) else { return null() };
        contract.write(bundle.contract(&object.schema_and_plan()));
        Box::into_raw(Box::new(object))
    }
}

unsafe extern "C" fn describe(contract: *const KnownContract, reply: *mut Reply) {
    // SAFETY: BRIDGE; the bundle keeps the contract.
    unsafe { Reply::set(reply, describe::contract(&*contract)) };
}

unsafe extern "C" fn import(
    bundle: *const Bundle,
    contract: *const KnownContract,
    definition: u32,
    form: *const GuestContractInstance,
    reply: *mut Reply,
) -> *const ImportedObject {
    // SAFETY: BRIDGE; the form is in canonical memory.
    unsafe {
        let bundle = &*bundle;
        let object = answered(Some(bundle), reply, || bundle.guest.object(&*contract, definition, form.read()));
        object.map_or(null(), |object| Box::into_raw(Box::new(object)))
    }
}

unsafe extern "C" fn offer(
    bundle: *const Bundle,
    contract: *const KnownContract,
    definition: u32,
    target: Handle,
    form: *mut GuestContractInstance,
    frame: *mut OutgoingCall,
    reply: *mut Reply,
) -> i32 {
    // SAFETY: BRIDGE; the form is the place of the object in canonical memory, and the frame is null or was entered.
    unsafe {
        let bundle = &*bundle;
        let object = DotnetObject::new(target);
        let offered = || {
            bundle
                .guest
                .offer::<DotnetEngine>(object.into(), &*contract, definition)
                .inspect(|object| form.write(*object))
        };
        let Some(object) = answered(Some(bundle), reply, offered) else { return 1 };
        if let Some(frame) = frame.as_mut() {
            frame.hand_over(&bundle.guest, object);
        }
    }
    0
}

unsafe extern "C" fn share(
    bundle: *const Bundle,
    imported: *const ImportedObject,
    form: *mut GuestContractInstance,
    frame: *mut OutgoingCall,
    reply: *mut Reply,
) -> i32 {
    // SAFETY: BRIDGE; the form is the place of the object in canonical memory, and the frame is null or was entered.
    unsafe {
        let bundle = &*bundle;
        let shared = || (*imported).share().inspect(|object| form.write(*object));
        let Some(object) = answered(Some(bundle), reply, shared) else { return 1 };
        if let Some(frame) = frame.as_mut() {
            frame.hand_over(&bundle.guest, object);
        }
    }
    0
}

unsafe extern "C" fn release(imported: *mut ImportedObject) {
    // SAFETY: BRIDGE; `open` and `import` made it of a box, and the bridge does not use it again.
    let object = unsafe { Box::from_raw(imported) };
    drop(guarded(|| {
        drop(object);
        Ok(())
    }));
}

unsafe extern "C" fn close(imported: *const ImportedObject) {
    // SAFETY: BRIDGE.
    let object = unsafe { &*imported };
    drop(guarded(|| {
        object.close();
        Ok(())
    }));
}

/// The size of the bridge's memory for a call.
const FRAME: usize = 64;
const _: () = assert!(size_of::<OutgoingCall>() <= FRAME && align_of::<OutgoingCall>() <= 8);

unsafe extern "C" fn enter(frame: *mut OutgoingCall) -> *mut CallArena {
    let call = OutgoingCall::enter();
    let arena = call.arena();
    // SAFETY: BRIDGE; the frame is writable, large enough, and `leave` drops the value.
    unsafe { frame.write(call) };
    arena
}

unsafe extern "C" fn leave(frame: *mut OutgoingCall) {
    // SAFETY: BRIDGE; `enter` wrote the value, and the bridge does not use it again.
    let call = unsafe { frame.read() };
    drop(guarded(|| {
        drop(call);
        Ok(())
    }));
}

unsafe extern "C" fn call(
    imported: *const ImportedObject,
    frame: *mut OutgoingCall,
    method: u32,
    args: *const u8,
    out: *mut u8,
    reply: *mut Reply,
) -> i32 {
    // SAFETY: BRIDGE; the bridge lowered the arguments by the plan of the object's contract, and zeroed the result.
    unsafe {
        let outcome = guarded(|| Ok((*imported).call_lowered(&mut *frame, method as usize, args, out)));
        match outcome {
            Ok(Ok(())) => return 0,
            Ok(Err(error)) => Reply::set(reply, fault::call_error(error)),
            Err(panic) => {
                let error = (*imported).wrong_value(method as usize, &LiftError::new(panic), true);
                Reply::set(reply, fault::call_error(error));
            }
        }
    }
    1
}

unsafe extern "C" fn wrong_value(
    imported: *const ImportedObject,
    method: u32,
    is_result: u32,
    start: *const u8,
    count: usize,
    reply: *mut Reply,
) {
    // SAFETY: BRIDGE.
    unsafe {
        let sent = std::slice::from_raw_parts(start, count);
        let wrong = fault::value(&mut Reader::new(sent)).unwrap_or_else(LiftError::new);
        let error = (*imported).wrong_value(method as usize, &wrong, is_result != 0);
        Reply::set(reply, fault::call_error(error));
    }
}

unsafe extern "C" fn declared(imported: *const ImportedObject, method: u32, out: *const u8, reply: *mut Reply) {
    // SAFETY: BRIDGE; `out` has the result of a call that returned an error.
    unsafe {
        let text = guarded(|| Ok((*imported).declared(method as usize).describe_lowered(out)));
        Reply::set(reply, text.unwrap_or_else(|fault| fault.to_string()).into_bytes());
    }
}

unsafe extern "C" fn drop_error(error: *mut CallError) {
    // SAFETY: BRIDGE; `fault::call_error` made it of a box, and the bridge does not use it again.
    drop(unsafe { Box::from_raw(error) });
}

unsafe extern "C" fn on_unload(bundle: *const Bundle, action: Handle, reply: *mut Reply) -> i32 {
    // SAFETY: BRIDGE; the handle is the loader's now.
    let (bundle, object) = unsafe { (&*bundle, DotnetObject::new(action)) };
    let registered = || bundle.guest.on_unload(move || bridge().run(&object));
    // SAFETY: BRIDGE.
    i32::from(unsafe { answered(Some(bundle), reply, registered) }.is_none())
}

unsafe extern "C" fn data_directory(bundle: *const Bundle, reply: *mut Reply) -> i32 {
    // SAFETY: BRIDGE.
    unsafe {
        let bundle = &*bundle;
        let found = || bundle.guest.data_directory().map(|path| path.to_string_lossy().into_owned());
        let Some(path) = answered(Some(bundle), reply, found) else { return 1 };
        Reply::set(reply, path.into_bytes());
    }
    0
}

unsafe extern "C" fn free(reply: *mut Reply) {
    // SAFETY: BRIDGE; `Reply::set` took the parts from a `Vec`, and the bridge does not use them again.
    unsafe {
        let Reply { start, count, capacity } = reply.read();
        drop(Vec::from_raw_parts(start, count, capacity));
        reply.write(Reply { start: null_mut(), count: 0, capacity: 0 });
    }
}

unsafe extern "C" fn drop_bundle(bundle: *const Bundle) {
    // SAFETY: BRIDGE; `start` made the address of an `Arc`, and the bridge does not use it again.
    let bundle = unsafe { Arc::from_raw(bundle) };
    drop(guarded(|| {
        drop(bundle);
        Ok(())
    }));
}

unsafe extern "C" fn place_default(
    contract: *const KnownContract,
    node: u32,
    case: u32,
    field: u32,
    to: *mut u8,
    arena: *mut CallArena,
) -> i32 {
    let placed = guarded(|| {
        // SAFETY: BRIDGE; the bundle keeps the contract.
        let plan = unsafe { &(*contract).plan };
        let body = match &plan.nodes()[node as usize].kind {
            Kind::Record(_, body) => body,
            Kind::Variant { cases, .. } => &cases[case as usize],
            other => unreachable!("no fields are in {other:?}"),
        };
        // SAFETY: BRIDGE; `to` is the place of the field in memory that the bridge lowers by this plan, and the arena is
        // that of a call that has not returned.
        Ok(unsafe { plan.place_default(body, field as usize, to, arena) })
    });
    i32::from(!matches!(placed, Ok(Some(true))))
}
