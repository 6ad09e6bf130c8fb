//! Arguments that a method takes by reference.

use crate::schema::{TypeRef, Types};
use crate::types::forms::RawList;
use crate::types::lift::LiftError;
use crate::types::list::{ListArgument, has_size};
use crate::types::lower::Lend;
use crate::types::text;
use crate::types::ty::Type;

/// What may stand behind `&` in a contract's method beside any [`Type`]: `str` and `[T]`, which have no size.
///
/// The caller lends it; the callee sees it where it lies, where that is possible, or a lifted value.
///
/// # Safety
///
/// As for [`Type`].
#[diagnostic::on_unimplemented(
    message = "`&{Self}` cannot be an argument of a contract's method",
    label = "`{Self}` does not implement `polyplug::Type`",
    note = "write `#[derive(polyplug::Type)]` on the definition of `{Self}` if it is yours; docs/src/types.md lists what can cross"
)]
pub unsafe trait Argument {
    /// The canonical form.
    #[doc(hidden)]
    type Canon: Copy;
    /// What the callee holds during the call.
    #[doc(hidden)]
    type Held<'a>;
    /// Whether lowering needs room beyond the form itself.
    #[doc(hidden)]
    const NEEDS_ROOM: bool;

    /// The type in the language-neutral description of a contract.
    #[doc(hidden)]
    fn describe(types: &mut Types) -> TypeRef;

    /// The canonical form, with pointers into `self` or into the arena of `to`.
    #[doc(hidden)]
    fn lower(&self, to: &mut Lend) -> Self::Canon;

    /// What the callee works with.
    ///
    /// # Safety
    ///
    /// As for [`Type::lift`], and the memory must stay unchanged for `'a`.
    #[doc(hidden)]
    unsafe fn lift<'a>(canon: &'a Self::Canon) -> Result<Self::Held<'a>, LiftError>;

    /// The argument as the method's signature has it.
    #[doc(hidden)]
    fn view<'h>(held: &'h Self::Held<'_>) -> &'h Self;
}

// SAFETY: the form of `String`.
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
        // SAFETY: the caller's promise.
        unsafe { text::lift_str(*canon) }
    }

    #[inline]
    fn view<'h>(held: &'h &str) -> &'h str {
        held
    }
}

// SAFETY: the form of `Vec<T>`.
unsafe impl<T: Type> Argument for [T] {
    type Canon = RawList<T::Canon>;
    type Held<'a> = ListArgument<'a, T>;
    const NEEDS_ROOM: bool = has_size::<T>() && !T::PLAIN;

    fn describe(types: &mut Types) -> TypeRef {
        TypeRef::list(T::describe(types))
    }

    #[inline]
    fn lower(&self, to: &mut Lend) -> RawList<T::Canon> {
        to.list(self)
    }

    #[inline]
    unsafe fn lift<'a>(canon: &'a RawList<T::Canon>) -> Result<ListArgument<'a, T>, LiftError> {
        // SAFETY: the caller's promise.
        unsafe { ListArgument::lift(*canon) }
    }

    #[inline]
    fn view<'h>(held: &'h ListArgument<'_, T>) -> &'h [T] {
        held.as_slice()
    }
}
