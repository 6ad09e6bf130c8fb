//! Panics of the plugin's code, caught with their message and location.

use std::any::Any;
use std::cell::{Cell, UnsafeCell};
use std::fmt::Write as _;
use std::mem::offset_of;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, Once, PoisonError};

use polyplug_abi::{HostApi, LogLevel, StringView};

use crate::error_text::{LOCATION_MARK, Parts};
use crate::guest::context::PluginContext;

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

/// The host's `log` and `log_as` functions, for panics on threads that serve no call. `log_as` is null if the host has
/// none.
///
/// The functions' code outlives the host's plugins, while the host's table is freed with the runtime.
static LOG: AtomicPtr<()> = AtomicPtr::new(std::ptr::null_mut());
static LOG_AS: AtomicPtr<()> = AtomicPtr::new(std::ptr::null_mut());

type LogFn = unsafe extern "C" fn(*const HostApi, u32, StringView, StringView);
type LogAsFn = unsafe extern "C" fn(*const HostApi, StringView, u32, StringView, StringView);

/// The most bytes of a bundle's name that are recorded.
const NAME_LIMIT: usize = 256;

/// The name of the bundle that has initialised this library last.
///
/// The name has a fixed size: an allocation would remain when the library is unmapped.
static BUNDLE: Mutex<BundleName> = Mutex::new(BundleName { len: 0, bytes: [0; NAME_LIMIT] });

struct BundleName {
    len: usize,
    bytes: [u8; NAME_LIMIT],
}

impl BundleName {
    fn set(&mut self, name: &[u8]) {
        self.len = name.len().min(NAME_LIMIT);
        self.bytes[..self.len].copy_from_slice(&name[..self.len]);
    }
}

/// A thread that the host runs for a plugin.
struct HostThread<'a> {
    context: &'a PluginContext,
    name: &'a str,
}

impl HostThread<'_> {
    /// Writes a panic that ends the thread to the host's log.
    fn log(&self, text: &str) {
        // The host gives a thread without a name that of the bundle.
        let name = if self.name.is_empty() { self.context.bundle_name() } else { self.name.to_owned() };
        let text = format!("the thread `{name}` panicked: {text}");
        self.context.log_in(LogLevel::Error, LOG_SCOPE, &text);
    }
}

thread_local! {
    /// This thread, if the host runs it for this library. A pointer, as a value with a destructor would keep the library
    /// mapped.
    static THREAD: Cell<*const HostThread<'static>> = const { Cell::new(std::ptr::null()) };
}

/// Runs `body` on a thread that the host runs for a plugin. A panic is written to the host's log for the bundle of
/// `context`, with the thread's name.
pub(super) fn run_thread(context: &PluginContext, name: &str, body: impl FnOnce()) {
    let thread = HostThread { context, name };
    THREAD.set((&raw const thread).cast());
    let outcome = catch(body);
    THREAD.set(std::ptr::null());
    let Err(payload) = outcome else { return };
    let text = describe_panic(payload);
    // The hook of a plugin's own library has written to the log already. A linked plugin has the program's hook.
    if LOG.load(Ordering::Relaxed).is_null() {
        let parts = Parts::of(&text);
        thread.log(&log_text(parts.message, parts.location));
    }
}

/// Replaces the panic hook of a plugin's own library, once.
///
/// std's default hook prints to the host's output, and its backtrace leaves a thread-local destructor behind, which
/// would keep the library mapped. The new hook records the location for the error that the call returns. The hook also
/// writes to the host's log, so that a panic on a thread of the plugin's own is not lost.
pub(super) fn install_hook(host: &HostApi) {
    LOG.store(host.log as *mut (), Ordering::Relaxed);
    let has_log_as = host.struct_size >= offset_of!(HostApi, log_as) + size_of::<usize>();
    LOG_AS.store(if has_log_as { host.log_as as *mut () } else { std::ptr::null_mut() }, Ordering::Relaxed);
    // SAFETY: the table is valid, and so is the name while the table is (the ABI).
    let name = unsafe { (host.bundle_name)(host).bytes() }.unwrap_or_default();
    BUNDLE.lock().unwrap_or_else(PoisonError::into_inner).set(name);
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            LAST.with(|last| last.keep(info));
            log(info);
        }));
    });
}

/// Records the location of every panic of this program before the program's own hook runs. For plugins that are linked
/// into the host, and for the host's own objects that plugins call. A hook that the program sets later hides the
/// locations, unless that hook calls the one it replaces.
#[cfg(feature = "host")]
pub(crate) fn keep_locations() {
    static ONCE: Once = Once::new();
    if std::thread::panicking() {
        return; // the hook cannot be replaced now
    }
    ONCE.call_once(|| {
        let program = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            LAST.with(|last| last.keep(info));
            program(info);
        }));
    });
}

/// The scope of the log's messages about panics.
const LOG_SCOPE: &str = "plugin panic";

/// Returns the message of the log about a panic.
fn log_text(message: &str, location: Option<&str>) -> String {
    match location {
        Some(location) => format!("{message} (at {location})"),
        None => message.to_owned(),
    }
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
    let text = log_text(&message, info.location().map(ToString::to_string).as_deref());
    // SAFETY: null, or the value that `run_thread` keeps while the pointer is set, on this thread.
    if let Some(thread) = unsafe { THREAD.get().as_ref() } {
        return thread.log(&text);
    }
    let (host, level) = (std::ptr::null(), LogLevel::Error.0);
    let (scope, text) = (StringView::from_static(LOG_SCOPE.as_bytes()), StringView::lend(text.as_bytes()));
    let log_as = LOG_AS.load(Ordering::Relaxed);
    if log_as.is_null() {
        // SAFETY: `install_hook` is the only writer of `LOG`, and stores the `log` of a host's table; the ABI allows a
        // null host there.
        unsafe { std::mem::transmute::<*mut (), LogFn>(log)(host, level, scope, text) };
        return;
    }
    let mut name = BundleName { len: 0, bytes: [0; NAME_LIMIT] };
    {
        // A copy, as the lock must not be held while the host's code runs.
        let bundle = BUNDLE.lock().unwrap_or_else(PoisonError::into_inner);
        name.set(&bundle.bytes[..bundle.len]);
    }
    let bundle = StringView::lend(&name.bytes[..name.len]);
    // SAFETY: `install_hook` is the only writer of `LOG_AS`, and stores the `log_as` of a host's table; the ABI allows a
    // null host there.
    unsafe { std::mem::transmute::<*mut (), LogAsFn>(log_as)(host, bundle, level, scope, text) };
}
