//! Lists, and the pointer-and-length form that lists and text share.

use std::any::TypeId;

use super::forms::RawList;
use crate::schema::{TypeRef, Types};
use crate::types::forms::RawOption;
use crate::types::lift::{Depth, LiftError};
use crate::types::lower::Lower;
use crate::types::ty::Type;

/// True; for elements without a size, which a length would say nothing about, an error of the compiler.
pub(super) const fn has_size<T: Type>() -> bool {
    assert!(size_of::<T::Canon>() > 0, "a list's elements must have a size: `()` cannot be listed");
    true
}

/// Whether a list of `T` is bytes, which are no level of nesting.
#[inline]
pub(super) fn are_bytes<T: 'static>() -> bool {
    TypeId::of::<T>() == TypeId::of::<u8>()
}

impl<const COPY: bool> Lower<COPY> {
    /// The canonical form of a list.
    #[inline]
    pub fn list<T: Type>(&mut self, items: &[T]) -> RawList<T::Canon> {
        const { assert!(has_size::<T>()) };
        // A level of its own even when empty or plain, as for the receiver, who may be written in another language.
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
                // SAFETY: `start` is room for `items.len()` forms, and `i` is less.
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
/// As for [`Type::lift`].
unsafe fn lift_each<T: Type>(forms: &[T::Canon], depth: Depth) -> Result<Vec<T>, LiftError> {
    let depth = depth.enter()?;
    let mut items = with_room(forms.len())?;
    for (i, form) in forms.iter().enumerate() {
        // SAFETY: the caller's promise covers what the elements point at.
        items.push(unsafe { T::lift(form, depth) }.map_err(|e| e.at(i))?);
    }
    Ok(items)
}

// SAFETY: pointer and length of the elements' canonical forms.
unsafe impl<T: Type> Type for Vec<T> {
    type Canon = RawList<T::Canon>;
    type Optional = RawOption<Self::Canon>;
    const POINTS: bool = has_size::<T>();
    const NEEDS_ROOM: bool = has_size::<T>() && !T::PLAIN;

    fn describe(types: &mut Types) -> TypeRef {
        TypeRef::list(T::describe(types))
    }

    #[inline]
    fn lower<const COPY: bool>(&self, to: &mut Lower<COPY>) -> Self::Canon {
        to.list(self)
    }

    #[inline]
    unsafe fn lift(canon: &Self::Canon, depth: Depth) -> Result<Self, LiftError> {
        // SAFETY: the caller's promise covers the list.
        let forms = unsafe { canon.items() }?;
        if T::PLAIN {
            if !are_bytes::<T>() {
                depth.enter()?;
            }
            // SAFETY: a plain type's canonical forms are values of the type (promised by `Type::PLAIN`), and plain
            // values own nothing, so copying them bytewise makes no second owner.
            return unsafe { copy_plain::<T>(forms) };
        }
        // SAFETY: as above.
        unsafe { lift_each(forms, depth) }
    }
}

/// The values of plain forms.
///
/// # Safety
///
/// `T` must be plain.
unsafe fn copy_plain<T: Type>(forms: &[T::Canon]) -> Result<Vec<T>, LiftError> {
    let mut items = with_room::<T>(forms.len())?;
    // SAFETY: room for `forms.len()` values was reserved just now, and the caller promises that the forms are values.
    unsafe {
        items.as_mut_ptr().copy_from_nonoverlapping(forms.as_ptr().cast(), forms.len());
        items.set_len(forms.len());
    }
    Ok(items)
}

/// An empty list with room for `len` items. A length that memory cannot hold is the sender's mistake, not the end of
/// the process.
fn with_room<T>(len: usize) -> Result<Vec<T>, LiftError> {
    let mut items = Vec::new();
    match items.try_reserve_exact(len) {
        Ok(()) => Ok(items),
        Err(_) => Err(LiftError::new(format_args!("there is no memory for a list of {len} elements"))),
    }
}

/// A list as the callee sees it: where the caller keeps it, if it is plain, else lifted.
pub enum ListArgument<'a, T> {
    /// The caller's own memory.
    Lent(&'a [T]),
    /// Lifted element by element.
    Owned(Vec<T>),
}

impl<T> ListArgument<'_, T> {
    /// The elements.
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
    /// The memory is no list of `T`.
    ///
    /// # Safety
    ///
    /// As for [`Type::lift`], and the memory must stay unchanged for `'a`.
    #[inline]
    pub unsafe fn lift(canon: RawList<T::Canon>) -> Result<Self, LiftError> {
        // SAFETY: the caller's promise.
        let forms = unsafe { canon.items::<'a>() }?;
        if T::PLAIN {
            // SAFETY: a plain type's canonical forms are values of the type (promised by `Type::PLAIN`).
            return Ok(Self::Lent(unsafe { std::slice::from_raw_parts(forms.as_ptr().cast(), forms.len()) }));
        }
        // SAFETY: the caller's promise.
        unsafe { lift_each(forms, Depth::ROOT) }.map(Self::Owned)
    }
}
