//! The data that crosses the C ABI: checks of foreign tables, calls through them, and memory for the calls.
//!
//! - [`CallArenaGuard`](arena::CallArenaGuard): an arena for one call.
//! - [`AlignedBuffer`](buffer::AlignedBuffer): memory for lowered arguments or a lowered result.
//! - [`Dispatch`](dispatch::Dispatch): the dispatch of one table's methods.
//! - [`CallFrame`](dispatch::CallFrame): the pointers that a call passes on.
//! - [`ObjectTokens`](object_tokens::ObjectTokens): the tokens of objects, for code that passes an object on in another
//!   form.
//! - [`SlotMap`](slot_map::SlotMap): a map from tokens to the instances that are called through the C ABI.
//! - [`HostTable`](table::HostTable): a pointer to the host's table of functions.
//!
//! Invariant: no function of an interface is called before [`check_functions`](interface::check_functions) has found it
//! not null.

pub(crate) mod arena;
pub(crate) mod buffer;
pub(crate) mod dispatch;
pub(crate) mod failure;
pub(crate) mod interface;
pub(crate) mod log;
pub(crate) mod object_tokens;
pub(crate) mod slot_map;
pub(crate) mod stderr;
pub(crate) mod table;
