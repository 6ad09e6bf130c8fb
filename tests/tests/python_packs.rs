//! Bundles in Python that run from their packs: modules, data, lines and processes, with nothing on the disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use polyplug::error::ManifestError;
use polyplug::error::RuntimeError;
use polyplug::loader::{BundleLoader, ManifestData};
use polyplug::pack;
use polyplug::signature::{SecretKey, SignaturePolicy, sign_bundle};
use polyplug::{BundleId, CallError, Runtime};
use polyplug_python::PythonLoader;
use polyplug_tests::copies::own_copies;
use polyplug_tests::lua::{Script, run};
use polyplug_tests::python::{SCRIPT, ask, python_bundle};
use polyplug_tests::watching::until;
use polyplug_tests::{Bundle, child, logged};
use tempfile::TempDir;

/// A bundle in a pack, which is loaded.
struct Packed {
    folder: TempDir,
    runtime: Arc<Runtime>,
}

impl Packed {
    #[track_caller]
    fn load(options: &str, files: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let runtime = Runtime::builder().loader(PythonLoader::new()).hot_reload(true).build().unwrap();
        let this = Self { folder, runtime };
        let path = this.write(options, files);
        this.runtime.load_bundle(path).unwrap_or_else(|error| panic!("{error}"));
        this
    }

    /// Writes the pack of a bundle of these files, in place of the one that is there.
    fn write(&self, options: &str, files: &[(&str, &str)]) -> PathBuf {
        self.write_bundle(&python_bundle("python", options, files))
    }

    fn write_bundle(&self, bundle: &Bundle) -> PathBuf {
        let path = self.path();
        pack::write(bundle.path(), &path).unwrap_or_else(|error| panic!("{error}"));
        path
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("python.polyplug")
    }

    /// Returns the path of a file as the bundle's code sees it.
    fn at(&self, file: &str) -> String {
        self.path().join(file).to_string_lossy().into_owned()
    }

    #[track_caller]
    fn gives(&self, cases: &[(&str, &str)]) {
        for (code, expected) in cases {
            match run(&self.runtime, code) {
                Ok(text) => assert_eq!(text, *expected, "{code}"),
                Err(error) => panic!("{code}: {error}"),
            }
        }
        assert_eq!(own_copies(), [""; 0].map(PathBuf::from));
    }

    #[track_caller]
    fn fails(&self, code: &str, parts: &[&str]) {
        let error = run(&self.runtime, code).expect_err(code).to_string();
        for part in parts {
            assert!(error.contains(part), "{code}: no {part:?} in: {error}");
        }
    }
}

const TREE: &[(&str, &str)] = &[
    ("helper.py", "name = 'helper'\nimport inner.deep\ndef fail():\n    raise ValueError('no')  # of the helper\n"),
    ("inner/__init__.py", "from . import sibling\nfrom .sibling import value as taken\n"),
    ("inner/sibling.py", "value = 7\nfrom .. import top\nclass Point:\n    def __init__(self, x): self.x = x\n"),
    ("inner/deep/__init__.py", "from ..sibling import value\nfrom ... import top as up\nimport helper\n"),
    ("inner/deep/leaf.py", "from . import value\n"),
    ("inner/words.txt", "some words"),
    ("inner/data/more/words.txt", "more words"),
    ("space/part.py", "value = 'in a folder without __init__.py'\nfrom .beside import other\n"),
    ("space/beside.py", "other = 'beside'\n"),
    ("space/words.txt", "words of space"),
    ("top.py", "value = 'top'\n"),
    ("lib/extra.py", "value = 'extra'\n"),
    ("lib/rest.txt", "the rest"),
    ("words.txt", "words of the root"),
];

#[test]
fn every_form_of_import_works() {
    let packed = Packed::load("[python]\npath = ['lib', 'absent']\n", TREE);
    // The file is not needed any more.
    fs::remove_file(packed.path()).unwrap();
    packed.gives(&[
        ("import helper\nreturn helper.name", "helper"),
        ("import inner.deep.leaf\nreturn inner.deep.leaf.value", "7"),
        ("from inner import taken as t, sibling as s\nreturn t + s.value", "14"),
        ("from .inner.deep import up\nreturn up.value", "top"),
        ("import space.part\nreturn space.part.value", "in a folder without __init__.py"),
        ("from space.part import other\nreturn other", "beside"),
        ("import extra\nreturn extra.value", "extra"),
        ("import importlib\nreturn importlib.import_module('.inner.deep', __package__).value", "7"),
        ("import importlib.util\nreturn importlib.util.find_spec('absent')", "None"),
        ("import helper, importlib\nreturn importlib.reload(helper) is helper", "True"),
        ("import inner, importlib\nhelper = inner.sibling\nreturn importlib.reload(inner).sibling is helper", "True"),
        ("import main, sys\nreturn main is sys.modules[__name__]", "True"),
        ("import polyplug\nreturn polyplug.directory", "None"),
        ("import os, sys\nsys.path.append(os.path.dirname(__file__) + '/inner/data')\nimport more\nreturn more.__name__", "more"),
    ]);
    packed.fails("import absent", &["there is no module `absent` in the bundle's folder or Python"]);
    packed.fails("import inner.absent", &["ModuleNotFoundError: No module named 'inner.absent'"]);
    let [bundle] = &packed.runtime.bundle_ids()[..] else { panic!("one bundle") };
    assert!(packed.runtime.unload_bundle(*bundle).unwrap().reclaimed);
    assert_eq!(ask("[path for path in sys.path_importer_cache if 'python.polyplug' in path]"), "[]");
}

#[test]
fn paths_are_below_the_file_of_the_pack() {
    let packed = Packed::load("[python]\npath = ['lib']\n", TREE);
    let imports = "import inspect, helper, inner, space, extra, importlib.util\n";
    for (code, expected) in [
        ("__file__", "main.py"),
        ("__spec__.origin", "main.py"),
        ("Script.run.__code__.co_filename", "main.py"),
        ("inspect.getsourcefile(Script)", "main.py"),
        ("helper.__file__", "helper.py"),
        ("helper.__loader__.get_filename()", "helper.py"),
        ("inner.__path__[0]", "inner"),
        ("list(space.__path__)[0]", "space"),
        ("extra.__file__", "lib/extra.py"),
        ("importlib.util.find_spec('helper').origin", "helper.py"),
    ] {
        assert_eq!(run(&packed.runtime, &format!("{imports}return {code}")), Ok(packed.at(expected)), "{code}");
    }
}

#[test]
fn a_main_file_may_lie_in_a_folder() {
    let packed = Packed::load("", &[]);
    let bundle = python_bundle(
        "python",
        "",
        &[("src/app.py", &format!("import helper\n{SCRIPT}")), ("src/helper.py", "value = 1\n"), ("top.py", "")],
    );
    bundle.write("manifest.toml", polyplug_tests::manifest("python", "python", "src/app.py"));
    packed.runtime.reload_bundle(packed.write_bundle(&bundle)).unwrap();
    packed.gives(&[("return helper.value", "1"), ("import app\nreturn app.helper.value", "1")]);
    packed.fails("import top", &["there is no module `top`"]);
    assert_eq!(run(&packed.runtime, "return __file__"), Ok(packed.at("src/app.py")));
}

#[test]
fn data_is_read_with_the_functions_of_the_standard_library() {
    let packed = Packed::load("[python]\npath = ['lib']\n", TREE);
    let absent = packed.at("inner/absent");
    fs::remove_file(packed.path()).unwrap();
    let resources = "import inner, space, warnings\nfrom importlib import resources\nwarnings.simplefilter('ignore')\n\
                     root = resources.files(inner)\nown = resources.files(__package__)\n";
    for (code, expected) in [
        ("root.joinpath('words.txt').read_text()", "some words"),
        ("(root / 'data/more/words.txt').read_bytes()", "b'more words'"),
        ("root.joinpath('data', 'more', 'words.txt').open('rb').read(4)", "b'more'"),
        ("root.joinpath('words.txt').open(encoding='utf-8').readline()", "some words"),
        ("sorted(item.name for item in root.iterdir())", "['__init__.py', 'data', 'deep', 'sibling.py', 'words.txt']"),
        (
            "[(item.name, item.is_dir(), item.is_file()) for item in (root / 'data').iterdir()]",
            "[('more', True, False)]",
        ),
        ("(root / 'absent').is_file(), (root / 'absent').is_dir()", "(False, False)"),
        ("(root / 'words.txt').suffix, (root / 'words.txt').parent == root", "('.txt', True)"),
        ("resources.files('inner').joinpath('words.txt').read_text()", "some words"),
        ("resources.files('space').joinpath('words.txt').read_text()", "words of space"),
        (
            "own.joinpath('words.txt').read_text(), own.joinpath('rest.txt').read_text()",
            "('words of the root', 'the rest')",
        ),
        ("own.joinpath('inner/words.txt').read_text()", "some words"),
        ("{'helper.py', 'extra.py'} <= {item.name for item in own.iterdir()}", "True"),
        ("resources.read_text(inner, 'words.txt', encoding='utf-8')", "some words"),
        ("resources.open_binary(inner, 'words.txt').read()", "b'some words'"),
        ("resources.is_resource(inner, 'words.txt'), resources.is_resource(inner, 'data')", "(True, False)"),
        ("sorted(resources.contents(inner))[-1]", "words.txt"),
        ("__import__('pkgutil').get_data('inner', 'words.txt')", "b'some words'"),
        ("__import__('pkgutil').get_data(__name__, 'lib/rest.txt')", "b'the rest'"),
        ("inner.__loader__.get_data(inner.__path__[0] + '/words.txt')", "b'some words'"),
    ] {
        packed.gives(&[(&format!("{resources}return {code}"), expected)]);
    }
    let pickled = "import pickle\nfile, spec, folder = pickle.loads(pickle.dumps((root / 'words.txt', inner.__spec__, \
                   space.__spec__)))\nin_folder = folder.loader.get_resource_reader('space').files()\n\
                   return (file.read_text(), spec.loader.get_data(inner.__path__[0] + '/words.txt'), \
                   (in_folder / 'words.txt').read_text(), file == root / 'words.txt')";
    packed.gives(&[(&format!("{resources}{pickled}"), "('some words', b'some words', 'words of space', True)")]);
    // A file of the system's, for as long as it is needed.
    for maker in ["resources.as_file(root / 'words.txt')", "resources.path(inner, 'words.txt')"] {
        let code = format!(
            "{resources}with {maker} as file: shown, text = str(file), file.read_text()\n\
             import os\nreturn text, os.path.exists(shown), shown.endswith('.txt')"
        );
        packed.gives(&[(&code, "('some words', False, True)")]);
    }
    for (code, reason) in [
        ("(root / 'absent').read_text()", "FileNotFoundError: "),
        ("(root / 'data').read_bytes()", "IsADirectoryError: "),
        ("list((root / 'words.txt').iterdir())", "NotADirectoryError: "),
        ("(root / '../../../etc/passwd').read_text()", "FileNotFoundError: "),
        ("(root / '/etc/passwd').read_text()", "FileNotFoundError: "),
        ("(root / 'words.txt').open('w')", "a file of a pack is opened with 'r' or 'rb', not with 'w'"),
        (
            "__import__('pkgutil').get_data('inner', 'absent')",
            &format!("FileNotFoundError: [Errno 2] No such file or directory: '{absent}'"),
        ),
    ] {
        packed.fails(&format!("{resources}return {code}"), &[reason]);
    }
}

#[test]
fn modules_are_listed_by_the_path_of_a_package() {
    let packed = Packed::load("", TREE);
    fs::remove_file(packed.path()).unwrap();
    packed.gives(&[
        (
            "import inner, pkgutil\nreturn [(m.name, m.ispkg) for m in pkgutil.iter_modules(inner.__path__)]",
            "[('deep', True), ('sibling', False)]",
        ),
        (
            "import inner, pkgutil\n\
             return [m.name.split('.', 1)[1] for m in pkgutil.walk_packages(inner.__path__, inner.__name__ + '.')]",
            "['inner.deep', 'inner.deep.leaf', 'inner.sibling']",
        ),
        (
            "import inner.deep, pkgutil\nfrom importlib.util import module_from_spec\n\
             (info,) = pkgutil.iter_modules(inner.deep.__path__, inner.deep.__name__ + '.')\n\
             spec = info.module_finder.find_spec(info.name)\nmodule = module_from_spec(spec)\n\
             spec.loader.exec_module(module)\nreturn module.value",
            "7",
        ),
    ]);
}

#[test]
fn lines_are_those_of_the_pack() {
    let packed = Packed::load("", TREE);
    fs::remove_file(packed.path()).unwrap();
    packed.gives(&[
        ("import helper, inspect\nreturn inspect.getsource(helper.fail)", TREE[0].1.split_once("deep\n").unwrap().1),
        ("import helper, inspect\nreturn inspect.getsource(helper) == inspect.getsource(helper.fail)", "False"),
        ("import helper, linecache\nreturn linecache.getline(helper.__file__, 4).strip()[-15:]", "# of the helper"),
        ("import inspect\nreturn inspect.getsource(Script).splitlines()[1]", "class Script:"),
        (
            "import helper, traceback\ntry: helper.fail()\n\
             except ValueError: return traceback.format_exc().count('# of the helper')",
            "1",
        ),
    ]);
    let Err(CallError::Exception(failure)) = run(&packed.runtime, "import helper\nhelper.fail()") else {
        panic!("it fails")
    };
    assert_eq!(failure.location.as_deref(), Some("python/helper.py:4"));
    let shown = format!("{failure:?}");
    assert!(shown.contains("python/helper.py") && shown.contains("# of the helper"), "{shown}");
    assert!(!shown.contains(&*packed.path().to_string_lossy()), "{shown}");
    let code = "import warnings\nwarnings.simplefilter('always')\nwarnings.warn('careful', stacklevel=2)";
    let (answer, messages) = logged(|| run(&packed.runtime, code));
    answer.unwrap();
    assert!(messages[0].message.starts_with("UserWarning: careful (at main.py:"), "{messages:?}");
    packed
        .gives(&[("import bdb, helper\ndebugger = bdb.Bdb()\nreturn debugger.set_break(helper.__file__, 4)", "None")]);
}

#[test]
fn a_mistake_in_a_module_is_named_by_its_place_in_the_bundle() {
    let packed = Packed::load("", &[("broken.py", "a = 1\nb = = 2\n"), ("accent.py", "# \u{e9}\nx = 1\n")]);
    packed.fails("import broken", &["SyntaxError: invalid syntax", "python/broken.py:2"]);
    packed.gives(&[("import accent\nreturn accent.x", "1")]);
    let bundle = python_bundle("other", "", &[("main.py", "import absent_here\n")]);
    let error = packed.runtime.load_bundle(packed.write_bundle(&bundle)).unwrap_err().to_string();
    assert!(error.contains("other/main.py:1") || error.contains("main.py:1"), "{error}");
    assert!(error.contains("there is no module `absent_here` in the bundle's folder"), "{error}");
    let large = Bundle::empty();
    large.write("manifest.toml", polyplug_tests::manifest("large", "python", "main.py"));
    large.write("main.py", "import large\n");
    large.write("large.py", vec![b'#'; (64 << 20) + 1]);
    let error = packed.runtime.load_bundle(packed.write_bundle(&large)).unwrap_err().to_string();
    assert!(error.contains("large.py: 67108865 bytes are too many for a program"), "{error}");
}

#[test]
fn what_the_disk_has_by_now_is_not_seen() {
    let packed = Packed::load("", TREE);
    let code = "import inner.sibling, inspect\nreturn 'value = 7' in inspect.getsource(inner.sibling)";
    let changed = [&TREE[..2], &[("inner/sibling.py", "value = 8\n"), ("inner/added.py", "value = 9\n")]].concat();
    packed.write("", &changed);
    packed.gives(&[
        (code, "True"),
        ("import pkgutil, inner\nreturn len(list(pkgutil.iter_modules(inner.__path__)))", "2"),
    ]);
    packed.fails("import inner.added", &["No module named 'inner.added'"]);
    packed.fails("import added", &["there is no module `added`"]);
}

#[test]
fn a_pack_is_reloaded_beside_a_call_of_the_earlier_version() {
    let module = |text: &str| format!("def boom():\n    raise ValueError('x')  # {text}\n");
    let files =
        |text| [("m.py", module(text)), ("p/__init__.py", String::new()), ("p/words.txt", format!("{text} words"))];
    let write = |packed: &Packed, text| {
        let files = files(text);
        packed.write("", &files.each_ref().map(|(name, text)| (*name, &**text)))
    };
    let packed = Packed::load("", &[]);
    packed.runtime.reload_bundle(write(&packed, "first")).unwrap();
    let (started, go) = (packed.folder.path().join("started"), packed.folder.path().join("go"));
    let code = format!(
        "import os, time\nopen({started:?}, 'w').close()\nwhile not os.path.exists({go:?}): time.sleep(0.01)\n\
         import m, p, pkgutil\nfrom importlib import resources\n\
         words = pkgutil.get_data('p', 'words.txt').decode(), resources.files(p).joinpath('words.txt').read_text()\n\
         try: m.boom()\nexcept ValueError as error: raise ValueError(words) from error"
    );
    let words = "import pkgutil\nreturn pkgutil.get_data('p', 'words.txt').decode()";
    let error = std::thread::scope(|scope| {
        let call = scope.spawn(|| run(&packed.runtime, &code).unwrap_err().to_string());
        until("the call has started", || started.exists());
        packed.runtime.reload_bundle(write(&packed, "second")).unwrap();
        packed.gives(&[(words, "second words")]);
        packed.fails("import m\nm.boom()", &["# second"]);
        fs::write(&go, "").unwrap();
        call.join().unwrap()
    });
    assert!(error.contains("('first words', 'first words')") && error.contains("# first"), "{error}");
    packed.fails("import m\nm.boom()", &["# second"]);
    // A folder follows a pack, and the other way round.
    let bundle = python_bundle("python", "", &[("m.py", &module("folder"))]);
    packed.runtime.reload_bundle(bundle.path()).unwrap();
    packed.fails("import m\nm.boom()", &["# folder"]);
    packed.runtime.reload_bundle(packed.path()).unwrap();
    packed.fails("import m\nm.boom()", &["# second"]);
    packed.gives(&[(words, "second words")]);
}

#[test]
fn objects_are_unpickled_by_the_next_version() {
    let packed = Packed::load("", TREE);
    let store = packed.folder.path().join("store");
    let code = format!("import pickle, inner.sibling\npickle.dump(inner.sibling.Point(3), open({store:?}, 'wb'))");
    packed.gives(&[(&code, "None")]);
    packed.runtime.reload_bundle(packed.write("", TREE)).unwrap();
    let code = format!(
        "import pickle, inner.sibling as s\npoint = pickle.load(open({store:?}, 'rb'))\nreturn point.x, type(point) is s.Point"
    );
    packed.gives(&[(&code, "(3, True)")]);
}

#[test]
fn data_is_there_until_the_end_of_the_bundle() {
    let end = "import atexit, os, pkgutil\n\nwords = os.path.join(os.path.dirname(__file__), 'words.txt')\n\n\
               class Late:\n    def __del__(self): print('last', __loader__.get_data(words))\n\nlate = Late()\n\n\
               @atexit.register\ndef end(): print('exit', pkgutil.get_data(__name__, 'words.txt'))\n";
    let packed = Packed::load("", &[("main.py", &format!("{SCRIPT}\n{end}")), ("words.txt", "words")]);
    fs::remove_file(packed.path()).unwrap();
    let (ended, messages) = logged(|| packed.runtime.unload_bundle(BundleId::new("python")).unwrap());
    assert!(ended.reclaimed, "{ended:?}");
    let messages: Vec<_> = messages.iter().map(|logged| &*logged.message).collect();
    assert_eq!(messages, ["exit b'words'", "last b'words'"]);
}

const POOL: &str = r#"
import multiprocessing
import pkgutil
from concurrent.futures import ProcessPoolExecutor
from importlib import resources
from polyplug import plugin
import work


def of_main(number):
    return number + len(pkgutil.get_data(__name__, "words.txt"))


@plugin("test.script@1")
class Script:
    def run(self, method):
        context = multiprocessing.get_context(method)
        with context.Pool(2) as pool:
            found = pool.map(of_main, range(3)), pool.map(work.data, ["deep/words.txt"])
        with ProcessPoolExecutor(1, mp_context=context) as executor:
            try:
                executor.submit(work.fail).result()
            except ValueError as error:
                return str((*found, executor.submit(work.late).result(), error, str(error.__cause__)))
"#;

const WORK: &str = r#"
import os
from importlib import resources


def data(name):
    root = resources.files(__package__)
    return root.joinpath(name).read_text(), os.path.exists(__file__)


def late():
    from . import other
    return other.value


def fail():
    raise ValueError("in a process")  # the line
"#;

#[test]
fn processes_run_from_the_files_of_the_pack() {
    if !child::alone("processes_run_from_the_files_of_the_pack") {
        return;
    }
    let files = [
        ("main.py", POOL),
        ("words.txt", "12345"),
        ("lib/work/__init__.py", WORK),
        ("lib/work/other.py", "value = 'imported later'\n"),
        ("lib/work/deep/words.txt", "deep words"),
    ];
    let packed = Packed::load("[python]\npath = ['lib']\n", &files);
    fs::remove_file(packed.path()).unwrap();
    for method in ["spawn", "forkserver", "fork"] {
        let answer = run(&packed.runtime, method).unwrap();
        let start = "([5, 6, 7], [('deep words', False)], 'imported later', ValueError('in a process'), ";
        assert!(answer.starts_with(start), "{method}: {answer}");
        assert!(
            answer.contains("# the line") && answer.contains(&packed.at("lib/work/__init__.py")),
            "{method}: {answer}"
        );
    }
    packed.gives(&[]);
}

#[test]
fn a_file_of_a_pack_is_no_file_of_the_disk() {
    let packed = Packed::load("", TREE);
    let code = "import os\nopen(os.path.join(os.path.dirname(__file__), 'words.txt'))";
    packed.fails(code, &["NotADirectoryError: [Errno 20] Not a directory: '", &packed.at("words.txt")]);
    fs::remove_file(packed.path()).unwrap();
    packed.fails(code, &["FileNotFoundError: [Errno 2] No such file or directory: '", &packed.at("words.txt")]);
    // What the option is for.
    let path = packed.write("[python]\nunpack = true\n", TREE);
    packed.runtime.reload_bundle(&path).unwrap();
    fs::remove_file(path).unwrap();
    let code = "import os\nreturn open(os.path.join(os.path.dirname(__file__), 'words.txt')).read()";
    assert_eq!(run(&packed.runtime, code).as_deref(), Ok("words of the root"));
    let [copy] = &own_copies()[..] else { panic!("one copy") };
    assert_eq!(run(&packed.runtime, "import polyplug\nreturn polyplug.directory").as_deref(), Ok("None"));
    let shown = format!("{:?}", run(&packed.runtime, "import helper\nhelper.fail()").unwrap_err());
    assert!(shown.contains("python/helper.py") && !shown.contains(&*copy.to_string_lossy()), "{shown}");
    packed.runtime.reload_bundle(packed.write("[python]\nunpack = false\n", TREE)).unwrap();
    packed.gives(&[("return 1", "1")]);
}

#[test]
fn an_option_of_the_wrong_type_is_an_error() {
    let packed = Packed::load("", &[]);
    let path = packed.write("[python]\nunpack = 'yes'\n", &[]);
    let error = packed.runtime.reload_bundle(&path).unwrap_err();
    assert!(matches!(error, RuntimeError::Manifest(ManifestError::Invalid { .. })), "{error}");
    let text = error.to_string();
    for part in [&*path.to_string_lossy(), "python", "invalid type: string \"yes\", expected a boolean"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_pack_with_a_library_is_unpacked() {
    let packed = Packed::load("", &[("package/libfast.so.1", "a library")]);
    assert_eq!(own_copies().len(), 1);
    // One of Python's own that is a file.
    let code = "
import importlib.machinery
for name in ('_queue', '_bz2', '_lzma', '_json', '_uuid'):
    spec = importlib.machinery.PathFinder.find_spec(name)
    if spec and spec.has_location: return name + ' ' + spec.origin
return ''";
    let found = run(&packed.runtime, code).unwrap();
    let Some((name, file)) = found.split_once(' ') else { return };
    let bundle = python_bundle("python", "", &[]);
    fs::copy(file, bundle.path().join(Path::new(file).file_name().unwrap())).unwrap();
    packed.runtime.reload_bundle(packed.write_bundle(&bundle)).unwrap();
    let [copy] = &own_copies()[..] else { panic!("one copy") };
    let origin = run(&packed.runtime, &format!("import {name}\nreturn {name}.__spec__.origin")).unwrap();
    assert!(Path::new(&origin).starts_with(copy), "{origin}");
}

#[test]
fn a_signed_pack_runs_without_being_unpacked() {
    let key = SecretKey::from_bytes([1; 32]);
    let folder = TempDir::new().unwrap();
    let bundle = python_bundle("python", "", TREE);
    sign_bundle(bundle.path(), &key).unwrap();
    let runtime = Runtime::builder().loader(PythonLoader::new()).hot_reload(true);
    let runtime = runtime.signatures(SignaturePolicy::Require).trust(key.public_key()).build().unwrap();
    let packed = Packed { folder, runtime };
    packed.runtime.load_bundle(packed.write_bundle(&bundle)).unwrap();
    // What is not signed is not run, whatever is put in the place of the pack.
    packed.write("", &[("inner/__init__.py", ""), ("inner/added.py", "value = 'not signed'\n")]);
    packed.gives(&[("import inner.deep\nreturn inner.deep.value", "7")]);
    packed.fails("import inner.added", &["No module named 'inner.added'"]);
}

#[test]
fn a_watcher_notices_a_mistake_in_a_pack() {
    let packed = Packed::load("", &[]);
    let check = |main: &str| {
        let bundle = python_bundle("python", "", &[("main.py", main)]);
        PythonLoader::new().check(&ManifestData::read(packed.write_bundle(&bundle)).unwrap())
    };
    check("a = 1\n").unwrap();
    let error = check("a = = 1\n").unwrap_err().to_string();
    assert!(error.contains(&packed.at("main.py")) && error.contains("invalid syntax"), "{error}");
}

#[test]
fn bundles_in_packs_and_folders_are_independent() {
    let packed = Packed::load("", &[("helper.py", "value = 'of the pack'\n")]);
    let other = python_bundle("other", "", &[("helper.py", "value = 'of the folder'\n")]);
    packed.runtime.load_bundle(other.path()).unwrap();
    for (name, expected) in [("python", "of the pack"), ("other", "of the folder")] {
        let script = packed.runtime.proxy_from::<dyn Script>(BundleId::new(name)).unwrap();
        assert_eq!(script.run("import helper\nreturn helper.value").as_deref(), Ok(expected));
    }
}
