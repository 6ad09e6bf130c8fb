//! A bundle in an engine, as the engine's own code sees it: its name, its settings, the way to others.

use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, Weak};

use polyplug_abi::{BundleInitContext, HostApi, LogLevel, StringView};

use super::fault::Fault;
use super::known_contract::KnownContract;
use super::schemas;
use super::schemas::Named;
use crate::host::abi::log::write_log;
use crate::host::bundle::manifest::ManifestData;
use crate::host::runtime::context::HostContext;
use crate::host::runtime::staging::Staging;

/// One version of a bundle whose code an engine runs.
pub struct Guest {
    pub(crate) context: Arc<HostContext>,
    pub(crate) directory: Option<PathBuf>,
    bundle: String,
    config: toml::Table,
    /// The engine's [`Vm`], once it is started.
    pub(crate) vm: OnceLock<Weak<dyn Any + Send + Sync>>,
}

impl Guest {
    pub(crate) fn new(manifest: &ManifestData, staging: &Staging) -> Arc<Self> {
        Arc::new(Self {
            context: Arc::clone(staging.context()),
            directory: manifest.path.is_dir().then(|| manifest.path.clone()),
            bundle: manifest.name.clone(),
            config: manifest.config.clone(),
            vm: OnceLock::new(),
        })
    }

    /// The bundle's name.
    #[must_use]
    pub fn bundle(&self) -> &str {
        &self.bundle
    }

    /// The directory that the bundle is loaded from, which may be a private copy; none for a bundle in memory.
    #[must_use]
    pub fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    /// The table of the host's functions for this bundle, which is there as long as this guest.
    #[must_use]
    pub fn host_abi(&self) -> *const HostApi {
        self.context.host_api()
    }

    /// What a bundle's `polyplug_init` is told, valid as long as this guest. The path is empty for a bundle in memory.
    #[must_use]
    pub fn init_context(&self) -> BundleInitContext {
        let path =
            self.directory().map_or(StringView::null(), |path| StringView::lend(path.as_os_str().as_encoded_bytes()));
        let scope = self.context.bundle.as_ref().expect("a guest's context is a bundle's");
        BundleInitContext { bundle_id: scope.id.id(), bundle_path: path }
    }

    /// The bundle's settings.
    #[must_use]
    pub fn config(&self) -> &toml::Table {
        &self.config
    }

    /// A contract by the name that guests use for it, `"name@major"`.
    ///
    /// # Errors
    ///
    /// The text names no contract, or nobody here knows it.
    pub fn contract(&self, name: &str) -> Result<KnownContract, Fault> {
        let named = Named::read(name).map_err(Fault::new)?;
        let found = schemas::find(&named, self.directory()).map_err(Fault::new)?;
        Ok(KnownContract::new(found.shared()))
    }

    /// Writes to the host's log at a level that is given by its name, as guests do.
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

    /// Writes to the host's log.
    pub fn log(&self, level: LogLevel, message: &str) {
        write_log(level, &self.bundle, "", message);
    }
}

impl std::fmt::Debug for Guest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Guest({})", self.bundle)
    }
}
