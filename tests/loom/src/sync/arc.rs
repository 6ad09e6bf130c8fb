//! `Arc` and `Weak`, whose counts loom sees, with the memory orderings of the standard library.
//!
//! Loom's own `Arc` has no weak half. Incrementing a count while another one is held changes nothing for other threads,
//! so loom does not see it as a step. Each operation that may take a count to 0, or find it at 0, is a step.

use std::alloc::Layout;
use std::cell::Cell;
use std::marker::PhantomData;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::ops::Deref;
use std::ptr::NonNull;

use crossbeam_epoch::memory::{self, Block};
use loom::sync::atomic::{AtomicUsize, Ordering};

/// `std::sync::Arc`, for values of a known size.
pub struct Arc<T> {
    inner: NonNull<Inner<T>>,
    _owns: PhantomData<T>,
}

/// `std::sync::Weak`.
pub struct Weak<T> {
    /// `None` if made by [`Weak::new`].
    inner: Option<NonNull<Inner<T>>>,
}

#[repr(C)]
struct Inner<T> {
    value: ManuallyDrop<T>,
    block: Block,
    strong: Cell<usize>,
    /// The strong count as loom sees it, for steps whose order matters.
    steps: AtomicUsize,
}

// SAFETY: the bounds are those of the standard library's `Arc`. The cell is only used between two steps that loom sees,
// by one thread at a time.
unsafe impl<T: Send + Sync> Send for Arc<T> {}
// SAFETY: the bounds are those of the standard library's type; the cell is used by one thread at a time.
unsafe impl<T: Send + Sync> Sync for Arc<T> {}
// SAFETY: the bounds are those of the standard library's type; the cell is used by one thread at a time.
unsafe impl<T: Send + Sync> Send for Weak<T> {}
// SAFETY: the bounds are those of the standard library's type; the cell is used by one thread at a time.
unsafe impl<T: Send + Sync> Sync for Weak<T> {}

impl<T> Arc<T> {
    /// Makes a value with one count.
    pub fn new(value: T) -> Self {
        let inner = Inner {
            value: ManuallyDrop::new(value),
            block: Block::new::<T>(),
            strong: Cell::new(1),
            steps: AtomicUsize::new(0),
        };
        let inner = NonNull::from(Box::leak(Box::new(inner)));
        // SAFETY: allocated just now, and never moved.
        memory::register(inner.as_ptr().addr(), unsafe { &raw const (*inner.as_ptr()).block });
        Self { inner, _owns: PhantomData }
    }

    /// Makes a value that has a weak count of itself: `make` gets the weak count, which cannot be upgraded before
    /// `make` has returned.
    pub fn new_cyclic(make: impl FnOnce(&Weak<T>) -> T) -> Self {
        let place = Box::leak(Box::new(MaybeUninit::<Inner<T>>::uninit())).as_mut_ptr();
        // SAFETY: the allocation has all fields; those that a weak count reads are written before one is made.
        let inner = unsafe {
            (&raw mut (*place).block).write(Block::new::<T>());
            (&raw mut (*place).strong).write(Cell::new(0));
            (&raw mut (*place).steps).write(AtomicUsize::new(0));
            NonNull::new_unchecked(place)
        };
        let value = make(&Weak { inner: Some(inner) });
        // SAFETY: this writes the last field; the strong count is the one that is returned.
        unsafe {
            (&raw mut (*place).value).write(ManuallyDrop::new(value));
            (*place).strong.set(1);
            memory::register(place.addr(), &raw const (*place).block);
        }
        Self { inner, _owns: PhantomData }
    }

    fn inner(&self) -> &Inner<T> {
        // SAFETY: the memory stays until the next execution.
        unsafe { self.inner.as_ref() }
    }

    /// Returns the value's address.
    pub fn as_ptr(this: &Self) -> *const T {
        // The value comes first.
        this.inner.as_ptr().cast()
    }

    /// Returns the value's address, and gives up the count to it.
    pub fn into_raw(this: Self) -> *const T {
        Self::as_ptr(&ManuallyDrop::new(this))
    }

    /// Takes back a count from [`into_raw`](Self::into_raw).
    ///
    /// # Safety
    ///
    /// The conditions of the standard library's function.
    pub unsafe fn from_raw(value: *const T) -> Self {
        Self { inner: NonNull::new(value.cast_mut().cast()).expect("an address"), _owns: PhantomData }
    }

    /// Increments the strong count by way of the value's address.
    ///
    /// # Safety
    ///
    /// The conditions of the standard library's function.
    ///
    /// # Panics
    ///
    /// If the value has ended.
    pub unsafe fn increment_strong_count(value: *const T) {
        let inner = value.cast::<Inner<T>>();
        // SAFETY: the memory stays until the next execution.
        let inner = unsafe { &*inner };
        inner.steps.fetch_add(1, Ordering::Relaxed);
        let count = inner.strong.get();
        assert!(count > 0, "a count is taken after the end: {}", std::any::type_name::<T>());
        inner.strong.set(count + 1);
    }

    /// Returns the strong count.
    pub fn strong_count(this: &Self) -> usize {
        this.inner().steps.fetch_add(1, Ordering::Relaxed);
        this.inner().strong.get()
    }

    /// Returns whether two share a value.
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        this.inner == other.inner
    }

    /// Makes a weak count.
    pub fn downgrade(this: &Self) -> Weak<T> {
        Weak { inner: Some(this.inner) }
    }
}

impl<T> Deref for Arc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.inner().block.touch();
        &self.inner().value
    }
}

impl<T> Clone for Arc<T> {
    fn clone(&self) -> Self {
        let strong = &self.inner().strong;
        strong.set(strong.get() + 1);
        Self { ..*self }
    }
}

impl<T> Drop for Arc<T> {
    fn drop(&mut self) {
        let inner = self.inner();
        inner.steps.fetch_add(1, Ordering::Release);
        let count = inner.strong.get();
        assert!(count > 0, "a count is given up after the end: {}", std::any::type_name::<T>());
        inner.strong.set(count - 1);
        if count > 1 {
            return;
        }
        inner.steps.fetch_add(1, Ordering::Acquire);
        inner.block.end();
        // SAFETY: this was the last count. The record of the value's use stays until the memory is freed.
        unsafe {
            ManuallyDrop::drop(&mut self.inner.as_mut().value);
            memory::give_back(self.inner.as_ptr().cast(), Layout::new::<Inner<T>>());
        }
    }
}

impl<T: Default> Default for Arc<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Weak<T> {
    /// Makes a weak count of no value.
    pub fn new() -> Self {
        Self { inner: None }
    }

    /// Returns a strong count, or `None` if the value has ended.
    pub fn upgrade(&self) -> Option<Arc<T>> {
        // SAFETY: the memory stays until the next execution.
        let inner = unsafe { self.inner?.as_ref() };
        inner.steps.fetch_add(1, Ordering::Acquire);
        let count = inner.strong.get();
        if count == 0 {
            return None;
        }
        inner.strong.set(count + 1);
        Some(Arc { inner: self.inner?, _owns: PhantomData })
    }

    /// Returns the strong count.
    pub fn strong_count(&self) -> usize {
        let Some(inner) = self.inner else { return 0 };
        // SAFETY: the memory stays until the next execution.
        let inner = unsafe { inner.as_ref() };
        inner.steps.fetch_add(1, Ordering::Relaxed);
        inner.strong.get()
    }
}

impl<T> Default for Weak<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for Weak<T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner }
    }
}
