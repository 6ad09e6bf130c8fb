//! Virtual environments of bundles in Python: packages from PyPI, parts in C as well, shared in the process.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use polyplug::error::RuntimeError;
use polyplug::{BundleId, Runtime};
use polyplug_python::PythonLoader;
use polyplug_tests::lua::{Script, run};
use polyplug_tests::python::{
    Row, Rows, SCRIPT, ask, cases, load_python, loaded, loaded_by, program, python_bundle, python_runtime,
};
use polyplug_tests::{Bundle, child, without};

const OWN: &str = "[python]\nvenv = \".venv\"\n";

/// The interpreter's own version, `3.11`.
fn version() -> String {
    drop(loaded(SCRIPT)); // starts it
    ask("'%d.%d' % sys.version_info[:2]")
}

const NEEDED: &str = "these tests make a virtual environment and install packages from PyPI. Install what Python lacks (on Debian: \
                      apt install python3-venv) and let pip reach PyPI, or do without them: POLYPLUG_TESTS_WITHOUT=venv";

fn done(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}: {NEEDED}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {text}\n{NEEDED}");
}

/// An environment with numpy, made once in a run of this file; `None` if the tests are to do without.
fn numpy() -> Option<&'static Path> {
    static MADE: OnceLock<Option<PathBuf>> = OnceLock::new();
    MADE.get_or_init(|| kept("numpy", &["numpy"])).as_deref()
}

/// Makes an environment with packages from PyPI, unless an earlier run has made it; `None` if the tests are to do
/// without.
fn kept(name: &str, packages: &[&str]) -> Option<PathBuf> {
    if without("venv") {
        return None;
    }
    // It takes time, so that it stays for the next run; the version of Python is in the name.
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", version()));
    let lock = std::fs::File::create(kept.with_file_name(format!("{name}-{}.lock", version()))).unwrap();
    lock.lock().unwrap();
    if kept.join("complete").is_file() {
        return Some(kept);
    }
    let _ = std::fs::remove_dir_all(&kept);
    done(Command::new(program()).args(["-m", "venv"]).arg(&kept));
    let pip = kept.join("bin").join("python");
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    done(Command::new(pip).args(install).args(packages));
    std::fs::write(kept.join("complete"), "").unwrap();
    Some(kept)
}

/// An environment with widely used packages, made once in a run of this file; `None` if the tests are to do without.
fn packages() -> Option<&'static Path> {
    static MADE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let names = ["pydantic", "attrs", "certifi", "click", "jinja2", "pyyaml", "pytest", "six", "cloudpickle", "tqdm"];
    MADE.get_or_init(|| kept("packages", &names)).as_deref()
}

/// An environment of this version of Python with these files, made by hand.
fn environment(version: &str, files: &[(&str, &str)]) -> tempfile::TempDir {
    let made = tempfile::tempdir().unwrap();
    fill(made.path(), version, files);
    made
}

fn fill(place: &Path, version: &str, files: &[(&str, &str)]) {
    let site = place.join(format!("lib/python{version}/site-packages"));
    std::fs::create_dir_all(&site).unwrap();
    std::fs::write(place.join("pyvenv.cfg"), format!("home = /usr/bin\nversion = {version}.1\n")).unwrap();
    for (name, text) in files {
        let path = site.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// A bundle with an environment of its own.
fn bundle(name: &str, files: &[(&str, &str)]) -> Bundle {
    let bundle = python_bundle(name, OWN, &[]);
    fill(&bundle.path().join(".venv"), &version(), files);
    bundle
}

#[track_caller]
fn run_in(runtime: &Runtime, bundle: &str, code: &str) -> Result<String, String> {
    runtime.proxy_from::<dyn Script>(BundleId::new(bundle)).unwrap().run(code).map_err(|error| error.to_string())
}

/// Numbers.
#[polyplug::contract(name = "test.arrays", version = "1.0")]
pub trait Arrays {
    /// The sum.
    fn sum(&self, x: &[f64]) -> f64;
    /// How many.
    fn count(&self, x: &[f64]) -> i64;
    /// Whether any is not 0.
    fn any(&self, x: &[f64]) -> bool;
    /// Twice each.
    fn twice(&self, x: &[f64]) -> Vec<f64>;
    /// Integers up to this.
    fn upto(&self, x: u16) -> Vec<u16>;
    /// The bytes of one.
    fn bytes(&self, x: f64) -> Vec<u8>;
    /// Which module that is.
    fn module(&self) -> u64;
}

const ARRAYS: &str = r#"
import numpy as np
from polyplug import plugin

@plugin("test.arrays@1")
class Arrays:
    def sum(self, x):
        result = np.array(x).sum()
        assert type(result) is np.float64
        return result
    def count(self, x): return np.int64(len(x))
    def any(self, x): return np.array(x).any()
    def twice(self, x): return np.array(x) * 2
    def upto(self, x): return np.arange(x, dtype=np.uint16)
    def bytes(self, x): return np.float64(x).tobytes()
    def module(self): return id(np)
"#;

fn check(arrays: &ArraysProxy) {
    assert_eq!(arrays.sum(&[1.0, 2.5, 3.0]), Ok(6.5));
    assert_eq!(arrays.count(&[1.0, 2.5]), Ok(2));
    assert_eq!((arrays.any(&[0.0, 1.0]), arrays.any(&[0.0])), (Ok(true), Ok(false)));
    assert_eq!(arrays.twice(&[1.0, 2.5]), Ok(vec![2.0, 5.0]));
    assert_eq!(arrays.upto(4), Ok(vec![0, 1, 2, 3]));
    assert_eq!(arrays.bytes(1.5), Ok(1.5_f64.to_ne_bytes().to_vec()));
}

#[test]
fn numpy_in_an_environment_of_the_bundles_own() {
    let Some(kept) = numpy() else { return };
    if !child::alone("numpy_in_an_environment_of_the_bundles_own") {
        return;
    }
    let bundle = python_bundle("arrays", OWN, &[("main.py", ARRAYS)]);
    // A real folder of the bundle, whose contents are shared with other tests.
    let own = bundle.path().join(".venv");
    std::fs::create_dir(&own).unwrap();
    for entry in std::fs::read_dir(kept).unwrap().map(Result::unwrap) {
        std::os::unix::fs::symlink(entry.path(), own.join(entry.file_name())).unwrap();
    }
    let runtime = Runtime::builder().loader(PythonLoader::new()).hot_reload(true).build().unwrap();
    let id = runtime.load_bundle(bundle.path()).unwrap();
    let arrays = runtime.proxy::<dyn Arrays>().unwrap();
    check(&arrays);
    let module = arrays.module().unwrap();
    assert!(ask("sys.modules['numpy'].__file__").contains(".venv"), "{}", ask("sys.modules['numpy'].__file__"));
    for _ in 0..5 {
        runtime.reload_bundle(bundle.path()).unwrap();
        check(&arrays);
        assert_eq!(arrays.module(), Ok(module), "it is loaded once");
    }
    drop(arrays);
    for _ in 0..3 {
        assert!(runtime.unload_bundle(id).unwrap().reclaimed);
        // The proxy held an earlier version, which another thread closes.
        assert_eq!(runtime.quiesce(Duration::from_secs(60)), []);
        assert_eq!(ask("[n for n in sys.modules if n.startswith('numpy')]"), "[]");
        assert_eq!(ask("[str(f) for f in sys.meta_path if 'Packages' in str(f)]"), "[]");
        runtime.load_bundle(bundle.path()).unwrap();
        let arrays = runtime.proxy::<dyn Arrays>().unwrap();
        check(&arrays);
        assert_eq!(arrays.module(), Ok(module), "its parts in C cannot be loaded again");
    }
}

#[test]
fn numpy_in_an_environment_that_bundles_share() {
    let Some(kept) = numpy() else { return };
    if !child::alone("numpy_in_an_environment_that_bundles_share") {
        return;
    }
    let runtime = python_runtime(PythonLoader::new().with_venv(kept));
    load_python(&runtime, "arrays", ARRAYS);
    load_python(&runtime, "script", SCRIPT);
    let arrays = runtime.proxy::<dyn Arrays>().unwrap();
    check(&arrays);
    let code = "import numpy, importlib.metadata\nassert importlib.metadata.version('numpy') == numpy.__version__\n\
                return id(numpy)";
    assert_eq!(run(&runtime, code), Ok(arrays.module().unwrap().to_string()));
    // As on several threads at once.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..50).for_each(|_| check(&arrays)));
        }
    });
    // One goes, the other stays.
    drop(arrays);
    runtime.unload_bundle(BundleId::new("arrays")).unwrap();
    assert_eq!(run(&runtime, "import numpy\nreturn numpy.arange(3).sum()"), Ok("3".to_owned()));
    let error = run(&runtime, "import absent_package").unwrap_err().to_string();
    let expected = format!("the virtual environment {}", kept.canonicalize().unwrap().display());
    assert!(error.contains(&expected) && error.contains("bin/python -m pip install"), "{error}");
}

#[test]
fn packages_give_the_same_in_a_bundle_as_in_a_program() {
    let Some(kept) = packages() else { return };
    if !child::alone("packages_give_the_same_in_a_bundle_as_in_a_program") {
        return;
    }
    cases::compare("packages", PythonLoader::new().with_venv(kept), &kept.join("bin/python"), 11);
}

#[test]
fn records_may_be_objects_of_packages() {
    let Some(kept) = packages() else { return };
    if !child::alone("records_may_be_objects_of_packages") {
        return;
    }
    let code = "import attrs, pydantic, typing\nfrom polyplug import plugin\n\n\
                class Model(pydantic.BaseModel):\n    name: str\n    size: int\n    note: typing.Optional[str] = None\n\n\
                @attrs.define\nclass Box:\n    name: str\n    size: int\n    note: object = None\n\n\
                @plugin('test.rows@1')\nclass Rows(pydantic.BaseModel):\n    count: int = 1\n\n    \
                def rows(self, form): return [Model(name='x', size=3), Box('x', 3)]\n\n    \
                def fails(self, color, shape, pair): pass\n";
    let runtime = loaded_by(PythonLoader::new().with_venv(kept), code);
    let row = Row { name: "x".to_owned(), size: 3, note: None };
    assert_eq!(runtime.proxy::<dyn Rows>().unwrap().rows(""), Ok(vec![row.clone(), row]));
}

#[test]
fn a_package_of_an_editable_install_by_code_is_told() {
    let files = [
        ("__editable__.my_dist-1.0.pth", "import __editable___my_dist_finder; __editable___my_dist_finder.install()\n"),
        (
            "__editable___my_dist_finder.py",
            "MAPPING = {'flat_package': '/nowhere/flat_package'}\ndef install(): pass\n",
        ),
    ];
    let bundle = bundle("python", &files);
    let runtime = python_runtime(PythonLoader::new());
    runtime.load_bundle(bundle.path()).unwrap();
    let error = run(&runtime, "import flat_package").unwrap_err().to_string();
    for part in ["__editable__.my_dist-1.0.pth would make it known by code, which is not run", "editable_mode=compat"] {
        assert!(error.contains(part), "no {part} in: {error}");
    }
    let error = run(&runtime, "import another_package").unwrap_err().to_string();
    assert!(error.contains("install what has it: "), "{error}");
}

#[test]
fn packages_of_the_environment_come_before_those_of_python_itself() {
    if !child::alone("packages_of_the_environment_come_before_those_of_python_itself") {
        return;
    }
    // A folder of packages beside the standard library, as `site` adds them to the search.
    let site = tempfile::tempdir().unwrap();
    for name in ["preferred_package", "only_there"] {
        std::fs::write(site.path().join(format!("{name}.py")), "text = 'of Python'\n").unwrap();
    }
    let runtime = python_runtime(PythonLoader::new());
    load_python(&runtime, "none", SCRIPT);
    run(&runtime, &format!("import sys\nsys.path.append({:?})", site.path().to_str().unwrap())).unwrap();
    let bundle = bundle("own", &[("preferred_package.py", "text = 'of the environment'\n"), ("json.py", "text = 1\n")]);
    runtime.load_bundle(bundle.path()).unwrap();
    for (code, expected) in [
        ("import preferred_package\nreturn preferred_package.text", "of the environment"),
        ("import only_there\nreturn only_there.text", "of Python"),
        ("import json\nreturn hasattr(json, 'text')", "False"),
    ] {
        assert_eq!(run_in(&runtime, "own", code).as_deref(), Ok(expected), "{code}");
    }
}

#[test]
fn packages_of_an_environment_are_found_and_removed_again() {
    if !child::alone("packages_of_an_environment_are_found_and_removed_again") {
        return;
    }
    let files = [
        ("greeting/__init__.py", "from . import words\nimport other\ntext = words.text + other.text\n"),
        ("greeting/words.py", "text = 'hello'\n"),
        ("other.py", "text = ' there'\n"),
        ("space/part.py", "text = 'a part'\n"),
        ("greeting-1.2.dist-info/METADATA", "Metadata-Version: 2.1\nName: greeting\nVersion: 1.2\n"),
        ("greeting-1.2.dist-info/entry_points.txt", "[some.group]\nfirst = greeting:text\n"),
        ("linked.pth", "# a comment\nimport os; os.environ['POLYPLUG_PTH'] = 'run'\nnested\nabsent\n"),
        ("nested/deep.py", "text = 'deep'\n"),
    ];
    let bundle = bundle("python", &files);
    bundle.write("other.py", "text = 'of the bundle'\n");
    let runtime = python_runtime(PythonLoader::new());
    let id = runtime.load_bundle(bundle.path()).unwrap();
    for (code, expected) in [
        ("import greeting\nreturn greeting.text", "hello there"),
        ("from greeting.words import text\nreturn text", "hello"),
        ("import other\nreturn other.text", "of the bundle"),
        ("import space.part\nreturn space.part.text", "a part"),
        ("import deep\nreturn deep.text", "deep"),
        ("import greeting\nreturn greeting.__name__", "greeting"),
        ("import importlib\nreturn importlib.import_module('greeting').text", "hello there"),
        ("from importlib.metadata import version\nreturn version('greeting')", "1.2"),
        (
            "from importlib.metadata import distribution\nfound = distribution('greeting').entry_points\nreturn [entry.load() for entry in found][0]",
            "hello there",
        ),
        ("from importlib.resources import files\nreturn (files('greeting') / 'words.py').is_file()", "True"),
        ("import os\nreturn os.environ.get('POLYPLUG_PTH')", "None"),
    ] {
        assert_eq!(run(&runtime, code).as_deref(), Ok(expected), "{code}");
    }
    assert_eq!(ask("'greeting' in sys.modules"), "True");
    runtime.unload_bundle(id).unwrap();
    for question in [
        "[n for n in ('greeting', 'greeting.words', 'other', 'space', 'space.part', 'deep') if n in sys.modules]",
        "[p for p in sys.path_importer_cache if '.venv' in p]",
        "[p for p in sys.path if '.venv' in p]",
        "[f for f in sys.meta_path if 'polyplug' in str(type(f).__module__)]",
    ] {
        assert_eq!(ask(question), "[]", "{question}");
    }
}

#[test]
fn a_new_package_is_there_after_a_reload() {
    let bundle = bundle("python", &[("first_package.py", "text = 'first'\n")]);
    let runtime = Runtime::builder().loader(PythonLoader::new()).hot_reload(true).build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    assert_eq!(run(&runtime, "import first_package\nreturn first_package.text").as_deref(), Ok("first"));
    assert!(run(&runtime, "import second_package").is_err());
    fill(&bundle.path().join(".venv"), &version(), &[("second_package.py", "text = 'second'\n")]);
    runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!(run(&runtime, "import second_package\nreturn second_package.text").as_deref(), Ok("second"));
}

#[test]
fn packages_of_one_name_in_two_environments_are_refused() {
    if !child::alone("packages_of_one_name_in_two_environments_are_refused") {
        return;
    }
    let one = bundle("one", &[("shared/__init__.py", "text = 'one'\n"), ("only_one.py", "text = 1\n")]);
    let two = bundle(
        "two",
        &[
            ("shared/__init__.py", "text = 'two'\n"),
            ("only_two.py", "import shared\ntext = shared.text\n"),
            ("late.py", "text = 'two'\n"),
        ],
    );
    fill(&one.path().join(".venv"), &version(), &[("late.py", "text = 'one'\n")]);
    let runtime = python_runtime(PythonLoader::new());
    let first = runtime.load_bundle(one.path()).unwrap();
    runtime.load_bundle(two.path()).unwrap();
    assert_eq!(run_in(&runtime, "one", "import shared\nreturn shared.text").as_deref(), Ok("one"));
    for code in ["import shared", "from shared import text", "import shared.part"] {
        let error = run_in(&runtime, "two", code).unwrap_err();
        for part in [
            "the package `shared` of bundle `two` is in ",
            &two.path().canonicalize().unwrap().join(".venv").display().to_string(),
            "and another bundle has loaded it from ",
            &one.path().canonicalize().unwrap().join(".venv").display().to_string(),
            "let the bundles share a virtual environment",
        ] {
            assert!(error.contains(part), "{code}: no {part} in: {error}");
        }
    }
    // Each finds its own first.
    assert_eq!(run_in(&runtime, "two", "import late\nreturn late.text").as_deref(), Ok("two"));
    assert!(run_in(&runtime, "one", "import late").unwrap_err().contains("the package `late` of bundle `one`"));
    // Nobody has what only the other has.
    assert_eq!(run_in(&runtime, "one", "import only_one\nreturn only_one.text").as_deref(), Ok("1"));
    let error = run_in(&runtime, "two", "import only_one").unwrap_err();
    assert!(error.contains("there is no module `only_one`"), "{error}");
    // When the first is gone, the second has the name.
    runtime.unload_bundle(first).unwrap();
    assert_eq!(run_in(&runtime, "two", "import shared\nreturn shared.text").as_deref(), Ok("two"));
    assert_eq!(run_in(&runtime, "two", "import only_two\nreturn only_two.text").as_deref(), Ok("two"));
}

#[test]
fn a_bundle_without_an_environment_has_no_packages() {
    let runtime = python_runtime(PythonLoader::new());
    let with = bundle("with", &[("mine_alone.py", "text = 'mine'\n"), ("mine_too.py", "")]);
    runtime.load_bundle(with.path()).unwrap();
    load_python(&runtime, "without", SCRIPT);
    for code in ["import mine_alone", "import importlib\nimportlib.import_module('mine_too')"] {
        assert!(run_in(&runtime, "without", code).unwrap_err().contains("ModuleNotFoundError"), "{code}");
    }
    assert_eq!(run_in(&runtime, "with", "import mine_alone\nreturn mine_alone.text").as_deref(), Ok("mine"));
    let error = run_in(&runtime, "without", "import mine_alone").unwrap_err();
    assert!(error.contains("there is no module `mine_alone`"), "{error}");
}

#[test]
fn what_is_no_environment_of_this_python_is_refused() {
    let runtime = python_runtime(PythonLoader::new());
    let refused = |runtime: &Runtime, bundle: &Bundle, parts: &[&str]| {
        let error = runtime.load_bundle(bundle.path()).unwrap_err();
        assert!(matches!(error, RuntimeError::Loader(_)), "{error:?}");
        let error = error.to_string();
        for part in parts {
            assert!(error.contains(part), "no {part} in: {error}");
        }
    };
    let version = version();
    let other = python_bundle("other", OWN, &[]);
    fill(&other.path().join(".venv"), "3.5", &[]);
    refused(
        &runtime,
        &other,
        &["bundle `other`", ".venv is for Python 3.5.1, and this is Python", "-m venv", &version],
    );
    let none = python_bundle("none", OWN, &[(".venv/readme.txt", "")]);
    refused(&runtime, &none, &["bundle `none`", ".venv is no virtual environment, it has no pyvenv.cfg", "-m venv"]);
    let absent = python_bundle("absent", OWN, &[]);
    refused(&runtime, &absent, &["bundle `absent`", ".venv", "no"]);
    let outside = python_bundle("outside", "[python]\nvenv = \"../venv\"\n", &[]);
    let error = runtime.load_bundle(outside.path()).unwrap_err().to_string();
    assert!(
        error.contains("../venv is no folder of the bundle") && error.contains("PythonLoader::with_venv"),
        "{error}"
    );
    // Nothing of these is in the way of one that is right.
    let right = bundle("right", &[("fine_package.py", "text = 'fine'\n")]);
    runtime.load_bundle(right.path()).unwrap();
    assert_eq!(run(&runtime, "import fine_package\nreturn fine_package.text").as_deref(), Ok("fine"));
}

#[test]
fn the_hosts_environment_is_for_those_that_name_none() {
    let shared = environment(&version(), &[("whose.py", "text = 'the host'\n"), ("hosts.py", "text = 'h'\n")]);
    let runtime = loaded_by(PythonLoader::new().with_venv(shared.path()), SCRIPT);
    assert_eq!(run(&runtime, "import hosts\nreturn hosts.text").as_deref(), Ok("h"));
    let own = bundle("own", &[("whose.py", "text = 'the bundle'\n")]);
    runtime.load_bundle(own.path()).unwrap();
    assert_eq!(run_in(&runtime, "own", "import whose\nreturn whose.text").as_deref(), Ok("the bundle"));
    assert!(run_in(&runtime, "own", "import hosts").is_err());
    // One that is none is told to whoever needs it.
    let runtime = python_runtime(PythonLoader::new().with_venv("/nowhere/at/all"));
    let plain = python_bundle("plain", "", &[]);
    let error = runtime.load_bundle(plain.path()).unwrap_err().to_string();
    assert!(error.contains("/nowhere/at/all is no virtual environment"), "{error}");
}

#[test]
fn an_environment_of_the_bundles_own_is_not_signed() {
    use polyplug::signature::{SecretKey, SignaturePolicy, sign_bundle};
    let key = SecretKey::from_bytes([1; 32]);
    let bundle = bundle("python", &[]);
    let signed = sign_bundle(bundle.path(), &key);
    let builder = Runtime::builder().signatures(SignaturePolicy::Require).trust(key.public_key());
    let runtime = builder.loader(PythonLoader::new()).build().unwrap();
    let error = match signed {
        Err(error) => error.to_string(),
        Ok(_) => runtime.load_bundle(bundle.path()).unwrap_err().to_string(),
    };
    assert!(error.contains("\".venv\"") && error.contains("uses the bundle's folder"), "{error}");
    // The host's is trusted like the host.
    let shared = environment(&version(), &[("of_the_host.py", "text = 'h'\n")]);
    let bundle = python_bundle("python", "", &[]);
    sign_bundle(bundle.path(), &key).unwrap();
    let builder = Runtime::builder().signatures(SignaturePolicy::Require).trust(key.public_key());
    let runtime = builder.loader(PythonLoader::new().with_venv(shared.path())).build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    assert_eq!(run(&runtime, "import of_the_host\nreturn of_the_host.text").as_deref(), Ok("h"));
}
