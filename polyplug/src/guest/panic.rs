//! Keeping panics inside the plugin, with their message and place.

use std::any::Any;
use std::cell::{Cell, UnsafeCell};
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Once;
use std::sync::atomic::{AtomicPtr, Ordering};

use polyplug_abi::{HostApi, LogLevel, StringView};

use crate::call_error::LOCATION_MARK;

/// A panic's payload.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Runs `body`; a panic ends here.
#[inline(always)]
pub(crate) fn catch<R>(body: impl FnOnce() -> R) -> Result<R, Payload> {
    // What a panic may have left half-changed is the plugin's own state. It is the author's to keep consistent, as
    // with any object whose method panics while others hold it.
    catch_unwind(AssertUnwindSafe(body))
}

/// The text of a caught panic: its message, and where it happened if the hook saw it.
#[cold]
pub(crate) fn describe_panic(payload: Payload) -> String {
    // First: dropping the payload may panic as well, and that is not the place to tell.
    let place = LAST.with(LastPanic::take);
    let mut text = match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => match payload.downcast::<&'static str>() {
            Ok(text) => (*text).to_owned(),
            Err(payload) => {
                // The payload's own drop may panic: it is then forgotten rather than let loose.
                if let Err(second) = catch(|| drop(payload)) {
                    std::mem::forget(second);
                }
                "a panic whose payload is not text".to_owned()
            }
        },
    };
    if let Some(place) = place {
        let _ = write!(text, "{LOCATION_MARK}{place}");
    }
    text
}

/// The longest file name kept, in bytes; of a longer one the end, which tells more.
const FILE_LIMIT: usize = 256;

/// The place of the last panic on a thread.
///
/// Fixed in size and without `Drop`: a thread-local with a destructor would keep the library mapped.
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
        // SAFETY: as in `keep`.
        let file = String::from_utf8_lossy(unsafe { &(&*self.file.get())[..len] });
        Some(format!("{file}:{}:{}", self.line.get(), self.column.get()))
    }
}

/// The host's `log`, for panics on threads that serve no call.
///
/// A function of the host, whose code outlives its plugins, not the host's table, which goes with the runtime.
static LOG: AtomicPtr<()> = AtomicPtr::new(std::ptr::null_mut());

type LogFn = unsafe extern "C" fn(*const HostApi, u32, StringView, StringView);

/// Replaces the panic hook of a plugin's own library, once.
///
/// std's default hook prints, which belongs to the host, and its backtrace leaves a thread-local destructor behind,
/// which would keep the library mapped. This one keeps the place for the error that the call returns, and tells the
/// host's log, so that a panic on a thread of the plugin's own is not lost.
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

/// Keeps the place of every panic of this program, beside whatever its hook does. For plugins linked into the host,
/// where the hook is the program's own.
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
    // SAFETY: `LOG` only ever holds the `log` of a host's table; a null host is allowed there.
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
