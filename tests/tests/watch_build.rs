//! Edit, `cargo build`, and the running host has it.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use polyplug_tests::manifest;
use polyplug_tests::watching::{Call, Callers, patient, watched_runtime};

/// What the plugin below implements, with a contract that it writes down once more.
#[polyplug::contract(name = "test.built", version = "1.0")]
trait Built {
    fn number(&self) -> u32;
}

/// A crate of a plugin, and the bundle into which it is built.
struct Project {
    plugin: PathBuf,
    bundle: PathBuf,
}

impl Project {
    /// The target directory is part of the bundle, so that the build alone puts the library there.
    fn new() -> Self {
        let test = std::env::current_exe().unwrap();
        // target/debug/deps/test: what is built here lies beside it, so that the next run finds everything compiled.
        let folder = test.ancestors().nth(3).unwrap().join("watched-build");
        let this = Self { plugin: folder.join("plugin"), bundle: folder.join("bundle") };
        fs::create_dir_all(this.plugin.join("src")).unwrap();
        fs::create_dir_all(&this.bundle).unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let cargo = format!(
            "[package]\nname = \"watched-plugin\"\nversion = \"1.0.0\"\nedition = \"2024\"\n\n\
             [lib]\ncrate-type = [\"cdylib\"]\n\n\
             [dependencies]\npolyplug = {{ path = {:?}, default-features = false }}\n\n\
             [workspace]\n",
            root.join("polyplug"),
        );
        fs::write(this.plugin.join("Cargo.toml"), cargo).unwrap();
        // The versions that the repository is tested with, which are there without a network.
        fs::copy(root.join("Cargo.lock"), this.plugin.join("Cargo.lock")).unwrap();
        fs::write(this.bundle.join("manifest.toml"), manifest("built", "native", "target/debug/watched_plugin"))
            .unwrap();
        this
    }

    /// Writes a plugin that gives this number.
    fn edit(&self, number: &str) {
        let source = format!(
            "#[polyplug::contract(name = \"test.built\", version = \"1.0\")]\n\
             trait Built {{\n    fn number(&self) -> u32;\n}}\n\n\
             #[derive(Default)]\nstruct Plugin;\n\n\
             #[polyplug::plugin]\nimpl Built for Plugin {{\n    \
             fn number(&self) -> u32 {{\n        {number}\n    }}\n}}\n"
        );
        fs::write(self.plugin.join("src/lib.rs"), source).unwrap();
    }

    fn build(&self) -> Result<(), String> {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--offline"]).current_dir(&self.plugin);
        // The flags of a sanitizer are for the tests, not for this.
        cargo.env("CARGO_TARGET_DIR", self.bundle.join("target"));
        cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
        let output = cargo.output().unwrap();
        let printed = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(()) } else { Err(printed) }
    }

    fn library(&self) -> PathBuf {
        self.bundle.join("target/debug").join(format!("{DLL_PREFIX}watched_plugin{DLL_SUFFIX}"))
    }
}

#[test]
fn a_build_is_all_it_takes() {
    let project = Project::new();
    project.edit("1");
    project.build().unwrap();
    let (runtime, events) = watched_runtime(Box::new(|_| ()));
    runtime.load_bundle(&project.bundle).unwrap();
    let watcher = runtime.watch_with(patient()).unwrap();
    let built = runtime.proxy::<dyn Built>().unwrap();
    assert_eq!(built.number(), Ok(1));
    let (caller, mut last) = (runtime.proxy::<dyn Built>().unwrap(), 0);
    let call = move || {
        let number = caller.number().expect("a version answers at all times");
        assert!((last..=3).contains(&number), "{number} after {last}");
        last = number;
    };
    let callers = Callers::calling([Box::new(call) as Call]);

    project.edit("2");
    events.none();
    project.build().unwrap();
    events.reloaded("built"); // once
    assert_eq!(built.number(), Ok(2));
    project.build().unwrap(); // finds nothing to do
    events.none();

    project.edit("\"no number\"");
    let errors = project.build().unwrap_err();
    assert!(errors.contains("mismatched types"), "{errors}");
    events.none();
    assert_eq!(built.number(), Ok(2));

    // As after `cargo clean`.
    fs::remove_file(project.library()).unwrap();
    events.none();
    project.edit("3");
    project.build().unwrap();
    events.reloaded("built");
    assert_eq!(built.number(), Ok(3));
    events.none();
    callers.stop();
    watcher.stop();
}
