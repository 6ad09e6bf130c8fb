//! Python's standard library gives the same in a bundle as in a program of the same Python: the same cases run in both.

use polyplug_python::PythonLoader;
use polyplug_tests::lua::run;
use polyplug_tests::python::{cases, program, python_runtime};
use polyplug_tests::{child, manifest};

#[test]
fn it_gives_the_same_in_a_bundle_as_in_a_program() {
    if !child::alone("it_gives_the_same_in_a_bundle_as_in_a_program") {
        return;
    }
    cases::compare("stdlib", PythonLoader::new(), &program(), 80);
}

#[test]
fn it_gives_the_same_in_a_pack_as_in_a_program() {
    if !child::alone("it_gives_the_same_in_a_pack_as_in_a_program") {
        return;
    }
    let of_files = ["configured_logging", "run_path", "spec_from_file"];
    cases::compare_packed("stdlib", PythonLoader::new(), &program(), 80, &of_files);
}

/// The variables that tell a program its locale, and its encoding.
const LOCALES: &[(&str, &str)] = &[("LC_ALL", "C"), ("LC_ALL", "POSIX"), ("LC_ALL", "de_DE.ISO-8859-1"), ("LANG", "C")];

#[test]
fn text_is_utf_8_in_every_locale() {
    let name = "text_is_utf_8_in_every_locale";
    if !child::is_child() {
        for (variable, value) in LOCALES {
            let mut command = child::again(name);
            for unset in ["LC_ALL", "LC_CTYPE", "LANG", "PYTHONUTF8", "PYTHONIOENCODING"] {
                command.env_remove(unset);
            }
            let output = command.env(variable, value).env("PYTHONUTF8", "0").output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{variable}={value}: {text}");
        }
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("b\u{fc}ndel \u{20ac}");
    cases::copy("stdlib", &bundle);
    std::fs::write(bundle.join("manifest.toml"), manifest("python", "python", "main.py")).unwrap();
    std::fs::write(bundle.join("gr\u{f6}\u{df}e.py"), "text = 'm \u{e4}\u{20ac}'\n").unwrap();
    std::fs::write(bundle.join("reads.py"), READS).unwrap();
    std::fs::write(bundle.join("main.py"), "import reads\nfrom polyplug import plugin\n\n@plugin('test.script@1')\nclass A:\n    def run(self, name): return str(getattr(reads, name)())\n").unwrap();
    let runtime = python_runtime(PythonLoader::new());
    runtime.load_bundle(&bundle).unwrap();
    for (name, expected) in [
        ("module", "m \u{e4}\u{20ac}"),
        ("written", "['\u{e4}\u{1f600}', '\u{fc}.txt']"),
        ("process", "\u{e9}"),
        ("argument", "\u{20ac}"),
        ("encodings", "['utf-8', 'utf-8', 'utf-8', 'utf-8', 'utf-8']"),
        ("environment", "\u{e4}"),
        ("time", "\u{e4} 1970"),
        ("resource", "h\u{e4}llo"),
    ] {
        assert_eq!(run(&runtime, name).as_deref(), Ok(expected), "{name}");
    }
}

const READS: &str = r#"
import importlib.resources, locale, os, pathlib, subprocess, sys, tempfile, time

def module():
    import größe
    return größe.text

def written():
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "ü.txt"), "w") as file:
            file.write("ä\U0001f600")
        return [pathlib.Path(folder, "ü.txt").read_text(), *os.listdir(folder)]

def process():
    return subprocess.run(["echo", "é"], text=True, capture_output=True).stdout.strip()

def argument():
    code = "import sys; sys.stdout.buffer.write(sys.argv[1].encode())"
    return subprocess.run([sys.executable, "-X", "utf8", "-c", code, "€"], capture_output=True).stdout.decode()

def encodings():
    names = [sys.getfilesystemencoding(), sys.stdout.encoding, sys.stderr.encoding, sys.stdin.encoding, locale.getpreferredencoding()]
    return [name.lower() for name in names]

def environment():
    os.environ["POLYPLUG_TEST_TEXT"] = "ä"
    return os.environb[b"POLYPLUG_TEST_TEXT"].decode("utf-8")

def time():
    import time
    return time.strftime("ä %Y", time.gmtime(0))

def resource():
    import pkg
    return importlib.resources.files(pkg).joinpath("data/a.txt").read_text().strip()
"#;
