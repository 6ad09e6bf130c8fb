//! The types that may cross between host and plugin, with the conversions of their values.
//!
//! A value crosses in *canonical memory*: a C layout that every language can read. The sender *lowers* its Rust value
//! into canonical memory; the receiver checks the memory and *lifts* a Rust value out of it.
//!
//! - [`Type`]: a type whose values can cross; `#[derive(polyplug::Type)]` implements the trait for structs and enums
//! - [`Argument`]: a type that an argument of a method may refer to
//! - [`MapKey`]: a type whose values can be the keys of a map
//! - [`Lower`], [`Lend`], [`Give`]: the targets of lowering; [`LowerError`]: the reason for which it failed
//! - [`Depth`]: the level of nesting of a value being lifted; [`LiftError`]: the reason for which lifting failed
//! - [`ListArgument`]: a list as the callee sees it
//! - [`RawList`], [`RawOption`], [`RawBox`], [`RawResult`], [`RawPair`], `RawTuple1` to `RawTuple8`: canonical layouts
//! - [`OptionalForm`]: the canonical layout of an option, which depends on the type of its value
//! - [`Check`], [`Crosses`], [`Lends`]: a type in generated code, of which the compiler reports once that it cannot cross
//!
//! Invariant: every bit pattern of a canonical layout is valid, so lifting may read memory that any sender has written,
//! and checks the values afterwards.

mod argument;
mod boxed;
mod checked;
mod default;
mod forms;
mod lift;
mod list;
mod lower;
mod map;
mod option;
pub(crate) mod own_arena;
mod result;
mod scalar;
mod short;
mod text;
mod tuple;
mod ty;

pub use argument::Argument;
#[doc(hidden)]
pub use checked::{Check, Crosses, Lends, Otherwise, demand_key};
pub use forms::{OptionalForm, RawBox, RawList, RawOption, RawResult, ResultPayload};
pub use lift::{Depth, LiftError, NESTING_LIMIT};
pub use list::ListArgument;
pub use lower::{Give, Lend, Lower, LowerError};
pub use map::{MapKey, RawPair};
#[cfg(feature = "host")]
pub(crate) use text::lift_str;
pub use text::utf8;
pub use tuple::{RawTuple1, RawTuple2, RawTuple3, RawTuple4, RawTuple5, RawTuple6, RawTuple7, RawTuple8};
pub use ty::Type;
