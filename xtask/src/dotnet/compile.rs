//! Compiling an assembly from C#.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::mono::Mono;
use super::packages::NET_31;
use super::sdk::managed;
use super::toolchain::{Toolchain, place};

/// The choices for an assembly.
#[derive(Clone, Copy, Default)]
pub(super) struct Options<'a> {
    /// The file for the documentation.
    pub(super) documentation: Option<&'a Path>,
    /// Whether a warning is an error.
    pub(super) strict: bool,
    /// Whether to write the lines of methods into a `.pdb` beside the assembly.
    pub(super) lines: bool,
}

/// Compiles `sources` against the framework and `references` into the library `out`. Returns the compiler's warnings.
///
/// `out` and the files beside it change only after everything has worked.
pub(super) fn compile(
    toolchain: &Toolchain,
    sources: &[PathBuf],
    references: &[PathBuf],
    out: &Path,
    options: Options<'_>,
) -> Result<String> {
    let name = out.file_name().with_context(|| format!("{} is no file", out.display()))?;
    let scratch = Unfinished::new(out)?;
    let fresh = scratch.0.join(name);
    let mut command = match toolchain {
        Toolchain::Sdk(sdk) => {
            let mut command = sdk.compiler()?;
            command.args(["-deterministic", "-langversion:7.3", "-utf8output"]);
            if options.lines {
                command.arg("-debug:portable");
            }
            add_references(&mut command, &sdk.framework()?);
            command
        }
        Toolchain::Packages => {
            let mut command = Mono::compiler();
            // Its name for the version that it has parts of.
            command.arg("-langversion:Experimental");
            if options.lines {
                command.arg("-debug");
            }
            add_references(&mut command, &managed(&framework())?);
            command
        }
    };
    command.args(["-nologo", "-nostdlib", "-noconfig", "-unsafe", "-optimize", "-target:library", "-codepage:65001"]);
    // References to older versions of the framework's assemblies.
    command.arg("-nowarn:1701,1702");
    if options.strict {
        command.arg("-warnaserror");
    } else {
        // Fields of records that only the bridge assigns to.
        command.arg("-nowarn:649");
    }
    let documentation = options.documentation.map(|path| (scratch.0.join("documentation.xml"), path));
    if let Some((fresh, _)) = &documentation {
        command.arg(option("doc", fresh));
    }
    add_references(&mut command, references);
    command.arg(option("out", &fresh)).args(sources);

    let said = quietly_compile(&mut command, out)?;
    if matches!(toolchain, Toolchain::Packages) {
        Mono::finish(&place(), &fresh, &framework(), references)
            .with_context(|| format!("{} cannot be used", out.display()))?;
    }
    let lines = options.lines.then(|| (fresh.with_extension("pdb"), out.with_extension("pdb")));
    let documentation = documentation.map(|(fresh, path)| (fresh, path.to_owned()));
    for (from, to) in lines.into_iter().chain(documentation).chain([(fresh, out.to_owned())]) {
        fs::rename(&from, &to).with_context(|| format!("cannot make {}", to.display()))?;
    }
    Ok(said)
}

/// Returns a text that differs when the compiler, or the framework that it compiles against, differs.
pub(super) fn version(toolchain: &Toolchain) -> Result<String> {
    match toolchain {
        Toolchain::Sdk(sdk) => Ok(format!("SDK {} in {}", sdk.version, sdk.root.display())),
        Toolchain::Packages => Ok(format!("{} against {}", Mono::version()?, NET_31.version)),
    }
}

/// Returns the folder of the framework that Mono compiles against.
fn framework() -> PathBuf {
    NET_31.framework(&NET_31.root(&place()))
}

fn add_references(command: &mut Command, references: &[PathBuf]) {
    command.args(references.iter().map(|reference| option("r", reference)));
}

fn option(name: &str, path: &Path) -> OsString {
    let mut option = OsString::from(format!("-{name}:"));
    option.push(path);
    option
}

/// Runs the compiler. The error has its messages, and no command line with a hundred references.
fn quietly_compile(command: &mut Command, out: &Path) -> Result<String> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("cannot start `{}`", command.get_program().display()))?;
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).trim().to_owned());
    let lines = said.iter().flat_map(|said| said.lines());
    // Mono counts the warnings.
    let said = lines.filter(|line| !line.starts_with("Compilation ")).collect::<Vec<_>>().join("\n");
    if !output.status.success() {
        bail!("{} cannot be compiled:\n{said}", out.display());
    }
    Ok(said)
}

/// A folder beside a file that is made, for what is not finished. It goes with its contents.
struct Unfinished(PathBuf);

impl Unfinished {
    fn new(out: &Path) -> Result<Self> {
        let mut name = OsString::from(".unfinished-");
        name.push(out.file_name().unwrap_or_default());
        let folder = out.with_file_name(name);
        // A run that was interrupted has left it.
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dotnet::toolchain::unwanted;

    const SOURCE: &str = "using System;
using System.Collections.Generic;
public static class Program {
    public static async System.Threading.Tasks.Task<List<int>> Run(ReadOnlyMemory<char> text) {
        await System.Threading.Tasks.Task.Yield();
        await System.Threading.Tasks.Task.Delay(1);
        throw new InvalidOperationException(text.ToString());
    }
}";

    /// Sets the toolchain up, which the ordinary build of the tests has done, or returns `None` where they are to do
    /// without.
    fn toolchain() -> Option<Toolchain> {
        (!unwanted()).then(|| Toolchain::set_up().unwrap_or_else(|error| panic!("{error:#}")))
    }

    #[test]
    fn constants_may_have_types_of_the_framework_and_of_references() {
        let Some(toolchain) = toolchain() else { return };
        let temp = tempfile::tempdir().unwrap();
        let path = |name: &str| temp.path().join(name);
        fs::create_dir(path("lib")).unwrap();
        fs::write(path("Level.cs"), "public enum Level : byte { Low, High }").unwrap();
        compile(&toolchain, &[path("Level.cs")], &[], &path("lib/Level.dll"), Options::default()).unwrap();
        let user = "public class User { public const System.DayOfWeek Day = System.DayOfWeek.Friday;
            public int Run(Level level = Level.High, System.StringComparison how = System.StringComparison.Ordinal) { return 1; } }";
        fs::write(path("User.cs"), user).unwrap();
        compile(&toolchain, &[path("User.cs")], &[path("lib/Level.dll")], &path("User.dll"), Options::default())
            .unwrap();
        assert!(contains(&path("User.dll"), b"Level\0"));
    }

    fn contains(file: &Path, text: &[u8]) -> bool {
        fs::read(file).unwrap().windows(text.len()).any(|window| window == text)
    }

    #[test]
    fn an_assembly_names_public_assemblies_and_has_the_lines_of_its_methods() {
        let Some(toolchain) = toolchain() else { return };
        let temp = tempfile::tempdir().unwrap();
        let (source, out) = (temp.path().join("Program.cs"), temp.path().join("Program.dll"));
        fs::write(&source, SOURCE).unwrap();
        let options = Options { lines: true, strict: true, ..Options::default() };
        compile(&toolchain, &[source], &[], &out, options).unwrap();
        assert!(contains(&out, b"System.Runtime\0") && contains(&out, b"System.Threading.Tasks\0"));
        assert!(!contains(&out, b"System.Private."));
        // The beginning of a portable one, and the last part of the path of a source.
        let lines = fs::read(out.with_extension("pdb")).unwrap();
        assert!(lines.starts_with(b"BSJB") && contains(&out.with_extension("pdb"), b"Program.cs"));
        let names: Vec<_> = fs::read_dir(temp.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 3, "{names:?}");
    }

    #[test]
    fn a_mistake_and_a_warning_leave_the_file_as_it_was() {
        let Some(toolchain) = toolchain() else { return };
        let temp = tempfile::tempdir().unwrap();
        let (source, out) = (temp.path().join("Program.cs"), temp.path().join("Program.dll"));
        fs::write(&out, "before").unwrap();
        let strict = Options { strict: true, ..Options::default() };
        for (text, code) in [("class A { B b; }", "CS0246"), ("class A { int b; }", "CS0169")] {
            fs::write(&source, text).unwrap();
            let error = compile(&toolchain, std::slice::from_ref(&source), &[], &out, strict).unwrap_err().to_string();
            assert!(error.contains(code) && error.contains("Program.cs(1,"), "{error}");
            assert_eq!(fs::read_to_string(&out).unwrap(), "before");
        }
        let warned = compile(&toolchain, &[source], &[], &out, Options::default()).unwrap();
        assert!(warned.contains("CS0169"), "{warned}");
        assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 2);
    }
}
