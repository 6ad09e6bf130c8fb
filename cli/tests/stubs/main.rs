//! Stubs, checked by the tools of their languages: guests that use them pass, are loaded and called, and guests with a
//! fault are refused with a message that names it.

mod c;
mod contracts;
mod csharp;
mod lua;
mod pages;
mod projects;
mod python;
mod refused;
mod ts;
#[path = "../common/without.rs"]
mod without;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use polyplug::schema::Schema;
use tempfile::TempDir;

use contracts::{Kinds, Store};
use test_contracts::types::Types;
use without::without;

/// The outcome of a program.
struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Run {
    #[track_caller]
    fn of(command: &mut Command, need: &str) -> Self {
        let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}: {need}"));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    #[track_caller]
    fn passes(self) -> Self {
        assert_eq!(self.code, Some(0), "\n{}\n{}", self.out, self.err);
        self
    }

    /// Checks that the program failed, and that its output has all of these words.
    #[track_caller]
    fn fails_with(self, words: &[&str]) -> Self {
        assert_ne!(self.code, Some(0), "\n{}\n{}", self.out, self.err);
        for word in words {
            assert!(self.out.contains(word) || self.err.contains(word), "no `{word}` in:\n{}\n{}", self.out, self.err);
        }
        self
    }
}

fn polyplug(arguments: &[&str]) -> Run {
    Run::of(Command::new(env!("CARGO_BIN_EXE_polyplug")).args(arguments), "the program of this package")
}

/// A folder with the schemas of contracts.
struct Schemas(TempDir);

impl Schemas {
    fn new() -> Self {
        Self::of(&[Schema::of::<dyn Kinds>(), Schema::of::<dyn Store>(), Schema::of::<dyn Types>()])
    }

    fn of(schemas: &[Schema]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for schema in schemas {
            fs::write(folder.path().join(format!("{}@{}.schema", schema.name, schema.major)), schema.encode()).unwrap();
        }
        Self(folder)
    }

    fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    /// Makes the stubs of a language in a new folder.
    #[track_caller]
    fn stubs(&self, language: &str) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().to_str().unwrap();
        let run = polyplug(&["stubs", self.path(), "--lang", language, "--out", out]).passes();
        for line in run.out.lines() {
            assert!(Path::new(line).is_file(), "{line}");
        }
        folder
    }
}

/// A bundle of a guest.
struct Guest {
    folder: TempDir,
    schemas: Schemas,
}

impl Guest {
    fn new(loader: &str, file: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let manifest = format!("name = \"guest\"\nversion = \"1.0.0\"\nloader = \"{loader}\"\nfile = \"{file}\"\n");
        fs::write(folder.path().join("manifest.toml"), manifest).unwrap();
        Self { folder, schemas: Schemas::new() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn call(&self, contract: &str, method: &str, arguments: &[&str]) -> Run {
        self.call_with(&[], contract, method, arguments)
    }

    fn call_with(&self, variables: &[(&str, &OsStr)], contract: &str, method: &str, arguments: &[&str]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_polyplug"));
        command.args(["call", self.folder.path().to_str().unwrap(), contract, method]).args(arguments);
        command.args(["--contracts", self.schemas.path()]).envs(variables.iter().copied());
        Run::of(&mut command, "the program of this package")
    }

    fn answers(&self) {
        self.answers_with(&[]);
    }

    /// Calls the methods of `test.kinds` with values of all types, and checks what they return.
    fn answers_with(&self, variables: &[(&str, &OsStr)]) {
        let cases: &[(&str, &[&str], &str)] = &[
            ("numbers", &["-3", "5", "-9007199254740995", "1.5", "true", "\"é\""], "[-9007199254740995,1.5]"),
            ("text", &["ab", "[0, 255]"], "[97,98,0,255]"),
            (
                "names",
                &[
                    r#"[{"name": "a", "class": "x", "note": null, "deep": null, "count": 2}]"#,
                    r#"{"b": {"x": 1, "y": 2}}"#,
                ],
                r#"["a","b"]"#,
            ),
            ("deep", &[r#"{"some": null}"#], r#"{"some":null}"#),
            (
                "shape",
                &[r#"{"Line": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]}"#],
                r#"{"Line":[{"x":3.0,"y":4.0},{"x":1.0,"y":2.0}]}"#,
            ),
            ("shape", &["Empty"], r#"{"Dot":1}"#),
            (
                "shape",
                &[r#"{"Circle": {"centre": {"x": 1, "y": 2}, "radius": 2}}"#],
                r#"{"Circle":{"centre":{"x":1.0,"y":2.0},"radius":4.0}}"#,
            ),
            ("colour", &["Red"], r#""Green""#),
            ("colour", &["Green"], "null"),
            ("swap", &[r#"{"0": 1, "1": 2}"#], r#"{"ok":{"0":2,"1":1}}"#),
            ("swap", &[r#"{"0": 0, "1": 2}"#], r#"{"err":{"Full":{"capacity":7}}}"#),
            ("settled", &[r#"{"ok": 3}"#], r#"[{"ok":null},{"err":"3"}]"#),
            ("import", &["2", "abc"], "5"),
            ("length", &[r#"{"number": 1, "next": {"number": 2, "next": null}}"#], "2"),
        ];
        for (method, arguments, answer) in cases {
            let run = self.call_with(variables, "test.kinds@1", method, arguments).passes();
            let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            assert_eq!(parse(&run.out), parse(answer), "{method} {arguments:?}");
        }
    }
}
