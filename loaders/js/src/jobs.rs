//! Promises: the jobs that settle them, and their rejections.

use std::ffi::c_void;
use std::time::Duration;

use polyplug::LogLevel;
use polyplug::engine::Fault;
use rquickjs::qjs;

use crate::js::{Js, Pending, Value};
use crate::state::State;

/// The failure of a call of a function.
pub(crate) enum Raised {
    /// The value that the function has thrown.
    Thrown(Value),
    /// A fault that no value stands for.
    Fault(Fault),
}

/// The number of jobs that run at the end of a call.
const MOST_JOBS: u32 = 10_000;

/// The longest time for which a thread sleeps, before it looks again whether the time of the call is up.
const LONGEST_SLEEP: Duration = Duration::from_millis(20);

impl State {
    /// Has QuickJS report promises that are rejected without a handler.
    pub(crate) fn track_rejections(&self) {
        // SAFETY: the invariant of `Js`.
        unsafe { qjs::JS_SetHostPromiseRejectionTracker(self.js().runtime(), Some(track), std::ptr::null_mut()) };
    }

    /// Returns the failure as a fault.
    #[cold]
    pub(crate) fn raised(&self, raised: Raised) -> Fault {
        match raised {
            Raised::Thrown(value) => self.fault_of(&value),
            Raised::Fault(fault) => fault,
        }
    }

    /// Waits for the promise that a function has returned. Other values are returned as they are.
    ///
    /// # Errors
    ///
    /// The function has thrown, the promise is rejected or can never settle, or the time of the call is up.
    #[inline]
    pub(crate) fn settled(&self, returned: Result<Value, Pending>) -> Result<Value, Raised> {
        match returned {
            Ok(value) if value.is_promise() => self.settle(&value),
            Ok(value) => Ok(value),
            Err(pending) => Err(Raised::Thrown(self.js().exception(pending))),
        }
    }

    #[cold]
    fn settle(&self, promise: &Value) -> Result<Value, Raised> {
        let js = self.js();
        // SAFETY: the invariant of `Js`; the promise is the VM's.
        let state = || unsafe { qjs::JS_PromiseState(js.context(), promise.raw()) };
        loop {
            match state() {
                qjs::JSPromiseStateEnum_JS_PROMISE_PENDING => {}
                rejected_or_not => {
                    // SAFETY: the invariant of `Js`; the promise has settled, and the caller owns its result.
                    let result = unsafe { js.own(qjs::JS_PromiseResult(js.context(), promise.raw())) };
                    let result = result.unwrap_or_else(|_| js.undefined());
                    if rejected_or_not == qjs::JSPromiseStateEnum_JS_PROMISE_REJECTED {
                        self.forget_rejection(promise);
                        return Err(Raised::Thrown(result));
                    }
                    return Ok(result);
                }
            }
            if !self.step().map_err(Raised::Fault)? {
                if self.memory.was_refused() {
                    // What would have settled the promise is lost.
                    return Err(Raised::Fault(self.out_of_memory()));
                }
                let reason =
                    "the promise that was returned can never settle: no job and no timer is left that could do so";
                return Err(Raised::Fault(Fault::new(reason)));
            }
        }
    }

    /// Runs a job, or waits for a timer and runs it. Returns whether there was one.
    fn step(&self) -> Result<bool, Fault> {
        if self.deadline.is_over() {
            return Err(self.limits.out_of_time(self.guest.bundle()));
        }
        let js = self.js();
        if self.has_job() {
            self.report(js.run_job())?;
            return Ok(true);
        }
        let Some(wait) = self.next_timer() else { return Ok(false) };
        if wait.is_zero() {
            self.run_timers()?;
        } else {
            std::thread::sleep(wait.min(LONGEST_SLEEP));
        }
        Ok(true)
    }

    /// Returns whether jobs, timers or rejections wait for the end of a call.
    #[inline]
    pub(crate) fn has_work(&self) -> bool {
        self.has_job() || !self.rejected.borrow().is_empty() || self.next_timer().is_some()
    }

    /// Runs the jobs that are left, and the timers that are due. Reports the promises that were rejected without a handler.
    /// Jobs that go on without end do not keep the call: what is left after [`MOST_JOBS`] runs in later calls.
    ///
    /// # Errors
    ///
    /// The time of the call is up.
    #[cold]
    pub(crate) fn run_jobs(&self) -> Result<(), Fault> {
        let js = self.js();
        // A timer that sets itself again without a delay runs once a call.
        let (mut may_run_timers, mut left) = (true, MOST_JOBS);
        loop {
            while self.has_job() && left > 0 {
                left -= 1;
                if self.deadline.is_over() {
                    return Err(self.limits.out_of_time(self.guest.bundle()));
                }
                self.report(js.run_job())?;
            }
            if !std::mem::take(&mut may_run_timers) || self.next_timer().is_none_or(|wait| !wait.is_zero()) {
                break;
            }
            self.run_timers()?;
        }
        for (_, reason) in self.rejected.take() {
            let text = self.describe_rejection(&reason);
            self.guest.log(LogLevel::Error, &format!("a promise was rejected, and nothing handles that: {text}"));
        }
        Ok(())
    }

    fn describe_rejection(&self, reason: &Value) -> String {
        self.guest.describe(&self.fault_of(reason))
    }

    fn run_timers(&self) -> Result<(), Fault> {
        // SAFETY: the web's values are those of this state's context.
        let ran = unsafe { self.web().run_due(self.js().context()) };
        self.report(ran.map_err(|()| Pending))
    }

    #[inline]
    fn next_timer(&self) -> Option<Duration> {
        // SAFETY: the web's values are those of this state's context.
        unsafe { self.web().next_timer(self.js().context()) }
    }

    /// Writes the failure of a job, which has no caller, to the log.
    ///
    /// # Errors
    ///
    /// The time of the call is up.
    fn report(&self, ran: Result<(), Pending>) -> Result<(), Fault> {
        let Err(pending) = ran else { return Ok(()) };
        let fault = self.fault(pending);
        if self.deadline.is_over() {
            return Err(fault);
        }
        self.guest.log(LogLevel::Error, &format!("a job failed: {}", self.guest.describe(&fault)));
        Ok(())
    }

    /// Forgets that a promise was rejected.
    fn forget_rejection(&self, promise: &Value) {
        let is_other = |of: &Value| of.address() != promise.address();
        self.rejected.borrow_mut().retain(|(of, _)| is_other(of));
    }
}

/// Notes that a promise was rejected without a handler, or that it has one now.
///
/// # Safety
///
/// QuickJS calls the function.
unsafe extern "C" fn track(
    context: *mut qjs::JSContext,
    promise: qjs::JSValue,
    reason: qjs::JSValue,
    is_handled: bool,
    _: *mut c_void,
) {
    // SAFETY: the caller's promise: the context is valid, and the values are the VM's.
    unsafe {
        let js = Js::new(context);
        let (state, promise) = (State::of(js.runtime()), js.share(promise));
        if is_handled {
            state.forget_rejection(&promise);
        } else {
            state.rejected.borrow_mut().push((promise, js.share(reason)));
        }
    }
}
