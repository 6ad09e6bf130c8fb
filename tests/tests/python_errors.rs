//! How what goes wrong in a bundle in Python is told: to its host, or in the log; never on the host's output.

use polyplug::error::{LoaderError, RuntimeError};
use polyplug::loader::{BundleLoader, BundleSource, ManifestData};
use polyplug::{CallError, Runtime};
use polyplug_python::PythonLoader;
use polyplug_tests::lua::{Script, run};
use polyplug_tests::python::{SCRIPT, is_since, load_error, load_python, loaded, python_bundle, python_runtime};
use polyplug_tests::{Bundle, Logged, child, logged, logged_anywhere, manifest};
use test_contracts::{Calculator, MathError};

/// The message, the place and the traceback of the exception that the code ends in.
#[track_caller]
fn raised_in(runtime: &Runtime, code: &str) -> (String, Option<String>, String) {
    let error = run(runtime, code).expect_err(code);
    let CallError::Exception(failure) = error else { panic!("{code}: {error:?}") };
    assert_eq!(failure.method, "test.script.run");
    (failure.message.clone(), failure.location.clone(), failure.traceback.clone().unwrap_or_default())
}

#[track_caller]
fn raised(code: &str) -> (String, Option<String>, String) {
    raised_in(&loaded(SCRIPT), code)
}

#[track_caller]
fn message(code: &str) -> String {
    raised(code).0
}

#[test]
fn an_error_has_type_message_place_and_traceback() {
    let (message, location, traceback) =
        raised("def inner():\n raise ValueError('f\u{fc}ll: voll')\nx = inner()\nreturn x");
    assert_eq!((message.as_str(), location.as_deref()), ("ValueError: f\u{fc}ll: voll", Some("python/code:2")));
    let parts =
        ["main.py\", line ", ", in run", "\"code\", line 3, in code", "\"code\", line 2, in inner", "ValueError: f"];
    let places: Vec<_> =
        parts.iter().map(|part| traceback.find(part).unwrap_or_else(|| panic!("{part}: {traceback}"))).collect();
    assert!(places.is_sorted(), "{traceback}");
    assert!(!traceback.contains("_polyplug") && !traceback.contains("<polyplug"), "{traceback}");
}

#[test]
fn a_traceback_shows_the_lines_of_the_bundles_files() {
    let bundle = python_bundle("python", "", &[("inner/helper.py", "def fail(n):\n    return 1 / n  # this one\n")]);
    let runtime = Runtime::builder().loader(PythonLoader::new()).hot_reload(true).build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    let (message, location, traceback) = raised_in(&runtime, "from inner.helper import fail\nfail(0)");
    assert_eq!(message, "ZeroDivisionError: division by zero");
    assert_eq!(location.as_deref(), Some("python/inner/helper.py:2"));
    assert!(traceback.contains("return 1 / n  # this one"), "{traceback}");
    // The file is named by its bundle, though a copy is what runs.
    let place = "File \"python/inner/helper.py\", line 2";
    assert!(traceback.contains(place), "{place}: {traceback}");
    // Where the failure is in the standard library, the bundle's last line is what is wanted.
    let (_, location, traceback) = raised_in(&runtime, "import json\n\njson.loads('{')");
    assert_eq!(location.as_deref(), Some("python/main.py:13"), "{traceback}");
}

#[test]
fn exceptions_of_any_kind_have_their_text() {
    let runtime = loaded(SCRIPT);
    let cases = [
        ("raise ValueError", "ValueError"),
        ("raise ValueError()", "ValueError"),
        ("raise ValueError('')", "ValueError"),
        ("raise ValueError('a', 1)", "ValueError: ('a', 1)"),
        ("raise KeyError('key')", "KeyError: 'key'"),
        ("raise OSError(2, 'No such file', 'x.txt')", "FileNotFoundError: [Errno 2] No such file: 'x.txt'"),
        ("assert 1 == 2, 'odd'", "AssertionError: odd"),
        ("class Mine(Exception): pass\nraise Mine('x')", "main.code.<locals>.Mine: x"),
        ("raise ValueError('a\\0b\\nc')", "ValueError: a\0b\nc"),
        ("raise ValueError('half \\ud800')", "ValueError: half "),
        ("None.x", "AttributeError: 'NoneType' object has no attribute 'x'"),
        ("raise 5", "TypeError: exceptions must derive from BaseException"),
        ("import statistics\nstatistics.mean([])", "statistics.StatisticsError: mean requires at least one data point"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import sys\nsys.exit('bye')", "SystemExit: bye"),
        ("exit()", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise GeneratorExit('x')", "GeneratorExit: x"),
        ("raise StopIteration(1)", "StopIteration: 1"),
        ("raise BaseException('x')", "BaseException: x"),
        ("raise MemoryError()", "MemoryError"),
        ("[0] * 10**15", "MemoryError"),
        ("def f(): return 1 + f()\nf()", "RecursionError: maximum recursion depth exceeded"),
        ("class A:\n def __repr__(self): return repr(self)\nrepr(A())", "RecursionError"),
        ("eval('1 +')", if is_since(10) { "SyntaxError: invalid syntax" } else { "SyntaxError: unexpected EOF" }),
        ("from polyplug import Declared\nraise Declared('x')", "polyplug.Declared: x"),
        ("from polyplug import CallError\nraise CallError('x')", "polyplug.CallError: x"),
    ];
    for (code, expected) in cases {
        let (message, _, _) = raised_in(&runtime, code);
        assert!(message.starts_with(expected), "{code}: {message}");
        assert_eq!(run(&runtime, "return 1 + 1").unwrap(), "2", "after {code}");
    }
    assert_eq!(message("raise ValueError('x' * 100_000)").len(), 100_012);
}

#[test]
fn exceptions_without_a_text_are_reported_all_the_same() {
    let runtime = loaded(SCRIPT);
    for (body, part) in [
        ("def __str__(self): raise ValueError('worse')", "Broken"),
        ("def __str__(self): raise Broken()", "Broken"),
        ("def __str__(self): return 5", "Broken"),
        ("def __str__(self): return str(self)", "Broken"),
        ("def __str__(self): raise SystemExit()", "Broken"),
        ("def __repr__(self): raise ValueError('worse')", "Broken"),
        ("def __getattribute__(self, name): raise ValueError('worse')", "Broken"),
        ("__cause__ = 5", "Broken"),
        ("__traceback__ = 5", "Broken"),
        ("__notes__ = 5", "Broken"),
    ] {
        let error = run(&runtime, &format!("class Broken(Exception):\n {body}\nraise Broken('x')")).expect_err(body);
        assert!(matches!(&error, CallError::Exception(_) | CallError::Failed { .. }), "{body}: {error:?}");
        assert!(error.to_string().contains(part), "{body}: {error}");
        assert_eq!(run(&runtime, "return 1 + 1").unwrap(), "2", "after {body}");
    }
}

#[test]
fn chains_are_part_of_the_traceback() {
    let (message, _, traceback) =
        raised("try:\n 1 / 0\nexcept ZeroDivisionError as error:\n raise ValueError('second') from error");
    assert_eq!(message, "ValueError: second");
    for part in
        ["ZeroDivisionError: division by zero", "the direct cause of the following exception", "ValueError: second"]
    {
        assert!(traceback.contains(part), "{part}: {traceback}");
    }
    let (_, _, traceback) = raised("try:\n {}['a']\nexcept KeyError:\n raise ValueError('second')");
    assert!(traceback.contains("KeyError: 'a'") && traceback.contains("During handling"), "{traceback}");
    let (_, _, traceback) = raised("try:\n {}['a']\nexcept KeyError:\n raise ValueError('second') from None");
    assert!(!traceback.contains("KeyError"), "{traceback}");
    // In a circle.
    let (message, _, _) = raised("a = ValueError('a')\na.__cause__ = a\nraise a");
    assert_eq!(message, "ValueError: a");
}

#[test]
fn groups_and_notes_are_shown() {
    let runtime = loaded(SCRIPT);
    if !is_since(11) {
        eprintln!("SKIPPED: this Python has neither groups nor notes");
        return;
    }
    let (message, _, traceback) = raised_in(
        &runtime,
        "e = ExceptionGroup('some', [ValueError('one'), TypeError('two')])\ne.add_note('noted')\nraise e",
    );
    assert!(message.contains("ExceptionGroup: some (2 sub-exceptions)"), "{message}");
    for part in ["ValueError: one", "TypeError: two", "noted"] {
        assert!(traceback.contains(part), "{part}: {traceback}");
    }
}

const CALCULATOR: &str = r#"
from polyplug import plugin, types, Declared
MathError = types("demo.calculator@1").MathError

@plugin("demo.calculator@1")
class Calculator:
    def add(self, a, b): return a + b
    def greet(self, name): return name
    def sum(self, data): return 0
    def divide(self, a, b):
"#;

fn divide(body: &str) -> Result<Result<i64, MathError>, CallError> {
    let body: String = body.lines().map(|line| format!("        {line}\n")).collect();
    let runtime = loaded(&format!("{CALCULATOR}{body}"));
    runtime.proxy::<dyn Calculator>().unwrap().divide(1, 0)
}

#[test]
fn declared_errors_are_answers() {
    let none = Ok(Err(MathError::DivisionByZero));
    assert_eq!(divide("raise MathError.DivisionByZero()"), none);
    assert_eq!(divide("raise MathError.DivisionByZero"), none);
    assert_eq!(divide("raise MathError.DivisionByZero() from ValueError()"), none);
    assert_eq!(divide("try:\n 1 / 0\nexcept ZeroDivisionError:\n raise MathError.DivisionByZero()"), none);
    assert_eq!(divide("try:\n raise MathError.DivisionByZero()\nfinally:\n str(5)"), none);
    assert_eq!(divide("raise MathError.Overflow(at=-2**63)"), Ok(Err(MathError::Overflow { at: i64::MIN })));
    assert_eq!(divide("raise MathError.Overflow(7)"), Ok(Err(MathError::Overflow { at: 7 })));
    assert_eq!(
        divide("raise types('demo.calculator@1').MathError.Overflow(7)"),
        Ok(Err(MathError::Overflow { at: 7 }))
    );
}

/// Why something is not to be had. No case has fields.
#[derive(Debug, PartialEq, polyplug::Type)]
enum Absence {
    Missing,
    Lost,
}

#[polyplug::contract(name = "test.absences", version = "1.0")]
trait Absences {
    fn find(&self, lost: bool) -> Result<u32, Absence>;
}

#[test]
fn a_case_without_fields_is_raised_with_parentheses_and_without() {
    let runtime = loaded(
        "from polyplug import plugin, types\n\
         Absence = types('test.absences@1').Absence\n\
         @plugin('test.absences@1')\n\
         class Absences:\n    def find(self, lost):\n        if lost: raise Absence.Lost\n        raise Absence.Missing()\n",
    );
    let absences = runtime.proxy::<dyn Absences>().unwrap();
    for _ in 0..2 {
        assert_eq!(absences.find(true), Ok(Err(Absence::Lost)));
        assert_eq!(absences.find(false), Ok(Err(Absence::Missing)));
    }
}

#[test]
fn what_is_no_declared_error_is_an_exception() {
    let exception = |body: &str| match divide(body) {
        Err(CallError::Exception(failure)) => failure.message.clone(),
        other => panic!("{body}: {other:?}"),
    };
    assert_eq!(exception("raise ValueError('x')"), "ValueError: x");
    assert_eq!(exception("return a // b"), "ZeroDivisionError: integer division or modulo by zero");
    assert!(exception("raise MathError.Underflow()").contains("Underflow"), "misspelt");
    assert!(exception("raise MathError.Overflow()").contains("at"), "a field is missing");
    let wrong = |body: &str| match divide(body) {
        Err(CallError::InvalidResult(failure)) => failure.message.clone(),
        other => panic!("{body}: {other:?}"),
    };
    assert!(wrong("raise MathError.Overflow(at='x')").contains("at"), "{}", wrong("raise MathError.Overflow(at='x')"));
    assert!(wrong("raise MathError.Overflow(at=2**63)").contains("at"));
    assert!(wrong("return MathError.DivisionByZero()").contains("DivisionByZero"));
}

/// Declares errors of a type that is no class.
#[polyplug::contract(name = "test.journal", version = "1.0")]
trait Journal {
    /// Writes a line.
    fn write(&self, line: &str) -> Result<u32, String>;
    /// Returns the number of lines.
    fn count(&self) -> Result<u32, u32>;
}

struct Full;

impl Journal for Full {
    fn write(&self, line: &str) -> Result<u32, String> {
        Err(format!("no room for {line}"))
    }

    fn count(&self) -> Result<u32, u32> {
        Err(5)
    }
}

#[test]
fn a_declared_error_of_a_call_is_an_exception_unless_the_method_declares_it() {
    let runtime = |body: &str| {
        let body: String = body.lines().map(|line| format!("        {line}\n")).collect();
        let copy = "from polyplug import host, plugin\n@plugin('test.journal@1')\nclass Copy:\n    \
                    def write(self, line): return host('test.journal@1').write(line)\n    \
                    def count(self): return host('test.journal@1').write('numbers')\n";
        let runtime = python_runtime(PythonLoader::new());
        runtime.provide::<dyn Journal>(Full).unwrap();
        load_python(&runtime, "python", &format!("{copy}{CALCULATOR}{body}"));
        runtime
    };
    let divide = |body: &str| {
        let runtime = runtime(body);
        runtime.proxy::<dyn Calculator>().unwrap().divide(1, 0)
    };
    let message = |outcome: Result<Result<i64, MathError>, CallError>| match outcome {
        Err(CallError::Exception(failure)) => failure.message.clone(),
        other => panic!("{other:?}"),
    };
    let write = "host('test.journal@1').write('DivisionByZero')";
    for body in [write, &*format!("try: {write}\nfinally: str(5)"), &*format!("try: {write}\nexcept Declared: raise")] {
        let message = message(divide(body));
        assert!(message.contains("no room for DivisionByZero") && message.contains("test.journal.write"), "{message}");
    }
    // What the code raises itself is what it declares, or is wrong.
    let own = divide(&format!("try: {write}\nexcept Declared as error: raise Declared(error.value)"));
    assert!(matches!(own, Err(CallError::InvalidResult(_))), "{own:?}");

    let runtime = runtime("pass");
    let copy = runtime.proxy::<dyn Journal>().unwrap();
    assert_eq!(copy.write("x"), Ok(Err("no room for x".to_owned())), "the type is the same");
    let error = copy.count().unwrap_err();
    assert!(matches!(error, CallError::Exception(_)) && error.to_string().contains("no room for numbers"), "{error}");
}

#[test]
fn a_program_that_does_not_compile_is_named_with_its_line() {
    let _interpreter = loaded(SCRIPT);
    for (code, message, place) in [
        ("x = 1\ny = = 2\n", "SyntaxError: invalid syntax", "main.py:2"),
        ("def f():\nreturn 1\n", "IndentationError: expected an indented block", "main.py:2"),
        (
            "x = (1,\n",
            if is_since(10) { "SyntaxError: '(' was never closed" } else { "SyntaxError: unexpected EOF" },
            "main.py:1",
        ),
        ("return 1", "SyntaxError: 'return' outside function", "main.py:1"),
        ("\nraise ValueError('not today')", "ValueError: not today", "main.py:2"),
        ("import absent_module", "ModuleNotFoundError: there is no module `absent_module`", "main.py:1"),
        ("raise SystemExit(0)", "SystemExit: 0", "main.py:1"),
        ("from polyplug import plugin\n\nplugin(5)", "TypeError: the name of a contract is expected", "main.py:3"),
        ("from polyplug import plug", "ImportError: cannot import name 'plug'", "main.py:1"),
    ] {
        let error = load_error(code);
        assert!(error.contains(message) && error.contains(place), "{code}: {error}");
    }
    let error = load_error("x = 1");
    assert!(error.contains("no plugin"), "{error}");
}

#[test]
fn decorators_that_are_misused_are_named() {
    for (code, part) in [
        ("@plugin\nclass A: pass", "the name of a contract is expected, such as @plugin(\"demo.calculator@1\")"),
        ("@plugin('test.script@1', 5)\nclass A: pass", "positional argument"),
        ("@plugin('test.script@1', name=5)\nclass A: pass", "the option `name` is a string, not 5"),
        ("@plugin('test.script@1', singleton=1)\nclass A: pass", "the option `singleton` is True or False, not 1"),
        ("@plugin('test.script@1', single=True)\nclass A: pass", "unexpected keyword argument 'single'"),
        ("@plugin('test.script@1')\ndef f(): pass", "@plugin stands before a class"),
        ("@plugin('no contract')\nclass A: pass", "no contract"),
        ("@plugin('test.unknown@1')\nclass A: pass", "test.unknown"),
        ("@plugin('test.script@1')\nclass A: pass", "run"),
        (
            "@plugin('test.script@1')\nclass A:\n def __init__(self, a, b): pass\n def run(self, x): pass",
            "__init__ of A",
        ),
        (
            "@plugin('test.script@1')\nclass A:\n def __init__(self, *, a): pass\n def run(self, x): pass",
            "__init__ of A",
        ),
    ] {
        let error = load_error(&format!("from polyplug import plugin\n{code}\n"));
        assert!(error.contains(part), "{code}: no {part:?} in: {error}");
    }
    let late = format!("{SCRIPT}\n    def late(self):\n        plugin('test.script@1')(type('A', (), {{}}))\n");
    let error = run(&loaded(&late), "self.late()").unwrap_err().to_string();
    assert!(error.contains("plugins are declared while their bundle is being loaded"), "{error}");
}

#[test]
fn an_instance_that_cannot_be_made_is_an_error_of_the_caller() {
    let runtime = loaded(&format!("{SCRIPT}\n    def __init__(self):\n        raise ValueError('not today')\n"));
    let error = runtime.proxy::<dyn Script>().map(drop).unwrap_err().to_string();
    assert!(error.contains("ValueError: not today") && error.contains("main.py:"), "{error}");
}

#[test]
fn sources_that_are_none_are_named() {
    let runtime = python_runtime(PythonLoader::new());
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", manifest("python", "python", "main.py"));
    let error = runtime.load_bundle(bundle.path()).unwrap_err().to_string();
    assert!(error.contains("main.py"), "{error}");
    bundle.write("main.py", b"x = '\xff'\n");
    let error = runtime.load_bundle(bundle.path()).unwrap_err().to_string();
    assert!(error.contains("SyntaxError") && error.contains("main.py"), "{error}");
    let source = BundleSource::Bytes(SCRIPT.as_bytes().to_vec());
    let error = runtime.load_bundle_from(&manifest("python", "python", "main.py"), source).unwrap_err();
    assert!(matches!(error, RuntimeError::Loader(LoaderError::UnsupportedBundleSource { .. })), "{error:?}");
}

#[test]
fn checking_finds_what_does_not_compile() {
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", manifest("python", "python", "main.py"));
    let check = |text: &[u8]| {
        bundle.write("main.py", text);
        PythonLoader::new().check(&ManifestData::read(bundle.path()).unwrap()).map_err(|error| error.to_string())
    };
    assert_eq!(check(SCRIPT.as_bytes()), Ok(()));
    assert_eq!(check(b"while True: pass"), Ok(()), "it is not run");
    let error = check(b"x = 1\ny = =").unwrap_err();
    assert!(error.contains("main.py") && error.contains("line 2"), "{error}");
    assert!(check(b"\xff").is_err());
    std::fs::remove_file(bundle.path().join("main.py")).unwrap();
    let error = PythonLoader::new().check(&ManifestData::read(bundle.path()).unwrap()).unwrap_err().to_string();
    assert!(error.contains("main.py"), "{error}");
}

/// What was logged about this bundle at this level, as one text.
fn texts(messages: &[Logged], level: tracing::Level) -> Vec<&str> {
    let of_bundle = messages.iter().filter(|logged| logged.bundle == "python" && logged.level == level);
    of_bundle.map(|logged| logged.message.as_str()).collect()
}

#[test]
fn print_writes_to_the_log() {
    let runtime = loaded(SCRIPT);
    let ((), messages) = logged(|| {
        run(&runtime, "print('one', 2, sep='-')\nprint()\nprint('three', end='')\nprint('a\\nb', flush=True)").unwrap();
        run(&runtime, "from polyplug import log\nlog('error', 'serious')\nlog('warn', 'less')").unwrap();
        run(&runtime, "import io\nf = io.StringIO()\nprint('kept', file=f)\nassert f.getvalue() == 'kept\\n'").unwrap();
    });
    assert_eq!(texts(&messages, tracing::Level::INFO), ["one-2", "", "three", "a\nb"]);
    assert_eq!(texts(&messages, tracing::Level::ERROR), ["serious"]);
    assert_eq!(texts(&messages, tracing::Level::WARN), ["less"]);
    let error = run(&runtime, "from polyplug import log\nlog('fatal', 'x')").unwrap_err().to_string();
    assert!(error.contains("\"fatal\" is no level: there are \"error\""), "{error}");
}

#[test]
fn errors_without_a_caller_are_written_to_the_log() {
    let runtime = loaded(SCRIPT);
    let ((), messages) = logged(|| {
        run(&runtime, "class A:\n def __del__(self):\n  raise ValueError('in the end')\nA()").unwrap();
    });
    let texts = texts(&messages, tracing::Level::ERROR);
    assert_eq!(texts.len(), 1, "{messages:?}");
    for part in ["ValueError: in the end", "line 3", "__del__"] {
        assert!(texts[0].contains(part), "{part}: {texts:?}");
    }
    // One that cannot be shown, and fails in showing that.
    let code = "class Broken(Exception):\n def __str__(self): raise Broken()\n def __repr__(self): raise Broken()\n\
                class A:\n def __del__(self): raise Broken()\nA()";
    let ((), messages) = logged(|| drop(run(&runtime, code).unwrap()));
    assert!(self::texts(&messages, tracing::Level::ERROR)[0].contains("Broken"), "{messages:?}");
}

#[test]
fn an_error_that_ends_a_thread_is_written_to_the_log() {
    let runtime = loaded(SCRIPT);
    let ((), messages) = logged_anywhere(|| {
        let code = "import threading\ndef work():\n raise ValueError('in a thread')\nt = threading.Thread(target=work)\n\
                    t.start()\nt.join()\nreturn t.is_alive()";
        assert_eq!(run(&runtime, code).unwrap(), "False");
        // It ends a thread, as it does in a program.
        let code =
            "import threading\nt = threading.Thread(target=lambda: exec('raise SystemExit'))\nt.start()\nt.join()";
        run(&runtime, code).unwrap();
    });
    let texts = texts(&messages, tracing::Level::ERROR);
    assert_eq!(texts.len(), 1, "{messages:?}");
    for part in ["ValueError: in a thread", "line 3, in work", "thread"] {
        assert!(texts[0].contains(part), "{part}: {texts:?}");
    }
}

#[test]
fn warnings_go_to_the_log() {
    let runtime = loaded(SCRIPT);
    let ((), messages) = logged(|| {
        run(&runtime, "import warnings\nwarnings.warn('mind the gap')").unwrap();
    });
    let texts = texts(&messages, tracing::Level::WARN);
    assert!(texts.len() == 1 && texts[0].contains("UserWarning: mind the gap"), "{messages:?}");
}

#[test]
fn records_that_logging_would_print_are_written_to_the_log() {
    let runtime = loaded(SCRIPT);
    let ((), messages) = logged(|| {
        run(&runtime, "import logging\nlogging.getLogger('mine').warning('mind %d', 5)\nlogging.error('worse')")
            .unwrap();
        run(&runtime, "import logging\nlogging.info('PRINTED')\nlogging.warning('%d', 'x')").unwrap();
    });
    assert_eq!(texts(&messages, tracing::Level::WARN), ["mine: mind 5"]);
    let errors = texts(&messages, tracing::Level::ERROR);
    assert_eq!(errors[0], "root: worse", "{messages:?}");
    assert!(errors[1].contains("'%d' cannot be shown: TypeError"), "{messages:?}");
}

#[test]
fn nothing_is_printed() {
    let name = "nothing_is_printed";
    if !child::is_child() {
        let output = child::again(name).output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && out.contains("1 passed"), "{out}{err}");
        assert_eq!(err, "");
        let own = ["running 1 test", "test nothing_is_printed ... ", "test result: ok", "ok"];
        let others: Vec<_> =
            out.lines().filter(|line| !line.is_empty() && !own.iter().any(|own| line.starts_with(own))).collect();
        assert_eq!(others, [""; 0]);
        return;
    }
    let runtime = loaded(SCRIPT);
    for code in [
        "print('PRINTED')",
        "raise ValueError('PRINTED')",
        "raise SystemExit('PRINTED')",
        "raise KeyboardInterrupt('PRINTED')",
        "class A:\n def __del__(self): raise ValueError('PRINTED')\nA()",
        "class A:\n def __del__(self): raise SystemExit('PRINTED')\nA()",
        "import threading\nt = threading.Thread(target=lambda: 1 / 0)\nt.start()\nt.join()",
        "import _thread, time\n_thread.start_new_thread(lambda: 1 / 0, ())\ntime.sleep(0.1)",
        "import warnings\nwarnings.warn('PRINTED')",
        "eval(compile('1 is 1', 'x', 'eval'))",
        "async def f(): pass\nf()",
        "import logging\nlogging.warning('PRINTED')",
        "import logging\nlogging.getLogger('other').error('PRINTED %d', 'x')",
        "class Broken(Exception):\n def __str__(self): raise Broken()\nraise Broken()",
        "import atexit\natexit.register(lambda: 1 / 0)",
    ] {
        let _ = run(&runtime, code);
    }
    let _ = load_error("x = 'PRINTED' is 1\n1 / 0");
    let _ = load_error("'\\d'\nx = = 2");
}

#[test]
fn the_process_lives_whatever_is_raised() {
    let runtime = loaded(SCRIPT);
    load_python(&runtime, "bystander", CALCULATOR_ONLY);
    let calc = runtime.proxy::<dyn Calculator>().unwrap();
    for n in 0..50 {
        for code in ["raise SystemExit", "raise KeyboardInterrupt", "raise GeneratorExit", "def f(): f()\nf()"] {
            assert!(run(&runtime, code).is_err());
            assert_eq!(calc.add(n, 1), Ok(n + 1));
        }
    }
}

const CALCULATOR_ONLY: &str = r#"
from polyplug import plugin

@plugin("demo.calculator@1")
class Calculator:
    def add(self, a, b): return a + b
    def greet(self, name): return name
    def sum(self, data): return 0
    def divide(self, a, b): return 0
"#;
