//! Mono's C# compiler, and the program that makes its output usable outside of Mono.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::packages::sha256;
use super::sdk::newest_in;
use crate::process::{self, quietly};

/// The source of the program. It says what it changes.
const FINISH: &str = include_str!("Finish.cs");

/// The libraries that the program uses, and Debian's packages of them.
const LIBRARIES: [(&str, &str); 2] = [
    ("Mono.Cecil", "libmono-cecil-private-cil"),
    ("Mono.CompilerServices.SymbolWriter", "libmono-compilerservices-symbolwriter4.0-cil"),
];

/// An installed Mono with its compiler.
pub(super) struct Mono {
    /// The libraries that [`FINISH`] uses.
    libraries: Vec<PathBuf>,
}

impl Mono {
    /// Finds the compiler on the path, and the libraries; the error says how to get them.
    pub(super) fn find() -> Result<Self, String> {
        let need = |what: &str| {
            let packages = LIBRARIES.map(|(_, package)| package).join(" ");
            format!("{what}\n      Debian, Ubuntu   sudo apt-get install mono-mcs {packages}")
        };
        let compiler = env::var_os("PATH").and_then(|path| {
            let mut candidates = env::split_paths(&path).map(|folder| folder.join("mcs"));
            candidates.find(|candidate| candidate.is_file())
        });
        if compiler.is_none() || !process::succeeds(Command::new("mono").arg("--version")) {
            return Err(need("mcs, Mono's C# compiler:"));
        }
        // Beside the program, or where the program really is.
        let given = compiler.unwrap_or_default();
        let places = [fs::canonicalize(&given).unwrap_or_default(), given];
        let library = |name: &str| {
            places.iter().find_map(|place| {
                let cache = place.parent()?.parent()?.join("lib/mono/gac").join(name);
                Some(newest_in(&cache)?.join(format!("{name}.dll"))).filter(|library| library.is_file())
            })
        };
        let libraries: Option<Vec<_>> = LIBRARIES.iter().map(|(name, _)| library(name)).collect();
        let libraries = libraries.ok_or_else(|| {
            need(&format!("the libraries {} of Mono:", LIBRARIES.map(|(name, _)| name).join(" and ")))
        })?;
        Ok(Self { libraries })
    }

    /// Returns the command of the compiler.
    pub(super) fn compiler() -> Command {
        Command::new("mcs")
    }

    /// Returns the versions of the compiler and the program, as a text that differs when the output may differ.
    pub(super) fn version() -> Result<String> {
        Ok(format!("{} finished by {}", quietly(Mono::compiler().arg("--version"))?.trim(), sha256(FINISH.as_bytes())))
    }

    /// Compiles the program below `place`, unless that has been done. `scratch` is an empty folder on the same file
    /// system.
    pub(super) fn prepare(&self, place: &Path, scratch: &Path) -> Result<()> {
        let folder = finisher(place);
        if folder.is_dir() {
            return Ok(());
        }
        let fresh = scratch.join("finish");
        fs::create_dir(&fresh).with_context(|| format!("cannot make {}", fresh.display()))?;
        fs::write(fresh.join("Finish.cs"), FINISH)?;
        let mut command = Self::compiler();
        command.args(["-nologo", "-optimize", "-warnaserror", "-out:Finish.exe", "Finish.cs"]).current_dir(&fresh);
        for library in &self.libraries {
            let name = library.file_name().unwrap_or_default();
            fs::copy(library, fresh.join(name)).with_context(|| format!("cannot copy {}", library.display()))?;
            command.arg(format!("-r:{}", name.display()));
        }
        quietly(&mut command)?;
        let tools = folder.parent().unwrap_or(place);
        fs::create_dir_all(tools).with_context(|| format!("cannot make {}", tools.display()))?;
        fs::rename(&fresh, &folder).with_context(|| format!("cannot make {}", folder.display()))
    }

    /// Runs the program on an assembly that was compiled against the assemblies in the folder `framework`, and against
    /// `references`.
    pub(super) fn finish(place: &Path, assembly: &Path, framework: &Path, references: &[PathBuf]) -> Result<()> {
        let mut command = Command::new("mono");
        command.arg(finisher(place).join("Finish.exe")).arg(assembly).arg(framework);
        command.args(references.iter().filter_map(|reference| reference.parent()));
        quietly(&mut command).map(drop)
    }
}

/// Returns the folder of the program, of these sources.
fn finisher(place: &Path) -> PathBuf {
    place.join("tools").join(format!("finish-{}", &sha256(FINISH.as_bytes())[..16]))
}
