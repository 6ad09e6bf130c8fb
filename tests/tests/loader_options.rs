//! What a manifest says to its bundle's loader: it gets there, and nothing is started with settings that the loader
//! refuses.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use polyplug::error::{LoaderError, ManifestError, RuntimeError};
use polyplug::loader::{BundleLoader, BundleSource, ManifestData};
use polyplug::signature::SignaturePolicy;
use polyplug::{Runtime, Value};
use polyplug_abi::SupportedLanguage;
use polyplug_tests::engine::ToyLoader;
use polyplug_tests::shared_dirs::SharedDirsLoader;
use polyplug_tests::{Bundle, copies, manifest};

/// Settings that the loader of these tests accepts.
const GOOD: &str = "[toy]\nfolders = [\"env\"]\n";
/// Settings that it refuses.
const BAD: &str = "[toy]\nfolder = \"env\"\n";

fn start() -> (SharedDirsLoader, Arc<Runtime>) {
    let loader = SharedDirsLoader::of("toy");
    let runtime = Runtime::builder().loader(loader.clone()).hot_reload(true).build().unwrap();
    (loader, runtime)
}

fn text(more: &str) -> String {
    manifest("toy", "toy", "main.toy") + more
}

/// What is wrong with the loader's settings, in the manifest in `directory`.
#[track_caller]
fn refused(error: RuntimeError, directory: &str) -> String {
    match error {
        RuntimeError::Manifest(ManifestError::Invalid { path, key: "toy", message }) => {
            assert_eq!(path, Path::new(directory).join("manifest.toml"));
            message
        }
        other => panic!("settings that are refused, not {other:?}"),
    }
}

#[test]
fn a_loader_gets_its_settings() {
    let (loader, runtime) = start();
    let bundle = SharedDirsLoader::bundle("toy", GOOD);
    let check = |more: &str| {
        let expected: toml::Table = toml::from_str(more).unwrap();
        let options = loader.last().manifest.options;
        assert_eq!(
            toml::Value::Table(options),
            expected.get("toy").cloned().unwrap_or_else(|| toml::Table::new().into())
        );
    };
    let id = runtime.load_bundle(bundle.path()).unwrap();
    check(GOOD);
    let other = "[toy]\nfolders = [\"other\"]\n";
    bundle.write("manifest.toml", text(other));
    runtime.reload_bundle(bundle.path()).unwrap();
    check(other);
    bundle.write("manifest.toml", text(""));
    runtime.reload_bundle(bundle.path()).unwrap();
    check("");
    runtime.unload_bundle(id).unwrap();

    for source in [BundleSource::Path(bundle.path().to_owned()), BundleSource::Code("toy".to_owned())] {
        let id = runtime.load_bundle_from(&text(GOOD), source).unwrap();
        check(GOOD);
        runtime.unload_bundle(id).unwrap();
    }
}

#[test]
fn settings_that_a_loader_refuses_start_nothing() {
    let (loader, runtime) = start();
    let bundle = SharedDirsLoader::bundle("toy", BAD);
    let directory = bundle.path().display().to_string();
    let errors = [
        (runtime.load_bundle(bundle.path()), &*directory),
        (runtime.load_bundle_from(&text(BAD), BundleSource::Path(bundle.path().to_owned())), &directory),
        (runtime.load_bundle_from(&text(BAD), BundleSource::Code("toy".to_owned())), "<memory>"),
    ];
    for (outcome, directory) in errors {
        let message = refused(outcome.unwrap_err(), directory);
        assert_eq!(message, "unknown key `folder`, expected `folders`");
    }
    assert!(loader.started().is_empty());
    bundle.write("manifest.toml", text(GOOD));
    runtime.load_bundle(bundle.path()).unwrap();
}

#[test]
fn a_version_whose_settings_are_refused_does_not_replace_one() {
    let (loader, runtime) = start();
    let bundle = SharedDirsLoader::bundle("toy", GOOD);
    runtime.load_bundle(bundle.path()).unwrap();
    bundle.write("manifest.toml", text(BAD));
    let error = runtime.reload_bundle(bundle.path()).unwrap_err();
    refused(error, &bundle.path().display().to_string());
    assert_eq!(loader.started().len(), 1);
    assert_eq!(runtime.call("test.counter@1", "add", &[Value::from(2_u64)]), Ok(Value::from(2_u64)));
}

#[test]
fn settings_of_bundles_in_a_directory_are_checked_before_their_code_is_started() {
    let (loader, runtime) = start();
    let plugins = Bundle::empty();
    let needs = "[[dependency]]\ncontract = \"test.nobody@1\"\n";
    std::fs::create_dir(plugins.path().join("toy")).unwrap();
    plugins.write("toy/manifest.toml", text(&format!("{needs}{BAD}")));
    plugins.write("toy/main.toy", "toy");
    let RuntimeError::Directory { failures, .. } = runtime.load_dir(plugins.path()).into_result().unwrap_err() else {
        panic!("the bundle cannot be loaded")
    };
    let directory = plugins.path().join("toy").display().to_string();
    let [settings, dependency] = <[_; 2]>::try_from(failures).unwrap();
    assert_eq!(refused(settings, &directory), "unknown key `folder`, expected `folders`");
    assert!(matches!(dependency, RuntimeError::DependencyMissing { .. }), "{dependency}");
    assert!(loader.started().is_empty());
}

#[test]
fn a_loader_has_no_settings_unless_it_says_so() {
    let loader = ToyLoader::new();
    let runtime = loader.runtime();
    let bundle = ToyLoader::bundle("toy", GOOD);
    let error = runtime.load_bundle(bundle.path()).unwrap_err();
    let message = refused(error, &bundle.path().display().to_string());
    assert_eq!(message, "the loader `toy` has no settings: remove the table `[toy]`");
    loader.load(&runtime, "toy", "[toy]\n", |_| Err("is started".into())).unwrap_err();

    let native = Bundle::native("calc", "plugin-calc");
    native.write("manifest.toml", manifest("calc", "native", "plugin") + "[native]\nlazy = true\n");
    let error = polyplug_tests::runtime().load_bundle(native.path()).unwrap_err().to_string();
    assert!(
        error.ends_with("manifest.toml: `native`: the loader `native` has no settings: remove the table `[native]`")
    );
}

/// Panics when it is asked something.
struct Panicking {
    over_options: bool,
}

impl BundleLoader for Panicking {
    fn loader_name(&self) -> &'static str {
        "toy"
    }

    fn loader_language(&self) -> SupportedLanguage {
        SupportedLanguage::Rust
    }

    fn supports_hot_reload(&self) -> bool {
        true
    }

    fn check_options(&self, _: &toml::Table) -> Result<(), String> {
        assert!(!self.over_options, "what is that?");
        Ok(())
    }

    fn shared_dirs(&self, _: &ManifestData) -> Vec<PathBuf> {
        panic!("where is that?")
    }

    fn load(&self, _: &ManifestData, _: &BundleSource, _: &Runtime) -> Result<(), LoaderError> {
        unreachable!("it panicked before")
    }

    fn reload(&self, _: &ManifestData, _: &Runtime) -> Result<(), LoaderError> {
        unreachable!("nothing is loaded")
    }
}

#[test]
fn the_message_of_a_loader_that_panics_over_a_manifest_is_reported() {
    for (over_options, message) in [(true, "what is that?"), (false, "where is that?")] {
        let runtime = Runtime::builder().loader(Panicking { over_options }).build().unwrap();
        let bundle = SharedDirsLoader::bundle("toy", GOOD);
        for _ in 0..2 {
            let error = runtime.load_bundle(bundle.path()).unwrap_err();
            assert!(matches!(error, RuntimeError::Loader(LoaderError::InitFailed { .. })), "{error:?}");
            assert!(error.to_string().contains(&format!("the loader panicked: {message}")), "{error}");
        }
    }
}

/// Has somebody write to the bundle's folder when it is asked for the first time whether settings make sense.
struct Attacked {
    inner: SharedDirsLoader,
    attack: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl BundleLoader for Attacked {
    fn loader_name(&self) -> &'static str {
        self.inner.loader_name()
    }

    fn loader_language(&self) -> SupportedLanguage {
        self.inner.loader_language()
    }

    fn supports_hot_reload(&self) -> bool {
        true
    }

    fn check_options(&self, options: &toml::Table) -> Result<(), String> {
        let attack = self.attack.lock().unwrap().take();
        attack.into_iter().for_each(|attack| attack());
        self.inner.check_options(options)
    }

    fn shared_dirs(&self, manifest: &ManifestData) -> Vec<PathBuf> {
        self.inner.shared_dirs(manifest)
    }

    fn load(&self, manifest: &ManifestData, source: &BundleSource, runtime: &Runtime) -> Result<(), LoaderError> {
        self.inner.load(manifest, source, runtime)
    }

    fn reload(&self, manifest: &ManifestData, runtime: &Runtime) -> Result<(), LoaderError> {
        self.inner.reload(manifest, runtime)
    }
}

/// Where signatures count, the manifest in the private copy is the one that counts: so it is checked too.
#[test]
fn a_manifest_that_is_exchanged_after_the_check_is_checked_again() {
    for (exchanged, reason) in [
        (BAD, "manifest.toml: `toy`: unknown key `folder`, expected `folders`"),
        ("[toy]\nfolders = [\"other\"]\n", "bundle `toy`: its manifest changed while it was loaded"),
    ] {
        let bundle = SharedDirsLoader::bundle("toy", GOOD);
        let path = bundle.path().join("manifest.toml");
        let attack = move || std::fs::write(path, text(exchanged)).unwrap();
        let inner = SharedDirsLoader::of("toy");
        let loader = Attacked { inner: inner.clone(), attack: Mutex::new(Some(Box::new(attack))) };
        let runtime = Runtime::builder().loader(loader).signatures(SignaturePolicy::Warn).build().unwrap();
        let error = runtime.load_bundle(bundle.path()).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
        assert!(!error.contains(&*copies::all_copies().to_string_lossy()), "shows the private copy: {error}");
        assert!(inner.started().is_empty());
    }
}
