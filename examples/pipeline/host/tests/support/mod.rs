//! The program, and bundles of the shipped stages: their scripts, their libraries, which Cargo builds along with these tests,
//! and the assembly of the stage in C#, which `cargo xtask fixtures` compiles.
//!
//! Where .NET cannot be set up, `POLYPLUG_TESTS_WITHOUT` lists `dotnet`. The pipeline then goes without the stage in C#.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder with a bundle for each of the stages.
pub(crate) fn bundles() -> tempfile::TempDir {
    let tests = std::env::current_exe().unwrap();
    let libraries = tests.parent().unwrap();
    let stages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stages");

    let bundles = tempfile::tempdir().unwrap();
    for stage in ["parse", "classify", "aggregate"] {
        let bundle = bundles.path().join(stage);
        let library = format!("{DLL_PREFIX}pipeline_{stage}{DLL_SUFFIX}");
        fs::create_dir(&bundle).unwrap();
        fs::copy(stages.join(stage).join("manifest.toml"), bundle.join("manifest.toml")).unwrap();
        fs::copy(libraries.join(&library), bundle.join(&library)).unwrap();
    }
    let scripts: [(&str, &[&str]); 3] = [
        ("redact", &["manifest.toml", "main.lua", "rules.lua"]),
        (
            "report",
            &[
                "manifest.toml",
                "main.js",
                "charts.js",
                "format.js",
                "html.js",
                "report.js",
                "settings.js",
                "style.js",
                "table.js",
                "ticks.js",
            ],
        ),
        ("sessions", &["manifest.toml", "main.py", "clients.py", "scores.py", "settings.py"]),
    ];
    for (stage, files) in scripts {
        let bundle = bundles.path().join(stage);
        fs::create_dir(&bundle).unwrap();
        for file in files {
            fs::copy(stages.join(stage).join(file), bundle.join(file)).unwrap();
        }
    }
    if !without_dotnet() {
        let bundle = bundles.path().join("validate");
        fs::create_dir(&bundle).unwrap();
        fs::copy(stages.join("validate/manifest.toml"), bundle.join("manifest.toml")).unwrap();
        for file in ["Validate.dll", "Validate.pdb"] {
            let compiled = dotnet_place().join("stages").join(file);
            fs::copy(&compiled, bundle.join(file))
                .unwrap_or_else(|_| panic!("there is no {}: {REMEDY}", compiled.display()));
        }
    }
    bundles
}

const REMEDY: &str = "run `cargo xtask dotnet --guests`, which says what it needs, or `cargo xtask fixtures`. Or do \
                      without: POLYPLUG_TESTS_WITHOUT=dotnet";

/// Whether the tests are to do without .NET. One that is missing and not listed makes tests fail.
pub(crate) fn without_dotnet() -> bool {
    let without = std::env::var("POLYPLUG_TESTS_WITHOUT").unwrap_or_default();
    without.split(',').any(|each| each.trim() == "dotnet")
}

/// The folder of everything that belongs to .NET: the first one above this program. The sanitizers' target directories
/// lie in the ordinary one, which has it for all.
fn dotnet_place() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let mut places = program.ancestors().map(|folder| folder.join("dotnet"));
    places.find(|place| place.join("lock").is_file()).unwrap_or_else(|| panic!("there is no .NET: {REMEDY}"))
}

/// The `DOTNET_ROOT`s: those of .NET Core 3.1 and .NET 9, or that of an SDK. The newest is the last.
pub(crate) fn dotnet_roots() -> Vec<PathBuf> {
    let place = dotnet_place();
    let roots = match fs::read_to_string(place.join("sdk")) {
        Ok(root) => vec![PathBuf::from(root)],
        Err(_) => ["3.1.23", "9.0.1"].map(|version| place.join(version).join("dotnet")).into(),
    };
    assert!(roots.iter().all(|root| root.join("host/fxr").is_dir()), "{roots:?}: {REMEDY}");
    roots
}

/// Runs the program.
pub(crate) fn pipeline(config: &Path, bundles: &Path, more: &[&str]) -> Output {
    let root = (!without_dotnet()).then(|| dotnet_roots().pop().unwrap());
    pipeline_with(root.as_deref(), config, bundles, more)
}

/// Runs the program with the .NET in `root`. The shipped pipeline goes without the stage in C# where there is none.
pub(crate) fn pipeline_with(root: Option<&Path>, config: &Path, bundles: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pipeline"));
    command.arg(config).arg("--bundles").arg(bundles).args(more);
    match root {
        Some(root) => command.env("DOTNET_ROOT", root),
        None if config == shipped("pipeline.toml") => command.args(["--without", "validate"]),
        None => &mut command,
    };
    command.output().unwrap()
}

/// The path of a file of the example.
pub(crate) fn shipped(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file)
}
