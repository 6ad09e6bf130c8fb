//! What the command refuses, and texts and names that would break out of where they stand.

use std::fs;

use polyplug::schema::{Case, Definition, Field, Method, Schema, Shape, TypeRef};

use crate::{Schemas, polyplug};

const LANGUAGES: [&str; 5] = ["python", "lua", "ts", "csharp", "c"];

fn method(name: &str, arguments: &[&str]) -> Method {
    let arguments = arguments.iter().map(|name| Field::new(name, "", TypeRef::I32)).collect();
    Method { name: name.to_owned(), docs: String::new(), since: 0, arguments, result: TypeRef::Unit }
}

fn contract(name: &str, methods: Vec<Method>, types: Vec<Definition>) -> Schema {
    Schema { name: name.to_owned(), major: 1, minor: 0, docs: String::new(), methods, types }
}

#[track_caller]
fn refused(schemas: &[Schema], language: &str, words: &[&str]) {
    let schemas = Schemas::of(schemas);
    let run = polyplug(&["stubs", schemas.path(), "--lang", language]);
    assert_eq!(run.code, Some(3), "{}{}", run.out, run.err);
    run.fails_with(words);
}

#[test]
fn contracts_whose_names_collide() {
    let both = [contract("demo.a_b", Vec::new(), Vec::new()), contract("demo.a.b", Vec::new(), Vec::new())];
    for (language, name) in LANGUAGES.iter().zip(["demo_a_b_1", "DemoAB1", "DemoAB1", "DemoAB1", "DEMO_A_B_1"]) {
        refused(&both, language, &["demo.a.b@1", "demo.a_b@1", name]);
    }
}

#[test]
fn names_that_collide_in_a_language() {
    let methods = |first, second| [contract("demo.x", vec![method(first, &[]), method(second, &[])], Vec::new())];
    refused(
        &methods("first_name", "firstName"),
        "ts",
        &["demo.x@1", "`first_name` and `firstName`", "`firstName` in TypeScript"],
    );
    refused(&methods("add_all", "addAll"), "csharp", &["`add_all` and `addAll`", "`AddAll` in C#"]);
    refused(&methods("import", "import_"), "python", &["`import` and `import_`", "`import_` in Python"]);
    refused(&methods("add", "Add"), "c", &["`add` and `Add`", "`ADD` in C"]);
    let arguments = [contract("demo.x", vec![method("f", &["end", "end_"])], Vec::new())];
    refused(&arguments, "lua", &["arguments `end` and `end_` of `f`", "Lua"]);
}

#[test]
fn a_type_with_the_name_of_a_keyword_or_of_what_stubs_add() {
    let named = |name: &str| {
        let shape = Shape::Record(vec![Field::new("x", "", TypeRef::I32)]);
        [contract("demo.x", vec![method("f", &[])], vec![Definition::new(name, "", shape)])]
    };
    refused(&named("None"), "python", &["demo.x@1", "`None`", "keyword of Python"]);
    refused(&named("string"), "csharp", &["`string`", "keyword of C#"]);
    refused(&named("any"), "ts", &["`any`", "keyword of TypeScript"]);
    refused(&named("XProxy"), "ts", &["`XProxy`", "use themselves"]);
    refused(&named("IX"), "csharp", &["`IX`", "use themselves"]);
}

#[test]
fn two_types_of_one_name() {
    let shape = || Shape::Record(vec![Field::new("x", "", TypeRef::I32)]);
    let types = vec![Definition::new("Point", "", shape()), Definition::new("Point", "", shape())];
    for language in LANGUAGES {
        refused(&[contract("demo.x", Vec::new(), types.clone())], language, &["the types `Point` and `Point`"]);
    }
}

#[test]
fn names_that_are_no_names() {
    let evil = "x(): void;\n}\nimport os #";
    let hostile = [
        contract("demo.x", vec![method(evil, &[])], Vec::new()),
        contract("demo.x", vec![method("f", &[evil])], Vec::new()),
        contract(
            "demo.x",
            Vec::new(),
            vec![Definition::new("E", "", Shape::Enum(vec![Case::new(evil, "", Vec::new())]))],
        ),
        contract(
            "demo.x",
            Vec::new(),
            vec![Definition::new(evil, "", Shape::Record(vec![Field::new("x", "", TypeRef::I32)]))],
        ),
        contract(
            "demo.x",
            Vec::new(),
            vec![Definition::new("R", "", Shape::Record(vec![Field::new(evil, "", TypeRef::I32)]))],
        ),
    ];
    for schema in hostile {
        for language in LANGUAGES {
            refused(
                std::slice::from_ref(&schema),
                language,
                &["demo.x@1", r"x(): void;\n}\nimport os #", "no name in"],
            );
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("evil.schema");
    fs::write(&file, contract("demo\"; evil", Vec::new(), Vec::new()).encode()).unwrap();
    for language in LANGUAGES {
        let run = polyplug(&["stubs", file.to_str().unwrap(), "--lang", language]);
        assert_eq!(run.code, Some(3));
        run.fails_with(&["is no name of a contract"]);
    }
}

#[test]
fn files_and_arguments_that_are_wrong() {
    let run = |arguments: &[&str]| polyplug(arguments);
    let schemas = Schemas::new();
    let missing = run(&["stubs", "no/such/folder", "--lang", "ts"]);
    assert_eq!(missing.code, Some(3));
    missing.fails_with(&["no/such/folder", "there is no such file or folder"]);
    let language = run(&["stubs", schemas.path(), "--lang", "cobol"]);
    assert_eq!(language.code, Some(2));
    language.fails_with(&["cobol", "python", "csharp"]);
    assert_eq!(run(&["stubs", schemas.path()]).code, Some(2));
    let empty = tempfile::tempdir().unwrap();
    run(&["stubs", empty.path().to_str().unwrap(), "--lang", "c"]).fails_with(&["no contract there"]);
    // The folder for the files is a file.
    let file = empty.path().join("file");
    fs::write(&file, "").unwrap();
    let out = run(&["stubs", schemas.path(), "--lang", "c", "--out", file.to_str().unwrap()]);
    assert_eq!(out.code, Some(3));
    out.fails_with(&["cannot make the folder", "file"]);
    // Several files without a folder.
    run(&["stubs", schemas.path(), "--lang", "c"]).fails_with(&["test_kinds_1.h", "--out FOLDER"]);
}

#[test]
fn one_file_is_printed_without_a_folder() {
    let schemas = Schemas::new();
    let one = format!("{}/test.kinds@1.schema", schemas.path());
    for (language, words) in [
        ("ts", ["declare module \"polyplug\"", "test.kinds@1"]),
        ("csharp", ["namespace TestKinds1", "public interface IKinds"]),
        ("c", ["#define TEST_KINDS_1_NAME \"test.kinds\"", "test_kinds_1"]),
    ] {
        let run = polyplug(&["stubs", &one, "--lang", language]).passes();
        assert!(words.iter().take(1).all(|word| run.out.contains(word)), "{}", run.out);
    }
}

#[test]
fn a_contract_of_very_many_versions_has_short_stubs() {
    let mut schema = contract("demo.x", vec![method("f", &[]), method("g", &[])], Vec::new());
    schema.minor = u32::MAX;
    schema.methods[1].since = 1_000_000;
    let schemas = Schemas::of(&[schema]);
    for language in LANGUAGES {
        schemas.stubs(language);
    }
    let text = polyplug(&["stubs", schemas.path(), "--lang", "ts"]).passes().out;
    for (version, is_named) in [("1.999999", false), ("1.1000000", true), ("1.4294967295", true), ("1.0", true)] {
        assert_eq!(text.contains(&format!("\"demo.x@{version}\"")), is_named, "{version}");
    }
    assert!(text.contains("\"demo.x@1.0\": { plugin: Omit<DemoX1.X, \"g\">;"), "{text}");
}

#[test]
fn documentation_is_no_template() {
    let mut schema = contract("demo.x", vec![method("f", &[])], Vec::new());
    schema.docs = "@spaces@ @contracts@ --@plugin@".to_owned();
    let schemas = Schemas::of(&[schema]);
    let text = |language, file| fs::read_to_string(schemas.stubs(language).path().join(file)).unwrap();
    assert_eq!(text("ts", "polyplug.d.ts").matches("namespace DemoX1").count(), 1);
    assert_eq!(text("lua", "polyplug.lua").matches("options?: polyplug.Options): DemoX1.X").count(), 1);
}

#[test]
fn documentation_stays_in_its_comment() {
    let docs = "a */ evil(); /* b\n\"\"\" evil\n]] evil\r</summary> & \u{202e}evil\u{2028}@class evil\n| evil\\";
    let mut schema = contract("demo.x", vec![method("f", &["a"])], Vec::new());
    schema.docs = docs.to_owned();
    schema.methods[0].docs = docs.to_owned();
    schema.methods[0].arguments[0].docs = docs.to_owned();
    schema.types = vec![
        Definition::new("R", docs, Shape::Record(vec![Field::new("x", docs, TypeRef::I32)])),
        Definition::new("E", docs, Shape::Enum(vec![Case::new("A", docs, Vec::new())])),
    ];
    let schemas = Schemas::of(&[schema]);
    for language in LANGUAGES {
        let folder = schemas.stubs(language);
        let name = match language {
            "python" => "polyplug/demo_x_1.pyi",
            "lua" => "polyplug.lua",
            "ts" => "polyplug.d.ts",
            "csharp" => "DemoX1.cs",
            _ => "demo_x_1.h",
        };
        let text = fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(!text.contains(['\u{202e}', '\u{2028}', '\r']), "{language}");
        for line in text.lines().filter(|line| line.contains("evil")) {
            let line = line.trim_start();
            match language {
                "lua" => assert!(
                    line.starts_with("--- ") && !line.starts_with("--- @") && !line.starts_with("--- |")
                        || line.contains("# "),
                    "{line}"
                ),
                "csharp" => assert!(line.starts_with("/// ") && !line.contains("evil</summary> &"), "{line}"),
                "python" => assert!(!line.contains("\"\"\" evil"), "{line}"),
                _ => assert!(line.starts_with("* ") || line.starts_with("/*"), "{language}: {line}"),
            }
        }
        let begin = match language {
            "ts" => "/**",
            "c" => "/*",
            _ => continue,
        };
        assert_eq!(text.matches("*/").count(), text.matches(begin).count(), "{language}: {text}");
    }
}
