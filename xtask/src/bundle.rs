//! Assembling a bundle: a folder with a `manifest.toml` and the library, or the scripts, that it names.
//!
//! A host may run from the folder that is assembled. So every file is written beside the bundles and then renamed, the
//! library before the manifest, and a file that would not change is not written.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};
use toml::{Table, Value};

use crate::workspace::{PluginPackage, library_file};

const MANIFEST: &str = "manifest.toml";

/// The part of a bundle's manifest that is needed to assemble the bundle.
#[derive(Debug, PartialEq, Eq)]
struct Manifest {
    name: String,
    /// The library's name inside the bundle.
    file: String,
}

/// Assembles the bundle of `package` below `out`, from the library in `libraries`. Returns the bundle's folder.
pub(crate) fn assemble(package: &PluginPackage, libraries: &Path, out: &Path) -> Result<PathBuf> {
    let manifest_path = package.folder.join(MANIFEST);
    let manifest = fs::read_to_string(&manifest_path)
        .with_context(|| {
            format!("every plugin of the pipeline needs a manifest, cannot read {}", manifest_path.display())
        })
        .and_then(|text| Manifest::parse(&text).with_context(|| format!("in {}", manifest_path.display())))?;

    let library = libraries.join(package.library_file());
    if !library.is_file() {
        bail!(
            "{} was built, but {} is not there. If a cargo configuration file moves build output, set CARGO_TARGET_DIR \
             to the same directory",
            package.name,
            library.display()
        );
    }

    let bundle = out.join(&manifest.name);
    fs::create_dir_all(&bundle).with_context(|| format!("cannot make {}", bundle.display()))?;
    put(&library, &bundle.join(&manifest.file), out)?;
    put(&manifest_path, &bundle.join(MANIFEST), out)?;
    Ok(bundle)
}

/// Assembles the bundle of scripts in `folder`: its files unchanged, and no others. Returns the bundle's folder.
pub(crate) fn assemble_scripts(folder: &Path, out: &Path) -> Result<PathBuf> {
    let bundle = out.join(name_of(folder)?);
    let files = files(folder)?;
    for file in files.iter().filter(|file| *file != Path::new(MANIFEST)).chain([&PathBuf::from(MANIFEST)]) {
        let to = bundle.join(file);
        let parent = to.parent().unwrap_or(&bundle);
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        put(&folder.join(file), &to, out)?;
    }
    for file in self::files(&bundle)?.iter().filter(|file| !files.contains(file)) {
        let stale = bundle.join(file);
        fs::remove_file(&stale).with_context(|| format!("cannot remove {}", stale.display()))?;
    }
    Ok(bundle)
}

/// Assembles the bundle of the stage in C# in `folder`: its manifest, and its assembly in `assemblies` with the lines of
/// its methods. Returns the bundle's folder.
pub(crate) fn assemble_dotnet(folder: &Path, assemblies: &Path, out: &Path) -> Result<PathBuf> {
    let (bundle, assembly) = (out.join(name_of(folder)?), assembly_of(folder)?);
    fs::create_dir_all(&bundle).with_context(|| format!("cannot make {}", bundle.display()))?;
    let lines = Path::new(&assembly).with_extension("pdb");
    for file in [Path::new(&assembly), &lines] {
        put(&assemblies.join(file), &bundle.join(file), out)?;
    }
    put(&folder.join(MANIFEST), &bundle.join(MANIFEST), out)?;
    Ok(bundle)
}

/// Returns the name of the bundle in `folder`.
pub(crate) fn name_of(folder: &Path) -> Result<String> {
    from_manifest(folder, name_in)
}

/// Returns the name of the assembly that the manifest in `folder` asks for.
pub(crate) fn assembly_of(folder: &Path) -> Result<String> {
    from_manifest(folder, |manifest| {
        let Some(file) = manifest.get("file").and_then(Value::as_str) else { bail!("`file` is missing: the assembly") };
        check_name("file", file)?;
        Ok(file.to_owned())
    })
}

fn from_manifest<T>(folder: &Path, read: impl Fn(&Table) -> Result<T>) -> Result<T> {
    let path = folder.join(MANIFEST);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    text.parse()
        .map_err(anyhow::Error::from)
        .and_then(|manifest| read(&manifest))
        .with_context(|| format!("in {}", path.display()))
}

/// Returns the files below `folder`, relative to it.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut found, mut folders) = (Vec::new(), vec![PathBuf::new()]);
    while let Some(relative) = folders.pop() {
        let path = folder.join(&relative);
        for entry in fs::read_dir(&path).with_context(|| format!("cannot list {}", path.display()))? {
            let entry = entry?;
            let list = if entry.path().is_dir() { &mut folders } else { &mut found };
            list.push(relative.join(entry.file_name()));
        }
    }
    Ok(found)
}

/// Returns the bundle's name in its manifest.
fn name_in(manifest: &Table) -> Result<String> {
    let Some(name) = manifest.get("name").and_then(Value::as_str) else { bail!("`name` is missing") };
    check_name("name", name)?;
    Ok(name.to_owned())
}

impl Manifest {
    fn parse(text: &str) -> Result<Self> {
        let manifest: Table = text.parse()?;
        let name = name_in(&manifest)?;
        let file = match manifest.get("file") {
            Some(Value::String(file)) => file.as_str(),
            Some(Value::Table(by_platform)) => file_for_this_platform(by_platform)?,
            _ => bail!("`file` is missing: the name of the plugin's library, with or without prefix and extension"),
        };
        check_name("file", file)?;
        Ok(Self { name, file: as_library(file) })
    }
}

/// Picks the entry for this platform from a table with keys like `linux.x86_64`, written as one key or as two.
fn file_for_this_platform(table: &Table) -> Result<&str> {
    let (os, arch) = (env::consts::OS, env::consts::ARCH);
    let platform = format!("{os}.{arch}");
    let file = table.get(&platform).or_else(|| table.get(os)?.get(arch));
    file.and_then(Value::as_str).with_context(|| format!("`file` has no entry for this platform, `{platform}`"))
}

/// Returns `file` as a library's name on this platform: with prefix and extension, unless it has them.
fn as_library(file: &str) -> String {
    if file.ends_with(env::consts::DLL_SUFFIX) { file.to_owned() } else { library_file(file) }
}

/// Refuses a path that leads out of the bundle.
fn check_name(key: &str, value: &str) -> Result<()> {
    let mut parts = Path::new(value).components();
    if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
        bail!("`{key} = {value:?}` must be a plain name, without folders");
    }
    Ok(())
}

/// Copies `from` to `to` by renaming a temporary file in `beside`.
fn put(from: &Path, to: &Path, beside: &Path) -> Result<()> {
    let fresh = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    match fs::read(to) {
        Ok(present) if present == fresh => return Ok(()),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", to.display())),
    }
    // In the folder of all bundles, because a host that copies or watches one bundle does not read that folder.
    let temporary = beside.join(format!(".assembling-{}", std::process::id()));
    let moved = fs::write(&temporary, &fresh).and_then(|()| fs::rename(&temporary, to));
    if moved.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    moved.with_context(|| format!("cannot write {}", to.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Place {
        temp: tempfile::TempDir,
        package: PluginPackage,
    }

    impl Place {
        /// Makes a stage `parse` whose library is built and contains `library`.
        fn new(manifest: &str, library: &str) -> Self {
            let temp = tempfile::tempdir().unwrap();
            let stage = temp.path().join("stages/parse");
            fs::create_dir_all(&stage).unwrap();
            fs::create_dir_all(temp.path().join("debug")).unwrap();
            fs::write(stage.join(MANIFEST), manifest).unwrap();
            let package = PluginPackage::for_tests("stage-parse", &stage);
            let place = Self { temp, package };
            place.build(library);
            place
        }

        fn build(&self, library: &str) {
            fs::write(self.temp.path().join("debug").join(library_file("stage_parse")), library).unwrap();
        }

        fn assemble(&self) -> Result<PathBuf> {
            assemble(&self.package, &self.temp.path().join("debug"), &self.out())
        }

        fn out(&self) -> PathBuf {
            self.temp.path().join("bundles")
        }
    }

    const PARSE: &str = "name = 'pipeline.parse'\nversion = '1.0.0'\nloader = 'native'\nfile = 'parse'\n";

    #[test]
    fn a_bundle_is_the_manifest_and_the_library_it_names() {
        let place = Place::new(PARSE, "code");
        let bundle = place.assemble().unwrap();
        assert_eq!(bundle, place.out().join("pipeline.parse"));
        assert_eq!(fs::read_to_string(bundle.join(MANIFEST)).unwrap(), PARSE);
        assert_eq!(fs::read_to_string(bundle.join(library_file("parse"))).unwrap(), "code");
    }

    #[test]
    fn assembling_again_brings_the_new_library_and_leaves_nothing_behind() {
        let place = Place::new(PARSE, "old");
        place.assemble().unwrap();
        place.build("new");
        let bundle = place.assemble().unwrap();
        assert_eq!(fs::read_to_string(bundle.join(library_file("parse"))).unwrap(), "new");
        assert_eq!(fs::read_dir(&bundle).unwrap().count(), 2);
        assert_eq!(fs::read_dir(place.out()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_library_in_use_is_replaced_and_not_written_over() {
        use std::os::unix::fs::MetadataExt;
        let inode = |path: &Path| fs::metadata(path).unwrap().ino();

        let place = Place::new(PARSE, "old");
        let library = place.assemble().unwrap().join(library_file("parse"));
        let in_use = fs::File::open(&library).unwrap();
        place.build("new");
        place.assemble().unwrap();
        assert_ne!(in_use.metadata().unwrap().ino(), inode(&library));
        assert_eq!(std::io::read_to_string(in_use).unwrap(), "old");
    }

    #[cfg(unix)]
    #[test]
    fn what_did_not_change_is_not_touched() {
        use std::os::unix::fs::MetadataExt;
        let place = Place::new(PARSE, "code");
        let library = place.assemble().unwrap().join(library_file("parse"));
        let before = fs::metadata(&library).unwrap().ino();
        place.assemble().unwrap();
        assert_eq!(fs::metadata(&library).unwrap().ino(), before);
    }

    #[test]
    fn a_bundle_of_scripts_is_its_files_and_nothing_else() {
        let temp = tempfile::tempdir().unwrap();
        let (stage, out) = (temp.path().join("stage"), temp.path().join("bundles"));
        fs::create_dir_all(stage.join("sub")).unwrap();
        fs::create_dir_all(&out).unwrap();
        fs::write(stage.join(MANIFEST), "name = 'redact'\nloader = 'lua'\nfile = 'main.lua'\n").unwrap();
        fs::write(stage.join("main.lua"), "one").unwrap();
        fs::write(stage.join("sub/module.lua"), "two").unwrap();
        let bundle = assemble_scripts(&stage, &out).unwrap();
        assert_eq!(bundle, out.join("redact"));
        assert_eq!(fs::read_to_string(bundle.join("sub/module.lua")).unwrap(), "two");

        fs::remove_file(stage.join("sub/module.lua")).unwrap();
        fs::write(stage.join("main.lua"), "three").unwrap();
        assemble_scripts(&stage, &out).unwrap();
        assert_eq!(fs::read_to_string(bundle.join("main.lua")).unwrap(), "three");
        assert!(!bundle.join("sub/module.lua").exists());
        assert_eq!(fs::read_dir(&out).unwrap().count(), 1);

        fs::write(stage.join(MANIFEST), "name = '../x'").unwrap();
        let error = format!("{:#}", assemble_scripts(&stage, &out).unwrap_err());
        assert!(error.contains("manifest.toml") && error.contains("plain name"), "{error}");
    }

    #[test]
    fn a_bundle_in_csharp_is_its_manifest_and_its_assembly_with_lines() {
        let temp = tempfile::tempdir().unwrap();
        let [stage, assemblies, out] = ["stage", "assemblies", "bundles"].map(|name| temp.path().join(name));
        for folder in [&stage, &assemblies, &out] {
            fs::create_dir_all(folder).unwrap();
        }
        fs::write(stage.join(MANIFEST), "name = 'check'\nloader = 'dotnet'\nfile = 'Check.dll'\n").unwrap();
        fs::write(stage.join("Check.cs"), "").unwrap();
        let error = format!("{:#}", assemble_dotnet(&stage, &assemblies, &out).unwrap_err());
        assert!(error.contains("Check.dll"), "{error}");

        fs::write(assemblies.join("Check.dll"), "code").unwrap();
        fs::write(assemblies.join("Check.pdb"), "lines").unwrap();
        let bundle = assemble_dotnet(&stage, &assemblies, &out).unwrap();
        assert_eq!(bundle, out.join("check"));
        let mut files = files(&bundle).unwrap();
        files.sort();
        assert_eq!(files, ["Check.dll", "Check.pdb", MANIFEST].map(PathBuf::from));
        assert_eq!(fs::read_to_string(bundle.join("Check.dll")).unwrap(), "code");

        fs::write(stage.join(MANIFEST), "name = 'check'\n").unwrap();
        let error = format!("{:#}", assemble_dotnet(&stage, &assemblies, &out).unwrap_err());
        assert!(error.contains("manifest.toml") && error.contains("`file` is missing"), "{error}");
    }

    #[test]
    fn a_missing_library_is_named() {
        let place = Place::new(PARSE, "code");
        fs::remove_file(place.temp.path().join("debug").join(library_file("stage_parse"))).unwrap();
        let error = place.assemble().unwrap_err().to_string();
        assert!(error.contains("stage-parse") && error.contains("CARGO_TARGET_DIR"), "{error}");
    }

    #[test]
    fn a_faulty_manifest_is_named() {
        let place = Place::new("name = 'x'\nfile = ", "code");
        let error = format!("{:#}", place.assemble().unwrap_err());
        assert!(error.contains("manifest.toml") && error.contains("line 2"), "{error}");
    }

    #[test]
    fn a_file_gets_what_this_platform_puts_around_a_library() {
        let file = |text: &str| Manifest::parse(text).unwrap().file;
        assert_eq!(file("name = 'a'\nfile = 'a'"), library_file("a"));
        assert_eq!(file(&format!("name = 'a'\nfile = '{}'", library_file("a"))), library_file("a"));
        assert_eq!(file("name = 'a'\nfile = 'a.b'"), library_file("a.b"));
    }

    #[test]
    fn a_file_may_depend_on_the_platform() {
        let (os, arch) = (env::consts::OS, env::consts::ARCH);
        for key in [format!("'{os}.{arch}'"), format!("{os}.{arch}")] {
            let text = format!("name = 'a'\n[file]\n{key} = 'here'\n'other.cpu' = 'there'");
            assert_eq!(Manifest::parse(&text).unwrap().file, library_file("here"));
        }
        let error = Manifest::parse("name = 'a'\n[file]\n'other.cpu' = 'there'").unwrap_err().to_string();
        assert!(error.contains(os) && error.contains(arch), "{error}");
    }

    #[test]
    fn names_cannot_leave_the_bundle() {
        for value in ["../x", "/x", "a/b", "..", "."] {
            let error = Manifest::parse(&format!("name = 'a'\nfile = '{value}'")).unwrap_err().to_string();
            assert!(error.contains("`file"), "{error}");
            let error = Manifest::parse(&format!("name = '{value}'\nfile = 'a'")).unwrap_err().to_string();
            assert!(error.contains("`name"), "{error}");
        }
    }

    #[test]
    fn what_is_missing_is_said() {
        let error = |text: &str| Manifest::parse(text).unwrap_err().to_string();
        assert!(error("file = 'a'").contains("`name` is missing"));
        assert!(error("name = 'a'").contains("`file` is missing"));
    }
}
