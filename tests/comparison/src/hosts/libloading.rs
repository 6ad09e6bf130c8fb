//! A library over C by hand.

use std::mem::MaybeUninit;
use std::path::Path;

use anyhow::{Result, ensure};
use libloading::Library;

#[repr(C)]
struct Text {
    start: *mut u8,
    len: usize,
    capacity: usize,
}

pub(crate) struct Plugin {
    add: extern "C" fn(i32, i32) -> i32,
    greet: unsafe extern "C" fn(*const u8, usize, *mut Text) -> bool,
    free: unsafe extern "C" fn(Text),
    sum: unsafe extern "C" fn(*const u8, usize) -> u64,
    _library: Library,
}

pub(crate) fn load(library: &Path) -> Result<Plugin> {
    // SAFETY: the library is the plugin of this comparison, whose functions have these types.
    unsafe {
        let library = Library::new(library)?;
        Ok(Plugin {
            add: *library.get(b"calculator_add\0")?,
            greet: *library.get(b"calculator_greet\0")?,
            free: *library.get(b"calculator_free\0")?,
            sum: *library.get(b"calculator_sum\0")?,
            _library: library,
        })
    }
}

impl super::Calculator for Plugin {
    fn add(&mut self, a: i32, b: i32) -> Result<i32> {
        Ok((self.add)(a, b))
    }

    fn greet(&mut self, name: &str) -> Result<String> {
        let mut text = MaybeUninit::uninit();
        // SAFETY: the name is readable, and the text writable.
        ensure!(unsafe { (self.greet)(name.as_ptr(), name.len(), text.as_mut_ptr()) }, "the name is refused");
        // SAFETY: a plugin that returns true has written the text.
        let text: Text = unsafe { text.assume_init() };
        // SAFETY: the text is `len` readable bytes until it is freed.
        let greeting = std::str::from_utf8(unsafe { std::slice::from_raw_parts(text.start, text.len) });
        let greeting = greeting.map(str::to_owned);
        // SAFETY: the text is the plugin's, and is not used any more.
        unsafe { (self.free)(text) };
        Ok(greeting?)
    }

    fn sum(&mut self, data: &[u8]) -> Result<u64> {
        // SAFETY: the data is readable.
        Ok(unsafe { (self.sum)(data.as_ptr(), data.len()) })
    }
}
