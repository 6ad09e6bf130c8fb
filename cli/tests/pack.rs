//! `polyplug pack`, and the other commands on packs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use polyplug::schema::{Field, Method, Schema, TypeRef};
use tempfile::TempDir;

const GREETER: &str = r#"
local Greeter = require("polyplug").plugin("demo.greeter@1")
function Greeter:greet(name) return require("words").good .. name .. "!" end
"#;

const MANIFEST: &str = "name = \"greeter\"\nversion = \"1.2.0\"\nloader = \"lua\"\nfile = \"main.lua\"\n";

/// A folder with a bundle and what is made of it.
struct Place(TempDir);

/// The outcome of a command.
struct Run {
    code: i32,
    out: String,
    err: String,
}

impl Place {
    fn new() -> Self {
        let this = Self(tempfile::tempdir().unwrap());
        let method = Method {
            name: "greet".to_owned(),
            docs: "Greets somebody.".to_owned(),
            since: 0,
            arguments: vec![Field::new("name", "", TypeRef::String)],
            result: TypeRef::String,
        };
        let schema = Schema {
            name: "demo.greeter".to_owned(),
            major: 1,
            minor: 0,
            docs: String::new(),
            methods: vec![method],
            types: Vec::new(),
        };
        fs::create_dir(this.at("folder")).unwrap();
        fs::write(this.at("folder/manifest.toml"), MANIFEST).unwrap();
        fs::write(this.at("folder/main.lua"), GREETER).unwrap();
        fs::write(this.at("folder/words.lua"), "return { good = 'Good day, ' }\n").unwrap();
        fs::write(this.at("folder/demo.greeter@1.schema"), schema.encode()).unwrap();
        this
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_polyplug"));
        let output = command.args(arguments).current_dir(self.0.path()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Run { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Packs the bundle into `greeter.polyplug`.
    fn packed() -> Self {
        let this = Self::new();
        this.run(&["pack", "folder"]).is(0);
        this
    }
}

impl Run {
    #[track_caller]
    fn is(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.out.contains(word), "no `{word}` in:\n{}\n{}", self.out, self.err);
        }
        self
    }

    #[track_caller]
    fn complains(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.err.contains(word), "no `{word}` in:\n{}\n{}", self.out, self.err);
        }
        self
    }
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).unwrap().len()
}

#[test]
fn an_environment_is_no_part_of_a_bundle() {
    let place = Place::new();
    let manifest = "name = \"greeter\"\nversion = \"1.2.0\"\nloader = \"python\"\nfile = \"main.py\"\n[python]\nvenv = \".venv\"\n";
    fs::write(place.at("folder/manifest.toml"), manifest).unwrap();
    fs::write(place.at("folder/main.py"), "").unwrap();
    let remedy = ["the virtual environment `.venv`", "pip install --target lib", "PythonLoader::with_venv"];
    place.run(&["pack", "folder"]).is(3).complains(&remedy);
    assert!(!place.at("greeter.polyplug").exists());
    place.run(&["build", "folder"]).is(0).complains(&remedy);
}

#[test]
fn a_bundle_is_packed() {
    let place = Place::new();
    let run = place.run(&["pack", "folder"]).is(0);
    let lines: Vec<_> = run.out.lines().collect();
    let [file, bytes, hash] = lines[..] else { panic!("{}", run.out) };
    assert_eq!((file, bytes), ("greeter.polyplug", &*format!("{} bytes", size(&place.at("greeter.polyplug")))));
    assert!(hash.starts_with("sha256 ") && hash.len() == 7 + 64, "{hash}");
    // The same again, to another file.
    let again = place.run(&["pack", "folder", "--out", "other.polyplug"]).is(0).says(&["other.polyplug", hash]);
    assert!(again.err.is_empty());
    assert_eq!(fs::read(place.at("greeter.polyplug")).unwrap(), fs::read(place.at("other.polyplug")).unwrap());
}

#[test]
fn what_is_no_bundle_is_not_packed() {
    let place = Place::packed();
    place.run(&["pack", "absent"]).is(3).complains(&["has no `absent`"]);
    place.run(&["pack", "greeter.polyplug", "--out", "a.polyplug"]).is(3).complains(&["it is a pack already"]);
    place.run(&["pack", "folder", "--out", "a.zip"]).is(3).complains(&["a.zip", "let it end in `.polyplug`"]);
    place.run(&["pack", "folder", "--out", "folder/a.polyplug"]).is(3).complains(&["write it to another folder"]);
    fs::write(place.at("folder/manifest.toml"), MANIFEST.replace("main.lua", "other.lua")).unwrap();
    place.run(&["pack", "folder"]).is(3).complains(&["other.lua", "correct `file`"]);
    fs::write(place.at("folder/manifest.toml"), "name = 1\n").unwrap();
    place.run(&["pack", "folder"]).is(3).complains(&["manifest.toml:1:8"]);
    assert!(!place.at("a.polyplug").exists() && !place.at("a.zip").exists());
}

#[test]
fn commands_take_a_pack_in_place_of_a_folder() {
    let place = Place::packed();
    let pack = "greeter.polyplug";
    place.run(&["check", pack]).is(0).says(&["0 errors, 1 warning", "is not signed"]);
    place.run(&["call", pack, "demo.greeter", "greet", "Ada"]).is(0).says(&["Good day, Ada!"]);
    place.run(&["inspect", pack]).is(0).says(&[
        "greeter",
        "lua, 4 files",
        "demo.greeter@1.0",
        "words.lua",
        "not signed",
    ]);
    place.run(&["schema", pack, "--wit"]).is(0).says(&["greet"]);
    place.run(&["compat", pack, "folder"]).is(0).says(&["the same in both"]);
    place.run(&["graph", "."]).is(0).says(&["greeter", "provides demo.greeter@1.0"]);
}

#[test]
fn contracts_are_added_to_a_pack_that_lacks_them() {
    let place = Place::new();
    fs::rename(place.at("folder/demo.greeter@1.schema"), place.at("demo.greeter@1.schema")).unwrap();
    place.run(&["pack", "folder"]).is(0);
    let pack = "greeter.polyplug";
    place.run(&["call", pack, "demo.greeter", "greet", "Ada"]).is(3).complains(&["demo.greeter@1 is not known"]);
    let with = ["--contracts", "demo.greeter@1.schema"];
    let call = [&["call", pack, "demo.greeter", "greet", "Ada"], &with[..]].concat();
    place.run(&call).is(0).says(&["Good day, Ada!"]);
}

#[test]
fn a_pack_is_as_signed_as_its_folder() {
    let place = Place::new();
    place.run(&["keygen", "key"]).is(0);
    place.run(&["pack", "folder"]).is(0);
    let pack = "greeter.polyplug";
    place.run(&["verify", pack, "--key", "key.pub"]).is(1).says(&["is not signed"]);
    place.run(&["sign", pack, "--key", "key"]).is(3).complains(&["sign the bundle's folder, and pack it afterwards"]);
    place.run(&["sign", "folder", "--key", "key"]).is(0);
    place.run(&["pack", "folder"]).is(0);
    place.run(&["verify", pack, "--key", "key.pub"]).is(0).says(&["signed by"]);
    place.run(&["check", pack]).is(0).says(&["nothing wrong was found"]);
    place.run(&["verify", "absent.polyplug", "--key", "key.pub"]).is(3).complains(&["no such folder or pack"]);
}

#[test]
fn a_damaged_pack_is_a_problem() {
    let place = Place::packed();
    let whole = fs::read(place.at("greeter.polyplug")).unwrap();
    fs::write(place.at("half.polyplug"), &whole[..whole.len() / 2]).unwrap();
    place.run(&["check", "half.polyplug"]).is(1).says(&["half.polyplug", "not a whole one"]);
    place.run(&["inspect", "half.polyplug"]).is(3).complains(&["not a whole one"]);
}
