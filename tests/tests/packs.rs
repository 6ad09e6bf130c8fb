//! Bundles in one file: loaded, called, reloaded, watched and verified as those in folders; refused if anything in them is
//! not what a bundle has; and nothing of them stays on the disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use polyplug::error::{ManifestError, PackError, RuntimeError};
use polyplug::loader::{BundleSource, ManifestData};
use polyplug::pack;
use polyplug::runtime::{BundleLimits, RuntimeBuilder};
use polyplug::signature::{SecretKey, SignatureError, SignaturePolicy, sign_bundle, verify_bundle};
use polyplug::watch::WatchOptions;
use polyplug::{Event, EventKind, Runtime};
use polyplug_js::JsLoader;
use polyplug_lua::LuaLoader;
use polyplug_native::NativeLoader;
use polyplug_tests::copies::own_copies;
use polyplug_tests::lua::{SCRIPT, run};
use polyplug_tests::watching::{impatient, patient, write_slowly};
use polyplug_tests::{Bundle, eventually, js, manifest, mapped_below};
use tempfile::TempDir;
use test_contracts::places::Places;
use test_contracts::{Calculator, Counter, Stamp};

const ONE: &str = "plugin-reload-one";
const TWO: &str = "plugin-reload-two";

fn builder() -> RuntimeBuilder {
    Runtime::builder().loader(NativeLoader::new()).loader(LuaLoader::new()).loader(JsLoader::new())
}

fn runtime() -> Arc<Runtime> {
    builder().hot_reload(true).build().unwrap()
}

/// A folder for packs.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Packs a bundle. Replaces the pack of that name by a rename.
    fn pack(&self, bundle: &Bundle, name: &str) -> PathBuf {
        let to = self.at(name);
        pack::write(bundle.path(), &to).unwrap_or_else(|error| panic!("{error}"));
        to
    }
}

/// A bundle `lua` of these files, beside that which implements `Script`.
fn lua(files: &[(&str, &str)]) -> Bundle {
    script("lua", SCRIPT, files)
}

fn script(loader: &str, main: &str, files: &[(&str, &str)]) -> Bundle {
    let bundle = Bundle::script(loader, main);
    for (name, text) in files {
        fs::create_dir_all(bundle.path().join(name).parent().unwrap()).unwrap();
        bundle.write(name, text);
    }
    bundle
}

/// Checks that a pack is refused, with an error that begins with its path and has these parts.
#[track_caller]
fn refused(runtime: &Runtime, path: &Path, parts: &[&str]) -> RuntimeError {
    let error = runtime.load_bundle(path).unwrap_err();
    let text = error.to_string();
    assert!(text.contains(&*path.to_string_lossy()), "{text}");
    for part in parts {
        assert!(text.contains(part), "no {part:?} in: {text}");
    }
    assert_eq!((runtime.bundle_ids(), own_copies()), (vec![], vec![]), "nothing is left");
    error
}

#[test]
fn a_library_is_unpacked_and_removed() {
    let folder = Folder::new();
    let path = folder.pack(&Bundle::native("calc", "plugin-calc"), "calc.polyplug");
    for hot_reload in [false, true] {
        let runtime = builder().hot_reload(hot_reload).build().unwrap();
        let id = runtime.load_bundle(&path).unwrap();
        assert_eq!(runtime.proxy::<dyn Calculator>().unwrap().add(2, 3), Ok(5));
        let [copy] = &own_copies()[..] else { panic!("one copy") };
        // Other systems do not list what is mapped.
        assert_eq!(mapped_below(copy).len(), usize::from(cfg!(target_os = "linux")));
        assert_eq!(runtime.bundle(id).unwrap().directory.as_deref(), Some(&*path));
        assert!(runtime.unload_bundle(id).unwrap().reclaimed);
        assert_eq!(own_copies(), [""; 0].map(PathBuf::from));
    }
}

#[test]
fn scripts_run_from_the_pack() {
    let folder = Folder::new();
    let modules =
        [("helper.lua", "return { name = 'helper' }"), ("sub/init.lua", "return require('helper').name .. '!'")];
    let path = folder.pack(&lua(&modules), "lua.polyplug");
    let runtime = runtime();
    let id = runtime.load_bundle(&path).unwrap();
    // The file is not needed any more.
    fs::remove_file(&path).unwrap();
    assert_eq!(run(&runtime, "return require('sub')").unwrap(), "helper!");
    assert_eq!(run(&runtime, "return require('polyplug').directory").unwrap(), "nil");
    let error = run(&runtime, "return require('absent')").unwrap_err().to_string();
    assert!(error.contains("the bundle has neither absent.lua nor absent/init.lua"), "{error}");
    assert_eq!(own_copies(), [""; 0].map(PathBuf::from));
    assert!(runtime.unload_bundle(id).unwrap().reclaimed);
}

#[test]
fn modules_of_javascript_are_imported_from_the_pack() {
    let folder = Folder::new();
    let files = [
        ("lib/late.js", "import words from './words.json';\nexport const late = words[0];\n"),
        ("lib/words.json", "[\"a word\"]"),
        ("lib/broken.js", "export const a = ;\n"),
    ];
    let path = folder.pack(&script("js", js::SCRIPT, &files), "js.polyplug");
    let runtime = runtime();
    runtime.load_bundle(&path).unwrap();
    fs::remove_file(&path).unwrap();
    // An ending may be left out.
    assert_eq!(run(&runtime, "return load('./lib/late').then((module) => module.late)").unwrap(), "a word");
    assert_eq!(run(&runtime, "return polyplug.context.directory").unwrap(), "null");
    for (file, reason) in [("absent.js", "no such file"), ("lib/broken.js", "js/lib/broken.js:1")] {
        let error = run(&runtime, &format!("return load('./{file}')")).unwrap_err();
        assert!(format!("{error:?}").contains(reason), "{error:?}");
    }
    assert_eq!(own_copies(), [""; 0].map(PathBuf::from));
}

#[cfg(feature = "python")]
#[test]
fn modules_of_python_are_imported_from_the_pack() {
    use polyplug_python::PythonLoader;
    use polyplug_tests::python::{python_bundle, python_runtime};

    let (folder, runtime) = (Folder::new(), python_runtime(PythonLoader::new()));
    let files = [
        ("helper.py", "def fail():\n    raise ValueError('from the helper')\n"),
        ("package/__init__.py", ""),
        ("package/words.txt", "some words"),
    ];
    let path = folder.pack(&python_bundle("python", "", &files), "python.polyplug");
    let id = runtime.load_bundle(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let answer = |code: &str| run(&runtime, code).unwrap();
    assert_eq!(answer("return __import__('pkgutil').get_data('package', 'words.txt').decode()"), "some words");
    assert_eq!(
        answer("return __import__('importlib.resources').resources.files('package').joinpath('words.txt').read_text()"),
        "some words"
    );
    assert_eq!(answer("return __import__('polyplug').directory"), "None");
    let polyplug::CallError::Exception(failure) = run(&runtime, "return __import__('helper').fail()").unwrap_err()
    else {
        panic!("an exception")
    };
    let shown = format!("{failure:?}");
    assert!(shown.contains("python/helper.py") && !shown.contains(&*path.to_string_lossy()), "{shown}");
    assert_eq!(own_copies(), [""; 0].map(PathBuf::from));
    assert!(runtime.unload_bundle(id).unwrap().reclaimed);
}

#[cfg(feature = "python")]
#[test]
fn a_folder_that_is_used_in_place_cannot_be_packed() {
    use polyplug_python::PythonLoader;
    use polyplug_tests::python::{python_bundle, python_runtime};

    let (folder, runtime) = (Folder::new(), python_runtime(PythonLoader::new()));
    let bundle = python_bundle("python", "[python]\nvenv = \"env\"\n", &[("env/pyvenv.cfg", "")]);
    let path = folder.pack(&bundle, "python.polyplug");
    let parts = ["\"env\" is used where it lies by the loader `python`, and nothing lies in a pack", "load the folder"];
    refused(&runtime, &path, &parts);
}

#[cfg(target_os = "linux")]
mod dotnet {
    use polyplug_tests::dotnet::{Version, dotnet_bundle, dotnet_runtime};
    use polyplug_tests::on_each_dotnet;

    use super::*;

    on_each_dotnet! { assemblies_are_loaded_from_the_pack }

    fn assemblies_are_loaded_from_the_pack(version: Version) {
        let (folder, runtime) = (Folder::new(), dotnet_runtime(version));
        let path = folder.pack(&dotnet_bundle("dependencies", "dependencies"), "net.polyplug");
        let id = runtime.load_bundle(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert_eq!(run(&runtime, "greet").unwrap(), "Hello, dear you!");
        assert_eq!(run(&runtime, "directory").unwrap_or_default(), "");
        assert_eq!(own_copies().len(), 1);
        folder.pack(&dotnet_bundle("dependencies", "dependencies"), "net.polyplug");
        runtime.reload_bundle(&path).unwrap();
        assert_eq!(run(&runtime, "greet").unwrap(), "Hello, dear you!");
        runtime.unload_bundle(id).unwrap();
        eventually("the copies are removed", || own_copies().is_empty());
    }
}

#[test]
fn an_error_names_the_file_of_the_pack() {
    let folder = Folder::new();
    let runtime = runtime();
    let path = folder.pack(&script("lua", "local a = = 1\n", &[]), "bad.polyplug");
    let error = runtime.load_bundle(&path).unwrap_err().to_string();
    assert!(error.contains("lua/main.lua:1") || error.contains("main.lua:1"), "{error}");
    let bundle = Bundle::script("lua", "error('at the start')\n");
    let error = runtime.load_bundle(folder.pack(&bundle, "bad.polyplug")).unwrap_err().to_string();
    assert!(error.contains("main.lua:1") && error.contains("at the start"), "{error}");
    // A manifest is shown as a file of the pack.
    let path = folder.at("archive.polyplug");
    fs::write(&path, archive(&[("manifest.toml", b"name = 1\n")])).unwrap();
    let error = runtime.load_bundle(&path).unwrap_err().to_string();
    assert!(error.starts_with(&*path.join("manifest.toml:1:8").to_string_lossy()), "{error}");
}

#[test]
fn schemas_are_read_from_the_pack() {
    let folder = Folder::new();
    let bundle = Bundle::script("lua", "local p = require('polyplug').plugin('test.unheard@1')\nfunction p:f() end\n");
    bundle.write("test.unheard@1.schema", "no schema");
    let path = folder.pack(&bundle, "lua.polyplug");
    let error = runtime().load_bundle(&path).unwrap_err().to_string();
    assert!(error.contains(&*path.join("test.unheard@1.schema").to_string_lossy()), "{error}");
}

#[test]
fn a_pack_is_reloaded_from_its_path_or_another() {
    let folder = Folder::new();
    let path = folder.pack(&Bundle::native("stamp", ONE), "stamp.polyplug");
    let runtime = runtime();
    runtime.load_bundle(&path).unwrap();
    let (stamp, counter) = (runtime.proxy::<dyn Stamp>().unwrap(), runtime.proxy::<dyn Counter>().unwrap());
    assert_eq!((stamp.version(), counter.add(2)), (Ok(1), Ok(2)));
    folder.pack(&Bundle::native("stamp", TWO), "stamp.polyplug");
    runtime.reload_bundle(&path).unwrap();
    assert_eq!(stamp.version(), Ok(2));
    // A version from a folder follows one from a pack, and the other way round.
    let bundle = Bundle::native("stamp", ONE);
    runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!(stamp.version(), Ok(1));
    runtime.reload_bundle(&path).unwrap();
    assert_eq!(stamp.version(), Ok(2));
    drop((stamp, counter)); // they hold the version that they were made of
    eventually("the copies of old versions are removed", || own_copies().len() == 1);

    // A reload from a pack that is refused leaves the old version.
    fs::write(&path, "garbage").unwrap();
    let error = runtime.reload_bundle(&path).unwrap_err();
    assert!(matches!(error, RuntimeError::Manifest(ManifestError::Pack { .. })), "{error}");
    assert_eq!(runtime.proxy::<dyn Stamp>().unwrap().version(), Ok(2));
}

#[test]
fn a_script_is_reloaded_from_its_pack() {
    for (loader, main, code) in
        [("lua", SCRIPT, "return require('m')"), ("js", js::SCRIPT, "return load('./m.js').then((m) => m.n)")]
    {
        let (folder, runtime) = (Folder::new(), runtime());
        let text = |number: u32| {
            if loader == "lua" { format!("return {number}") } else { format!("export const n = {number};") }
        };
        let file = if loader == "lua" { "m.lua" } else { "m.js" };
        let path = folder.pack(&script(loader, main, &[(file, &text(1))]), "script.polyplug");
        runtime.load_bundle(&path).unwrap();
        folder.pack(&script(loader, main, &[(file, &text(2))]), "script.polyplug");
        assert_eq!(run(&runtime, code).unwrap(), "1", "the version reads its own pack");
        runtime.reload_bundle(&path).unwrap();
        assert_eq!(run(&runtime, code).unwrap(), "2");
        assert_eq!(own_copies(), [""; 0].map(PathBuf::from));
    }
}

#[test]
fn a_bundle_in_a_pack_has_data_and_no_directory() {
    let (folder, data) = (Folder::new(), TempDir::new().unwrap());
    let runtime = builder().data_directory(data.path()).build().unwrap();
    runtime.load_bundle(folder.pack(&Bundle::native("places", "plugin-places"), "places.polyplug")).unwrap();
    let places = runtime.proxy::<dyn Places>().unwrap();
    assert_eq!(places.directory(), Ok(None));
    assert_eq!(places.data_directory().unwrap(), Ok(data.path().join("places").to_string_lossy().into_owned()));
    runtime.load_bundle(folder.pack(&lua(&[]), "lua.polyplug")).unwrap();
    let found = run(&runtime, "return require('polyplug').data_directory()").unwrap();
    assert_eq!(found, data.path().join("lua").to_string_lossy());
}

#[test]
fn a_manifest_may_be_given_for_a_pack() {
    let folder = Folder::new();
    let path = folder.pack(&lua(&[("other.lua", SCRIPT)]), "lua.polyplug");
    let runtime = runtime();
    let source = BundleSource::Path(path);
    runtime.load_bundle_from(&manifest("renamed", "lua", "other"), source).unwrap();
    assert_eq!(runtime.bundles()[0].name, "renamed");
    assert_eq!(run(&runtime, "return 1").unwrap(), "1");
}

#[test]
fn a_folder_of_bundles_has_packs_beside_folders() {
    let folder = Folder::new();
    folder.pack(&Bundle::native("stamp", ONE), "stamp.polyplug");
    folder.pack(&lua(&[]), "LUA.POLYPLUG");
    fs::write(folder.at("bad.polyplug"), "garbage").unwrap();
    let calc = Bundle::native("calc", "plugin-calc");
    fs::create_dir(folder.at("calc")).unwrap();
    for entry in fs::read_dir(calc.path()).unwrap().flatten() {
        fs::copy(entry.path(), folder.at("calc").join(entry.file_name())).unwrap();
    }
    let runtime = runtime();
    let report = runtime.load_dir(folder.0.path());
    assert_eq!(report.names(), ["calc", "lua", "stamp"]);
    let [RuntimeError::Manifest(ManifestError::Pack { path, source: PackError::Malformed { .. } })] =
        &report.problems[..]
    else {
        panic!("{report}")
    };
    assert_eq!(path, &folder.at("bad.polyplug"));

    // A pack is no folder of bundles.
    let report = runtime.load_dir(folder.at("stamp.polyplug"));
    assert!(report.to_string().contains("it is a bundle itself"), "{report}");
    // Two bundles of one name, one of them a pack.
    folder.pack(&calc, "calc.polyplug");
    let report = builder().build().unwrap().load_dir(folder.0.path());
    assert!(matches!(report.problems[..], [_, RuntimeError::DuplicateName { .. }]), "{report}");
}

/// A folder of bundles that is watched, with its events.
struct Watched {
    folder: Folder,
    runtime: Arc<Runtime>,
    events: Receiver<Event>,
}

impl Watched {
    fn new() -> Self {
        let (send, events) = mpsc::channel();
        let runtime = runtime();
        runtime.on_event(move |event| drop(send.send(event.clone()))).detach();
        Self { folder: Folder::new(), runtime, events }
    }

    fn watch(&self, options: WatchOptions) -> polyplug::watch::Watcher {
        self.runtime.watch_dir_with(self.folder.0.path(), options).unwrap()
    }

    /// Waits for the next change or failure, as `loaded calc`.
    #[track_caller]
    fn next(&self) -> String {
        loop {
            let event = self.events.recv_timeout(Duration::from_secs(90)).expect("something should happen");
            let what = match &event.kind {
                EventKind::Loaded => "loaded",
                EventKind::Reloaded(_) => "reloaded",
                EventKind::Unloaded(_) => "unloaded",
                EventKind::Failed(error) => return format!("failed {}: {error}", event.bundle.name),
                _ => continue,
            };
            return format!("{what} {}", event.bundle.name);
        }
    }
}

#[test]
fn packs_that_come_change_and_go_are_followed() {
    let watched = Watched::new();
    let (folder, runtime) = (&watched.folder, &watched.runtime);
    let _watcher = watched.watch(patient());
    folder.pack(&Bundle::native("stamp", ONE), "stamp.polyplug");
    assert_eq!(watched.next(), "loaded stamp");
    folder.pack(&Bundle::native("stamp", TWO), "stamp.polyplug");
    assert_eq!(watched.next(), "reloaded stamp");
    assert_eq!(runtime.proxy::<dyn Stamp>().unwrap().version(), Ok(2));
    // In place, as `cp` does it.
    let other = TempDir::new().unwrap();
    pack::write(Bundle::native("stamp", ONE).path(), other.path().join("a.polyplug")).unwrap();
    fs::copy(other.path().join("a.polyplug"), folder.at("stamp.polyplug")).unwrap();
    assert_eq!(watched.next(), "reloaded stamp");
    assert_eq!(runtime.proxy::<dyn Stamp>().unwrap().version(), Ok(1));
    // A pack of another name has the next version.
    fs::remove_file(folder.at("stamp.polyplug")).unwrap();
    folder.pack(&Bundle::native("stamp", TWO), "stamp-2.polyplug");
    assert_eq!(watched.next(), "reloaded stamp");
    assert_eq!(runtime.proxy::<dyn Stamp>().unwrap().version(), Ok(2));
}

#[test]
fn a_pack_that_is_removed_is_unloaded() {
    let watched = Watched::new();
    let path = watched.folder.pack(&lua(&[]), "lua.polyplug");
    let _watcher = watched.watch(impatient());
    assert_eq!(watched.next(), "loaded lua");
    fs::remove_file(path).unwrap();
    assert_eq!(watched.next(), "unloaded lua");
}

#[test]
fn a_pack_that_comes_slowly_is_loaded_once_it_is_complete() {
    let watched = Watched::new();
    let other = Folder::new();
    let whole = fs::read(other.pack(&Bundle::native("slow", ONE), "slow.polyplug")).unwrap();
    let _watcher = watched.watch(patient());
    write_slowly(&watched.folder.at("slow.polyplug"), &whole, 5, Duration::from_millis(200), true);
    assert_eq!(watched.next(), "loaded slow");
}

#[test]
fn half_a_pack_is_reported_and_tried_again() {
    let watched = Watched::new();
    let other = Folder::new();
    let whole = fs::read(other.pack(&Bundle::native("half", ONE), "half.polyplug")).unwrap();
    let _watcher = watched.watch(impatient());
    fs::write(watched.folder.at("half.polyplug"), &whole[..whole.len() / 2]).unwrap();
    let failure = watched.next();
    assert!(failure.starts_with("failed half.polyplug: ") && failure.contains("not a whole one"), "{failure}");
    fs::write(watched.folder.at("half.polyplug"), &whole).unwrap();
    assert_eq!(watched.next(), "loaded half");
}

#[test]
fn a_watcher_of_bundles_follows_a_pack() {
    let (folder, runtime) = (Folder::new(), runtime());
    let path = folder.pack(&Bundle::native("stamp", ONE), "stamp.polyplug");
    runtime.load_bundle(&path).unwrap();
    let (send, events) = mpsc::channel();
    let subscription = runtime.on_event(move |event| {
        if matches!(event.kind, EventKind::Reloaded(_)) {
            send.send(()).unwrap();
        }
    });
    let _watcher = runtime.watch_with(patient()).unwrap();
    folder.pack(&Bundle::native("stamp", TWO), "stamp.polyplug");
    events.recv_timeout(Duration::from_secs(90)).unwrap();
    assert_eq!(runtime.proxy::<dyn Stamp>().unwrap().version(), Ok(2));
    drop(subscription);
}

fn key() -> SecretKey {
    SecretKey::from_bytes([1; 32])
}

fn strict() -> Arc<Runtime> {
    builder().signatures(SignaturePolicy::Require).trust(key().public_key()).hot_reload(true).build().unwrap()
}

#[test]
fn a_signed_folder_makes_a_signed_pack() {
    let folder = Folder::new();
    for (bundle, name) in [(Bundle::native("stamp", ONE), "stamp"), (lua(&[("lib/a.lua", "return 1")]), "lua")] {
        sign_bundle(bundle.path(), &key()).unwrap();
        let path = folder.pack(&bundle, &format!("{name}.polyplug"));
        assert_eq!(verify_bundle(&path, &[key().public_key()]).unwrap(), key().public_key());
        let runtime = strict();
        let id = runtime.load_bundle(&path).unwrap();
        assert!(runtime.unload_bundle(id).unwrap().reclaimed);
    }
    assert_eq!(own_copies(), [""; 0].map(PathBuf::from));
}

#[test]
fn a_pack_that_was_not_signed_so_is_refused() {
    type Expected = fn(&SignatureError) -> bool;
    let folder = Folder::new();
    let bundle = lua(&[("lib/a.lua", "return 1")]);
    let check = |expected: Expected| {
        let path = folder.pack(&bundle, "lua.polyplug");
        let by_load = refused(&strict(), &path, &["bundle `lua`: "]);
        let by_tool = verify_bundle(&path, &[key().public_key()]).unwrap_err();
        assert_eq!(by_load.to_string(), by_tool.to_string());
        let RuntimeError::Signature { source, .. } = by_load else { panic!("{by_load}") };
        assert!(expected(&source), "{source}");
    };
    check(|error| matches!(error, SignatureError::Unsigned));
    sign_bundle(bundle.path(), &SecretKey::from_bytes([2; 32])).unwrap();
    check(|error| matches!(error, SignatureError::UnknownKey { .. }));
    sign_bundle(bundle.path(), &key()).unwrap();
    bundle.write("lib/a.lua", "return 2");
    check(|error| matches!(error, SignatureError::Changed { file } if file == "lib/a.lua"));
    bundle.write("lib/a.lua", "return 1");
    bundle.write("lib/b.lua", "");
    check(|error| matches!(error, SignatureError::Added { file } if file == "lib/b.lua"));
    fs::remove_file(bundle.path().join("lib/b.lua")).unwrap();
    fs::remove_file(bundle.path().join("lib/a.lua")).unwrap();
    check(|error| matches!(error, SignatureError::Removed { file } if file == "lib/a.lua"));
}

#[test]
fn a_pack_is_signed_before_it_is_packed() {
    let folder = Folder::new();
    let path = folder.pack(&lua(&[]), "lua.polyplug");
    let before = fs::read(&path).unwrap();
    let error = sign_bundle(&path, &key()).unwrap_err();
    assert!(matches!(&error, RuntimeError::Signature { source: SignatureError::IsPack, .. }), "{error}");
    assert!(error.to_string().contains("sign the bundle's folder, and pack it afterwards"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn the_same_files_make_the_same_bytes() {
    let folder = Folder::new();
    let files =
        [("b.lua", "-- b"), ("a/c.lua", "-- c"), ("A.lua", "-- A"), ("a.txt", "a"), ("large", &*"words ".repeat(9999))];
    let first = folder.pack(&lua(&files), "first.polyplug");
    let other = lua(&[]);
    for (name, text) in files.iter().rev() {
        fs::create_dir_all(other.path().join(name).parent().unwrap()).unwrap();
        other.write(name, text);
        let file = fs::File::options().write(true).open(other.path().join(name)).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)).unwrap();
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(other.path().join("b.lua"), fs::Permissions::from_mode(0o700)).unwrap();
        std::os::unix::fs::symlink("b.lua", other.path().join("link.lua")).unwrap();
    }
    // What is no part of a bundle.
    for name in [".main.lua.swp", "main.lua~", ".git"] {
        other.write(name, "");
    }
    fs::remove_file(other.path().join(".git")).unwrap();
    fs::create_dir(other.path().join(".git")).unwrap();
    other.write(".git/index", "");
    #[cfg(unix)]
    fs::remove_file(other.path().join("link.lua")).unwrap();
    let bytes = fs::read(&first).unwrap();
    assert_eq!(fs::read(folder.pack(&other, "second.polyplug")).unwrap(), bytes);
    assert!(bytes.len() < 9999, "it is compressed");
    // On every machine: a change of these bytes is a change of the format.
    let small = Bundle::script("lua", "return 1\n");
    let bytes = fs::read(folder.pack(&small, "small.polyplug")).unwrap();
    assert_eq!((bytes.len(), crc(&bytes)), SMALL);
}

/// The length of the pack of a small bundle, and its checksum.
const SMALL: (usize, u32) = (332, 2_453_095_602);

fn crc(bytes: &[u8]) -> u32 {
    rawzip::crc32(bytes)
}

#[test]
fn what_cannot_be_packed_is_named() {
    let folder = Folder::new();
    let to = folder.at("a.polyplug");
    let fails = |bundle: &Path, to: &Path, parts: &[&str]| {
        let error = pack::write(bundle, to).unwrap_err().to_string();
        for part in parts {
            assert!(error.contains(part), "no {part:?} in: {error}");
        }
    };
    let bundle = lua(&[]);
    let own = bundle.path().to_string_lossy().into_owned();
    fails(folder.0.path(), &to, &["no bundle there"]);
    fails(bundle.path(), &bundle.path().join("a.polyplug"), &[&own, "write it to another folder"]);
    fails(bundle.path(), &folder.at("absent/a.polyplug"), &["absent", "cannot be written"]);
    bundle.write("manifest.toml", manifest("lua", "lua", "other.lua"));
    fails(bundle.path(), &to, &["other.lua", "correct `file`"]);
    bundle.write("manifest.toml", manifest("lua", "lua", "main.lua"));
    if cfg!(unix) {
        for (name, reason) in [("ab:c", "':'"), ("aux.lua", "device on Windows"), ("Main.LUA", "case does not count")] {
            bundle.write(name, "");
            fails(bundle.path(), &to, &[&own, name, reason]);
            fs::remove_file(bundle.path().join(name)).unwrap();
        }
    }
    assert!(!to.exists());
    let pack = folder.pack(&bundle, "lua.polyplug");
    fails(&pack, &to, &["it is a pack already"]);
    assert_eq!(fs::read_dir(folder.0.path()).unwrap().count(), 1, "no half pack is left");
}

/// Returns 64 MiB of zeros, compressed.
fn zeros() -> Vec<u8> {
    let folder = Folder::new();
    let path = folder.pack(&lua(&[("zeros", &*"\0".repeat(64 << 20))]), "zeros.polyplug");
    let bytes = fs::read(path).unwrap();
    let archive = rawzip::ZipArchive::from_slice(&*bytes).unwrap();
    let mut entries = archive.entries();
    while let Some(entry) = entries.next_entry().unwrap() {
        if entry.file_path().as_bytes() == b"zeros" {
            return archive.get_entry(entry.wayfinder()).unwrap().data().to_vec();
        }
    }
    unreachable!("it was packed")
}

/// Makes an archive of files, stored as they are.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = rawzip::ZipArchiveWriter::new(Vec::new());
    for (name, data) in files {
        add(&mut archive, name, 0o100_644, rawzip::CompressionMethod::STORE, data, data.len() as u64);
    }
    archive.finish().unwrap()
}

/// Adds a file that says to have `size` bytes when it is unpacked.
fn add(
    archive: &mut rawzip::ZipArchiveWriter<Vec<u8>>,
    name: &str,
    mode: u32,
    method: rawzip::CompressionMethod,
    data: &[u8],
    size: u64,
) {
    use std::io::Write as _;
    let file = archive.new_file(rawzip::path::EntryPath::verbatim(name.as_bytes())).unix_permissions(mode);
    let (mut entry, _) = file.compression_method(method).start().unwrap();
    entry.write_all(data).unwrap();
    entry.finish(rawzip::DataDescriptorOutput::new(rawzip::crc32(data), size)).unwrap();
}

const MANIFEST: &[u8] = b"name = \"evil\"\nversion = \"1.0.0\"\nloader = \"lua\"\nfile = \"main.lua\"\n";

#[test]
fn entries_that_are_no_files_of_a_bundle_are_refused() {
    let (folder, runtime) = (Folder::new(), runtime());
    let path = folder.at("evil.polyplug");
    for (name, reason) in [
        ("../evil.lua", "which leads out of its folder: make the pack with `polyplug pack`"),
        ("a/../../evil.lua", "which leads out of its folder"),
        ("/tmp/evil.lua", "is an absolute path"),
        ("C:/evil.lua", "is an absolute path"),
        ("..\\evil.lua", "only Windows takes"),
        ("nul.lua", "which is a device on Windows"),
        ("main.lua", "is there twice: keep one of the two"),
        ("MAIN.lua", "is the same as \"main.lua\" where case does not count"),
        ("main.lua/x", "to be a folder and a file at once"),
    ] {
        fs::write(&path, archive(&[("manifest.toml", MANIFEST), ("main.lua", b""), (name, b"")])).unwrap();
        let error = refused(&runtime, &path, &[&format!("the entry {name:?}"), reason]);
        assert!(matches!(error, RuntimeError::Manifest(ManifestError::Pack { source: PackError::Entry { .. }, .. })));
    }
    assert!(!folder.at("evil.lua").exists() && !Path::new("/tmp/evil.lua").exists());
}

#[test]
fn links_and_unknown_methods_are_refused() {
    let (folder, runtime) = (Folder::new(), runtime());
    let path = folder.at("evil.polyplug");
    for (mode, method, reason) in [
        (0o120_777, rawzip::CompressionMethod::STORE, "is a link or no regular file: put a file in its place"),
        (0o010_644, rawzip::CompressionMethod::STORE, "is a link or no regular file"),
        (0o100_644, rawzip::CompressionMethod::ZSTD, "and packs have Deflate"),
        (0o100_644, rawzip::CompressionMethod::new(4711), "is compressed by method 4711"),
    ] {
        let mut archive = rawzip::ZipArchiveWriter::new(Vec::new());
        add(
            &mut archive,
            "manifest.toml",
            0o100_644,
            rawzip::CompressionMethod::STORE,
            MANIFEST,
            MANIFEST.len() as u64,
        );
        add(&mut archive, "main.lua", mode, method, b"/etc/passwd", 11);
        fs::write(&path, archive.finish().unwrap()).unwrap();
        refused(&runtime, &path, &["the entry \"main.lua\"", reason]);
    }
}

#[test]
fn encrypted_entries_are_refused() {
    let (folder, runtime) = (Folder::new(), runtime());
    let path = folder.at("secret.polyplug");
    let mut archive = rawzip::ZipArchiveWriter::new(Vec::new());
    {
        use std::io::Write as _;
        let (mut entry, _) = archive.new_file("main.lua").encrypted(true).start().unwrap();
        entry.write_all(b"secret").unwrap();
        entry.finish(rawzip::DataDescriptorOutput::new(0, 6)).unwrap();
    }
    add(&mut archive, "manifest.toml", 0o100_644, rawzip::CompressionMethod::STORE, MANIFEST, MANIFEST.len() as u64);
    fs::write(&path, archive.finish().unwrap()).unwrap();
    refused(&runtime, &path, &["the entry \"main.lua\" is encrypted", "pack the bundle without one"]);
}

#[test]
fn bombs_are_refused() {
    let (folder, runtime) = (Folder::new(), runtime());
    let path = folder.at("bomb.polyplug");
    let zeros = zeros();
    assert!(zeros.len() < 1 << 20);
    let with = |size: u64| {
        let mut archive = rawzip::ZipArchiveWriter::new(Vec::new());
        add(
            &mut archive,
            "manifest.toml",
            0o100_644,
            rawzip::CompressionMethod::STORE,
            MANIFEST,
            MANIFEST.len() as u64,
        );
        add(&mut archive, "main.lua", 0o100_644, rawzip::CompressionMethod::DEFLATE, &zeros, size);
        fs::write(&path, archive.finish().unwrap()).unwrap();
    };
    // It says how large it is: more than a program may have, more than a bundle may have.
    with((64 << 20) + 1);
    refused(&runtime, &path, &["main.lua", "too many for a program"]);
    with(1 << 40);
    refused(&runtime, &path, &["1099511627776 of them in main.lua", "at most 1073741824", "bundle_limits"]);
    let small = builder().bundle_limits(BundleLimits::default().bytes(1 << 20)).build().unwrap();
    with(64 << 20);
    refused(&small, &path, &["of them in main.lua", "at most 1048576"]);
    // It says less than it has: no more is unpacked.
    with(100);
    refused(&runtime, &path, &["main.lua", "copy the pack anew"]);
    let few = builder().bundle_limits(BundleLimits::default().entries(1)).build().unwrap();
    let two = folder.pack(&lua(&[]), "two.polyplug");
    refused(&few, &two, &["it has 2 files (at most 1)"]);
}

#[test]
fn what_is_no_whole_pack_is_refused() {
    let (folder, runtime) = (Folder::new(), runtime());
    let path = folder.pack(&lua(&[("lib/a.lua", "return 1")]), "lua.polyplug");
    let whole = fs::read(&path).unwrap();
    for bytes in [vec![], b"garbage".to_vec(), vec![0; 5000], [&*whole, b"more"].concat()] {
        fs::write(&path, bytes).unwrap();
        refused(&runtime, &path, &["it is no pack, or not a whole one: ", "with `polyplug pack`"]);
    }
    for len in (0..whole.len()).step_by(7) {
        fs::write(&path, &whole[..len]).unwrap();
        assert!(runtime.load_bundle(&path).is_err(), "{len}");
    }
    // Every byte that is damaged is noticed, or does not matter.
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        fs::write(&path, &damaged).unwrap();
        let _ = builder().build().unwrap().load_bundle(&path);
    }
    fs::write(&path, archive(&[("main.lua", b"")])).unwrap();
    refused(&runtime, &path, &["it has no manifest.toml at its root: make it anew"]);
    fs::write(&path, archive(&[("calc/manifest.toml", MANIFEST), ("calc/main.lua", b"")])).unwrap();
    refused(
        &runtime,
        &path,
        &["at its root, but \"calc/manifest.toml\": the files of the bundle's folder belong there"],
    );
    fs::write(&path, archive(&[("manifest.toml", MANIFEST)])).unwrap();
    refused(&runtime, &path, &["main.lua", "put a Lua script into the bundle's folder", "pack it anew"]);
    let error = runtime.load_bundle(folder.at("absent.polyplug")).unwrap_err().to_string();
    assert!(error.contains("has no `absent.polyplug`"), "{error}");
    assert_eq!(ManifestData::read(folder.pack(&lua(&[]), "lua.polyplug")).unwrap().name, "lua");
}
