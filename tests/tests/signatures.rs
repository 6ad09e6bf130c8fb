//! Only what a trusted key has signed is loaded, and exactly that, whatever happens to the bundle's folder meanwhile.

use std::env::consts::DLL_SUFFIX;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use plugin_linked as _;
use polyplug::error::{LoaderError, RuntimeError};
use polyplug::loader::{BundleLoader, BundleSource, ManifestData};
use polyplug::runtime::RuntimeBuilder;
use polyplug::signature::{PublicKey, SecretKey, SignatureError, SignaturePolicy, sign_bundle, verify_bundle};
use polyplug::{BundleId, Proxy, Runtime};
use polyplug_abi::{ReloadPhaseType, SupportedLanguage};
use polyplug_native::NativeLoader;
use polyplug_tests::{Bundle, copies, library, logged, logged_anywhere, manifest, mapped_below};
use test_contracts::{Calculator, Stamp};

/// A key whose bytes are all `byte`: no secret, but another one for each.
fn key(byte: u8) -> SecretKey {
    SecretKey::from_bytes([byte; 32])
}

fn public(byte: u8) -> PublicKey {
    key(byte).public_key()
}

fn requires(trusted: &[u8]) -> RuntimeBuilder {
    let builder = Runtime::builder().signatures(SignaturePolicy::Require);
    trusted.iter().fold(builder, |builder, byte| builder.trust(public(*byte)))
}

/// A runtime that trusts key 1, and reloads.
fn strict() -> Arc<Runtime> {
    requires(&[1]).loader(NativeLoader::new()).hot_reload(true).build().unwrap()
}

/// The bundle `calc` with some more files, signed with key 1.
fn signed() -> Bundle {
    let bundle = Bundle::native("calc", "plugin-calc");
    fs::create_dir(bundle.path().join("data")).unwrap();
    bundle.write("data/words", "some words");
    bundle.write("data/numbers", "1 2 3");
    sign_bundle(bundle.path(), &key(1)).unwrap();
    bundle
}

/// The bundle `stamp`, whose only version that is signed answers 1.
fn stamp() -> Bundle {
    let bundle = Bundle::native("stamp", "plugin-reload-one");
    sign_bundle(bundle.path(), &key(1)).unwrap();
    bundle
}

fn artifact() -> String {
    format!("plugin{DLL_SUFFIX}")
}

/// Puts another library in the place of the bundle's artifact.
fn exchange(directory: &Path, package: &str) {
    try_exchange(directory, package).unwrap();
}

fn try_exchange(directory: &Path, package: &str) -> std::io::Result<()> {
    let part = directory.join(".part");
    fs::copy(library(package), &part)?;
    fs::rename(part, directory.join(artifact()))
}

/// What is wrong with the signature, which both ways to ask must agree on. The texts name the bundle and its folder.
#[track_caller]
fn refused(bundle: &Bundle) -> SignatureError {
    let runtime = requires(&[1]).loader(NativeLoader::new()).build().unwrap();
    let by_load = runtime.load_bundle(bundle.path()).unwrap_err();
    assert_eq!(runtime.bundle_ids(), []);
    assert!(runtime.proxy::<dyn Calculator>().is_err());
    let by_tool = verify_bundle(bundle.path(), &[public(1)]).unwrap_err();
    assert_eq!(by_load.to_string(), by_tool.to_string());
    about(by_load, bundle)
}

#[track_caller]
fn about(error: RuntimeError, bundle: &Bundle) -> SignatureError {
    let text = error.to_string();
    assert!(!text.contains(&*copies::all_copies().to_string_lossy()), "shows the private copy: {text}");
    assert!(text.contains(&format!("{}: ", bundle.path().display())), "{text}");
    match error {
        RuntimeError::Signature { bundle: name, path, source } => {
            assert!(text.starts_with(&format!("bundle `{name}`: ")), "{text}");
            assert_eq!(path, bundle.path());
            source
        }
        other => panic!("another error: {other}"),
    }
}

#[test]
fn what_is_signed_is_loaded() {
    let bundle = signed();
    assert_eq!(verify_bundle(bundle.path(), &[public(2), public(1)]).unwrap(), public(1));
    let runtime = requires(&[1]).loader(NativeLoader::new()).build().unwrap();
    let id = runtime.load_bundle(bundle.path()).unwrap();
    assert_eq!(runtime.proxy::<dyn Calculator>().unwrap().add(2, 3), Ok(5));
    assert_eq!(mapped_below(bundle.path()), [""; 0], "it runs from a private copy, though nothing can be reloaded");
    let shown = runtime.bundles()[0].to_string();
    assert!(shown.contains(&*bundle.path().to_string_lossy()), "{shown}");
    assert!(runtime.unload_bundle(id).unwrap().reclaimed);
    assert!(runtime.load_bundle(bundle.path().join(artifact())).is_ok(), "known by its artifact");
}

#[test]
fn unsigned() {
    let bundle = signed();
    fs::remove_file(bundle.path().join("bundle.sig")).unwrap();
    let error = refused(&bundle);
    assert!(matches!(error, SignatureError::Unsigned), "{error}");
    assert!(error.to_string().contains("no `bundle.sig`"), "{error}");
}

#[test]
fn malformed() {
    let bundle = signed();
    let good = fs::read_to_string(bundle.path().join("bundle.sig")).unwrap();
    for (bad, reason) in [
        (b"".to_vec(), "missing field `version`"),
        (b"\xff\xfe".to_vec(), "not UTF-8"),
        (vec![b'#'; (8 << 20) + 1], "more than 8388608 bytes"),
        (good.replace("version = 1", "version = 7").into(), "version 7"),
        (good.replace("ed25519", "rot13").into(), "rot13"),
        (good[..good.len() / 2].into(), "line "),
    ] {
        bundle.write("bundle.sig", bad);
        let error = refused(&bundle);
        assert!(matches!(error, SignatureError::Malformed { .. }), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
    fs::remove_file(bundle.path().join("bundle.sig")).unwrap();
    fs::create_dir(bundle.path().join("bundle.sig")).unwrap();
    let error = refused(&bundle);
    assert!(error.to_string().contains("it is no file"), "{error}");
}

#[test]
fn unknown_key() {
    let bundle = signed();
    sign_bundle(bundle.path(), &key(2)).unwrap();
    let error = refused(&bundle);
    assert!(matches!(&error, SignatureError::UnknownKey { key } if *key == public(2).to_string()), "{error}");
    let remedy = format!("trust(PublicKey::from_hex(\"{}\")?)", public(2));
    assert!(error.to_string().contains(&remedy), "{error}");
    assert_eq!(PublicKey::from_hex(&public(2).to_string()), Ok(public(2)));
}

#[test]
fn signature_of_another_bundle() {
    let (bundle, other) = (signed(), stamp());
    let path = |bundle: &Bundle| bundle.path().join("bundle.sig");
    fs::copy(path(&other), path(&bundle)).unwrap();
    let error = refused(&bundle);
    assert!(matches!(&error, SignatureError::WrongBundle { signed } if signed == "stamp"), "{error}");

    // Of a bundle that is the same to the last byte, but for its name.
    let renamed = signed();
    renamed.write("manifest.toml", manifest("other", "native", "plugin"));
    let error = refused(&renamed);
    assert!(matches!(&error, SignatureError::WrongBundle { signed } if signed == "calc"), "{error}");

    // The name in the signature is signed as well.
    let text = fs::read_to_string(path(&other)).unwrap();
    bundle.write("bundle.sig", text.replace("\"stamp\"", "\"calc\""));
    let error = refused(&bundle);
    assert!(matches!(error, SignatureError::BadSignature), "{error}");
}

#[test]
fn bad_signature() {
    let bundle = signed();
    // Somebody changes a file, and makes the list fit.
    bundle.write("data/numbers", "1 2 4");
    let before = fs::read_to_string(bundle.path().join("bundle.sig")).unwrap();
    sign_bundle(bundle.path(), &key(2)).unwrap();
    let after = fs::read_to_string(bundle.path().join("bundle.sig")).unwrap();
    let line = |text: &str, start: &str| text.lines().find(|line| line.starts_with(start)).unwrap().to_owned();
    let mut forged = after.clone();
    for start in ["key", "signature"] {
        forged = forged.replace(&line(&after, start), &line(&before, start));
    }
    bundle.write("bundle.sig", forged);
    let error = refused(&bundle);
    assert!(matches!(error, SignatureError::BadSignature), "{error}");
}

#[test]
fn changed_added_removed_and_renamed_files() {
    type Attack = fn(&Bundle);
    type Expected = fn(&SignatureError) -> bool;
    let attacks: [(Attack, Expected, &[&str]); 9] = [
        (
            |bundle| exchange(bundle.path(), "plugin-reload-two"),
            |error| matches!(error, SignatureError::Changed { file } if *file == artifact()),
            &["changed"],
        ),
        (
            |bundle| bundle.write("manifest.toml", manifest("calc", "native", "plugin") + "# a remark\n"),
            |error| matches!(error, SignatureError::Changed { file } if file == "manifest.toml"),
            &["manifest.toml", "changed"],
        ),
        (
            |bundle| bundle.write("data/words", "some word!"), // of the same length
            |error| matches!(error, SignatureError::Changed { file } if file == "data/words"),
            &["data/words", "changed"],
        ),
        (
            |bundle| bundle.write("data/more", ""),
            |error| matches!(error, SignatureError::Added { file } if file == "data/more"),
            &["data/more", "added"],
        ),
        (
            |bundle| bundle.write(".hidden", ""),
            |error| matches!(error, SignatureError::Added { file } if file == ".hidden"),
            &[".hidden", "added"],
        ),
        (
            |bundle| bundle.write("data/bundle.sig", ""),
            |error| matches!(error, SignatureError::Added { file } if file == "data/bundle.sig"),
            &["data/bundle.sig", "added"],
        ),
        (
            |bundle| fs::remove_dir_all(bundle.path().join("data")).unwrap(),
            |error| matches!(error, SignatureError::Removed { file } if file == "data/numbers"),
            &["data/numbers", "removed"],
        ),
        (
            |bundle| fs::rename(bundle.path().join("data/words"), bundle.path().join("words")).unwrap(),
            |error| matches!(error, SignatureError::Renamed { from, to } if (&**from, &**to) == ("data/words", "words")),
            &["data/words", "renamed", "\"words\""],
        ),
        (
            // What is in a cache is not copied, and so not loaded: to declare a folder one is to remove its files.
            |bundle| bundle.write("data/CACHEDIR.TAG", ""),
            |error| matches!(error, SignatureError::Removed { file } if file == "data/numbers"),
            &["data/numbers", "removed"],
        ),
    ];
    for (attack, expected, words) in attacks {
        let bundle = signed();
        attack(&bundle);
        let error = refused(&bundle);
        assert!(expected(&error), "{words:?}: {error}");
        assert!(words.iter().all(|word| error.to_string().contains(word)), "{words:?}: {error}");
        sign_bundle(bundle.path(), &key(1)).unwrap(); // which is one of the remedies
        assert!(verify_bundle(bundle.path(), &[public(1)]).is_ok(), "{words:?}");
    }
}

#[test]
fn empty_folders_do_not_count() {
    let bundle = signed();
    fs::create_dir(bundle.path().join("empty")).unwrap();
    assert!(verify_bundle(bundle.path(), &[public(1)]).is_ok());
}

#[cfg(unix)]
#[test]
fn links_are_signed_as_what_they_lead_to() {
    use std::os::unix::fs::symlink;

    let bundle = signed();
    symlink("data/words", bundle.path().join("link")).unwrap();
    sign_bundle(bundle.path(), &key(1)).unwrap();
    assert_eq!(verify_bundle(bundle.path(), &[public(1)]).unwrap(), public(1));
    let link = bundle.path().join("link");
    fs::remove_file(&link).unwrap();
    fs::write(&link, "some words").unwrap();
    assert!(verify_bundle(bundle.path(), &[public(1)]).is_ok(), "the same contents under the same name");
    fs::remove_file(&link).unwrap();
    symlink("data/numbers", &link).unwrap();
    let error = refused(&bundle);
    assert!(matches!(&error, SignatureError::Changed { file } if file == "link"), "{error}");

    fs::remove_file(&link).unwrap();
    symlink("data", &link).unwrap();
    sign_bundle(bundle.path(), &key(1)).unwrap();
    assert_eq!(verify_bundle(bundle.path(), &[public(1)]).unwrap(), public(1));
    bundle.write("data/numbers", "3 2 1");
    let error = refused(&bundle);
    assert!(matches!(&error, SignatureError::Changed { file } if file == "data/numbers"), "{error}");
    bundle.write("data/numbers", "1 2 3");
    fs::create_dir(bundle.path().join("other")).unwrap();
    ["words", "numbers"].iter().for_each(|file| bundle.write(&format!("other/{file}"), "exchanged"));
    sign_bundle(bundle.path(), &key(1)).unwrap();
    fs::remove_file(&link).unwrap();
    symlink("other", &link).unwrap();
    let error = refused(&bundle);
    assert!(matches!(&error, SignatureError::Changed { file } if file.starts_with("link/")), "{error}");
    fs::remove_file(&link).unwrap();
    symlink(".", &link).unwrap();
    let error = sign_bundle(bundle.path(), &key(1)).unwrap_err().to_string();
    assert!(error.contains("`calc`") && error.contains("link is a link to a folder that it lies in"), "{error}");

    let outside = Bundle::empty();
    outside.write("secret", "");
    fs::remove_file(&link).unwrap();
    symlink(outside.path().join("secret"), &link).unwrap();
    for error in [sign_bundle(bundle.path(), &key(1)), strict().load_bundle(bundle.path()).map(|_| ())] {
        let error = error.unwrap_err().to_string();
        assert!(error.contains("`calc`") && error.contains("link leads out of the bundle"), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn signing_writes_into_the_bundle_only() {
    let bundle = signed();
    let signature = bundle.path().join("bundle.sig");
    fs::remove_file(&signature).unwrap();
    std::os::unix::fs::symlink(bundle.path().join("data/words"), &signature).unwrap();
    sign_bundle(bundle.path(), &key(1)).unwrap();
    assert_eq!(fs::read_to_string(bundle.path().join("data/words")).unwrap(), "some words");
    assert!(!signature.symlink_metadata().unwrap().is_symlink());
    assert!(verify_bundle(bundle.path(), &[public(1)]).is_ok(), "and nothing else was left behind");
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_not_utf8_is_refused() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let bundle = signed();
    fs::write(bundle.path().join(OsStr::from_bytes(b"data/\xff")), "").unwrap();
    let error = refused(&bundle);
    assert!(matches!(error, SignatureError::NotUtf8 { .. }), "{error}");
    let error = about(sign_bundle(bundle.path(), &key(1)).unwrap_err(), &bundle);
    assert!(error.to_string().contains(r#""data/\xFF""#), "{error}");
}

#[test]
fn what_is_no_bundle_cannot_be_signed() {
    let bundle = Bundle::empty();
    assert!(matches!(sign_bundle(bundle.path(), &key(1)), Err(RuntimeError::Manifest(_))));
    bundle.write("manifest.toml", manifest("calc", "native", "plugin"));
    let error = sign_bundle(bundle.path(), &key(1)).unwrap_err();
    assert!(matches!(error, RuntimeError::Loader(LoaderError::ArtifactMissing { .. })), "{error}");
    assert!(!bundle.path().join("bundle.sig").exists());
}

#[test]
fn several_keys_and_their_rotation() {
    let bundle = signed();
    let loads = |trusted: &[u8]| {
        let runtime = requires(trusted).loader(NativeLoader::new()).build().unwrap();
        runtime.load_bundle(bundle.path()).is_ok()
    };
    // Hosts learn of the new key, then bundles are signed with it, then the old one is given up.
    assert!(loads(&[1]) && loads(&[1, 2]) && !loads(&[2]) && !loads(&[]));
    sign_bundle(bundle.path(), &key(2)).unwrap();
    assert!(!loads(&[1]) && loads(&[1, 2]) && loads(&[2]));
}

#[test]
fn without_a_policy_nothing_is_looked_at() {
    let bundle = signed();
    bundle.write("bundle.sig", "nonsense");
    for builder in [Runtime::builder(), Runtime::builder().trust(public(1)).signatures(SignaturePolicy::Off)] {
        let runtime = builder.loader(NativeLoader::new()).build().unwrap();
        let (loaded, log) = logged(|| runtime.load_bundle(bundle.path()));
        assert!(loaded.is_ok() && log.is_empty(), "{loaded:?} {log:?}");
        #[cfg(target_os = "linux")]
        assert_ne!(mapped_below(bundle.path()), [""; 0], "it runs where it lies");
    }
}

#[test]
fn with_warnings_everything_is_loaded_and_every_problem_logged() {
    let warns = || Runtime::builder().loader(NativeLoader::new()).trust(public(1)).signatures(SignaturePolicy::Warn);
    let runtime = warns().build().unwrap();
    let bundle = signed();
    let (loaded, log) = logged(|| runtime.load_bundle(bundle.path()).unwrap());
    assert_eq!(log, [], "nothing is wrong with it");
    runtime.unload_bundle(loaded).unwrap();

    sign_bundle(bundle.path(), &key(2)).unwrap();
    bundle.write("data/words", "changed");
    bundle.write("data/more", "");
    let (loaded, log) = logged(|| runtime.load_bundle(bundle.path()).unwrap());
    let told: Vec<_> = log.iter().map(|entry| entry.message.as_str()).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    for (told, part) in
        told.iter().zip(["which is not trusted", "\"data/words\" was changed", "\"data/more\" was added"])
    {
        assert!(told.contains("`calc`") && told.contains(part), "{told}");
    }
    assert!(log.iter().all(|entry| entry.bundle == "calc"), "{log:?}");
    assert_eq!(runtime.proxy::<dyn Calculator>().unwrap().add(2, 3), Ok(5));
    runtime.unload_bundle(loaded).unwrap();

    fs::remove_file(bundle.path().join("bundle.sig")).unwrap();
    let (_, log) = logged(|| runtime.load_bundle(bundle.path()).unwrap());
    assert!(log.len() == 1 && log[0].message.contains("not signed"), "{log:?}");

    let runtime = warns().hot_reload(true).build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    // The new version comes up on a thread of its own.
    let (reloaded, log) = logged_anywhere(|| runtime.reload_bundle(bundle.path()));
    assert!(reloaded.is_ok(), "{reloaded:?}");
    let told = log.iter().any(|entry| entry.bundle == "calc" && entry.message.contains("not signed"));
    assert!(told, "{log:?}");
}

#[test]
fn a_new_version_has_to_be_signed_as_well() {
    let bundle = stamp();
    let events = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&events);
    let runtime = requires(&[1])
        .loader(NativeLoader::new())
        .hot_reload(true)
        .on_reload(move |_, phase| log.lock().unwrap().push(phase.phase_type))
        .build()
        .unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    let mut stamp = runtime.proxy::<dyn Stamp>().unwrap();

    exchange(bundle.path(), "plugin-reload-two");
    let error = about(runtime.reload_bundle(bundle.path()).unwrap_err(), &bundle);
    assert!(matches!(&error, SignatureError::Changed { file } if *file == artifact()), "{error}");
    sign_bundle(bundle.path(), &key(2)).unwrap();
    let error = about(runtime.reload_bundle(bundle.path()).unwrap_err(), &bundle);
    assert!(matches!(error, SignatureError::UnknownKey { .. }), "{error}");
    let elsewhere = Bundle::native("stamp", "plugin-reload-two");
    let error = about(runtime.reload_bundle(elsewhere.path()).unwrap_err(), &elsewhere);
    assert!(matches!(error, SignatureError::Unsigned), "{error}");
    assert_eq!((stamp.version(), runtime.proxy::<dyn Stamp>().unwrap().version()), (Ok(1), Ok(1)));
    let seen = std::mem::take(&mut *events.lock().unwrap());
    assert_eq!(seen.iter().filter(|phase| **phase == ReloadPhaseType::Failed).count(), 3, "{seen:?}");
    assert!(!seen.contains(&ReloadPhaseType::Reloaded), "{seen:?}");

    sign_bundle(bundle.path(), &key(1)).unwrap();
    runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!(stamp.version(), Ok(2));
    stamp.refresh();
    assert_eq!(stamp.version(), Ok(2));
}

#[test]
fn what_is_in_memory_cannot_be_signed() {
    let text = manifest("calc", "native", "plugin");
    for (source, kind) in [(BundleSource::Code("x".into()), "code"), (BundleSource::Bytes(vec![0]), "bytes")] {
        let error = strict().load_bundle_from(&text, source.clone()).unwrap_err();
        let shown = error.to_string();
        let RuntimeError::Signature { source: SignatureError::InMemory { source_kind }, .. } = error else {
            panic!("another error: {shown}");
        };
        assert_eq!(source_kind, kind);
        assert!(shown.contains("`calc`") && shown.contains("load it from a directory"), "{shown}");

        let builder = Runtime::builder().loader(NativeLoader::new()).signatures(SignaturePolicy::Warn);
        let runtime = builder.build().unwrap();
        let (outcome, log) = logged(|| runtime.load_bundle_from(&text, source));
        let passed = matches!(outcome, Err(RuntimeError::Loader(LoaderError::UnsupportedBundleSource { .. })));
        assert!(passed, "the loader is asked, and does not know how: {outcome:?}");
        assert!(log.len() == 1 && log[0].message.contains("from memory"), "{log:?}");
    }
}

#[test]
fn the_hosts_own_manifest_needs_signed_files() {
    let bundle = signed();
    let source = || BundleSource::Path(bundle.path().to_owned());
    let runtime = strict();
    let id = runtime.load_bundle_from(&manifest("calc", "native", "plugin"), source()).unwrap();
    runtime.unload_bundle(id).unwrap();
    let error = runtime.load_bundle_from(&manifest("other", "native", "plugin"), source()).unwrap_err();
    assert!(matches!(about(error, &bundle), SignatureError::WrongBundle { .. }));
    bundle.write("data/words", "changed");
    let error = runtime.load_bundle_from(&manifest("calc", "native", "plugin"), source()).unwrap_err();
    assert!(matches!(about(error, &bundle), SignatureError::Changed { .. }));
}

#[test]
fn plugins_that_are_part_of_the_program_need_no_signature() {
    let runtime = strict();
    assert!(runtime.load_linked_plugins().unwrap().contains(&BundleId::new("plugin-linked")));
}

#[test]
fn a_folder_of_bundles_obeys_the_policy() {
    let folder = Bundle::empty();
    let put = |name: &str, package: &str| {
        let bundle = Bundle::native(name, package);
        let to = folder.path().join(name);
        fs::create_dir(&to).unwrap();
        for file in fs::read_dir(bundle.path()).unwrap().flatten() {
            fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
        to
    };
    let (calc, stamp) = (put("calc", "plugin-calc"), put("stamp", "plugin-reload-one"));
    sign_bundle(&calc, &key(1)).unwrap();
    let error = strict().load_dir(folder.path()).into_result().unwrap_err().to_string();
    assert!(error.contains("`stamp`") && error.contains("not signed"), "{error}");
    sign_bundle(&stamp, &key(1)).unwrap();
    assert_eq!(strict().load_dir(folder.path()).loaded.len(), 2);
}

/// What bundles would provide is found out by running them, which those that may not run are not.
#[test]
fn a_bundle_that_is_refused_is_not_started_to_explain_another() {
    let folder = Bundle::empty();
    let started = Arc::new(Mutex::new(Vec::new()));
    let put = |name: &str, package: &str, needs: &str, signed: bool| {
        let to = folder.path().join(name);
        fs::create_dir(&to).unwrap();
        let needs = format!("[[dependency]]\ncontract = {needs:?}\n");
        fs::write(to.join("manifest.toml"), manifest(name, "noting", "plugin") + &needs).unwrap();
        fs::copy(library(package), to.join(artifact())).unwrap();
        if signed {
            sign_bundle(&to, &key(1)).unwrap();
        }
    };
    put("signed", "plugin-calc", "test.stamp@1", true);
    put("unsigned", "plugin-reload-one", "demo.calculator@1", false);
    put("foreign", "plugin-moody", "demo.calculator@1", false);
    sign_bundle(folder.path().join("foreign"), &key(2)).unwrap();
    let strict = requires(&[1]).loader(Noting(Arc::clone(&started))).build().unwrap();
    let error = strict.load_dir(folder.path()).into_result().unwrap_err().to_string();
    assert_eq!(*started.lock().unwrap(), ["signed"], "{error}");
    for part in ["`unsigned`", "not signed", "`foreign`", "test.stamp@1.0, which no other loaded bundle provides"] {
        assert!(error.contains(part), "{part} is in: {error}");
    }
    assert_eq!(strict.bundle_ids(), []);

    started.lock().unwrap().clear();
    let trusting = Runtime::builder().loader(Noting(Arc::clone(&started))).build().unwrap();
    let error = trusting.load_dir(folder.path()).into_result().unwrap_err();
    let RuntimeError::Directory { failures, .. } = &error else { panic!("{error}") };
    assert!(
        matches!(failures[..], [RuntimeError::DependencyNotLoaded { .. }, RuntimeError::DependencyCycle { .. }]),
        "{error}"
    );
    assert_eq!(*started.lock().unwrap(), ["foreign", "signed", "unsigned"], "nobody looks");
}

/// The native loader, which notes what it starts.
struct Noting(Arc<Mutex<Vec<String>>>);

impl BundleLoader for Noting {
    fn loader_name(&self) -> &'static str {
        "noting"
    }

    fn loader_language(&self) -> SupportedLanguage {
        SupportedLanguage::Rust
    }

    fn supports_hot_reload(&self) -> bool {
        false
    }

    fn load(&self, manifest: &ManifestData, source: &BundleSource, runtime: &Runtime) -> Result<(), LoaderError> {
        self.0.lock().unwrap().push(manifest.name.clone());
        NativeLoader::new().load(manifest, source, runtime)
    }

    fn reload(&self, _: &ManifestData, _: &Runtime) -> Result<(), LoaderError> {
        unreachable!("asked first")
    }
}

/// The native loader, beside which somebody writes to the bundle's folder at the worst moments.
struct Attacked {
    directory: std::path::PathBuf,
    /// Between the check and the load.
    before_load: fn(&Path),
    /// Between reading the manifest of a new version and copying the rest.
    before_copy: fn(&Path),
}

impl BundleLoader for Attacked {
    fn loader_name(&self) -> &'static str {
        "native"
    }

    fn loader_language(&self) -> SupportedLanguage {
        SupportedLanguage::Rust
    }

    fn supports_hot_reload(&self) -> bool {
        (self.before_copy)(&self.directory);
        true
    }

    fn load(&self, manifest: &ManifestData, source: &BundleSource, runtime: &Runtime) -> Result<(), LoaderError> {
        (self.before_load)(&self.directory);
        NativeLoader::new().load(manifest, source, runtime)
    }

    fn reload(&self, manifest: &ManifestData, runtime: &Runtime) -> Result<(), LoaderError> {
        (self.before_load)(&self.directory);
        NativeLoader::new().reload(manifest, runtime)
    }
}

#[test]
fn an_exchange_after_the_check_has_no_effect() {
    for hot_reload in [false, true] {
        let bundle = stamp();
        let attacked = Attacked {
            directory: bundle.path().to_owned(),
            before_load: |directory| {
                fs::copy(library("plugin-reload-two"), directory.join(artifact())).unwrap(); // in place
                exchange(directory, "plugin-reload-two");
                fs::write(directory.join("manifest.toml"), "").unwrap();
            },
            before_copy: |_| (),
        };
        let runtime = requires(&[1]).loader(attacked).hot_reload(hot_reload).build().unwrap();
        let id = runtime.load_bundle(bundle.path()).unwrap();
        let version = || runtime.proxy::<dyn Stamp>().unwrap().version();
        assert_eq!(version(), Ok(1), "what was checked is what runs");

        bundle.write("manifest.toml", manifest("stamp", "native", "plugin"));
        if hot_reload {
            exchange(bundle.path(), "plugin-reload-one");
            runtime.reload_bundle(bundle.path()).unwrap();
            assert_eq!(version(), Ok(1), "at a reload as well");
            bundle.write("manifest.toml", manifest("stamp", "native", "plugin"));
        }
        runtime.unload_bundle(id).unwrap();
        let error = about(runtime.load_bundle(bundle.path()).unwrap_err(), &bundle);
        assert!(matches!(error, SignatureError::Changed { .. }), "{error}");
    }
}

/// A bundle in which everything is signed: also a library that its manifest does not name.
fn with_a_decoy() -> Bundle {
    let bundle = stamp();
    fs::copy(library("plugin-reload-two"), bundle.path().join(format!("decoy{DLL_SUFFIX}"))).unwrap();
    sign_bundle(bundle.path(), &key(1)).unwrap();
    bundle
}

#[test]
fn the_manifest_that_counts_is_the_one_that_was_checked() {
    fn say(directory: &Path, loader: &str, file: &str) {
        fs::write(directory.join("manifest.toml"), manifest("stamp", loader, file)).unwrap();
    }
    let bundle = with_a_decoy();
    let attacked = Attacked {
        directory: bundle.path().to_owned(),
        before_load: |_| (),
        before_copy: |directory| say(directory, "native", "plugin"),
    };
    let runtime = requires(&[1]).loader(attacked).hot_reload(true).build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();

    say(bundle.path(), "native", "decoy"); // is read, and put right before anything is copied
    runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!(runtime.proxy::<dyn Stamp>().unwrap().version(), Ok(1));

    struct Other(Attacked);
    impl BundleLoader for Other {
        fn loader_name(&self) -> &'static str {
            "other"
        }
        fn loader_language(&self) -> SupportedLanguage {
            SupportedLanguage::Rust
        }
        fn supports_hot_reload(&self) -> bool {
            self.0.supports_hot_reload()
        }
        fn load(&self, _: &ManifestData, _: &BundleSource, _: &Runtime) -> Result<(), LoaderError> {
            unreachable!("the signed manifest names another loader")
        }
        fn reload(&self, _: &ManifestData, _: &Runtime) -> Result<(), LoaderError> {
            unreachable!("the signed manifest names another loader")
        }
    }
    let putting_right = Attacked {
        directory: bundle.path().to_owned(),
        before_load: |_| (),
        before_copy: |directory| say(directory, "native", "plugin"),
    };
    runtime.register_loader(Box::new(Other(putting_right))).unwrap();
    say(bundle.path(), "other", "plugin");
    let error = runtime.reload_bundle(bundle.path()).unwrap_err().to_string();
    assert!(error.contains("`stamp`") && error.contains("its manifest changed while it was loaded"), "{error}");
    assert_eq!(runtime.proxy::<dyn Stamp>().unwrap().version(), Ok(1));
}

// On Windows a file that is being read cannot be exchanged.
#[cfg(not(windows))]
#[test]
fn files_that_are_exchanged_all_the_time_are_never_loaded() {
    use std::sync::atomic::{AtomicBool, Ordering};

    /// Ends the other thread, whatever becomes of this one.
    struct Ends<'a>(&'a AtomicBool);

    impl Drop for Ends<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    let bundle = with_a_decoy();
    let done = AtomicBool::new(false);
    let runtime = requires(&[1]).loader(NativeLoader::new()).build().unwrap();
    let (signed, decoy) = (manifest("stamp", "native", "plugin"), manifest("stamp", "native", "decoy"));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut turn = 0;
            while !done.load(Ordering::Relaxed) {
                turn += 1;
                let exchanged = try_exchange(bundle.path(), ["plugin-reload-two", "plugin-reload-one"][turn % 2])
                    .and_then(|()| fs::write(bundle.path().join("manifest.toml"), [&decoy, &signed][turn / 2 % 2]))
                    .and_then(|()| fs::copy(library("plugin-reload-two"), bundle.path().join(artifact())));
                exchanged.unwrap();
            }
        });
        let ends = Ends(&done);
        for _ in 0..polyplug_tests::rounds(40) {
            if let Ok(id) = runtime.load_bundle(bundle.path()) {
                assert_eq!(runtime.proxy::<dyn Stamp>().unwrap().version(), Ok(1));
                runtime.unload_bundle(id).unwrap();
            }
        }
        drop(ends);
    });
    bundle.write("manifest.toml", signed);
    exchange(bundle.path(), "plugin-reload-two");
    assert!(runtime.load_bundle(bundle.path()).is_err());
    exchange(bundle.path(), "plugin-reload-one");
    runtime.load_bundle(bundle.path()).unwrap();
    assert_eq!(runtime.proxy::<dyn Stamp>().unwrap().version(), Ok(1));
}
