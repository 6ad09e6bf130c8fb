//! The options of the CLR.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// The options of the CLR of a process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ClrConfig {
    /// The folder of the installation, as in the environment variable `DOTNET_ROOT`. Without it, the installation is
    /// searched for.
    pub(crate) root: Option<PathBuf>,
    /// A `runtimeconfig.json`. Without it, the newest framework of the installation is taken.
    pub(crate) runtime_config: Option<PathBuf>,
    /// Runtime properties, such as `System.Globalization.Invariant`.
    pub(crate) properties: BTreeMap<String, String>,
}
