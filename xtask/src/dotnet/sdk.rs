//! A .NET SDK that the machine has: its root, its compiler, and the assemblies to compile against.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::packages::FRAMEWORK;

/// An installed SDK.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sdk {
    pub(super) version: String,
    /// The `DOTNET_ROOT`.
    pub(super) root: PathBuf,
}

impl Sdk {
    /// Returns the newest SDK of the `dotnet` on the path.
    pub(super) fn find() -> Option<Self> {
        let output = Command::new("dotnet").arg("--list-sdks").stdin(Stdio::null()).output().ok()?;
        output.status.success().then(|| Self::newest(&String::from_utf8_lossy(&output.stdout)))?
    }

    /// Reads lines such as `9.0.102 [/usr/share/dotnet/sdk]`, the newest of which is the last.
    fn newest(listed: &str) -> Option<Self> {
        let mut lines = listed.lines().rev();
        lines.find_map(|line| {
            let (version, folder) = line.trim().strip_suffix(']')?.split_once(" [")?;
            Some(Self { version: version.to_owned(), root: Path::new(folder).parent()?.to_owned() })
        })
    }

    /// Returns the command of the compiler, which runs on the SDK's own runtime.
    pub(super) fn compiler(&self) -> Result<Command> {
        let compiler = self.root.join("sdk").join(&self.version).join("Roslyn/bincore/csc.dll");
        if !compiler.is_file() {
            bail!("the .NET SDK {} has no compiler {}", self.version, compiler.display());
        }
        let mut command = Command::new("dotnet");
        command.arg("exec").arg(compiler);
        Ok(command)
    }

    /// Returns the assemblies to compile against: those for reference, or else those of the runtime.
    pub(super) fn framework(&self) -> Result<Vec<PathBuf>> {
        let reference = newest_in(&self.root.join("packs").join(format!("{FRAMEWORK}.Ref")))
            .and_then(|pack| newest_in(&pack.join("ref")));
        let folder = reference.or_else(|| newest_in(&self.root.join("shared").join(FRAMEWORK)));
        let folder = folder.with_context(|| format!("the .NET SDK in {} has no framework", self.root.display()))?;
        managed(&folder)
    }
}

/// Returns the managed assemblies in a folder of a framework, by name.
pub(super) fn managed(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut found = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    found.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let known = ["System.", "Microsoft.", "mscorlib.", "netstandard.", "WindowsBase."];
        // On Windows native libraries have the same ending. The assemblies for the Windows Runtime refer to one that no
        // framework has, so that mcs fails where it looks for extension methods.
        let excluded = [".Native.", ".WindowsRuntime."];
        name.ends_with(".dll")
            && known.iter().any(|start| name.starts_with(start))
            && !excluded.iter().any(|part| name.contains(part))
    });
    found.sort();
    Ok(found)
}

/// Returns the folder in `folder` whose name is the highest version: `9.0.1` before `10.0.0`, `net9.0` before `net10.0`.
pub(super) fn newest_in(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?;
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir())
        .max_by_key(|path| version_of(path))
}

fn version_of(folder: &Path) -> Vec<u32> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    name.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_sdk_is_the_last_that_is_listed() {
        let listed = "8.0.404 [/usr/lib/dotnet/sdk]\n9.0.102 [/a folder/dotnet/sdk]\n";
        let expected = Sdk { version: "9.0.102".to_owned(), root: "/a folder/dotnet".into() };
        assert_eq!(Sdk::newest(listed), Some(expected));
        assert_eq!(Sdk::newest(""), None);
        assert_eq!(Sdk::newest("No .NET SDKs were found.\n"), None);
    }

    #[test]
    fn an_sdk_compiles_against_the_assemblies_for_reference() {
        let temp = tempfile::tempdir().unwrap();
        let sdk = Sdk { version: "10.0.100".to_owned(), root: temp.path().to_owned() };
        assert!(sdk.framework().unwrap_err().to_string().contains("has no framework"));

        let put = |path: &str| {
            let path = temp.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            path
        };
        put("shared/Microsoft.NETCore.App/9.0.1/System.Runtime.dll");
        let runtime = put("shared/Microsoft.NETCore.App/10.0.0/System.Runtime.dll");
        put("shared/Microsoft.NETCore.App/10.0.0/coreclr.dll");
        put("shared/Microsoft.NETCore.App/10.0.0/System.Runtime.WindowsRuntime.dll");
        put("shared/Microsoft.NETCore.App/10.0.0/System.Runtime.WindowsRuntime.UI.Xaml.dll");
        put("shared/Microsoft.NETCore.App/10.0.0/Microsoft.DiaSymReader.Native.amd64.dll");
        assert_eq!(sdk.framework().unwrap(), [runtime]);

        put("packs/Microsoft.NETCore.App.Ref/9.0.1/ref/net9.0/System.Runtime.dll");
        let reference = put("packs/Microsoft.NETCore.App.Ref/10.0.0/ref/net10.0/System.Runtime.dll");
        put("packs/Microsoft.NETCore.App.Ref/10.0.0/ref/net10.0/System.Runtime.xml");
        assert_eq!(sdk.framework().unwrap(), [reference]);

        assert!(sdk.compiler().unwrap_err().to_string().contains("csc.dll"));
        put("sdk/10.0.100/Roslyn/bincore/csc.dll");
        assert_eq!(sdk.compiler().unwrap().get_program(), "dotnet");
    }
}
