//! Contracts from schema files, bundles and Rust crates.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use polyplug::loader::ManifestData;
use polyplug::schema::Schema;

use crate::bundle::{Contracts, Opened};
use crate::cargo::{Package, cargo, path_of, quoted};

/// Returns the name of a contract with its major version.
pub(crate) fn key(schema: &Schema) -> String {
    format!("{}@{}", schema.name, schema.major)
}

/// Returns whether a contract, given by its name with the major version, is the one that is wanted, by its name with the
/// major version or without. Any contract is, if none is wanted.
pub(crate) fn is_wanted(contract: &str, wanted: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| contract == wanted || contract.split('@').next() == Some(wanted))
}

/// Reads contracts from a schema file, a bundle, or the folder of a Rust crate.
pub(crate) fn read(path: &Path) -> Result<Contracts> {
    let contracts = if is_pack(path) {
        of_bundle(path)?
    } else if path.is_file() && path.file_name().is_some_and(|name| name != "manifest.toml" && name != "Cargo.toml") {
        of_file(path)?
    } else {
        let folder = if path.is_file() { path.parent().unwrap_or(path) } else { path };
        if folder.join("manifest.toml").is_file() && path.file_name().is_none_or(|name| name != "Cargo.toml") {
            of_bundle(folder)?
        } else if folder.join("Cargo.toml").is_file() {
            of_crate(folder)?
        } else if folder.is_dir() {
            shipped(folder)?
        } else {
            bail!("{}: there is no such file or folder", path.display());
        }
    };
    if contracts.is_empty() {
        bail!(
            "{}: no contract there: give a schema file (NAME@MAJOR.schema), a bundle, or the folder of a Rust crate with \
             `#[polyplug::contract]`",
            path.display()
        );
    }
    Ok(contracts)
}

/// Reads the contracts of all sources.
pub(crate) fn read_all(paths: &[PathBuf]) -> Result<Contracts> {
    let mut all = Contracts::new();
    for path in paths {
        all.extend(read(path)?);
    }
    Ok(all)
}

fn all(schemas: impl IntoIterator<Item = Schema>) -> Contracts {
    schemas.into_iter().map(|schema| (key(&schema), schema)).collect()
}

fn of_file(path: &Path) -> Result<Contracts> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let schema = Schema::decode(&bytes).with_context(|| format!("{}", path.display()))?;
    Ok(all([schema]))
}

/// Returns whether there is a file at a path whose name is that of a pack.
pub(crate) fn is_pack(path: &Path) -> bool {
    path.is_file() && path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("polyplug"))
}

/// Reads the schema files in a folder.
pub(crate) fn shipped(folder: &Path) -> Result<Contracts> {
    let mut found = Contracts::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry.with_context(|| format!("cannot read {}", folder.display()))?.path();
        if path.extension().is_some_and(|extension| extension == "schema") {
            found.extend(of_file(&path)?);
        }
    }
    Ok(found)
}

fn of_bundle(bundle: &Path) -> Result<Contracts> {
    let files = ManifestData::read(bundle)?.files();
    let mut found = Contracts::new();
    for (file, size) in files.list()? {
        if file.parent() == Some(Path::new("")) && file.extension().is_some_and(|extension| extension == "schema") {
            let schema = Schema::decode(&files.read(&file, "a schema", size)?);
            found.extend(all([schema.with_context(|| files.root().join(&file).display().to_string())?]));
        }
    }
    let opened = Opened::load_alone(bundle, &Contracts::new())?;
    for schema in opened.contracts() {
        found.extend(all([schema?]));
    }
    Ok(found)
}

/// Reads the contracts of a crate: builds and runs a program that links the crate, and prints them.
fn of_crate(folder: &Path) -> Result<Contracts> {
    let folder = folder.canonicalize().with_context(|| format!("cannot read {}", folder.display()))?;
    let package = Package::read(&folder)?;
    let (name, polyplug) = (package.library()?, package.polyplug()?);
    let program = tempfile::tempdir().context("cannot make a folder for the program that prints the contracts")?;
    let manifest = format!(
        "[package]\nname = \"polyplug-print-contracts\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\npolyplug = \
         {{ {}, default-features = false }}\ncontracts = {{ package = {}, {} }}\n\n[workspace]\n",
        polyplug.of("polyplug", program.path()),
        quoted(name),
        path_of(&folder, program.path()),
    );
    let source = "use std::io::Write;\n\nuse contracts as _;\n\nfn main() {\n    for schema in polyplug::schema::Schema::linked() {\n        \
                  let bytes = schema.encode();\n        let mut out = std::io::stdout().lock();\n        \
                  out.write_all(&(bytes.len() as u64).to_le_bytes()).unwrap();\n        \
                  out.write_all(&bytes).unwrap();\n    }\n}\n";
    fs::create_dir(program.path().join("src"))?;
    fs::write(program.path().join("Cargo.toml"), manifest)?;
    fs::write(program.path().join("src/main.rs"), source)?;
    // The same versions of other crates as the crate itself is built with.
    let lock = package.workspace.join("Cargo.lock");
    if lock.is_file() {
        fs::copy(lock, program.path().join("Cargo.lock"))?;
    }
    let mut command = cargo();
    command.args(["run", "--quiet", "--manifest-path"]).arg(program.path().join("Cargo.toml"));
    command.arg("--target-dir").arg(package.target.join("polyplug-contracts"));
    // Cargo's configuration is that of the working directory: registries, patches, flags.
    command.current_dir(&folder);
    let output = command.stderr(std::process::Stdio::inherit()).output().context("cannot start cargo")?;
    if !output.status.success() {
        bail!("{}: the crate `{name}` could not be built as a library: see above", folder.display());
    }
    let mut found = Vec::new();
    let mut rest = output.stdout.as_slice();
    while let Some((len, more)) = rest.split_first_chunk::<8>() {
        let len = usize::try_from(u64::from_le_bytes(*len)).unwrap_or(usize::MAX);
        let (bytes, more) = more.split_at_checked(len).ok_or_else(|| anyhow!("the program printed something else"))?;
        found.push(Schema::decode(bytes)?);
        rest = more;
    }
    Ok(all(found))
}
