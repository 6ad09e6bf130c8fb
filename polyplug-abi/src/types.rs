//! Small value types that many structures share.

use core::ffi::c_void;
use core::fmt;
use core::marker::PhantomData;

use crate::ids::{BundleId, GuestContractId};

/// A borrowed sequence of bytes, usually UTF-8 text. `{null, 0}` is empty.
///
/// The structure or function that contains the view documents the owner of the bytes and how long they are valid. The
/// receiver checks that text is UTF-8.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct StringView {
    /// The first byte; may be null or dangling if `len` is 0.
    pub ptr: *const u8,
    /// The number of bytes.
    pub len: usize,
}

const _: () = assert!(size_of::<StringView>() == 16);

// SAFETY: a view is a pointer and a length. Reading the bytes is unsafe, and the reader guarantees that it is sound.
unsafe impl Send for StringView {}
// SAFETY: a shared view gives no more access than a copy, and reading the bytes is unsafe.
unsafe impl Sync for StringView {}

impl StringView {
    /// Returns the empty view.
    #[must_use]
    pub const fn null() -> Self {
        Self { ptr: core::ptr::null(), len: 0 }
    }

    /// Makes a view of static bytes.
    #[must_use]
    pub const fn from_static(bytes: &'static [u8]) -> Self {
        Self::lend(bytes)
    }

    /// Makes a view of `bytes`, which the caller keeps alive for as long as the view is used.
    #[must_use]
    pub const fn lend(bytes: &[u8]) -> Self {
        Self { ptr: bytes.as_ptr(), len: bytes.len() }
    }

    /// Returns whether the view has no bytes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the bytes, or `None` if the view is malformed: null with a length, or longer than `isize::MAX`.
    ///
    /// # Safety
    ///
    /// If `ptr` is not null, it must point at `len` bytes that are readable and unchanged for `'a`.
    #[must_use]
    pub const unsafe fn bytes<'a>(self) -> Option<&'a [u8]> {
        if self.len == 0 {
            return Some(&[]);
        }
        if self.ptr.is_null() || self.len > isize::MAX as usize {
            return None;
        }
        // SAFETY: not null and of a legal size (checked above); readable for `'a` (the caller's promise).
        Some(unsafe { core::slice::from_raw_parts(self.ptr, self.len) })
    }
}

impl fmt::Debug for StringView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never reads the bytes: a view may be dangling by the time it is printed.
        write!(f, "StringView({:p}, {})", self.ptr, self.len)
    }
}

/// The version of a contract, a plugin or a bundle.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Version {
    /// The major number, which incompatible changes increase.
    pub major: u32,
    /// The minor number, which additions increase.
    pub minor: u32,
    /// The patch number, which corrections increase.
    pub patch: u32,
}

const _: () = assert!(size_of::<Version>() == 12);

impl Version {
    /// Makes the version `major.minor.patch`.
    #[must_use]
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// An array that the host allocated and the receiver frees with `HostApi::free(items, len * size, align)`.
///
/// An empty array has a null `items` and needs no `free`.
#[repr(C)]
pub struct Array<T> {
    /// The first element.
    pub items: *mut T,
    /// The number of elements.
    pub len: usize,
    /// The alignment with which the memory was allocated.
    pub align: usize,
    _marker: PhantomData<T>,
}

const _: () = assert!(size_of::<Array<u64>>() == 24);

impl<T> Array<T> {
    /// Makes an array without elements.
    #[must_use]
    pub const fn empty() -> Self {
        Self::new(core::ptr::null_mut(), 0)
    }

    /// Makes an array of `len` elements at `items`.
    #[must_use]
    pub const fn new(items: *mut T, len: usize) -> Self {
        Self { items, len, align: align_of::<T>(), _marker: PhantomData }
    }

    /// Returns whether the array has no elements.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.items.is_null() || self.len == 0
    }

    /// Returns the size in bytes that `HostApi::free` takes.
    #[must_use]
    pub const fn byte_size(&self) -> usize {
        self.len * size_of::<T>()
    }

    /// Returns the pointer that `HostApi::free` takes.
    #[must_use]
    pub const fn as_void(&self) -> *mut c_void {
        self.items.cast()
    }
}

impl<T> Clone for Array<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Array<T> {}

impl<T> fmt::Debug for Array<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Array({:p}, {})", self.items, self.len)
    }
}

/// One dependency that a bundle's manifest declares.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DependencyInfo {
    /// The contract that the bundle needs.
    pub contract_id: GuestContractId,
    /// The least minor version that suffices.
    pub min_version: u32,
    /// The bundle that must provide the contract; 0 if any bundle may.
    pub bundle_id: BundleId,
}

const _: () = assert!(size_of::<DependencyInfo>() == 24);
