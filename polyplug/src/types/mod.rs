//! Types that may cross between host and plugin, and how their values do.
//!
//! A value crosses in *canonical memory*: a C layout that every language can read. The sender *lowers* its Rust value
//! into that form, the receiver *lifts* it out again and checks everything on the way. [`Type`] ties a Rust type to
//! its canonical form; `#[derive(polyplug::Type)]` implements it for structs and enums.

mod argument;
mod boxed;
mod forms;
mod lift;
mod list;
mod lower;
mod map;
mod option;
mod result;
mod scalar;
mod text;
mod tuple;
mod ty;

pub use argument::Argument;
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
