//! A directory of bundles is loaded in the order in which they need each other, and what cannot be loaded is explained.

use std::env::consts::DLL_SUFFIX;
use std::path::PathBuf;
use std::sync::Arc;

use polyplug::error::{LoaderError, ManifestError, RuntimeError};
use polyplug::{BundleId, Compatibility, Runtime};
use polyplug_native::NativeLoader;
use polyplug_tests::{Bundle, library, logged, manifest, mapped_below, runtime};
use test_contracts::calling::Caller;

/// A folder of bundles.
struct Plugins(Bundle);

impl Plugins {
    fn new() -> Self {
        Self(Bundle::empty())
    }

    /// Adds a bundle in a folder of its name. What it needs is on the second of two lines each, from line 5 on.
    fn add(&self, name: &str, package: &str, needs: &[&str]) -> &Self {
        self.add_in(name, name, package, needs)
    }

    fn add_in(&self, folder: &str, name: &str, package: &str, needs: &[&str]) -> &Self {
        let needs = needs.iter().map(|contract| format!("[[dependency]]\ncontract = {contract:?}\n"));
        let manifest = manifest(name, "native", "plugin") + &needs.collect::<String>();
        let folder = self.folder(folder);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("manifest.toml"), manifest).unwrap();
        std::fs::copy(library(package), folder.join(format!("plugin{DLL_SUFFIX}"))).unwrap();
        self
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str) -> String {
        self.folder(name).join("manifest.toml").display().to_string()
    }

    /// The names of what is loaded, in order.
    #[track_caller]
    fn load(&self, runtime: &Runtime) -> Vec<String> {
        let loaded = runtime.load_dir(self.0.path()).unwrap();
        assert_eq!(loaded, runtime.bundle_ids());
        names(runtime, &loaded)
    }

    /// The names of what is loaded, and what is said about the rest.
    #[track_caller]
    fn fail(&self, runtime: &Runtime) -> (Vec<String>, Vec<RuntimeError>, String) {
        let error = runtime.load_dir(self.0.path()).unwrap_err();
        let text = error.to_string();
        let RuntimeError::Directory { directory, loaded, failures } = error else { panic!("{text}") };
        assert_eq!(directory, self.0.path());
        assert_eq!(loaded, runtime.bundle_ids(), "what was loaded stays so");
        let head = format!("{}: not all bundles could be loaded:", directory.display());
        let (first, rest) = text.split_once('\n').unwrap();
        assert_eq!(first, head);
        (names(runtime, &loaded), failures, rest.to_owned())
    }
}

fn names(runtime: &Runtime, ids: &[BundleId]) -> Vec<String> {
    ids.iter().map(|id| runtime.bundle_name(*id).unwrap()).collect()
}

#[test]
fn an_empty_directory_is_fine() {
    let plugins = Plugins::new();
    assert!(plugins.load(&runtime()).is_empty());
    std::fs::create_dir(plugins.folder("no-bundle")).unwrap();
    std::fs::write(plugins.folder("file"), "").unwrap();
    assert!(plugins.load(&runtime()).is_empty(), "what has no manifest is no bundle");
}

#[test]
fn bundles_without_needs_are_loaded_by_name() {
    let plugins = Plugins::new();
    plugins.add_in("1", "c", "plugin-calc", &[]).add_in("2", "a", "plugin-calc", &[]);
    plugins.add_in("3", "b", "plugin-reload-one", &[]);
    assert_eq!(plugins.load(&runtime()), ["a", "b", "c"]);
}

/// Every order of names gives the same order of needs.
#[test]
fn providers_come_first_whatever_their_names_are() {
    for [calc, stamp, caller] in
        [["a", "b", "c"], ["a", "c", "b"], ["b", "a", "c"], ["b", "c", "a"], ["c", "a", "b"], ["c", "b", "a"]]
    {
        let plugins = Plugins::new();
        plugins.add(calc, "plugin-calc", &[]).add(stamp, "plugin-reload-one", &["demo.calculator@1.2"]);
        plugins.add(caller, "plugin-caller", &["test.stamp@1", "demo.calculator@1"]);
        let runtime = runtime();
        assert_eq!(plugins.load(&runtime), [calc, stamp, caller]);
        assert_eq!(runtime.proxy::<dyn Caller>().unwrap().add(1, 2), Ok(Ok(3)));
    }
}

#[test]
fn what_is_loaded_already_counts() {
    let plugins = Plugins::new();
    plugins.add("caller", "plugin-caller", &["demo.calculator@1"]);
    let runtime = runtime();
    let calc = Bundle::native("calc", "plugin-calc");
    runtime.load_bundle(calc.path()).unwrap();
    assert_eq!(names(&runtime, &runtime.load_dir(plugins.0.path()).unwrap()), ["caller"]);
    let (_, failures, _) = {
        let error = runtime.load_dir(plugins.0.path()).unwrap_err();
        let RuntimeError::Directory { loaded, failures, .. } = error else { panic!("{error}") };
        (loaded.is_empty(), failures, ())
    };
    assert!(matches!(&failures[..], [RuntimeError::AlreadyLoaded { bundle }] if bundle == "caller"), "{failures:?}");
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let error = runtime().load_dir("/no/such/folder").unwrap_err();
    assert!(matches!(error, RuntimeError::DirectoryUnreadable { .. }), "{error:?}");
    assert!(error.to_string().starts_with("/no/such/folder: cannot be read: "), "{error}");
}

#[test]
fn a_missing_contract_is_named_with_who_needs_it() {
    let plugins = Plugins::new();
    plugins.add("a", "plugin-caller", &["demo.calculator@1", "test.moody@1.1"]).add("calc", "plugin-calc", &[]);
    let (loaded, failures, text) = plugins.fail(&runtime());
    assert_eq!(loaded, ["calc"]);
    assert!(matches!(failures[..], [RuntimeError::DependencyMissing { .. }]), "{failures:?}");
    assert_eq!(
        text,
        format!(
            "  {}:8: bundle `a` needs test.moody@1.1, which no other loaded bundle provides: load one that does before it",
            plugins.file("a")
        )
    );
}

#[test]
fn a_conflict_of_versions_names_both() {
    let plugins = Plugins::new();
    plugins.add("a", "plugin-caller", &["demo.calculator@1.3"]).add("x", "plugin-calc", &[]);
    // The other one is not loaded itself, and is mentioned all the same.
    plugins.add("y", "plugin-calc", &["test.moody@1"]);
    let (loaded, _, text) = plugins.fail(&runtime());
    assert_eq!(loaded, ["x"]);
    assert_eq!(
        text,
        format!(
            "  {}:6: bundle `a` needs demo.calculator@1.3, which no other loaded bundle provides (there is 1.2 in bundle `x`, \
             1.2 in bundle `y`): load one that does before it\n  \
             {}:6: bundle `y` needs test.moody@1.0, which no other loaded bundle provides: load one that does before it",
            plugins.file("a"),
            plugins.file("y"),
        )
    );
}

#[test]
fn a_cycle_is_reported_as_the_cycle() {
    let plugins = Plugins::new();
    plugins.add("a", "plugin-calc", &["test.stamp@1"]).add("b", "plugin-reload-one", &["test.caller@1"]);
    plugins.add("c", "plugin-caller", &["demo.calculator@1.1"]);
    // Not in the cycle, but in need of it; and one that is no part of all this.
    plugins.add("d", "plugin-moody", &["demo.calculator@1"]).add("e", "plugin-greeter-one", &[]);
    let runtime = runtime();
    let (loaded, failures, text) = plugins.fail(&runtime);
    assert_eq!(loaded, ["e"]);
    let [RuntimeError::DependencyCycle { steps }, RuntimeError::DependencyNotLoaded { .. }] = &failures[..] else {
        panic!("{failures:?}")
    };
    assert_eq!(steps.iter().map(|step| &*step.provider).collect::<Vec<_>>(), ["b", "c", "a"]);
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| plugins.file(name));
    assert_eq!(
        text,
        format!(
            "  bundles need each other in a circle, a -> b -> c -> a:\n    \
             {a}:6: bundle `a` needs test.stamp@1.0 of bundle `b`\n    \
             {b}:6: bundle `b` needs test.caller@1.0 of bundle `c`\n    \
             {c}:6: bundle `c` needs demo.calculator@1.1 of bundle `a`\n  \
             move what they share into a bundle of its own, or let the runtime be relaxed: \
             `Runtime::builder().compatibility(Compatibility::Relaxed)`\n  \
             {d}:6: bundle `d` needs demo.calculator@1.0 of bundle `a`, which was not loaded: see there"
        )
    );
    if cfg!(target_os = "linux") {
        let mapped = mapped_below(plugins.0.path());
        assert!(
            mapped.iter().all(|path| path.starts_with(&*plugins.folder("e").to_string_lossy())),
            "what was looked at is gone: {mapped:?}"
        );
    }
}

#[test]
fn every_cycle_is_reported_once() {
    let plugins = Plugins::new();
    plugins.add("a", "plugin-calc", &["test.stamp@1"]).add("b", "plugin-reload-one", &["demo.calculator@1"]);
    plugins.add("c", "plugin-caller", &["test.moody@1"]).add("d", "plugin-moody", &["test.caller@1"]);
    let (loaded, failures, _) = plugins.fail(&runtime());
    assert!(loaded.is_empty());
    let texts: Vec<_> = failures.iter().map(|failure| failure.to_string().lines().next().unwrap().to_owned()).collect();
    assert_eq!(
        texts,
        ["bundles need each other in a circle, a -> b -> a:", "bundles need each other in a circle, c -> d -> c:"]
    );
}

#[test]
fn a_bundle_that_needs_itself_is_no_cycle() {
    let plugins = Plugins::new();
    plugins.add("a", "plugin-calc", &["demo.calculator@1"]);
    let (_, failures, _) = plugins.fail(&runtime());
    assert!(matches!(failures[..], [RuntimeError::DependencyMissing { .. }]), "{failures:?}");
}

#[test]
fn two_bundles_of_a_name_are_refused_before_anything_is_loaded() {
    let plugins = Plugins::new();
    plugins.add_in("one", "calc", "plugin-calc", &[]).add_in("two", "calc", "plugin-calc", &[]);
    plugins.add("other", "plugin-reload-one", &[]);
    let (loaded, failures, text) = plugins.fail(&runtime());
    assert!(loaded.is_empty());
    assert!(matches!(failures[..], [RuntimeError::DuplicateName { .. }]), "{failures:?}");
    assert_eq!(
        text,
        format!(
            "  {} and {} have bundles of the same name, `calc`: rename or remove all but one",
            plugins.folder("one").display(),
            plugins.folder("two").display()
        )
    );
}

#[test]
fn errors_of_single_bundles_do_not_stop_others() {
    let plugins = Plugins::new();
    plugins.add("a", "plugin-init-panics", &[]).add("b", "plugin-calc", &[]).add("c", "plugin-calc", &[]);
    plugins.add("d", "plugin-reload-one", &["demo.calculator@1"]);
    std::fs::write(plugins.folder("b").join("manifest.toml"), "name = ").unwrap();
    let (loaded, failures, text) = plugins.fail(&runtime());
    assert_eq!(loaded, ["c", "d"]);
    let [
        RuntimeError::Manifest(ManifestError::Syntax { .. }),
        RuntimeError::Loader(LoaderError::InitFailed { bundle, .. }),
    ] = &failures[..]
    else {
        panic!("{failures:?}")
    };
    assert_eq!(bundle, "a");
    assert!(text.starts_with(&format!("  {}:1:", plugins.file("b"))), "{text}");
    assert!(text.contains("\n  bundle `a`: could not be started: "), "{text}");
}

#[test]
fn a_bundle_whose_code_cannot_be_looked_at_says_why() {
    let plugins = Plugins::new();
    plugins.add("a", "plugin-init-panics", &["demo.calculator@1"]);
    let (_, failures, _) = plugins.fail(&runtime());
    let [RuntimeError::Loader(LoaderError::InitFailed { .. }), RuntimeError::DependencyMissing { .. }] = &failures[..]
    else {
        panic!("{failures:?}")
    };
}

#[test]
fn relaxed_loads_the_rest_by_name() {
    let plugins = Plugins::new();
    plugins.add("a", "plugin-calc", &["test.stamp@1"]).add("b", "plugin-reload-one", &["demo.calculator@1"]);
    plugins.add("c", "plugin-greeter-one", &[]);
    let _ = runtime(); // which listens to the log
    let runtime: Arc<Runtime> =
        Runtime::builder().loader(NativeLoader::new()).compatibility(Compatibility::Relaxed).build().unwrap();
    let (loaded, log) = logged(|| plugins.load(&runtime));
    assert_eq!(loaded, ["c", "a", "b"]);
    let warned: Vec<_> = log.iter().filter(|logged| logged.level == tracing::Level::WARN).collect();
    assert_eq!(warned.len(), 1, "`b` has what it needs by then: {warned:?}");
    assert_eq!(warned[0].bundle, "a");
}

/// With private copies, what is looked at leaves none behind.
#[test]
fn hot_reload_changes_nothing() {
    let plugins = Plugins::new();
    plugins.add("a", "plugin-calc", &["test.stamp@1"]).add("b", "plugin-reload-one", &["demo.calculator@1"]);
    let runtime = Runtime::builder().loader(NativeLoader::new()).hot_reload(true).build().unwrap();
    let before = polyplug_tests::copies::own_copies();
    let (loaded, failures, _) = plugins.fail(&runtime);
    assert!(loaded.is_empty());
    assert!(matches!(failures[..], [RuntimeError::DependencyCycle { .. }]), "{failures:?}");
    assert_eq!(polyplug_tests::copies::own_copies(), before);
}
