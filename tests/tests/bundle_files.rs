//! What is read of a bundle: regular files that lie in the bundle, of a size that such a file may have, and no more of a
//! directory than a bundle may hold.
#![cfg(unix)]

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use polyplug::Runtime;
use polyplug::error::{ManifestError, RuntimeError};
use polyplug::runtime::{BundleLimits, RuntimeBuilder};
use polyplug::signature::{SecretKey, SignatureError, SignaturePolicy, sign_bundle, verify_bundle};
use polyplug_js::JsLoader;
use polyplug_lua::LuaLoader;
use polyplug_native::NativeLoader;
use polyplug_python::PythonLoader;
use polyplug_tests::copies::own_copies;
use polyplug_tests::js;
use polyplug_tests::lua::{SCRIPT, run};
use polyplug_tests::python::{self, python_bundle};
use polyplug_tests::{Bundle, child, logged_anywhere, manifest};

/// Runs `body`, which must come to an end.
#[track_caller]
fn ends<R: Send + 'static>(body: impl FnOnce() -> R + Send + 'static) -> R {
    let (done, end) = mpsc::channel();
    std::thread::spawn(move || done.send(body()));
    end.recv_timeout(Duration::from_secs(60)).expect("it does not hang")
}

fn builder() -> RuntimeBuilder {
    let builder = Runtime::builder().loader(NativeLoader::new()).loader(LuaLoader::new());
    builder.loader(PythonLoader::new()).loader(JsLoader::new())
}

fn runtime() -> Arc<Runtime> {
    builder().build().unwrap()
}

fn lua_bundle(text: &str) -> Bundle {
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", manifest("lua", "lua", "main.lua"));
    bundle.write("main.lua", text);
    bundle
}

/// Loads a bundle, which must be refused with an error that has these parts.
#[track_caller]
fn refused(runtime: &Arc<Runtime>, bundle: &Bundle, parts: &[&str]) -> RuntimeError {
    let (runtime, path) = (Arc::clone(runtime), bundle.path().to_owned());
    let error = ends(move || runtime.load_bundle(&path)).unwrap_err();
    for part in parts {
        assert!(error.to_string().contains(part), "no {part:?} in: {error}");
    }
    error
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Makes a file that has so many bytes and takes no space on the disk.
fn sparse(path: &Path, bytes: u64) {
    File::create(path).unwrap().set_len(bytes).unwrap();
}

/// Makes at `path`, one after the other, everything that is no regular file, and calls `check` with its name.
fn each_kind(path: &Path, mut check: impl FnMut(&str)) {
    fifo(path);
    check("a pipe");
    fs::remove_file(path).unwrap();
    symlink("/dev/zero", path).unwrap();
    check("a device");
    fs::remove_file(path).unwrap();
    let socket = std::os::unix::net::UnixListener::bind(path).unwrap();
    check("a socket");
    drop(socket);
    fs::remove_file(path).unwrap();
    fs::create_dir(path).unwrap();
    check("a folder");
    fs::remove_dir(path).unwrap();
}

#[test]
fn a_schema_is_a_file() {
    const SCHEMA: &str = "test.unheard@1.schema";
    let lua = lua_bundle("local p = require('polyplug').plugin('test.unheard@1')\nfunction p:f() end\n");
    let python = Bundle::empty();
    python.write("manifest.toml", manifest("python", "python", "main.py"));
    python.write("main.py", "from polyplug import plugin\n@plugin('test.unheard@1')\nclass A:\n    pass\n");
    let js = Bundle::script("js", "import { plugin } from 'polyplug';\nplugin('test.unheard@1', { f() {} });\n");
    for (runtime, bundle) in [(runtime(), lua), (runtime(), python), (runtime(), js)] {
        let path = bundle.path().join(SCHEMA);
        each_kind(&path, |kind| {
            let remedy = format!("{SCHEMA}: it is no file, but {kind}: put a file in its place");
            refused(&runtime, &bundle, &[&remedy]);
        });
        sparse(&path, 3 << 30);
        refused(&runtime, &bundle, &[SCHEMA, "3221225472 bytes are too many for a schema"]);
        fs::remove_file(&path).unwrap();
        symlink("/etc/passwd", &path).unwrap();
        refused(&runtime, &bundle, &[SCHEMA, "leads to /etc/passwd, outside of the bundle"]);
    }
}

#[test]
fn a_schema_of_a_plugin_that_has_none_is_a_file() {
    let code = "def polyplug_init(host, context):\n    return [{'contract': 'test.unheard@1', 'functions': [], \
                'factory': lambda host: 1}], __import__('polyplug').AbiError(0)\n";
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", manifest("low", "python", "main.py"));
    bundle.write("main.py", code);
    let runtime = runtime();
    each_kind(&bundle.path().join("test.unheard@1.schema"), |kind| {
        let error = format!("test.unheard@1.schema: it is no file, but {kind}");
        refused(&runtime, &bundle, &["`low`", &error]);
    });
}

#[test]
fn a_manifest_is_a_file() {
    let bundle = Bundle::empty();
    let runtime = runtime();
    each_kind(&bundle.path().join("manifest.toml"), |kind| {
        let error = refused(&runtime, &bundle, &["manifest.toml", &format!("it is no file, but {kind}")]);
        assert!(matches!(error, RuntimeError::Manifest(ManifestError::Unreadable { .. })), "{error:?}");
    });
}

#[test]
fn a_signature_is_a_file() {
    let bundle = Bundle::native("calc", "plugin-calc");
    let key = SecretKey::from_bytes([1; 32]);
    let strict = builder().signatures(SignaturePolicy::Require).trust(key.public_key()).build().unwrap();
    each_kind(&bundle.path().join("bundle.sig"), |kind| {
        refused(&strict, &bundle, &["`bundle.sig` is malformed", &format!("it is no file, but {kind}")]);
    });
    let path = bundle.path().join("bundle.sig");
    sparse(&path, 3 << 30);
    refused(&strict, &bundle, &["`bundle.sig` is malformed", "it has more than 8388608 bytes"]);
}

#[test]
fn an_artifact_is_a_file() {
    let runtime = runtime();
    for loader in ["native", "lua", "python", "js"] {
        let bundle = Bundle::empty();
        bundle.write("manifest.toml", manifest("a", loader, "main"));
        let artifact = if loader == "native" { format!("main{}", std::env::consts::DLL_SUFFIX) } else { "main".into() };
        each_kind(&bundle.path().join(artifact), |_| drop(refused(&runtime, &bundle, &["`a`", "there is no"])));
    }
}

#[test]
fn programs_are_not_read_to_see_how_large_they_are() {
    let too_many = "2147483648 bytes are too many for a program (at most 67108864)";
    let lua = lua_bundle("");
    sparse(&lua.path().join("main.lua"), 2 << 30);
    refused(&runtime(), &lua, &["main.lua", too_many]);
    let python = Bundle::empty();
    python.write("manifest.toml", manifest("python", "python", "main.py"));
    sparse(&python.path().join("main.py"), 2 << 30);
    refused(&runtime(), &python, &["main.py", too_many]);
    let js = Bundle::script("js", "");
    sparse(&js.path().join("main.js"), 2 << 30);
    refused(&runtime(), &js, &["main.js", too_many]);

    let lua = lua_bundle(SCRIPT);
    sparse(&lua.path().join("helper.lua"), 2 << 30);
    let lua_runtime = runtime();
    lua_runtime.load_bundle(lua.path()).unwrap();
    let error = run(&lua_runtime, "return require('helper')").unwrap_err().to_string();
    assert!(error.contains("helper.lua") && error.contains(too_many), "{error}");
    let python = python_bundle("python", "", &[]);
    sparse(&python.path().join("helper.py"), 2 << 30);
    let python_runtime = runtime();
    python_runtime.load_bundle(python.path()).unwrap();
    let error = run(&python_runtime, "import helper").unwrap_err().to_string();
    assert!(error.contains("ImportError") && error.contains("helper.py") && error.contains(too_many), "{error}");
    let js = Bundle::script("js", js::SCRIPT);
    sparse(&js.path().join("helper.js"), 2 << 30);
    let js_runtime = runtime();
    js_runtime.load_bundle(js.path()).unwrap();
    let error = run(&js_runtime, "return load('./helper.js')").unwrap_err().to_string();
    assert!(error.contains("helper.js") && error.contains(too_many), "{error}");
}

#[test]
fn a_memory_limit_counts_the_programs_file() {
    let limited = |bytes| Runtime::builder().loader(LuaLoader::new().with_memory_limit(bytes)).build().unwrap();
    let comments = |bytes: usize| format!("--{}\n", "x".repeat(97)).repeat(bytes / 100);
    let padding = |bytes: usize| comments(bytes) + SCRIPT;
    // Half of the memory is enough for the text and what is compiled of it.
    limited(8 << 20).load_bundle(lua_bundle(&padding(4 << 20)).path()).unwrap();
    let needs = "needs more memory than its 8388608 bytes";
    refused(&limited(8 << 20), &lua_bundle(&padding(9 << 20)), &["main.lua", needs]);
    let huge = lua_bundle("");
    sparse(&huge.path().join("main.lua"), 2 << 30);
    refused(&limited(8 << 20), &huge, &["the file has 2147483648 bytes", needs]);

    // A module counts together with what the bundle has already.
    let keeps = "kept = {}\nfor i = 1, 8 do kept[i] = tostring(i):rep(1024 * 1024) end\n";
    let bundle = lua_bundle(&format!("{keeps}{SCRIPT}"));
    bundle.write("large.lua", comments(9 << 20));
    bundle.write("small.lua", comments(2 << 20));
    let runtime = limited(16 << 20);
    runtime.load_bundle(bundle.path()).unwrap();
    let error = run(&runtime, "return require('large')").unwrap_err().to_string();
    assert!(error.contains("large.lua") && error.contains("needs more memory than its 16777216 bytes"), "{error}");
    assert_eq!(run(&runtime, "return require('small') == true").unwrap(), "true");
    // The text is not counted any more once it is compiled.
    assert_eq!(run(&runtime, "return #string.rep('y', 2 * 1024 * 1024)").unwrap(), "2097152");

    // The same holds for a text in memory.
    let source = polyplug::loader::BundleSource::Code(padding(9 << 20));
    let error = limited(8 << 20).load_bundle_from(&manifest("lua", "lua", "main.lua"), source).unwrap_err();
    assert!(error.to_string().contains(needs), "{error}");
}

#[test]
fn a_memory_limit_counts_the_file_of_a_program_in_javascript() {
    let limited = || Runtime::builder().loader(JsLoader::new().with_memory_limit(8 << 20)).build().unwrap();
    let needs = "needs more memory than its 8388608 bytes";
    let comments = format!("//{}\n", "x".repeat(97)).repeat(9 * 10_486);
    refused(&limited(), &Bundle::script("js", &(comments.clone() + js::SCRIPT)), &["main.js", needs]);
    let huge = Bundle::script("js", "");
    sparse(&huge.path().join("main.js"), 2 << 30);
    refused(&limited(), &huge, &["the file has 2147483648 bytes", needs]);
    let bundle = Bundle::script("js", js::SCRIPT);
    bundle.write("large.js", &comments);
    let runtime = limited();
    runtime.load_bundle(bundle.path()).unwrap();
    let error = run(&runtime, "return load('./large.js')").unwrap_err().to_string();
    assert!(error.contains("large.js") && error.contains(needs), "{error}");
    assert_eq!(run(&runtime, "return 1").unwrap(), "1", "the plugin serves on");
}

#[test]
fn javascript_finds_parts_of_polyplug_in_the_bundle() {
    let bundle = Bundle::script("js", js::SCRIPT);
    fs::create_dir_all(bundle.path().join("polyplug/deep")).unwrap();
    bundle.write("polyplug/part.js", "import { other } from './other.js';\nexport default `a part, ${other}`;");
    bundle.write("polyplug/other.js", "export const other = 'and another';");
    bundle.write("polyplug/deep/part.js", "");
    let outside = Bundle::empty();
    outside.write("away.js", "");
    symlink(outside.path().join("away.js"), bundle.path().join("polyplug/away.js")).unwrap();
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    let import =
        |specifier: &str| run(&runtime, &format!("return load('{specifier}').then((module) => module.default)"));
    assert_eq!(import("polyplug/part").unwrap(), "a part, and another");
    for (specifier, reason) in [
        ("polyplug/absent", "cannot import \"polyplug/absent\""),
        ("polyplug/deep/part", "cannot import"),
        ("polyplug/../main", "cannot import"),
        ("polyplug/", "cannot import"),
        ("polyplug/away", "outside of the bundle"),
    ] {
        let error = import(specifier).unwrap_err().to_string();
        assert!(error.contains(reason), "{specifier}: {error}");
    }
}

#[test]
fn javascript_links_do_not_lead_out_of_the_bundle() {
    let outside = Bundle::empty();
    outside.write("helper.js", "export default 'outside'");
    let bundle = Bundle::script("js", js::SCRIPT);
    fs::create_dir(bundle.path().join("real")).unwrap();
    bundle.write("real/inside.js", "export default 'inside'");
    for (leads_to, link) in [
        (outside.path().join("helper.js"), "helper.js"),
        (outside.path().to_owned(), "away"),
        ("real/inside.js".into(), "inside.js"),
        ("real".into(), "folder"),
    ] {
        symlink(leads_to, bundle.path().join(link)).unwrap();
    }
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    for file in ["helper.js", "away/helper.js"] {
        let error = run(&runtime, &format!("return load('./{file}')")).unwrap_err().to_string();
        for part in [file, "outside of the bundle: put what the link leads to in its place"] {
            assert!(error.contains(part), "{file}: no {part:?} in: {error}");
        }
    }
    for file in ["inside.js", "folder/inside.js"] {
        let code = format!("return load('./{file}').then((module) => module.default)");
        assert_eq!(run(&runtime, &code).unwrap(), "inside");
    }
}

#[test]
fn python_links_do_not_lead_out_of_the_bundle() {
    let outside = Bundle::empty();
    outside.write("helper.py", "value = 'outside'");
    fs::create_dir(outside.path().join("package")).unwrap();
    outside.write("package/__init__.py", "value = 'outside'");
    fs::create_dir(outside.path().join("space")).unwrap();
    outside.write("space/part.py", "value = 'outside'");
    outside.write("native.so", "");
    let bundle = python_bundle("python", "", &[("real/inside.py", "value = 'inside'")]);
    for (leads_to, link) in [
        (outside.path().join("helper.py"), "helper.py"),
        (outside.path().join("package"), "package"),
        (outside.path().join("space"), "space"),
        (outside.path().join("native.so"), "native.so"),
        ("real/inside.py".into(), "inside.py"),
        ("real".into(), "folder"),
    ] {
        symlink(leads_to, bundle.path().join(link)).unwrap();
    }
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    for (module, file) in [
        ("helper", "helper.py"),
        ("package", "package/__init__.py"),
        ("space.part", "space/part.py"),
        ("native", "native.so"),
    ] {
        let error = run(&runtime, &format!("import {module}")).unwrap_err().to_string();
        for part in ["ImportError", file, "outside of the bundle: put what the link leads to in its place"] {
            assert!(error.contains(part), "{module}: no {part:?} in: {error}");
        }
    }
    assert_eq!(
        run(&runtime, "import inside, folder.inside\nreturn inside.value + folder.inside.value").unwrap(),
        "insideinside"
    );

    let folders = python_bundle("folders", "[python]\npath = [\"lib\", \"absent\"]\n", &[("real/x.py", "")]);
    symlink(outside.path(), folders.path().join("lib")).unwrap();
    refused(&runtime, &folders, &["`path` of the table [python]", "lib: leads to", "outside of the bundle"]);
    fs::remove_file(folders.path().join("lib")).unwrap();
    symlink("real", folders.path().join("lib")).unwrap();
    runtime.load_bundle(folders.path()).unwrap();
}

#[test]
fn files_of_an_environment_are_files() {
    let version = ends(|| {
        let runtime = python::loaded(python::SCRIPT);
        run(&runtime, "import sys\nreturn '%d.%d' % sys.version_info[:2]").unwrap()
    });
    let bundle = python_bundle("python", "[python]\nvenv = \".venv\"\n", &[]);
    let site = bundle.path().join(format!(".venv/lib/python{version}/site-packages"));
    fs::create_dir_all(&site).unwrap();
    let runtime = runtime();
    each_kind(&bundle.path().join(".venv/pyvenv.cfg"), |_| drop(refused(&runtime, &bundle, &["has no pyvenv.cfg"])));
    fs::write(bundle.path().join(".venv/pyvenv.cfg"), "").unwrap();
    each_kind(&site.join("some.pth"), |_| {
        let (runtime, path) = (Arc::clone(&runtime), bundle.path().to_owned());
        ends(move || runtime.load_bundle(&path).and_then(|id| runtime.unload_bundle(id)).unwrap());
    });
}

/// Makes folders `0` to `count`, of which each has two links to the one before: 2^count paths to one file.
fn multiply(bundle: &Bundle, count: u32) {
    fs::create_dir(bundle.path().join("0")).unwrap();
    bundle.write("0/data", "some");
    for number in 1..=count {
        fs::create_dir(bundle.path().join(number.to_string())).unwrap();
        for link in ["one", "other"] {
            symlink(format!("../{}", number - 1), bundle.path().join(format!("{number}/{link}"))).unwrap();
        }
    }
}

#[test]
fn links_between_folders_multiply_nothing() {
    let key = SecretKey::from_bytes([1; 32]);
    let strict = || builder().signatures(SignaturePolicy::Require).trust(key.public_key()).build().unwrap();
    let bundle = lua_bundle(SCRIPT);
    multiply(&bundle, 30);
    let error = refused(&strict(), &bundle, &["is not signed"]);
    assert!(matches!(error, RuntimeError::Signature { source: SignatureError::Unsigned, .. }), "{error:?}");
    let runtime = builder().hot_reload(true).build().unwrap();
    let path = bundle.path().to_owned();
    ends({
        let runtime = Arc::clone(&runtime);
        move || runtime.load_bundle(&path).and_then(|_| runtime.reload_bundle(&path)).unwrap()
    });
    assert_eq!(run(&runtime, "return 1").unwrap(), "1");
    // A signature lists each path, so there have to be few.
    let sign = |bundle: &Bundle| {
        let (path, secret) = (bundle.path().to_owned(), SecretKey::from_bytes(key.to_bytes()));
        let error = ends(move || sign_bundle(&path, &secret)).unwrap_err().to_string();
        assert!(error.contains("`lua`") && error.contains("the links to its folders make more than"), "{error}");
    };
    sign(&bundle);
    fs::remove_file(bundle.path().join("0/data")).unwrap(); // so that there are folders only
    sign(&bundle);

    let few = lua_bundle(SCRIPT);
    multiply(&few, 5);
    sign_bundle(few.path(), &key).unwrap();
    verify_bundle(few.path(), &[key.public_key()]).unwrap();
    strict().load_bundle(few.path()).unwrap();
    few.write("0/data", "else"); // of the same length
    refused(&strict(), &few, &["\"0/data\" was changed"]);
}

#[test]
fn lengths_are_looked_at_before_anything_is_copied() {
    if !child::alone("lengths_are_looked_at_before_anything_is_copied") {
        return;
    }
    let key = SecretKey::from_bytes([1; 32]);
    let strict = builder().signatures(SignaturePolicy::Require).trust(key.public_key()).build().unwrap();
    let bundle = lua_bundle(SCRIPT);
    bundle.write("data", "some");
    sign_bundle(bundle.path(), &key).unwrap();
    let added = bundle.path().join("added");
    sparse(&added, 3 << 30);
    let limits = BundleLimits::default().bytes(1 << 40);
    let unlimited = builder().bundle_limits(limits).signatures(SignaturePolicy::Require).trust(key.public_key());
    let unlimited = unlimited.build().unwrap();
    refused(&unlimited, &bundle, &["\"added\" was added"]);
    refused(&strict, &bundle, &["3221225472 of them in added", "at most 1073741824"]);
    let hot = builder().hot_reload(true).build().unwrap();
    refused(&hot, &bundle, &["`lua`", "3221225472 of them in added", "bundle_limits"]);
    fs::remove_file(bundle.path().join("bundle.sig")).unwrap();
    refused(&strict, &bundle, &["is not signed"]);
    fs::remove_file(added).unwrap();
    fs::remove_file(bundle.path().join("data")).unwrap();
    bundle.write("elsewhere", "some");
    sign_bundle(bundle.path(), &key).unwrap();
    bundle.write("data", "some more");
    refused(&strict, &bundle, &["\"data\" was added"]);
    assert!(own_copies().is_empty(), "nothing was copied: {:?}", own_copies());
    fs::remove_file(bundle.path().join("data")).unwrap();
    strict.load_bundle(bundle.path()).unwrap();
    assert_eq!(own_copies().len(), 1);
}

#[test]
fn files_of_editors_are_no_part_of_a_bundle() {
    let bundle = lua_bundle(SCRIPT);
    let runtime = builder().hot_reload(true).build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    // Emacs locks a file that is edited with a link that leads nowhere.
    symlink("user@host.123:456", bundle.path().join(".#main.lua")).unwrap();
    for file in ["#main.lua#", "main.lua~", ".main.lua.swp", "4913"] {
        bundle.write(file, "");
    }
    bundle.write("main.lua", format!("{SCRIPT}\nfunction Script:run() return 'new' end"));
    let (report, messages) = logged_anywhere(|| runtime.reload_bundle(bundle.path()));
    report.unwrap();
    assert_eq!(messages, [], "an editor's file is nothing to warn of");
    assert_eq!(run(&runtime, "").unwrap(), "new");

    symlink("nothing", bundle.path().join("data")).unwrap();
    let (report, messages) = logged_anywhere(|| runtime.reload_bundle(bundle.path()));
    report.unwrap();
    let [message] = &*messages else { panic!("{messages:?}") };
    assert_eq!(message.bundle, "lua");
    let link = bundle.path().canonicalize().unwrap().join("data");
    assert!(message.message.contains(&format!("{} is a link that leads nowhere", link.display())), "{message:?}");

    // Nor are they signed.
    let key = SecretKey::from_bytes([1; 32]);
    sign_bundle(bundle.path(), &key).unwrap();
    bundle.write("other.lua~", "");
    verify_bundle(bundle.path(), &[key.public_key()]).unwrap();
}

#[test]
fn an_unusable_temporary_folder_is_named() {
    if !child::alone("an_unusable_temporary_folder_is_named") {
        return;
    }
    let bundle = lua_bundle(SCRIPT);
    bundle.write("module.lua", ""); // a bundle of one file needs no copy
    bundle.write("file", "");
    let temporary = bundle.path().join("file/below");
    // SAFETY: this process runs one test, and no other thread of it runs yet.
    unsafe { std::env::set_var("TMPDIR", &temporary) };
    let hot = builder().hot_reload(true).build().unwrap();
    refused(&hot, &bundle, &["`lua`", "TMPDIR", &temporary.to_string_lossy(), "cannot be written"]);
}
