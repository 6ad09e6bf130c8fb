//! The use of types in generated code whose values may turn out not to cross.
//!
//! Generated code needs the implementation of [`Type`] of each type that it mentions in many places, and the compiler
//! would report a missing one at each of them. So generated code asks [`Check`] once for each type whether it is
//! implemented, uses the type by [`Crosses`] or [`Lends`] with the answer, and demands the implementation in one more
//! place. That one is reported.

use std::marker::PhantomData;

use crate::schema::{TypeRef, Types};
use crate::types::argument::Argument;
use crate::types::lift::{Depth, LiftError};
use crate::types::lower::{Lend, Lower};
use crate::types::map::MapKey;
use crate::types::ty::Type;

/// The question whether values of `T` can cross: `<Check<T>>::CROSSES`, with [`Otherwise`] in scope.
pub struct Check<T: ?Sized>(PhantomData<T>);

impl<T: Type> Check<T> {
    /// True, as `T` implements [`Type`].
    pub const CROSSES: bool = true;
}

impl<T: MapKey> Check<T> {
    /// True, as `T` implements [`MapKey`].
    pub const IS_KEY: bool = true;
}

/// The answers for types that do not implement the traits. The compiler prefers the constants of [`Check`] itself.
pub trait Otherwise {
    /// False, as the type does not implement [`Type`].
    const CROSSES: bool = false;
    /// False, as the type does not implement [`MapKey`].
    const IS_KEY: bool = false;
}

impl<T: ?Sized> Otherwise for Check<T> {}

/// Demands that values of `T` can be the keys of a map.
pub const fn demand_key<T: MapKey>() {}

/// A type of which [`Check`] tells whether its values can cross. Has the items of [`Type`].
///
/// # Safety
///
/// As of [`Type`].
pub unsafe trait Crosses<const CROSSES: bool>: Sized {
    /// The type of the lowered value.
    type Canon: Copy;
    /// As of [`Type::PLAIN`].
    const PLAIN: bool;
    /// As of [`Type::POINTS`].
    const POINTS: bool;
    /// As of [`Type::NEEDS_ROOM`].
    const NEEDS_ROOM: bool;
    /// As of [`Type::NEWEST`].
    const NEWEST: u64;

    /// Describes the type for the contract's schema.
    fn describe(types: &mut Types) -> TypeRef;

    /// Lowers the value.
    fn lower<const COPY: bool>(&self, to: &mut Lower<COPY>) -> Self::Canon;

    /// Lifts a value.
    ///
    /// # Errors
    ///
    /// Fails if the lowered value is not a value of the type.
    ///
    /// # Safety
    ///
    /// As of [`Type::lift`].
    unsafe fn lift(canon: &Self::Canon, depth: Depth) -> Result<Self, LiftError>;
}

// SAFETY: the implementation is that of `Type`.
unsafe impl<T: Type> Crosses<true> for T {
    type Canon = T::Canon;
    const PLAIN: bool = T::PLAIN;
    const POINTS: bool = T::POINTS;
    const NEEDS_ROOM: bool = T::NEEDS_ROOM;
    const NEWEST: u64 = T::NEWEST;

    fn describe(types: &mut Types) -> TypeRef {
        T::describe(types)
    }

    #[inline(always)]
    fn lower<const COPY: bool>(&self, to: &mut Lower<COPY>) -> T::Canon {
        T::lower(self, to)
    }

    #[inline(always)]
    unsafe fn lift(canon: &T::Canon, depth: Depth) -> Result<T, LiftError> {
        // SAFETY: the caller's promise is that of `Type::lift`.
        unsafe { T::lift(canon, depth) }
    }
}

// SAFETY: code that uses the implementation does not compile, as it demands `Type` elsewhere.
unsafe impl<T> Crosses<false> for T {
    type Canon = u8;
    const PLAIN: bool = false;
    const POINTS: bool = false;
    const NEEDS_ROOM: bool = false;
    const NEWEST: u64 = 0;

    fn describe(_: &mut Types) -> TypeRef {
        unreachable!()
    }

    fn lower<const COPY: bool>(&self, _: &mut Lower<COPY>) -> u8 {
        unreachable!()
    }

    unsafe fn lift(_: &u8, _: Depth) -> Result<T, LiftError> {
        unreachable!()
    }
}

/// A type to which an argument may refer, if `CROSSES` is true. Has the items of [`Argument`].
///
/// # Safety
///
/// As of [`Argument`].
pub unsafe trait Lends<const CROSSES: bool> {
    /// The type of the lowered value.
    type Canon: Copy;
    /// The value that the callee holds during the call.
    type Held<'a>;
    /// As of [`Argument::NEEDS_ROOM`].
    const NEEDS_ROOM: bool;
    /// As of [`Argument::NEWEST`].
    const NEWEST: u64;

    /// Describes the type for the contract's schema.
    fn describe(types: &mut Types) -> TypeRef;

    /// Lowers the argument.
    fn lower(&self, to: &mut Lend) -> Self::Canon;

    /// Lifts the value that the callee holds during the call.
    ///
    /// # Errors
    ///
    /// Fails if the lowered value is not a value of the type.
    ///
    /// # Safety
    ///
    /// As of [`Argument::lift`].
    unsafe fn lift<'a>(canon: &'a Self::Canon) -> Result<Self::Held<'a>, LiftError>;

    /// Returns the argument with the type of the method's signature.
    fn view<'h>(held: &'h Self::Held<'_>) -> &'h Self;
}

// SAFETY: the implementation is that of `Argument`.
unsafe impl<T: Argument + ?Sized> Lends<true> for T {
    type Canon = T::Canon;
    type Held<'a> = T::Held<'a>;
    const NEEDS_ROOM: bool = T::NEEDS_ROOM;
    const NEWEST: u64 = T::NEWEST;

    fn describe(types: &mut Types) -> TypeRef {
        T::describe(types)
    }

    #[inline(always)]
    fn lower(&self, to: &mut Lend) -> T::Canon {
        T::lower(self, to)
    }

    #[inline(always)]
    unsafe fn lift<'a>(canon: &'a T::Canon) -> Result<T::Held<'a>, LiftError> {
        // SAFETY: the caller's promise is that of `Argument::lift`.
        unsafe { T::lift(canon) }
    }

    #[inline(always)]
    fn view<'h>(held: &'h T::Held<'_>) -> &'h T {
        T::view(held)
    }
}

// SAFETY: code that uses the implementation does not compile, as it demands `Argument` elsewhere.
unsafe impl<T: ?Sized> Lends<false> for T {
    type Canon = u8;
    type Held<'a> = ();
    const NEEDS_ROOM: bool = false;
    const NEWEST: u64 = 0;

    fn describe(_: &mut Types) -> TypeRef {
        unreachable!()
    }

    fn lower(&self, _: &mut Lend) -> u8 {
        unreachable!()
    }

    unsafe fn lift(_: &u8) -> Result<(), LiftError> {
        unreachable!()
    }

    fn view(_: &()) -> &T {
        unreachable!()
    }
}
