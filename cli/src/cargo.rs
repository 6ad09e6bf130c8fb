//! Rust packages, as cargo describes them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value as Json;

/// The source of polyplug's crates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A version on crates.io, such as `0.1`.
    Version(String),
    /// The folder of a checkout.
    Checkout(PathBuf),
}

impl Source {
    /// Returns the folder of a checkout as a source.
    pub(crate) fn checkout(folder: &Path) -> Result<Self> {
        let folder = folder.canonicalize().with_context(|| format!("cannot read {}", folder.display()))?;
        if !folder.join("polyplug/Cargo.toml").is_file() {
            bail!("{}: no checkout of polyplug: there is no polyplug/Cargo.toml in it", folder.display());
        }
        Ok(Self::Checkout(folder))
    }

    /// Returns the source of a crate as a part of a manifest in `project`: `version = "0.1"`.
    pub(crate) fn of(&self, name: &str, project: &Path) -> String {
        match self {
            Self::Version(version) => format!("version = {}", quoted(version)),
            Self::Checkout(folder) => {
                let folder = match name.strip_prefix("polyplug-") {
                    Some("loaders") => folder.join("loaders/all"),
                    Some(loader @ ("dotnet" | "js" | "lua" | "native" | "python")) => {
                        folder.join("loaders").join(loader)
                    }
                    _ => folder.join(name),
                };
                path_of(&folder, project)
            }
        }
    }
}

/// A Rust package.
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// The folder of the package.
    pub(crate) folder: PathBuf,
    /// The folder of the workspace.
    pub(crate) workspace: PathBuf,
    pub(crate) target: PathBuf,
    /// The table `[package.metadata.polyplug]`.
    pub(crate) metadata: Json,
    /// The kinds of crates that its library is compiled to.
    kinds: Vec<String>,
    /// The name of the library in code.
    library: Option<String>,
    /// The polyplug that the package depends on.
    polyplug: Option<Source>,
}

impl Package {
    /// Reads the package of a folder.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let folder = folder.canonicalize().with_context(|| format!("cannot read {}", folder.display()))?;
        let mut command = cargo();
        command.args(["metadata", "--format-version", "1", "--manifest-path"]).arg(folder.join("Cargo.toml"));
        // Cargo's configuration is that of the working directory.
        command.current_dir(&folder);
        let output = command.output().context("cannot start cargo, which tells about Rust crates")?;
        if !output.status.success() {
            bail!("{}: {}", folder.display(), String::from_utf8_lossy(&output.stderr).trim());
        }
        let json: Json = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
        let packages = json["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
        let own = packages.iter().find(|package| {
            package["manifest_path"].as_str().is_some_and(|path| Path::new(path) == folder.join("Cargo.toml"))
        });
        let own =
            own.ok_or_else(|| anyhow!("{}: this is a workspace: give the folder of a crate", folder.display()))?;
        let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
        let kinds = |target: &Json| -> Vec<String> {
            target["kind"].as_array().into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect()
        };
        let is_library = |kinds: &[String]| {
            kinds.iter().any(|kind| matches!(kind.as_str(), "lib" | "rlib" | "dylib" | "cdylib" | "staticlib"))
        };
        let targets = own["targets"].as_array().into_iter().flatten();
        let library = targets.map(|target| (kinds(target), target)).find(|(kinds, _)| is_library(kinds));
        let mut dependencies = own["dependencies"].as_array().into_iter().flatten();
        let polyplug = dependencies.find(|dependency| dependency["name"] == "polyplug").map(source);
        Ok(Self {
            name: text(&own["name"]),
            version: text(&own["version"]),
            workspace: PathBuf::from(text(&json["workspace_root"])),
            target: PathBuf::from(text(&json["target_directory"])),
            metadata: own["metadata"]["polyplug"].clone(),
            library: library.as_ref().map(|(_, target)| text(&target["name"]).replace('-', "_")),
            kinds: library.map(|(kinds, _)| kinds).unwrap_or_default(),
            polyplug,
            folder,
        })
    }

    /// Returns the package's name, if others can link its library.
    pub(crate) fn library(&self) -> Result<&str> {
        if self.kinds.iter().any(|kind| kind == "lib" || kind == "rlib") {
            return Ok(&self.name);
        }
        bail!(
            "{}: the crate `{}` is no library that others can link: a contract that host and plugins share lies in a crate of \
             its own",
            self.folder.display(),
            self.name
        )
    }

    /// Refuses the name of a package that depends on this one, if cargo could not tell the two apart.
    pub(crate) fn check_other_name(&self, name: &str) -> Result<()> {
        if self.name == name {
            bail!("`{name}` is the name of the crate with the contracts: choose another, such as `{name}-plugin`");
        }
        Ok(())
    }

    /// Returns the name of the package's library in code.
    pub(crate) fn crate_name(&self) -> String {
        self.library.clone().unwrap_or_else(|| self.name.replace('-', "_"))
    }

    /// Returns whether the package is compiled to a shared library for hosts.
    pub(crate) fn is_plugin(&self) -> bool {
        self.kinds.iter().any(|kind| kind == "cdylib")
    }

    /// Returns the source of the polyplug that the package depends on.
    pub(crate) fn polyplug(&self) -> Result<&Source> {
        let missing = || anyhow!("{}: `{}` does not depend on polyplug", self.folder.display(), self.name);
        self.polyplug.as_ref().ok_or_else(missing)
    }
}

/// Returns the source of the dependency polyplug, as the manifest has it: what a patch makes of that is cargo's business.
fn source(dependency: &Json) -> Source {
    match dependency["path"].as_str().map(Path::new) {
        Some(path) => Source::Checkout(path.parent().unwrap_or(path).to_owned()),
        None => {
            let version = dependency["req"].as_str().unwrap_or("*");
            Source::Version(version.strip_prefix('^').unwrap_or(version).to_owned())
        }
    }
}

/// Returns the folder of a crate as a part of a manifest in `project`: `path = "../polyplug"`. The path is relative, so that
/// both can be moved together, unless the two have nothing but the root of the file system in common, or a symbolic link
/// leads to the project: cargo takes `..` from the name of a folder, and not from where a link leads.
pub(crate) fn path_of(folder: &Path, project: &Path) -> String {
    let absolute = std::path::absolute(project).unwrap_or_else(|_| project.to_owned());
    // The project may not exist yet.
    let existing = absolute.ancestors().find_map(|part| Some((part, part.canonicalize().ok()?)));
    let from = match existing {
        // On Windows what is canonical has another form.
        Some((part, real)) if cfg!(windows) || real == part => real.join(absolute.strip_prefix(part).unwrap_or(part)),
        _ => PathBuf::new(),
    };
    let shared = folder.iter().zip(from.iter()).take_while(|(one, other)| one == other).count();
    let has_shared = folder.iter().take(shared).collect::<PathBuf>().file_name().is_some();
    let path = if has_shared {
        let up = from.iter().skip(shared).map(|_| "..".as_ref());
        up.chain(folder.iter().skip(shared))
            .map(|part: &std::ffi::OsStr| part.to_string_lossy())
            .collect::<Vec<_>>()
            .join("/")
    } else {
        folder.display().to_string()
    };
    format!("path = {}", quoted(&path))
}

/// Returns cargo: the one that runs this program, if one does.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Returns a text as one of TOML.
pub(crate) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_unless_only_the_root_is_shared() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for (to, from, expected) in [
            ("polyplug/polyplug", "app", "../polyplug/polyplug"),
            ("greeter", "app/plugins/hello", "../../../greeter"),
            ("a", "a/b", ".."),
            ("a/b", "a", "b"),
        ] {
            assert_eq!(path_of(&root.join(to), &root.join(from)), format!("path = \"{expected}\""));
        }
        #[cfg(unix)]
        {
            assert_eq!(path_of(Path::new("/nowhere/x"), &root), "path = \"/nowhere/x\"");
            std::fs::create_dir_all(root.join("a/deep/one")).unwrap();
            std::os::unix::fs::symlink(root.join("a/deep/one"), root.join("link")).unwrap();
            let crate_folder = root.join("greeter");
            let expected = format!("path = \"{}\"", crate_folder.display());
            assert_eq!(path_of(&crate_folder, &root.join("link/app")), expected);
        }
    }
}
