//! Atomic pointers that are loaded under a guard.

use std::alloc::Layout;
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::NonNull;

use loom::sync::atomic::{AtomicPtr, Ordering};

use crate::guard::Guard;
use crate::memory::{self, Block};

/// A value, and the record of its use.
#[repr(C)]
struct Node<T> {
    value: T,
    block: Block,
}

/// A pointer that an [`Atomic`] can store.
pub trait Pointer<T> {
    /// Returns the address, and gives up ownership.
    fn into_raw(self) -> *mut T;
}

/// A value with one owner.
pub struct Owned<T>(NonNull<Node<T>>);

impl<T> Owned<T> {
    /// Allocates a value.
    pub fn new(value: T) -> Self {
        let node = NonNull::from(Box::leak(Box::new(Node { value, block: Block::new::<T>() })));
        // SAFETY: the block was allocated just now, and has no other user.
        memory::register(node.as_ptr().addr(), unsafe { &raw const (*node.as_ptr()).block });
        Self(node)
    }
}

impl<T> Pointer<T> for Owned<T> {
    fn into_raw(self) -> *mut T {
        let node = self.0;
        std::mem::forget(self);
        // The value comes first.
        node.as_ptr().cast()
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        let node = self.0.as_ptr();
        // SAFETY: `self` is the only owner. The block stays until the memory is freed.
        unsafe {
            (*node).block.end();
            (&raw mut (*node).value).drop_in_place();
            memory::give_back(node.cast(), Layout::new::<Node<T>>());
        }
    }
}

/// A pointer that several threads load and store.
pub struct Atomic<T> {
    pointer: AtomicPtr<T>,
}

// SAFETY: the value may be sent and shared, as crossbeam's `Atomic` asks for too; loom checks each access.
unsafe impl<T: Send + Sync> Send for Atomic<T> {}
// SAFETY: the value may be sent and shared, as crossbeam's `Atomic` asks for too; loom checks each access.
unsafe impl<T: Send + Sync> Sync for Atomic<T> {}

impl<T> Atomic<T> {
    /// Makes a null pointer.
    #[must_use]
    pub fn null() -> Self {
        Self { pointer: AtomicPtr::new(std::ptr::null_mut()) }
    }

    /// Loads the pointer.
    pub fn load<'g>(&self, order: Ordering, _: &'g Guard) -> Shared<'g, T> {
        Shared { pointer: self.pointer.load(order), guard: PhantomData }
    }

    /// Stores a pointer.
    pub fn store<P: Pointer<T>>(&self, new: P, order: Ordering) {
        self.pointer.store(new.into_raw(), order);
    }

    /// Exchanges the pointer.
    pub fn swap<'g, P: Pointer<T>>(&self, new: P, order: Ordering, _: &'g Guard) -> Shared<'g, T> {
        Shared { pointer: self.pointer.swap(new.into_raw(), order), guard: PhantomData }
    }

    /// Returns the value, or `None` for null.
    ///
    /// # Safety
    ///
    /// The conditions of crossbeam's function.
    pub unsafe fn try_into_owned(self) -> Option<Owned<T>> {
        NonNull::new(self.pointer.into_inner().cast()).map(Owned)
    }
}

impl<T> From<*const T> for Atomic<T> {
    fn from(pointer: *const T) -> Self {
        Self { pointer: AtomicPtr::new(pointer.cast_mut()) }
    }
}

/// A pointer that was loaded under a guard.
pub struct Shared<'g, T> {
    pointer: *mut T,
    guard: PhantomData<&'g T>,
}

impl<T> Clone for Shared<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Shared<'_, T> {}

impl<T> Pointer<T> for Shared<'_, T> {
    fn into_raw(self) -> *mut T {
        self.pointer
    }
}

impl<T> From<*const T> for Shared<'_, T> {
    fn from(pointer: *const T) -> Self {
        Self { pointer: pointer.cast_mut(), guard: PhantomData }
    }
}

impl<'g, T> Shared<'g, T> {
    /// Makes a null pointer.
    #[must_use]
    pub fn null() -> Self {
        Self { pointer: std::ptr::null_mut(), guard: PhantomData }
    }

    /// Returns the address.
    #[must_use]
    pub fn as_raw(&self) -> *const T {
        self.pointer
    }

    /// Returns the value, and records a read of it.
    ///
    /// # Safety
    ///
    /// The conditions of crossbeam's function.
    #[must_use]
    pub unsafe fn deref(&self) -> &'g T {
        memory::touch(self.pointer.addr());
        // SAFETY: the caller's promise; the check above catches a mutant that breaks it.
        unsafe { &*self.pointer }
    }

    /// Returns the value, and records a read of it, or `None` for null.
    ///
    /// # Safety
    ///
    /// The conditions of crossbeam's function.
    #[must_use]
    pub unsafe fn as_ref(&self) -> Option<&'g T> {
        // SAFETY: the caller's promise.
        (!self.pointer.is_null()).then(|| unsafe { self.deref() })
    }

    /// Returns the value with ownership, to be dropped.
    ///
    /// # Safety
    ///
    /// The conditions of crossbeam's function.
    #[must_use]
    pub unsafe fn into_owned(self) -> Owned<T> {
        Owned(NonNull::new(self.pointer.cast()).expect("a value"))
    }
}

impl<T> Deref for Owned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: `self` is the only owner of the block.
        unsafe { &self.0.as_ref().value }
    }
}
