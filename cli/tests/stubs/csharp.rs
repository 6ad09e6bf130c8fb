//! C#, by Mono's compiler, or by that of an SDK.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::{Guest, Run, Schemas, without};

pub(crate) const NEEDED: &str = "these tests compile C#: run `cargo xtask dotnet --guests`, which says what it needs, or do without them: \
                      POLYPLUG_TESTS_WITHOUT=dotnet";

/// What compiles, and the assemblies of the framework.
pub(crate) enum Toolchain {
    /// Mono's compiler, against the runtime that `cargo xtask dotnet` has set up in a folder.
    Mono(PathBuf),
    /// The compiler of an SDK, whose root this is.
    Sdk(PathBuf),
}

impl Toolchain {
    /// Returns the toolchain that was set up; `None` if the tests are to do without.
    pub(crate) fn find() -> Option<Self> {
        if without("dotnet") {
            return None;
        }
        let program = Path::new(env!("CARGO_BIN_EXE_polyplug"));
        let places = program.ancestors().map(|folder| folder.join("dotnet"));
        let place = places.into_iter().find(|place| place.join("lock").is_file() || place.join("sdk").is_file());
        let place = place.unwrap_or_else(|| panic!("there is no .NET: {NEEDED}"));
        Some(match fs::read_to_string(place.join("sdk")) {
            Ok(root) => Self::Sdk(root.into()),
            Err(_) => Self::Mono(place),
        })
    }

    pub(crate) fn root(&self) -> PathBuf {
        match self {
            Self::Mono(place) => place.join("3.1.23/dotnet"),
            Self::Sdk(root) => root.clone(),
        }
    }

    fn framework(&self) -> PathBuf {
        newest(&self.root().join("shared/Microsoft.NETCore.App"))
    }

    fn compiler(&self) -> Command {
        match self {
            Self::Mono(_) => {
                let mut command = Command::new("mcs");
                // Its name for the version that it has parts of.
                command.arg("-langversion:Experimental");
                command
            }
            Self::Sdk(root) => {
                let mut command = Command::new(root.join("dotnet"));
                command
                    .arg("exec")
                    .arg(newest(&root.join("sdk")).join("Roslyn/bincore/csc.dll"))
                    .arg("-langversion:7.3");
                command
            }
        }
    }
}

fn newest(folder: &Path) -> PathBuf {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}: {NEEDED}", folder.display()));
    let version = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.split(['.', '-']).map(|part| part.parse::<u32>().unwrap_or_default()).collect::<Vec<_>>()
    };
    entries
        .map(|entry| entry.unwrap().path())
        .max_by_key(version)
        .unwrap_or_else(|| panic!("{}: {NEEDED}", folder.display()))
}

fn option(name: &str, path: &Path) -> OsString {
    let mut option = OsString::from(format!("-{name}:"));
    option.push(path);
    option
}

/// Compiles a guest and the stubs into `Guest.dll` of the folder.
fn compile(toolchain: &Toolchain, code: &str, folder: &Path) -> Run {
    let stubs = Schemas::new().stubs("csharp");
    let source = stubs.path().join("Guest.cs");
    fs::write(&source, code).unwrap();
    let stubs = ["TestKinds1.cs", "TestStoreRoom2.cs", "TestTypes1.cs"].map(|file| stubs.path().join(file));
    compile_files(toolchain, &[[source].as_slice(), &stubs].concat(), &folder.join("Guest.dll"))
}

/// Compiles files into an assembly, and its documentation beside it.
pub(crate) fn compile_files(toolchain: &Toolchain, sources: &[PathBuf], assembly: &Path) -> Run {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("loaders/dotnet/bridge/Polyplug.dll");
    let mut command = toolchain.compiler();
    command.args(["-nologo", "-nostdlib", "-noconfig", "-target:library", "-codepage:65001", "-warnaserror"]);
    command.arg("-nowarn:1591,1701,1702");
    for entry in fs::read_dir(toolchain.framework()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_managed =
            ["System.", "Microsoft.", "netstandard", "mscorlib"].iter().any(|start| name.starts_with(start))
                && name.ends_with(".dll")
                && !name.contains(".Native.");
        if is_managed {
            command.arg(option("r", &path));
        }
    }
    // The documentation has to be well-formed XML as well.
    command.arg(option("doc", &assembly.with_extension("xml"))).arg(option("r", &own));
    command.arg(option("out", assembly)).args(sources);
    Run::of(&mut command, NEEDED)
}

/// Makes an assembly one for .NET. What Mono's compiler makes is for Mono; a program of `cargo xtask dotnet` changes that.
pub(crate) fn finish(toolchain: &Toolchain, assembly: &Path) {
    if let Toolchain::Mono(place) = toolchain {
        let finish = newest(&place.join("tools")).join("Finish.exe");
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("loaders/dotnet/bridge");
        let mut command = Command::new("mono");
        command.arg(finish).arg(assembly).arg(toolchain.framework()).arg(own);
        Run::of(&mut command, NEEDED).passes();
    }
}

const GUEST: &str = include_str!("guest.cs");

#[test]
fn a_guest_that_implements_the_interface_passes_and_answers() {
    let Some(toolchain) = Toolchain::find() else { return };
    let guest = Guest::new("dotnet", "Guest.dll");
    let made = TempDir::new().unwrap();
    compile(&toolchain, GUEST, made.path()).passes();
    finish(&toolchain, &made.path().join("Guest.dll"));
    fs::copy(made.path().join("Guest.dll"), guest.file("Guest.dll")).unwrap();
    guest.answers_with(&[
        ("DOTNET_ROOT", toolchain.root().as_os_str()),
        ("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1".as_ref()),
    ]);
}

#[test]
fn documentation_is_well_formed() {
    let Some(toolchain) = Toolchain::find() else { return };
    let made = TempDir::new().unwrap();
    compile(&toolchain, GUEST, made.path()).passes();
    let xml = fs::read_to_string(made.path().join("Guest.xml")).unwrap();
    assert!(xml.contains("not `&lt;b&gt;` &amp; `&lt;/summary&gt;`"), "{xml}");
    assert!(xml.contains("M:TestKinds1.IKinds.Swap("), "{xml}");
}

/// Checks that the guest with one text in place of another fails with a message that has these words.
#[track_caller]
fn refuses(from: &str, to: &str, words: &[&str]) {
    assert!(GUEST.contains(from), "{from}");
    let Some(toolchain) = Toolchain::find() else { return };
    let made = TempDir::new().unwrap();
    compile(&toolchain, &GUEST.replacen(from, to, 1), made.path()).fails_with(words);
}

#[test]
fn a_missing_method_is_named() {
    refuses("public Pair Swap(", "public Pair Swop(", &["TestKinds1.IKinds.Swap(TestKinds1.Pair)"]);
}

#[test]
fn a_method_with_another_argument_is_named() {
    refuses("Length(Chain chain) =>", "Length(Item chain) =>", &["TestKinds1.IKinds.Length(TestKinds1.Chain)"]);
}

#[test]
fn a_misspelt_field_or_case_is_named() {
    refuses("{ Capacity = 7 }", "{ Capacty = 7 }", &["Capacty"]);
    refuses("new Shape.Dot(1)", "new Shape.Dott(1)", &["Dott"]);
}
