//! Modules of bundles in Python: each bundle's own, under private names, and gone when the bundle goes.

use std::sync::Arc;

use polyplug::{BundleId, CallError, Runtime};
use polyplug_python::PythonLoader;
use polyplug_tests::lua::{Script, run};
use polyplug_tests::python::{SCRIPT, ask, loaded, python_bundle, python_runtime};
use polyplug_tests::{Bundle, child, manifest};

fn load(bundle: &Bundle) -> Arc<Runtime> {
    let runtime = python_runtime(PythonLoader::new());
    runtime.load_bundle(bundle.path()).unwrap();
    runtime
}

#[track_caller]
fn gives(runtime: &Runtime, cases: &[(&str, &str)]) {
    for (code, result) in cases {
        match run(runtime, code) {
            Ok(text) => assert_eq!(text, *result, "{code}"),
            Err(error) => panic!("{code}: {error}"),
        }
    }
}

#[track_caller]
fn refused(runtime: &Runtime, code: &str, parts: &[&str]) {
    let error = run(runtime, code).expect_err(code).to_string();
    for part in parts {
        assert!(error.contains(part), "{code}: no {part:?} in: {error}");
    }
}

/// What one bundle gives, of several that implement the same.
#[track_caller]
fn run_in(runtime: &Runtime, bundle: &str, code: &str) -> String {
    let script = runtime.proxy_from::<dyn Script>(BundleId::new(bundle)).unwrap();
    script.run(code).unwrap_or_else(|error| panic!("{code}: {error}"))
}

const TREE: &[(&str, &str)] = &[
    ("helper.py", "name = 'helper'\nimport inner.deep\n"),
    ("inner/__init__.py", "from . import sibling\nfrom .sibling import value as taken\n"),
    ("inner/sibling.py", "value = 7\nfrom .. import top\n"),
    ("inner/deep/__init__.py", "from ..sibling import value\nfrom ... import top as up\nimport helper\n"),
    ("inner/deep/leaf.py", "from . import value\nname = __name__\n"),
    ("space/part.py", "value = 'in a folder without __init__.py'\nfrom .beside import other\n"),
    ("space/beside.py", "other = 'beside'\n"),
    ("top.py", "value = 'top'\n"),
];

#[test]
fn every_form_of_import_works() {
    let bundle = python_bundle("python", "", TREE);
    let runtime = load(&bundle);
    gives(
        &runtime,
        &[
            ("import helper\nreturn helper.name", "helper"),
            ("import inner\nreturn inner.taken", "7"),
            ("import inner.sibling\nreturn inner.sibling.value", "7"),
            ("import inner.deep.leaf\nreturn inner.deep.leaf.value", "7"),
            ("import inner.deep.leaf as x\nreturn x.value", "7"),
            ("import inner as x\nreturn x.taken", "7"),
            ("import helper, top\nreturn helper.name + top.value", "helpertop"),
            ("from inner import sibling\nreturn sibling.value", "7"),
            ("from inner import taken as t, sibling as s\nreturn t + s.value", "14"),
            ("from inner.deep import leaf as x\nreturn x.value", "7"),
            ("from inner.deep.leaf import value as x\nreturn x", "7"),
            ("from inner.sibling import top\nreturn top.value", "top"),
            ("from . import top\nreturn top.value", "top"),
            ("from .inner.deep import up\nreturn up.value", "top"),
            ("import space.part\nreturn space.part.value", "in a folder without __init__.py"),
            ("from space.part import other\nreturn other", "beside"),
            ("import importlib\nreturn importlib.import_module('.inner.deep', __package__).value", "7"),
            ("import inner.deep.leaf, sys\nreturn inner.deep.leaf.name.partition('.')[2]", "inner.deep.leaf"),
            ("import inner.deep.leaf, sys\nreturn inner.deep.leaf is sys.modules[inner.deep.leaf.name]", "True"),
            ("import helper\nreturn __import__('helper') is helper", "True"),
            ("import helper\nfrom inner.deep import helper as same\nreturn same is helper", "True"),
            ("import polyplug\nfrom polyplug import plugin\nreturn polyplug.plugin is plugin", "True"),
            ("import polyplug, sys\nreturn 'polyplug' in sys.modules", "False"),
            ("import inspect, helper\nreturn inspect.getsource(helper).splitlines()[0]", "name = 'helper'"),
            ("import os.path, xml.dom\nreturn os.path.basename('a/b') + xml.dom.__name__", "bxml.dom"),
        ],
    );
    let code = "names = {}\nexec('from inner.deep import *', globals(), names)\nreturn names['value']";
    gives(&runtime, &[(code, "7")]);
}

#[test]
fn names_are_private_to_each_bundle() {
    let runtime = python_runtime(PythonLoader::new());
    let bundles = ["one", "two"].map(|name| {
        let value = format!("value = '{name}'\n");
        python_bundle(
            name,
            "",
            &[
                ("helper.py", &value),
                ("statistics.py", &value),
                ("types.py", &value),
                ("json/__init__.py", &value),
                ("package/part.py", &value),
            ],
        )
    });
    for bundle in &bundles {
        runtime.load_bundle(bundle.path()).unwrap();
    }
    for name in ["one", "two"] {
        for module in ["helper", "statistics", "types", "json", "package.part"] {
            assert_eq!(run_in(&runtime, name, &format!("import {module}\nreturn {module}.value")), name);
        }
        // What others import stays what it is.
        let code =
            "import enum, dataclasses\nreturn enum.DynamicClassAttribute and dataclasses.types.ModuleType.__name__";
        assert_eq!(run_in(&runtime, name, code), "module");
    }
    for module in ["statistics", "types", "json"] {
        assert_ne!(ask(&format!("hasattr(__import__('{module}'), 'value')")), "True");
    }
    // A bundle without such modules has the standard ones.
    let plain = python_bundle("plain", "", &[]);
    runtime.load_bundle(plain.path()).unwrap();
    assert_eq!(run_in(&runtime, "plain", "import statistics\nreturn statistics.mean([1, 3])"), "2");
}

#[test]
fn a_folder_of_data_is_no_module() {
    let bundle = python_bundle("python", "", &[("json/data.txt", ""), ("logging/x.txt", "")]);
    let runtime = load(&bundle);
    gives(&runtime, &[("import json, logging\nreturn json.dumps([logging.INFO])", "[20]")]);
}

#[test]
fn modules_may_import_each_other() {
    let files = [
        ("a.py", "import b\nvalue = 'a'\ndef both(): return value + b.value\n"),
        ("b.py", "import a\nvalue = 'b'\ndef both(): return a.value + value\n"),
        ("greedy.py", "from greedy_too import value\n"),
        ("greedy_too.py", "from greedy import other\nvalue = 1\n"),
    ];
    let bundle = python_bundle("python", "", &files);
    let runtime = load(&bundle);
    gives(&runtime, &[("import a, b\nreturn a.both() + b.both()", "abab")]);
    refused(&runtime, "import greedy", &["ImportError: cannot import name 'other'", "circular import"]);
}

#[test]
fn more_folders_are_named_in_the_manifest() {
    let files = [
        ("lib/first.py", "import second, helper\nvalue = second.value + helper.value\n"),
        ("more/modules/second.py", "value = 2\n"),
        ("helper.py", "value = 1\n"),
        ("lib/helper.py", "value = 100\n"),
        ("other/hidden.py", ""),
    ];
    let bundle = python_bundle("python", "[python]\npath = [\"lib\", \"more/modules\", \"absent\"]\n", &files);
    let runtime = load(&bundle);
    // The main file's own folder comes first.
    gives(&runtime, &[("import first\nreturn first.value", "3")]);
    refused(&runtime, "import hidden", &["there is no module `hidden`"]);
}

#[test]
fn the_main_file_may_lie_in_a_folder() {
    let bundle = python_bundle("python", "", &[("src/main.py", SCRIPT), ("src/beside.py", "value = 5\n")]);
    bundle.write("above.py", "");
    bundle.write("manifest.toml", manifest("python", "python", "src/main.py"));
    let runtime = load(&bundle);
    gives(&runtime, &[("import beside\nreturn beside.value", "5")]);
    refused(&runtime, "import above", &["there is no module `above`"]);
}

#[test]
fn plugins_may_be_declared_in_modules() {
    let bundle = python_bundle("python", "", &[("plugins/script.py", SCRIPT)]);
    bundle.write("main.py", "import plugins.script\n");
    gives(&load(&bundle), &[("return __name__.partition('.')[2]", "plugins.script")]);
}

#[test]
fn files_outside_are_not_found() {
    let bundle = python_bundle("python", "", &[("helper.py", "")]);
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("polyplug_outside.py"), "value = 1\n").unwrap();
    // Neither beside the bundle, nor in the folder of the process or in those of Python's variables.
    std::fs::write(bundle.path().parent().unwrap().join("polyplug_beside.py"), "").unwrap();
    let runtime = load(&bundle);
    for code in [
        "import polyplug_beside",
        "from .. import polyplug_beside",
        "import polyplug_outside",
        "import helper.absent",
        "from . import absent",
        "import importlib\nimportlib.import_module('absent')",
    ] {
        let error = run(&runtime, code).expect_err(code).to_string();
        assert!(error.contains("ImportError") || error.contains("ModuleNotFoundError"), "{code}: {error}");
    }
    std::fs::remove_file(bundle.path().parent().unwrap().join("polyplug_beside.py")).unwrap();
    assert_eq!(ask("'' in sys.path"), "False");
}

#[test]
fn a_missing_package_is_named_with_the_places_and_a_remedy() {
    let bundle = python_bundle("python", "", &[("uses.py", "import absent_package.part\n")]);
    let runtime = load(&bundle);
    let version = ask("sys.version.split()[0]");
    let expected = format!(
        "ModuleNotFoundError: there is no module `absent_package` in the bundle's folder or Python {version} in {}: a \
         package from elsewhere needs a virtual environment: the key `venv` of the table [python] in manifest.toml names \
         its folder",
        ask("sys.prefix")
    );
    refused(&runtime, "import absent_package", &[&expected, "main.py:13", "\"code\", line 1"]);
    refused(&runtime, "import uses", &[&expected, "uses.py:1"]);
    refused(&runtime, "from absent_package import x", &[&expected]);
    // Programs ask so what there is.
    let code = "try:\n import absent_package\nexcept ImportError as e:\n return e.name, type(e).__name__";
    gives(&runtime, &[(code, "('absent_package', 'ModuleNotFoundError')")]);
    refused(&runtime, "import json.absent", &["No module named 'json.absent'"]);
    refused(&loaded(SCRIPT), "import absent_package", &["there is no module `absent_package` in Python "]);
}

#[test]
fn a_module_that_fails_may_be_tried_again() {
    let files = [
        ("broken.py", "x = 1\ny = = 2\n"),
        ("failing.py", "import helper\nhelper.tries += 1\nif helper.tries == 1:\n    raise ValueError('not yet')\n"),
        ("helper.py", "tries = 0\n"),
        ("fails_too.py", "import fails\n"),
        ("fails.py", "1 / 0\n"),
        ("latin.py", "x = '\u{e4}'\n"),
    ];
    let bundle = python_bundle("python", "", &files);
    bundle.write("bytes.py", b"x = '\xff'\n");
    bundle.write("zero.py", b"x = 1\0\n");
    let runtime = load(&bundle);
    refused(&runtime, "import broken", &["SyntaxError: invalid syntax", "broken.py:2"]);
    refused(&runtime, "import failing", &["ValueError: not yet", "failing.py:4"]);
    gives(&runtime, &[("import failing\nreturn failing.helper.tries", "2")]);
    // The traceback has the lines that import, and nothing of the import itself.
    for code in
        ["import fails_too", "import importlib\nimportlib.import_module('fails_too')", "from . import fails_too"]
    {
        let CallError::Exception(failure) = run(&runtime, code).unwrap_err() else { panic!("{code}") };
        let traceback = failure.traceback.clone().unwrap_or_default();
        assert!(
            traceback.contains("fails_too.py\", line 1") && traceback.contains("fails.py\", line 1"),
            "{traceback}"
        );
        assert!(!traceback.contains("frozen") && !traceback.contains("<polyplug"), "{code}: {traceback}");
    }
    bundle.write("broken.py", "y = 2\n");
    gives(&runtime, &[("import broken\nreturn broken.y", "2"), ("import latin\nreturn latin.x", "\u{e4}")]);
    refused(&runtime, "import bytes", &["SyntaxError", "bytes.py"]);
    refused(&runtime, "import zero", &["null bytes"]);
}

#[test]
fn a_bundle_in_memory_has_the_standard_library() {
    let runtime = loaded(SCRIPT);
    gives(
        &runtime,
        &[
            ("import statistics\nreturn statistics.median([3, 1, 2])", "2"),
            ("from polyplug import directory, bundle\nreturn directory, bundle", "(None, 'python')"),
            ("return __file__", "main.py"),
            ("import inspect\nreturn 'class Script' in inspect.getsource(type(self))", "True"),
        ],
    );
    refused(&runtime, "from . import helper", &["ImportError: cannot import name 'helper'"]);
    refused(&runtime, "import helper", &["there is no module `helper`"]);
}

#[test]
fn a_reload_takes_the_new_modules() {
    let bundle = python_bundle("python", "", &[("value.py", "value = 'old'\n"), ("lazy.py", "value = 'old'\n")]);
    let runtime = Runtime::builder().loader(PythonLoader::new()).hot_reload(true).build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    let code = "import value, lazy\nreturn value.value + lazy.value + str(value.__name__ == __package__ + '.value')";
    gives(&runtime, &[("import value\nreturn value.value", "old")]);
    bundle.write("value.py", "value = 'new'\n");
    bundle.write("lazy.py", "value = 'new'\n");
    gives(&runtime, &[(code, "oldoldTrue")]);
    runtime.reload_bundle(bundle.path()).unwrap();
    gives(&runtime, &[(code, "newnewTrue")]);
}

/// What the interpreter knows of modules and where they are looked for.
fn known() -> String {
    let parts = [
        "sorted(n for n in sys.modules if n.startswith('_polyplug') or n in ('polyplug', 'helper', 'inner'))",
        "sys.path",
        "[repr(finder) for finder in sys.meta_path]",
        "sorted(sys.path_importer_cache)",
        "len(sys.path_hooks)",
        "sorted(linecache.cache)",
        "sys.argv",
    ];
    parts.map(ask).join("\n")
}

#[test]
fn nothing_is_left_after_an_unload() {
    if !child::alone("nothing_is_left_after_an_unload") {
        return;
    }
    let runtime = python_runtime(PythonLoader::new());
    let keeper = python_bundle("keeper", "", &[]);
    runtime.load_bundle(keeper.path()).unwrap();
    let cycle = |failing: bool| {
        let bundle = python_bundle("python", "[python]\npath = [\"lib\"]\n", TREE);
        bundle.write("helper.py", "def fail(): raise ValueError('so')\n");
        if failing {
            bundle.write("main.py", "import inner, helper, statistics\nhelper.fail()\n");
            assert!(runtime.load_bundle(bundle.path()).is_err());
            return;
        }
        let id = runtime.load_bundle(bundle.path()).unwrap();
        let script = runtime.proxy_from::<dyn Script>(id).unwrap();
        script.run("import inner.deep.leaf, space.part, statistics, xml.dom, helper").unwrap();
        assert!(script.run("import helper\nhelper.fail()").is_err());
        assert!(script.run("import absent").is_err());
        drop(script);
        assert!(runtime.unload_bundle(id).unwrap().reclaimed);
    };
    cycle(false);
    let before = known();
    assert!(before.contains("_polyplug_keeper_1.main"), "{before}");
    assert!(!before.contains("_polyplug_python"), "{before}");
    for n in 0..4 {
        cycle(n % 2 == 1);
        assert_eq!(known(), before);
    }
    // Nor is any object of theirs.
    let left = "[o for o in gc.get_objects() if '_polyplug_python' in str(getattr(o, '__module__', ''))]";
    assert_eq!(ask(left), "[]");
}

#[test]
fn nothing_is_written_beside_the_modules() {
    let bundle = python_bundle("python", "", TREE);
    let runtime = load(&bundle);
    gives(&runtime, &[("import helper, inner.deep.leaf, space.part\nreturn 1", "1")]);
    let mut found = Vec::new();
    let mut folders = vec![bundle.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            }
            found.push(entry.file_name().into_string().unwrap());
        }
    }
    assert_eq!(found.iter().filter(|name| name.contains("pyc")).count(), 0, "{found:?}");
    assert!(found.len() > 10, "{found:?}");
}

#[test]
fn the_main_file_is_a_module_like_others() {
    let files = [
        (
            "helper.py",
            "import main\ndef script(): return main.Script\ndef name(): return main.__name__.partition('.')[2]\n",
        ),
        ("statistics_too.py", "import main as same\nfrom main import Script as other\n"),
    ];
    let bundle = python_bundle("python", "", &files);
    gives(
        &load(&bundle),
        &[
            ("import helper\nreturn helper.script() is type(self), helper.name()", "(True, 'main')"),
            ("import statistics_too as s\nreturn s.same.Script is s.other is type(self)", "True"),
            ("import importlib\nreturn importlib.import_module('main').Script is type(self)", "True"),
        ],
    );
    // A main file with the name of a standard module does not take that module away.
    let bundle = python_bundle("python", "", &[("statistics.py", SCRIPT), ("json.py", "value = 1\n")]);
    bundle.write("manifest.toml", manifest("python", "python", "statistics.py"));
    let runtime = load(&bundle);
    gives(&runtime, &[("import statistics, json\nreturn statistics.mean([1, 3]) + json.value", "3")]);
    // A file whose name is no module's name, beside a module `main`.
    let bundle = python_bundle("python", "", &[("the-script.py", SCRIPT), ("main.py", "value = 'beside'\n")]);
    bundle.write("manifest.toml", manifest("python", "python", "the-script.py"));
    gives(&load(&bundle), &[("import main\nreturn main.value", "beside")]);
}

#[test]
fn code_of_a_closed_bundle_still_has_the_standard_library() {
    if !child::alone("code_of_a_closed_bundle_still_has_the_standard_library") {
        return;
    }
    let late = "def late(kind):\n    import json, statistics, wave, sys\n    if kind == 'standard':\n        print('late')\n        \
                return statistics.mean([1, 3])\n    try:\n        if kind == 'own':\n            import helper\n        elif kind == 'relative':\n            \
                from . import helper\n        else:\n            import polyplug\n    except ImportError as error:\n        return str(error)\n";
    let bundle = python_bundle("python", "", &[("late.py", late), ("helper.py", "")]);
    let runtime = python_runtime(PythonLoader::new());
    let id = runtime.load_bundle(bundle.path()).unwrap();
    run(&runtime, "import late, sys\nsys.path_importer_cache['late'] = late.late").unwrap();
    let _closed = runtime.unload_bundle(id).unwrap();
    let ((), messages) = polyplug_tests::logged(|| assert_eq!(ask("sys.path_importer_cache['late']('standard')"), "2"));
    assert_eq!(messages.iter().map(|line| line.message.as_str()).collect::<Vec<_>>(), ["late"]);
    for kind in ["own", "relative", "other"] {
        let error = ask(&format!("sys.path_importer_cache['late']('{kind}')"));
        assert!(
            error.contains("the bundle of the code that imports it has been unloaded or replaced"),
            "{kind}: {error}"
        );
    }
}
