//! The trait of types whose values can cross.

use std::any::TypeId;

use crate::schema::{Definition, TypeRef, Types};
use crate::types::forms::OptionalForm;
use crate::types::lift::{Depth, LiftError};
use crate::types::lower::Lower;

/// A type whose values can cross between host and plugin.
///
/// The trait is implemented for the scalars, `char`, `bool`, `String`, `Vec<T>`, `Option<T>`, `Box<T>`, tuples of up to
/// eight, maps (`HashMap` and `BTreeMap`), `Result<T, E>` and `()`. Derive it for structs (records) and enums:
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
/// `Self`. `lower` must return the lowered value that `lift` and every other language expect of the described type.
/// Leave both to the derive.
#[diagnostic::on_unimplemented(
    message = "values of `{Self}` cannot cross between host and plugin",
    label = "`{Self}` does not implement `polyplug::Type`",
    note = "write `#[derive(polyplug::Type)]` on the definition of `{Self}` if it is yours; docs/src/types.md lists what can cross"
)]
pub unsafe trait Type: Sized + 'static {
    /// The type of the lowered value, which has the canonical layout: `repr(C)`, every bit pattern valid.
    #[doc(hidden)]
    type Canon: Copy;
    /// The type of the lowered value of `Option<Self>`.
    #[doc(hidden)]
    type Optional: OptionalForm<Self::Canon>;
    /// True if slices cross without a copy, because `Self` has the layout of `Canon` and every bit pattern is a value.
    #[doc(hidden)]
    const PLAIN: bool = false;
    /// True if the lowered value has pointers, so that a result needs an arena.
    #[doc(hidden)]
    const POINTS: bool;
    /// True if lowering an argument needs memory beyond the lowered value itself.
    #[doc(hidden)]
    const NEEDS_ROOM: bool = false;
    /// The newest version of a contract that a part of the type names as the one that introduced the part: the major
    /// version in the upper half, the minor version in the lower. The fields' own types are not asked, because they may
    /// lead back to this type.
    #[doc(hidden)]
    const NEWEST: u64 = 0;

    /// Describes the type for the contract's schema.
    #[doc(hidden)]
    fn describe(types: &mut Types) -> TypeRef;

    /// Lowers the value, with pointers into `self` or into the arena of `to`.
    #[doc(hidden)]
    fn lower<const COPY: bool>(&self, to: &mut Lower<COPY>) -> Self::Canon;

    /// Lifts a value.
    ///
    /// # Safety
    ///
    /// Pointers in `canon` that are not null must point at readable memory of the length that goes with them.
    #[doc(hidden)]
    unsafe fn lift(canon: &Self::Canon, depth: Depth) -> Result<Self, LiftError>;
}

impl Types {
    /// Returns a reference to the definition of `T`, which `describe` makes on first use. A definition may refer to
    /// itself.
    pub fn define<T: Type>(&mut self, describe: impl FnOnce(&mut Self) -> Definition) -> TypeRef {
        const { assert!(size_of::<T::Canon>() > 0, "a record needs a field that has a size: `()` has none") };
        self.define_once(TypeId::of::<T>(), describe)
    }
}
