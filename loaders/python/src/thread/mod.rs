//! Threads in the interpreter: how they attach, detach, are interrupted and are waited for at shutdown.
//!
//! - `interrupt`: [`interrupt`] raises an exception in another thread.
//! - `line_trace`: [`raise_at_each_line`] raises an exception again and again in this thread, until [`stop_raising`].
//! - `record`: [`ThreadRecord`](record::ThreadRecord), one per thread that calls guests, says whether the thread is
//!   inside the interpreter.
//! - `attached`: [`Attached`] and [`attach`] attach the thread.
//! - `detached`: [`detach`] detaches the thread for the time of a call into the host.
//! - `drop_attached`: [`DropAttached`] and [`drop_attached`] drop Python objects on an attached thread.
//! - `shutdown`: [`shut_down`] lets no thread in any more and waits for those inside.
//!
//! Invariant: a thread attaches or detaches only while its record says that the thread is inside, so that [`shut_down`]
//! waits for it. Attaching to an interpreter that is shutting down would hang the thread, or end the thread with Rust's
//! frames on its stack.

mod attached;
mod detached;
mod drop_attached;
mod interrupt;
mod line_trace;
mod record;
mod shutdown;

pub(crate) use attached::{Attached, attach};
pub(crate) use detached::detach;
pub(crate) use drop_attached::{DropAttached, drop_attached};
pub(crate) use interrupt::{cancel_interrupt, ident, interrupt};
pub(crate) use line_trace::{is_raising, raise_at_each_line, stop_raising};
pub(crate) use record::is_closing;
pub(crate) use shutdown::shut_down;
