//! `require` in bundles in Lua: the bundle's own files, and nothing outside.

use std::sync::Arc;

use polyplug::Runtime;
use polyplug::loader::BundleSource;
use polyplug_lua::{LuaLoader, StdLib};
use polyplug_tests::lua::{SCRIPT, loaded, lua_runtime, run};
use polyplug_tests::{Bundle, manifest};

/// A bundle of these files, beside that which implements `Script`.
fn bundle(files: &[(&str, &[u8])]) -> Bundle {
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", manifest("lua", "lua", "main.lua"));
    bundle.write("main.lua", SCRIPT);
    for (name, text) in files {
        let path = bundle.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    bundle
}

fn load(bundle: &Bundle) -> Arc<Runtime> {
    let runtime = lua_runtime(LuaLoader::new());
    runtime.load_bundle(bundle.path()).unwrap();
    runtime
}

#[track_caller]
fn refused(runtime: &Runtime, code: &str, part: &str) {
    let error = run(runtime, code).unwrap_err().to_string();
    assert!(error.contains(part), "no {part:?} in: {error}");
}

#[test]
fn files_of_the_bundle_are_modules() {
    let bundle = bundle(&[
        ("helper.lua", b"return { name = ... }"),
        ("sub/deep/inner.lua", b"return { name = ..., helper = require('helper') }"),
        ("package_like/init.lua", b"return 'the folder'"),
        ("nothing.lua", b"loads = (loads or 0) + 1"),
        ("no.lua", b"loads_of_no = (loads_of_no or 0) + 1; return false"),
    ]);
    let runtime = load(&bundle);
    let cases = [
        ("return require('helper').name", "helper"),
        ("return require('sub.deep.inner').name", "sub.deep.inner"),
        ("return require('helper') == require('helper')", "true"),
        ("return require('sub.deep.inner').helper == require('helper')", "true"),
        ("return require('package_like')", "the folder"),
        ("return require('nothing')", "true"),
        ("require('nothing'); return loads", "1"),
        ("return tostring(require('no')) .. tostring(require('no')) .. loads_of_no", "falsefalse1"),
        ("return require('polyplug') == require('polyplug')", "true"),
    ];
    for (code, result) in cases {
        assert_eq!(run(&runtime, code).unwrap(), result, "{code}");
    }
}

#[test]
fn modules_may_be_required_while_the_bundle_is_loaded() {
    let bundle = bundle(&[("names.lua", b"return { 'test.script@1' }")]);
    bundle.write("main.lua", SCRIPT.replace("\"test.script@1\"", "require('names')[1]"));
    assert_eq!(run(&load(&bundle), "return 1").unwrap(), "1");
}

#[test]
fn a_plugin_may_be_declared_in_a_module() {
    let bundle = bundle(&[("plugins/script.lua", SCRIPT.as_bytes())]);
    bundle.write("main.lua", "require('plugins.script')");
    assert_eq!(run(&load(&bundle), "return 2").unwrap(), "2");
}

#[test]
fn modules_that_require_each_other_are_named() {
    let bundle = bundle(&[
        ("a.lua", b"return require('b')"),
        ("b.lua", b"return require('c')"),
        ("c.lua", b"return require('a')"),
        ("itself.lua", b"return require('itself')"),
    ]);
    let runtime = load(&bundle);
    refused(&runtime, "require('a')", "the module `a` is being loaded: it requires itself, by way of others or not");
    refused(&runtime, "require('itself')", "the module `itself` is being loaded");
    // The same again: what failed was not kept.
    refused(&runtime, "require('b')", "the module `b` is being loaded");
}

#[test]
fn a_module_that_fails_is_named_and_may_be_tried_again() {
    let bundle = bundle(&[
        ("broken.lua", b"local x =\nreturn x"),
        ("failing.lua", b"tries = (tries or 0) + 1\nif tries == 1 then error('not yet') end\nreturn tries"),
        ("thrower.lua", b"error({ message = 'a table' })"),
    ]);
    let runtime = load(&bundle);
    refused(&runtime, "require('broken')", "unexpected symbol near 'return' (at lua/broken.lua:2)");
    refused(&runtime, "require('failing')", "not yet (at lua/failing.lua:2)");
    assert_eq!(run(&runtime, "return require('failing')").unwrap(), "2");
    refused(&runtime, "require('thrower')", "a table");
}

#[test]
fn names_that_are_no_modules_are_refused() {
    let bundle = bundle(&[("helper.lua", b"return 1")]);
    std::fs::write(bundle.path().parent().unwrap().join("polyplug_outside.lua"), "return 'outside'").unwrap();
    let runtime = load(&bundle);
    for name in
        ["", ".", "..", "..polyplug_outside", "../polyplug_outside", "/etc/passwd", "a/b", "a\\\\b", "c:x", "a..b"]
    {
        refused(&runtime, &format!("require('{name}')"), "is no name of a module: write `folder.file`");
    }
    refused(
        &runtime,
        "require('absent')",
        "there is no module `absent`: the bundle has neither absent.lua nor absent/init.lua",
    );
    refused(&runtime, "require('helper\\0x')", "is no name of a module");
    refused(&runtime, "require(5)", "`require` takes the name of a module");
    refused(&runtime, "require()", "`require` takes the name of a module");
    refused(&runtime, "require({})", "`require` takes the name of a module");
    std::fs::remove_file(bundle.path().parent().unwrap().join("polyplug_outside.lua")).unwrap();
}

#[cfg(unix)]
#[test]
fn links_out_of_the_bundle_are_refused() {
    use std::os::unix::fs::symlink;
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret.lua"), "return 'secret'").unwrap();
    let bundle = bundle(&[("real.lua", b"return 'real'")]);
    symlink(outside.path().join("secret.lua"), bundle.path().join("file.lua")).unwrap();
    symlink(outside.path(), bundle.path().join("folder")).unwrap();
    symlink("real.lua", bundle.path().join("inside.lua")).unwrap();
    let runtime = load(&bundle);
    refused(&runtime, "require('file')", "the module `file` is outside of the bundle: file.lua leads there");
    refused(&runtime, "require('folder.secret')", "the module `folder.secret` is outside of the bundle");
    assert_eq!(run(&runtime, "return require('inside')").unwrap(), "real");

    // The bundle's own folder may be a link.
    let link = outside.path().join("bundle");
    symlink(bundle.path(), &link).unwrap();
    let runtime = lua_runtime(LuaLoader::new());
    runtime.load_bundle(&link).unwrap();
    assert_eq!(run(&runtime, "return require('real')").unwrap(), "real");
}

#[test]
fn modules_are_text_with_the_full_library_too() {
    let runtime = lua_runtime(LuaLoader::new().with_stdlib(StdLib::Full));
    let bundle = bundle(&[("compiled.lua", b"\x1bLJ\x02\x00")]);
    runtime.load_bundle(bundle.path()).unwrap();
    refused(&runtime, "require('compiled')", "attempt to load a binary chunk (mode is 't')");
    assert_eq!(run(&runtime, "return type(require('ffi').cast)").unwrap(), "function");
    refused(&runtime, "require('absent')", "module 'absent' not found");
}

#[test]
fn a_bundle_in_memory_has_no_files() {
    let runtime = loaded(SCRIPT);
    refused(&runtime, "require('helper')", "there is no module `helper`: a bundle in memory has no files but its own");
    // Not even where the manifest's text says a folder that is there.
    let source = BundleSource::Code(SCRIPT.to_owned());
    assert!(runtime.load_bundle_from(&manifest("again", "lua", "main.lua"), source).is_ok());
}

#[test]
fn a_reload_takes_the_new_modules() {
    let bundle = bundle(&[("value.lua", b"return 'old'")]);
    let runtime = Runtime::builder().loader(LuaLoader::new()).hot_reload(true).build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    bundle.write("value.lua", "return 'new'");
    // What is loaded is a copy: the file that was edited does not reach it.
    assert_eq!(run(&runtime, "return require('value')").unwrap(), "old");
    runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!(run(&runtime, "return require('value')").unwrap(), "new");
}
