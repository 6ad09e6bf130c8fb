//! The search for an installation of .NET.
//!
//! The search itself asks the file system only. The rest is data, so that tests can search in a world of their own.

use std::env;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use semver::Version;

use super::image;
use super::installed;

/// The file of hostfxr.
#[cfg(target_os = "windows")]
pub(super) const HOSTFXR: &str = "hostfxr.dll";
/// The file of hostfxr.
#[cfg(target_vendor = "apple")]
pub(super) const HOSTFXR: &str = "libhostfxr.dylib";
/// The file of hostfxr.
#[cfg(not(any(target_os = "windows", target_vendor = "apple")))]
pub(super) const HOSTFXR: &str = "libhostfxr.so";

/// The oldest hostfxr with the functions that are needed.
const OLDEST: Version = Version::new(3, 0, 0);

/// The places where an installation may be.
#[derive(Debug, Clone, Default)]
pub(super) struct Search {
    /// The folder that the host has named.
    pub(super) configured: Option<PathBuf>,
    /// The environment variables that name the folder, with their values, the first of which counts.
    pub(super) variables: Vec<(String, Option<OsString>)>,
    /// The environment variable `PATH`.
    pub(super) path: Option<OsString>,
    /// Files whose first line names the folder.
    pub(super) location_files: Vec<PathBuf>,
    /// The folders where installers put .NET.
    pub(super) folders: Vec<PathBuf>,
}

/// An installation of .NET.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// The folder of the installation.
    pub(super) root: PathBuf,
    /// The file of its newest hostfxr.
    pub(super) hostfxr: PathBuf,
}

impl Search {
    /// Makes the search that `dotnet` itself would do in this process.
    pub(super) fn of_process(configured: Option<&Path>) -> Self {
        let processor = image::own_processor();
        let for_processor = format!("DOTNET_ROOT_{}", processor.to_uppercase());
        let variables = [for_processor, "DOTNET_ROOT".to_owned()];
        let mut folders = Vec::new();
        if cfg!(windows) {
            folders.extend(env::var_os("ProgramFiles").map(|files| Path::new(&files).join("dotnet")));
        } else {
            folders.extend(["/usr/share/dotnet", "/usr/lib/dotnet", "/usr/lib64/dotnet"].map(PathBuf::from));
            folders.push(PathBuf::from("/usr/local/share/dotnet"));
            if cfg!(target_vendor = "apple") && processor == "x64" {
                folders.push(PathBuf::from("/usr/local/share/dotnet/x64"));
            }
        }
        folders.extend(env::home_dir().map(|home| home.join(".dotnet")));
        let location_files = if cfg!(windows) {
            Vec::new()
        } else {
            let names = [format!("install_location_{processor}"), "install_location".to_owned()];
            names.map(|name| Path::new("/etc/dotnet").join(name)).to_vec()
        };
        Self {
            configured: configured.map(Path::to_owned),
            variables: variables.map(|name| (name.clone(), env::var_os(name))).to_vec(),
            path: env::var_os("PATH"),
            location_files,
            folders,
        }
    }

    /// Returns the first installation.
    ///
    /// # Errors
    ///
    /// There is none, or the folder that the host or the environment names is none. The error lists the places with the
    /// reasons.
    pub(super) fn find(&self) -> Result<Found, String> {
        if let Some(root) = &self.configured {
            return installation(root).map_err(|reason| {
                let root = root.display();
                unusable(&format!("the folder that `DotnetLoader::with_root` names: {root}: {reason}"))
            });
        }
        let mut places = String::new();
        for (name, value) in &self.variables {
            let Some(root) = value.as_ref().filter(|value| !value.is_empty()) else {
                place(&mut places, &format!("the environment variable {name}"), "is not set");
                continue;
            };
            return installation(Path::new(root)).map_err(|reason| {
                let root = Path::new(root).display();
                unusable(&format!("the folder that the environment variable {name} names: {root}: {reason}"))
            });
        }
        if let Some(found) = self.in_path(&mut places) {
            return Ok(found);
        }
        for file in &self.location_files {
            match fs::read_to_string(file) {
                Ok(text) => {
                    let root = PathBuf::from(text.lines().next().unwrap_or_default().trim());
                    match installation(&root) {
                        Ok(found) => return Ok(found),
                        Err(reason) => {
                            place(
                                &mut places,
                                &file.display().to_string(),
                                &format!("names {}: {reason}", root.display()),
                            );
                        }
                    }
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    place(&mut places, &file.display().to_string(), "does not exist");
                }
                Err(error) => place(&mut places, &file.display().to_string(), &format!("cannot be read: {error}")),
            }
        }
        for root in &self.folders {
            match installation(root) {
                Ok(found) => return Ok(found),
                Err(reason) => place(&mut places, &root.display().to_string(), &reason),
            }
        }
        Err(format!(
            "no .NET was found that this program can use. The places that were looked at:{places}\n{}, or name the folder \
             of an installation with `DotnetLoader::with_root` or the environment variable DOTNET_ROOT",
            install()
        ))
    }

    /// Returns the installation of the first `dotnet` in `PATH` that has one.
    fn in_path(&self, places: &mut String) -> Option<Found> {
        let name = format!("dotnet{}", env::consts::EXE_SUFFIX);
        let mut has_any = false;
        for folder in self.path.iter().flat_map(env::split_paths) {
            let program = folder.join(&name);
            if folder.as_os_str().is_empty() || !program.is_file() {
                continue;
            }
            has_any = true;
            let Ok(target) = program.canonicalize() else { continue };
            let Some(root) = target.parent() else { continue };
            match installation(root) {
                Ok(found) => return Some(found),
                Err(reason) => {
                    let reason = format!("leads to {}: {reason}", root.display());
                    place(places, &program.display().to_string(), &reason);
                }
            }
        }
        if !has_any {
            place(places, &format!("`{name}` in the folders of PATH"), "does not exist");
        }
        None
    }
}

/// Returns how .NET is installed.
pub(super) fn install() -> String {
    let package = if cfg!(target_os = "linux") { ", or `apt-get install dotnet-runtime-9.0`" } else { "" };
    format!("Install the .NET runtime (https://dotnet.microsoft.com/download{package})")
}

fn unusable(place: &str) -> String {
    format!("{place}. Name the folder of an installation of .NET, which has a folder `host`. {}", install())
}

fn place(places: &mut String, name: &str, reason: &str) {
    let _infallible = write!(places, "\n  {name}: {reason}");
}

/// Returns the installation in a folder, or why there is none.
fn installation(folder: &Path) -> Result<Found, String> {
    let root = match folder.canonicalize() {
        Ok(root) => root,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err("does not exist".to_owned()),
        Err(error) => return Err(format!("cannot be read: {error}")),
    };
    if !root.is_dir() {
        return Err("is no folder".to_owned());
    }
    let versions = match installed::versions(&root.join("host").join("fxr")) {
        Ok(versions) => versions,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err("has no folder host/fxr".to_owned()),
        Err(error) => return Err(format!("its folder host/fxr cannot be read: {error}")),
    };
    if versions.is_empty() {
        return Err("its folder host/fxr has no version of .NET".to_owned());
    }
    let mut reasons = Vec::new();
    for (version, folder) in versions.into_iter().rev() {
        let hostfxr = folder.join(HOSTFXR);
        match check(&version, &hostfxr) {
            Ok(()) => return Ok(Found { root, hostfxr }),
            Err(reason) => reasons.push(format!("host/fxr/{version}/{HOSTFXR} {reason}")),
        }
    }
    Err(reasons.join("; "))
}

/// Checks that a hostfxr can be loaded into this process.
fn check(version: &Version, hostfxr: &Path) -> Result<(), String> {
    if *version < OLDEST {
        return Err("is too old: .NET Core 3.1 or later is needed".to_owned());
    }
    let processors = match image::processors(hostfxr) {
        Ok(processors) => processors,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err("does not exist".to_owned()),
        Err(error) => return Err(format!("cannot be read: {error}")),
    };
    let own = image::own_processor();
    if processors.is_empty() {
        return Err("is no library".to_owned());
    }
    if processors.iter().all(|processor| processor != own) {
        return Err(format!("is made for {}, and this program for {own}", processors.join(" and ")));
    }
    Ok(())
}
