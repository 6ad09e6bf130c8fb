//! Words on the command line from anybody: each command ends with one of the exit codes that the help lists.
//!
//! Words are the lines of the input. None leads out of the folder of this process, which has a bundle, its pack and its
//! schema. Commands that run other programs or wait for somebody, such as `build` and `repl`, are only read.

#![no_main]

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use polyplug::schema::{Field, Method, Schema, TypeRef};

/// The folder of this process.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder").keep();
    std::env::set_current_dir(&folder).expect("it is there");
    let bundle = folder.join("b");
    std::fs::create_dir(&bundle).expect("the temporary folder takes a folder");
    let files = [
        ("manifest.toml", "name = \"b\"\nversion = \"1.0.0\"\nloader = \"lua\"\nfile = \"main.lua\"\n"),
        ("main.lua", MAIN),
        ("key", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"),
    ];
    for (name, text) in files {
        std::fs::write(bundle.join(name), text).expect("the temporary folder takes a file");
    }
    let argument = |name: &str, ty| Field::new(name, "", ty);
    let method = |name: &str, arguments, result| Method {
        name: name.to_owned(),
        docs: "Says something.".to_owned(),
        since: 0,
        arguments,
        result,
    };
    let list = TypeRef::List(Box::new(TypeRef::Option(Box::new(TypeRef::F64))));
    let schema = Schema {
        name: "g".to_owned(),
        major: 1,
        minor: 0,
        docs: String::new(),
        methods: vec![
            method("t", vec![argument("a", TypeRef::String)], TypeRef::String),
            method("n", vec![argument("a", TypeRef::I64), argument("b", list.clone())], list),
        ],
        types: Vec::new(),
    };
    std::fs::write(bundle.join("g@1.schema"), schema.encode()).expect("the temporary folder takes a file");
    polyplug::pack::write(&bundle, folder.join("b.polyplug")).expect("a bundle");
    folder
});

const MAIN: &str = "local G = require('polyplug').plugin('g@1')
function G:t(a) return a end
function G:n(a, b) return b end
";

/// Commands that read files, write to standard output, and end.
const HARMLESS: [&str; 8] = ["check", "inspect", "schema", "stubs", "compat", "call", "verify", "graph"];

fuzz_target!(|bytes: &[u8]| {
    LazyLock::force(&FOLDER);
    let text = String::from_utf8_lossy(bytes);
    let mut words: Vec<&str> = text.split('\n').collect();
    // A path may lead out of the folder, and an option write files or repeat a call for hours.
    words.retain(|word| !word.contains("..") && !word.contains('/') && !word.starts_with("--bench"));
    let is_harmless = words.first().is_some_and(|word| HARMLESS.contains(word));
    if !is_harmless || words.iter().any(|word| word.starts_with("--out")) {
        // No command has it, so that nothing runs. What comes before is read.
        words.retain(|word| *word != "--");
        words.push("--no-command-has-this");
    }
    let code = polyplug_cli::main(std::iter::once("polyplug").chain(words).map(Into::into));
    assert!([0, 1, 2, 3].map(ExitCode::from).contains(&code), "{code:?}");
});
