//! Calls of a method whose types differ between caller and callee.

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::Arc;

use polyplug_abi::{AbiErrorCode, CallArena, GuestContractInstance};

use super::compile::{Compiler, Side};
use super::conversion::{Conversions, Part, no_room};
use crate::host::abi::arena::CallArenaGuard;
use crate::host::abi::dispatch::CallFrame;
use crate::host::abi::object_tokens::{ObjectMethods, ObjectTokens};
use crate::schema::Method;
use crate::schema::plan::{MethodPlan, NodeId};
use crate::types::{Depth, LiftError};

/// The size of a buffer that needs no allocation. Larger arguments and results lie in the arena.
const ON_STACK: usize = 256;

impl Half {
    /// Returns whether the conversion may need memory from the arena.
    fn may_allocate(&self) -> bool {
        let needs_no_arena = |part: &Part| match part {
            Part::Copy { .. } => true,
            Part::Convert { .. } => false,
            Part::Default { value, .. } => value.bytes().is_some(),
        };
        self.size > ON_STACK || !self.parts.iter().all(needs_no_arena)
    }
}

/// A function that makes the methods of an object, given the number of their list.
type MethodsOf<'a> = &'a dyn Fn(usize) -> Arc<dyn ObjectMethods>;

/// The adapter of one method.
#[derive(Debug)]
pub(crate) struct Adapter {
    /// From the caller's layouts to the callee's; `None` if the arguments are the same.
    arguments: Option<Half>,
    /// From the callee's layouts to the caller's; `None` if the result is the same.
    result: Option<Half>,
    /// True if the callee's arguments need memory beyond the struct, or if the callee's result may, so that there has to be
    /// an arena though the caller needs none.
    needs_arena: bool,
    /// The arguments that are objects whose methods have adapters. Their conversion copies the token.
    objects: Vec<ObjectArgument>,
}

/// An argument that is an object.
#[derive(Debug)]
struct ObjectArgument {
    /// The offset in the callee's arguments.
    at: usize,
    /// The number of the list of the object's methods.
    list: usize,
    name: Box<str>,
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
    /// True if both forms are the same.
    is_same: bool,
}

impl Adapter {
    /// Compiles the adapter of a method, given by its plan on each side. `list` returns the number of the list of methods
    /// of an object, given by the nodes of the argument on both sides, or `None` for an argument that is no object.
    pub(super) fn new(
        (caller, ours, method): (Side<'_>, &MethodPlan, &Method),
        (callee, called): (Side<'_>, &MethodPlan),
        mut list: impl FnMut(NodeId, NodeId) -> Option<usize>,
    ) -> Self {
        let places = ours.arguments.iter().zip(&called.arguments).zip(&method.arguments);
        let objects = places.filter_map(|((from, to), argument)| {
            let list = list(from.node, to.node)?;
            Some(ObjectArgument { at: to.at, list, name: argument.name.as_str().into() })
        });
        let objects = objects.collect();
        let arguments = arguments(caller, ours, method, callee, called);
        let result = result(callee, called.result, caller, ours.result);
        let result_needs_arena = result.size > ON_STACK || callee.plan.has_pointers(called.result);
        let needs_arena = arguments.may_allocate() || (!result.is_same && result_needs_arena);
        Self { arguments: Some(arguments), result: Some(result), needs_arena, objects }
    }

    /// Returns whether both sides have the same forms, given the lists of methods of objects that are the same.
    pub(super) fn is_same(&self, is_same: impl Fn(usize) -> bool) -> bool {
        let same = |half: &Option<Half>| half.as_ref().is_none_or(|half| half.is_same);
        same(&self.arguments) && same(&self.result) && self.objects.iter().all(|object| is_same(object.list))
    }

    /// Returns the adapter without what does nothing, or `None` if nothing is left. `is_same` returns whether a list of
    /// methods of objects is the same on both sides.
    pub(super) fn reduced(self, is_same: impl Fn(usize) -> bool) -> Option<Self> {
        let objects: Vec<_> = self.objects.into_iter().filter(|object| !is_same(object.list)).collect();
        let arguments = self.arguments.filter(|half| !half.is_same || !objects.is_empty());
        let result = self.result.filter(|half| !half.is_same);
        let needs_arena = self.needs_arena;
        (arguments.is_some() || result.is_some()).then_some(Self { arguments, result, needs_arena, objects })
    }

    /// Calls the method with converted arguments, and converts the result. `call` calls the callee, and returns whether
    /// the callee has the method, as this function does. `tokens` are those of the runtime, and `methods` returns the methods of
    /// objects, given the number of the list.
    ///
    /// # Safety
    ///
    /// `frame` must be what the method's entry expects on the caller's side, with an error whose code is 0. `call` must
    /// accept a frame that is what the entry expects on the callee's side.
    pub(super) unsafe fn call(
        &self,
        frame: CallFrame,
        (tokens, methods): (&dyn ObjectTokens, MethodsOf<'_>),
        call: impl FnOnce(CallFrame) -> bool,
    ) -> bool {
        let guard = (self.needs_arena && frame.arena.is_null()).then(CallArenaGuard::enter);
        let arena = guard.as_ref().map_or(frame.arena, CallArenaGuard::get);
        let mut inner = CallFrame { arena, ..frame };
        let (mut arguments, mut result) = (Buffer::new(), Buffer::new());
        let mut adapted = AdaptedTokens { tokens, all: Vec::new() };
        if let Some(half) = &self.arguments {
            let to = arguments.start(half, arena);
            // SAFETY: the caller promises the arguments, and the buffer has the size of the callee's form.
            let converted = to.and_then(|to| unsafe {
                half.conversions.parts(&half.parts, frame.args.cast(), to, arena, Depth::ROOT).map(|()| to)
            });
            let ready = converted.and_then(|to| {
                // SAFETY: the conversion has written the callee's arguments to the buffer.
                unsafe { self.adapt_objects(to, methods, &mut adapted) }.map(|()| to)
            });
            match ready {
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

    /// Replaces the tokens of objects in the callee's arguments by tokens through which the methods have adapters.
    ///
    /// # Safety
    ///
    /// `arguments` must point to the callee's arguments, which may be written.
    unsafe fn adapt_objects(
        &self,
        arguments: *mut u8,
        methods: MethodsOf<'_>,
        adapted: &mut AdaptedTokens<'_>,
    ) -> Result<(), LiftError> {
        for ObjectArgument { at, list, name } in &self.objects {
            // SAFETY: the callee's form has an object at this offset (the schemas), which is a token and an id.
            let object = unsafe { &mut *arguments.add(*at).cast::<GuestContractInstance>() };
            // The callee reports a null object.
            if object.data.is_null() {
                continue;
            }
            let token = adapted.tokens.adapt(object.data, methods(*list));
            object.data = token.map_err(|reason| LiftError::new(reason).within(name.to_string()))?;
            adapted.all.push(object.data);
        }
        Ok(())
    }
}

/// The tokens that were made for a call, which end with the call.
struct AdaptedTokens<'a> {
    tokens: &'a dyn ObjectTokens,
    all: Vec<*mut c_void>,
}

impl Drop for AdaptedTokens<'_> {
    fn drop(&mut self) {
        for token in &self.all {
            self.tokens.close_adapted(*token);
        }
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

fn arguments(caller: Side<'_>, ours: &MethodPlan, method: &Method, callee: Side<'_>, called: &MethodPlan) -> Half {
    let mut compiler = Compiler::new(caller, callee);
    let places = || ours.arguments.iter().zip(&called.arguments);
    let numbers: Vec<_> = places().map(|(from, to)| compiler.add(from.node, to.node)).collect();
    compiler.compare();
    let is_same = numbers.iter().all(|number| compiler.is_same(*number));
    let parts = places()
        .zip(&numbers)
        .zip(&method.arguments)
        .flat_map(|(((from, to), number), argument)| compiler.parts(*number, from.at, to.at, Some(&argument.name)));
    let parts = parts.collect();
    Half { conversions: compiler.conversions(), parts, size: called.size, align: called.align, is_same }
}

fn result(callee: Side<'_>, from: NodeId, caller: Side<'_>, to: NodeId) -> Half {
    let mut compiler = Compiler::new(callee, caller);
    let number = compiler.add(from, to);
    compiler.compare();
    let is_same = compiler.is_same(number);
    let node = callee.plan.node(from);
    let parts = compiler.parts(number, 0, 0, None);
    Half { conversions: compiler.conversions(), parts, size: node.size, align: node.align, is_same }
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
    let half = result(sender, sent, receiver, received);
    // SAFETY: the caller promises the memory, and the arena.
    unsafe { half.conversions.parts(&half.parts, value, to, arena, Depth::ROOT) }
}
