//! Adapters between two versions of a contract within a major, of which one has fields or cases that the other lacks.
//!
//! - [`MethodMap`](method_map::MethodMap): the methods of a callee in the order of the caller's contract, each with an
//!   adapter if its types have grown
//! - [`MethodLists`](method_lists::MethodLists): these methods, and those of the objects that they take
//! - [`Adapter`](call::Adapter): the conversions of one method's arguments and result
//! - [`Conversions`](conversion::Conversions): the conversions from one side's layouts to the other's, compiled from both
//!   schemas
//!
//! Invariant: a conversion reads what the sending side's schema describes, and writes what the receiving side's schema
//! describes. The receiver checks the values, as it does without an adapter. The adapter checks only what it follows
//! itself: tags, pointers and lengths.

pub(crate) mod call;
pub(crate) mod compile;
mod conversion;
mod method_lists;
pub(crate) mod method_map;
