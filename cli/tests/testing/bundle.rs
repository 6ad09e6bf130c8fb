//! Bundles, and `polyplug test` as it is run from a shell.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use polyplug::schema::Schema;
use tempfile::TempDir;
use test_contracts as _; // links the contracts of the fixtures

pub(crate) use crate::common::Run;
use crate::shops::LANGUAGES;

pub(crate) fn polyplug() -> Command {
    Command::new(env!("CARGO_BIN_EXE_polyplug"))
}

/// A bundle in a folder of its own.
pub(crate) struct Bundle {
    pub(crate) folder: TempDir,
}

impl Bundle {
    /// Makes a bundle `shop` with the schemas of all contracts.
    pub(crate) fn shop(loader: &str) -> Self {
        let (_, ending, code, ..) = LANGUAGES.into_iter().find(|(known, ..)| *known == loader).unwrap();
        let manifest = format!(
            "name = \"shop\"\nversion = \"1.0.0\"\nloader = \"{loader}\"\nfile = \"main.{ending}\"\n\n[[host]]\ncontract = \
             \"demo.journal@1\"\n\n[[dependency]]\ncontract = \"demo.rates@1\"\n\n[config]\ngreeting = \"Hello\"\n"
        );
        Self::new(&manifest).with(&format!("main.{ending}"), code)
    }

    pub(crate) fn new(manifest: &str) -> Self {
        let bundle = Self { folder: tempfile::tempdir().unwrap() };
        for schema in Schema::linked() {
            if schema.name.starts_with("demo.") {
                fs::write(bundle.at(&format!("{}@{}.schema", schema.name, schema.major)), schema.encode()).unwrap();
            }
        }
        bundle.with("manifest.toml", manifest)
    }

    pub(crate) fn with(self, file: &str, contents: impl AsRef<[u8]>) -> Self {
        let path = self.at(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
        self
    }

    pub(crate) fn at(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    pub(crate) fn test(&self, arguments: &[&str]) -> Run {
        Run::of(polyplug().arg("test").arg(self.folder.path()).args(arguments))
    }
}

/// A plugin of the contract `demo.rates@1`, which needs nothing.
pub(crate) const RATES: &str = "local R = require('polyplug').plugin('demo.rates@1')\nfunction R:rate() return 7 end\n";

/// Makes a bundle that needs nothing.
pub(crate) fn rates() -> Bundle {
    Bundle::new("name = \"rates\"\nversion = \"1.0.0\"\nloader = \"lua\"\nfile = \"main.lua\"\n")
        .with("main.lua", RATES)
}

/// Makes a bundle with the built library of a fixture package.
pub(crate) fn native(package: &str, needs: &str) -> Bundle {
    let file = format!("{}{package}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let library = Path::new(env!("CARGO_BIN_EXE_polyplug")).with_file_name(&file);
    assert!(library.is_file(), "{} is not built: run `cargo xtask fixtures`", library.display());
    let manifest = format!("name = \"native\"\nversion = \"1.0.0\"\nloader = \"native\"\nfile = \"{file}\"\n{needs}");
    Bundle::new(&manifest).with(&file, fs::read(library).unwrap())
}

/// Writes the schema of a contract of the fixtures to a bundle.
pub(crate) fn with_schema(bundle: Bundle, name: &str) -> Bundle {
    let schema = Schema::linked().into_iter().find(|schema| schema.name == name).unwrap();
    bundle.with(&format!("{name}@{}.schema", schema.major), schema.encode())
}
