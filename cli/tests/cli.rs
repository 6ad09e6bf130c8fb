//! The commands on good and bad input, as they are run from a shell.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{GREETER, MANIFEST, bundle, greeter, path, run};
use polyplug::schema::{Schema, TypeRef};

#[test]
fn a_method_is_called_with_json() {
    let (_folder, bundle) = bundle("greeter", MANIFEST, GREETER);
    let bundle = path(&bundle);
    assert_eq!(run(&["call", bundle, "demo.greeter", "greet", "Ada"]).is(0).out, "\"Good day, Ada!\"\n");
    assert_eq!(run(&["call", bundle, "demo.greeter@1", "greet", "\"12\""]).is(0).out, "\"Good day, 12!\"\n");
    assert_eq!(run(&["call", bundle, "demo.greeter", "add", "2", "-3"]).is(0).out, "-1\n");
    let all = run(&["call", bundle, "demo.greeter", "all", "[\"a\", \"b\"]"]).is(0);
    assert_eq!(all.out, "[\"Good day, a!\",\"Good day, b!\"]\n");
    let bench = run(&["call", bundle, "demo.greeter", "add", "2", "3", "--bench", "200"]).is(0);
    bench.complains(&["200 calls", "50 %", "99.9 %", "most", "#"]);
}

#[test]
fn a_wrong_call_says_what_is_wrong() {
    let (_folder, bundle) = bundle("greeter", MANIFEST, GREETER);
    let bundle = path(&bundle);
    run(&["call", bundle, "demo.greeter", "grete", "x"])
        .is(3)
        .complains(&["no method `grete`", "did you mean `greet`"]);
    run(&["call", bundle, "demo.greter", "greet", "x"])
        .is(3)
        .complains(&["no contract `demo.greter`", "demo.greeter@1"]);
    run(&["call", bundle, "demo.greeter", "add", "2"])
        .is(3)
        .complains(&["2 arguments are expected", "add(a: i32, b: i32)"]);
    run(&["call", bundle, "demo.greeter", "add", "2", "{"]).is(3).complains(&["the argument `b` is no JSON: {"]);
    run(&["call", bundle, "demo.greeter", "add", "2", "9999999999"]).is(3).complains(&["expected i32"]);
    run(&["call", bundle, "demo.greeter", "add", "1", "2", "--bench", "0"]).is(2).complains(&["--bench"]);
    run(&["call", "/nowhere", "demo.greeter", "add"]).is(3).complains(&["/nowhere", "no bundle there"]);
}

#[test]
fn a_bundle_is_shown() {
    let needs =
        "\n[[dependency]]\ncontract = \"demo.clock@1.2\"\n\n[[host]]\ncontract = \"demo.log@1\"\noptional = true\n";
    let (_folder, bundle) = bundle("greeter", &(MANIFEST.to_owned() + needs), GREETER);
    let shown = run(&["inspect", path(&bundle)]).is(0);
    shown.says(&[
        "greeter 1.2.0 (lua, 3 files",
        "not signed",
        "needs demo.clock@1.2 of another bundle",
        "needs demo.log@1.0 of the host, optionally",
        "implements demo.greeter@1.0",
        "Greets people.",
        "greet(name: string) -> string",
        "      Greets somebody.",
        "main.lua",
    ]);
    let json = run(&["inspect", path(&bundle), "--json"]).is(0).json();
    assert_eq!(json["plugins"][0]["schema"]["methods"][1]["name"], "add");
    assert_eq!(json["host_contracts"][0]["optional"], true);
    assert_eq!(json["signed"], false);
    run(&["inspect", path(bundle.parent().unwrap())]).is(3).complains(&["manifest.toml"]);
}

#[test]
fn a_check_finds_all_problems_with_their_places() {
    let (_folder, fine) = bundle("greeter", MANIFEST, GREETER);
    run(&["check", path(&fine)]).is(0).says(&["warning[unsigned]", "0 errors, 1 warning"]);

    let misspelt = MANIFEST.replace("loader", "lodaer");
    let (_folder, wrong) = bundle("greeter", &misspelt, GREETER);
    let found = run(&["check", path(&wrong)]).is(1);
    found.says(&["error[manifest]", "manifest.toml:3:1", "lodaer = \"lua\"", "^^^^^^", "did you mean `loader`"]);
    let json = run(&["check", path(&wrong), "--json"]).is(1).json();
    assert_eq!((&json[0]["severity"], &json[0]["line"]), (&"error".into(), &3.into()));

    let (_folder, wrong) = bundle("greeter", &MANIFEST.replace("1.2.0", "1"), GREETER);
    run(&["check", path(&wrong)]).is(1).says(&["`version`", "manifest.toml:2:1", "write \"1.0.0\""]);

    let unused = MANIFEST.to_owned() + "\n[[dependency]]\ncontract = \"demo.clock@1\"\n";
    let (_folder, wrong) = bundle("greeter", &unused, GREETER);
    fs::create_dir(wrong.join("__pycache__")).unwrap();
    fs::write(wrong.join("__pycache__/a.pyc"), "x").unwrap();
    let found = run(&["check", path(&wrong), "--no-run"]).is(0);
    found.says(&["warning[unused-need]", "manifest.toml:7:1", "demo.clock", "warning[leftover]", "__pycache__"]);
    run(&["check", path(&wrong)]).is(1).says(&["error[load]", "demo.clock@1.0", "warning[unused-need]"]);

    let (_folder, wrong) = bundle("greeter", MANIFEST, &GREETER.replace("function Greeter:add", "function Greeter:ad"));
    run(&["check", path(&wrong)]).is(1).says(&["error[load]", "`add`", "greeter"]);
    let (_folder, wrong) = bundle("greeter", MANIFEST, &(GREETER.to_owned() + "\nlocal x = = 1\n"));
    run(&["check", path(&wrong)]).is(1).says(&["error[load]", "main.lua:12", "local x = = 1"]);
    run(&["check", path(&wrong), "--no-run"]).is(0);
}

#[test]
fn a_check_tells_a_plugin_that_cannot_be_started() {
    let stuck = "function Greeter:init()\n  error(\"no stock\")\nend\n\nfunction Greeter:add";
    let code = GREETER.replace("function Greeter:add", stuck);
    let (_folder, wrong) = bundle("greeter", MANIFEST, &code);
    let line = code.lines().position(|line| line.contains("no stock")).unwrap() + 1;
    let found = run(&["check", path(&wrong)]).is(0);
    found.says(&[
        "warning[start]",
        "could not be started",
        "no stock",
        &format!("main.lua:{line}"),
        "0 errors, 2 warnings",
    ]);
}

#[test]
fn a_plugin_has_a_folder_for_its_data() {
    let keeps = "function Greeter:init() self.folder = require(\"polyplug\").data_directory() end\n\
                 function Greeter:greet() return self.folder end\n";
    let greet = "function Greeter:greet(name) return \"Good day, \" .. name .. \"!\" end\n";
    let (folder, bundle) = bundle("greeter", MANIFEST, &GREETER.replace(greet, keeps));
    run(&["check", path(&bundle)]).is(0).says(&["0 errors, 1 warning"]);
    run(&["inspect", path(&bundle)]).is(0).says(&["greet(name: string) -> string"]);
    let called = run(&["call", path(&bundle), "demo.greeter", "greet", "Ada"]).is(0);
    let given: String = serde_json::from_str(called.out.trim()).unwrap();
    assert!(given.ends_with("greeter") && !Path::new(&given).exists(), "{given} is removed at the end");
    let data = folder.path().join("data");
    let called = run(&["call", path(&bundle), "demo.greeter", "greet", "Ada", "--data", path(&data)]).is(0);
    let given: String = serde_json::from_str(called.out.trim()).unwrap();
    assert_eq!(Path::new(&given).canonicalize().unwrap(), data.join("greeter").canonicalize().unwrap());
}

#[test]
fn a_check_finds_a_signature_that_does_not_hold() {
    let (folder, bundle) = bundle("greeter", MANIFEST, GREETER);
    let key = folder.path().join("key");
    run(&["keygen", path(&key)]).is(0);
    run(&["sign", path(&bundle), "--key", path(&key)]).is(0);
    run(&["check", path(&bundle)]).is(0).says(&["nothing wrong was found"]);
    run(&["inspect", path(&bundle)]).is(0).says(&["signed: `polyplug verify` tells by whom"]);
    fs::write(bundle.join("main.lua"), GREETER.to_owned() + "\n").unwrap();
    run(&["check", path(&bundle)]).is(1).says(&[
        "error[signature]",
        "main.lua",
        "was changed after the bundle was signed",
    ]);
    run(&["inspect", path(&bundle)]).is(0).says(&["was changed after the bundle was signed"]);
    let json = run(&["inspect", path(&bundle), "--json"]).is(0).json();
    assert_eq!((&json["signed"], &json["signature_holds"]), (&true.into(), &false.into()));
    fs::write(bundle.join("bundle.sig"), "none").unwrap();
    run(&["check", path(&bundle)]).is(1).says(&["error[signature]", "malformed"]);
    // What is no matter of the signature is told by the load alone.
    fs::remove_file(bundle.join("main.lua")).unwrap();
    let found = run(&["check", path(&bundle)]).is(1);
    assert!(found.out.contains("error[load]") && !found.out.contains("[signature]"), "{}", found.out);
}

#[test]
fn a_check_finds_artifacts_that_are_missing_for_other_platforms() {
    let platforms = "file = { linux = \"main.lua\", windows.x86_64 = \"other.lua\", macos = \"main.lua\" }";
    let (_folder, bundle) = bundle("greeter", &MANIFEST.replace("file = \"main.lua\"", platforms), GREETER);
    let found = run(&["check", path(&bundle)]).is(0);
    found.says(&["warning[missing-artifact]", "no `other.lua`", "for windows.x86_64", "0 errors, 2 warnings"]);
}

#[test]
fn a_check_lists_all_that_a_load_would_find_one_by_one() {
    let again = GREETER
        .split_once("local")
        .map(|(_, rest)| format!("do local{rest} end"))
        .unwrap()
        .replace("function Greeter:greet", "function Greeter:gret");
    let code = GREETER.replace("function Greeter:add", "function Greeter:ad") + &again;
    let needs = MANIFEST.to_owned()
        + "\n[[dependency]]\ncontract = \"demo.clock@1\"\n\n[[dependency]]\ncontract = \"demo.store@1\"\n";
    let (_folder, wrong) = bundle("greeter", &needs, &code);
    let json = run(&["check", path(&wrong), "--json"]).is(1).json();
    let found: Vec<_> = json.as_array().unwrap().iter().filter(|problem| problem["code"] == "load").collect();
    let of = |part: &str| {
        let problem = found.iter().find(|problem| problem["message"].as_str().unwrap().contains(part));
        let problem = problem.unwrap_or_else(|| panic!("{part} is in {found:#?}"));
        let file = Path::new(problem["file"].as_str().unwrap()).file_name().unwrap().to_str().unwrap();
        (file.to_owned(), problem["line"].as_u64().unwrap())
    };
    assert_eq!(found.len(), 4, "{found:#?}");
    assert_eq!(of("demo.clock@1.0"), ("manifest.toml".to_owned(), 7));
    assert_eq!(of("demo.store@1.0"), ("manifest.toml".to_owned(), 10));
    let (first, second) = (of("`add` (it has `ad`"), of("`greet` (it has `gret`"));
    assert!(first.0 == "main.lua" && second.0 == "main.lua" && first.1 < second.1, "{first:?}, {second:?}");

    // A need that is missing is told once, although the plugin cannot be started without it.
    let starts = "function Greeter:init() require(\"polyplug\").peer(\"demo.clock@1\") end\n\nfunction Greeter:add";
    let (_folder, wrong) = bundle("greeter", &needs, &GREETER.replace("function Greeter:add", starts));
    let found = run(&["check", path(&wrong)]).is(1);
    assert!(found.out.contains("2 errors") && !found.out.contains("[start]"), "{}", found.out);
}

#[test]
fn a_check_finds_a_minor_version_that_added_nothing() {
    let (_folder, bundle) = bundle("greeter", MANIFEST, GREETER);
    let file = bundle.join("demo.greeter@1.schema");
    let mut schema = greeter();
    schema.minor = 2;
    fs::write(&file, schema.encode()).unwrap();
    let found = run(&["check", path(&bundle)]).is(0);
    found.says(&["warning[no-since]", "demo.greeter@1.2 has no `since`", "#[contract(since = \"1.2\")]"]);
    schema.methods.last_mut().unwrap().since = 1;
    fs::write(&file, schema.encode()).unwrap();
    let found = run(&["check", path(&bundle)]).is(0);
    assert!(!found.out.contains("no-since"), "{}", found.out);
}

#[test]
fn a_check_compares_with_the_contract_of_hosts() {
    let (folder, bundle) = bundle("greeter", MANIFEST, GREETER);
    let mut host = greeter();
    host.methods[1].result = TypeRef::I64;
    let file = folder.path().join("host.schema");
    fs::write(&file, host.encode()).unwrap();
    let found = run(&["check", path(&bundle), "--contracts", path(&file)]).is(1);
    found.says(&["error[incompatible]", "demo.greeter@1: add: result", "i32", "i64"]);
}

#[test]
fn contracts_are_printed_and_written() {
    let (folder, bundle) = bundle("greeter", MANIFEST, GREETER);
    run(&["schema", path(&bundle), "--wit"])
        .is(0)
        .says(&["interface greeter {", "greet: func(name: string) -> string;"]);
    assert_eq!(run(&["schema", path(&bundle)]).is(0).json()[0]["name"], "demo.greeter");
    let out = folder.path().join("out");
    run(&["schema", path(&bundle), "--out", path(&out)]).is(0).says(&["demo.greeter@1.schema"]);
    assert_eq!(Schema::decode(&fs::read(out.join("demo.greeter@1.schema")).unwrap()), Ok(greeter()));
    run(&["schema", path(&bundle), "--contract", "demo.other"])
        .is(3)
        .complains(&["no contract `demo.other`", "demo.greeter@1"]);
    run(&["schema", path(folder.path())]).is(3).complains(&["no contract there", "#[polyplug::contract]"]);
    fs::write(folder.path().join("x.schema"), "no schema").unwrap();
    run(&["schema", path(&folder.path().join("x.schema"))]).is(3).complains(&["x.schema", "not a schema"]);
}

#[test]
fn contracts_of_a_crate_are_read() {
    let contracts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/contracts-old");
    let printed = run(&["schema", path(&contracts), "--wit"]).is(0);
    assert!(printed.out.contains("interface "), "{}", printed.out);
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/plugins/growing-before");
    run(&["schema", path(&program)]).is(3).complains(&["is no library"]);
}

#[test]
fn versions_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, schema: &Schema| {
        let file = folder.path().join(name);
        fs::write(&file, schema.encode()).unwrap();
        file
    };
    let old = file("old.schema", &greeter());
    let mut grown = greeter();
    grown.minor = 1;
    let mut wave = grown.methods[0].clone();
    (wave.name, wave.since) = ("wave".to_owned(), 1);
    grown.methods.push(wave);
    let grown = file("grown.schema", &grown);
    let mut broken = greeter();
    broken.methods.remove(2);
    let broken = file("broken.schema", &broken);

    run(&["compat", path(&old), path(&old)]).is(0).says(&["demo.greeter@1 is the same in both"]);
    run(&["compat", path(&old), path(&grown)])
        .is(0)
        .says(&["the method wave(name: string) -> string since 1.1 was added"]);
    run(&["compat", path(&old), path(&broken)]).is(1).says(&["all: the method all(", "(breaking for hosts)"]);
    let json = run(&["compat", path(&old), path(&broken), "--json"]).is(1).json();
    assert_eq!(json["contracts"][0]["changes"][0]["breaks_hosts"], true);
    assert_eq!(json["breaks"], true);
    run(&["compat", path(&old), "/nowhere"]).is(3).complains(&["/nowhere"]);
}

#[test]
fn bundles_are_signed_and_verified() {
    let (folder, bundle) = bundle("greeter", MANIFEST, GREETER);
    let key = folder.path().join("key");
    let public = folder.path().join("key.pub");
    let made = run(&["keygen", path(&key)]).is(0);
    let text = made.out.trim().to_owned();
    assert_eq!(fs::read_to_string(&public).unwrap().trim(), text);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    }
    run(&["keygen", path(&key)]).is(3).complains(&["cannot make"]);
    run(&["verify", path(&bundle), "--key", path(&public)]).is(1).says(&["wrong", "not signed"]);
    run(&["sign", path(&bundle), "--key", path(&key)]).is(0).says(&["is signed by", &text]);
    run(&["verify", path(&bundle), "--key", &text]).is(0).says(&["fine", &text]);
    run(&["inspect", path(&bundle)]).is(0).says(&["signed: `polyplug verify`"]);
    fs::write(bundle.join("main.lua"), "changed").unwrap();
    run(&["verify", path(&bundle), "--key", path(&public)]).is(1).says(&["wrong", "main.lua"]);
    run(&["sign", path(&bundle), "--key", path(&public)]).is(0);
    run(&["sign", path(&bundle), "--key", path(&bundle.join("main.lua"))]).is(3).complains(&["no secret key"]);
    // The number +1 is written so, and no byte of a key.
    let signs = folder.path().join("signs");
    fs::write(&signs, "+1".repeat(32)).unwrap();
    run(&["sign", path(&bundle), "--key", path(&signs)]).is(3).complains(&["no secret key"]);
    run(&["verify", path(&bundle), "--key", "xyz"]).is(3).complains(&["neither a public key nor a file"]);
    run(&["verify", path(&bundle)]).is(2).complains(&["--key"]);
}

#[test]
fn the_needs_of_bundles_are_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, needs: &str| {
        let bundle = folder.path().join(name);
        fs::create_dir(&bundle).unwrap();
        fs::write(bundle.join("manifest.toml"), MANIFEST.replace("\"greeter\"", &format!("\"{name}\"")) + needs)
            .unwrap();
        fs::write(bundle.join("main.lua"), GREETER).unwrap();
        fs::write(bundle.join("demo.greeter@1.schema"), greeter().encode()).unwrap();
    };
    write("one", "");
    write("two", "\n[[dependency]]\ncontract = \"demo.greeter@1\"\n\n[[dependency]]\ncontract = \"demo.clock@2\"\n");
    let folder = path(folder.path());
    run(&["graph", folder]).is(0).says(&[
        "one 1.2.0",
        "provides demo.greeter@1.0",
        "needs demo.greeter@1.0 from one",
        "needs demo.clock@2.0 which no bundle of the folder provides",
    ]);
    run(&["graph", folder, "--dot"]).is(0).says(&["digraph", "b1 -> b0 [label = \"demo.greeter@1.0\"]", "nobody"]);
    run(&["graph", folder, "--svg"]).is(0).says(&["<svg", "two 1.2.0", "no demo.clock@2.0", "</svg>"]);
    run(&["graph", "/nowhere"]).is(3).complains(&["/nowhere"]);
}

#[test]
fn engines_are_examined() {
    let report = run(&["doctor", "--json"]).json();
    let found = |name: &str| report.as_array().unwrap().iter().find(|each| each["name"] == name).unwrap().clone();
    for engine in ["Lua", "Python", "JavaScript"] {
        assert_eq!(found(engine)["found"], true, "{}", found(engine));
    }
    assert!(found("Lua")["version"].as_str().unwrap().starts_with("LuaJIT"));
    assert!(run(&["doctor"]).out.contains("engines of bundles"));
}

#[test]
fn shells_and_manuals_are_served() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        run(&["completions", shell]).is(0).says(&["polyplug", "inspect"]);
    }
    run(&["completions", "cmd"]).is(2).complains(&["bash"]);
    let folder = tempfile::tempdir().unwrap();
    run(&["man", path(folder.path())]).is(0);
    let page = fs::read_to_string(folder.path().join("polyplug-check.1")).unwrap();
    assert!(page.contains("Finds what a host would refuse"), "{page}");
}

#[test]
fn arguments_are_checked() {
    run(&["insepct"]).is(2).complains(&["insepct", "inspect"]);
    run(&[]).is(2).complains(&["Usage: polyplug <COMMAND>", "Exit codes:"]);
    run(&["--version"]).is(0).says(&["polyplug 0.1.0"]);
    run(&["help", "check"]).is(0).says(&["--no-run", "--json"]);
    let as_cargo = Command::new(env!("CARGO_BIN_EXE_cargo-polyplug")).args(["polyplug", "--version"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&as_cargo.stdout), "polyplug 0.1.0\n");
}

#[test]
fn colours_are_for_terminals() {
    let (_folder, bundle) = bundle("greeter", MANIFEST, GREETER);
    for command in
        [&["inspect", path(&bundle)][..], &["check", path(&bundle)], &["graph", path(bundle.parent().unwrap())]]
    {
        let run = run(command);
        assert!(!run.out.contains('\u{1b}') && !run.err.contains('\u{1b}'), "{command:?}: {:?}", run.out);
    }
}
