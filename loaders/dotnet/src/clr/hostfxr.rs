//! hostfxr, the library of .NET that chooses a framework and starts the CLR.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::ffi::{OsStr, c_void};
use std::fmt;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::Mutex;

use libloading::Library;
use netcorehost::bindings::char_t;
use netcorehost::bindings::hostfxr::{
    hostfxr_delegate_type, hostfxr_error_writer_fn, hostfxr_handle, hostfxr_initialize_parameters,
    load_assembly_and_get_function_pointer_fn,
};
use netcorehost::error::HostingError;
use netcorehost::pdcstring::{PdCStr, PdCString};

use super::lock::lock;

/// A function of an assembly, `static int Function(IntPtr, int)`.
pub(super) type Function = unsafe extern "system" fn(*const c_void, i32) -> i32;

/// hostfxr, which stays loaded.
pub(super) struct Hostfxr(netcorehost::hostfxr::Hostfxr);

/// An error of hostfxr.
#[derive(Debug)]
pub(super) struct HostError {
    /// The meaning of the error's code, with the code.
    pub(super) meaning: String,
    /// The lines that hostfxr has written about it.
    pub(super) output: String,
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.meaning)?;
        self.output.lines().filter(|line| !line.trim().is_empty()).try_for_each(|line| write!(f, "\n  {line}"))
    }
}

impl Hostfxr {
    /// Loads hostfxr from a file. A file is loaded once in a process.
    ///
    /// # Errors
    ///
    /// The file is no library that can be loaded.
    pub(super) fn load(file: &Path) -> Result<&'static Self, String> {
        static LOADED: Mutex<BTreeMap<PathBuf, &'static Hostfxr>> = Mutex::new(BTreeMap::new());
        let mut loaded = lock(&LOADED);
        if let Some(hostfxr) = loaded.get(file) {
            return Ok(hostfxr);
        }
        let library = netcorehost::hostfxr::Hostfxr::load_from_path(file).map_err(|error| error.to_string())?;
        // The CLR cannot be ended, and calls its host until the process ends.
        let hostfxr: &'static Self = Box::leak(Box::new(Self(library)));
        loaded.insert(file.to_owned(), hostfxr);
        Ok(hostfxr)
    }

    /// Chooses the framework that a `runtimeconfig.json` asks for, of the installation at `root`.
    ///
    /// # Errors
    ///
    /// The file cannot be used, or there is no such framework. hostfxr can be asked again.
    pub(super) fn initialize(&'static self, runtime_config: &Path, root: &Path) -> Result<Context, HostError> {
        let runtime_config = text(runtime_config)?;
        let root = text(root)?;
        let parameters = hostfxr_initialize_parameters::with_dotnet_root(root.as_ptr());
        let mut handle = ptr::null();
        // SAFETY: the texts and the parameters live over the call, and it writes the handle to a variable of this
        // function. The library is the hostfxr of an installation, whose functions have these types since 3.0.
        let code = captured(self, || unsafe {
            self.0.lib.hostfxr_initialize_for_runtime_config(runtime_config.as_ptr(), &parameters, &mut handle)
        })?;
        Ok(Context { hostfxr: self, handle, is_first: code == 0 })
    }

    /// Returns a property of the CLR that runs.
    pub(super) fn property(&self, name: &str) -> Option<String> {
        self.property_of(ptr::null(), name)
    }

    fn property_of(&self, handle: hostfxr_handle, name: &str) -> Option<String> {
        let name = text(name).ok()?;
        let mut value = ptr::null();
        // SAFETY: the name lives over the call, which writes the value's address to a variable of this function. The
        // handle is an open one, or null, which stands for the context that the CLR was started from.
        let code = captured(self, || unsafe {
            self.0.lib.hostfxr_get_runtime_property_value(handle, name.as_ptr(), &mut value)
        });
        if code.is_err() || value.is_null() {
            return None;
        }
        // SAFETY: the function has succeeded, so the value is a text, which lives as long as the property is not changed.
        // Only this loader changes it, before the start.
        Some(unsafe { PdCStr::from_str_ptr(value) }.to_string_lossy())
    }
}

/// A framework that hostfxr has chosen, whose CLR runs or can be started.
pub(super) struct Context {
    hostfxr: &'static Hostfxr,
    handle: hostfxr_handle,
    is_first: bool,
}

impl Context {
    /// Returns whether the CLR does not run yet.
    pub(super) fn is_first(&self) -> bool {
        self.is_first
    }

    /// Returns a property of the CLR that runs, or, if none runs, of the one that this context starts.
    pub(super) fn property(&self, name: &str) -> Option<String> {
        self.hostfxr.property_of(if self.is_first { self.handle } else { ptr::null() }, name)
    }

    /// Returns the folder of the framework.
    pub(super) fn framework(&self) -> Option<PathBuf> {
        Some(Path::new(&self.property("FX_DEPS_FILE")?).parent()?.to_owned())
    }

    /// Sets a property of the CLR that is to be started.
    ///
    /// # Errors
    ///
    /// The CLR runs already, or the text has a NUL.
    pub(super) fn set_property(&self, name: &str, value: &str) -> Result<(), HostError> {
        let (name, value) = (text(name)?, text(value)?);
        // SAFETY: the texts live over the call, and the handle is open.
        captured(self.hostfxr, || unsafe {
            self.hostfxr.0.lib.hostfxr_set_runtime_property_value(self.handle, name.as_ptr(), value.as_ptr())
        })?;
        Ok(())
    }

    /// Starts the CLR if it does not run, and returns its function that loads assemblies.
    ///
    /// # Errors
    ///
    /// The CLR does not start. hostfxr does not try again in this process.
    pub(super) fn start(&self) -> Result<Assemblies, HostError> {
        let kind = hostfxr_delegate_type::hdt_load_assembly_and_get_function_pointer;
        let mut function = ptr::null();
        let _receiving = self.framework().and_then(|framework| Hostpolicy::receive(&framework));
        // SAFETY: the handle is open, and the call writes to a variable of this function.
        captured(self.hostfxr, || unsafe {
            self.hostfxr.0.lib.hostfxr_get_runtime_delegate(self.handle, kind, &mut function)
        })?;
        // SAFETY: hostfxr has succeeded, so this is the function of the kind that it was asked for, whose type is this one
        // since 3.0.
        let load = unsafe { std::mem::transmute::<*const (), load_assembly_and_get_function_pointer_fn>(function) };
        Ok(Assemblies { hostfxr: self.hostfxr, load })
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and is not used after this. The CLR that was started from it goes on.
        unsafe { self.hostfxr.0.lib.hostfxr_close(self.handle) };
    }
}

/// hostpolicy, the library of a framework that hostfxr has start the CLR. From .NET 5 on, hostfxr does not tell it where
/// lines are written in a start.
struct Hostpolicy {
    library: Library,
    /// The writer of the host, if it has one.
    before: Option<hostfxr_error_writer_fn>,
}

type SetErrorWriter = unsafe extern "C" fn(Option<hostfxr_error_writer_fn>) -> Option<hostfxr_error_writer_fn>;

impl Hostpolicy {
    /// Has hostpolicy write to [`receive`] on this thread.
    fn receive(framework: &Path) -> Option<Self> {
        let file = framework.join(format!("{DLL_PREFIX}hostpolicy{DLL_SUFFIX}"));
        // SAFETY: hostfxr has loaded the library from this file when it has chosen the framework.
        let library = unsafe { Library::new(file) }.ok()?;
        let before = Self::set(&library, Some(receive))?;
        Some(Self { library, before })
    }

    fn set(library: &Library, writer: Option<hostfxr_error_writer_fn>) -> Option<Option<hostfxr_error_writer_fn>> {
        // SAFETY: the function has this type in all versions of .NET that have it, which is since 3.0. It keeps one writer
        // for each thread.
        unsafe { library.get::<SetErrorWriter>(b"corehost_set_error_writer").ok().map(|set| set(writer)) }
    }
}

impl Drop for Hostpolicy {
    fn drop(&mut self) {
        Self::set(&self.library, self.before);
    }
}

/// The assemblies of the CLR that runs.
pub(super) struct Assemblies {
    hostfxr: &'static Hostfxr,
    load: load_assembly_and_get_function_pointer_fn,
}

impl Assemblies {
    /// Returns a static function `int Function(IntPtr, int)` of an assembly. Its file is read at the first time only.
    ///
    /// # Errors
    ///
    /// There is no such assembly, or no such function in it.
    pub(super) fn function(&self, assembly: &Path, type_name: &str, method: &str) -> Result<Function, HostError> {
        let (assembly, type_text, method_text) = (text(assembly)?, text(type_name)?, text(method)?);
        let mut function = ptr::null();
        let (type_name, method) = (type_text.as_ptr(), method_text.as_ptr());
        captured(self.hostfxr, || {
            // SAFETY: the texts live over the call, null stands for the default type of functions, and the call writes to a
            // variable of this function.
            let code =
                unsafe { (self.load)(assembly.as_ptr(), type_name, method, ptr::null(), ptr::null(), &mut function) };
            Some(code)
        })?;
        // SAFETY: the call has succeeded, so this is a function of the default type, which the CLR keeps for ever.
        Ok(unsafe { std::mem::transmute::<*const c_void, Function>(function) })
    }
}

/// Returns a text as hostfxr takes it.
fn text(text: impl AsRef<OsStr>) -> Result<PdCString, HostError> {
    let text = text.as_ref();
    PdCString::from_os_str(text)
        .map_err(|_has_nul| HostError { meaning: format!("{text:?} has a NUL character"), output: String::new() })
}

thread_local! {
    /// The lines that hostfxr writes in a call of this thread.
    static OUTPUT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Receives a line that hostfxr would write to the error output.
extern "C" fn receive(line: *const char_t) {
    if line.is_null() {
        return;
    }
    // SAFETY: hostfxr passes a text, which lives over the call.
    let line = unsafe { PdCStr::from_str_ptr(line) }.to_string_lossy();
    let _is_ending = OUTPUT.try_with(|output| {
        let mut output = output.borrow_mut();
        output.push_str(&line);
        output.push('\n');
    });
}

/// Calls a function of hostfxr, and returns its code, with the lines that it has written where it failed.
fn captured(hostfxr: &Hostfxr, call: impl FnOnce() -> Option<i32>) -> Result<i32, HostError> {
    OUTPUT.with_borrow_mut(String::clear);
    // SAFETY: the function has this type since 3.0. hostfxr keeps one writer for each thread.
    let before = unsafe { hostfxr.0.lib.hostfxr_set_error_writer(Some(receive)) }.flatten();
    let code = call();
    // SAFETY: as above; the host's own writer, or none.
    unsafe { hostfxr.0.lib.hostfxr_set_error_writer(before) };
    let output = OUTPUT.take();
    match code {
        Some(code) if code >= 0 => Ok(code),
        Some(code) => {
            let meaning = HostingError::from_status_code(code.cast_unsigned());
            let meaning = format!("{} ({code:#010x})", meaning.to_string().trim_end_matches('.'));
            Err(HostError { meaning, output })
        }
        None => {
            let meaning = "the library lacks a function that .NET Core 3.0 and later have".to_owned();
            Err(HostError { meaning, output })
        }
    }
}
