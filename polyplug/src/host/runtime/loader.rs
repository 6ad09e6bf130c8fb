//! The trait of loaders.

use std::path::PathBuf;

use polyplug_abi::{BundleId, SupportedLanguage};

use super::runtime::Runtime;
use crate::host::bundle::manifest::ManifestData;
use crate::host::bundle::source::BundleSource;
use crate::host::error::loader::LoaderError;

/// A loader of one kind of artifact: shared libraries, scripts of one language, assemblies.
///
/// A loader turns a bundle's artifact into registered plugins. The loader asks the runtime for the bundle's
/// [`Staging`](crate::loader::Staging), starts the bundle's code with the staging's table, and gives the staging all
/// values that must stay alive. The runtime does the rest: publishing, leases, unloading.
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
    /// Returns the name by which manifests ask for this loader.
    fn loader_name(&self) -> &'static str;

    /// Returns the language of the bundles that this loader loads.
    fn loader_language(&self) -> SupportedLanguage;

    /// Returns whether this loader can reload bundles. If not, [`reload`](Self::reload) is never called.
    fn supports_hot_reload(&self) -> bool;

    /// Returns whether this loader can run a bundle in several VMs, as many as the manifest asks for with
    /// [`workers`](ManifestData::workers). If not, a manifest that asks for more than one is refused. By default it
    /// cannot.
    ///
    /// A loader that starts its bundles with [`engine::load`](crate::engine::load()) can.
    fn supports_workers(&self) -> bool {
        false
    }

    /// Loads a bundle: starts its code, which registers its plugins.
    ///
    /// # Errors
    ///
    /// The reason why the bundle cannot be started. Plugins that were registered before the error are discarded.
    fn load(&self, manifest: &ManifestData, source: &BundleSource, runtime: &Runtime) -> Result<(), LoaderError>;

    /// Loads a bundle's new version beside the old one.
    ///
    /// # Errors
    ///
    /// The reason why the new version cannot be started. The old version then continues to serve.
    fn reload(&self, manifest: &ManifestData, runtime: &Runtime) -> Result<(), LoaderError>;

    /// Checks the settings for the loader in a bundle's manifest, the manifest's [`options`](ManifestData::options).
    /// Called for each manifest before any code of its bundle runs. By default a loader has no settings.
    ///
    /// Leave checks of files to [`load`](Self::load), as this function is called before the files are copied.
    ///
    /// # Errors
    ///
    /// A text that names the wrong key and says what to write. The runtime puts the text into
    /// [`ManifestError::Invalid`](crate::error::ManifestError::Invalid), which names the manifest and the table.
    fn check_options(&self, options: &toml::Table) -> Result<(), String> {
        if options.is_empty() {
            return Ok(());
        }
        let loader = self.loader_name();
        Err(format!("the loader `{loader}` has no settings: remove the table `[{loader}]`"))
    }

    /// Returns the folders of a bundle that are used in place, relative to the bundle's directory. Such folders are
    /// large, lead out of the bundle, or have code that the system loads only once. They are not copied to the private
    /// copy that a version runs from, nor watched for changes. The loader finds them in
    /// [`origin`](ManifestData::origin). By default a bundle has no such folders.
    ///
    /// No signature covers the files in these folders. If a signature is required, a bundle that has such a folder is
    /// refused. The artifact must not lie in such a folder. A returned folder need not exist.
    ///
    /// Called several times, and by a watcher at each poll. The manifest's options are [checked](Self::check_options)
    /// before. The result must depend on the manifest alone.
    fn shared_dirs(&self, manifest: &ManifestData) -> Vec<PathBuf> {
        let _ = manifest;
        Vec::new()
    }

    /// Returns whether a version of a bundle may read files of its directory after it was loaded: parts of its program, such
    /// as modules that a call imports, or an artifact that stays open or mapped. By default it may.
    ///
    /// With hot reload, such a version runs from a private copy, whose files do not change under it. If the loader reads
    /// everything while it loads a bundle, no copy is made, and `path` of the manifest is the bundle's own directory. The
    /// runtime then loads the bundle when its files have settled, and the load fails if a file changes meanwhile. Where
    /// signatures are checked, a copy is made all the same. A loader that reads a file later all the same checks before that the
    /// file has [not changed](crate::engine::Guest::check_unchanged).
    ///
    /// The result must depend on the manifest and on the names of the bundle's files alone.
    fn reads_files_later(&self, manifest: &ManifestData) -> bool {
        let _ = manifest;
        true
    }

    /// Returns whether this loader runs a bundle from its pack: a file with the bundle's files that is in memory. Such a
    /// loader reads the files of the bundle from [`files`](ManifestData::files) of the manifest alone; `path` is that of the
    /// pack's file. For other loaders a pack is unpacked into a private copy. By default it does not.
    ///
    /// The result must depend on the manifest alone.
    fn runs_from_packs(&self, manifest: &ManifestData) -> bool {
        let _ = manifest;
        false
    }

    /// Checks that the artifact looks complete, without running any of its code. A watcher calls this before it
    /// reloads, as a build may still be writing the artifact. After an error, the watcher waits longer. Not called for a
    /// bundle in a pack unless the loader [runs from packs](Self::runs_from_packs).
    ///
    /// # Errors
    ///
    /// The reason why the artifact looks incomplete.
    fn check(&self, manifest: &ManifestData) -> Result<(), LoaderError> {
        let _ = manifest;
        Ok(())
    }

    /// Notifies the loader that a bundle is being unloaded, after look-ups stopped finding the bundle. The runtime
    /// drops the values that were given to [`Staging::keep`](crate::loader::Staging::keep).
    ///
    /// # Errors
    ///
    /// An error that the caller of the unload gets. The bundle is unloaded all the same.
    fn unload(&self, bundle: BundleId, runtime: &Runtime) -> Result<(), LoaderError> {
        let _ = (bundle, runtime);
        Ok(())
    }

    /// Calls `body` once, while this thread holds nothing that other threads need to run code of the loader's engine,
    /// such as an interpreter's lock that the host's program has taken. `body` loads, reloads or unloads bundles, of any
    /// loader, and waits for such threads. Afterwards the thread holds what it held before.
    ///
    /// By default, calls `body` and does nothing else.
    fn outside(&self, body: &mut dyn FnMut()) {
        body();
    }
}
