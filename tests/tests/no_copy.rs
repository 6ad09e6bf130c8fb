//! A loader that reads everything while it loads a bundle gets no private copy for hot reload.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use polyplug::error::LoaderError;
use polyplug::loader::{BundleLoader, BundleSource, ManifestData};
use polyplug::signature::SignaturePolicy;
use polyplug::{Runtime, Value};
use polyplug_abi::SupportedLanguage;
use polyplug_tests::copies::own_copies;
use polyplug_tests::engine::ToyLoader;
use polyplug_tests::shared_dirs::SharedDirsLoader;
use polyplug_tests::watching::{patient, watched_runtime_with};

/// A loader of the toy language that says whether it reads files later.
#[derive(Clone)]
struct Loader {
    inner: SharedDirsLoader,
    reads_later: bool,
    /// Whether a file changes while a bundle is loaded.
    disturbed: Arc<AtomicBool>,
    paths: Arc<Mutex<Vec<PathBuf>>>,
}

impl Loader {
    fn new(reads_later: bool) -> Self {
        let (disturbed, paths) = Default::default();
        Self { inner: SharedDirsLoader::of("toy"), reads_later, disturbed, paths }
    }

    fn note(&self, manifest: &ManifestData) {
        self.paths.lock().unwrap().push(manifest.path.clone());
        if self.disturbed.load(Ordering::Relaxed) {
            let data = manifest.origin.join("data");
            std::fs::write(&data, std::fs::read_to_string(&data).unwrap_or_default() + "more").unwrap();
        }
    }

    fn last(&self) -> PathBuf {
        self.paths.lock().unwrap().last().unwrap().clone()
    }
}

impl BundleLoader for Loader {
    fn loader_name(&self) -> &'static str {
        self.inner.loader_name()
    }
    fn loader_language(&self) -> SupportedLanguage {
        self.inner.loader_language()
    }
    fn supports_hot_reload(&self) -> bool {
        true
    }
    fn reads_files_later(&self, _: &ManifestData) -> bool {
        self.reads_later
    }
    fn load(&self, manifest: &ManifestData, source: &BundleSource, runtime: &Runtime) -> Result<(), LoaderError> {
        self.note(manifest);
        self.inner.load(manifest, source, runtime)
    }
    fn reload(&self, manifest: &ManifestData, runtime: &Runtime) -> Result<(), LoaderError> {
        self.note(manifest);
        self.inner.reload(manifest, runtime)
    }
}

fn works(runtime: &Runtime) {
    assert_eq!(runtime.call("test.counter@1", "add", &[Value::from(2_u64)]), Ok(Value::from(2_u64)));
}

#[test]
fn it_is_made_only_for_loaders_that_read_later_or_where_signatures_are_checked() {
    let bundle = ToyLoader::bundle("toy", "");
    for (reads_later, policy, is_copied) in
        [(true, SignaturePolicy::Off, true), (false, SignaturePolicy::Off, false), (false, SignaturePolicy::Warn, true)]
    {
        let loader = Loader::new(reads_later);
        let runtime = Runtime::builder().hot_reload(true).signatures(policy).loader(loader.clone()).build().unwrap();
        runtime.load_bundle(bundle.path()).unwrap();
        for _ in 0..2 {
            assert_eq!(loader.last() != bundle.path(), is_copied, "{}", loader.last().display());
            assert_eq!(own_copies().is_empty(), !is_copied);
            works(&runtime);
            runtime.reload_bundle(bundle.path()).unwrap();
        }
    }
}

#[test]
fn a_file_that_changes_during_the_load_fails_it() {
    let bundle = ToyLoader::bundle("toy", "");
    let loader = Loader::new(false);
    let runtime = Runtime::builder().hot_reload(true).loader(loader.clone()).build().unwrap();
    loader.disturbed.store(true, Ordering::Relaxed);
    let error = runtime.load_bundle(bundle.path()).unwrap_err().to_string();
    for part in ["`toy`", "its files changed meanwhile", "data"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    loader.disturbed.store(false, Ordering::Relaxed);
    runtime.load_bundle(bundle.path()).unwrap();
    works(&runtime);
    loader.disturbed.store(true, Ordering::Relaxed);
    runtime.reload_bundle(bundle.path()).unwrap_err();
    works(&runtime);
}

#[test]
fn a_bundle_without_a_copy_is_watched_all_the_same() {
    let bundle = ToyLoader::bundle("toy", "");
    let loader = Loader::new(false);
    let (runtime, events) = watched_runtime_with(loader.clone(), Box::new(|_| ()));
    runtime.load_bundle(bundle.path()).unwrap();
    let watcher = runtime.watch_with(patient()).unwrap();
    events.none_at_first();
    bundle.write("data", "a new text");
    events.reloaded("toy");
    assert_eq!(loader.last(), bundle.path());
    works(&runtime);
    watcher.stop();
}
