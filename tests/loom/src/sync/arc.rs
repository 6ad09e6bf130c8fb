//! `Arc` and `Weak`, whose counts loom sees, with the memory orders of the standard library.
//!
//! Loom's own has no weak half. Counting up while a count is held changes nothing for anybody else, so it is no step
//! that loom looks at; whatever may bring a count to its end or find it there is one.

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
    /// None was made by [`Weak::new`].
    inner: Option<NonNull<Inner<T>>>,
}

#[repr(C)]
struct Inner<T> {
    value: ManuallyDrop<T>,
    block: Block,
    strong: Cell<usize>,
    /// Stands for the strong count where the order of steps matters.
    steps: AtomicUsize,
}

// SAFETY: as the standard library's. The cell is only used between two steps that loom sees, one thread at a time.
unsafe impl<T: Send + Sync> Send for Arc<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Arc<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Send for Weak<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Weak<T> {}

impl<T> Arc<T> {
    /// A value with one count.
    pub fn new(value: T) -> Self {
        let inner = Inner {
            value: ManuallyDrop::new(value),
            block: Block::new::<T>(),
            strong: Cell::new(1),
            steps: AtomicUsize::new(0),
        };
        let inner = NonNull::from(Box::leak(Box::new(inner)));
        // SAFETY: made just now; never moved.
        memory::register(inner.as_ptr().addr(), unsafe { &raw const (*inner.as_ptr()).block });
        Self { inner, _owns: PhantomData }
    }

    /// A value that knows its own place: `make` is given a weak count, which finds nothing before the value is there.
    pub fn new_cyclic(make: impl FnOnce(&Weak<T>) -> T) -> Self {
        let place = Box::leak(Box::new(MaybeUninit::<Inner<T>>::uninit())).as_mut_ptr();
        // SAFETY: room for all fields; what a weak count looks at is written before one is given out.
        let inner = unsafe {
            (&raw mut (*place).block).write(Block::new::<T>());
            (&raw mut (*place).strong).write(Cell::new(0));
            (&raw mut (*place).steps).write(AtomicUsize::new(0));
            NonNull::new_unchecked(place)
        };
        let value = make(&Weak { inner: Some(inner) });
        // SAFETY: the last field that was missing; the strong count is the one returned.
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

    /// The value's address.
    pub fn as_ptr(this: &Self) -> *const T {
        // The value comes first.
        this.inner.as_ptr().cast()
    }

    /// The value's address, with the count.
    pub fn into_raw(this: Self) -> *const T {
        Self::as_ptr(&ManuallyDrop::new(this))
    }

    /// The opposite of [`into_raw`](Self::into_raw).
    ///
    /// # Safety
    ///
    /// As the standard library's.
    pub unsafe fn from_raw(value: *const T) -> Self {
        Self { inner: NonNull::new(value.cast_mut().cast()).expect("an address"), _owns: PhantomData }
    }

    /// Counts up by way of the value's address.
    ///
    /// # Safety
    ///
    /// As the standard library's.
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

    /// How many there are.
    pub fn strong_count(this: &Self) -> usize {
        this.inner().steps.fetch_add(1, Ordering::Relaxed);
        this.inner().strong.get()
    }

    /// Whether two share a value.
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        this.inner == other.inner
    }

    /// A weak count.
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
        // SAFETY: the last count. The record of its use stays until the memory is given back.
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
    /// Leads nowhere.
    pub fn new() -> Self {
        Self { inner: None }
    }

    /// A strong count, while there is one.
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

    /// How many strong ones there are.
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
