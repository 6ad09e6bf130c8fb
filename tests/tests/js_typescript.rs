//! Plugins in TypeScript: the output of its compilers is loaded as it is, and errors name the sources.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use polyplug::{CallError, Runtime};
use polyplug_js::JsLoader;
use polyplug_tests::{manifest, without};
use test_contracts::{Calculator, MathError};

/// Returns the folder with the fixture, built once by all compilers, or `None` where the tests are to do without npm.
fn built() -> Option<PathBuf> {
    if without("npm") {
        return None;
    }
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("typescript");
    let to = Path::new(env!("CARGO_TARGET_TMPDIR")).join("typescript");
    fs::create_dir_all(&to).unwrap();
    // Each test is a process of its own, and the first one builds.
    let lock = fs::File::create(to.join("lock")).unwrap();
    lock.lock().unwrap();
    let sources = [
        "package.json",
        "package-lock.json",
        "build.mjs",
        "tsconfig.json",
        "polyplug.d.ts",
        "src/main.ts",
        "src/lib/math.ts",
    ];
    let texts: Vec<_> = sources.iter().map(|name| fs::read_to_string(from.join(name)).unwrap()).collect();
    let stamp = to.join("stamp");
    if fs::read_to_string(&stamp).ok() != Some(texts.concat()) {
        for (name, text) in sources.iter().zip(&texts) {
            fs::create_dir_all(to.join(name).parent().unwrap()).unwrap();
            fs::write(to.join(name), text).unwrap();
        }
        run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&to));
        run(Command::new("node").args(["build.mjs", "--out", "out"]).current_dir(&to));
        fs::write(&stamp, texts.concat()).unwrap();
    }
    Some(to.join("out"))
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| {
        panic!(
            "{}: {error}: these tests need Node.js and npm (on Debian: apt install nodejs npm)",
            command.get_program().display()
        )
    });
    assert!(output.status.success(), "{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr));
}

/// Loads what a compiler has made, in a bundle `typed`.
fn load(compiler: &str) -> Option<(Arc<Runtime>, tempfile::TempDir)> {
    let built = built()?.join(compiler);
    let folder = tempfile::TempDir::new().unwrap();
    copy(&built.join("dist"), &folder.path().join("dist"));
    fs::write(folder.path().join("manifest.toml"), manifest("typed", "js", "dist/main.js")).unwrap();
    let runtime = Runtime::builder().loader(JsLoader::new()).build().unwrap();
    runtime.load_bundle(folder.path()).unwrap_or_else(|error| panic!("{compiler}: {error}"));
    Some((runtime, folder))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() { copy(&entry.path(), &to) } else { _ = fs::copy(entry.path(), to).unwrap() }
    }
}

/// Checks that the output of a compiler serves, and that an error names the line of the source that throws.
fn serves(compiler: &str) {
    let Some((runtime, _folder)) = load(compiler) else { return };
    let calc = runtime.proxy::<dyn Calculator>().unwrap();
    assert_eq!((calc.add(2, 3), calc.greet("Zoë")), (Ok(5), Ok("Hello, Zoë!".to_owned())));
    assert_eq!((calc.divide(7, 2), calc.sum(&[250, 10])), (Ok(Ok(3)), Ok(260)));
    assert_eq!(calc.divide(1, 0), Ok(Err(MathError::DivisionByZero)));
    let answer = calc.greet("");
    let Err(CallError::Exception(failure)) = &answer else { panic!("{compiler}: {answer:?}") };
    assert_eq!(failure.message, "RangeError: a name is needed");
    let source = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("typescript/src/lib/math.ts")).unwrap();
    let line = 1 + source.lines().position(|line| line.contains("throw new RangeError")).unwrap();
    let place = format!("src/lib/math.ts:{line}");
    assert_eq!(failure.location.as_deref(), Some(format!("typed/{place}").as_str()), "{compiler}: {failure:?}");
    let traceback = failure.traceback.as_deref().unwrap();
    assert!(traceback.contains(&place) && traceback.contains("typed/src/main.ts:"), "{compiler}: {traceback}");
}

macro_rules! compilers {
    ($($test:ident: $compiler:literal;)+) => {$(
        #[test]
        fn $test() {
            serves($compiler);
        }
    )+};
}

compilers! {
    tsc_with_maps_beside: "tsc";
    tsc_with_maps_inline: "tsc-inline";
    esbuild_with_a_map_beside: "esbuild";
    esbuild_with_a_map_inline: "esbuild-inline";
    esbuild_minified: "esbuild-minified";
    rollup_with_a_map_beside: "rollup";
    rollup_with_a_map_inline: "rollup-inline";
}
