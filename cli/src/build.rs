//! What a project is built to: the manifest and the files of its bundle.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};
use polyplug::loader::ManifestData;
use serde_json::Value as Json;

use crate::args::Build;
use crate::bundle::files;
use crate::cargo::{Package, cargo};

/// The parts of a bundle.
#[derive(Debug)]
pub(crate) struct Artifacts {
    /// The name of the bundle.
    pub(crate) name: String,
    /// The files: their paths in the bundle, and their contents.
    pub(crate) files: Vec<(PathBuf, Contents)>,
}

/// The contents of a file of a bundle.
#[derive(Debug)]
pub(crate) enum Contents {
    Text(String),
    /// The contents of another file.
    Of(PathBuf),
}

/// Builds a project.
pub(crate) fn artifacts(args: &Build) -> Result<Artifacts> {
    let project = &args.project;
    if project.join("Cargo.toml").is_file() {
        return of_crate(args);
    }
    if !project.join("manifest.toml").is_file() {
        bail!(
            "{}: no project there: a plugin in Rust has a Cargo.toml, any other a manifest.toml (`polyplug new plugin` makes \
             both)",
            project.display()
        );
    }
    match compiled(project)? {
        Some(artifacts) => Ok(artifacts),
        None => Ok(Artifacts { name: ManifestData::read(project)?.name, files: scripts(project)? }),
    }
}

/// Builds a project whose code is compiled, a crate without optimizations; returns nothing for scripts that are used as they
/// are.
pub(crate) fn compiled(project: &Path) -> Result<Option<Artifacts>> {
    if project.join("Cargo.toml").is_file() && !project.join("manifest.toml").is_file() {
        return of_crate(&Build { project: project.to_owned(), ..Build::default() }).map(Some);
    }
    let Some(mut builder) = builder(project)? else { return Ok(None) };
    let name = ManifestData::read(project)?.name;
    run(&mut builder, project)?;
    Ok(Some(Artifacts { name, files: built(project)? }))
}

/// Compiles a crate, and makes the manifest of its bundle.
fn of_crate(args: &Build) -> Result<Artifacts> {
    let package = Package::read(&args.project)?;
    if !package.is_plugin() {
        bail!(
            "{}: `{}` is no plugin: a plugin's library has `crate-type = [\"cdylib\"]` under `[lib]` of its Cargo.toml",
            args.project.display(),
            package.name
        );
    }
    let mut command = cargo();
    command.args(["build", "--lib", "--message-format=json-render-diagnostics", "--manifest-path"]);
    command.arg(package.folder.join("Cargo.toml"));
    let profile = if args.release { "release" } else { "dev" };
    if args.release {
        command.arg("--release");
    }
    if (args.release || args.strip) && !args.no_strip {
        command.args(["--config", &format!("profile.{profile}.strip=\"symbols\"")]);
    }
    if let Some(target) = &args.target_dir {
        let target = std::path::absolute(target).with_context(|| format!("cannot use {}", target.display()))?;
        command.arg("--target-dir").arg(target);
    }
    // Cargo's configuration is that of the working directory.
    command.current_dir(&package.folder);
    let output = command.stderr(Stdio::inherit()).output().context("cannot start cargo")?;
    if !output.status.success() {
        bail!("{}: the crate could not be built: see above", args.project.display());
    }
    let library = library(&output.stdout, &package)?;
    let file = library.file_name().unwrap_or_default().to_owned();
    let text = manifest(&package, &file.to_string_lossy())?;
    let name = ManifestData::parse(&text, &package.folder).context("`[package.metadata.polyplug]`")?.name;
    let mut files = vec![
        (PathBuf::from("manifest.toml"), Contents::Text(text)),
        (PathBuf::from(file), Contents::Of(library.clone())),
    ];
    // Files that stand beside the crate's own manifest for the bundle, such as schemas.
    files.extend(schemas(&package.folder)?);
    Ok(Artifacts { name, files })
}

/// Returns the path of the library that cargo has told about.
fn library(messages: &[u8], package: &Package) -> Result<PathBuf> {
    let messages = messages.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Json>(line).ok());
    let own = package.folder.join("Cargo.toml");
    let is_own = |message: &Json| {
        message["reason"] == "compiler-artifact"
            && message["manifest_path"].as_str().is_some_and(|path| Path::new(path) == own)
    };
    let files =
        messages.filter(is_own).flat_map(|message| message["filenames"].as_array().cloned().unwrap_or_default());
    let mut paths = files.filter_map(|file| file.as_str().map(PathBuf::from));
    paths
        .find(|path| path.extension().is_some_and(|of| of == std::env::consts::DLL_EXTENSION))
        .ok_or_else(|| anyhow!("cargo has built no shared library of `{}` for this system", package.name))
}

/// Makes the manifest of a bundle of a crate.
fn manifest(package: &Package, file: &str) -> Result<String> {
    let mut table = toml::Table::new();
    table.insert("name".to_owned(), package.name.clone().into());
    table.insert("version".to_owned(), package.version.clone().into());
    table.insert("loader".to_owned(), "native".into());
    table.insert("file".to_owned(), file.into());
    let rest: toml::Table = match &package.metadata {
        Json::Null => toml::Table::new(),
        metadata => toml::Table::try_from(metadata).context("`[package.metadata.polyplug]`")?,
    };
    table.extend(rest);
    Ok(table.to_string())
}

/// Returns whether `make` builds a project, whatever else is there.
pub(crate) fn has_makefile(project: &Path) -> bool {
    project.join("Makefile").is_file()
}

/// Returns whether a folder is a project whose bundle is made by a build, be it one that is not ready for that yet.
pub(crate) fn is_project(folder: &Path) -> bool {
    !matches!(builder(folder), Ok(None))
}

/// Returns the command that builds a project, or none for scripts that are used as they are.
fn builder(project: &Path) -> Result<Option<Command>> {
    if has_makefile(project) {
        return Ok(Some(Command::new("make")));
    }
    let entries = fs::read_dir(project).with_context(|| format!("cannot read {}", project.display()))?;
    let is_project =
        |path: &PathBuf| path.extension().is_some_and(|of| of == "csproj" || of == "fsproj" || of == "vbproj");
    if entries.filter_map(|entry| Some(entry.ok()?.path())).any(|path| is_project(&path)) {
        let mut command = Command::new("dotnet");
        command.args(["publish", "--nologo", "--configuration", "Release", "--output", "build"]);
        return Ok(Some(command));
    }
    let path = project.join("package.json");
    if path.is_file() {
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let json: Json = serde_json::from_str(&text).with_context(|| format!("{}", path.display()))?;
        if json["scripts"]["build"].is_string() {
            if !project.join("node_modules").is_dir() {
                bail!("{}: run `npm install` there first: the packages are missing", project.display());
            }
            let mut command = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
            command.args(["run", "--silent", "build"]);
            return Ok(Some(command));
        }
    }
    Ok(None)
}

fn run(builder: &mut Command, project: &Path) -> Result<()> {
    let program = builder.get_program().to_string_lossy().into_owned();
    let line =
        format!("{} {}", program, builder.get_args().map(|arg| arg.to_string_lossy()).collect::<Vec<_>>().join(" "));
    anstream::eprintln!("$ {}", line.trim());
    // What the builder prints is no result of this program.
    let status =
        builder.current_dir(project).stdout(std::io::stderr()).status().with_context(|| match program.as_str() {
            "make" => "cannot start `make`: on Debian or Ubuntu, apt-get install make".to_owned(),
            "dotnet" => "cannot start `dotnet`: install the .NET SDK, version 8 or newer".to_owned(),
            program => format!("cannot start `{program}`: install Node.js, which brings it"),
        })?;
    if !status.success() {
        bail!("{}: `{}` failed: see above", project.display(), line.trim());
    }
    Ok(())
}

/// Returns the files of a project that a builder has put into `build`.
fn built(project: &Path) -> Result<Vec<(PathBuf, Contents)>> {
    let folder = project.join("build");
    let mut found = vec![of(project, "manifest.toml".into())];
    found.extend(schemas(project)?);
    let built = files(&folder).with_context(|| format!("{}: nothing was built into `build`", project.display()))?;
    found.extend(built.into_iter().map(|(path, _)| of(&folder, path)));
    Ok(found)
}

/// Returns the schema files of a folder.
fn schemas(folder: &Path) -> Result<Vec<(PathBuf, Contents)>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let names = entries.filter_map(|entry| Some(PathBuf::from(entry.ok()?.file_name())));
    let mut names: Vec<_> = names.filter(|name| name.extension().is_some_and(|of| of == "schema")).collect();
    names.sort();
    Ok(names.into_iter().map(|name| of(folder, name)).collect())
}

fn of(folder: &Path, path: PathBuf) -> (PathBuf, Contents) {
    let from = folder.join(&path);
    (path, Contents::Of(from))
}

/// Returns the files of a project of scripts, without what is there for its author alone.
fn scripts(project: &Path) -> Result<Vec<(PathBuf, Contents)>> {
    let found = files(project)?.into_iter().map(|(path, _)| path);
    Ok(found.filter(|path| !is_for_the_author(path)).map(|path| of(project, path)).collect())
}

/// Returns whether a file of a project of scripts is not part of the bundle.
pub(crate) fn is_for_the_author(path: &Path) -> bool {
    let first = path.iter().next().and_then(|first| first.to_str()).unwrap_or_default();
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_hidden = path.iter().any(|part| part.to_str().is_some_and(|part| part.starts_with('.')));
    let is_folder = path.components().count() > 1
        && matches!(first, "tests" | "typings" | "types" | "bundles" | "target" | "node_modules" | "build");
    is_hidden
        || is_folder
        || path.iter().any(|part| part == "__pycache__")
        || name.ends_with(".d.ts")
        || matches!(name, "README.md" | "jsconfig.json" | "package.json" | "package-lock.json" | "pyproject.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_the_author_stays_out() {
        for path in [
            "tests/a.lua",
            "README.md",
            ".git/HEAD",
            ".luarc.json",
            "typings/polyplug/__init__.pyi",
            "polyplug.d.ts",
            "lib/__pycache__/a.pyc",
            "bundles/a/main.lua",
        ] {
            assert!(is_for_the_author(Path::new(path)), "{path}");
        }
        for path in ["main.lua", "manifest.toml", "lib/tests.lua", "data/words.txt", "a@1.schema", "types.lua", "tests"]
        {
            assert!(!is_for_the_author(Path::new(path)), "{path}");
        }
    }
}
