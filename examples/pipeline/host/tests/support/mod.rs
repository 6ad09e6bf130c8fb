//! The program, and bundles of the shipped stages: their scripts, and their libraries, which Cargo builds along with these
//! tests.

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
    bundles
}

/// Runs the program.
pub(crate) fn pipeline(config: &Path, bundles: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pipeline")).arg(config).arg("--bundles").arg(bundles).args(more).output().unwrap()
}

/// The path of a file of the example.
pub(crate) fn shipped(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file)
}
