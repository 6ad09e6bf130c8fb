//! The host in C of `examples/c` is compiled as its README says, runs bundles of either language, replaces and unloads
//! them, says what is wrong, and leaks nothing.
//!
//! The names of these tests begin alike, so that a sanitizer's run can leave them out: the host is compiled without it, and
//! cannot load what is compiled with it.
#![cfg(unix)]

use std::env::consts::DLL_SUFFIX;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use polyplug_tests::{Bundle, SHARED, compile_c, library, manifest};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn example(file: &str) -> PathBuf {
    root().join("examples/c").join(file)
}

/// The folder of the C library.
fn library_folder() -> PathBuf {
    library("polyplug-loaders").parent().unwrap().to_owned()
}

/// Whether the C library would be found in `folder`, or whether that is none.
fn has_the_library(folder: &Path) -> bool {
    folder.as_os_str().is_empty() || folder.join(library("polyplug-loaders").file_name().unwrap()).exists()
}

/// The option with which the compiler finds the header.
fn include() -> String {
    format!("-I{}", root().join("loaders/all/include").display())
}

/// The host, in a folder of its own. It looks for the C library in `library_folder`.
struct Host {
    folder: Bundle,
}

impl Host {
    fn looking_in(library_folder: &Path) -> Self {
        let folder = Bundle::empty();
        let (include, linked) = (include(), library("polyplug-loaders"));
        let run_path = format!("-Wl,-rpath,{}", library_folder.display());
        let options = [include.as_str(), "-Wpedantic", "-g", linked.to_str().unwrap(), &run_path];
        compile_c(example("host.c"), &options, &folder.path().join("host"));
        Self { folder }
    }

    fn new() -> Self {
        Self::looking_in(&library_folder())
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("host")
    }

    fn run(&self, arguments: &[&Path]) -> Output {
        let mut host = Command::new(self.path());
        host.args(arguments);
        for variable in ["LD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"] {
            // Without cargo's, in which the library would be found anyway. What it is linked with may lie in others.
            let set = std::env::var_os(variable).unwrap_or_default();
            let others: Vec<_> = std::env::split_paths(&set).filter(|folder| !has_the_library(folder)).collect();
            host.env_remove(variable);
            if !others.is_empty() {
                host.env(variable, std::env::join_paths(others).unwrap());
            }
        }
        host.output().unwrap()
    }

    /// Runs the host, which must fail; what it printed before, and why it ended. What the log says of the bundle is left
    /// out.
    #[track_caller]
    fn fails(&self, arguments: &[&Path]) -> (String, String) {
        let output = self.run(arguments);
        let (printed, said) = (text(&output.stdout), text(&output.stderr));
        let said: String = said.split_inclusive('\n').filter(|line| !line.starts_with("[greeter] ")).collect();
        assert_eq!(output.status.code(), Some(1), "{printed}{said}");
        assert_eq!(said.matches('\n').count(), 1, "one line: {said}");
        (printed, said)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The bundle `greeter` with the plugin in C, which greets with `greeting`.
fn in_c(greeting: &str) -> Bundle {
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", std::fs::read(example("greeter/manifest.toml")).unwrap());
    let (include, define) = (include(), format!("-DGREETING=\"{greeting}\""));
    let options = [SHARED, &[&include, &define, "-Wpedantic"]].concat();
    compile_c(example("plugin.c"), &options, &bundle.path().join(format!("libgreeter{DLL_SUFFIX}")));
    bundle
}

/// What the host prints: greetings of two versions, and with what each of them refuses.
fn printed(refused: [&str; 2]) -> String {
    let calls = |greeting: &str, refused: &str| {
        format!("2 + 3 = 5\n{greeting}, Ada.\n{greeting}, Grace.\ngreeted so far: 2\nrefused, with error {refused}\n")
    };
    [
        &calls("Good morning", refused[0]),
        "[preparing: greeter]\n[reloaded: greeter]\n",
        &calls("Good evening", refused[1]),
        "greeted so far: 0\n[unloading: greeter]\n",
        "unloaded: the handle of slot 0 is stale: the provider is gone; look it up again\n",
        "versions whose code is still there: 0\n",
    ]
    .concat()
}

#[track_caller]
fn expect(output: &Output, refused: [&str; 2]) {
    assert_eq!(text(&output.stdout), printed(refused));
    // Nobody receives the log, so it goes to standard error: the panics of plugins in Rust.
    let said = text(&output.stderr);
    let panics = refused.into_iter().filter(|refused| *refused == BY_RUST).count();
    assert_eq!(said.lines().count(), panics, "{said}");
    let panic = "[greeter] error: plugin panic: the sum is too large (at ";
    assert!(said.lines().all(|line| line.starts_with(panic)), "{said}");
    assert_eq!(output.status.code(), Some(0));
}

const BY_RUST: &str = "3: the sum is too large";
const BY_C: &str = "256: the sum is too large";

#[test]
fn the_host_in_c_runs_and_replaces_plugins_in_rust() {
    let (one, two) = (Bundle::native("greeter", "plugin-greeter-one"), Bundle::native("greeter", "plugin-greeter-two"));
    expect(&Host::new().run(&[one.path(), two.path()]), [BY_RUST; 2]);
}

#[test]
fn the_host_in_c_replaces_one_language_by_another() {
    let (rust, c) = (Bundle::native("greeter", "plugin-greeter-one"), in_c("Good evening"));
    expect(&Host::new().run(&[rust.path(), c.path()]), [BY_RUST, BY_C]);
}

#[test]
#[cfg(target_os = "linux")] // whose file names the README uses
fn the_host_in_c_runs_as_its_readme_says() {
    let readme = std::fs::read_to_string(example("README.md")).unwrap();
    let blocks = |language: &str| -> Vec<String> {
        let fence = format!("\n```{language}\n");
        readme.split(&fence).skip(1).map(|block| block.split("\n```").next().unwrap().to_owned() + "\n").collect()
    };
    // Where things are built is this test's business; the library is there already.
    let (place, debug) = (Bundle::empty(), library_folder());
    let commands = blocks("sh").concat();
    let commands = commands.replace("\"$PWD/target/debug\"", "target/debug");
    let commands = commands.replace("target/c", place.path().to_str().unwrap());
    let commands = commands.replace("target/debug", debug.to_str().unwrap());
    let (build, commands) = commands.split_once('\n').unwrap();
    assert!(build.starts_with("cargo build -p polyplug-loaders "), "{build}");
    let mut shell = Command::new("sh");
    shell.args(["-eu", "-c", commands]).current_dir(root()).env_remove("LD_LIBRARY_PATH");
    let output = shell.output().unwrap();
    assert_eq!((text(&output.stdout), text(&output.stderr)), (blocks("text").pop().unwrap(), String::new()));
    assert!(output.status.success());
    expect(&output, [BY_C; 2]);
}

#[test]
#[cfg(target_os = "linux")]
fn the_host_in_c_leaks_nothing() {
    if polyplug_tests::without("valgrind") {
        return;
    }
    let host = Host::new();
    let run = |bundle: &Bundle, new_version: &Bundle, refused: [&str; 2]| {
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--quiet", "--error-exitcode=9", "--leak-check=full", "--errors-for-leak-kinds=definite"]);
        // What may be lost is in the way of what is.
        valgrind.args(["--show-leak-kinds=definite"]);
        let output = valgrind.arg(host.path()).arg(bundle.path()).arg(new_version.path()).output();
        let output = output.unwrap_or_else(|error| {
            panic!(
                "valgrind: {error}. Install it (on Debian: apt install valgrind), or do without what it finds: \
                 POLYPLUG_TESTS_WITHOUT=valgrind"
            )
        });
        expect(&output, refused);
    };
    run(&in_c("Good morning"), &in_c("Good evening"), [BY_C; 2]);
    let (one, two) = (Bundle::native("greeter", "plugin-greeter-one"), Bundle::native("greeter", "plugin-greeter-two"));
    run(&one, &two, [BY_RUST; 2]);
}

#[test]
fn the_host_in_c_says_what_cannot_be_loaded() {
    let host = Host::new();
    let bundle = Bundle::empty();
    let nowhere = bundle.path().join("nowhere");
    let (printed, said) = host.fails(&[&nowhere]);
    assert_eq!(printed, "");
    let reason = format!("{}: no bundle there", nowhere.join("manifest.toml").display());
    assert!(
        said.starts_with(&format!("host: cannot load the bundle: {reason}")) && said.ends_with(" (error 4)\n"),
        "{said}"
    );

    bundle.write("manifest.toml", manifest("greeter", "native", "greeter"));
    let (printed, said) = host.fails(&[bundle.path()]);
    assert_eq!(printed, "");
    let start = "host: cannot load the bundle: bundle `greeter`: ";
    let missing = bundle.path().join(format!("libgreeter{DLL_SUFFIX}"));
    assert!(said.starts_with(start) && said.contains(&*missing.to_string_lossy()), "{said}");
    assert!(said.ends_with(" (error 4)\n"), "{said}");

    bundle.write(&format!("libgreeter{DLL_SUFFIX}"), "not a library");
    let (printed, said) = host.fails(&[bundle.path()]);
    assert_eq!(printed, "");
    assert!(said.starts_with(start) && said.contains("not a shared library, but text"), "{said}");

    let other = Bundle::native("stamp", "plugin-reload-one");
    let (printed, said) = host.fails(&[other.path()]);
    assert_eq!(
        (printed.as_str(), said.as_str()),
        ("[unloading: stamp]\n", "host: the bundle does not provide example.greeter@1.0\n")
    );
}

#[test]
fn the_host_in_c_says_why_a_bundle_cannot_be_replaced() {
    let host = Host::new();
    let (bundle, other) = (in_c("Good morning"), Bundle::native("another", "plugin-greeter-two"));
    let (printed, said) = host.fails(&[bundle.path(), other.path()]);
    assert!(printed.starts_with("2 + 3 = 5\n"), "{printed}");
    let manifest_path = other.path().join("manifest.toml");
    let reason = format!("{}: bundle `another` is not loaded, so it cannot be reloaded", manifest_path.display());
    assert!(said.starts_with(&format!("host: cannot load the new version: {reason}")), "{said}");
    assert!(said.ends_with("(error 4)\n"), "{said}");

    let broken = Bundle::empty();
    broken.write("manifest.toml", manifest("greeter", "native", "greeter"));
    broken.write(&format!("libgreeter{DLL_SUFFIX}"), "");
    let (printed, said) = host.fails(&[bundle.path(), broken.path()]);
    assert!(printed.ends_with("[preparing: greeter]\n[failed: greeter]\n[unloading: greeter]\n"), "{printed}");
    assert!(
        said.starts_with("host: cannot load the new version: bundle `greeter`: ") && said.contains("empty"),
        "{said}"
    );
}

#[test]
fn the_host_in_c_says_that_a_handle_is_stale() {
    let (bundle, without_it) = (in_c("Good morning"), Bundle::native("greeter", "plugin-reload-two"));
    let (printed, said) = Host::new().fails(&[bundle.path(), without_it.path()]);
    assert!(printed.ends_with("[reloaded: greeter]\n[unloading: greeter]\n"), "{printed}");
    assert!(said.starts_with("host: add: ") && said.contains("stale") && said.ends_with(" (error 5)\n"), "{said}");
}

#[test]
fn the_host_in_c_needs_arguments() {
    let output = Host::new().run(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).starts_with("usage: ") && output.stdout.is_empty());
}

#[test]
#[cfg(target_os = "linux")]
fn the_host_in_c_does_not_start_without_the_library() {
    let elsewhere = Bundle::empty();
    let output = Host::looking_in(elsewhere.path()).run(&[elsewhere.path()]);
    let said = text(&output.stderr);
    assert!(!output.status.success());
    // By its name: that it was linked by its path is forgotten.
    assert!(said.contains("loading shared libraries: libpolyplug_loaders.so: "), "{said}");

    let copy = elsewhere.path().join("libpolyplug_loaders.so");
    std::fs::copy(library("polyplug-loaders"), copy).unwrap();
    let output = Host::looking_in(elsewhere.path()).run(&[elsewhere.path()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("host: cannot load the bundle: "), "{output:?}");
}
