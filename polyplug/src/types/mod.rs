//! Types that may cross between host and plugin, and how their values do.
//!
//! A value crosses in *canonical memory*: a C layout that every language can read. The sender *lowers* its Rust value
//! into that form, the receiver *lifts* it out again and checks everything on the way. [`Type`] ties a Rust type to
//! its canonical form; `#[derive(polyplug::Type)]` implements it for structs and enums.

mod argument;
mod boxed;
mod lift;
mod list;
mod lower;
mod map;
mod option;
mod result;
mod scalar;
mod text;
mod tuple;

pub use argument::Argument;
pub use boxed::RawBox;
pub use lift::{Depth, LiftError, NESTING_LIMIT};
pub use list::{ListArgument, RawList};
pub use lower::{Give, Lend, Lower, LowerError};
pub use map::{MapKey, RawPair};
pub use option::{OptionalForm, RawOption};
pub use result::{RawResult, ResultPayload};
#[cfg(feature = "host")]
pub(crate) use text::lift_str;
pub use text::utf8;
pub use tuple::{RawTuple1, RawTuple2, RawTuple3, RawTuple4, RawTuple5, RawTuple6, RawTuple7, RawTuple8};

use crate::schema::{TypeRef, Types};

/// A type whose values can cross between host and plugin.
///
/// Implemented for the scalars, `char`, `bool`, `String`, `Vec<T>`, `Option<T>`, `Box<T>`, tuples of up to eight, maps
/// (`HashMap` and `BTreeMap`), `Result<T, E>` and `()`; derive it for structs (records) and enums:
///
/// ```
/// # use polyplug::Type;
/// #[derive(Debug, Clone, PartialEq, polyplug::Type)]
/// pub struct Point {
///     pub x: f64,
///     pub y: f64,
///     pub label: Option<String>,
/// }
///
/// #[derive(Debug, Clone, PartialEq, polyplug::Type)]
/// pub enum Shape {
///     Empty,
///     Circle { centre: Point, radius: f64 },
///     Polygon(Vec<Point>),
/// }
/// ```
///
/// # Safety
///
/// `PLAIN` promises that a slice of `Self` is a slice of `Canon` and that every bit pattern of `Canon` is a value of
/// `Self`. `lower` must return what `lift` and every other language expect of the described type. Leave both to the
/// derive.
#[diagnostic::on_unimplemented(
    message = "values of `{Self}` cannot cross between host and plugin",
    label = "`{Self}` does not implement `polyplug::Type`",
    note = "write `#[derive(polyplug::Type)]` on the definition of `{Self}` if it is yours; docs/src/types.md lists what can cross"
)]
pub unsafe trait Type: Sized + 'static {
    /// The canonical form: `repr(C)`, every bit pattern valid.
    #[doc(hidden)]
    type Canon: Copy;
    /// The canonical form of `Option<Self>`.
    #[doc(hidden)]
    type Optional: OptionalForm<Self::Canon>;
    /// Whether slices cross without a copy: same layout, every bit pattern a value.
    #[doc(hidden)]
    const PLAIN: bool = false;
    /// Whether the canonical form holds pointers, so that a result needs an arena.
    #[doc(hidden)]
    const POINTS: bool;
    /// Whether lowering an argument needs room beyond the form itself.
    #[doc(hidden)]
    const NEEDS_ROOM: bool = false;

    /// The type in the language-neutral description of a contract.
    #[doc(hidden)]
    fn describe(types: &mut Types) -> TypeRef;

    /// The canonical form of `self`, whose pointers are into `self` or into the arena of `to`.
    #[doc(hidden)]
    fn lower<const COPY: bool>(&self, to: &mut Lower<COPY>) -> Self::Canon;

    /// The value of a canonical form.
    ///
    /// # Safety
    ///
    /// Pointers in `canon` that are not null must point at readable memory of the length that goes with them.
    #[doc(hidden)]
    unsafe fn lift(canon: &Self::Canon, depth: Depth) -> Result<Self, LiftError>;
}
