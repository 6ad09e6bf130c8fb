//! A bundle is loaded only when what it depends on is there, or, where the runtime is relaxed, with a warning.

use std::sync::Arc;

use polyplug::error::RuntimeError;
use polyplug::{BundleId, Compatibility, Runtime};
use polyplug_native::NativeLoader;
use polyplug_tests::{Bundle, logged, manifest, runtime};
use test_contracts::Stamp;
use test_contracts::calling::Caller;

/// A bundle that declares to call `needs`, each on the second of two lines, from line 5 on.
fn bundle(name: &str, package: &str, needs: &[&str]) -> Bundle {
    let bundle = Bundle::native(name, package);
    write(&bundle, name, needs);
    bundle
}

fn write(bundle: &Bundle, name: &str, needs: &[&str]) {
    let needs = needs.iter().map(|contract| format!("[[dependency]]\ncontract = {contract:?}\n"));
    bundle.write("manifest.toml", manifest(name, "native", "plugin") + &needs.collect::<String>());
}

fn file(bundle: &Bundle) -> String {
    bundle.path().join("manifest.toml").display().to_string()
}

fn relaxed() -> Arc<Runtime> {
    let _ = runtime(); // which listens to the log
    Runtime::builder().loader(NativeLoader::new()).compatibility(Compatibility::Relaxed).build().unwrap()
}

/// The message, when loading is refused for want of a dependency.
#[track_caller]
fn refusal(runtime: &Runtime, bundle: &Bundle) -> String {
    let error = runtime.load_bundle(bundle.path()).unwrap_err();
    assert!(matches!(error, RuntimeError::DependencyMissing { .. }), "{error:?}");
    error.to_string()
}

#[test]
fn strict_is_the_default() {
    assert_eq!(runtime().config().compatibility, Compatibility::Strict);
}

#[test]
fn a_contract_without_a_provider_is_named() {
    let runtime = runtime();
    let caller = bundle("caller", "plugin-caller", &["demo.calculator@1.2"]);
    assert_eq!(
        refusal(&runtime, &caller),
        format!(
            "{}:6: bundle `caller` needs demo.calculator@1.2, which no other loaded bundle provides: load one that does \
             before it",
            file(&caller)
        )
    );
    assert!(runtime.bundle_ids().is_empty());
    let calc = bundle("calc", "plugin-calc", &[]);
    runtime.load_bundle(calc.path()).unwrap();
    runtime.load_bundle(caller.path()).unwrap();
    assert_eq!(runtime.proxy::<dyn Caller>().unwrap().add(1, 2), Ok(Ok(3)));
}

#[test]
fn everything_that_is_missing_is_listed() {
    let runtime = runtime();
    let calc = bundle("calc", "plugin-calc", &[]);
    runtime.load_bundle(calc.path()).unwrap();
    let caller = bundle("caller", "plugin-caller", &["test.stamp@1", "demo.calculator@1", "test.moody@1.4"]);
    let file = file(&caller);
    assert_eq!(
        refusal(&runtime, &caller),
        format!(
            "{file}:6: bundle `caller` needs test.stamp@1.0, which no other loaded bundle provides: load one that does \
             before it\n\
             {file}:10: bundle `caller` needs test.moody@1.4, which no other loaded bundle provides: load one that does \
             before it"
        )
    );
}

#[test]
fn other_versions_are_named_with_their_bundles() {
    let runtime = runtime();
    let (calc, other) = (bundle("calc", "plugin-calc", &[]), bundle("other", "plugin-calc", &[]));
    runtime.load_bundle(calc.path()).unwrap();
    runtime.load_bundle(other.path()).unwrap();
    for (wanted, shown) in
        [("demo.calculator@1.3", "demo.calculator@1.3"), ("demo.calculator@2", "demo.calculator@2.0")]
    {
        let caller = bundle("caller", "plugin-caller", &[wanted]);
        assert_eq!(
            refusal(&runtime, &caller),
            format!(
                "{}:6: bundle `caller` needs {shown}, which no other loaded bundle provides (there is 1.2 in bundle `calc`, \
                 1.2 in bundle `other`): load one that does before it",
                file(&caller)
            )
        );
    }
}

#[test]
fn a_bundle_is_not_its_own_provider() {
    let calc = bundle("calc", "plugin-calc", &["demo.calculator@1"]);
    let text = refusal(&runtime(), &calc);
    assert!(text.contains("bundle `calc` needs demo.calculator@1.0, which no other loaded bundle provides:"), "{text}");
}

#[test]
fn no_code_of_a_refused_bundle_is_started() {
    let bundle = bundle("bad", "plugin-init-panics", &["demo.calculator@1"]);
    refusal(&runtime(), &bundle);
}

#[test]
fn relaxed_loads_and_warns() {
    let runtime = relaxed();
    let caller = bundle("caller", "plugin-caller", &["demo.calculator@1", "test.stamp@1"]);
    let (loaded, log) = logged(|| runtime.load_bundle(caller.path()));
    let id = loaded.unwrap();
    let file = file(&caller);
    let warned: Vec<_> =
        log.iter().filter(|logged| logged.level == tracing::Level::WARN).map(|logged| &*logged.message).collect();
    let warning = |line: u32, contract: &str| {
        format!(
            "{file}:{line}: bundle `caller` needs {contract}, which no other loaded bundle provides: load one that does \
             before it; loaded all the same, for the runtime is relaxed"
        )
    };
    assert_eq!(warned, [warning(6, "demo.calculator@1.0"), warning(8, "test.stamp@1.0")]);
    assert!(log.iter().all(|logged| logged.bundle == "caller"));

    let caller = runtime.proxy_from::<dyn Caller>(id).unwrap();
    let error = caller.add(1, 2).unwrap().unwrap_err();
    assert!(error.contains("no other loaded bundle provides demo.calculator@1.0: load one that does"), "{error}");
    let calc = bundle("calc", "plugin-calc", &[]);
    runtime.load_bundle(calc.path()).unwrap();
    assert_eq!(caller.add(1, 2), Ok(Ok(3)), "provided later, found later");
}

#[test]
fn a_reload_is_held_to_the_same() {
    let runtime = Runtime::builder().loader(NativeLoader::new()).hot_reload(true).build().unwrap();
    let bundle = bundle("stamp", "plugin-reload-one", &[]);
    runtime.load_bundle(bundle.path()).unwrap();
    write(&bundle, "stamp", &["test.stamp@1"]);
    let error = runtime.reload_bundle(bundle.path()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{}:6: bundle `stamp` needs test.stamp@1.0, which no other loaded bundle provides: load one that does before \
             it",
            file(&bundle)
        )
    );
    assert_eq!(runtime.proxy::<dyn Stamp>().unwrap().version(), Ok(1), "the old version serves on");

    let other = self::bundle("other", "plugin-reload-two", &[]);
    runtime.load_bundle(other.path()).unwrap();
    runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!(runtime.bundle_ids(), [BundleId::new("stamp"), BundleId::new("other")]);
}

/// A host that speaks C reads a code and the same text.
#[test]
fn the_c_abi_says_the_same() {
    let runtime = runtime();
    let caller = bundle("caller", "plugin-caller", &["demo.calculator@1"]);
    let path = caller.path().to_str().unwrap();
    let host = runtime.host_abi();
    // SAFETY: the runtime is alive, and so is the path.
    let (code, text) = polyplug_tests::reported(|error| unsafe {
        ((*host).load_bundle)(host, path.as_ptr(), path.len(), error);
    });
    assert_eq!(code, polyplug_abi::AbiErrorCode::NotFound as u32);
    assert_eq!(text, refusal(&runtime, &caller));
}
