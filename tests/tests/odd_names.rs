//! Bundles below folders of any name, and with files of any name: in every script, in either form of Unicode, with spaces and
//! quotes, and as long as the system lets them be.
#![cfg(target_os = "linux")]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

use polyplug::EventKind;
use polyplug::signature::{SecretKey, SignaturePolicy, sign_bundle, verify_bundle};
use polyplug_tests::calculators::{self, LOADERS, calculator};
use polyplug_tests::watching::impatient;
use polyplug_tests::{Bundle, main_file, manifest};
use test_contracts::Calculator;

/// The longest name of a file on Linux, and the longest path with its null.
const NAME_MAX: usize = 255;
const PATH_MAX: usize = 4096;

const NAMES: [&str; 18] = [
    "größe",
    "ελληνικά",
    "кириллица",
    "日本語のフォルダ",
    "한국어",
    "עברית",
    "العربية",
    "\u{202e}gnihtemos\u{202c}", // overrides the direction
    "हिन्दी",
    "ไทย",
    "👩‍👩‍👧‍👦 family",
    "e\u{301}t\u{e9}",        // the same letter in both forms
    "a\u{300}\u{301}\u{302}", // combining marks on each other
    "with space and 'quotes' \"double\"",
    "100% {}[]()<>|&;$`!#~*?",
    "line\nbreak\ttab",
    "-rf",
    "\u{feff}zero\u{200b}width",
];

#[test]
fn folders_of_any_name() {
    let folder = Bundle::empty();
    for hot_reload in [false, true] {
        let runtime = calculators::runtime(hot_reload);
        for (name, loader) in NAMES.iter().flat_map(|name| LOADERS.iter().map(move |loader| (name, loader))) {
            let place = folder.path().join(name);
            fs::create_dir_all(&place).unwrap();
            let bundle = place.join("bundle");
            fs::rename(calculator("calc", loader).path(), &bundle).unwrap();
            let id = runtime.load_bundle(&bundle).unwrap_or_else(|error| panic!("{name}, {loader}: {error}"));
            calculators::check(&runtime.proxy::<dyn Calculator>().unwrap(), &format!("{name}, {loader}"));
            if hot_reload {
                runtime.reload_bundle(&bundle).unwrap_or_else(|error| panic!("{name}, {loader}: {error}"));
                calculators::check(&runtime.proxy::<dyn Calculator>().unwrap(), &format!("{name}, {loader}"));
            }
            assert_eq!(runtime.bundle(id).unwrap().directory.as_deref(), Some(&*bundle), "{name}");
            runtime.unload_bundle(id).unwrap();
            fs::remove_dir_all(place).unwrap();
        }
    }
}

/// A folder whose name is not UTF-8 can be the bundle's; an error says so where that does not work.
#[test]
fn folders_of_no_text() {
    let folder = Bundle::empty();
    let bundle = folder.path().join(OsStr::from_bytes(b"odd-\xff\xfe"));
    for loader in LOADERS {
        fs::rename(calculator("calc", loader).path(), &bundle).unwrap();
        for hot_reload in [false, true] {
            let runtime = calculators::runtime(hot_reload);
            match runtime.load_bundle(&bundle) {
                Ok(_) => calculators::check(&runtime.proxy::<dyn Calculator>().unwrap(), loader),
                Err(error) => assert!(error.to_string().contains("UTF-8"), "{loader}: {error}"),
            }
        }
        fs::remove_dir_all(&bundle).unwrap();
    }
}

/// Artifacts and modules of any name that a file may have.
#[test]
fn files_of_any_name() {
    let runtime = calculators::runtime(true);
    for (name, loader) in NAMES.iter().flat_map(|name| LOADERS.iter().map(move |loader| (name, loader))) {
        let bundle = calculator("calc", loader);
        let from = match *loader {
            "native" => format!("plugin{}", std::env::consts::DLL_SUFFIX),
            script => main_file(script).to_owned(),
        };
        let extension = from.rsplit('.').next().unwrap();
        let file = format!("{name}.{extension}");
        fs::rename(bundle.path().join(&from), bundle.path().join(&file)).unwrap();
        // TOML and Rust agree on these escapes, apart from `\u{..}`.
        let quoted = serde_json::to_string(&file).unwrap();
        let text = manifest("calc", loader, "FILE").replace("\"FILE\"", &quoted);
        bundle.write("manifest.toml", text);
        bundle.write(&format!("{name}.txt"), "data");
        let what = format!("{name}, {loader}");
        let id = runtime.load_bundle(bundle.path()).unwrap_or_else(|error| panic!("{what}: {error}"));
        calculators::check(&runtime.proxy::<dyn Calculator>().unwrap(), &what);
        runtime.unload_bundle(id).unwrap();

        // Signatures list the file under its name.
        let key = SecretKey::from_bytes([7; 32]);
        sign_bundle(bundle.path(), &key).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(verify_bundle(bundle.path(), &[key.public_key()]).unwrap(), key.public_key(), "{what}");
        let trusting = calculators::builder().signatures(SignaturePolicy::Require).trust(key.public_key());
        let trusting = trusting.build().unwrap();
        trusting.load_bundle(bundle.path()).unwrap_or_else(|error| panic!("{what}: {error}"));
        calculators::check(&trusting.proxy::<dyn Calculator>().unwrap(), &what);

        // A pack takes each name that Windows takes as well.
        let pack = Bundle::empty();
        let file = pack.path().join("calc.polyplug");
        match polyplug::pack::write(bundle.path(), &file) {
            Ok(()) => {
                let id = runtime.load_bundle(&file).unwrap_or_else(|error| panic!("{what}: {error}"));
                calculators::check(&runtime.proxy::<dyn Calculator>().unwrap(), &what);
                runtime.unload_bundle(id).unwrap();
            }
            Err(error) => {
                let is_foreign = name.contains(['\n', '\t', '"', '*', '<', '?', '|']);
                assert!(is_foreign && error.to_string().contains("no name has on Windows"), "{what}: {error}");
            }
        }
    }
}

/// Both forms of a letter are different files here, and stay different in a signature and in a pack.
#[test]
fn two_forms_of_one_name() {
    let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}");
    let folder = Bundle::empty();
    for name in [composed, decomposed] {
        fs::rename(calculator(if name == composed { "one" } else { "two" }, "lua").path(), folder.path().join(name))
            .unwrap();
    }
    let runtime = calculators::runtime(false);
    let report = runtime.load_dir(folder.path()).into_result().unwrap();
    assert_eq!(report.loaded.len(), 2, "{report}");

    let bundle = calculator("three", "lua");
    bundle.write(composed, "1");
    bundle.write(decomposed, "2");
    let key = SecretKey::from_bytes([7; 32]);
    sign_bundle(bundle.path(), &key).unwrap();
    let (one, two) = (bundle.path().join(composed), bundle.path().join(decomposed));
    let between = bundle.path().join("between");
    for (from, to) in [(&one, &between), (&two, &one), (&between, &two)] {
        fs::rename(from, to).unwrap();
    }
    let error = verify_bundle(bundle.path(), &[key.public_key()]).unwrap_err().to_string();
    assert!(error.contains("after the bundle was signed"), "{error}");
}

#[test]
fn a_watcher_follows_folders_of_any_name() {
    let folder = Bundle::empty();
    let (send, events) = std::sync::mpsc::channel();
    let runtime = calculators::runtime(true);
    runtime.on_event(move |event| drop(send.send(event.clone()))).detach();
    let watcher = runtime.watch_dir_with(folder.path(), impatient()).unwrap();
    let next = |wanted: &str, name: &str| loop {
        let event = events.recv_timeout(Duration::from_secs(60));
        let event = event.unwrap_or_else(|_| panic!("{name:?} is not {wanted}"));
        let kind = match &event.kind {
            EventKind::Loaded => "loaded",
            EventKind::Unloaded(_) => "unloaded",
            EventKind::Failed(error) => panic!("{error}"),
            _ => continue,
        };
        assert_eq!(kind, wanted, "{event}");
        return event.bundle.name.to_string();
    };
    // What starts with a dot or ends like a copy of an editor's is no bundle.
    for (number, name) in NAMES.iter().enumerate() {
        let bundle = calculator(&format!("b{number}"), "lua");
        let place = folder.path().join(name);
        fs::rename(bundle.path(), &place).unwrap();
        assert_eq!(next("loaded", name), format!("b{number}"), "{name}");
        fs::remove_dir_all(place).unwrap();
        assert_eq!(next("unloaded", name), format!("b{number}"), "{name}");
    }
    drop(watcher);
}

/// Returns a folder below `root` whose path has `length` bytes, made of names as long as may be.
fn deep(root: PathBuf, length: usize) -> PathBuf {
    let mut path = root;
    while path.as_os_str().len() < length {
        let left = length - path.as_os_str().len() - 1;
        // A path never ends with one byte to go, which would be a separator alone.
        let part = if left > NAME_MAX && left < NAME_MAX + 2 { NAME_MAX - 2 } else { left.min(NAME_MAX) };
        path = path.join("d".repeat(part));
    }
    assert_eq!(path.as_os_str().len(), length);
    path
}

#[test]
fn paths_as_long_as_may_be() {
    // The longest name of a file in these bundles, with its separator.
    let longest = "/manifest.toml".len();
    let root = Bundle::empty();
    let root = root.path().canonicalize().unwrap();
    for loader in LOADERS {
        for spare in [0, 1, 200] {
            let bundle = deep(root.clone(), PATH_MAX - 1 - longest - spare);
            fs::create_dir_all(bundle.parent().unwrap()).unwrap();
            fs::rename(calculator("calc", loader).path(), &bundle).unwrap();
            for hot_reload in [false, true] {
                let what = format!("{loader}, {spare} bytes less than may be, {hot_reload}");
                let runtime = calculators::runtime(hot_reload);
                runtime.load_bundle(&bundle).unwrap_or_else(|error| panic!("{what}: {error}"));
                calculators::check(&runtime.proxy::<dyn Calculator>().unwrap(), &what);
            }
            fs::remove_dir_all(&bundle).unwrap();
        }
    }
    // No file can be called so; the error says so, and cuts nothing that names it.
    let bundle = root.join("x".repeat(PATH_MAX));
    let error = calculators::runtime(true).load_bundle(&bundle).unwrap_err().to_string();
    assert!(error.contains("File name too long") && error.contains(&"x".repeat(PATH_MAX)), "{error}");
    let bundle = root.join("x/".repeat(PATH_MAX));
    calculators::runtime(true).load_bundle(bundle).unwrap_err();
}

#[test]
fn names_as_long_as_may_be() {
    for loader in LOADERS {
        let name = "n".repeat(128);
        let bundle = calculator(&name, loader);
        let from = match *loader {
            "native" => format!("plugin{}", std::env::consts::DLL_SUFFIX),
            script => main_file(script).to_owned(),
        };
        let extension = from.rsplit('.').next().unwrap();
        let file = format!("{}.{extension}", "f".repeat(NAME_MAX - 1 - extension.len()));
        fs::rename(bundle.path().join(from), bundle.path().join(&file)).unwrap();
        bundle.write("manifest.toml", manifest(&name, loader, &file));
        for hot_reload in [false, true] {
            let data = Bundle::empty();
            let runtime = calculators::builder().hot_reload(hot_reload).data_directory(data.path()).build().unwrap();
            let id = runtime.load_bundle(bundle.path()).unwrap_or_else(|error| panic!("{loader}: {error}"));
            calculators::check(&runtime.proxy::<dyn Calculator>().unwrap(), loader);
            assert_eq!(runtime.bundle_name(id).as_deref(), Some(&*name));
        }
        bundle.write("manifest.toml", manifest(&"n".repeat(129), loader, &file));
        let error = calculators::runtime(false).load_bundle(bundle.path()).unwrap_err().to_string();
        assert!(error.contains("129 letters: use 1 to 128"), "{error}");
        bundle.write("manifest.toml", manifest("calc", loader, &"f".repeat(NAME_MAX + 1)));
        let error = calculators::runtime(false).load_bundle(bundle.path()).unwrap_err().to_string();
        assert!(error.contains(&"f".repeat(NAME_MAX + 1)), "{error}");
    }
}
