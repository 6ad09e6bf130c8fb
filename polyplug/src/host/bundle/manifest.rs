//! `manifest.toml`: the description of a bundle.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};
#[cfg(feature = "packs")]
use std::sync::Arc;

use polyplug_abi::{BundleId, DependencyInfo, GuestContractId, HostContractId};
use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::artifact::ArtifactForm;
use super::diagnose::found_instead;
use super::file::{absolute, read_file};
use super::files::Files;
pub(crate) use super::names::FILE_NAME;
use super::names::{is_device, is_pack};
#[cfg(feature = "packs")]
use super::pack::{OpenError, Pack};
use super::workers::Workers;
use crate::host::error::file::FileError;
use crate::host::error::loader::LoaderError;
use crate::host::error::manifest::ManifestError;
use crate::host::error::pack::PackError;
use crate::host::error::suggest::{did_you_mean, with_near_key};

/// The most bytes a manifest may have.
const SIZE_LIMIT: u64 = 1 << 20;

/// A bundle's manifest, checked.
///
/// ```
/// use polyplug::loader::ManifestData;
///
/// let text = r#"
///     name = "calc"
///     version = "1.2.0"
///     loader = "native"
///     file = "calc"             # libcalc.so, libcalc.dylib or calc.dll
///
///     [[dependency]]
///     contract = "demo.rounding@1.1"
///
///     [[host]]
///     contract = "demo.logger@1"
///     optional = true
///
///     [config]
///     digits = 12
/// "#;
/// let manifest = ManifestData::parse(text, "plugins/calc")?;
/// assert_eq!(manifest.dependencies[0].minor, 1);
/// assert!(manifest.host_contracts[0].optional);
/// assert_eq!(manifest.config["digits"].as_integer(), Some(12));
/// # Ok::<(), polyplug::error::ManifestError>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ManifestData {
    /// The bundle's name, which identifies it.
    pub name: String,
    /// The bundle's version.
    pub version: semver::Version,
    /// The name of the loader that loads it.
    pub loader: String,
    /// The artifact, relative to `path`. After loading from a directory, the file is known to exist.
    pub file: String,
    /// The hash of the name.
    pub id: BundleId,
    /// The bundle's directory, or that of its private copy if the runtime made one. For a bundle that runs from a
    /// [pack](crate::loader::BundleLoader::runs_from_packs), the pack's file.
    pub path: PathBuf,
    /// The bundle's own directory as it was given, even if `path` is that of a private copy. A loader finds the folders
    /// there that it [uses in place](crate::loader::BundleLoader::shared_dirs). If a signature is required
    /// (`SignaturePolicy::Require`), `origin` is the private copy's directory as well, as only the copy was checked.
    pub origin: PathBuf,
    /// The contracts of other bundles that the bundle's plugins call.
    pub dependencies: Vec<Dependency>,
    /// The host contracts that the bundle's plugins call. If empty, the plugins may call every host contract.
    pub host_contracts: Vec<HostDependency>,
    /// The number of VMs that the bundle asks for, for calls of its stateless plugins. More than one only if the loader
    /// [supports](crate::loader::BundleLoader::supports_workers) workers.
    pub workers: Workers,
    /// The bundle's settings. In the manifest that a loader receives, the host's settings are merged in: see
    /// [`Runtime::configure`](crate::Runtime::configure).
    pub config: toml::Table,
    /// The settings for the loader itself: the table of the manifest that has the loader's name, `[python]` where
    /// `loader` is `"python"`. Empty if the manifest has no such table. The loader has
    /// [checked](crate::loader::BundleLoader::check_options) the settings.
    ///
    /// A loader whose name is a key of every manifest, such as `config`, gets no settings.
    pub options: toml::Table,
    /// The pack that the bundle's files are in.
    #[cfg(feature = "packs")]
    pub(crate) pack: Option<Arc<Pack>>,
}

/// A contract of other bundles that a bundle's plugins call.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dependency {
    /// The contract's name.
    pub contract: String,
    /// The contract's major version.
    pub major: u32,
    /// The least minor version that suffices.
    pub minor: u32,
    /// The line of the manifest, from 1.
    pub line: usize,
}

/// A host contract that a bundle's plugins call.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostDependency {
    /// The contract's name.
    pub contract: String,
    /// The contract's major version.
    pub major: u32,
    /// The least minor version that suffices.
    pub minor: u32,
    /// `true` if the plugins can do without the contract.
    pub optional: bool,
    /// The line of the manifest, from 1.
    pub line: usize,
}

impl HostDependency {
    /// Returns the contract's id.
    #[must_use]
    pub fn id(&self) -> HostContractId {
        HostContractId::new(&self.contract, self.major)
    }
}

impl Dependency {
    /// Returns the contract's id.
    #[must_use]
    pub fn id(&self) -> GuestContractId {
        GuestContractId::new(&self.contract, self.major)
    }

    pub(crate) fn info(&self) -> DependencyInfo {
        DependencyInfo { contract_id: self.id(), min_version: self.minor, bundle_id: BundleId::from_u64(0) }
    }
}

/// The keys of [`Written`].
const KEYS: [&str; 12] = [
    "name",
    "version",
    "loader",
    "file",
    "id",
    "workers",
    "dependency",
    "host",
    "config",
    "description",
    "authors",
    "license",
];

/// A manifest as written, without the table of its loader. An unknown key is an error: a misspelt key would otherwise
/// be ignored in silence.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    version: String,
    loader: String,
    file: Option<Artifact>,
    id: Option<Id>,
    workers: Option<Spanned<toml::Value>>,
    #[serde(default)]
    dependency: Vec<WrittenDependency>,
    #[serde(default)]
    host: Vec<WrittenHost>,
    #[serde(default)]
    config: toml::Table,
    // For people; the runtime does not use these keys.
    #[serde(rename = "description")]
    _description: Option<String>,
    #[serde(rename = "authors")]
    _authors: Option<Vec<String>>,
    #[serde(rename = "license")]
    _license: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a file name, or a table of file names by os and arch")]
enum Artifact {
    One(String),
    /// A file for each `os.arch`: a table of tables, or a table with dotted keys in quotes.
    ByPlatform(BTreeMap<String, Platform>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Platform {
    File(String),
    ByArch(BTreeMap<String, String>),
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected the bundle's id as a number or as a text like \"0x0123456789abcdef\"")]
enum Id {
    Number(i64),
    Text(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenDependency {
    contract: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenHost {
    contract: Spanned<String>,
    #[serde(default)]
    optional: bool,
}

impl ManifestData {
    /// Reads the manifest of the bundle at `path`: a directory, a file in one, or a pack. The paths in what is returned are
    /// absolute, so the program may change its working directory.
    ///
    /// # Errors
    ///
    /// Any [`ManifestError`].
    #[inline]
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ManifestError> {
        Self::read_at(path.as_ref())
    }

    fn read_at(path: &Path) -> Result<Self, ManifestError> {
        let path = &absolute(path)
            .map_err(|source| ManifestError::Unreadable { path: path.to_owned(), source: source.into() })?;
        if is_pack(path) {
            return Self::read_pack(path);
        }
        if let Some(text) = read_limited(&path.join(FILE_NAME))? {
            return Self::parse_at(&text, path);
        }
        // The path may be that of the artifact or of the manifest.
        let is_file = path.is_file();
        if is_file
            && let Some(directory) = path.parent()
            && let Some(text) = read_limited(&directory.join(FILE_NAME))?
        {
            return Self::parse_at(&text, directory);
        }
        let shown = if is_file { path.clone() } else { path.join(FILE_NAME) };
        Err(ManifestError::Missing { path: shown, found: Box::new(found_instead(path)) })
    }

    /// Opens the pack at the manifest's path, if there is one. For a manifest that is given as text.
    pub(crate) fn open_pack(&mut self) -> Result<(), ManifestError> {
        if is_pack(&self.path) {
            #[cfg(feature = "packs")]
            {
                let mut pack = Pack::open(&self.path).map_err(|error| error.of_manifest(&self.path))?;
                pack.release();
                self.pack = Some(Arc::new(pack));
            }
            #[cfg(not(feature = "packs"))]
            return Err(ManifestError::Pack { path: self.path.clone(), source: PackError::Disabled });
        }
        Ok(())
    }

    #[cfg(feature = "packs")]
    fn read_pack(path: &Path) -> Result<Self, ManifestError> {
        let mut pack = Pack::open(path).map_err(|error| error.of_manifest(path))?;
        let mut this = Self::in_pack(&pack)?;
        // A folder of bundles may have many packs.
        pack.release();
        this.pack = Some(Arc::new(pack));
        Ok(this)
    }

    #[cfg(not(feature = "packs"))]
    fn read_pack(path: &Path) -> Result<Self, ManifestError> {
        Err(ManifestError::Pack { path: path.to_owned(), source: PackError::Disabled })
    }

    /// Reads the manifest in a pack. Returns the manifest, which keeps the pack, and the pack.
    #[cfg(feature = "packs")]
    pub(crate) fn of_pack(pack: Pack) -> Result<(Self, Arc<Pack>), ManifestError> {
        let (mut this, pack) = (Self::in_pack(&pack)?, Arc::new(pack));
        this.pack = Some(Arc::clone(&pack));
        Ok((this, pack))
    }

    #[cfg(feature = "packs")]
    fn in_pack(pack: &Pack) -> Result<Self, ManifestError> {
        let path = pack.path().join(FILE_NAME);
        let text = text_of(&path, pack.read(FILE_NAME.as_ref(), "a manifest", SIZE_LIMIT))?;
        Self::parse_at(text.as_deref().unwrap_or_default(), pack.path())
    }

    /// Parses the text of a manifest, for a bundle at `directory`.
    ///
    /// # Errors
    ///
    /// Any [`ManifestError`] but those of reading the file.
    #[inline]
    pub fn parse(text: &str, directory: impl AsRef<Path>) -> Result<Self, ManifestError> {
        Self::parse_at(text, directory.as_ref())
    }

    fn parse_at(text: &str, directory: &Path) -> Result<Self, ManifestError> {
        let path = directory.join(FILE_NAME);
        let (written, options) = read_text(text)
            .map_err(|Mistake { at, message }| syntax(&path, text.as_bytes(), at, &remedied(text, at, message)))?;
        let invalid = |key, message: String| ManifestError::Invalid { path: path.clone(), key, message };

        check_name(&written.name).map_err(|message| invalid("name", message))?;
        let version = semver::Version::parse(&written.version)
            .map_err(|error| invalid("version", format!("\"{}\": {error}: write \"1.0.0\"", written.version)))?;
        if written.loader.is_empty() {
            return Err(invalid("loader", "is empty: write the name of a loader, such as \"native\"".to_owned()));
        }
        let id = BundleId::new(&written.name);
        if let Some(given) = &written.id {
            check_id(given, id, &written.name).map_err(|message| invalid("id", message))?;
        }
        let workers = match &written.workers {
            None => Workers::default(),
            Some(value) => {
                Workers::read(value.get_ref(), &text[value.span()]).map_err(|message| invalid("workers", message))?
            }
        };
        let file = match written.file {
            None => String::new(),
            Some(artifact) => {
                artifact.for_this_platform().and_then(not_empty).map_err(|message| invalid("file", message))?
            }
        };
        check_relative(&file).map_err(|message| invalid("file", message))?;
        let dependencies: Vec<_> = written
            .dependency
            .iter()
            .map(|WrittenDependency { contract: written }| {
                let (contract, major, minor) = parse_contract(written.get_ref())?;
                Ok(Dependency { contract, major, minor, line: line_at(text.as_bytes(), written.span().start) })
            })
            .collect::<Result<_, _>>()
            .map_err(|message| invalid("dependency.contract", message))?;
        let once = dependencies.iter().map(|need: &Dependency| (&*need.contract, need.major, need.line));
        check_listed_once(once).map_err(|message| invalid("dependency.contract", message))?;
        let host_contracts: Vec<_> = written
            .host
            .iter()
            .map(|WrittenHost { contract: written, optional }| {
                let (contract, major, minor) = parse_contract(written.get_ref())?;
                let line = line_at(text.as_bytes(), written.span().start);
                Ok(HostDependency { contract, major, minor, optional: *optional, line })
            })
            .collect::<Result<_, _>>()
            .map_err(|message| invalid("host.contract", message))?;
        let once = host_contracts.iter().map(|need: &HostDependency| (&*need.contract, need.major, need.line));
        check_listed_once(once).map_err(|message| invalid("host.contract", message))?;
        Ok(Self {
            name: written.name,
            version,
            loader: written.loader,
            file,
            id,
            path: directory.to_owned(),
            origin: directory.to_owned(),
            dependencies,
            host_contracts,
            workers,
            config: written.config,
            options,
            #[cfg(feature = "packs")]
            pack: None,
        })
    }

    /// Finds the artifact in the bundle's directory, adding the platform's prefix and extension where missing.
    pub(crate) fn find_artifact(&mut self) -> Result<(), LoaderError> {
        let bundle = || self.name.clone();
        if self.file.is_empty() {
            let reason = format!("`file` is missing: name the artifact in {FILE_NAME}");
            return Err(LoaderError::ArtifactInvalid { bundle: bundle(), path: self.path.join(FILE_NAME), reason });
        }
        let form = ArtifactForm::of(&self.loader);
        let candidates = form.candidates(&self.file);
        let files = self.files();
        let Some(found) = candidates.iter().find(|candidate| files.is_file(candidate)) else {
            let tried = candidates.iter().map(|candidate| self.path.join(candidate)).collect();
            let remedy = form.remedy(files.folder(), &self.file);
            return Err(LoaderError::ArtifactMissing { bundle: bundle(), tried, remedy });
        };
        if let Some(reason) = form.mismatch(&self.path.join(found)) {
            return Err(LoaderError::ArtifactInvalid { bundle: bundle(), path: self.path.join(found), reason });
        }
        if files.folder().is_none() {
            self.file.clone_from(found); // there are no links in a pack
            return Ok(());
        }
        let unreadable = |path: PathBuf| {
            let bundle = bundle();
            move |error: std::io::Error| LoaderError::ArtifactInvalid { bundle, path, reason: error.to_string() }
        };
        if !self.passes_a_link(found) {
            self.file = self.real_letters(found).unwrap_or_else(|| found.clone());
            return Ok(());
        }
        // A link may lead anywhere, so compare the paths with all links followed.
        let artifact = self.path.join(found);
        let real = artifact.canonicalize().map_err(unreadable(artifact.clone()))?;
        let directory = self.path.canonicalize().map_err(unreadable(self.path.clone()))?;
        if !real.starts_with(&directory) {
            return Err(LoaderError::ArtifactOutside { bundle: bundle(), path: real });
        }
        self.file.clone_from(found);
        Ok(())
    }

    /// Returns whether any part of `file`, relative to the bundle's directory, is a symbolic link. A path without links
    /// stays in the bundle, as its parts were checked.
    fn passes_a_link(&self, file: &str) -> bool {
        let mut path = self.path.clone();
        Path::new(file).components().any(|part| {
            path.push(part);
            path.symlink_metadata().map_or(true, |found| found.file_type().is_symlink())
        })
    }

    /// Returns `file`, whose path has no links, with the letters that the folders list it with, and with `/` between its
    /// parts. Some systems find it by others.
    fn real_letters(&self, file: &str) -> Option<String> {
        if cfg!(not(any(windows, target_vendor = "apple"))) {
            return None;
        }
        let (real, directory) = (self.path.join(file).canonicalize().ok()?, self.path.canonicalize().ok()?);
        let parts: Option<Vec<_>> = real.strip_prefix(directory).ok()?.iter().map(OsStr::to_str).collect();
        Some(parts?.join("/"))
    }

    /// Returns the bundle's files: those in the directory [`path`](Self::path), or those of the pack that the bundle runs
    /// from.
    #[must_use]
    pub fn files(&self) -> Files {
        #[cfg(feature = "packs")]
        if let Some(pack) = &self.pack {
            return Files::in_pack(pack);
        }
        Files::in_folder(&self.path)
    }

    /// Returns the artifact's path.
    #[must_use]
    pub fn artifact(&self) -> PathBuf {
        self.path.join(&self.file)
    }
}

#[cfg(feature = "packs")]
impl OpenError {
    /// Returns the error as that of the manifest of the pack at `path`.
    pub(crate) fn of_manifest(self, path: &Path) -> ManifestError {
        let path = path.to_owned();
        match self {
            Self::Pack(source) => ManifestError::Pack { path, source },
            Self::File(FileError::TooLarge { size, limit, .. }) => {
                let reason =
                    format!("{size} bytes are too many for a pack (at most {limit}): keep the bundle in a folder");
                ManifestError::Pack { path, source: PackError::TooLarge { reason } }
            }
            Self::File(error) => ManifestError::Unreadable { path, source: error.into_io().into() },
        }
    }
}

/// A mistake in the text of a manifest, and the byte at which it is.
struct Mistake {
    at: usize,
    message: String,
}

impl From<toml::de::Error> for Mistake {
    fn from(error: toml::de::Error) -> Self {
        Self { at: error.span().map_or(0, |span| span.start), message: with_near_key(error.message()) }
    }
}

/// Parses the text of a manifest into its keys and the table of its loader.
fn read_text(text: &str) -> Result<(Written, toml::Table), Mistake> {
    let mut document = DeTable::parse(text)?;
    let options = take_options(document.get_mut())?;
    Ok((Written::deserialize(toml::Deserializer::from(document))?, options))
}

/// Takes the table of the loader out of a manifest, and refuses those of other loaders.
fn take_options(document: &mut DeTable<'_>) -> Result<toml::Table, Mistake> {
    let loader = document.get("loader").and_then(|loader| loader.get_ref().as_str());
    let Some(loader) = loader.map(str::to_owned) else { return Ok(toml::Table::new()) };
    let options = if KEYS.contains(&&*loader) { None } else { document.remove(&*loader) };
    refuse_other_tables(document, &loader)?;
    let Some(options) = options else { return Ok(toml::Table::new()) };
    let span = options.span();
    match options.into_inner() {
        DeValue::Table(table) => Ok(toml::Table::deserialize(toml::Deserializer::from(Spanned::new(span, table)))?),
        other => {
            let message = format!(
                "`{loader}` is of type {}, and has to be a table, with settings of the loader `{loader}`: write them \
                 under `[{loader}]`",
                other.type_str()
            );
            Err(Mistake { at: span.start, message })
        }
    }
}

/// Refuses tables that belong neither to the manifest nor to its loader. Other unknown keys are found when the manifest
/// is deserialised.
fn refuse_other_tables(document: &DeTable<'_>, loader: &str) -> Result<(), Mistake> {
    let unknown = document.iter().find(|(key, value)| value.get_ref().is_table() && !KEYS.contains(&&**key.get_ref()));
    let Some((key, _)) = unknown else { return Ok(()) };
    let message = format!(
        "unknown table `{}`{}: beside `config`, with the settings of the plugins, only the table of the bundle's own loader is \
         allowed, `{loader}`: rename or remove it",
        key.get_ref(),
        did_you_mean(key.get_ref(), &[&KEYS[..], &[loader]].concat())
    );
    Err(Mistake { at: key.span().start, message })
}

/// Reads a manifest, or returns `None` if it does not exist.
fn read_limited(path: &Path) -> Result<Option<String>, ManifestError> {
    text_of(path, read_file(path, "a manifest", SIZE_LIMIT))
}

/// Returns the text of a manifest that was read, or `None` if it does not exist.
fn text_of(path: &Path, read: Result<Vec<u8>, FileError>) -> Result<Option<String>, ManifestError> {
    let bytes = match read {
        Ok(bytes) => bytes,
        Err(error) if error.is_missing() => return Ok(None),
        Err(FileError::TooLarge { path, size, limit, .. }) => {
            return Err(ManifestError::TooLarge { path, size, limit });
        }
        Err(other) => return Err(ManifestError::Unreadable { path: path.to_owned(), source: other.into_io().into() }),
    };
    String::from_utf8(bytes).map(Some).map_err(|error| {
        let message = "the file is not UTF-8 from here on: save it as UTF-8";
        syntax(path, error.as_bytes(), error.utf8_error().valid_up_to(), message)
    })
}

/// Returns the message of a mistake with what to do, for a table that is to be an entry of a list.
fn remedied(text: &str, at: usize, message: String) -> String {
    let line = text.get(at..).and_then(|rest| rest.lines().next()).unwrap_or_default().trim();
    match line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(name) if message.contains("expected a sequence") && !name.starts_with('[') => {
            format!("{message}: there may be several, so write `[[{name}]]`")
        }
        _ => message,
    }
}

/// Returns the error of a mistake at byte `at` of the file.
fn syntax(path: &Path, text: &[u8], at: usize, message: &str) -> ManifestError {
    let before = &text[..at.min(text.len())];
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    ManifestError::Syntax {
        path: path.to_owned(),
        line: line_at(text, at),
        column: String::from_utf8_lossy(&before[line_start..]).chars().count() + 1,
        message: message.to_owned(),
    }
}

/// Returns the line of byte `at`, from 1.
fn line_at(text: &[u8], at: usize) -> usize {
    text.iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}

fn check_name(name: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > 128 {
        return Err(format!("has {} letters: use 1 to 128", name.len()));
    }
    if name.starts_with('.') {
        return Err(format!("\"{name}\" starts with a dot: start with a letter or digit"));
    }
    if let Some(bad) = name.chars().find(|c| !allowed(*c)) {
        return Err(format!("{bad:?} cannot be in a bundle's name: use letters, digits, `-`, `_` and `.`"));
    }
    // Folders are often called after their bundles. A bundle that is made on another system may be used on Windows.
    if name.ends_with('.') {
        return Err(format!("\"{name}\" ends with a dot, which Windows drops: end with a letter or digit"));
    }
    if is_device(name) {
        return Err(format!("\"{name}\" is a device on Windows, and no folder can be called so: choose another name"));
    }
    Ok(())
}

fn check_id(given: &Id, expected: BundleId, name: &str) -> Result<(), String> {
    let (shown, value) = match given {
        // TOML's numbers are signed, so an id in the upper half of the range is negative.
        Id::Number(number) => (number.to_string(), Some(*number as u64)),
        Id::Text(text) => {
            let digits = text.strip_prefix("0x");
            let value = digits.map_or_else(|| text.parse().ok(), |digits| u64::from_str_radix(digits, 16).ok());
            (format!("\"{text}\""), value)
        }
    };
    if value == Some(expected.id()) {
        return Ok(());
    }
    Err(format!("{shown} is not the id of \"{name}\", which is \"{expected}\": correct it, or leave `id` out"))
}

/// Refuses a file that leaves the bundle by its name alone.
fn check_relative(file: &str) -> Result<(), String> {
    let bad = Path::new(file).components().find(|part| !matches!(part, Component::Normal(_) | Component::CurDir));
    match bad {
        None => Ok(()),
        Some(Component::ParentDir) => {
            Err(format!("\"{file}\" climbs out of the bundle: an artifact lies in its folder"))
        }
        Some(_) => Err(format!("\"{file}\" is absolute: write it relative to the bundle's folder")),
    }
}

/// Refuses a list that has a contract and major version twice, as only one minor version can apply. Each item is a
/// contract, its major version and its line.
fn check_listed_once<'a>(listed: impl Iterator<Item = (&'a str, u32, usize)>) -> Result<(), String> {
    let mut lines = BTreeMap::new();
    for (contract, major, line) in listed {
        if let Some(first) = lines.insert((contract, major), line) {
            return Err(format!(
                "line {line} lists {contract}@{major} again, after line {first}: list it once, with the least minor \
                 version that serves"
            ));
        }
    }
    Ok(())
}

/// Parses `name@major` or `name@major.minor`.
pub(crate) fn parse_contract(text: &str) -> Result<(String, u32, u32), String> {
    let wrong = || format!("\"{text}\" names no contract: write \"name@major\" or \"name@major.minor\"");
    let (name, version) = text.split_once('@').ok_or_else(wrong)?;
    let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
    if name.is_empty() {
        return Err(wrong());
    }
    let number = |text: &str| text.parse().map_err(|_| wrong());
    Ok((name.to_owned(), number(major)?, number(minor)?))
}

impl Artifact {
    fn for_this_platform(self) -> Result<String, String> {
        let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
        let table = match self {
            Self::One(file) => return Ok(file),
            Self::ByPlatform(table) => table,
        };
        let files: BTreeMap<String, String> = table
            .into_iter()
            .flat_map(|(key, platform)| match platform {
                Platform::File(file) => vec![(key, file)],
                Platform::ByArch(files) => {
                    files.into_iter().map(|(arch, file)| (format!("{key}.{arch}"), file)).collect()
                }
            })
            .collect();
        let wanted = format!("{os}.{arch}");
        // A file for a system alone serves all its processors.
        files.get(&wanted).or_else(|| files.get(os)).cloned().ok_or_else(|| {
            let known: Vec<_> = files.keys().map(String::as_str).collect();
            format!("has nothing for {wanted}, only for {}: add a file for this platform", known.join(", "))
        })
    }
}

fn not_empty(file: String) -> Result<String, String> {
    if file.is_empty() { Err("is empty: name the artifact".to_owned()) } else { Ok(file) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(loader: &str, more: &str) -> Result<ManifestData, String> {
        let text = format!("name = \"bundle\"\nversion = \"1.0.0\"\nloader = {loader:?}\n{more}");
        ManifestData::parse(&text, "folder").map_err(|error| error.to_string())
    }

    #[test]
    fn the_keys_are_those_that_are_written() {
        let error = parse("native", "unheard = 1").unwrap_err();
        let known: Vec<_> = KEYS.iter().map(|key| format!("`{key}`")).collect();
        assert!(
            error.ends_with(&format!("4:1: unknown field `unheard`, expected one of {}", known.join(", "))),
            "{error}"
        );
    }

    #[test]
    fn a_file_for_the_machine_comes_before_one_for_the_system() {
        let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
        let file = |more: &str| parse("native", &format!("file = {{ {more} }}")).map(|manifest| manifest.file);
        assert_eq!(file(&format!("{os} = \"any\", other = \"none\"")), Ok("any".to_owned()));
        assert_eq!(file(&format!("{os}.{arch} = \"this\"")), Ok("this".to_owned()));
        assert_eq!(file(&format!("{os} = \"any\", \"{os}.{arch}\" = \"this\"")), Ok("this".to_owned()));
        let error = file(&format!("other = \"none\", {os}.z80 = \"old\"")).unwrap_err();
        let known = if os < "other" { format!("{os}.z80, other") } else { format!("other, {os}.z80") };
        assert!(error.contains(&format!("has nothing for {os}.{arch}, only for {known}")), "{error}");
    }

    #[test]
    fn the_table_with_the_loaders_name_is_for_the_loader() {
        let expected: toml::Table = toml::from_str("venv = \".venv\"\npaths = { first = [\"lib\"] }").unwrap();
        for venv in ["python.venv = \".venv\"\n", "[python]\nvenv = \".venv\"\n"] {
            let more = format!("{venv}[config]\nvenv = 1\n[python.paths]\nfirst = [\"lib\"]\n");
            let manifest = parse("python", &more).unwrap();
            assert_eq!(manifest.options, expected);
            assert_eq!(manifest.config.keys().collect::<Vec<_>>(), ["venv"]);
        }
        let manifest = parse("python", "").unwrap();
        assert!(manifest.options.is_empty());
        assert_eq!((&manifest.path, &manifest.origin), (&PathBuf::from("folder"), &PathBuf::from("folder")));
        assert!(parse("python", "python = {}").unwrap().options.is_empty());
        assert_eq!(parse("a loader", "[\"a loader\"]\na = 1\n").unwrap().options.len(), 1);
    }

    #[test]
    fn workers_are_a_number_or_one_a_core() {
        let workers = |value: &str| parse("lua", &format!("workers = {value}")).map(|manifest| manifest.workers);
        assert_eq!(parse("lua", "").unwrap().workers, Workers::Count(1));
        assert_eq!(workers("1"), Ok(Workers::Count(1)));
        assert_eq!(workers("256"), Ok(Workers::Count(256)));
        assert_eq!(workers("\"cores\""), Ok(Workers::Cores));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        assert_eq!((Workers::Count(3).count(), Workers::Cores.count()), (3, cores.min(256)));
        for (value, reason) in [
            ("0", "0 is out of range"),
            ("-2", "-2 is out of range"),
            ("257", "257 is out of range"),
            ("4294967297", "4294967297 is out of range"),
            ("2.5", "2.5 is no number of workers"),
            ("true", "true is no number of workers"),
            ("\"2\"", "\"2\" is no number of workers"),
            ("\"core\"", "\"core\" is no number of workers"),
            ("[2]", "[2] is no number of workers"),
        ] {
            let error = workers(value).unwrap_err();
            let remedy = "write the number of workers, from 1 to 256, or \"cores\" for one a processor core";
            assert!(error.ends_with(&format!("`workers`: {reason}: {remedy}")), "{error}");
        }
    }

    #[test]
    fn a_loader_that_is_called_like_a_key_has_no_table() {
        let manifest = parse("config", "[config]\na = 1\n").unwrap();
        assert!(manifest.options.is_empty());
        assert_eq!(manifest.config.len(), 1);
        assert!(parse("host", "[host]\na = 1\n").unwrap_err().contains("expected a sequence"));
    }

    #[cfg(not(any(feature = "packs", miri)))] // Miri shows no files
    #[test]
    fn a_program_without_packs_names_the_feature() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.polyplug");
        std::fs::write(&path, "").unwrap();
        let error = ManifestData::read(&path).unwrap_err().to_string();
        assert!(error.starts_with(&*path.to_string_lossy()) && error.contains("the feature `packs`"), "{error}");
    }
}
