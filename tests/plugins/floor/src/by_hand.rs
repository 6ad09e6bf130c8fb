//! Text over the C ABI as a careful author writes it by hand: each side checks what the other gives.

use std::mem::{ManuallyDrop, MaybeUninit};

/// Text that the library has allocated, and that `floor_free` takes back.
#[repr(C)]
pub struct Text {
    start: *mut u8,
    len: usize,
    capacity: usize,
}

type Greet = unsafe extern "C" fn(name: *const u8, len: usize, out: *mut Text) -> u32;
type Free = unsafe extern "C" fn(text: Text);

/// Greets a name. Returns 0, or what is wrong with the arguments.
///
/// # Safety
///
/// `name` must be null or `len` readable bytes, and `out` null or writable.
// SAFETY: the name is this fixture's own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn floor_greet(name: *const u8, len: usize, out: *mut Text) -> u32 {
    if name.is_null() || out.is_null() {
        return 1;
    }
    // SAFETY: not null, and readable by the caller's promise.
    let Ok(name) = std::str::from_utf8(unsafe { std::slice::from_raw_parts(name, len) }) else { return 2 };
    let mut text = ManuallyDrop::new(crate::greet(name));
    // SAFETY: not null, and writable by the caller's promise.
    unsafe { out.write(Text { start: text.as_mut_ptr(), len: text.len(), capacity: text.capacity() }) };
    0
}

/// Frees a text.
///
/// # Safety
///
/// The text must be from [`floor_greet`], and not be used again.
// SAFETY: the name is this fixture's own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn floor_free(text: Text) {
    // SAFETY: `floor_greet` took the parts from a string that it has forgotten.
    drop(unsafe { String::from_raw_parts(text.start, text.len, text.capacity) });
}

/// The host's side: the functions of a loaded library.
pub struct Greeter {
    greet: Greet,
    free: Free,
}

impl Greeter {
    /// Makes the host's side with the addresses of `floor_greet` and `floor_free`, which `find` returns for their names
    /// as C strings.
    ///
    /// # Safety
    ///
    /// The addresses must be those of this library's functions, which must stay loaded.
    pub unsafe fn of(find: impl Fn(&[u8]) -> Option<*const ()>) -> Option<Self> {
        let (greet, free) = (find(b"floor_greet\0")?, find(b"floor_free\0")?);
        // SAFETY: the addresses are those of functions with these types (the caller's promise).
        unsafe {
            Some(Self {
                greet: std::mem::transmute::<*const (), Greet>(greet),
                free: std::mem::transmute::<*const (), Free>(free),
            })
        }
    }

    /// Greets a name by way of the library. Returns `None` if the library refuses the name, or returns no text.
    #[inline]
    #[must_use]
    pub fn greet(&self, name: &str) -> Option<String> {
        let mut text = MaybeUninit::<Text>::uninit();
        // SAFETY: the name is readable and the text writable; the function is `floor_greet` (promised to `of`).
        if unsafe { (self.greet)(name.as_ptr(), name.len(), text.as_mut_ptr()) } != 0 {
            return None;
        }
        // SAFETY: the function has reported success, so it has written the text.
        let text = unsafe { text.assume_init() };
        if text.start.is_null() {
            return None;
        }
        // SAFETY: not null, and of that length, by the library's promise.
        let bytes = unsafe { std::slice::from_raw_parts(text.start, text.len) };
        let copied = std::str::from_utf8(bytes).ok().map(str::to_owned);
        // SAFETY: from `floor_greet`, and not used again.
        unsafe { (self.free)(text) };
        copied
    }
}
