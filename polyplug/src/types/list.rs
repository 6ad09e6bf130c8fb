//! Lists.

use std::any::TypeId;

use super::forms::RawList;
use crate::schema::{TypeRef, Types};
use crate::types::forms::RawOption;
use crate::types::lift::{Depth, LiftError};
use crate::types::lower::Lower;
use crate::types::ty::Type;

/// Returns true, or fails to compile for elements without a size: any length of such a list would fit into any memory.
pub(super) const fn has_size<T: Type>() -> bool {
    assert!(size_of::<T::Canon>() > 0, "a list's elements must have a size: `()` cannot be listed");
    true
}

/// Returns whether a list of `T` is bytes, which do not count as a level of nesting.
#[inline]
pub(super) fn are_bytes<T: 'static>() -> bool {
    TypeId::of::<T>() == TypeId::of::<u8>()
}

impl<const COPY: bool> Lower<COPY> {
    /// Lowers a list.
    #[inline]
    pub fn list<T: Type>(&mut self, items: &[T]) -> RawList<T::Canon> {
        const { assert!(has_size::<T>()) };
        // A level of nesting even if empty or plain: a receiver in another language counts it without knowing `PLAIN`.
        if (items.is_empty() || T::PLAIN) && !are_bytes::<T>() && !self.nested(|_| {}) {
            return RawList::empty();
        }
        if T::PLAIN {
            let list = self.plain(items);
            return RawList { ptr: list.ptr.cast(), len: list.len };
        }
        if items.is_empty() {
            return RawList::empty();
        }
        let Some(start) = self.room::<T::Canon>(items.len()) else { return RawList::empty() };
        self.nested(|to| {
            for (i, item) in items.iter().enumerate() {
                let canon = item.lower(to);
                // SAFETY: `room` returned memory for `items.len()` lowered values, and `i` is less.
                unsafe { start.add(i).write(canon) };
            }
        });
        RawList { ptr: start, len: items.len() }
    }
}

/// Lifts each element of a list whose elements need checking.
///
/// # Safety
///
/// Pointers in `forms` that are not null must point at readable memory of the length that goes with them.
unsafe fn lift_each<T: Type>(forms: &[T::Canon], depth: Depth) -> Result<Vec<T>, LiftError> {
    let depth = depth.enter()?;
    let mut items = with_room(forms.len())?;
    for (i, form) in forms.iter().enumerate() {
        // SAFETY: the memory that the elements point at is readable (the caller's promise).
        items.push(unsafe { T::lift(form, depth) }.map_err(|e| e.at(i))?);
    }
    Ok(items)
}

// SAFETY: the lowered value is the pointer and length of the lowered elements, which `lift` checks; `PLAIN` is false.
unsafe impl<T: Type> Type for Vec<T> {
    type Canon = RawList<T::Canon>;
    type Optional = RawOption<Self::Canon>;
    const POINTS: bool = has_size::<T>();
    const NEEDS_ROOM: bool = has_size::<T>() && !T::PLAIN;
    const NEWEST: u64 = T::NEWEST;

    fn describe(types: &mut Types) -> TypeRef {
        TypeRef::list(T::describe(types))
    }

    #[inline]
    fn lower<const COPY: bool>(&self, to: &mut Lower<COPY>) -> Self::Canon {
        to.list(self)
    }

    #[inline]
    unsafe fn lift(canon: &Self::Canon, depth: Depth) -> Result<Self, LiftError> {
        // SAFETY: the list is readable (the caller's promise).
        let forms = unsafe { canon.items() }?;
        if T::PLAIN {
            if !are_bytes::<T>() {
                depth.enter()?;
            }
            // SAFETY: the lowered values of a plain type are values of the type (promised by `Type::PLAIN`), and plain
            // values own nothing, so copying them bytewise makes no second owner.
            return unsafe { copy_plain::<T>(forms) };
        }
        // SAFETY: the memory that the elements point at is readable (the caller's promise).
        unsafe { lift_each(forms, depth) }
    }
}

/// Copies the values of a plain type.
///
/// # Safety
///
/// `T` must be plain.
unsafe fn copy_plain<T: Type>(forms: &[T::Canon]) -> Result<Vec<T>, LiftError> {
    let mut items = with_room::<T>(forms.len())?;
    // SAFETY: `with_room` reserved memory for `forms.len()` values, and `T` is plain (the caller's promise), so the
    // lowered values are values of `T`.
    unsafe {
        items.as_mut_ptr().copy_from_nonoverlapping(forms.as_ptr().cast(), forms.len());
        items.set_len(forms.len());
    }
    Ok(items)
}

/// Makes an empty list with capacity for `len` items. A length that does not fit into memory is an error of the sender,
/// and does not end the process.
fn with_room<T>(len: usize) -> Result<Vec<T>, LiftError> {
    let mut items = Vec::new();
    match items.try_reserve_exact(len) {
        Ok(()) => Ok(items),
        Err(_) => Err(LiftError::new(format_args!("there is no memory for a list of {len} elements"))),
    }
}

/// A list as the callee sees it: in the caller's memory if the elements are plain, otherwise lifted.
pub enum ListArgument<'a, T> {
    /// The list in the caller's memory.
    Lent(&'a [T]),
    /// The elements, lifted one by one.
    Owned(Vec<T>),
}

impl<T> ListArgument<'_, T> {
    /// Returns the elements.
    #[inline]
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        match self {
            Self::Lent(items) => items,
            Self::Owned(items) => items,
        }
    }
}

impl<'a, T: Type> ListArgument<'a, T> {
    /// Lifts a list argument.
    ///
    /// # Errors
    ///
    /// Fails if the memory is not a list of `T`.
    ///
    /// # Safety
    ///
    /// Pointers that are not null must point at readable memory of the length that goes with them. That memory must
    /// stay unchanged for `'a`.
    #[inline]
    pub unsafe fn lift(canon: RawList<T::Canon>) -> Result<Self, LiftError> {
        // SAFETY: the list is readable and stays unchanged for `'a` (the caller's promise).
        let forms = unsafe { canon.items::<'a>() }?;
        if T::PLAIN {
            // SAFETY: the lowered values of a plain type are values of the type (promised by `Type::PLAIN`).
            return Ok(Self::Lent(unsafe { std::slice::from_raw_parts(forms.as_ptr().cast(), forms.len()) }));
        }
        // SAFETY: the memory that the elements point at is readable (the caller's promise).
        unsafe { lift_each(forms, Depth::ROOT) }.map(Self::Owned)
    }
}
