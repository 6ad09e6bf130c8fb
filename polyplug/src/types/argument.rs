//! The types of arguments that a method takes by reference.

use crate::schema::{TypeRef, Types};
use crate::types::forms::RawList;
use crate::types::lift::LiftError;
use crate::types::list::{ListArgument, has_size};
use crate::types::lower::Lend;
use crate::types::text;
use crate::types::ty::Type;

/// A type that an argument of a contract's method may refer to: any [`Type`], and `str` and `[T]`, which have no size.
///
/// The caller lends the argument. The callee reads it in the caller's memory if the layouts agree, otherwise from a
/// lifted value.
///
/// # Safety
///
/// `lower` must return the lowered value that `lift` and every other language expect of the described type. Leave the
/// implementation to the derive.
#[diagnostic::on_unimplemented(
    message = "`&{Self}` cannot be an argument of a contract's method",
    label = "`{Self}` does not implement `polyplug::Type`",
    note = "write `#[derive(polyplug::Type)]` on the definition of `{Self}` if it is yours; docs/src/types.md lists what can cross"
)]
pub unsafe trait Argument {
    /// The type of the lowered value.
    #[doc(hidden)]
    type Canon: Copy;
    /// The value that the callee holds during the call.
    #[doc(hidden)]
    type Held<'a>;
    /// True if lowering needs memory beyond the lowered value itself.
    #[doc(hidden)]
    const NEEDS_ROOM: bool;
    /// As of [`Type::NEWEST`].
    #[doc(hidden)]
    const NEWEST: u64 = 0;

    /// Describes the type for the contract's schema.
    #[doc(hidden)]
    fn describe(types: &mut Types) -> TypeRef;

    /// Lowers the argument, with pointers into `self` or into the arena of `to`.
    #[doc(hidden)]
    fn lower(&self, to: &mut Lend) -> Self::Canon;

    /// Lifts the value that the callee holds during the call.
    ///
    /// # Safety
    ///
    /// Pointers in `canon` that are not null must point at readable memory of the length that goes with them. That
    /// memory must stay unchanged for `'a`.
    #[doc(hidden)]
    unsafe fn lift<'a>(canon: &'a Self::Canon) -> Result<Self::Held<'a>, LiftError>;

    /// Returns the argument with the type of the method's signature.
    #[doc(hidden)]
    fn view<'h>(held: &'h Self::Held<'_>) -> &'h Self;
}

// SAFETY: `lower` and `lift` use the canonical layout of `String`, whose type `describe` returns.
unsafe impl Argument for str {
    type Canon = RawList<u8>;
    type Held<'a> = &'a str;
    const NEEDS_ROOM: bool = false;

    fn describe(_: &mut Types) -> TypeRef {
        TypeRef::String
    }

    #[inline]
    fn lower(&self, to: &mut Lend) -> RawList<u8> {
        to.bytes(self.as_bytes())
    }

    #[inline]
    unsafe fn lift(canon: &RawList<u8>) -> Result<&str, LiftError> {
        // SAFETY: the bytes are readable and stay unchanged for `'a` (the caller's promise).
        unsafe { text::lift_str(*canon) }
    }

    #[inline]
    fn view<'h>(held: &'h &str) -> &'h str {
        held
    }
}

// SAFETY: `lower` and `lift` use the canonical layout of `Vec<T>`, whose type `describe` returns.
unsafe impl<T: Type> Argument for [T] {
    type Canon = RawList<T::Canon>;
    type Held<'a> = ListArgument<'a, T>;
    const NEEDS_ROOM: bool = has_size::<T>() && !T::PLAIN;
    const NEWEST: u64 = T::NEWEST;

    fn describe(types: &mut Types) -> TypeRef {
        TypeRef::list(T::describe(types))
    }

    #[inline]
    fn lower(&self, to: &mut Lend) -> RawList<T::Canon> {
        to.list(self)
    }

    #[inline]
    unsafe fn lift<'a>(canon: &'a RawList<T::Canon>) -> Result<ListArgument<'a, T>, LiftError> {
        // SAFETY: the elements are readable and stay unchanged for `'a` (the caller's promise).
        unsafe { ListArgument::lift(*canon) }
    }

    #[inline]
    fn view<'h>(held: &'h ListArgument<'_, T>) -> &'h [T] {
        held.as_slice()
    }
}
