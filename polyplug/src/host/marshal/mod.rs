//! Moves values between canonical memory and an engine: the host's dynamic values, or the VM of a language.
//!
//! The nodes of a contract's [`Plan`](crate::schema::plan::Plan) are followed by their numbers. Engines differ only in
//! how they make and read single values. Names were replaced by numbers when the plan was compiled, and an engine maps
//! these numbers to its own keys for fields and cases. So no names are looked up, and only the value itself is
//! allocated.
//!
//! - [`Lifting`](lift::Lifting): lifts values of one contract; asks the engine to build each of them.
//! - [`Lowering`](lower::Lowering): lowers values of one contract; asks the engine to read each of them.
//! - [`Build`](build::Build): an engine that makes values.
//! - [`Read`](read::Read): an engine whose values can be read.
//! - [`Located`](located::Located): an error that knows where in a value it happened.
//! - [`Integer`](number::Integer), [`Float`](number::Float): numbers with the width that a contract gives them.
//! - [`Keys`](keys::Keys): the keys of a map, each of which must be unique.
//!
//! Invariant: lifting trusts no tag, length, alignment or text; a pointer that is not null must lead to readable memory
//! of the length beside it.

pub(crate) mod build;
pub(crate) mod keys;
pub(crate) mod lift;
pub(crate) mod located;
pub(crate) mod lower;
pub(crate) mod number;
pub(crate) mod read;
