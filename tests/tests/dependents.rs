//! A bundle that others declare to need is not taken away from under them.

use polyplug::error::RuntimeError;
use polyplug::{Compatibility, Runtime};
use polyplug_native::NativeLoader;
use polyplug_tests::{Bundle, manifest, runtime};

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
    assert_eq!(runtime.quiesce(std::time::Duration::from_secs(20)), [], "{reports:?}");
    assert!(runtime.bundle_ids().is_empty());
}

#[test]
fn a_runtime_that_ends_asks_nobody() {
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
