//! Panics of the plugin's code, caught with their message and location.

use std::any::Any;
use std::cell::{Cell, UnsafeCell};
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Once;
use std::sync::atomic::{AtomicPtr, Ordering};

use polyplug_abi::{HostApi, LogLevel, StringView};

use crate::error_text::LOCATION_MARK;

/// A panic's payload.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Runs `body`, and returns the payload if it panics.
#[inline(always)]
pub(crate) fn catch<R>(body: impl FnOnce() -> R) -> Result<R, Payload> {
    // A panic may leave the plugin's own state half-changed. The plugin's author keeps that state consistent, as with
    // any shared object whose method may panic.
    catch_unwind(AssertUnwindSafe(body))
}

/// Returns the text of a caught panic: its message, and its location if the hook has recorded one.
#[cold]
pub(crate) fn describe_panic(payload: Payload) -> String {
    // Taken first: dropping the payload may panic as well, and would replace the location.
    let location = LAST.with(LastPanic::take);
    let mut text = match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => match payload.downcast::<&'static str>() {
            Ok(text) => (*text).to_owned(),
            Err(payload) => {
                // The payload's own drop may panic. The second payload is forgotten, for its drop may panic as well.
                if let Err(second) = catch(|| drop(payload)) {
                    std::mem::forget(second);
                }
                "a panic whose payload is not text".to_owned()
            }
        },
    };
    if let Some(location) = location {
        let _ = write!(text, "{LOCATION_MARK}{location}");
    }
    text
}

/// The most bytes of a file name that are recorded. Of a longer name the end is recorded.
const FILE_LIMIT: usize = 256;

/// The location of the last panic on a thread.
///
/// The type has a fixed size and no `Drop`: a thread-local with a destructor would keep the library mapped.
struct LastPanic {
    line: Cell<u32>,
    column: Cell<u32>,
    len: Cell<usize>,
    file: UnsafeCell<[u8; FILE_LIMIT]>,
}

thread_local! {
    static LAST: LastPanic = const {
        LastPanic {
            line: Cell::new(0),
            column: Cell::new(0),
            len: Cell::new(0),
            file: UnsafeCell::new([0; FILE_LIMIT]),
        }
    };
}

impl LastPanic {
    fn keep(&self, info: &PanicHookInfo<'_>) {
        let Some(location) = info.location() else { return };
        let file = location.file().as_bytes();
        let kept = &file[file.len().saturating_sub(FILE_LIMIT)..];
        // SAFETY: the cell is this thread's alone, and no reference into it outlives `keep` or `take`.
        unsafe { (&mut *self.file.get())[..kept.len()].copy_from_slice(kept) };
        self.len.set(kept.len());
        self.line.set(location.line());
        self.column.set(location.column());
    }

    fn take(&self) -> Option<String> {
        let len = self.len.replace(0);
        if len == 0 {
            return None;
        }
        // SAFETY: the cell is this thread's alone, and no reference into it outlives `keep` or `take`.
        let file = String::from_utf8_lossy(unsafe { &(&*self.file.get())[..len] });
        Some(format!("{file}:{}:{}", self.line.get(), self.column.get()))
    }
}

/// The host's `log` function, for panics on threads that serve no call.
///
/// The function's code outlives the host's plugins, while the host's table is freed with the runtime.
static LOG: AtomicPtr<()> = AtomicPtr::new(std::ptr::null_mut());

type LogFn = unsafe extern "C" fn(*const HostApi, u32, StringView, StringView);

/// Replaces the panic hook of a plugin's own library, once.
///
/// std's default hook prints to the host's output, and its backtrace leaves a thread-local destructor behind, which
/// would keep the library mapped. The new hook records the location for the error that the call returns. The hook also
/// writes to the host's log, so that a panic on a thread of the plugin's own is not lost.
pub(super) fn install_hook(host: &HostApi) {
    LOG.store(host.log as *mut (), Ordering::Relaxed);
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            LAST.with(|last| last.keep(info));
            log(info);
        }));
    });
}

/// Records the location of every panic of this program before the program's own hook runs. For plugins that are linked
/// into the host.
#[cfg(feature = "host")]
pub(crate) fn keep_locations() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let program = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            LAST.with(|last| last.keep(info));
            program(info);
        }));
    });
}

fn log(info: &PanicHookInfo<'_>) {
    let log = LOG.load(Ordering::Relaxed);
    if log.is_null() {
        return;
    }
    let message = match info.payload().downcast_ref::<&str>() {
        Some(text) => (*text).to_owned(),
        None => info.payload().downcast_ref::<String>().cloned().unwrap_or_else(|| "a payload that is not text".into()),
    };
    let text = match info.location() {
        Some(location) => format!("{message} (at {location})"),
        None => message,
    };
    // SAFETY: `install_hook` is the only writer of `LOG`, and stores the `log` of a host's table; the ABI allows a null
    // host there.
    unsafe {
        let log = std::mem::transmute::<*mut (), LogFn>(log);
        log(
            std::ptr::null(),
            LogLevel::Error.0,
            StringView::from_static(b"plugin panic"),
            StringView::lend(text.as_bytes()),
        );
    }
}
