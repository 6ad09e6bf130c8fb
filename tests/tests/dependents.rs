//! A bundle that others declare to need is not taken away from under them.

use std::env::consts::DLL_SUFFIX;
use std::sync::{Arc, Mutex, OnceLock, Weak};

use polyplug::error::{LoaderError, RuntimeError};
use polyplug::loader::{BundleLoader, BundleSource, ManifestData};
use polyplug::{BundleId, Compatibility, Runtime, Version};
use polyplug_abi::{ReloadPhaseType, SupportedLanguage};
use polyplug_native::NativeLoader;
use polyplug_tests::{Bundle, library, manifest, runtime};

fn bundle(name: &str, package: &str, needs: &[&str]) -> Bundle {
    let bundle = Bundle::native(name, package);
    let needs = needs.iter().map(|contract| format!("[[dependency]]\ncontract = {contract:?}\n"));
    bundle.write("manifest.toml", manifest(name, "native", "plugin") + &needs.collect::<String>());
    bundle
}

#[test]
fn unloading_is_refused_while_a_dependent_is_loaded() {
    let runtime = runtime();
    let provider = bundle("provider", "plugin-calc", &[]);
    let dependent = bundle("dependent", "plugin-reload-one", &["demo.calculator@1"]);
    let id = runtime.load_bundle(provider.path()).unwrap();
    let other = runtime.load_bundle(dependent.path()).unwrap();
    let error = runtime.unload_bundle(id).unwrap_err();
    assert!(matches!(&error, RuntimeError::DependencyInUse { dependents, .. } if *dependents == ["dependent"]));
    assert_eq!(
        error.to_string(),
        "bundle `provider` provides demo.calculator, which `dependent` needs and nobody else provides: unload `dependent` first"
    );
    assert_eq!(runtime.bundle_ids(), [id, other], "nothing changed");
    runtime.unload_bundle(other).unwrap();
    runtime.unload_bundle(id).unwrap();
}

#[test]
fn another_provider_is_enough() {
    let runtime = runtime();
    let (first, second) = (bundle("first", "plugin-calc", &[]), bundle("second", "plugin-calc", &[]));
    let dependent = bundle("dependent", "plugin-reload-one", &["demo.calculator@1"]);
    let first = runtime.load_bundle(first.path()).unwrap();
    let second = runtime.load_bundle(second.path()).unwrap();
    runtime.load_bundle(dependent.path()).unwrap();
    runtime.unload_bundle(first).unwrap();
    assert!(matches!(runtime.unload_bundle(second), Err(RuntimeError::DependencyInUse { .. })));
}

#[test]
fn another_provider_has_to_be_new_enough() {
    let runtime = runtime();
    let (new, old) = (bundle("new", "plugin-evolving-new", &[]), bundle("old", "plugin-evolving-old", &[]));
    let dependent = bundle("dependent", "plugin-reload-one", &["test.evolving@1.1"]);
    let new = runtime.load_bundle(new.path()).unwrap();
    let old = runtime.load_bundle(old.path()).unwrap();
    runtime.load_bundle(dependent.path()).unwrap();
    let error = runtime.unload_bundle(new).unwrap_err();
    assert!(matches!(&error, RuntimeError::DependencyInUse { dependents, .. } if *dependents == ["dependent"]));
    runtime.unload_bundle(old).unwrap();
}

fn reloading() -> Arc<Runtime> {
    Runtime::builder().loader(NativeLoader::new()).hot_reload(true).build().unwrap()
}

fn install(bundle: &Bundle, package: &str) {
    std::fs::copy(library(package), bundle.path().join(format!("plugin{DLL_SUFFIX}"))).unwrap();
}

#[test]
fn a_reload_keeps_the_minor_version_that_dependents_need() {
    let runtime = reloading();
    let provider = bundle("provider", "plugin-evolving-new", &[]);
    let content = bundle("content", "plugin-reload-one", &["test.evolving@1.0"]);
    let first = bundle("first", "plugin-reload-one", &["test.evolving@1.1"]);
    let second = bundle("second", "plugin-calc", &["test.evolving@1.2"]);
    runtime.load_bundle(provider.path()).unwrap();
    runtime.load_bundle(content.path()).unwrap();
    let first = runtime.load_bundle(first.path()).unwrap();
    let second = runtime.load_bundle(second.path()).unwrap();

    install(&provider, "plugin-evolving-old");
    let error = runtime.reload_bundle(provider.path()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "bundle `provider`: its new version provides test.evolving@1.0 in place of 1.2, but `first` needs at least 1.1 and \
         `second` needs at least 1.2, and nobody else provides that: reload with a version that does, or unload `first`, \
         `second` first"
    );
    let RuntimeError::DependencyLowered { serving, offered, dependents, .. } = error else { panic!("{error:?}") };
    assert_eq!((serving, offered), (Version::new(1, 2, 0), Version::new(1, 0, 0)));
    assert_eq!(dependents[0].bundle, "first");
    assert!(
        runtime
            .find_guest_contract_in(polyplug::GuestContractId::new("test.evolving", 1).id(), BundleId::new("provider"))
            .is_ok()
    );

    let other = bundle("other", "plugin-evolving-new", &[]);
    let other = runtime.load_bundle(other.path()).unwrap();
    runtime.reload_bundle(provider.path()).unwrap();
    let error = runtime.unload_bundle(other).unwrap_err();
    assert!(matches!(&error, RuntimeError::DependencyInUse { dependents, .. } if *dependents == ["first", "second"]));
    runtime.unload_bundle(first).unwrap();
    runtime.unload_bundle(second).unwrap();
    runtime.unload_bundle(other).unwrap();
    runtime.reload_bundle(provider.path()).unwrap();
}

/// What is done while a bundle of the loader `meddling` starts, and what came of it.
struct Meddling {
    act: fn(&Runtime) -> Result<(), RuntimeError>,
    outcome: Arc<Mutex<Vec<Result<(), RuntimeError>>>>,
}

impl BundleLoader for Meddling {
    fn loader_name(&self) -> &'static str {
        "meddling"
    }

    fn loader_language(&self) -> SupportedLanguage {
        SupportedLanguage::Rust
    }

    fn supports_hot_reload(&self) -> bool {
        true
    }

    fn load(&self, manifest: &ManifestData, source: &BundleSource, runtime: &Runtime) -> Result<(), LoaderError> {
        let outcome = (self.act)(runtime);
        self.outcome.lock().unwrap().push(outcome);
        NativeLoader::new().load(manifest, source, runtime)
    }

    fn reload(&self, manifest: &ManifestData, runtime: &Runtime) -> Result<(), LoaderError> {
        self.load(manifest, &BundleSource::Path(manifest.path.clone()), runtime)
    }
}

fn meddled(bundle: &Bundle) {
    let text = std::fs::read_to_string(bundle.path().join("manifest.toml")).unwrap();
    bundle.write("manifest.toml", text.replace("\"native\"", "\"meddling\""));
}

/// Between the look for its provider and its being loaded, the provider cannot go: whether it is loaded, or reloaded with
/// a new need.
#[test]
fn what_a_bundle_needs_stays_while_it_is_loaded() {
    let act = |runtime: &Runtime| runtime.unload_bundle(BundleId::new("provider")).map(drop);
    let outcome = Arc::new(Mutex::new(Vec::new()));
    let runtime = reloading();
    runtime.register_loader(Box::new(Meddling { act, outcome: Arc::clone(&outcome) })).unwrap();
    let provider = bundle("provider", "plugin-calc", &[]);
    let dependent = bundle("dependent", "plugin-reload-one", &["demo.calculator@1"]);
    meddled(&dependent);
    let library = dependent.path().join(format!("plugin{DLL_SUFFIX}"));
    let whole = std::fs::read(&library).unwrap();
    let refused = || {
        let outcome = outcome.lock().unwrap().pop().unwrap();
        matches!(outcome, Err(RuntimeError::DependencyInUse { dependents, .. }) if dependents == ["dependent"])
    };

    let id = runtime.load_bundle(provider.path()).unwrap();
    dependent.write(&format!("plugin{DLL_SUFFIX}"), "no library");
    runtime.load_bundle(dependent.path()).unwrap_err();
    assert!(refused());
    runtime.unload_bundle(id).expect("nobody needs it any more");

    let id = runtime.load_bundle(provider.path()).unwrap();
    dependent.write(&format!("plugin{DLL_SUFFIX}"), &whole);
    let other = runtime.load_bundle(dependent.path()).unwrap();
    assert!(refused());
    runtime.unload_bundle(other).unwrap();
    runtime.unload_bundle(id).unwrap();

    let needs = std::fs::read_to_string(dependent.path().join("manifest.toml")).unwrap();
    dependent.write("manifest.toml", needs.split("[[").next().unwrap());
    runtime.load_bundle(dependent.path()).unwrap();
    assert!(matches!(outcome.lock().unwrap().pop(), Some(Err(RuntimeError::BundleNotLoaded { .. }))));
    runtime.load_bundle(provider.path()).unwrap();
    dependent.write("manifest.toml", &needs);
    dependent.write(&format!("plugin{DLL_SUFFIX}"), "no library");
    runtime.reload_bundle(dependent.path()).unwrap_err();
    assert!(refused());
    runtime.unload_bundle(id).expect("the version that serves does not need it");
}

/// A runtime that does something, once, when it tells that the bundle `provider` is unloaded.
fn unloading(act: impl Fn(&Runtime) + Send + Sync + 'static) -> Arc<Runtime> {
    let own: Arc<OnceLock<Weak<Runtime>>> = Arc::default();
    let known = Arc::clone(&own);
    let builder = Runtime::builder().loader(NativeLoader::new()).on_reload(move |_, phase| {
        let is_meant = phase.phase_type == ReloadPhaseType::Unloading && phase.bundle_id == BundleId::new("provider");
        if let (true, Some(runtime)) = (is_meant, known.get().and_then(Weak::upgrade)) {
            act(&runtime);
        }
    });
    let runtime = builder.build().unwrap();
    own.set(Arc::downgrade(&runtime)).unwrap();
    runtime
}

#[test]
fn what_is_about_to_go_serves_no_newcomer() {
    let dependent = bundle("dependent", "plugin-reload-one", &["demo.calculator@1"]);
    let (outcome, path) = (Arc::new(Mutex::new(None)), dependent.path().to_owned());
    let told = Arc::clone(&outcome);
    let runtime = unloading(move |runtime| *told.lock().unwrap() = Some(runtime.load_bundle(&path)));
    let provider = bundle("provider", "plugin-calc", &[]);
    let id = runtime.load_bundle(provider.path()).unwrap();
    runtime.unload_bundle(id).unwrap();
    let outcome = outcome.lock().unwrap().take().unwrap();
    assert!(matches!(outcome, Err(RuntimeError::DependencyMissing { .. })), "{outcome:?}");
    assert_eq!(runtime.bundle_ids(), []);
}

#[test]
fn of_two_providers_that_go_at_the_same_time_one_stays() {
    let outcome = Arc::new(Mutex::new(None));
    let told = Arc::clone(&outcome);
    let runtime = unloading(move |runtime| *told.lock().unwrap() = Some(runtime.unload_bundle(BundleId::new("other"))));
    let load = |name: &str, package: &str, needs: &[&str]| {
        let bundle = bundle(name, package, needs);
        runtime.load_bundle(bundle.path()).unwrap();
        bundle
    };
    let _bundles = [
        load("provider", "plugin-calc", &[]),
        load("other", "plugin-calc", &[]),
        load("dependent", "plugin-reload-one", &["demo.calculator@1"]),
    ];
    runtime.unload_bundle(BundleId::new("provider")).unwrap();
    let outcome = outcome.lock().unwrap().take().unwrap();
    assert!(matches!(outcome, Err(RuntimeError::DependencyInUse { .. })), "{outcome:?}");
}

/// Bundles may need each other where they may be loaded before what they need.
#[test]
fn a_cascade_ends_where_bundles_need_each_other() {
    let builder = Runtime::builder().loader(NativeLoader::new()).compatibility(Compatibility::Relaxed);
    let runtime = builder.build().unwrap();
    let one = bundle("one", "plugin-calc", &["test.stamp@1"]);
    let two = bundle("two", "plugin-reload-one", &["demo.calculator@1"]);
    let ids = [runtime.load_bundle(one.path()).unwrap(), runtime.load_bundle(two.path()).unwrap()];
    assert!(matches!(runtime.unload_bundle(ids[0]), Err(RuntimeError::DependencyInUse { .. })));
    let reports = runtime.unload_bundle_cascade(ids[0]).unwrap();
    assert_eq!(reports.iter().map(|report| report.bundle.as_str()).collect::<Vec<_>>(), ["two", "one"]);
    assert!(runtime.bundle_ids().is_empty());
}

#[test]
fn a_cascade_unloads_dependents_first() {
    let runtime = runtime();
    let provider = bundle("provider", "plugin-calc", &[]);
    let middle = bundle("middle", "plugin-reload-one", &["demo.calculator@1"]);
    let last = bundle("last", "plugin-threads", &["test.stamp@1", "demo.calculator@1"]);
    let id = runtime.load_bundle(provider.path()).unwrap();
    runtime.load_bundle(middle.path()).unwrap();
    runtime.load_bundle(last.path()).unwrap();
    let reports = runtime.unload_bundle_cascade(id).unwrap();
    let order: Vec<_> = reports.iter().map(|report| report.bundle.as_str()).collect();
    assert_eq!(order, ["last", "middle", "provider"]);
    assert!(reports.iter().all(|report| report.reclaimed), "the cascade holds none of them: {reports:?}");
    assert_eq!(runtime.quiesce(std::time::Duration::from_secs(20)), [], "{reports:?}");
    assert!(runtime.bundle_ids().is_empty());
}

#[test]
fn a_runtime_that_ends_ignores_dependents() {
    let runtime = Runtime::builder().loader(NativeLoader::new()).compatibility(Compatibility::Relaxed).build().unwrap();
    let provider = bundle("provider", "plugin-calc", &[]);
    let dependent = bundle("dependent", "plugin-reload-one", &["demo.calculator@1"]);
    runtime.load_bundle(dependent.path()).unwrap();
    runtime.load_bundle(provider.path()).unwrap();
    let path = provider.path().to_owned();
    drop(runtime);
    if cfg!(target_os = "linux") {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        assert!(!maps.contains(&*path.to_string_lossy()));
    }
}
