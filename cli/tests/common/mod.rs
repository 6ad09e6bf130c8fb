//! What the tests of commands share.

#![allow(dead_code)] // each test uses a part

pub(crate) mod without;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use polyplug::schema::{Field, Method, Schema, TypeRef};
use tempfile::TempDir;

/// The outcome of a command.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn run(arguments: &[&str]) -> Run {
    Run::of(&mut command(arguments))
}

impl Run {
    pub(crate) fn of(command: &mut Command) -> Self {
        Self::of_output(command.output().unwrap())
    }

    fn of_output(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    #[track_caller]
    pub(crate) fn is(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.out.contains(word), "no `{word}` in:\n{}\n{}", self.out, self.err);
        }
        self
    }

    #[track_caller]
    pub(crate) fn complains(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.err.contains(word), "no `{word}` in:\n{}\n{}", self.out, self.err);
        }
        self
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

/// A contract of a greeter.
pub(crate) fn greeter() -> Schema {
    let method = |name: &str, docs: &str, arguments: &[(&str, TypeRef)], result| Method {
        name: name.to_owned(),
        docs: docs.to_owned(),
        since: 0,
        arguments: arguments.iter().map(|(name, ty)| Field::new(name, "", ty.clone())).collect(),
        result,
    };
    Schema {
        name: "demo.greeter".to_owned(),
        major: 1,
        minor: 0,
        docs: "Greets people.".to_owned(),
        methods: vec![
            method("greet", "Greets somebody.", &[("name", TypeRef::String)], TypeRef::String),
            method("add", "", &[("a", TypeRef::I32), ("b", TypeRef::I32)], TypeRef::I32),
            method(
                "all",
                "",
                &[("names", TypeRef::List(Box::new(TypeRef::String)))],
                TypeRef::List(Box::new(TypeRef::String)),
            ),
        ],
        types: Vec::new(),
    }
}

pub(crate) const GREETER: &str = r#"
local Greeter = require("polyplug").plugin("demo.greeter@1")

function Greeter:greet(name) return "Good day, " .. name .. "!" end
function Greeter:add(a, b) return a + b end
function Greeter:all(names)
  local all = {}
  for i, name in ipairs(names) do all[i] = self:greet(name) end
  return all
end
"#;

pub(crate) const MANIFEST: &str = "name = \"greeter\"\nversion = \"1.2.0\"\nloader = \"lua\"\nfile = \"main.lua\"\n";

pub(crate) fn bundle(name: &str, manifest: &str, code: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join(name);
    fs::create_dir(&bundle).unwrap();
    fs::write(bundle.join("manifest.toml"), manifest).unwrap();
    fs::write(bundle.join("main.lua"), code).unwrap();
    fs::write(bundle.join("demo.greeter@1.schema"), greeter().encode()).unwrap();
    (folder, bundle)
}

pub(crate) fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Makes the bundle of a greeter in Lua.
pub(crate) fn greeter_bundle() -> (TempDir, PathBuf) {
    bundle("greeter", MANIFEST, GREETER)
}

/// The root of the repository, whose crates the projects use in place of published ones.
pub(crate) fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The folder for what cargo builds here: shared, so that polyplug is compiled once.
pub(crate) fn target() -> PathBuf {
    let exe = std::env::current_exe().unwrap();
    let build = exe.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    build.expect("tests are built into a folder of cargo's").join("projects")
}

/// Returns a command.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_polyplug"));
    command.args(arguments);
    without_flags(&mut command);
    command
}

/// Leaves out the flags of a sanitizer, which are for the tests and not for what a command builds.
pub(crate) fn without_flags(command: &mut Command) {
    command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
}

/// Runs a command that reads `input`.
pub(crate) fn run_with(arguments: &[&str], input: &str) -> Run {
    use std::io::Write;
    use std::process::Stdio;

    let mut command = command(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn().unwrap();
    // A command that fails before reads nothing.
    let _ = running.stdin.take().unwrap().write_all(input.as_bytes());
    Run::of_output(running.wait_with_output().unwrap())
}
