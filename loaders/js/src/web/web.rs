//! The surroundings of a context: their making, their timers, and their end.

use std::ffi::CStr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use rquickjs::qjs;

use super::intrinsics::Intrinsics;
use super::state::{Call, LAZY, Log, Native, State, function};
use super::value::{Ctx, HIDDEN, Pending, Res, Value};
use super::{clone, console, encoding, timers, url};

/// The globals that are made when code first reads them.
const LAZY_NAMES: [&CStr; LAZY] = [c"console", c"TextEncoder", c"TextDecoder", c"URL", c"URLSearchParams"];

/// The functions that are there from the start.
const FUNCTIONS: &[(&CStr, usize, Native)] = &[
    (c"setTimeout", 2, |call| set_timer(call, "setTimeout", false)),
    (c"setInterval", 2, |call| set_timer(call, "setInterval", true)),
    (c"clearTimeout", 1, clear_timer),
    (c"clearInterval", 1, clear_timer),
    (c"structuredClone", 1, clone::structured_clone),
];

/// The surroundings of a context: the globals that plugins may expect beyond the language.
pub(crate) struct Web {
    pub(super) state: Rc<State>,
}

impl Web {
    /// Defines the globals in a context in which no code of a bundle has run.
    ///
    /// # Errors
    /// An exception is pending in the context.
    ///
    /// # Safety
    /// The context is valid, made by `JS_NewContext`, and only this thread uses it during the call. `close` is called
    /// before the context is freed. `log` is sound to call from code of the context until the context is freed.
    pub(crate) unsafe fn open(ctx: *mut qjs::JSContext, log: Log) -> Result<Self, ()> {
        // SAFETY: the caller guarantees a valid context that only this thread uses during the call.
        let ctx = unsafe { Ctx::new(ctx) };
        Self::define(ctx, log).map_err(|Pending| ())
    }

    fn define(ctx: Ctx<'_>, log: Log) -> Res<Self> {
        let web = Self { state: State::new(log, Intrinsics::capture(ctx)?) };
        let defined = web.globals(ctx);
        if defined.is_err() {
            web.state.close();
        }
        defined.map(|()| web)
    }

    fn globals(&self, ctx: Ctx<'_>) -> Res<()> {
        let global = ctx.global();
        for (name, length, native) in FUNCTIONS {
            global.define(name, function(ctx, &self.state, name, *length, 0, *native)?, HIDDEN)?;
        }
        for (at, name) in LAZY_NAMES.iter().enumerate() {
            let get = function(ctx, &self.state, c"", 0, at, read_lazy)?;
            let set = function(ctx, &self.state, c"", 1, at, write_lazy)?;
            global.define_accessor(name, get, set)?;
        }
        Ok(())
    }

    /// Makes the globals that are otherwise made when they are first read. Where memory is limited, what QuickJS has made of a
    /// program when it runs out of memory is lost for good.
    ///
    /// # Errors
    /// An exception is pending in the context.
    ///
    /// # Safety
    /// As for `close`.
    pub(crate) unsafe fn make_all(&self, ctx: *mut qjs::JSContext) -> Result<(), ()> {
        // SAFETY: the caller guarantees a valid context that only this thread uses during the call.
        let ctx = unsafe { Ctx::new(ctx) };
        let global = ctx.global();
        LAZY_NAMES.iter().try_for_each(|name| global.get(name).map(drop)).map_err(|Pending| ())
    }

    /// Drops all values of the context: timers, and the functions that the globals need. Globals that code still calls
    /// throw or do nothing.
    ///
    /// # Safety
    /// The context of `open` is valid, and only this thread uses it during the call.
    pub(crate) unsafe fn close(&self, _ctx: *mut qjs::JSContext) {
        self.state.close();
    }

    /// Returns the time until the earliest timer, zero if it is due, or `None` if there is no timer.
    ///
    /// # Safety
    /// As for `close`.
    #[inline]
    pub(crate) unsafe fn next_timer(&self, _ctx: *mut qjs::JSContext) -> Option<Duration> {
        let earliest = self.state.timers.borrow().earliest()?;
        Some(earliest.saturating_duration_since(Instant::now()))
    }

    /// Runs the timers that are due now, and the jobs of promises after each.
    ///
    /// # Errors
    /// A timer's function has thrown; the exception is pending. The other timers that are due run at the next call.
    ///
    /// # Safety
    /// As for `close`.
    pub(crate) unsafe fn run_due(&self, ctx: *mut qjs::JSContext) -> Result<(), ()> {
        // SAFETY: the caller guarantees a valid context that only this thread uses during the call.
        let ctx = unsafe { Ctx::new(ctx) };
        let now = Instant::now();
        let before = self.state.timers.borrow().added;
        loop {
            // The borrow ends before the function runs, which may add and remove timers.
            let timer = self.state.timers.borrow_mut().take_due(now, before);
            let Some(timer) = timer else { return Ok(()) };
            let args: Vec<_> = timer.args.iter().collect();
            timer.callback.call(&ctx.undefined(), &args).map_err(|Pending| ())?;
            run_jobs(ctx)?;
        }
    }
}

/// Runs the jobs that promises have scheduled.
fn run_jobs(ctx: Ctx<'_>) -> Result<(), ()> {
    // SAFETY: the context is valid, and so is its runtime.
    unsafe {
        let runtime = qjs::JS_GetRuntime(ctx.raw());
        loop {
            let mut of = std::ptr::null_mut();
            match qjs::JS_ExecutePendingJob(runtime, &mut of) {
                0 => return Ok(()),
                1.. => {}
                _ => return Err(()),
            }
        }
    }
}

/// Returns a global, made at the first read, and makes the global a plain property.
fn read_lazy(call: &Call<'_>) -> Res<Value> {
    let made = call.state.made.borrow()[call.magic].clone();
    let value = match made {
        Some(value) => value,
        None => make(call)?,
    };
    // A frozen global object keeps its accessor; the accessor returns the same value then.
    let defined = call.ctx.global().define(LAZY_NAMES[call.magic], value.clone(), HIDDEN);
    call.ctx.attempt(defined)?;
    Ok(value)
}

/// Replaces a global before its first read.
fn write_lazy(call: &Call<'_>) -> Res<Value> {
    call.ctx.global().define(LAZY_NAMES[call.magic], call.arg(0), HIDDEN)?;
    call.undefined()
}

/// Makes a global, and those that its program makes with it.
fn make(call: &Call<'_>) -> Res<Value> {
    let (ctx, state) = (call.ctx, call.state);
    let intrinsics = state.intrinsics(ctx)?;
    if call.magic == 0 {
        let console = console::make(ctx, state)?;
        state.made.borrow_mut()[0] = Some(console.clone());
        return Ok(console);
    }
    let (program, list, args): (_, _, &[&Value]) = if call.magic <= 2 {
        (&encoding::PROGRAM, encoding::NATIVES, &[&intrinsics.symbol_to_string_tag])
    } else {
        (&url::PROGRAM, url::NATIVES, &[&intrinsics.symbol_iterator, &intrinsics.symbol_to_string_tag])
    };
    let natives = ctx.object()?;
    for (name, native) in list {
        natives.define(name, function(ctx, state, name, 0, 0, *native)?, HIDDEN)?;
    }
    let mut all = vec![&natives];
    all.extend(args);
    // SAFETY: the context is valid, and its VM this thread's.
    let made = unsafe { ctx.own(program.run(ctx.raw())) }?;
    let classes = made.call(&ctx.undefined(), &all)?;
    let first = if call.magic <= 2 { 1 } else { 3 };
    for at in [first, first + 1] {
        let class = classes.get(LAZY_NAMES[at])?;
        state.made.borrow_mut()[at] = Some(class);
    }
    if first == 3 {
        let describe = classes.get(c"describe")?;
        *state.describe_url.borrow_mut() = Some(describe);
    }
    let made = state.made.borrow()[call.magic].clone();
    made.ok_or_else(|| ctx.internal_error("a program of the loader made nothing; this is a bug of polyplug"))
}

fn set_timer(call: &Call<'_>, name: &str, repeat: bool) -> Res<Value> {
    let callback = call.arg(0);
    if !callback.is_function() {
        return Err(call.ctx.type_error(&format!("the first argument of {name} must be a function")));
    }
    // Throws after `close`.
    call.state.intrinsics(call.ctx)?;
    let delay = call.arg(1);
    let delay = if delay.is_undefined() { 0.0 } else { delay.to_number()? };
    let id = call.state.timers.borrow_mut().add(timers::delay(delay), callback, call.rest(2), repeat);
    match id {
        Some(id) => Ok(call.ctx.number(f64::from(id))),
        None => Err(call.ctx.range_error(&format!("{} timers wait already", timers::MOST))),
    }
}

/// Ends a timer. Ignores values that are not the id of a timer.
fn clear_timer(call: &Call<'_>) -> Res<Value> {
    let id = call.arg(0);
    if id.is_number() || id.is_string() {
        // The conversion saturates, and no timer has the id 0.
        let id = id.to_number()? as u32;
        let timer = call.state.timers.borrow_mut().remove(id);
        drop(timer);
    }
    call.undefined()
}
