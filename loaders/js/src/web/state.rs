//! The data that functions of a context share, and the making of such functions.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::{CStr, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Instant;

use polyplug_abi::LogLevel;
use rquickjs::qjs;

use super::intrinsics::Intrinsics;
use super::timers::Timers;
use super::value::{Ctx, Res, Value};

/// Writes a line of a context's console to the log.
///
/// # Safety
/// The context is valid, and its thread calls.
pub(crate) type Log = unsafe fn(ctx: *mut qjs::JSContext, level: LogLevel, text: &str);

/// The number of globals that are made when code first reads them.
pub(super) const LAZY: usize = 5;

/// The data of a context. `close` empties it, because the functions that own it are values of the context themselves.
pub(super) struct State {
    pub(super) log: Log,
    intrinsics: RefCell<Option<Rc<Intrinsics>>>,
    pub(super) timers: RefCell<Timers>,
    /// The globals that were made so far.
    pub(super) made: RefCell<[Option<Value>; LAZY]>,
    /// The function that describes a URL or its parameters to the console, once `URL` is made.
    pub(super) describe_url: RefCell<Option<Value>>,
    /// The depth of `console.group`.
    pub(super) groups: Cell<usize>,
    pub(super) counts: RefCell<HashMap<String, u64>>,
    pub(super) times: RefCell<HashMap<String, Instant>>,
}

impl State {
    pub(super) fn new(log: Log, intrinsics: Intrinsics) -> Rc<Self> {
        Rc::new(Self {
            log,
            intrinsics: RefCell::new(Some(Rc::new(intrinsics))),
            timers: RefCell::default(),
            made: RefCell::default(),
            describe_url: RefCell::default(),
            groups: Cell::new(0),
            counts: RefCell::default(),
            times: RefCell::default(),
        })
    }

    /// Returns the functions of the language. Throws after `close`.
    pub(super) fn intrinsics(&self, ctx: Ctx<'_>) -> Res<Rc<Intrinsics>> {
        match &*self.intrinsics.borrow() {
            Some(intrinsics) => Ok(intrinsics.clone()),
            None => Err(ctx.internal_error("the bundle of this code is being unloaded")),
        }
    }

    /// Drops all values.
    pub(super) fn close(&self) {
        // A value's end can run no code of the bundle but a finaliser's later, so that nothing borrows in between;
        // each is moved out before it is dropped all the same.
        let intrinsics = self.intrinsics.take();
        let timers = self.timers.take();
        let made = self.made.take();
        let describe_url = self.describe_url.take();
        drop((intrinsics, timers, made, describe_url));
    }
}

/// A call of a native function.
pub(super) struct Call<'a> {
    pub(super) ctx: Ctx<'a>,
    pub(super) state: &'a Rc<State>,
    /// The number that `function` was given.
    pub(super) magic: usize,
    this: qjs::JSValue,
    args: &'a [qjs::JSValue],
}

impl Call<'_> {
    pub(super) fn this(&self) -> Value {
        // SAFETY: the caller of the function keeps `this` alive.
        unsafe { self.ctx.share(self.this) }
    }

    /// Returns an argument; an argument that is not there is undefined.
    pub(super) fn arg(&self, at: usize) -> Value {
        match self.args.get(at) {
            // SAFETY: the caller of the function keeps the arguments alive.
            Some(&raw) => unsafe { self.ctx.share(raw) },
            None => self.ctx.undefined(),
        }
    }

    /// Returns the arguments from a place on.
    pub(super) fn rest(&self, from: usize) -> Vec<Value> {
        (from..self.args.len()).map(|at| self.arg(at)).collect()
    }

    pub(super) fn undefined(&self) -> Res<Value> {
        Ok(self.ctx.undefined())
    }
}

/// The code of a native function.
pub(super) type Native = fn(&Call<'_>) -> Res<Value>;

/// Returns the text of the first argument, as a template literal makes it.
pub(super) fn text(call: &Call<'_>) -> Res<Value> {
    // SAFETY: the context is valid, and so is the argument.
    unsafe { call.ctx.own(qjs::JS_ToString(call.ctx.raw(), call.arg(0).raw())) }
}

/// A native function's code and data.
struct Closure {
    native: Native,
    state: Rc<State>,
}

/// Makes a function that runs native code.
pub(super) fn function(
    ctx: Ctx<'_>,
    state: &Rc<State>,
    name: &CStr,
    length: usize,
    magic: usize,
    native: Native,
) -> Res<Value> {
    let closure = Box::into_raw(Box::new(Closure { native, state: state.clone() }));
    let owners = Rc::strong_count(state);
    // SAFETY: the context is valid, the name ends with a zero byte. The function object owns the closure; the
    // finalizer frees it.
    let made = unsafe {
        ctx.own(qjs::JS_NewCClosure(
            ctx.raw(),
            Some(run),
            name.as_ptr(),
            Some(free),
            length as c_int,
            magic as c_int,
            closure.cast(),
        ))
    };
    // Without memory, `JS_NewCClosure` may have run the finalizer, or not: the number of the state's owners tells.
    if made.is_err() && Rc::strong_count(state) == owners {
        // SAFETY: the pointer is that of `into_raw` above; the closure has not been freed, or the state would have an
        // owner less.
        drop(unsafe { Box::from_raw(closure) });
    }
    made
}

/// Runs a native function.
///
/// # Safety
/// QuickJS calls: all arguments are valid, and `opaque` is the closure of a live function object.
unsafe extern "C" fn run(
    ctx: *mut qjs::JSContext,
    this: qjs::JSValue,
    argc: c_int,
    argv: *mut qjs::JSValue,
    magic: c_int,
    opaque: *mut c_void,
) -> qjs::JSValue {
    let context = ctx;
    // SAFETY: `function` has given a `Closure`; QuickJS keeps the function, its arguments and the context during the
    // call.
    let (closure, args, ctx) = unsafe {
        let args = if argc <= 0 || argv.is_null() { &[] } else { std::slice::from_raw_parts(argv, argc as usize) };
        (&*opaque.cast::<Closure>(), args, Ctx::new(ctx))
    };
    let call = Call { ctx, state: &closure.state, magic: magic as usize, this, args };
    match catch_unwind(AssertUnwindSafe(|| (closure.native)(&call))) {
        Ok(Ok(value)) => value.into_raw(),
        Ok(Err(_)) => {
            // SAFETY: QuickJS calls the function with a valid context. Where memory lacks, QuickJS itself may fail without an
            // exception.
            unsafe {
                if !qjs::JS_HasException(context) {
                    qjs::JS_ThrowOutOfMemory(context);
                }
            }
            qjs::JS_EXCEPTION
        }
        Err(_) => {
            ctx.internal_error("a built-in function panicked; this is a bug of polyplug");
            qjs::JS_EXCEPTION
        }
    }
}

/// Frees a native function's data.
///
/// # Safety
/// QuickJS calls, once, when the function object ends.
unsafe extern "C" fn free(opaque: *mut c_void) {
    // SAFETY: `function` has made the pointer with `Box::into_raw`.
    drop(unsafe { Box::from_raw(opaque.cast::<Closure>()) });
}
