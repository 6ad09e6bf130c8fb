//! An unknown name suggests the nearest known one, and a text on an artifact speaks of the artifact's language.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;

use polyplug::error::{LoaderError, RuntimeError};
use polyplug::{Runtime, Value};
use polyplug_js::JsLoader;
use polyplug_lua::LuaLoader;
use polyplug_native::NativeLoader;
use polyplug_python::PythonLoader;
use polyplug_tests::{Bundle, manifest};
use test_contracts::Calculator;
use test_contracts::calling::{Caller, Logger};

struct Silent;

impl Logger for Silent {
    fn log(&self, _: &str) -> u32 {
        0
    }

    fn panics(&self, _: &str) {}

    fn lines(&self) -> Vec<String> {
        Vec::new()
    }
}

fn runtime() -> std::sync::Arc<Runtime> {
    let builder = Runtime::builder().loader(NativeLoader::new()).loader(LuaLoader::new());
    builder.loader(PythonLoader::new()).loader(JsLoader::new()).build().unwrap()
}

fn with_calc() -> (std::sync::Arc<Runtime>, Bundle) {
    let (runtime, bundle) = (runtime(), Bundle::native("calc", "plugin-calc"));
    runtime.load_bundle(bundle.path()).unwrap();
    (runtime, bundle)
}

/// The error of loading a bundle with this manifest and these files.
#[track_caller]
fn load_error(manifest: impl AsRef<[u8]>, files: &[(&str, &str)]) -> String {
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", manifest);
    for (name, contents) in files {
        bundle.write(name, contents);
    }
    runtime().load_bundle(bundle.path()).unwrap_err().to_string()
}

#[track_caller]
fn ends(text: &str, end: &str) {
    assert!(text.ends_with(end), "{text}\ndoes not end with\n{end}");
}

#[track_caller]
fn has(text: &str, part: &str) {
    assert!(text.contains(part), "{text}\ndoes not contain\n{part}");
}

#[test]
fn contracts_methods_and_arguments_of_calls_by_name() {
    let (runtime, _bundle) = with_calc();
    let error = |contract: &str, method: &str, arguments: &[Value]| {
        runtime.call(contract, method, arguments).unwrap_err().to_string()
    };
    ends(&error("demo.calculatr@1", "add", &[]), "load a bundle that does (did you mean `demo.calculator@1.2`?)");
    ends(&error("demo.calculator@7", "add", &[]), "load a bundle that does (there is 1.2)");
    ends(&error("demo.calculator@1.9", "add", &[]), "load a bundle that does (there is 1.2)");
    ends(
        &error("another.thing@1", "add", &[]),
        "load a bundle that does (there is `demo.calculator@1.2`, `test.counter@1.0`)",
    );
    ends(&error("demo.calculator@1", "divdie", &[]), "it has add, divide, greet, sum (did you mean `divide`?)");
    let signature = "4 arguments are expected".replace('4', "2") + ", and 1 given: add(a: i32, b: i32) -> i32";
    ends(&error("demo.calculator@1", "add", &[1.into()]), &signature);
}

#[test]
fn a_typed_look_up_says_what_there_is() {
    let (runtime, _bundle) = with_calc();
    let error = runtime.proxy::<dyn Caller>().unwrap_err();
    assert!(
        matches!(&error, RuntimeError::NoProvider { provided, .. } if provided == &["demo.calculator@1.2", "test.counter@1.0"])
    );
    ends(&error.to_string(), "load a bundle that does (did you mean `test.counter@1.0`?)");
}

#[test]
fn a_host_contract_is_no_guest_contract_and_the_other_way_round() {
    let (runtime, _bundle) = with_calc();
    runtime.provide::<dyn Logger>(Silent).unwrap();
    let error = runtime.proxy::<dyn Logger>().unwrap_err().to_string();
    has(&error, "(the host provides it, as a host contract: plugins call it with `PluginContext::host`");
    has(&runtime.call("test.logger@1", "log", &["x".into()]).unwrap_err().to_string(), "as a host contract");

    let lua = Bundle::empty();
    lua.write("manifest.toml", manifest("asks", "lua", "main"));
    lua.write("main.lua", "require('polyplug').host('demo.calculator@1')");
    let error = runtime.load_bundle(lua.path()).unwrap_err().to_string();
    has(&error, "but bundle `calc` provides it, as a plugin, which is called with `PluginContext::peer`");
    let needs = "[[dependency]]\ncontract = \"test.logger@1\"\n";
    lua.write("manifest.toml", manifest("asks", "lua", "main") + needs);
    let error = runtime.load_bundle(lua.path()).unwrap_err().to_string();
    has(&error, "asks` needs test.logger@1.0");
    lua.write("manifest.toml", manifest("asks", "lua", "main"));
    lua.write("main.lua", "require('polyplug').peer('test.logger@1')");
    let error = runtime.load_bundle(lua.path()).unwrap_err().to_string();
    has(
        &error,
        "but the host does, which is called with `PluginContext::host` (in scripts `polyplug.host`, in C# `Host.Get`)",
    );
    assert!(!error.contains("[[dependency]]"), "{error}");
}

#[test]
fn contracts_that_scripts_name() {
    let lua = load_error(
        manifest("s", "lua", "main.lua"),
        &[("main.lua", "require('polyplug').plugin('demo.calculatr@1', {})")],
    );
    has(&lua, "the contract demo.calculatr@1 is not known (did you mean `demo.calculator@1.");
    let code = "from polyplug import plugin\n@plugin('demo.calculatr@1')\nclass C:\n    pass\n";
    let python = load_error(manifest("s", "python", "main.py"), &[("main.py", code)]);
    has(&python, "the contract demo.calculatr@1 is not known (did you mean `demo.calculator@1.");
    let code = "import polyplug\npolyplug.host('test.loger@1')\n";
    let python = load_error(manifest("s", "python", "main.py"), &[("main.py", code)]);
    has(&python, "(did you mean `test.logger@1.");
    let code = "import { plugin } from 'polyplug';\nplugin('demo.calculatr@1', class {});\n";
    let js = load_error(manifest("s", "js", "main.js"), &[("main.js", code)]);
    has(&js, "the contract demo.calculatr@1 is not known (did you mean `demo.calculator@1.");
    let code = "import { host } from 'polyplug';\nhost('test.loger@1');\n";
    let js = load_error(manifest("s", "js", "main.js"), &[("main.js", code)]);
    has(&js, "(did you mean `test.logger@1.");
}

#[test]
fn keys_and_loaders_of_manifests() {
    let good = manifest("bad", "native", "plugin");
    ends(&load_error(good.replace("loader", "loder"), &[]), "(did you mean `loader`?)");
    let misspelt = good.clone() + "[[dependancy]]\ncontract = \"demo.calculator@1\"\n";
    ends(&load_error(misspelt, &[]), "(did you mean `dependency`?)");
    has(&load_error(good.clone() + "[confg]\na = 1\n", &[]), "unknown table `confg` (did you mean `config`?)");
    let misspelt = good.clone() + "[[dependency]]\ncontrct = \"demo.calculator@1\"\n";
    ends(&load_error(misspelt, &[]), "(did you mean `contract`?)");
    has(&load_error(good.clone() + "[host]\ncontract = \"demo.clock@1\"\n", &[]), "so write `[[host]]`");
    let options = manifest("bad", "python", "main.py") + "[python]\nvnev = \"x\"\n";
    ends(&load_error(options, &[]), "(did you mean `venv`?)");
    has(&load_error(manifest("bad", "pyton", "main.py"), &[]), "correct `loader` (did you mean `python`?), or add it");
    has(&load_error(manifest("bad", "JavaScript", "main.js"), &[]), ": write `loader = \"js\"`");

    let bundle = Bundle::empty();
    bundle.write("manifest.toml", manifest("bad", "python", "main.py"));
    let native = Runtime::builder().loader(NativeLoader::new()).build().unwrap();
    let error = native.load_bundle(bundle.path()).unwrap_err().to_string();
    has(&error, "add it with `Runtime::builder().loader(polyplug_python::PythonLoader::new())`");
}

#[test]
fn dependencies_of_manifests() {
    let (runtime, _bundle) = with_calc();
    runtime.provide::<dyn Logger>(Silent).unwrap();
    let refused = |need: &str| {
        let bundle = Bundle::native("caller", "plugin-caller");
        bundle.write("manifest.toml", manifest("caller", "native", "plugin") + need);
        runtime.load_bundle(bundle.path()).unwrap_err().to_string()
    };
    let error = refused("[[dependency]]\ncontract = \"demo.calculatr@1\"\n");
    has(&error, "which no other loaded bundle provides (did you mean `demo.calculator@1.2`?): load one");
    let error = refused("[[host]]\ncontract = \"test.loger@1\"\n");
    has(&error, "which the host does not provide (did you mean `test.logger@1.");
}

#[test]
fn a_missing_artifact_is_named_in_its_language() {
    for (loader, endings, kind) in [
        ("python", &[".py"][..], "a Python script"),
        ("lua", &[".lua"][..], "a Lua script"),
        ("js", &[".js", ".mjs"][..], "a JavaScript module"),
    ] {
        let bundle = Bundle::empty();
        bundle.write("manifest.toml", manifest("bad", loader, "main"));
        let error = runtime().load_bundle(bundle.path()).unwrap_err();
        let path = bundle.path().join("main").display().to_string();
        let others: String = endings.iter().map(|ending| format!(", nor {path}{ending}")).collect();
        let text =
            format!("bundle `bad`: there is no {path}{others}: put {kind} there, or correct `file` in manifest.toml");
        assert_eq!(error.to_string(), text);
        let ending = endings[0];
        bundle.write(&format!("mian{ending}"), "");
        let error = runtime().load_bundle(bundle.path()).unwrap_err().to_string();
        ends(&error, &format!("correct `file` in manifest.toml (did you mean `mian{ending}`?)"));
    }
}

#[test]
fn an_artifact_of_another_loader_is_recognised() {
    let error = load_error(manifest("bad", "lua", "main.py"), &[("main.py", "")]);
    ends(
        &error,
        "it is a Python script, and the loader `lua` loads a Lua script: write `loader = \"python\"` in manifest.toml, \
         or correct `file`",
    );
    let error = load_error(manifest("bad", "python", "main.mjs"), &[("main.mjs", "")]);
    has(&error, "it is a JavaScript module, and the loader `python` loads a Python script: write `loader = \"js\"`");
    let error = load_error(manifest("bad", "native", "main.lua"), &[("main.lua", "")]);
    has(&error, "it is a Lua script, and the loader `native` loads a shared library: write `loader = \"lua\"`");
    let bundle = Bundle::native("bad", "plugin-calc");
    let library = fs::read_dir(bundle.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let library = library.into_iter().find(|name| name.ends_with(DLL_SUFFIX)).unwrap();
    bundle.write("manifest.toml", manifest("bad", "python", &library));
    let error = runtime().load_bundle(bundle.path()).unwrap_err();
    assert!(matches!(&error, RuntimeError::Loader(LoaderError::ArtifactInvalid { .. })), "{error}");
    has(&error.to_string(), "it is a shared library, and the loader `python` loads a Python script");
}

#[test]
fn a_crate_that_is_no_cdylib_is_recognised() {
    let project = Bundle::empty();
    let bundle = project.path().join("bundle");
    let built = project.path().join("target/debug");
    for folder in [&bundle, &built] {
        fs::create_dir_all(folder).unwrap();
    }
    fs::write(bundle.join("manifest.toml"), manifest("bad", "native", "my-calc")).unwrap();
    fs::write(built.join("libmy_calc.rlib"), "").unwrap();
    let error = || runtime().load_bundle(&bundle).unwrap_err().to_string();
    let text = format!(
        "there is {}, so the crate is built for use by Rust crates only: write in its Cargo.toml\n[lib]\ncrate-type = \
         [\"cdylib\"]\nand build it anew",
        built.join("libmy_calc.rlib").display()
    );
    ends(&error(), &text);
    let library = built.join(format!("{DLL_PREFIX}my_calc{DLL_SUFFIX}"));
    fs::write(&library, "").unwrap();
    has(&error(), &format!("copy {}, which was built, to the bundle's folder", library.display()));
}

#[test]
fn a_bundle_without_plugins_sees_how_its_language_registers_one() {
    let lua = load_error(manifest("bad", "lua", "main.lua"), &[("main.lua", "return 1")]);
    ends(
        &lua,
        "registered no plugin: does its script declare one, with `polyplug.plugin(\"demo.calculator@1\", { .. })`?",
    );
    let python = load_error(manifest("bad", "python", "main.py"), &[("main.py", "x = 1\n")]);
    ends(&python, "does its script declare one, with `@polyplug.plugin(\"demo.calculator@1\")` above a class?");
    let js = load_error(manifest("bad", "js", "main.js"), &[("main.js", "export const x = 1;\n")]);
    ends(&js, "does its module declare one, with `plugin(\"demo.calculator@1\", ..)` from the module `polyplug`?");
}

#[test]
fn records_and_cases_of_values() {
    let types = Bundle::native("types", "plugin-types");
    let runtime = runtime();
    runtime.load_bundle(types.path()).unwrap();
    let point = Value::record([("x", Value::F64(1.0)), ("yy", Value::F64(2.0))]);
    let error = runtime.call("test.types@1", "point", &[point]).unwrap_err().to_string();
    ends(&error, "there is no field `yy`, only x, y (did you mean `y`?)");
}

#[test]
fn the_contracts_of_this_program_exist() {
    // The tests above rely on them.
    let (runtime, _bundle) = with_calc();
    assert!(runtime.proxy::<dyn Calculator>().is_ok());
    assert!(matches!(runtime.proxy::<dyn Caller>(), Err(RuntimeError::NoProvider { .. })));
}
