//! The measurement of an engine's end, in reports.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use polyplug::engine::{self, Guest, LoadedCode, PluginDecl};
use polyplug::error::LoaderError;
use polyplug::loader::{BundleLoader, BundleSource, ManifestData, Remains};
use polyplug::{BundleId, Runtime};
use polyplug_abi::SupportedLanguage;
use polyplug_tests::manifest;

use super::low_level::{Never, Numbers};

/// A loader whose engines measure with `measure`, if at all.
struct Measures<F>(F);

impl<F: Fn(&Guest) + Send + Sync> BundleLoader for Measures<F> {
    fn loader_name(&self) -> &'static str {
        "measures"
    }

    fn loader_language(&self) -> SupportedLanguage {
        SupportedLanguage::Cpp
    }

    fn supports_hot_reload(&self) -> bool {
        true
    }

    fn load(&self, manifest: &ManifestData, _: &BundleSource, runtime: &Runtime) -> Result<(), LoaderError> {
        engine::load_either::<Never, _>(manifest, runtime, |guest| {
            self.0(guest);
            let declared = PluginDecl { contract: "test.numbers@1".to_owned(), ..PluginDecl::default() };
            Ok(LoadedCode::LowLevel(vec![(declared, Numbers::unlimited())]))
        })
    }

    fn reload(&self, manifest: &ManifestData, runtime: &Runtime) -> Result<(), LoaderError> {
        self.load(manifest, &BundleSource::Code(String::new()), runtime)
    }
}

fn loaded(measure: impl Fn(&Guest) + Send + Sync + 'static) -> Arc<Runtime> {
    let runtime = Runtime::builder().loader(Measures(measure)).build().unwrap();
    let source = BundleSource::Code(String::new());
    runtime.load_bundle_from(&manifest("numbers", "measures", "list"), source).unwrap();
    runtime
}

#[test]
fn an_engine_that_finds_nothing_is_reclaimed() {
    let runtime = loaded(|guest| guest.record_end(None));
    let report = runtime.unload_bundle(BundleId::new("numbers")).unwrap();
    assert!(report.reclaimed, "{report}");
    assert_eq!((report.still_mapped.as_deref(), runtime.retired()), (None, vec![]));
}

#[test]
fn an_engine_that_does_not_measure_is_not_reported_as_reclaimed() {
    let runtime = loaded(|_| {});
    let report = runtime.unload_bundle(BundleId::new("numbers")).unwrap();
    assert!(!report.reclaimed);
    assert_eq!(
        report.to_string(),
        "bundle `numbers` is unloaded; its engine has not measured whether its code is gone"
    );
}

#[test]
fn what_remains_is_reported_and_listed_until_it_is_gone() {
    static IS_THERE: AtomicBool = AtomicBool::new(true);
    let runtime = loaded(|guest| {
        let mut remains = Remains::from("a list keeps it".to_owned());
        remains.threads.push("worker".to_owned());
        guest.record_end(Some(remains.measured_by(|| IS_THERE.load(Ordering::SeqCst))));
    });
    let report = runtime.unload_bundle(BundleId::new("numbers")).unwrap();
    assert_eq!((report.reclaimed, report.threads.as_slice()), (false, &["worker".to_owned()][..]));
    assert_eq!(report.still_mapped.as_deref(), Some("a list keeps it"));
    let [retired] = &runtime.retired()[..] else { panic!("{:?}", runtime.retired()) };
    assert_eq!(retired.to_string(), "a retired version of bundle `numbers`; a list keeps it");
    assert_eq!(retired.threads, ["worker"]);
    assert_eq!(runtime.quiesce(Duration::from_secs(60)), [], "the version itself is reclaimed");
    IS_THERE.store(false, Ordering::SeqCst);
    assert_eq!(runtime.retired(), []);
}
