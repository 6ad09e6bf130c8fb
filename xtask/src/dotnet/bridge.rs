//! `cargo xtask bridge`: the assembly that connects plugins in C# with Rust, made from its sources or compared with
//! them.
//!
//! The assembly is part of the repository, because the loader has to build on machines that have no .NET. So it has the
//! hash of its sources in an attribute, which is compared without .NET.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::compile::{Options, compile};
use super::sources;
use super::toolchain::Toolchain;
use crate::workspace;

const FOLDER: &str = "loaders/dotnet/bridge";

/// The assembly that plugins refer to, and its documentation for editors.
const ASSEMBLY: &str = "Polyplug.dll";
const DOCUMENTATION: &str = "Polyplug.xml";

/// The key of the attribute with the hash.
const KEY: &str = "PolyplugSource";

/// The beginning of the names of assemblies that only a runtime has.
const PRIVATE: &[u8] = b"System.Private.";

/// Makes the bridge, or only checks that it is made from its sources. Prints the paths of its files.
pub(crate) fn run(check_only: bool) -> Result<()> {
    let folder = workspace::root().join(FOLDER);
    if !check_only {
        if sources::below(&folder)?.is_empty() {
            bail!("there is no file of C# in {}", folder.display());
        }
        make(&Toolchain::for_the_oldest()?, &folder)?;
    }
    check(&folder)?;
    for name in [ASSEMBLY, DOCUMENTATION] {
        println!("{}", folder.join(name).display());
    }
    Ok(())
}

/// Returns the assembly.
pub(super) fn assembly() -> PathBuf {
    workspace::root().join(FOLDER).join(ASSEMBLY)
}

/// Compiles the sources in `folder`. A warning is an error, and public items need documentation.
fn make(toolchain: &Toolchain, folder: &Path) -> Result<()> {
    let mut files = sources::below(folder)?;
    let hash = sources::hash(&files, folder)?;
    let attribute = Attribute::new(&hash)?;
    files.push(attribute.file.clone());
    let documentation = folder.join(DOCUMENTATION);
    let options = Options { documentation: Some(&documentation), strict: true, lines: false };
    let assembly = folder.join(ASSEMBLY);
    compile(toolchain, &files, &[], &assembly, options)?;
    // Mono makes it executable, as programs of Mono are.
    make_plain(&assembly)?;

    let text = fs::read_to_string(&documentation)?;
    // Mono ends lines as the platform does, and names no file.
    let text = text.replace("\r\n", "\n").replacen("<doc>", &format!("<doc>\n    {}", comment(&hash)), 1);
    fs::write(&documentation, text).with_context(|| format!("cannot write {}", documentation.display()))
}

#[cfg(unix)]
fn make_plain(file: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o644))
        .with_context(|| format!("cannot change the permissions of {}", file.display()))
}

#[cfg(not(unix))]
fn make_plain(_file: &Path) -> Result<()> {
    Ok(())
}

/// Fails unless the assembly and its documentation are made from the sources in `folder`, and programs that an SDK
/// compiles can refer to the assembly. Runs no program.
fn check(folder: &Path) -> Result<()> {
    let hash = sources::hash(&sources::below(folder)?, folder)?;
    for (name, mark) in [(ASSEMBLY, in_assembly(&hash)), (DOCUMENTATION, comment(&hash).into_bytes())] {
        let path = folder.join(name);
        let contents = match fs::read(&path) {
            Ok(contents) => contents,
            Err(_) if !folder.exists() => return Ok(()),
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("cannot read {}: make it with `cargo xtask bridge`", path.display()));
            }
        };
        if !contents.windows(mark.len()).any(|window| window == mark) {
            bail!("{} is not made from the sources beside it: run `cargo xtask bridge`", path.display());
        }
        if contents.windows(PRIVATE.len()).any(|window| window == PRIVATE) {
            bail!("{} names a private assembly of .NET, which no SDK compiles against", path.display());
        }
    }
    Ok(())
}

/// Returns the bytes of the attribute's value in an assembly: two strings, each with its length before it.
fn in_assembly(hash: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for text in [KEY, hash] {
        // Lengths below 128 are one byte.
        bytes.push(text.len() as u8);
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}

fn comment(hash: &str) -> String {
    format!("<!-- {KEY}: {hash} -->")
}

/// A file of C# with the attribute, for the time of the compilation.
struct Attribute {
    file: PathBuf,
}

impl Attribute {
    fn new(hash: &str) -> Result<Self> {
        let file = super::toolchain::place().join(format!("{KEY}-{}.cs", std::process::id()));
        let text = format!("[assembly: System.Reflection.AssemblyMetadata(\"{KEY}\", \"{hash}\")]\n");
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        Ok(Self { file })
    }
}

impl Drop for Attribute {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bridge_is_made_from_its_sources() {
        check(&workspace::root().join(FOLDER)).unwrap_or_else(|error| panic!("{error:#}"));
    }

    /// Makes a folder with a source and files that have its hash.
    fn made() -> tempfile::TempDir {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join("Plugin.cs"), "class Plugin {}\n").unwrap();
        let hash = sources::hash(&sources::below(temp.path()).unwrap(), temp.path()).unwrap();
        let around = |mark: &[u8]| [b"MZ\0\xff", mark, b"\0\0\0"].concat();
        fs::write(temp.path().join(ASSEMBLY), around(&in_assembly(&hash))).unwrap();
        fs::write(temp.path().join(DOCUMENTATION), around(comment(&hash).as_bytes())).unwrap();
        temp
    }

    fn refusal(folder: &Path) -> String {
        format!("{:#}", check(folder).unwrap_err())
    }

    #[test]
    fn a_changed_source_is_noticed() {
        let temp = made();
        check(temp.path()).unwrap();
        fs::write(temp.path().join("Plugin.cs"), "class Plugin {}\r\n").unwrap();
        check(temp.path()).unwrap();
        fs::write(temp.path().join("Plugin.cs"), "class Plugin { }\n").unwrap();
        let error = refusal(temp.path());
        assert!(error.contains(ASSEMBLY) && error.contains("cargo xtask bridge"), "{error}");

        let temp = made();
        fs::write(temp.path().join("Other.cs"), "").unwrap();
        assert!(refusal(temp.path()).contains(ASSEMBLY));
        let temp = made();
        fs::rename(temp.path().join("Plugin.cs"), temp.path().join("Renamed.cs")).unwrap();
        assert!(refusal(temp.path()).contains(ASSEMBLY));
    }

    #[test]
    fn a_private_assembly_is_noticed() {
        let temp = made();
        let path = temp.path().join(ASSEMBLY);
        fs::write(&path, [fs::read(&path).unwrap(), b"\0System.Private.CoreLib\0".to_vec()].concat()).unwrap();
        let error = refusal(temp.path());
        assert!(error.contains("private assembly"), "{error}");
    }

    #[test]
    fn each_of_the_two_files_has_to_be_there_and_fit() {
        for name in [ASSEMBLY, DOCUMENTATION] {
            let temp = made();
            fs::write(temp.path().join(name), "of other sources").unwrap();
            assert!(refusal(temp.path()).contains(name));
            fs::remove_file(temp.path().join(name)).unwrap();
            let error = refusal(temp.path());
            assert!(error.contains(name) && error.contains("make it with"), "{error}");
        }
    }
}
