//! Folders that a loader uses where they lie: they are not copied, not watched, and no way around signatures.

use std::fs;
use std::sync::Arc;

use polyplug::error::{ManifestError, RuntimeError};
use polyplug::loader::BundleSource;
use polyplug::runtime::RuntimeBuilder;
use polyplug::signature::{SecretKey, SignatureError, SignaturePolicy, sign_bundle};
use polyplug::watch::WatchOptions;
use polyplug::{Runtime, Value};
use polyplug_tests::shared_dirs::SharedDirsLoader;
use polyplug_tests::watching::{DEBOUNCE, patient, watched_runtime_with};
use polyplug_tests::{Bundle, logged, manifest};

const ENV: &str = "[toy]\nfolders = [\"env\"]\n";

fn key() -> SecretKey {
    SecretKey::from_bytes([1; 32])
}

/// A bundle with the folder `env`, in which a file and a link are that no private copy could have.
fn bundle() -> Bundle {
    let bundle = SharedDirsLoader::bundle("toy", ENV);
    fs::create_dir(bundle.path().join("env")).unwrap();
    bundle.write("env/word", "some");
    #[cfg(unix)]
    std::os::unix::fs::symlink("/", bundle.path().join("env/out")).unwrap();
    bundle
}

fn build(loader: &SharedDirsLoader, builder: RuntimeBuilder) -> Arc<Runtime> {
    builder.loader(loader.clone()).build().unwrap()
}

fn signing(policy: SignaturePolicy) -> RuntimeBuilder {
    Runtime::builder().signatures(policy).trust(key().public_key())
}

fn works(runtime: &Runtime) {
    assert_eq!(runtime.call("test.counter@1", "add", &[Value::from(2_u64)]), Ok(Value::from(2_u64)));
}

/// Which key of the manifest in the bundle's folder makes no sense, and why.
#[track_caller]
fn invalid(error: RuntimeError, bundle: &Bundle) -> (&'static str, String) {
    match error {
        RuntimeError::Manifest(ManifestError::Invalid { path, key, message }) => {
            assert_eq!(path, bundle.path().join("manifest.toml"));
            (key, message)
        }
        other => panic!("a manifest that makes no sense, not {other:?}"),
    }
}

#[test]
fn a_private_copy_lacks_them_and_the_loader_finds_them() {
    let (loader, bundle) = (SharedDirsLoader::of("toy"), bundle());
    bundle.write("beside", "");
    let runtime = build(&loader, Runtime::builder().hot_reload(true));
    let check = |word: &str| {
        let (manifest, words) = (loader.last().manifest, loader.last().words);
        assert_eq!(manifest.origin, bundle.path());
        assert_eq!(words, [word]);
        assert_ne!(manifest.path, bundle.path());
        assert!(manifest.path.join("beside").exists());
        assert!(!manifest.path.join("env").exists());
    };
    runtime.load_bundle(bundle.path()).unwrap();
    check("some");
    bundle.write("env/word", "other");
    runtime.reload_bundle(bundle.path()).unwrap();
    check("other");
    works(&runtime);
}

#[test]
fn what_runs_from_its_own_folder_has_them_there() {
    let (loader, bundle) = (SharedDirsLoader::of("toy"), bundle());
    let runtime = build(&loader, Runtime::builder());
    let id = runtime.load_bundle(bundle.path()).unwrap();
    let started = loader.last();
    assert_eq!(started.words, ["some"]);
    assert_eq!((&*started.manifest.path, &*started.manifest.origin), (bundle.path(), bundle.path()));
    runtime.unload_bundle(id).unwrap();

    // What the host says of a bundle, counts as what the bundle says of itself.
    bundle.write("manifest.toml", "");
    let text = manifest("toy", "toy", "main.toy") + ENV;
    let id = runtime.load_bundle_from(&text, BundleSource::Path(bundle.path().to_owned())).unwrap();
    assert_eq!((loader.last().words, &*loader.last().manifest.origin), (vec!["some".to_owned()], bundle.path()));
    runtime.unload_bundle(id).unwrap();

    runtime.load_bundle_from(&text, BundleSource::Code("toy".to_owned())).unwrap();
    assert_eq!(loader.last().manifest.origin, loader.last().manifest.path, "in memory there is nothing else");
}

#[test]
fn a_version_may_leave_others_in_place() {
    let (loader, bundle) = (SharedDirsLoader::of("toy"), bundle());
    let runtime = build(&loader, Runtime::builder().hot_reload(true));
    runtime.load_bundle(bundle.path()).unwrap();
    #[cfg(unix)]
    fs::remove_file(bundle.path().join("env/out")).unwrap();
    fs::create_dir(bundle.path().join("other")).unwrap();
    bundle.write("other/word", "new");
    bundle.write("manifest.toml", manifest("toy", "toy", "main.toy") + "[toy]\nfolders = [\"other\", \"absent\"]\n");
    runtime.reload_bundle(bundle.path()).unwrap();
    let started = loader.last();
    assert_eq!(started.words, ["new"]);
    assert!(started.manifest.path.join("env/word").exists(), "is like any folder now");
    assert!(!started.manifest.path.join("other").exists());
}

#[test]
fn changes_in_shared_folders_are_ignored() {
    let (loader, bundle) = (SharedDirsLoader::of("toy"), bundle());
    let (runtime, events) = watched_runtime_with(loader.clone(), Box::new(|_| ()));
    runtime.load_bundle(bundle.path()).unwrap();
    let watcher = runtime.watch_with(patient()).unwrap();
    events.none_at_first();
    bundle.write("env/word", "other");
    fs::create_dir(bundle.path().join("env/lib")).unwrap();
    bundle.write("env/lib/package", "");
    events.none();
    bundle.write("beside", "");
    events.reloaded("toy");
    assert_eq!(loader.last().words, ["other"]);
    fs::remove_dir_all(bundle.path().join("env")).unwrap();
    events.none();
    watcher.stop();
}

#[test]
fn a_watcher_reports_a_manifest_that_the_loader_refuses() {
    let (loader, bundle) = (SharedDirsLoader::of("toy"), bundle());
    let say = |more: &str| {
        // All at once, for the watcher has no patience.
        bundle.write(".part", manifest("toy", "toy", "main.toy") + more);
        fs::rename(bundle.path().join(".part"), bundle.path().join("manifest.toml")).unwrap();
    };
    let (runtime, events) = watched_runtime_with(loader.clone(), Box::new(|_| ()));
    runtime.load_bundle(bundle.path()).unwrap();
    let watcher = runtime.watch_with(WatchOptions::default().debounce(DEBOUNCE).patience(DEBOUNCE)).unwrap();
    events.none_at_first();
    for (more, reason) in [
        ("[toy]\nfolder = 1\n", "manifest.toml: `toy`: unknown key `folder`, expected `folders`"),
        ("[toy]\nfolders = [\"../env\"]\n", "manifest.toml: `toy`: \"../env\" leads out of the bundle"),
        ("[toy\n", "manifest.toml:5:5: "),
    ] {
        say(more);
        let told = events.failed("toy");
        assert!(told.contains(reason), "{told}");
        bundle.write("env/word", reason);
        events.none(); // whatever is wrong with the manifest
    }
    say(ENV);
    events.reloaded("toy");
    works(&runtime);
    watcher.stop();
}

#[test]
fn what_is_no_folder_of_the_bundle_is_refused() {
    for hot_reload in [false, true] {
        for (folder, reason) in [
            ("..", "\"..\" leads out of the bundle"),
            ("/usr", "\"/usr\" leads out of the bundle"),
            (".", "\".\" is the bundle's folder itself"),
            ("main.toy", "\"main.toy\" is no folder"),
        ] {
            let loader = SharedDirsLoader::of("toy");
            let bundle = SharedDirsLoader::bundle("toy", &format!("[toy]\nfolders = [\"{folder}\"]\n"));
            let runtime = build(&loader, Runtime::builder().hot_reload(hot_reload));
            let (key, message) = invalid(runtime.load_bundle(bundle.path()).unwrap_err(), &bundle);
            assert_eq!(key, "toy");
            assert!(message.starts_with(reason), "{message}");
            assert!(loader.started().is_empty());
        }
    }
}

#[test]
fn the_artifact_cannot_lie_in_one() {
    for hot_reload in [false, true] {
        let (loader, bundle) = (SharedDirsLoader::of("toy"), bundle());
        bundle.write("env/main.toy", "toy");
        bundle.write("manifest.toml", manifest("toy", "toy", "env/main.toy") + ENV);
        let runtime = build(&loader, Runtime::builder().hot_reload(hot_reload));
        let (key, message) = invalid(runtime.load_bundle(bundle.path()).unwrap_err(), &bundle);
        assert_eq!(key, "file");
        assert_eq!(
            message,
            "\"env/main.toy\" lies in \"env\", which the loader `toy` uses where it lies, and nothing is loaded from \
             there: put it elsewhere in the bundle's folder"
        );
        assert!(loader.started().is_empty());
    }
}

#[test]
fn no_signature_covers_them() {
    let (loader, bundle) = (SharedDirsLoader::of("toy"), bundle());
    fs::rename(bundle.path().join("env"), bundle.path().with_extension("env")).unwrap();
    sign_bundle(bundle.path(), &key()).unwrap();
    let runtime = build(&loader, signing(SignaturePolicy::Require).hot_reload(true));
    let id = runtime.load_bundle(bundle.path()).unwrap();
    works(&runtime);

    fs::rename(bundle.path().with_extension("env"), bundle.path().join("env")).unwrap();
    let refuse = |outcome: Result<(), RuntimeError>| {
        let error = outcome.unwrap_err();
        let text = error.to_string();
        let RuntimeError::Signature { bundle: name, path, source: SignatureError::SharedDir { folder } } = error else {
            panic!("a folder that no signature covers, not {text}")
        };
        assert_eq!((&*name, &*path, folder.to_str()), ("toy", bundle.path(), Some("env")));
        for part in ["a signature does not cover what is in it", "let the host give the loader that folder itself"] {
            assert!(text.contains(part), "{part} is in: {text}");
        }
    };
    refuse(runtime.reload_bundle(bundle.path()).map(drop));
    works(&runtime);
    runtime.unload_bundle(id).unwrap();
    refuse(runtime.load_bundle(bundle.path()).map(drop));
    let text = manifest("toy", "toy", "main.toy") + ENV;
    refuse(runtime.load_bundle_from(&text, BundleSource::Path(bundle.path().to_owned())).map(drop));
    assert_eq!(loader.started().len(), 1);
}

#[test]
fn what_comes_there_after_the_look_is_not_reached() {
    let loader = SharedDirsLoader::of("toy");
    let bundle = SharedDirsLoader::bundle("toy", ENV);
    sign_bundle(bundle.path(), &key()).unwrap();
    let runtime = build(&loader, signing(SignaturePolicy::Require).hot_reload(true));
    runtime.load_bundle(bundle.path()).unwrap();
    runtime.reload_bundle(bundle.path()).unwrap();
    for started in loader.started() {
        assert_ne!(started.manifest.path, bundle.path());
        assert_eq!(started.manifest.origin, started.manifest.path, "nothing else was checked");
    }
}

#[test]
fn where_signatures_are_only_looked_at_there_is_a_warning() {
    let (loader, bundle) = (SharedDirsLoader::of("toy"), bundle());
    let runtime = build(&loader, signing(SignaturePolicy::Warn));
    let (outcome, lines) = logged(|| runtime.load_bundle(bundle.path()));
    outcome.unwrap();
    assert_eq!(loader.last().words, ["some"]);
    assert_eq!(loader.last().manifest.origin, bundle.path());
    assert!(lines.iter().any(|line| line.message.contains("the bundle's folder \"env\" where it lies")), "{lines:?}");
}
