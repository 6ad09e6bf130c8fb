//! A directory of bundles is loaded in the order in which they need each other, and what cannot be loaded is explained.

use std::env::consts::DLL_SUFFIX;
use std::path::PathBuf;
use std::sync::Arc;

use polyplug::error::{FoundInstead, LoaderError, ManifestError, RuntimeError};
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
        // With the system's own separators, as errors have them.
        self.0.path().join(name).components().collect()
    }

    fn file(&self, name: &str) -> String {
        self.folder(name).join("manifest.toml").display().to_string()
    }

    /// The names of what is loaded, in order.
    #[track_caller]
    fn load(&self, runtime: &Runtime) -> Vec<String> {
        let report = runtime.load_dir(self.0.path()).into_result().unwrap();
        assert_eq!(report.ids(), runtime.bundle_ids());
        report.names()
    }

    /// The names of what is loaded, and what is said about the rest.
    #[track_caller]
    fn fail(&self, runtime: &Runtime) -> (Vec<String>, Vec<RuntimeError>, String) {
        let error = runtime.load_dir(self.0.path()).into_result().unwrap_err();
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
    let report = runtime().load_dir(plugins.0.path());
    assert_eq!(report.to_string(), format!("{}: there is no bundle to load", plugins.0.path().display()));
}

/// Entries that nobody means as bundles are no problem. Those that are not obvious are listed.
#[test]
fn what_is_obviously_no_bundle_is_passed_over() {
    let plugins = Plugins::new();
    plugins.add("calc", "plugin-calc", &[]);
    for folder in [".git", "__pycache__", "node_modules", "target", "data", ".calc.new", "calc.bak"] {
        std::fs::create_dir(plugins.folder(folder)).unwrap();
        std::fs::write(plugins.folder(folder).join("numbers.csv"), "1").unwrap();
    }
    for backup in [".calc.new", "calc.bak"] {
        std::fs::write(plugins.folder(backup).join("manifest.toml"), manifest("calc", "native", "plugin")).unwrap();
    }
    for file in [".DS_Store", "README.md", "README", "LICENSE-MIT", "notes.txt", "calc.lua~", "logo.png"] {
        plugins.0.write(file, "");
    }
    let runtime = runtime();
    let report = runtime.load_dir(plugins.0.path());
    assert_eq!(report.names(), ["calc"]);
    assert!(report.problems.is_empty(), "{report}");
    let ignored: Vec<_> = report.ignored.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(ignored, [".calc.new", "calc.bak", "data", "logo.png"]);
    let expected = format!(
        "{}: 1 bundle was loaded, `calc`\n  ignored: `.calc.new`, `calc.bak`, `data`, `logo.png`",
        plugins.0.path().display()
    );
    assert_eq!(report.to_string(), expected);
}

/// Each entry that seems to be meant as a bundle has a problem, which says what to do. None keeps others from being
/// loaded.
#[test]
fn each_entry_that_is_no_bundle_says_what_to_do() {
    let make = |folder: &str, files: &[&str]| {
        let folder = folder.to_owned();
        let files: Vec<_> = files.iter().map(ToString::to_string).collect();
        move |plugins: &Plugins| {
            std::fs::create_dir(plugins.folder(&folder)).unwrap();
            for file in &files {
                let file = plugins.folder(&folder).join(file);
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                std::fs::write(file, "").unwrap();
            }
        }
    };
    let lone = |file: &str| {
        let file = file.to_owned();
        move |plugins: &Plugins| plugins.0.write(&file, "")
    };
    type Make = Box<dyn Fn(&Plugins)>;
    let misspelt = |file: &'static str| {
        let make: Make = Box::new(make("x", &[file, "main.lua"]));
        (
            make,
            "x/manifest.toml",
            format!("the folder has `{file}`: if that is the bundle's manifest, rename it to `manifest.toml`"),
        )
    };
    let lines = |name: &str, loader: &str, file: &str| {
        format!("`name = \"{name}\"`, `version = \"1.0.0\"`, `loader = \"{loader}\"` and `file = \"{file}\"`")
    };
    let alone = "a file alone is no bundle: put it into a folder of its own, with a manifest.toml that has the lines ";
    let none = "but no manifest: write a manifest.toml beside it, with the lines ";
    let cases: Vec<(Make, &str, String)> = vec![
        // Windows takes these two for the manifest.
        #[cfg(not(windows))]
        misspelt("MANIFEST.TOML"),
        #[cfg(not(windows))]
        misspelt("Manifest.toml"),
        misspelt("manifest.tml"),
        misspelt("manfiest.toml"),
        misspelt("manifest.toml.txt"),
        misspelt("plugin.toml"),
        (Box::new(make("x", &["helper.lua", "main.lua"])), "x/manifest.toml", format!("the folder has `main.lua`, {none}{}", lines("x", "lua", "main.lua"))),
        (Box::new(make("x", &["helper.js", "main.js"])), "x/manifest.toml", format!("the folder has `main.js`, {none}{}", lines("x", "js", "main.js"))),
        (Box::new(make("x", &["libcalc.so"])), "x/manifest.toml", format!("the folder has `libcalc.so`, {none}{}", lines("x", "native", "libcalc.so"))),
        // On Windows it may as well be a library.
        #[cfg(not(windows))]
        (Box::new(make("x", &["Calc.deps.json", "Calc.dll"])), "x/manifest.toml", format!("the folder has `Calc.dll`, {none}{}", lines("x", "dotnet", "Calc.dll"))),
        (Box::new(make("x", &["Cargo.toml", "src/lib.rs"])), "x/manifest.toml", "the folder has the sources of a Rust crate, but no manifest: build the crate".to_owned()),
        (Box::new(make("x", &["y/manifest.toml", "z/manifest.toml"])), "x/manifest.toml", "the folder has no manifest.toml of its own, but bundles in it, `y`, `z`: load them with `Runtime::load_dir` of this folder".to_owned()),
        (Box::new(make("x", &[])), "x/manifest.toml", "the folder is empty: a bundle is a folder with a manifest.toml and the artifact that it names".to_owned()),
        (Box::new(lone("calc.zip")), "calc.zip", "it is an archive: unpack it into a folder of its own".to_owned()),
        (Box::new(lone("calc.tar.gz")), "calc.tar.gz", "it is an archive".to_owned()),
        (Box::new(lone("calc.lua")), "calc.lua", format!("{alone}{}", lines("calc", "lua", "calc.lua"))),
        (Box::new(lone("calc.mjs")), "calc.mjs", format!("{alone}{}", lines("calc", "js", "calc.mjs"))),
        (Box::new(lone("libcalc.so")), "libcalc.so", format!("{alone}{}", lines("calc", "native", "libcalc.so"))),
        #[cfg(unix)]
        (Box::new(|plugins| std::os::unix::fs::symlink("nowhere", plugins.folder("x")).unwrap()), "x", "is a link to nowhere, where nothing is: remove or correct the link".to_owned()),
    ];
    for (make, path, expected) in cases {
        let plugins = Plugins::new();
        plugins.add("calc", "plugin-calc", &[]);
        make(&plugins);
        let (loaded, failures, text) = plugins.fail(&runtime());
        assert_eq!(loaded, ["calc"]);
        assert!(matches!(failures[..], [RuntimeError::Manifest(ManifestError::Missing { .. })]), "{failures:?}");
        assert!(text.starts_with(&format!("  {}: no bundle there: ", plugins.folder(path).display())), "{text}");
        assert!(text.contains(&expected), "{text}\n{expected}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}

/// The superuser may read anything, so a process of another user looks.
#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_read_is_named() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;

    use polyplug_tests::child;

    if !child::is_child() {
        let mut command = child::again("a_folder_that_may_not_be_read_is_named");
        let is_superuser =
            std::fs::metadata("/proc/self").is_ok_and(|found| std::os::unix::fs::MetadataExt::uid(&found) == 0);
        if is_superuser {
            command.uid(65534).env("TMPDIR", "/tmp");
        }
        let output = match command.output() {
            Ok(output) => output,
            // The other user may not run this program where it lies.
            Err(error) if is_superuser => return eprintln!("skipped: {error}"),
            Err(error) => panic!("{error}"),
        };
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
        return;
    }
    let plugins = Plugins::new();
    let allow = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    for mode in [0o000, 0o444] {
        let closed = plugins.folder("closed");
        std::fs::create_dir(&closed).unwrap();
        allow(&closed, mode);
        let (_, _, text) = plugins.fail(&runtime());
        assert!(text.contains("closed") && text.contains("it cannot be read: Permission denied"), "{text}");
        assert!(text.contains("give the program's user the permission to read it"), "{text}");
        allow(&closed, 0o755);
        std::fs::remove_dir(&closed).unwrap();
    }
    allow(plugins.0.path(), 0o000);
    let error = runtime().load_dir(plugins.0.path()).into_result().unwrap_err();
    allow(plugins.0.path(), 0o755);
    assert!(matches!(error, RuntimeError::DirectoryUnreadable { .. }), "{error}");
    assert!(error.to_string().contains("give the program's user the permission to read it"), "{error}");
}

/// `load_dir` where `load_bundle` is meant, and the other way round.
#[test]
fn the_other_function_is_named() {
    let plugins = Plugins::new();
    plugins.add("calc", "plugin-calc", &[]);
    let runtime = runtime();
    let error = runtime.load_dir(plugins.folder("calc")).into_result().unwrap_err();
    let RuntimeError::NoDirectory { found, .. } = &error else { panic!("{error}") };
    assert_eq!(**found, FoundInstead::Bundle, "{error}");
    assert!(error.to_string().contains("it is a bundle itself: load it with `Runtime::load_bundle`"), "{error}");
    for error in [runtime.load_bundle(plugins.0.path()).unwrap_err(), {
        let runtime = Runtime::builder().loader(NativeLoader::new()).hot_reload(true).build().unwrap();
        runtime.reload_bundle(plugins.0.path()).unwrap_err()
    }] {
        let text = error.to_string();
        assert!(text.contains("bundles in it, `calc`: load them with `Runtime::load_dir` of this folder"), "{text}");
    }
    runtime.load_bundle(plugins.folder("calc").join("manifest.toml")).unwrap();
}

/// `load_bundle` and `reload_bundle` say the same of a folder as `load_dir` does.
#[test]
fn one_bundle_says_what_is_there_instead() {
    let bundle = Bundle::empty();
    let runtime = Runtime::builder().loader(NativeLoader::new()).hot_reload(true).build().unwrap();
    let check = |path: &std::path::Path, expected: &str| {
        for error in [runtime.load_bundle(path).unwrap_err(), runtime.reload_bundle(path).unwrap_err()] {
            assert!(error.to_string().contains(expected), "{error}\n{expected}");
        }
    };
    check(bundle.path(), "the folder is empty: a bundle is a folder with a manifest.toml");
    bundle.write("numbers.csv", "1");
    check(bundle.path(), "the folder has nothing of a bundle: a bundle is a folder with a manifest.toml");
    bundle.write("main.py", "");
    check(bundle.path(), "the folder has `main.py`, but no manifest");
    check(&bundle.path().join("main.py"), "main.py: no bundle there: a file alone is no bundle");
    bundle.write("manifest.tml", manifest("calc", "native", "plugin"));
    check(bundle.path(), "the folder has `manifest.tml`: if that is the bundle's manifest, rename it");
}

/// A path that does not exist says which part of it does, and what is near.
#[test]
fn a_missing_path_says_how_far_it_goes() {
    let plugins = Plugins::new();
    plugins.add("calc", "plugin-calc", &[]);
    let (runtime, root) = (runtime(), plugins.0.path().display());
    for (path, expected) in [
        ("clac", format!("{root} has no `clac` (did you mean `calc`?)")),
        // Windows finds it.
        #[cfg(not(windows))]
        ("CALC", format!("{root} has no `CALC` (did you mean `calc`?)")),
        ("clac/deep/er", format!("{root} has no `clac` (did you mean `calc`?)")),
        ("something", format!("{root} has no `something`: correct the path, or make the folder")),
    ] {
        for error in [
            runtime.load_bundle(plugins.folder(path)).unwrap_err(),
            runtime.load_dir(plugins.folder(path)).into_result().unwrap_err(),
        ] {
            assert!(error.to_string().contains(&expected), "{error}\n{expected}");
            assert!(error.to_string().contains(&*plugins.folder(path).to_string_lossy()), "{error}");
        }
    }
    plugins.0.write("notes.csv", "");
    for (error, expected) in [
        (
            runtime.load_bundle(plugins.folder("notes.csv")).unwrap_err(),
            "notes.csv: no bundle there: it is a file: a bundle is a folder",
        ),
        (
            runtime.load_dir(plugins.folder("notes.csv")).into_result().unwrap_err(),
            "no folder of bundles there: it is a file: a bundle",
        ),
    ] {
        assert!(error.to_string().contains(expected), "{error}");
    }
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
    assert_eq!(runtime.load_dir(plugins.0.path()).into_result().unwrap().names(), ["caller"]);
    let report = runtime.load_dir(plugins.0.path());
    assert!(report.loaded.is_empty());
    let failures = report.problems;
    assert!(matches!(&failures[..], [RuntimeError::AlreadyLoaded { bundle }] if bundle == "caller"), "{failures:?}");
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let path = std::path::absolute("/no/such/folder").unwrap();
    let (shown, root) = (path.display(), path.ancestors().last().unwrap().display());
    let error = runtime().load_dir(&path).into_result().unwrap_err();
    assert!(matches!(error, RuntimeError::NoDirectory { .. }), "{error:?}");
    let expected = format!("{shown}: no folder of bundles there: {root} has no `no`");
    assert!(error.to_string().starts_with(&expected), "{error}");
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
fn two_bundles_of_a_name_are_both_refused() {
    let plugins = Plugins::new();
    plugins.add_in("one", "calc", "plugin-calc", &[]).add_in("two", "calc", "plugin-calc", &[]);
    plugins.add("other", "plugin-reload-one", &[]);
    let (loaded, failures, text) = plugins.fail(&runtime());
    assert_eq!(loaded, ["other"]);
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
