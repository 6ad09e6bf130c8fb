//! What a bundle is, and who can load one.

use std::path::PathBuf;

use polyplug_abi::{BundleId, SupportedLanguage};

use super::runtime::Runtime;
use crate::host::bundle::manifest::ManifestData;
use crate::host::bundle::source::BundleSource;
use crate::host::error::loader::LoaderError;

/// Loads one kind of artifact: shared libraries, scripts of one language, assemblies.
///
/// A loader turns a bundle's artifact into registered plugins. It asks the runtime for the bundle's
/// [`Staging`](crate::loader::Staging), starts the bundle's code with the table it finds there, and hands over whatever must stay alive. The
/// runtime does the rest: publishing, leases, unloading.
///
/// ```
/// use polyplug::error::LoaderError;
/// use polyplug::loader::{BundleLoader, BundleSource, ManifestData};
/// use polyplug::Runtime;
/// use polyplug_abi::SupportedLanguage;
///
/// struct Nothing;
///
/// impl BundleLoader for Nothing {
///     fn loader_name(&self) -> &'static str {
///         "nothing"
///     }
///     fn loader_language(&self) -> SupportedLanguage {
///         SupportedLanguage::Rust
///     }
///     fn supports_hot_reload(&self) -> bool {
///         false
///     }
///     fn load(&self, manifest: &ManifestData, _: &BundleSource, runtime: &Runtime) -> Result<(), LoaderError> {
///         let staging = runtime.staging(manifest.id)?;
///         staging.keep("what must stay alive");
///         Ok(())
///     }
///     fn reload(&self, _: &ManifestData, _: &Runtime) -> Result<(), LoaderError> {
///         unreachable!("asked first")
///     }
/// }
/// ```
pub trait BundleLoader: Send + Sync {
    /// The name by which manifests ask for this loader.
    fn loader_name(&self) -> &'static str;

    /// The language of the bundles it loads.
    fn loader_language(&self) -> SupportedLanguage;

    /// Whether [`reload`](Self::reload) works. Asked before it is called.
    fn supports_hot_reload(&self) -> bool;

    /// Loads a bundle: starts its code, which registers its plugins.
    ///
    /// # Errors
    ///
    /// Whatever keeps the bundle from starting. What was registered until then is discarded.
    fn load(&self, manifest: &ManifestData, source: &BundleSource, runtime: &Runtime) -> Result<(), LoaderError>;

    /// Loads a bundle's new version beside the old one.
    ///
    /// # Errors
    ///
    /// As for [`load`](Self::load). The old version serves on.
    fn reload(&self, manifest: &ManifestData, runtime: &Runtime) -> Result<(), LoaderError>;

    /// Whether the settings for the loader in a bundle's manifest, its [`options`](ManifestData::options), make sense. Asked
    /// of each manifest before anything of its bundle is run. By default a loader has no settings.
    ///
    /// What lies on the disk is better looked at by [`load`](Self::load): this is asked before files are copied.
    ///
    /// # Errors
    ///
    /// Which key is wrong, and what to write. It becomes [`ManifestError::Invalid`](crate::host::error::manifest::ManifestError), which
    /// names the manifest and the table.
    fn check_options(&self, options: &toml::Table) -> Result<(), String> {
        if options.is_empty() {
            return Ok(());
        }
        let loader = self.loader_name();
        Err(format!("the loader `{loader}` has no settings: remove the table `[{loader}]`"))
    }

    /// Folders of a bundle that are used where they lie, relative to its directory: they are large, lead out of the bundle, or
    /// have code that the system loads only once. They are neither copied to where a version runs from nor watched for
    /// changes. The loader finds them in [`origin`](ManifestData::origin). None by default.
    ///
    /// What lies there is not covered by a signature: where a signature is required, a bundle that has such a folder is
    /// refused. The artifact cannot lie there. A folder that does not exist is not missed.
    ///
    /// Asked several times, by a watcher at each look, of manifests whose options are [checked](Self::check_options): the
    /// answer depends on the manifest alone.
    fn shared_dirs(&self, manifest: &ManifestData) -> Vec<PathBuf> {
        let _ = manifest;
        Vec::new()
    }

    /// Whether the artifact looks whole, without running any of it. A watcher asks before it reloads, for a build may be
    /// writing still; what looks unfit gets more time.
    ///
    /// # Errors
    ///
    /// What is wrong with the artifact.
    fn check(&self, manifest: &ManifestData) -> Result<(), LoaderError> {
        let _ = manifest;
        Ok(())
    }

    /// Told that a bundle is being unloaded, after the runtime stopped giving it out. What was given to
    /// [`Staging::keep`](crate::loader::Staging::keep) is dropped by the runtime.
    ///
    /// # Errors
    ///
    /// Reported to whoever unloads. The bundle is unloaded all the same.
    fn unload(&self, bundle: BundleId, runtime: &Runtime) -> Result<(), LoaderError> {
        let _ = (bundle, runtime);
        Ok(())
    }
}
