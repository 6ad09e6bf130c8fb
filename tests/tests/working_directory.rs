//! A program may change its working directory: a path that it gave the runtime before means the same file afterwards.
//!
//! Each test runs in a process of its own, as the working directory belongs to the process.

use std::env::set_current_dir;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use polyplug::loader::BundleSource;
use polyplug::{BundleId, Runtime};
use polyplug_abi::AbiError;
use polyplug_js::JsLoader;
use polyplug_lua::LuaLoader;
use polyplug_native::NativeLoader;
use polyplug_python::PythonLoader;
use polyplug_tests::lua::{SCRIPT, Script};
use polyplug_tests::watching::{patient, watched_runtime_with};
use polyplug_tests::{child, js, library, main_file, manifest, python};
use test_contracts::Calculator;

/// The languages of the bundles, and the bundles' names.
const LANGUAGES: [&str; 3] = ["lua", "python", "js"];

/// Two directories with bundles of the same paths, of which the second must not be looked at.
struct Places {
    _folder: tempfile::TempDir,
    here: PathBuf,
    elsewhere: PathBuf,
}

impl Places {
    /// Makes both directories. The first one is the working directory.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let (here, elsewhere) = (root.join("here"), root.join("elsewhere"));
        for (place, answer) in [(&here, "here"), (&elsewhere, "elsewhere")] {
            let write = |file: &str, text: &str| {
                let path = place.join(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            };
            write("plugins/lua/manifest.toml", &manifest("lua", "lua", "main.lua"));
            write("plugins/lua/main.lua", SCRIPT);
            write("plugins/lua/helper.lua", &format!("return '{answer}'"));
            write("plugins/python/manifest.toml", &manifest("python", "python", "main.py"));
            write("plugins/python/main.py", python::SCRIPT);
            write("plugins/python/helper.py", &format!("value = '{answer}'"));
            write("plugins/js/manifest.toml", &manifest("js", "js", "main.js"));
            write("plugins/js/main.js", js::SCRIPT);
            write("plugins/js/helper.js", &format!("export default '{answer}'"));
        }
        set_current_dir(&here).unwrap();
        Self { _folder: folder, here, elsewhere }
    }

    fn leave(&self) {
        set_current_dir(&self.elsewhere).unwrap();
    }
}

fn runtime() -> Arc<Runtime> {
    let builder = Runtime::builder().loader(LuaLoader::new()).loader(PythonLoader::new());
    builder.loader(JsLoader::new()).loader(NativeLoader::new()).build().unwrap()
}

#[track_caller]
fn check(runtime: &Runtime, bundle: &str) {
    let code = match bundle {
        "lua" => "return require('helper')",
        "python" => "import helper\nreturn helper.value",
        _ => "return load('./helper.js').then((helper) => helper.default)",
    };
    let script = runtime.proxy_from::<dyn Script>(BundleId::new(bundle)).unwrap();
    assert_eq!(script.run(code).unwrap(), "here", "{bundle}");
}

#[test]
fn modules_are_found_where_the_bundle_was_loaded() {
    if !child::alone("modules_are_found_where_the_bundle_was_loaded") {
        return;
    }
    for way in ["bundle", "artifact", "directory", "source", "table", "in the bundle"] {
        let places = Places::new();
        let runtime = runtime();
        let bundles = LANGUAGES.map(|name| Path::new("plugins").join(name));
        match way {
            "bundle" => {
                bundles.iter().for_each(|path| {
                    runtime.load_bundle(path).unwrap();
                });
            }
            "artifact" => {
                runtime.load_bundle("plugins/lua/main.lua").unwrap();
                runtime.load_bundle("plugins/python/manifest.toml").unwrap();
                runtime.load_bundle("plugins/js/main.js").unwrap();
            }
            "directory" => drop(runtime.load_dir("plugins").into_result().unwrap()),
            "source" => {
                for (path, loader) in bundles.iter().zip(LANGUAGES) {
                    let source = BundleSource::Path(path.clone());
                    runtime.load_bundle_from(&manifest(loader, loader, main_file(loader)), source).unwrap();
                }
            }
            "table" => {
                for path in &bundles {
                    let (host, path) = (runtime.host_abi(), path.to_str().unwrap());
                    let mut error = AbiError::ok();
                    // SAFETY: the table is that of the runtime, and the path is readable during the call.
                    unsafe { ((*host).load_bundle)(host, path.as_ptr(), path.len(), &raw mut error) };
                    assert!(error.is_ok());
                }
            }
            _ => {
                for path in &bundles {
                    set_current_dir(places.here.join(path)).unwrap();
                    runtime.load_bundle("").unwrap();
                }
            }
        }
        places.leave();
        LANGUAGES.iter().for_each(|bundle| check(&runtime, bundle));
        for info in runtime.bundles() {
            assert!(info.to_string().contains(&*places.here.to_string_lossy()), "{info}");
        }
    }
}

#[test]
fn a_watcher_watches_where_the_bundle_was_loaded() {
    if !child::alone("a_watcher_watches_where_the_bundle_was_loaded") {
        return;
    }
    let places = Places::new();
    let (runtime, events) = watched_runtime_with(LuaLoader::new(), Box::new(|_| ()));
    runtime.load_bundle("plugins/lua").unwrap();
    places.leave();
    let _watcher = runtime.watch_with(patient()).unwrap();
    events.none_at_first();
    let code = format!("{SCRIPT}\nfunction Script:run() return 'new' end");
    fs::write(places.here.join("plugins/lua/main.lua"), code).unwrap();
    events.reloaded("lua");
    assert_eq!(runtime.proxy::<dyn Script>().unwrap().run("").unwrap(), "new");
}

#[test]
fn a_virtual_environment_is_the_one_that_was_named() {
    if !child::alone("a_virtual_environment_is_the_one_that_was_named") {
        return;
    }
    let places = Places::new();
    let version = {
        let runtime = python::loaded(python::SCRIPT);
        let script = runtime.proxy::<dyn Script>().unwrap();
        script.run("import sys\nreturn '%d.%d' % sys.version_info[:2]").unwrap()
    };
    for (place, answer) in [(&places.here, "here"), (&places.elsewhere, "elsewhere")] {
        let site = place.join(format!("env/lib/python{version}/site-packages"));
        fs::create_dir_all(&site).unwrap();
        fs::write(place.join("env/pyvenv.cfg"), "").unwrap();
        fs::write(site.join("packaged.py"), format!("value = '{answer}'")).unwrap();
    }
    let loader = PythonLoader::new().with_venv("env");
    places.leave();
    let runtime = python::python_runtime(loader);
    runtime.load_bundle(places.here.join("plugins/python")).unwrap();
    let script = runtime.proxy::<dyn Script>().unwrap();
    assert_eq!(script.run("import packaged\nreturn packaged.value").unwrap(), "here");
}

#[test]
fn a_library_and_its_schema_are_found_where_they_are() {
    if !child::alone("a_library_and_its_schema_are_found_where_they_are") {
        return;
    }
    let places = Places::new();
    let calc = places.here.join("calc");
    fs::create_dir(&calc).unwrap();
    fs::write(calc.join("manifest.toml"), manifest("calc", "native", "plugin")).unwrap();
    fs::copy(library("plugin-calc"), calc.join(format!("plugin{}", std::env::consts::DLL_SUFFIX))).unwrap();
    // The folder for temporary files may be relative as well.
    // SAFETY: this process runs one test, and no other thread of it runs yet.
    unsafe { std::env::set_var("TMPDIR", "temporary") };
    let runtime = Runtime::builder().loader(NativeLoader::new()).hot_reload(true).build().unwrap();
    runtime.load_bundle("calc").unwrap();
    places.leave();
    runtime.reload_bundle(&calc).unwrap();
    let calculator = runtime.proxy::<dyn Calculator>().unwrap();
    assert_eq!(calculator.add(2, 3), Ok(5));
    assert!(!places.elsewhere.join("temporary").exists(), "copies lie where the first ones do");
    drop((calculator, runtime));
}
