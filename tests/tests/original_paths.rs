//! A version that runs from a private copy shows the paths of the bundle's own directory, and the lines of its own files.

use std::path::Path;
use std::sync::Arc;

use polyplug::loader::BundleSource;
use polyplug::{BundleId, CallError, Runtime};
use polyplug_js::JsLoader;
use polyplug_lua::{LuaLoader, StdLib};
use polyplug_python::PythonLoader;
use polyplug_tests::copies::own_copies;
use polyplug_tests::js::SCRIPT as JS;
use polyplug_tests::lua::{SCRIPT as LUA, Script};
use polyplug_tests::python::SCRIPT as PYTHON;
use polyplug_tests::{Bundle, manifest};
use tempfile::TempDir;

fn runtime() -> Arc<Runtime> {
    let lua = LuaLoader::new().with_stdlib(StdLib::Full);
    let builder = Runtime::builder().hot_reload(true).loader(PythonLoader::new()).loader(lua);
    builder.loader(JsLoader::new()).build().unwrap()
}

#[track_caller]
fn run(runtime: &Runtime, bundle: &str, code: &str) -> String {
    try_run(runtime, bundle, code).unwrap()
}

fn try_run(runtime: &Runtime, bundle: &str, code: &str) -> Result<String, CallError> {
    runtime.proxy_from::<dyn Script>(BundleId::new(bundle)).unwrap().run(code)
}

/// Makes a bundle in Python with modules of all kinds.
fn python() -> Bundle {
    let bundle = Bundle::script("python", &format!("{PYTHON}\ndef boom():\n    raise ValueError('x')  # first\n"));
    for folder in ["package", "plain"] {
        std::fs::create_dir(bundle.path().join(folder)).unwrap();
    }
    bundle.write("helper.py", "def which():\n    return 'first'\n");
    bundle.write("late.py", "def which():\n    return 'first'\n");
    bundle.write("package/__init__.py", "import polyplug\n");
    bundle.write("package/data.txt", "first");
    bundle.write("plain/inner.py", "def which():\n    return 'first'\n");
    bundle.write("data.txt", "first");
    bundle
}

/// The line of the text in the main file, from 1.
fn line_of(bundle: &Bundle, text: &str) -> usize {
    let source = std::fs::read_to_string(bundle.path().join("main.py")).unwrap();
    source.lines().position(|line| line.contains(text)).unwrap() + 1
}

#[test]
fn modules_of_python_have_the_paths_of_the_bundle() {
    let bundle = python();
    let root = bundle.path().to_str().unwrap();
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    assert_eq!(own_copies().len(), 1, "the version runs from a copy");
    let imports =
        "import os, sys, inspect, importlib.resources, importlib.util, pkgutil, helper, package, plain.inner\n";
    for (code, expected) in [
        ("__file__", "/main.py"),
        ("__spec__.origin", "/main.py"),
        ("boom.__code__.co_filename", "/main.py"),
        ("inspect.getsourcefile(boom)", "/main.py"),
        ("inspect.getfile(type(self))", "/main.py"),
        ("helper.__file__", "/helper.py"),
        ("helper.__loader__.get_filename()", "/helper.py"),
        ("helper.which.__code__.co_filename", "/helper.py"),
        ("importlib.util.find_spec('helper').origin", "/helper.py"),
        ("package.__file__", "/package/__init__.py"),
        ("package.__path__[0]", "/package"),
        ("package.__spec__.submodule_search_locations[0]", "/package"),
        ("list(plain.__path__)[0]", "/plain"),
        ("plain.inner.__spec__.origin", "/plain/inner.py"),
        ("importlib.resources.files(package)", "/package"),
        ("importlib.resources.files(package).joinpath('data.txt')", "/package/data.txt"),
    ] {
        assert_eq!(run(&runtime, "python", &format!("{imports}return {code}")), format!("{root}{expected}"), "{code}");
    }
    for code in [
        "open(os.path.join(os.path.dirname(__file__), 'data.txt')).read()",
        "pkgutil.get_data(package.__name__, 'data.txt').decode()",
        "importlib.resources.files(package).joinpath('data.txt').read_text()",
        "helper.which()",
        "plain.inner.which()",
    ] {
        assert_eq!(run(&runtime, "python", &format!("{imports}return {code}")), "first", "{code}");
    }
    // Nothing that can be reached from a module names the copy.
    let seen = run(
        &runtime,
        "python",
        &format!(
            "{imports}own = [module for name, module in sys.modules.items() if name.startswith('_polyplug_')]\n\
             return len(own), 'polyplug-bundles' in repr([vars(module) for module in own])"
        ),
    );
    assert_eq!(seen, "(6, False)");
}

#[test]
fn code_is_of_the_version_and_a_file_that_is_opened_is_the_present_one() {
    let bundle = python();
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    for file in ["late.py", "data.txt", "package/data.txt", "main.py"] {
        let text = std::fs::read_to_string(bundle.path().join(file)).unwrap().replace("first", "second");
        bundle.write(file, text);
    }
    for (code, expected) in [
        ("import late\nreturn late.which()", "first"),
        ("import late, inspect\nreturn 'first' in inspect.getsource(late)", "True"),
        ("import inspect\nreturn inspect.getsource(boom).count('# first')", "1"),
        ("import linecache\nreturn 'first' in ''.join(linecache.getlines(__file__))", "True"),
        ("import package, pkgutil\nreturn pkgutil.get_data(package.__name__, 'data.txt').decode()", "first"),
        ("import os\nreturn open(os.path.join(os.path.dirname(__file__), 'data.txt')).read()", "second"),
        (
            "import package, importlib.resources\n\
             return importlib.resources.files(package).joinpath('data.txt').read_text()",
            "second",
        ),
        ("import polyplug\nreturn (polyplug.directory / 'data.txt').read_text()", "second"),
    ] {
        assert_eq!(run(&runtime, "python", code), expected, "{code}");
    }
    let error = try_run(&runtime, "python", "boom()").unwrap_err().to_string();
    assert!(error.contains("# first") && !error.contains("polyplug-bundles"), "{error}");
    assert!(error.contains("\"python/main.py\""), "{error}");

    runtime.reload_bundle(bundle.path()).unwrap();
    for (code, expected) in [
        ("import late\nreturn late.which()", "second"),
        ("import inspect\nreturn inspect.getsource(boom).count('# second')", "1"),
        ("import package, pkgutil\nreturn pkgutil.get_data(package.__name__, 'data.txt').decode()", "second"),
    ] {
        assert_eq!(run(&runtime, "python", code), expected, "{code}");
    }
    let error = try_run(&runtime, "python", "boom()").unwrap_err().to_string();
    assert!(error.contains("# second"), "{error}");
}

#[test]
fn a_module_that_the_folder_has_by_now_is_none_of_the_version() {
    let bundle = python();
    bundle.write("package/inner.py", "");
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    bundle.write("package/added.py", "value = 1\n");
    std::fs::remove_file(bundle.path().join("package/inner.py")).unwrap();
    let listed = "import package, pkgutil\nreturn [module.name for module in pkgutil.iter_modules(package.__path__)]";
    assert_eq!(run(&runtime, "python", listed), "['inner']");
    assert_eq!(run(&runtime, "python", "import package.inner\nreturn package.inner.__name__[-6:]"), ".inner");
    let error = try_run(&runtime, "python", "import package.added").unwrap_err().to_string();
    assert!(error.contains("No module named 'package.added'"), "{error}");
    runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!(run(&runtime, "python", listed), "['added']");
    assert_eq!(run(&runtime, "python", "import package.added\nreturn package.added.value"), "1");
}

#[test]
fn a_call_of_an_earlier_version_shows_the_lines_of_that_version() {
    let bundle = python();
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    let go = TempDir::new().unwrap();
    let started = go.path().join("started");
    let code = format!(
        "import os, time\nopen({started:?}, 'w').close()\nwhile not os.path.exists({:?}): time.sleep(0.01)\nboom()",
        go.path().join("go")
    );
    let error = std::thread::scope(|scope| {
        let call = scope.spawn(|| try_run(&runtime, "python", &code).unwrap_err().to_string());
        polyplug_tests::watching::until("the call has started", || started.exists());
        let text = std::fs::read_to_string(bundle.path().join("main.py")).unwrap();
        bundle.write("main.py", text.replace("first", "second"));
        runtime.reload_bundle(bundle.path()).unwrap();
        let new = try_run(&runtime, "python", "boom()").unwrap_err().to_string();
        assert!(new.contains("# second"), "{new}");
        std::fs::write(go.path().join("go"), "").unwrap();
        call.join().unwrap()
    });
    assert!(error.contains("# first"), "{error}");
    let new = try_run(&runtime, "python", "boom()").unwrap_err().to_string();
    assert!(new.contains("# second"), "{new}");
}

#[test]
fn debuggers_find_breakpoints_by_the_paths_of_the_bundle() {
    let bundle = python();
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    let line = line_of(&bundle, "# first");
    let code = format!(
        r#"
import bdb
class Debugger(bdb.Bdb):
    stops = []
    def user_line(self, frame):
        if self.break_here(frame):
            self.stops.append((frame.f_code.co_filename, frame.f_lineno))
        self.set_continue()
debugger = Debugger()
mistake = debugger.set_break({:?}, {line})
assert mistake is None, mistake
try:
    debugger.runcall(boom)
except ValueError:
    pass
import sys
sys.settrace(None)
return debugger.stops"#,
        bundle.path().join("main.py")
    );
    let expected = format!("[('{}/main.py', {line})]", bundle.path().display());
    assert_eq!(run(&runtime, "python", &code), expected);
}

#[test]
fn warnings_and_logging_name_the_paths_of_the_bundle() {
    let bundle = python();
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    bundle.write("noisy.py", "");
    let code = "
import warnings, logging
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter('always')
    exec(compile('warnings.warn(\"x\", stacklevel=1)', __file__, 'exec'), globals() | {'warnings': warnings})
records = []
class Keeps(logging.Handler):
    def emit(self, record): records.append(record)
logger = logging.getLogger('x')
logger.addHandler(Keeps())
exec(compile('logger.error(1)', __file__, 'exec'), {'logger': logger, '__name__': __name__})
return caught[0].filename, records[0].pathname";
    let main = bundle.path().join("main.py");
    assert_eq!(run(&runtime, "python", code), format!("('{0}', '{0}')", main.display()));
}

#[test]
fn extension_modules_are_loaded_from_the_copy_under_the_path_of_the_bundle() {
    let bundle = python();
    let runtime = runtime();
    // One of Python's own that is a file, under its own name.
    let code = "
import importlib.machinery
spec = importlib.machinery.PathFinder.find_spec('_queue')
return spec and spec.origin or ''";
    runtime.load_bundle(bundle.path()).unwrap();
    let found = run(&runtime, "python", code);
    let Some(name) = Path::new(&found).file_name() else { return };
    std::fs::copy(&found, bundle.path().join(name)).unwrap();
    runtime.reload_bundle(bundle.path()).unwrap();
    let code = "import _queue\nreturn _queue.__file__, _queue.__spec__.origin, _queue.SimpleQueue().qsize()";
    let path = bundle.path().join(name);
    assert_eq!(run(&runtime, "python", code), format!("('{0}', '{0}', 0)", path.display()));
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    assert!(!maps.contains(path.to_str().unwrap()), "the bundle's own file can be replaced");
}

/// Makes a bundle in Lua in this directory, with a module.
fn lua(directory: &Path) {
    std::fs::create_dir_all(directory.join("lib")).unwrap();
    std::fs::write(directory.join("manifest.toml"), manifest("lua", "lua", "main.lua")).unwrap();
    let main = format!(
        "{LUA}\nfunction main() return debug.getinfo(1, 'S').source end\nfunction fails() error('no') end\n\
         function late() return require('lib.late') end\n"
    );
    std::fs::write(directory.join("main.lua"), main).unwrap();
    let late =
        "return { source = debug.getinfo(1, 'S').source, fails = function() error('late') end, which = 'first' }";
    std::fs::write(directory.join("lib/late.lua"), late).unwrap();
}

#[test]
fn chunks_of_lua_are_named_by_the_paths_of_the_bundle() {
    let parent = TempDir::new().unwrap();
    for name in ["short", "with space: and colon", &"deep/".repeat(20)] {
        let directory = parent.path().join(name);
        lua(&directory);
        let runtime = runtime();
        runtime.load_bundle(&directory).unwrap();
        std::fs::write(directory.join("lib/late.lua"), "return { which = 'second' }").unwrap();
        let at = |file: &str| format!("@{}", directory.join(file).display());
        assert_eq!(run(&runtime, "lua", "return main()"), at("main.lua"));
        assert_eq!(run(&runtime, "lua", "return late().source"), at("lib/late.lua"));
        assert_eq!(run(&runtime, "lua", "return late().which"), "first", "it is of the version");
        for (code, place) in [("fails()", "lua/main.lua:"), ("late().fails()", "lua/lib/late.lua:1")] {
            let CallError::Exception(failure) = try_run(&runtime, "lua", code).unwrap_err() else { panic!("{code}") };
            let location = failure.location.unwrap();
            assert!(location.contains(place), "{location}");
            let traceback = failure.traceback.unwrap();
            assert!(traceback.contains(&format!("\t{place}")) && !traceback.contains("..."), "{traceback}");
            assert!(failure.message == "no" || failure.message == "late", "{}", failure.message);
        }
        let missing = try_run(&runtime, "lua", "require('absent')").unwrap_err().to_string();
        assert!(!missing.contains("polyplug-bundles"), "{missing}");
    }
}

#[test]
fn a_bundle_in_lua_that_is_one_file_runs_from_its_own_directory() {
    let bundle = Bundle::script("lua", LUA);
    bundle.write("README.md", "read by nobody");
    let runtime = runtime();
    for (file, is_copied) in [("data.txt", false), ("later.lua", true), ("other.contract@1.schema", true)] {
        bundle.write(file, "return 'first'");
        runtime.load_bundle(bundle.path()).unwrap();
        for _ in 0..2 {
            assert_eq!(own_copies().len(), usize::from(is_copied), "{file}");
            assert_eq!(run(&runtime, "lua", "return 5"), "5");
            runtime.reload_bundle(bundle.path()).unwrap();
        }
        runtime.unload_bundle("lua").unwrap();
        std::fs::remove_file(bundle.path().join(file)).unwrap();
    }

    runtime.load_bundle(bundle.path()).unwrap();
    // Longer than the ticks of the clock by which the system dates files.
    std::thread::sleep(std::time::Duration::from_millis(50));
    bundle.write("later.lua", "return 'of the next version'");
    let error = try_run(&runtime, "lua", "return require('later')").unwrap_err().to_string();
    assert!(error.contains("later.lua has changed since this version of the bundle was loaded"), "{error}");
    runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!(run(&runtime, "lua", "return require('later')"), "of the next version");
}

#[cfg(unix)]
#[test]
fn a_bundle_in_lua_with_a_link_is_copied() {
    let bundle = Bundle::script("lua", LUA);
    std::fs::create_dir(bundle.path().join(".files")).unwrap();
    bundle.write(".files/words", "some");
    std::os::unix::fs::symlink(".files/words", bundle.path().join("later")).unwrap();
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    assert_eq!(own_copies().len(), 1);
}

#[test]
fn modules_of_javascript_are_named_by_the_bundle() {
    let parent = TempDir::new().unwrap();
    for name in ["short", "with space: and colon", &"deep/".repeat(20)] {
        let directory = parent.path().join(name);
        std::fs::create_dir_all(directory.join("lib")).unwrap();
        std::fs::write(directory.join("manifest.toml"), manifest("js", "js", "main.js")).unwrap();
        let main = format!("globalThis.fails = () => {{ throw new Error('no'); }};{JS}");
        std::fs::write(directory.join("main.js"), main).unwrap();
        let late = "export const which = 'first';\nexport function fails() { throw new Error('late'); }\n";
        std::fs::write(directory.join("lib/late.js"), late).unwrap();
        std::fs::write(directory.join("lib/later.js"), late).unwrap();
        let runtime = runtime();
        runtime.load_bundle(&directory).unwrap();
        let late = "load('./lib/late.js').then((late) =>";
        assert_eq!(run(&runtime, "js", &format!("return {late} late.which)")), "first");
        // Longer than the ticks of the clock by which the system dates files.
        std::thread::sleep(std::time::Duration::from_millis(50));
        for file in ["lib/late.js", "lib/later.js"] {
            std::fs::write(directory.join(file), "export const which = 'second';\n").unwrap();
        }
        assert_eq!(run(&runtime, "js", &format!("return {late} late.which)")), "first", "it is of the version");
        let later = "return load('./lib/later.js').then((later) => later.which)";
        let error = try_run(&runtime, "js", later).unwrap_err().to_string();
        assert!(error.contains("lib/later.js has changed since this version of the bundle was loaded"), "{error}");
        for (code, place) in
            [("fails()".to_owned(), "js/main.js:1"), (format!("return {late} late.fails())"), "js/lib/late.js:2")]
        {
            let CallError::Exception(failure) = try_run(&runtime, "js", &code).unwrap_err() else { panic!("{code}") };
            assert_eq!(failure.location.as_deref(), Some(place));
            let traceback = failure.traceback.unwrap();
            assert!(traceback.contains(place) && !traceback.contains("polyplug-bundles"), "{traceback}");
        }
        let missing = try_run(&runtime, "js", "return load('./absent.js')").unwrap_err().to_string();
        assert!(missing.contains("absent.js") && !missing.contains("polyplug-bundles"), "{missing}");
        let stack = run(&runtime, "js", "try { fails() } catch (error) { return error.stack }");
        assert!(stack.contains("main.js:1") && !stack.contains("polyplug-bundles"), "{stack}");
        runtime.reload_bundle(&directory).unwrap();
        assert_eq!(run(&runtime, "js", later), "second");
    }
}

#[test]
fn a_declared_error_is_known_whatever_the_bundle_s_directory_is_called() {
    let parent = TempDir::new().unwrap();
    let directory = parent.path().join("my plug-ins: old and new");
    std::fs::create_dir(&directory).unwrap();
    let code = "local polyplug = require('polyplug')\nlocal Calc = polyplug.plugin('demo.calculator@1')\n\
                function Calc:add(a, b) return a + b end\nfunction Calc:divide(a, b) error('DivisionByZero') end\n\
                function Calc:greet(name) return name end\nfunction Calc:sum(data) return #data end\n";
    std::fs::write(directory.join("manifest.toml"), manifest("calc", "lua", "main.lua")).unwrap();
    std::fs::write(directory.join("main.lua"), code).unwrap();
    let runtime = runtime();
    runtime.load_bundle(&directory).unwrap();
    let calculator = runtime.proxy::<dyn test_contracts::Calculator>().unwrap();
    let error = calculator.divide(1, 0).unwrap_err().to_string();
    // The error is a variant, for which a text does not stand; but the text is told without the directory.
    assert!(error.contains("DivisionByZero") && !error.contains("old and new/"), "{error}");
}

#[test]
fn bundles_in_memory_are_named_by_their_file() {
    let runtime = runtime();
    let source = BundleSource::Code(format!("{LUA}\nfunction main() return debug.getinfo(1, 'S').source end"));
    runtime.load_bundle_from(&manifest("lua", "lua", "main.lua"), source).unwrap();
    assert_eq!(run(&runtime, "lua", "return main()"), "@main.lua");
}
