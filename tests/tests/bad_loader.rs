//! A loader that fails, panics or forgets is reported, and never leaves half a bundle.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use polyplug::error::{LoaderError, RuntimeError};
use polyplug::loader::{BundleLoader, BundleSource, ManifestData};
use polyplug::{BundleId, Runtime};
use polyplug_abi::SupportedLanguage;
use polyplug_native::NativeLoader;
use polyplug_tests::{BAD, Bundle, manifest, refused_by, runtime, works};

/// What the loader of the tests does wrong.
#[derive(Clone, Copy)]
enum Flaw {
    Fails,
    Panics,
    Forgets,
    LoadsNative,
}

struct Flawed {
    flaw: Flaw,
    /// How many of the modules it gave the runtime to keep are left.
    kept: Arc<AtomicUsize>,
}

struct Module(Arc<AtomicUsize>);

impl Drop for Module {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl BundleLoader for Flawed {
    fn loader_name(&self) -> &'static str {
        "flawed"
    }

    fn loader_language(&self) -> SupportedLanguage {
        SupportedLanguage::Rust
    }

    fn supports_hot_reload(&self) -> bool {
        false
    }

    fn load(&self, manifest: &ManifestData, source: &BundleSource, runtime: &Runtime) -> Result<(), LoaderError> {
        let staging = runtime.staging(manifest.id)?;
        self.kept.fetch_add(1, Ordering::SeqCst);
        staging.keep(Module(Arc::clone(&self.kept)));
        match self.flaw {
            Flaw::Fails => {
                Err(LoaderError::Failed { bundle: manifest.name.clone(), reason: "the engine is out of oil".into() })
            }
            Flaw::Panics => panic!("the engine exploded"),
            Flaw::Forgets => Ok(()),
            Flaw::LoadsNative => NativeLoader::new().load(manifest, source, runtime),
        }
    }

    fn reload(&self, _: &ManifestData, _: &Runtime) -> Result<(), LoaderError> {
        unreachable!("hot reload is not supported")
    }

    fn unload(&self, bundle: BundleId, _: &Runtime) -> Result<(), LoaderError> {
        Err(LoaderError::Failed { bundle: bundle.to_string(), reason: "the engine does not stop".into() })
    }
}

/// A runtime with the loader, and the number of modules it keeps.
fn flawed(flaw: Flaw) -> (Arc<Runtime>, Arc<AtomicUsize>) {
    let kept = Arc::new(AtomicUsize::new(0));
    let loader = Flawed { flaw, kept: Arc::clone(&kept) };
    (Runtime::builder().loader(NativeLoader::new()).loader(loader).build().unwrap(), kept)
}

fn bundle() -> Bundle {
    let bundle = Bundle::native(BAD, "plugin-calc");
    bundle.write("manifest.toml", manifest(BAD, "flawed", "plugin"));
    bundle
}

#[test]
fn the_text_of_a_loader_that_fails_is_reported() {
    let (runtime, kept) = flawed(Flaw::Fails);
    let error = refused_by(&runtime, bundle().path());
    assert!(matches!(error, RuntimeError::Loader(LoaderError::Failed { .. })), "{error:?}");
    assert_eq!(error.to_string(), "bundle `bad`: the engine is out of oil");
    assert_eq!(kept.load(Ordering::SeqCst), 0, "modules of a bundle that was refused go");
}

#[test]
fn the_message_of_a_loader_that_panics_is_reported() {
    let (runtime, kept) = flawed(Flaw::Panics);
    let error = refused_by(&runtime, bundle().path());
    assert!(matches!(error, RuntimeError::Loader(LoaderError::InitFailed { .. })), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("`bad`") && text.contains("the loader panicked: the engine exploded"), "{text}");
    assert_eq!(kept.load(Ordering::SeqCst), 0, "modules of a bundle that was refused go");
}

#[test]
fn a_loader_that_registers_nothing_is_an_error() {
    let (runtime, kept) = flawed(Flaw::Forgets);
    let error = refused_by(&runtime, bundle().path());
    assert!(matches!(error, RuntimeError::Loader(LoaderError::NothingRegistered { .. })), "{error:?}");
    assert_eq!(kept.load(Ordering::SeqCst), 0, "modules of a bundle that was refused go");
}

#[test]
fn a_loader_that_fails_to_unload_does_not_keep_the_bundle() {
    let (runtime, kept) = flawed(Flaw::LoadsNative);
    let id = runtime.load_bundle(bundle().path()).unwrap();
    let error = runtime.unload_bundle(id).unwrap_err();
    assert!(error.to_string().contains("the engine does not stop"), "{error}");
    assert_eq!(runtime.bundle_ids(), []);
    works(&runtime);
    polyplug_tests::eventually("its module goes", || kept.load(Ordering::SeqCst) == 0);
}

#[test]
fn a_loaders_name_is_given_once() {
    let runtime = runtime();
    let error = runtime.register_loader(Box::new(NativeLoader::new())).unwrap_err();
    assert!(matches!(&error, RuntimeError::DuplicateLoader { loader } if loader == "native"), "{error:?}");
    assert!(error.to_string().contains("register each loader once"), "{error}");
    works(&runtime);

    let built = Runtime::builder().loader(NativeLoader::new()).loader(NativeLoader::new()).build();
    assert!(matches!(built, Err(RuntimeError::DuplicateLoader { .. })));
}

#[test]
fn the_native_loader_loads_nothing_from_memory() {
    let runtime = runtime();
    for (source, kind) in [(BundleSource::Code("code".into()), "code"), (BundleSource::Bytes(vec![0x7f]), "bytes")] {
        let error = runtime.load_bundle_from(&manifest(BAD, "native", "plugin"), source).unwrap_err();
        let RuntimeError::Loader(LoaderError::UnsupportedBundleSource { source_kind, bundle, .. }) = &error else {
            panic!("an unsupported source, not {error:?}")
        };
        assert_eq!((*source_kind, bundle.as_str()), (kind, BAD));
        works(&runtime);
    }
}

#[test]
fn staging_belongs_to_the_thread_that_loads() {
    let error = runtime().staging(BundleId::new(BAD)).unwrap_err();
    assert!(matches!(error, LoaderError::NotLoading { id } if id == BundleId::new(BAD)), "{error:?}");
}
