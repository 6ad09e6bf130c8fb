//! The bundle in an engine, as the engine's own code sees it: its name, its settings, its access to the host.

use std::any::Any;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, SystemTime};

use polyplug_abi::{BundleInitContext, HostApi, LogLevel, StringView};

use super::engine::Engine;
use super::fault::Fault;
use super::known_contract::KnownContract;
use super::limits::Limits;
use super::places::Places;
use super::plugin::guarded;
use super::schemas;
use super::schemas::Named;
use super::vm::Vm;
use crate::host::abi::log::write_log;
use crate::host::bundle::file::PROGRAM_LIMIT;
use crate::host::bundle::files::Files;
use crate::host::bundle::manifest::ManifestData;
use crate::host::error::file::FileError;
use crate::host::plugin::schema::PluginSchema;
use crate::host::runtime::context::HostContext;
use crate::host::runtime::staging::Staging;
use crate::host::version::module::{Module, Remains};
use crate::host::version::scope::BundleScope;

/// A version of a bundle whose code an engine runs.
pub struct Guest {
    pub(crate) context: Arc<HostContext>,
    /// The files of the version, which may be those of a private copy.
    files: Option<Files>,
    /// The bundle's own directory or pack, absolute.
    origin: Option<PathBuf>,
    bundle: String,
    pub(crate) places: Arc<Places>,
    config: toml::Table,
    /// The engine's [`Vm`](super::vm::Vm), after the engine has started.
    pub(crate) vm: OnceLock<Weak<dyn Any + Send + Sync>>,
    /// The measurement of the engine's end.
    end: OnceLock<Option<Remains>>,
    /// The time for which functions for the unload are waited for.
    unload_limit: Duration,
    /// The time at which the load of this version began.
    begun: SystemTime,
}

impl Guest {
    pub(crate) fn new(manifest: &ManifestData, staging: &Staging, unload_limit: Duration) -> Arc<Self> {
        let in_directory = manifest.path.is_absolute();
        let directory = in_directory.then_some(&*manifest.path);
        let own = if in_directory { std::path::absolute(&manifest.origin).ok() } else { None };
        Arc::new(Self {
            context: Arc::clone(staging.context()),
            files: in_directory.then(|| manifest.files()),
            bundle: manifest.name.clone(),
            places: Arc::new(Places::new(&manifest.name, directory, own.as_deref())),
            origin: staging.directory().or(in_directory.then_some(&*manifest.origin)).map(Path::to_owned),
            config: manifest.config.clone(),
            vm: OnceLock::new(),
            end: OnceLock::new(),
            unload_limit,
            begun: SystemTime::now(),
        })
    }

    /// Returns the bundle's name.
    #[must_use]
    pub fn bundle(&self) -> &str {
        &self.bundle
    }

    /// Returns the bundle's own directory, absolute, or `None` for a bundle in memory or in a pack. Everything that the
    /// bundle's author sees has the paths of this directory: the names of files in errors, tracebacks and debuggers.
    ///
    /// The version's files are read from [`files`](Self::files).
    #[must_use]
    pub fn directory(&self) -> Option<&Path> {
        self.scope().directory.as_deref()
    }

    /// Returns the path of the bundle as the host gave it, absolute: its own directory, or the file of its pack. `None` for
    /// a bundle in memory.
    #[must_use]
    pub fn origin(&self) -> Option<&Path> {
        self.origin.as_deref()
    }

    /// Returns the files of this version, or `None` for a bundle in memory: those in the bundle's own directory, in a private
    /// copy of it, or in the bundle's pack. The copy does not change while the version exists, and its path is to be shown to
    /// no one.
    #[must_use]
    pub fn files(&self) -> Option<&Files> {
        self.files.as_ref()
    }

    /// Returns the path in [`files`](Self::files) of a file whose path is relative to the bundle, or below
    /// [`origin`](Self::origin). Other absolute paths are returned as they are.
    #[must_use]
    pub fn file_path(&self, path: &Path) -> PathBuf {
        let inside = self.origin().and_then(|origin| path.strip_prefix(origin).ok()).unwrap_or(path);
        self.files().map_or_else(|| path.to_owned(), |files| files.root().join(inside))
    }

    /// Returns a text in which paths of a private copy are replaced by those of the bundle's own directory or pack.
    #[must_use]
    pub fn with_own_paths(&self, text: String) -> String {
        match (self.files().and_then(Files::folder), self.origin()) {
            (Some(folder), Some(origin)) if folder != origin => {
                text.replace(&*folder.to_string_lossy(), &origin.to_string_lossy())
            }
            _ => text,
        }
    }

    /// Returns the folder in which the bundle keeps its data, and makes the folder if it does not exist. All versions of a
    /// bundle have the same folder.
    ///
    /// # Errors
    ///
    /// The host gives bundles no such folder, or the folder cannot be made.
    pub fn data_directory(&self) -> Result<&Path, Fault> {
        self.scope().data_directory.make().map_err(Fault::new)
    }

    /// Returns the path of the folder in which the bundle keeps its data, or `None` if the host gives bundles no such
    /// folder. Does not make the folder.
    #[must_use]
    pub fn data_path(&self) -> Option<&Path> {
        self.scope().data_directory.path().ok()
    }

    fn scope(&self) -> &BundleScope {
        self.context.bundle.as_ref().expect("a guest's context is a bundle's")
    }

    /// Reads a file of the bundle's program, a main file or a module, by its path in the bundle's directory: relative to
    /// that directory, or absolute. `used` is the number of bytes that the engine uses, which count only if the memory is
    /// limited.
    ///
    /// # Errors
    ///
    /// The reason why the file is not read: it is no regular file, it is outside of the bundle, or it is larger than a
    /// program may be or than the memory that is left. No more is read than that.
    pub fn read_program(&self, file: &str, limits: &Limits, used: usize) -> Result<Vec<u8>, Fault> {
        let Some(files) = self.files() else {
            return Err(Fault::new(format_args!("{file}: a bundle in memory has no files but its own")));
        };
        let limit = limits.program_limit(used);
        files.read(self.file_path(file.as_ref()), "a program", limit).map_err(|error| match error {
            FileError::TooLarge { path, size, .. } if limit < PROGRAM_LIMIT => {
                let reason = limits.out_of_memory(&self.bundle);
                let path = self.with_own_paths(path.display().to_string());
                Fault::limit(format_args!("{path}: the file has {size} bytes: {reason}"))
            }
            other => Fault::new(self.with_own_paths(other.to_string())),
        })
    }

    /// Checks that a file is as it was when this version was loaded. `file` is its path in the bundle's directory. For files
    /// that are read after the load, by an engine whose loader does without a private copy: see
    /// [`BundleLoader::reads_files_later`](crate::loader::BundleLoader::reads_files_later).
    ///
    /// # Errors
    ///
    /// The file was changed, made or renamed since. A file that does not exist is none of these.
    pub fn check_unchanged(&self, file: &str) -> Result<(), Fault> {
        // A pack is in memory.
        let Some(folder) = self.files().and_then(Files::folder) else { return Ok(()) };
        match std::fs::metadata(folder.join(file)).ok().and_then(|found| changed_at(&found)) {
            Some(changed) if changed > self.begun => Err(Fault::new(format_args!(
                "{file} has changed since this version of the bundle was loaded: let the bundle load the file when it starts, \
                 or reload the bundle"
            ))),
            _ => Ok(()),
        }
    }

    /// Returns the table of the host's functions for this bundle, valid as long as this guest.
    #[must_use]
    pub fn host_abi(&self) -> *const HostApi {
        self.context.host_api()
    }

    /// Returns the argument of a bundle's `polyplug_init`, valid as long as this guest. The path is empty for a bundle
    /// in memory.
    #[must_use]
    pub fn init_context(&self) -> BundleInitContext {
        let path =
            self.directory().map_or(StringView::null(), |path| StringView::lend(path.as_os_str().as_encoded_bytes()));
        BundleInitContext { bundle_id: self.scope().id.id(), bundle_path: path }
    }

    /// Returns the bundle's settings.
    #[must_use]
    pub fn config(&self) -> &toml::Table {
        &self.config
    }

    /// Finds a contract by the name that guests use, `"name@major"`.
    ///
    /// # Errors
    ///
    /// The text is not the name of a contract, or neither this program nor the bundle knows the contract.
    pub fn contract(&self, name: &str) -> Result<KnownContract, Fault> {
        let named = Named::read(name).map_err(Fault::new)?;
        let found = self.find_schema(&named).map_err(Fault::new)?;
        Ok(KnownContract::new(found.shared()))
    }

    /// Finds the schema of a contract that is linked into this program, or that is in a file of the bundle.
    pub(crate) fn find_schema(&self, named: &Named) -> Result<PluginSchema, String> {
        schemas::find(named, self.files()).map_err(|error| self.with_own_paths(error))
    }

    /// Returns the minor version of a contract that the bundle was written for, if it ships a schema of the contract.
    pub(crate) fn shipped_minor(&self, named: &Named) -> Result<Option<u32>, String> {
        let shipped = crate::host::plugin::schema::shipped(&named.name, named.major, self.files());
        shipped.map(|found| found.map(|schema| schema.schema().minor)).map_err(|error| self.with_own_paths(error))
    }

    /// Records what the engine measured at its end: `None` if the bundle's code is gone, and otherwise what remains of it.
    /// Reports of the unload and the reload show the measurement. Only the first one counts.
    ///
    /// An engine calls this while it is dropped, after it has released all that it holds of the bundle. A bundle whose
    /// engine does not call this is reported as not reclaimed: see [`Module::close`].
    pub fn record_end(&self, measured: Option<Remains>) {
        let _is_first = self.end.set(measured);
    }

    /// Writes to the host's log at a level that is given by its name.
    ///
    /// # Errors
    ///
    /// There is no level of that name.
    pub fn log_at(&self, level: &str, message: &str) -> Result<(), Fault> {
        let level = match level {
            "error" => LogLevel::Error,
            "warn" => LogLevel::Warn,
            "info" => LogLevel::Info,
            "debug" => LogLevel::Debug,
            "trace" => LogLevel::Trace,
            other => {
                let levels = "\"error\", \"warn\", \"info\", \"debug\" and \"trace\"";
                return Err(Fault::new(format_args!("\"{other}\" is no level: there are {levels}")));
            }
        };
        self.log(level, message);
        Ok(())
    }

    /// Has `function` called once before the code of this version is unloaded: after the version's last call has
    /// returned, before instances that all callers share end and the engine is dropped. For `polyplug.on_unload` of a
    /// language whose engine needs no lock; [`on_unload_in`](Self::on_unload_in) is for the others.
    ///
    /// The function runs on a thread of the runtime's own. Of all functions of the version, in any language, the one that
    /// was registered last runs first. A fault is logged. The function runs as well if the start of the bundle fails
    /// after this call: so it has to keep alive what it needs.
    ///
    /// # Errors
    ///
    /// The version is being unloaded already.
    pub fn on_unload(&self, function: impl FnOnce() -> Result<(), Fault> + Send + Sync + 'static) -> Result<(), Fault> {
        let Some(version) = self.context.version() else {
            return Err(Fault::new(
                "the bundle is being unloaded, and takes no further functions for the unload: register them before",
            ));
        };
        let places = Arc::clone(&self.places);
        let run = move |report: &dyn Fn(&str)| {
            if let Err(fault) = function() {
                report(&fault.describe(&places));
            }
        };
        version.on_unload(self.unload_limit, Box::new(run));
        Ok(())
    }

    /// Does the same as [`on_unload`](Self::on_unload), for a function that runs in the engine, with the engine's lock
    /// held. A loader whose [`start`](crate::engine::load()) fails returns the engine with
    /// [`StartError::with_engine`](crate::engine::StartError::with_engine), so that the function can run then, too.
    ///
    /// # Errors
    ///
    /// The version is being unloaded already.
    pub fn on_unload_in<E: Engine>(
        self: &Arc<Self>,
        function: impl FnOnce(&E) -> Result<(), Fault> + Send + Sync + 'static,
    ) -> Result<(), Fault> {
        let guest = Arc::downgrade(self);
        self.on_unload(move || {
            let vm = guest.upgrade().and_then(|guest| guest.vm.get()?.upgrade());
            let vm = vm.and_then(|vm| vm.downcast::<Vm<E>>().ok());
            let vm = vm.ok_or_else(|| Fault::new("the engine ended before the function could run"))?;
            guarded(|| function(&*vm.enter()?))
        })
    }

    /// Returns a traceback in which the files of the bundle are named as in the errors of calls, for engines that log one
    /// themselves.
    #[must_use]
    pub fn name_files(&self, traceback: &str) -> String {
        self.places.traceback(traceback)
    }

    /// Returns the text of a fault for a log. As in the errors of calls, the files of the bundle are named by the bundle
    /// and their path in its directory, wherever the code runs from.
    #[must_use]
    pub fn describe(&self, fault: &Fault) -> String {
        fault.describe(&self.places)
    }

    /// Writes to the host's log.
    pub fn log(&self, level: LogLevel, message: &str) {
        write_log(level, &self.bundle, "", message);
    }
}

/// Returns when a file was changed last, in its contents or its name.
#[cfg(unix)]
fn changed_at(found: &Metadata) -> Option<SystemTime> {
    use std::os::unix::fs::MetadataExt;
    let seconds = u64::try_from(found.ctime()).ok()?;
    let nanos = u32::try_from(found.ctime_nsec()).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanos))
}

/// Returns when a file was changed last.
#[cfg(not(unix))]
fn changed_at(found: &Metadata) -> Option<SystemTime> {
    found.modified().ok()
}

/// The module of a version that reports the measurement of its engine's end. It is kept before all other modules, so that
/// it is closed after them.
pub(crate) struct EngineEnd(pub(crate) Arc<Guest>);

impl Module for EngineEnd {
    fn close(self: Box<Self>) -> Option<Remains> {
        self.0
            .end
            .get()
            .cloned()
            .unwrap_or_else(|| Some("its engine has not measured whether its code is gone".to_owned().into()))
    }
}

impl std::fmt::Debug for Guest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Guest({})", self.bundle)
    }
}
