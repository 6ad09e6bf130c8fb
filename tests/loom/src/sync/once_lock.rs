//! `OnceLock`, with the orderings that the standard library documents.

use loom::sync::Mutex;
use loom::sync::atomic::{AtomicBool, Ordering};

/// `std::sync::OnceLock`.
pub struct OnceLock<T> {
    is_set: AtomicBool,
    setting: Mutex<()>,
    value: std::sync::OnceLock<T>,
}

impl<T> OnceLock<T> {
    /// Makes an empty cell.
    pub fn new() -> Self {
        Self { is_set: AtomicBool::new(false), setting: Mutex::new(()), value: std::sync::OnceLock::new() }
    }

    /// Returns the value, or `None` if it is not set.
    pub fn get(&self) -> Option<&T> {
        if self.is_set.load(Ordering::Acquire) { self.value.get() } else { None }
    }

    /// Sets the value, unless it is set.
    ///
    /// # Errors
    ///
    /// The given value, if the cell was set before.
    pub fn set(&self, value: T) -> Result<(), T> {
        let _setting = self.setting.lock();
        self.value.set(value)?;
        self.is_set.store(true, Ordering::Release);
        Ok(())
    }

    /// Returns the value, and makes it if it is not set.
    pub fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        if let Some(value) = self.get() {
            return value;
        }
        let _setting = self.setting.lock();
        if let Some(value) = self.value.get() {
            return value;
        }
        let _ = self.value.set(make());
        self.is_set.store(true, Ordering::Release);
        self.value.get().expect("set just now")
    }

    /// Takes the value out.
    pub fn take(&mut self) -> Option<T> {
        self.value.take()
    }
}

impl<T> Default for OnceLock<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> From<T> for OnceLock<T> {
    fn from(value: T) -> Self {
        Self { is_set: AtomicBool::new(true), setting: Mutex::new(()), value: std::sync::OnceLock::from(value) }
    }
}
