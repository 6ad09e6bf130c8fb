//! Lists, and the pointer-and-length form that lists and text share.

use std::any::TypeId;

use crate::schema::{TypeRef, Types};
use crate::types::{Depth, LiftError, Lower, RawOption, Type};

/// The canonical form of a list, of text and of bytes.
#[repr(C)]
#[derive(Debug)]
pub struct RawList<T> {
    /// The first element; anything when `len` is 0.
    pub ptr: *const T,
    /// The number of elements.
    pub len: usize,
}

impl<T> Clone for RawList<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for RawList<T> {}

impl<T> RawList<T> {
    /// No elements.
    #[must_use]
    pub const fn empty() -> Self {
        Self { ptr: std::ptr::null(), len: 0 }
    }

    /// The elements, after every check that can be made without reading them.
    ///
    /// # Errors
    ///
    /// A null or misaligned pointer with a length, or a length beyond the address space.
    ///
    /// # Safety
    ///
    /// A pointer that is not null must point at `len` readable elements that stay unchanged for `'a`.
    #[inline]
    pub unsafe fn items<'a>(self) -> Result<&'a [T], LiftError> {
        if self.len == 0 {
            return Ok(&[]);
        }
        if self.ptr.is_null() || !self.ptr.is_aligned() {
            return Err(LiftError::pointer("list"));
        }
        if self.len > isize::MAX as usize / size_of::<T>().max(1) {
            return Err(LiftError::new(format_args!("a list of {} elements cannot exist", self.len)));
        }
        // SAFETY: not null, aligned and of a legal size (checked above); readable for `'a` (the caller's promise).
        Ok(unsafe { std::slice::from_raw_parts(self.ptr, self.len) })
    }
}

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
