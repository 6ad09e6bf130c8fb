//! The folders of the repository, the target directory, and the plugin packages.
//!
//! Only manifests are read, and no program is started. So this is fast, and works when the workspace does not resolve.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use toml::{Table, Value};

/// The folders whose packages are plugins.
const STAGES: &str = "examples/pipeline/stages";
const TEST_PLUGINS: &str = "tests/plugins";
const EDITOR_PLUGINS: &str = "examples/editor-commands/plugins";

/// A cargo profile that the commands choose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Profile {
    Dev,
    Release,
}

impl Profile {
    pub(crate) fn new(release: bool) -> Self {
        if release { Self::Release } else { Self::Dev }
    }

    /// Returns its folder below the target directory.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Dev => "debug",
            Self::Release => "release",
        }
    }
}

/// A package that builds a plugin library.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PluginPackage {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    /// Whether it builds a Rust library as well, which can have documentation tests.
    pub(crate) is_rust_library: bool,
    library: String,
}

impl PluginPackage {
    /// Reads the package in `folder`; `None` when it builds no `cdylib`.
    fn read(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join("Cargo.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text, folder).with_context(|| format!("in {}", path.display()))
    }

    fn parse(manifest: &str, folder: &Path) -> Result<Option<Self>> {
        let manifest: Table = manifest.parse()?;
        let Some(lib) = manifest.get("lib").and_then(Value::as_table) else {
            return Ok(None);
        };
        let crate_types = lib.get("crate-type").or_else(|| lib.get("crate_type")).and_then(Value::as_array);
        let builds = |kind: &str| crate_types.is_some_and(|kinds| kinds.iter().any(|each| each.as_str() == Some(kind)));
        if !builds("cdylib") {
            return Ok(None);
        }
        let Some(name) = manifest.get("package").and_then(|package| package.get("name")).and_then(Value::as_str) else {
            bail!("`package.name` is missing");
        };
        let library = lib.get("name").and_then(Value::as_str).map_or_else(|| name.replace('-', "_"), str::to_owned);
        Ok(Some(Self {
            name: name.to_owned(),
            folder: folder.to_owned(),
            is_rust_library: builds("rlib") || builds("lib"),
            library,
        }))
    }

    #[cfg(test)]
    pub(crate) fn for_tests(name: &str, folder: &Path) -> Self {
        Self {
            name: name.to_owned(),
            folder: folder.to_owned(),
            is_rust_library: false,
            library: name.replace('-', "_"),
        }
    }

    /// Returns the name of the library that cargo builds on this platform.
    pub(crate) fn library_file(&self) -> String {
        library_file(&self.library)
    }
}

/// Returns `name` with the prefix and the extension of libraries on this platform.
pub(crate) fn library_file(name: &str) -> String {
    format!("{}{name}{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX)
}

/// Returns the root of the repository.
pub(crate) fn root() -> PathBuf {
    // Cargo sets the variable for `cargo run`; a binary that is started directly uses the value of its build.
    let package = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    package.parent().map_or_else(|| package.clone(), Path::to_owned)
}

/// Returns the directory that cargo builds into.
pub(crate) fn target_dir() -> PathBuf {
    target_dir_from(
        env::var_os("CARGO_TARGET_DIR").or_else(|| env::var_os("CARGO_BUILD_TARGET_DIR")).map(PathBuf::from),
    )
}

fn target_dir_from(set: Option<PathBuf>) -> PathBuf {
    match set.filter(|path| !path.as_os_str().is_empty()) {
        // Relative to the user's current directory, as for cargo.
        Some(path) => std::path::absolute(&path).unwrap_or(path),
        None => root().join("target"),
    }
}

/// Returns the stages of the example pipeline.
pub(crate) fn stages() -> Result<Vec<PluginPackage>> {
    let stages = plugin_packages(&root().join(STAGES))?;
    if stages.is_empty() {
        bail!("there is no plugin package in {STAGES}: is this a complete checkout?");
    }
    Ok(stages)
}

/// Returns the folders of the stages that are not compiled: a manifest and scripts.
pub(crate) fn script_stages() -> Result<Vec<PathBuf>> {
    let mut stages = bundles(&root().join(STAGES))?;
    stages.retain(|stage| !is_dotnet(stage));
    Ok(stages)
}

/// Returns the folders of the stages that are written in C#.
pub(crate) fn dotnet_stages() -> Result<Vec<PathBuf>> {
    let mut stages = bundles(&root().join(STAGES))?;
    stages.retain(|stage| is_dotnet(stage));
    Ok(stages)
}

/// Returns whether the manifest in `folder` names the loader of .NET. One that cannot be read is reported where it is
/// needed.
fn is_dotnet(folder: &Path) -> bool {
    let manifest = fs::read_to_string(folder.join("manifest.toml")).ok().and_then(|text| text.parse::<Table>().ok());
    manifest.is_some_and(|manifest| manifest.get("loader").and_then(Value::as_str) == Some("dotnet"))
}

/// Returns the folders directly below `folder` that have a bundle's manifest and are not packages, by name.
fn bundles(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut folders = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    folders.retain(|path| path.join("manifest.toml").is_file() && !path.join("Cargo.toml").exists());
    folders.sort();
    Ok(folders)
}

/// Returns every plugin that tests and benchmarks load, including those of the examples.
pub(crate) fn fixtures() -> Result<Vec<PluginPackage>> {
    let root = root();
    let mut fixtures = plugin_packages(&root.join(TEST_PLUGINS))?;
    for examples in [STAGES, EDITOR_PLUGINS] {
        fixtures.extend(plugin_packages(&root.join(examples))?);
    }
    check_library_names(&fixtures)?;
    Ok(fixtures)
}

/// Returns the plugin packages directly below `folder`, by name; none when the folder does not exist.
fn plugin_packages(folder: &Path) -> Result<Vec<PluginPackage>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut packages = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.join("Cargo.toml").is_file() {
            packages.extend(PluginPackage::read(&path)?);
        }
    }
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(packages)
}

/// Refuses two libraries of one name: all lie in one folder, where the second would replace the first.
fn check_library_names(packages: &[PluginPackage]) -> Result<()> {
    for (index, package) in packages.iter().enumerate() {
        if let Some(other) = packages[..index].iter().find(|other| other.library == package.library) {
            bail!(
                "{} and {} both build a library called `{}`: rename one",
                other.folder.display(),
                package.folder.display(),
                package.library
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(manifest: &str) -> Option<PluginPackage> {
        PluginPackage::parse(manifest, Path::new("stage")).unwrap()
    }

    #[test]
    fn a_library_is_named_after_its_package() {
        let package = parse("[package]\nname = 'stage-parse'\n[lib]\ncrate-type = ['cdylib']").unwrap();
        assert_eq!(package.name, "stage-parse");
        assert_eq!(package.library, "stage_parse");
        assert!(!package.is_rust_library);
        assert_eq!(package.library_file(), library_file("stage_parse"));
    }

    #[test]
    fn a_library_may_have_a_name_of_its_own() {
        let package = parse("[package]\nname = 'a'\n[lib]\nname = 'b'\ncrate-type = ['rlib', 'cdylib']").unwrap();
        assert_eq!(package.library, "b");
        assert!(package.is_rust_library);
    }

    #[test]
    fn a_package_without_a_cdylib_is_no_plugin() {
        assert_eq!(parse("[package]\nname = 'a'"), None);
        assert_eq!(parse("[package]\nname = 'a'\n[lib]\ncrate-type = ['rlib']"), None);
    }

    #[test]
    fn a_package_without_a_name_is_an_error() {
        let error = PluginPackage::parse("[lib]\ncrate-type = ['cdylib']", Path::new("stage")).unwrap_err();
        assert!(error.to_string().contains("package.name"), "{error}");
    }

    #[test]
    fn two_libraries_of_one_name_are_refused() {
        let package = |folder: &str| PluginPackage {
            name: folder.to_owned(),
            folder: folder.into(),
            is_rust_library: false,
            library: "same".to_owned(),
        };
        let error = check_library_names(&[package("one"), package("two")]).unwrap_err().to_string();
        assert!(error.contains("one") && error.contains("two") && error.contains("same"), "{error}");
    }

    #[test]
    fn packages_are_found_in_order_and_other_folders_passed_over() {
        let temp = tempfile::tempdir().unwrap();
        for name in ["b", "a"] {
            fs::create_dir(temp.path().join(name)).unwrap();
            let manifest = format!("[package]\nname = '{name}'\n[lib]\ncrate-type = ['cdylib']");
            fs::write(temp.path().join(name).join("Cargo.toml"), manifest).unwrap();
        }
        for script in ["d", "c", "a"] {
            fs::create_dir_all(temp.path().join(script)).unwrap();
            fs::write(temp.path().join(script).join("manifest.toml"), "").unwrap();
        }
        fs::create_dir(temp.path().join("notes")).unwrap();
        let names: Vec<_> = plugin_packages(temp.path()).unwrap().into_iter().map(|package| package.name).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(bundles(temp.path()).unwrap(), ["c", "d"].map(|name| temp.path().join(name)));
        fs::write(temp.path().join("d/manifest.toml"), "loader = 'dotnet'").unwrap();
        assert_eq!(["c", "d"].map(|name| is_dotnet(&temp.path().join(name))), [false, true]);
        assert_eq!(plugin_packages(&temp.path().join("missing")).unwrap(), []);
    }

    #[test]
    fn the_target_directory_is_absolute() {
        assert!(target_dir_from(Some("some/where".into())).is_absolute());
        assert_eq!(target_dir_from(Some("".into())), root().join("target"));
        assert_eq!(target_dir_from(None), root().join("target"));
    }
}
