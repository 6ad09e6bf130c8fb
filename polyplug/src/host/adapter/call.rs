//! Calls of a method whose types differ between caller and callee.

use std::mem::MaybeUninit;

use polyplug_abi::{AbiErrorCode, CallArena};

use super::compile::{Compiler, Side};
use super::conversion::{Conversions, Part, no_room};
use crate::host::abi::arena::CallArenaGuard;
use crate::host::abi::dispatch::CallFrame;
use crate::schema::plan::{Kind, MethodPlan, NodeId};
use crate::schema::{Method, Shape};
use crate::types::{Depth, LiftError};

/// The size of a buffer that needs no allocation. Larger arguments and results lie in the arena.
const ON_STACK: usize = 256;

/// The adapter of one method.
#[derive(Debug)]
pub(crate) struct Adapter {
    /// From the caller's layouts to the callee's; `None` if the arguments are the same.
    arguments: Option<Half>,
    /// From the callee's layouts to the caller's; `None` if the result is the same.
    result: Option<Half>,
}

/// The conversion of arguments, or of a result.
#[derive(Debug)]
struct Half {
    conversions: Conversions,
    parts: Vec<Part>,
    /// The size of the callee's form.
    size: usize,
    /// The alignment of the callee's form.
    align: usize,
}

impl Adapter {
    /// Compiles the adapter of a method that the caller knows as `number`, and the callee as `theirs`. Returns `None` if
    /// both forms are the same.
    ///
    /// # Errors
    ///
    /// The description of an object whose methods' types have grown, which no adapter can follow.
    pub(super) fn new(
        caller: Side<'_>,
        number: usize,
        callee: Side<'_>,
        theirs: usize,
    ) -> Result<Option<Self>, String> {
        let (ours, called) = (caller.plan.method(number), callee.plan.method(theirs));
        let method = &caller.schema.methods[number];
        check_objects(caller, ours, callee, called)?;
        let arguments = arguments(caller, ours, method, callee, called);
        let result = result(callee, called.result, caller, ours.result);
        Ok((arguments.is_some() || result.is_some()).then_some(Self { arguments, result }))
    }

    /// Calls the method with converted arguments, and converts the result. `call` calls the callee, and returns whether
    /// the callee has the method, as this function does.
    ///
    /// # Safety
    ///
    /// `frame` must be what the method's entry expects on the caller's side, with an error whose code is 0. `call` must
    /// accept a frame that is what the entry expects on the callee's side.
    pub(crate) unsafe fn call(&self, frame: CallFrame, call: impl FnOnce(CallFrame) -> bool) -> bool {
        // The callee may need an arena where the caller needs none: for a field that the caller does not know.
        let guard = frame.arena.is_null().then(CallArenaGuard::enter);
        let arena = guard.as_ref().map_or(frame.arena, CallArenaGuard::get);
        let mut inner = CallFrame { arena, ..frame };
        let (mut arguments, mut result) = (Buffer::new(), Buffer::new());
        if let Some(half) = &self.arguments {
            let to = arguments.start(half, arena);
            // SAFETY: the caller promises the arguments, and the buffer has the size of the callee's form.
            let converted = to.and_then(|to| unsafe {
                half.conversions.parts(&half.parts, frame.args.cast(), to, arena, Depth::ROOT).map(|()| to)
            });
            match converted {
                Ok(to) => inner.args = to.cast_const().cast(),
                Err(error) => {
                    let code = if error.is_limit() { AbiErrorCode::TooDeep } else { AbiErrorCode::InvalidArgument };
                    // SAFETY: the caller promises the arena and the error.
                    unsafe { frame.fail(code as u32, &error.to_string()) };
                    return true;
                }
            }
        }
        if let Some(half) = &self.result {
            match result.start(half, arena) {
                Ok(to) => inner.out = to.cast(),
                Err(error) => {
                    // SAFETY: the caller promises the arena and the error.
                    unsafe { frame.fail(AbiErrorCode::BufferTooSmall as u32, &error.to_string()) };
                    return true;
                }
            }
        }
        if !call(inner) {
            return false;
        }
        // SAFETY: the caller promises the error, which the callee leaves at 0 unless it fails.
        if unsafe { (*frame.out_err).code } != 0 {
            if guard.is_some() {
                // SAFETY: as above; the message may lie in the arena that ends here.
                unsafe { frame.keep_message() };
            }
            return true;
        }
        if let Some(half) = &self.result {
            // SAFETY: the callee has written a result, or left the buffer zeroed, and the caller promises its own.
            let converted = unsafe {
                half.conversions.parts(&half.parts, inner.out.cast_const().cast(), frame.out.cast(), arena, Depth::ROOT)
            };
            if let Err(error) = converted {
                // SAFETY: the caller promises the arena and the error.
                unsafe { frame.fail(AbiErrorCode::InvalidResult as u32, &format!("result: {error}")) };
            }
        }
        true
    }
}

/// Memory for the callee's form of arguments or of a result.
struct Buffer(MaybeUninit<[u128; ON_STACK / size_of::<u128>()]>);

impl Buffer {
    fn new() -> Self {
        Self(MaybeUninit::uninit())
    }

    /// Returns zeroed memory for a form.
    fn start(&mut self, half: &Half, arena: *mut CallArena) -> Result<*mut u8, LiftError> {
        let start = if half.size <= ON_STACK {
            self.0.as_mut_ptr().cast::<u8>()
        } else {
            // SAFETY: the arena is valid (the caller of `call` promises it, or the guard does).
            unsafe { (*arena).alloc(half.size, half.align) }
        };
        if start.is_null() {
            return Err(no_room());
        }
        // SAFETY: the memory has the form's size.
        unsafe { start.write_bytes(0, half.size) };
        Ok(start)
    }
}

fn arguments(
    caller: Side<'_>,
    ours: &MethodPlan,
    method: &Method,
    callee: Side<'_>,
    called: &MethodPlan,
) -> Option<Half> {
    let mut compiler = Compiler::new(caller, callee);
    let places = || ours.arguments.iter().zip(&called.arguments);
    let numbers: Vec<_> = places().map(|(from, to)| compiler.add(from.node, to.node)).collect();
    compiler.compare();
    if numbers.iter().all(|number| compiler.is_same(*number)) {
        return None;
    }
    let parts = places()
        .zip(&numbers)
        .zip(&method.arguments)
        .map(|(((from, to), number), argument)| compiler.part(*number, from.at, to.at, Some(&argument.name)));
    let parts = parts.collect();
    Some(Half { conversions: compiler.conversions(), parts, size: called.size, align: called.align })
}

fn result(callee: Side<'_>, from: NodeId, caller: Side<'_>, to: NodeId) -> Option<Half> {
    let mut compiler = Compiler::new(callee, caller);
    let number = compiler.add(from, to);
    compiler.compare();
    if compiler.is_same(number) {
        return None;
    }
    let node = callee.plan.node(from);
    let parts = vec![compiler.part(number, 0, 0, None)];
    Some(Half { conversions: compiler.conversions(), parts, size: node.size, align: node.align })
}

/// Converts a value of the sender's node `sent` to the receiver's node `received`, as an adapter does.
///
/// # Errors
///
/// The value cannot be followed, or has a case that the receiver does not know.
///
/// # Safety
///
/// `value` must point to a value of the sender's node, and `to` to writable memory for the receiver's, aligned. Pointers
/// in the value must be null, misaligned, or lead to readable memory of the length that goes with them. The arena must be
/// valid and unused otherwise.
pub(crate) unsafe fn convert(
    (sender, sent, value): (Side<'_>, NodeId, *const u8),
    (receiver, received, to): (Side<'_>, NodeId, *mut u8),
    arena: *mut CallArena,
) -> Result<(), LiftError> {
    match result(sender, sent, receiver, received) {
        // SAFETY: the caller promises the memory, and the arena.
        Some(half) => unsafe { half.conversions.parts(&half.parts, value, to, arena, Depth::ROOT) },
        None => {
            // SAFETY: the nodes are the same, and the caller promises the memory.
            unsafe { to.copy_from_nonoverlapping(value, sender.plan.node(sent).size) };
            Ok(())
        }
    }
}

/// Checks that the types of the methods of objects have not grown: calls of objects do not pass an adapter.
fn check_objects(caller: Side<'_>, ours: &MethodPlan, callee: Side<'_>, called: &MethodPlan) -> Result<(), String> {
    for (from, to) in ours.arguments.iter().zip(&called.arguments) {
        let (Kind::Object { definition, methods }, Kind::Object { methods: theirs, .. }) =
            (&caller.plan.node(from.node).kind, &callee.plan.node(to.node).kind)
        else {
            continue;
        };
        let Shape::Object(interface) = &caller.schema.definition(*definition).shape else { continue };
        for ((ours, theirs), method) in methods.iter().zip(theirs).zip(&interface.methods) {
            let same = |from: Side<'_>, to: Side<'_>, ours: &MethodPlan, theirs: &MethodPlan| {
                let mut compiler = Compiler::new(from, to);
                let places = ours.arguments.iter().zip(&theirs.arguments);
                let mut numbers: Vec<_> = places.map(|(from, to)| compiler.add(from.node, to.node)).collect();
                numbers.push(compiler.add(ours.result, theirs.result));
                compiler.compare();
                numbers.iter().all(|number| compiler.is_same(*number))
            };
            if !same(caller, callee, ours, theirs) || !same(callee, caller, theirs, ours) {
                return Err(format!("{}@{}.{}", interface.contract, interface.major, method.name));
            }
            check_objects(caller, ours, callee, theirs)?;
        }
    }
    Ok(())
}
