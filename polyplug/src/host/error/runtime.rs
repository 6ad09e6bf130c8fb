//! The errors of a runtime's operations.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use polyplug_abi::{BundleId, Version};

use super::dependency::{
    CycleStep, Declared, Dependent, MissingDependency, MissingHostContract, bundles_of, cycle, each, needs_of,
    one_per_line,
};
use super::found::FoundInstead;
use super::loader::LoaderError;
use super::manifest::ManifestError;
use super::registry::RegistryError;
use super::suggest::{did_you_mean, did_you_mean_contract};
use super::text::{join_paths, lines, list};
use crate::schema::Difference;

/// The failure of a runtime's operation.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// The bundle's manifest is missing or wrong.
    #[error(transparent)]
    Manifest(#[from] ManifestError),

    /// The bundle could not be loaded.
    #[error(transparent)]
    Loader(#[from] LoaderError),

    /// A look-up or registration failed.
    #[error(transparent)]
    Registry(#[from] RegistryError),

    /// A loaded bundle has this name already.
    #[error("bundle `{bundle}` is loaded already: unload it first, or reload it")]
    AlreadyLoaded {
        /// The bundle's name.
        bundle: String,
    },

    /// No bundle of this name or id is loaded.
    #[error("{}", not_loaded(*.id, .name.as_deref(), .loaded))]
    BundleNotLoaded {
        /// The requested id.
        id: polyplug_abi::BundleId,
        /// The requested name, if the caller gave a name.
        name: Option<String>,
        /// The names of the loaded bundles, in load order.
        loaded: Vec<String>,
    },

    /// The manifest found by a reload names a bundle that is not loaded.
    #[error("{}: bundle `{bundle}` is not loaded, so it cannot be reloaded: {}", .manifest.display(), reload_hint(.bundle, .serving))]
    ReloadOfUnloaded {
        /// The bundle's name.
        bundle: String,
        /// The bundle's manifest.
        manifest: PathBuf,
        /// The bundles that were loaded from the same directory under another name, and keep serving.
        serving: Vec<String>,
    },

    /// The bundle is being loaded, reloaded or unloaded by an outer call on this thread, or by a thread that waits for
    /// this one. Or it is to be reloaded from within a call of it, and a VM that the call is in has to save its state.
    #[error(
        "bundle `{bundle}` is being changed, or called, by the call that this one is nested in, or by one that waits \
         for that: do it after that has returned"
    )]
    Busy {
        /// The bundle's name.
        bundle: String,
    },

    /// Loaded bundles depend on a contract that the unload would remove.
    #[error("bundle `{bundle}` provides {contract}, which {} needs and nobody else provides: unload {} first", list(.dependents), list(.dependents))]
    DependencyInUse {
        /// The bundle that provides the contract.
        bundle: String,
        /// The contract.
        contract: String,
        /// The bundles that declare it as a dependency.
        dependents: Vec<String>,
    },

    /// A bundle's new version provides a contract in an older minor version than loaded bundles need.
    #[error(
        "bundle `{bundle}`: its new version provides {contract}@{}.{} in place of {}.{}, but {}, and nobody else provides \
         that: reload with a version that does, or unload {} first",
        .offered.major, .offered.minor, .serving.major, .serving.minor, needs_of(.dependents), bundles_of(.dependents)
    )]
    DependencyLowered {
        /// The bundle that provides the contract.
        bundle: String,
        /// The contract.
        contract: String,
        /// The version of the contract that the bundle provides now, and keeps providing.
        serving: Version,
        /// The version of the contract that the bundle's new version would provide.
        offered: Version,
        /// The bundles that need a newer minor version than `offered`.
        dependents: Vec<Dependent>,
    },

    /// No loaded bundle provides contracts that the bundle's manifest declares as dependencies.
    #[error("{}", one_per_line(.missing))]
    DependencyMissing {
        /// The missing contracts.
        missing: Vec<MissingDependency>,
    },

    /// Bundles of a directory need each other, so none of them can be loaded first.
    #[error(
        "bundles need each other in a circle, {}\nmove what they share into a bundle of its own, or let the runtime \
         be relaxed: `Runtime::builder().compatibility(Compatibility::Relaxed)`",
        cycle(.steps)
    )]
    DependencyCycle {
        /// The bundles, each with the contract that it needs of the next one.
        steps: Vec<CycleStep>,
    },

    /// A bundle of a directory needs another one that was not loaded.
    #[error("{declared}{} of bundle `{provider}`, which was not loaded: see there", .declared.contract)]
    DependencyNotLoaded {
        /// The declaration in the manifest.
        declared: Declared,
        /// The bundle that would provide the contract.
        provider: String,
    },

    /// The bundle's manifest requires a host contract that the bundle cannot have.
    #[error("{0}")]
    HostContractMissing(Box<MissingHostContract>),

    /// Some bundles of a directory could not be loaded.
    #[error("{}: not all bundles could be loaded:{}", .directory.display(), each(.failures))]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// The bundles that were loaded, and stay loaded.
        loaded: Vec<polyplug_abi::BundleId>,
        /// The errors of the other bundles.
        failures: Vec<RuntimeError>,
    },

    /// There is no folder of bundles at the path.
    #[error("{}: no folder of bundles there: {found}", .directory.display())]
    NoDirectory {
        /// The path.
        directory: PathBuf,
        /// What is there instead.
        found: Box<FoundInstead>,
    },

    /// The directory cannot be read.
    #[error("{}: cannot be read: {source}: give the program's user the permission to read it", .directory.display())]
    DirectoryUnreadable {
        /// The directory.
        directory: PathBuf,
        /// The error of the operating system.
        source: Arc<std::io::Error>,
    },

    /// Bundles of a directory have the same name.
    #[error("{} have bundles of the same name, `{bundle}`: rename or remove all but one", join_paths(.directories))]
    DuplicateName {
        /// The name.
        bundle: String,
        /// The bundles' directories.
        directories: Vec<PathBuf>,
    },

    /// The settings are not a TOML table.
    #[error("the settings for bundle `{bundle}` cannot be set: {reason}")]
    Settings {
        /// The bundle's name.
        bundle: String,
        /// The reason, as text.
        reason: String,
    },

    /// No loader of the runtime has the name that the manifest gives.
    #[error(
        "{}: bundle `{bundle}` wants the loader `{loader}`, which this runtime does not have (it has {}): {}",
        .manifest.display(), list(.registered), loader_remedy(.loader, .registered)
    )]
    UnknownLoader {
        /// The bundle's name.
        bundle: String,
        /// The bundle's manifest.
        manifest: PathBuf,
        /// The name in the manifest.
        loader: String,
        /// The names of the runtime's loaders.
        registered: Vec<String>,
    },

    /// Two loaders have the same name.
    #[error("the runtime has a loader `{loader}` already: register each loader once")]
    DuplicateLoader {
        /// The name.
        loader: String,
    },

    /// Reloading is switched off, or the bundle's loader does not support it.
    #[error("hot reload is disabled: {reason}")]
    HotReloadDisabled {
        /// The one of the two reasons that applies.
        reason: String,
    },

    /// The new version of a bundle could not serve within the time limit.
    #[error(
        "bundle `{bundle}`: its new version cannot serve after {limit:?}: the reload is given up, and the old version \
         serves on. Look at what the new one waits for when it starts, or allow more with \
         `Runtime::builder().reload_limit(..)`"
    )]
    ReloadTimedOut {
        /// The bundle's name.
        bundle: String,
        /// The time limit.
        limit: std::time::Duration,
    },

    /// The runtime provides the host contract already.
    #[error("the runtime provides the host contract {contract} already: provide each once")]
    AlreadyProvided {
        /// The contract.
        contract: String,
    },

    /// The host contract could not be provided.
    #[error("the host contract {contract} cannot be provided: {reason}")]
    HostContract {
        /// The contract.
        contract: String,
        /// The reason, as text.
        reason: String,
    },

    /// The text does not name a contract.
    #[error(
        "`{contract}` names no contract: write its name and major version, such as `demo.calculator@1`, or with the least minor version that serves, `demo.calculator@1.2`"
    )]
    InvalidContract {
        /// The text.
        contract: String,
    },

    /// No provider of the contract is loaded.
    #[error("no loaded bundle provides {contract}{}: load a bundle that does{}", in_bundle(.bundle), offered_hint(.contract, .offered, .provided, *.by_host))]
    NoProvider {
        /// The contract with its version.
        contract: String,
        /// The requested bundle, if any.
        bundle: Option<String>,
        /// The versions of the contract that loaded bundles provide.
        offered: Vec<Version>,
        /// The contracts that the requested bundle, or else any loaded bundle, provides, each with its version.
        provided: Vec<String>,
        /// `true` if the host provides the contract, as a host contract.
        by_host: bool,
    },

    /// The plugin implements another contract than the host calls, though both have the same name and major version.
    #[error(
        "bundle `{bundle}`: plugin `{plugin}` implements {contract}@{}.{} differently from this host's {}.{}:{}\n\
         rebuild the plugin against the host's version of the contract, or give the changed contract a new major version",
        .provided.major, .provided.minor, .expected.major, .expected.minor, lines(.differences)
    )]
    Incompatible {
        /// The bundle's name.
        bundle: String,
        /// The plugin's name.
        plugin: String,
        /// The contract's name.
        contract: String,
        /// The version the host was built against.
        expected: Version,
        /// The version the plugin was built against.
        provided: Version,
        /// The differences between the two versions.
        differences: Vec<Difference>,
    },

    /// The plugin has no schema, so the runtime cannot check that the plugin implements the contract that the host
    /// calls.
    #[error(
        "bundle `{bundle}`: plugin `{plugin}` has no schema of `{contract}`, so a typed proxy cannot know what it \
         implements: put the contract's schema (`Schema::of::<dyn ..>().encode()`) into the bundle as `{file}`, or \
         call it by handle"
    )]
    NoSchema {
        /// The bundle's name.
        bundle: String,
        /// The plugin's name.
        plugin: String,
        /// The contract's name.
        contract: String,
        /// The file in which a bundle ships the schema.
        file: String,
    },

    /// The bundle is not signed, or its signature does not match its files.
    #[cfg(feature = "signatures")]
    #[error("bundle `{bundle}`: {}: {source}", .path.display())]
    Signature {
        /// The bundle's name.
        bundle: String,
        /// The bundle's directory.
        path: PathBuf,
        /// The error of the signature check.
        source: crate::host::error::signature::SignatureError,
    },

    /// The plugin's factory could not make an instance.
    #[error("bundle `{bundle}`: plugin `{plugin}` could not be started: {reason}")]
    Factory {
        /// The bundle's name.
        bundle: String,
        /// The plugin's name.
        plugin: String,
        /// The factory's error text.
        reason: String,
    },
}

crate::debug_text::debug_as_display!(RuntimeError);

impl RuntimeError {
    /// Replaces paths in the private copy `copy` by paths in the bundle's own directory, `original`.
    pub(crate) fn at_original(mut self, copy: &Path, original: Option<&Path>) -> Self {
        let Some(original) = original else { return self };
        let correct = |path: &mut PathBuf| {
            if let Ok(inside) = path.strip_prefix(copy) {
                *path = original.join(inside);
            }
        };
        match &mut self {
            Self::Manifest(
                ManifestError::Missing { path, .. }
                | ManifestError::Unreadable { path, .. }
                | ManifestError::Pack { path, .. }
                | ManifestError::TooLarge { path, .. }
                | ManifestError::Syntax { path, .. }
                | ManifestError::Invalid { path, .. },
            )
            | Self::Loader(
                LoaderError::ArtifactInvalid { path, .. }
                | LoaderError::ArtifactOutside { path, .. }
                | LoaderError::AbiVersion { path, .. },
            ) => correct(path),
            Self::Loader(LoaderError::ArtifactMissing { tried, .. }) => tried.iter_mut().for_each(correct),
            _ => {}
        }
        // A text of the operating system or of an engine may quote the path as well.
        if let Self::Loader(
            LoaderError::ArtifactInvalid { reason: text, .. }
            | LoaderError::InitFailed { error: text, .. }
            | LoaderError::Failed { reason: text, .. },
        ) = &mut self
        {
            *text = text.replace(&*copy.to_string_lossy(), &original.to_string_lossy());
        }
        self
    }
}

/// The greatest number of loaded bundles that an error lists.
const LISTED: usize = 8;

/// Returns the text about a bundle that is not loaded.
fn not_loaded(id: BundleId, name: Option<&str>, loaded: &[String]) -> String {
    let names: Vec<_> = loaded.iter().map(String::as_str).collect();
    let wanted = match name {
        Some(name) => {
            let hint = did_you_mean(name, &names);
            if !hint.is_empty() {
                return format!("no bundle `{name}` is loaded{hint}");
            }
            format!("no bundle `{name}` is loaded")
        }
        None => format!("no loaded bundle has the id {id}"),
    };
    if loaded.is_empty() {
        return format!("{wanted}, nor is any other: load it first");
    }
    let mut listed: Vec<_> =
        names.iter().take(LISTED).map(|name| format!("`{name}` ({})", BundleId::new(name))).collect();
    if names.len() > LISTED {
        listed.push(format!("and {} more", names.len() - LISTED));
    }
    format!("{wanted}: loaded are {}", listed.join(", "))
}

/// Returns what to do instead of reloading `bundle`, if the bundles `serving` were loaded from its directory.
fn reload_hint(bundle: &str, serving: &[String]) -> String {
    match serving {
        [] => "load it with `Runtime::load_bundle`, or correct `name`".to_owned(),
        serving => format!(
            "{} was loaded from there and serves on: give it its name back, or unload it and load `{bundle}`",
            list(serving)
        ),
    }
}

/// The loaders of this project: the name of each, and the expression that makes one.
const LOADERS: [(&str, &str); 5] = [
    ("native", "polyplug_native::NativeLoader::new()"),
    ("lua", "polyplug_lua::LuaLoader::new()"),
    ("python", "polyplug_python::PythonLoader::new()"),
    ("js", "polyplug_js::JsLoader::new()"),
    ("dotnet", "polyplug_dotnet::DotnetLoader::new()"),
];

/// Returns what to do about a loader that the runtime does not have.
fn loader_remedy(loader: &str, registered: &[String]) -> String {
    /// What languages are called in place of their loaders.
    const LANGUAGES: [(&str, &str); 9] = [
        ("javascript", "js"),
        ("typescript", "js"),
        ("node", "js"),
        ("py", "python"),
        ("csharp", "dotnet"),
        ("c#", "dotnet"),
        (".net", "dotnet"),
        ("rust", "native"),
        ("c", "native"),
    ];
    if let Some((_, name)) = LANGUAGES.iter().find(|(language, _)| language.eq_ignore_ascii_case(loader)) {
        return format!("write `loader = \"{name}\"`");
    }
    if let Some((_, expression)) = LOADERS.iter().find(|(name, _)| *name == loader) {
        return format!("add it with `Runtime::builder().loader({expression})`, or correct `loader`");
    }
    let names = LOADERS.iter().map(|(name, _)| *name);
    let known: Vec<_> = registered.iter().map(String::as_str).chain(names).collect();
    match did_you_mean(loader, &known) {
        near if near.is_empty() => "add it with `Runtime::builder().loader(..)`, or correct `loader`".to_owned(),
        near => format!("correct `loader`{near}, or add it with `Runtime::builder().loader(..)`"),
    }
}

fn in_bundle(bundle: &Option<String>) -> String {
    bundle.as_ref().map(|bundle| format!(" in bundle `{bundle}`")).unwrap_or_default()
}

/// Returns what there is in place of a contract that no bundle provides.
fn offered_hint(contract: &str, versions: &[Version], provided: &[String], by_host: bool) -> String {
    /// The most contracts that are listed.
    const LISTED: usize = 8;
    if by_host {
        return " (the host provides it, as a host contract: plugins call it with `PluginContext::host`, and the host \
                itself calls the object that it gave to `Runtime::provide`)"
            .to_owned();
    }
    if versions.is_empty() {
        let near = did_you_mean_contract(contract, provided);
        if !near.is_empty() || provided.is_empty() {
            return near;
        }
        let more = if provided.len() > LISTED { ", .." } else { "" };
        return format!(" (there is {}{more})", list(&provided[..provided.len().min(LISTED)]));
    }
    let versions: Vec<_> = versions.iter().map(|version| format!("{}.{}", version.major, version.minor)).collect();
    format!(" (there is {})", versions.join(", "))
}
