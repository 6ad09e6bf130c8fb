//! What goes wrong in code for .NET, and what is said of it. What the CLR does not survive is done in a process of its own.
#![cfg(target_os = "linux")]

use std::os::unix::process::ExitStatusExt;
use std::process::Output;
use std::sync::Arc;

use polyplug::{CallError, Failure, Runtime};
use polyplug_tests::dotnet::{Version, dotnet_bundle, dotnet_runtime};
use polyplug_tests::lua::{Script, ScriptProxy};
use polyplug_tests::{Bundle, Logged, child, logged, on_each_dotnet};
use tracing::Level;

on_each_dotnet! {
    exceptions_have_type_message_and_cause exceptions_have_places exceptions_without_a_pdb_have_none
    exceptions_of_the_runtime_can_be_caught null_references_end_no_process
    exceptions_of_tasks_are_themselves exceptions_that_fail_are_told a_type_that_cannot_start_says_why
    exceptions_of_calls_name_the_contract an_end_that_fails_is_logged the_console_is_the_hosts_log
    messages_have_their_levels the_invariant_culture_is_there a_task_that_nobody_asks_for_ends_no_process
    an_overflow_of_the_stack_ends_the_process an_exit_ends_the_process a_failing_fast_ends_the_process
    an_exception_of_a_thread_ends_the_process an_exception_of_async_void_ends_the_process
    an_exception_of_a_finaliser_ends_the_process
}

fn loaded(version: Version) -> (Arc<Runtime>, Bundle, ScriptProxy) {
    let (runtime, bundle) = (dotnet_runtime(version), dotnet_bundle("faults", "faults"));
    runtime.load_bundle(bundle.path()).unwrap_or_else(|error| panic!("{error}"));
    let proxy = runtime.proxy::<dyn Script>().unwrap();
    (runtime, bundle, proxy)
}

#[track_caller]
fn raised(answer: Result<String, CallError>) -> Failure {
    match answer {
        Err(CallError::Exception(failure)) => *failure,
        other => panic!("an exception, not {other:?}"),
    }
}

/// The line of `faults.cs` that is marked `here`.
fn marked() -> usize {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/guests/dotnet/faults.cs");
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().position(|line| line.ends_with("// here")).expect("a line that is marked") + 1
}

fn exceptions_have_type_message_and_cause(version: Version) {
    let (_runtime, _bundle, proxy) = loaded(version);
    for (code, message) in [
        ("plain", "System.InvalidOperationException: plain"),
        ("inner", "Faults.TroubleException: cannot print ---> System.IO.FileNotFoundException: no paper"),
        ("own", "Faults.TroubleException: no ink ---> Faults.TroubleException: empty"),
        ("null message", "System.Exception: Exception of type 'System.Exception' was thrown."),
        ("thrown null", "System.NullReferenceException: "),
        ("zero", "System.DivideByZeroException: "),
        ("index", "System.IndexOutOfRangeException: "),
        ("cast", "System.InvalidCastException: "),
        ("memory", "System.OutOfMemoryException: "),
        ("other", "System.ArgumentException: other"),
    ] {
        let failure = raised(proxy.run(code));
        assert_eq!((failure.method.as_str(), failure.bundle()), ("test.script.run", Some("faults")));
        assert!(failure.message.starts_with(message), "{code}: {failure:?}");
        assert_eq!(proxy.run("fine"), Ok("fine".to_owned()), "after {code}");
    }
}

fn exceptions_have_places(version: Version) {
    let (_runtime, _bundle, proxy) = loaded(version);
    let failure = raised(proxy.run("plain"));
    assert_eq!(failure.location, Some(format!("faults/faults.cs:{}", marked())));
    for code in ["plain", "small"] {
        let traceback = raised(proxy.run(code)).traceback.expect("a traceback");
        let lines: Vec<_> = traceback.lines().map(str::trim_start).collect();
        assert!(
            lines[0].starts_with("at Faults.Script.Plain() in ") && lines[0].contains("faults.cs:line "),
            "{traceback}"
        );
        assert!(lines.last().is_some_and(|line| line.starts_with("at Faults.Script.Run(String code)")), "{traceback}");
        // The loader's own frames are left out.
        assert!(!traceback.contains("Polyplug.Bridge") && !traceback.contains("MethodEntry"), "{traceback}");
    }
    // Of several, where the last one was thrown, as a debugger shows it; the cause is in the traceback.
    let failure = raised(proxy.run("inner"));
    let (place, traceback) = (failure.location.expect("a location"), failure.traceback.expect("a traceback"));
    assert!(place.starts_with("faults/faults.cs:"), "{place}");
    assert_eq!(traceback.matches("Faults.Script.Inner()").count(), 2, "{traceback}");
}

fn exceptions_without_a_pdb_have_none(version: Version) {
    let (runtime, bundle) = (dotnet_runtime(version), dotnet_bundle("faults", "faults"));
    std::fs::remove_file(bundle.path().join("faults.pdb")).unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    let failure = raised(runtime.proxy::<dyn Script>().unwrap().run("plain"));
    assert_eq!((failure.message.as_str(), failure.location), ("System.InvalidOperationException: plain", None));
    assert!(failure.traceback.is_some_and(|traceback| traceback.contains("Faults.Script.Run")));
}

fn exceptions_of_the_runtime_can_be_caught(version: Version) {
    let (_runtime, _bundle, proxy) = loaded(version);
    assert_eq!(proxy.run("caught null"), Ok("caught".to_owned()));
    assert!(raised(proxy.run("null")).message.starts_with("System.NullReferenceException: "));
}

/// The CLR makes an exception of a signal, for which a thread needs more stack than Rust gives to handlers.
fn dereference(proxy: &ScriptProxy) {
    for _ in 0..20 {
        assert_eq!(proxy.run("caught null"), Ok("caught".to_owned()));
        assert!(raised(proxy.run("null")).message.starts_with("System.NullReferenceException: "));
    }
}

fn null_references_end_no_process(version: Version) {
    let (_runtime, _bundle, proxy) = loaded(version);
    dereference(&proxy);
    for _ in 0..3 {
        std::thread::scope(|scope| (0..8).for_each(|_| drop(scope.spawn(|| dereference(&proxy)))));
    }
    // A thread that Rust has not started has no stack for handlers, and one with little stack.
    std::thread::Builder::new().stack_size(512 << 10).spawn(move || dereference(&proxy)).unwrap().join().unwrap();
}

/// Runs the body of a test in a process of its own.
fn apart(test: &str, version: Version, body: impl FnOnce(&ScriptProxy)) -> Option<Output> {
    if child::is_child() {
        let (_runtime, _bundle, proxy) = loaded(version);
        body(&proxy);
        return None;
    }
    let module = match version {
        Version::Net9 => "net9",
        Version::Net31 => "net31",
    };
    Some(child::again(&format!("{module}::{test}")).output().expect("a test can be run"))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn exceptions_of_tasks_are_themselves(version: Version) {
    let (_runtime, _bundle, proxy) = loaded(version);
    for (code, message) in [
        ("aggregate", "System.TimeoutException: too late"),
        ("task", "System.InvalidOperationException: later"),
        ("many", "System.AggregateException: One or more errors occurred. (one) (two)"),
    ] {
        let failure = raised(proxy.run(code));
        assert!(failure.message.starts_with(message), "{code}: {failure:?}");
        assert!(failure.location.is_some_and(|place| place.starts_with("faults/faults.cs:")), "{code}");
    }
}

fn exceptions_that_fail_are_told(version: Version) {
    let (_runtime, _bundle, proxy) = loaded(version);
    let failure = raised(proxy.run("mute"));
    assert!(failure.message.starts_with("Faults.MuteException"), "{failure:?}");
    assert_eq!(proxy.run("fine"), Ok("fine".to_owned()));
}

fn a_type_that_cannot_start_says_why(version: Version) {
    let (_runtime, _bundle, proxy) = loaded(version);
    for _ in 0..2 {
        let failure = raised(proxy.run("static"));
        assert!(failure.message.starts_with("System.TypeInitializationException: "), "{failure:?}");
        assert!(failure.message.contains("---> System.InvalidOperationException: the type fails"), "{failure:?}");
    }
}

fn exceptions_of_calls_name_the_contract(version: Version) {
    let (_runtime, _bundle, proxy) = loaded(version);
    let failure = raised(proxy.run("call"));
    assert!(failure.message.contains("test.nothing@1"), "{failure:?}");
    let failure = raised(proxy.run("bad"));
    assert!(failure.message.contains("nothing"), "{failure:?}");
}

fn an_end_that_fails_is_logged(version: Version) {
    let (_runtime, _bundle, proxy) = loaded(version);
    assert_eq!(proxy.run("end"), Ok("set".to_owned()));
    let ((), messages) = logged(|| drop(proxy));
    let [Logged { level: Level::ERROR, bundle, message }] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!(bundle, "faults");
    assert!(message.contains("System.InvalidOperationException: the end fails"), "{message}");
}

fn texts(messages: &[Logged]) -> Vec<(Level, &str)> {
    assert!(messages.iter().all(|logged| logged.bundle == "faults"), "{messages:?}");
    messages.iter().map(|logged| (logged.level, logged.message.as_str())).collect()
}

fn the_console_is_the_hosts_log(version: Version) {
    let (_runtime, _bundle, proxy) = loaded(version);
    for _ in 0..2 {
        let (answer, messages) = logged(|| proxy.run("console"));
        assert_eq!(answer, Ok("written".to_owned()));
        assert_eq!(texts(&messages), [(Level::INFO, "a line"), (Level::WARN, "half a warning 5")]);
    }
}

fn messages_have_their_levels(version: Version) {
    let (_runtime, _bundle, proxy) = loaded(version);
    let (answer, messages) = logged(|| proxy.run("log"));
    assert_eq!(answer, Ok("logged".to_owned()));
    let expected = [
        (Level::ERROR, "e"),
        (Level::WARN, "w"),
        (Level::INFO, "i"),
        (Level::DEBUG, "d"),
        (Level::TRACE, "t"),
        (Level::INFO, "Grüße 🦀"),
    ];
    assert_eq!(texts(&messages), expected);
}

/// The host decides by a property of the runtime whether there are others.
fn the_invariant_culture_is_there(version: Version) {
    let (_runtime, _bundle, proxy) = loaded(version);
    let text = match version {
        Version::Net9 if icu_is_here() => "1,5",
        // The other version is started without the cultures of the system.
        _ => "1.5",
    };
    match proxy.run("culture") {
        Ok(answer) => assert_eq!(answer, text),
        // Later versions refuse cultures that they do not have.
        Err(error) => assert!(!icu_is_here() && error.to_string().contains("CultureNotFoundException"), "{error}"),
    }
}

fn icu_is_here() -> bool {
    let folder = std::fs::read_dir("/usr/lib/x86_64-linux-gnu");
    folder
        .is_ok_and(|mut files| files.any(|file| file.unwrap().file_name().to_string_lossy().starts_with("libicuuc.so")))
}

fn a_task_that_nobody_asks_for_ends_no_process(version: Version) {
    let (_runtime, _bundle, proxy) = loaded(version);
    assert_eq!(proxy.run("unobserved"), Ok("forgotten".to_owned()));
    assert_eq!(proxy.run("fine"), Ok("fine".to_owned()));
}

/// Runs a test whose process ends with a signal or a number, after the CLR has said why.
fn ends(test: &str, version: Version, code: &str, status: (Option<i32>, Option<i32>), words: &[&str]) {
    let output = apart(test, version, |proxy| {
        let answer = proxy.run(code);
        println!("it is still here: {answer:?}");
    });
    if let Some(output) = output {
        let text = said(&output);
        assert_eq!((output.status.code(), output.status.signal()), status, "{text}");
        for word in words {
            assert!(text.contains(word), "`{word}` is in: {text}");
        }
        assert!(!text.contains("it is still here"), "{text}");
    }
}

const ABORTED: (Option<i32>, Option<i32>) = (None, Some(libc::SIGABRT));

fn an_overflow_of_the_stack_ends_the_process(version: Version) {
    let words: &[&str] = match version {
        Version::Net9 => &["Stack overflow", "Faults.Script.Deep"],
        // It does not say where.
        Version::Net31 => &["Stack overflow"],
    };
    ends("an_overflow_of_the_stack_ends_the_process", version, "overflow", ABORTED, words);
}

fn an_exit_ends_the_process(version: Version) {
    ends("an_exit_ends_the_process", version, "exit", (Some(7), None), &[]);
}

fn a_failing_fast_ends_the_process(version: Version) {
    ends("a_failing_fast_ends_the_process", version, "fail fast", ABORTED, &["enough"]);
}

fn an_exception_of_a_thread_ends_the_process(version: Version) {
    ends(
        "an_exception_of_a_thread_ends_the_process",
        version,
        "thread",
        ABORTED,
        &["Unhandled exception", "a thread fails"],
    );
}

fn an_exception_of_async_void_ends_the_process(version: Version) {
    let words = ["Unhandled exception", "nobody waits"];
    ends("an_exception_of_async_void_ends_the_process", version, "async void", ABORTED, &words);
}

fn an_exception_of_a_finaliser_ends_the_process(version: Version) {
    let words = ["Unhandled exception", "a finaliser fails"];
    ends("an_exception_of_a_finaliser_ends_the_process", version, "finaliser", ABORTED, &words);
}
