//! Where the program has no subscriber, what bundles write is on standard error, under their names.
//!
//! Each test runs itself again in a process of its own, whose standard error it reads.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use polyplug::loader::BundleSource;
use polyplug::{BundleId, Runtime};
use polyplug_abi::LogLevel;
use polyplug_js::JsLoader;
use polyplug_lua::LuaLoader;
use polyplug_native::NativeLoader;
use polyplug_python::PythonLoader;
use polyplug_tests::child::{again, is_child};
use polyplug_tests::js::SCRIPT as JS;
use polyplug_tests::lua::{SCRIPT as LUA, Script};
use polyplug_tests::python::SCRIPT as PYTHON;
use polyplug_tests::{Bundle, manifest};
use test_contracts::places::Places;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

fn runtime() -> Arc<Runtime> {
    let builder = Runtime::builder().loader(NativeLoader::new()).loader(LuaLoader::new());
    builder.loader(PythonLoader::new()).loader(JsLoader::new()).hot_reload(true).build().unwrap()
}

fn load_lua(runtime: &Runtime, name: &str, code: &str) {
    let source = BundleSource::Code(code.to_owned());
    runtime.load_bundle_from(&manifest(name, "lua", "main.lua"), source).unwrap();
}

fn run(runtime: &Runtime, bundle: &str, code: &str) {
    runtime.proxy_from::<dyn Script>(BundleId::new(bundle)).unwrap().run(code).unwrap();
}

/// Runs a test again, which passes there. Returns the lines of its standard error.
#[track_caller]
fn lines_of(test: &str) -> Vec<String> {
    let output = again(test).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("1 passed"), "{}\n{out}\n{err}", output.status);
    err.lines().map(str::to_owned).collect()
}

/// The lines that are there are these, in this order.
#[track_caller]
fn expect(lines: &[String], expected: &[&str]) {
    assert_eq!(lines, expected);
}

#[test]
fn plugins_write_under_the_names_of_their_bundles() {
    if !is_child() {
        let lines = lines_of("plugins_write_under_the_names_of_their_bundles");
        let (panics, lines): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line.contains("plugin panic"));
        assert!(panics.len() == 1 && panics[0].contains("error: plugin panic: boom (at "), "{panics:?}");
        return expect(
            &lines,
            &[
                "[native] ready",
                "[native] warning: two",
                "[native] lines",
                "[native] error: bad",
                "[lua] printed\t1",
                "[lua] warning: logged",
                "[lua] written by io",
                "[python] printed 1",
                "[python] ",
                "[python] two lines",
                "[python] error: logged",
                "[python] warning: root: from logging",
                "[js] printed 1",
                "[js] two",
                "[js] lines",
                "[js] warning: with care",
                "[js] error: bad",
                "[js] warning: logged",
                "[lua] error: on_unload: a function failed: not today (at lua/main.lua:8)",
                "[lua] stack traceback:",
                "[lua] \t[C]: in function 'error'",
                "[lua] \tlua/main.lua:8: in function <lua/main.lua:8>",
            ],
        );
    }
    let bundle = Bundle::native("native", "plugin-places");
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    let places = runtime.proxy::<dyn Places>().unwrap();
    for (level, text) in [
        (LogLevel::Info, "ready"),
        (LogLevel::Debug, "left out"),
        (LogLevel::Trace, "left out"),
        (LogLevel::Warn, "two\nlines"),
        (LogLevel::Error, "bad\n"),
    ] {
        places.log(level.0, text).unwrap();
    }
    places.panic("boom").unwrap_err();

    load_lua(&runtime, "lua", &format!("{LUA}polyplug.on_unload(function() error('not today') end)"));
    run(&runtime, "lua", "print('printed', 1)");
    run(&runtime, "lua", "require('polyplug').log('debug', 'left out') require('polyplug').log('warn', 'logged')");
    run(&runtime, "lua", "io.write('written ') io.write('by io\\n')");

    let python = Bundle::script("python", PYTHON);
    runtime.load_bundle(python.path()).unwrap();
    run(&runtime, "python", "print('printed', 1)\nprint()\nprint('two lines')");
    run(
        &runtime,
        "python",
        "import polyplug, logging\npolyplug.log('error', 'logged')\nlogging.warning('from logging')",
    );

    let js = Bundle::script("js", JS);
    runtime.load_bundle(js.path()).unwrap();
    run(&runtime, "js", "console.log('printed', 1); console.debug('left out'); console.info('two\\nlines')");
    run(&runtime, "js", "console.warn('with care'); console.error('bad')");
    run(&runtime, "js", "polyplug.log('debug', 'left out'); polyplug.log.warn('logged')");

    runtime.unload_bundle(BundleId::new("lua")).unwrap();
}

/// A subscriber that keeps the messages.
#[derive(Clone, Default)]
struct Keeps(Arc<Mutex<Vec<String>>>);

impl Subscriber for Keeps {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn event(&self, event: &Event<'_>) {
        struct Text<'a>(&'a mut String);
        impl tracing::field::Visit for Text<'_> {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                if field.name() == "message" {
                    *self.0 = format!("{value:?}");
                }
            }
        }
        let mut text = String::new();
        event.record(&mut Text(&mut text));
        if event.metadata().target() == "polyplug::plugin" {
            self.0.lock().unwrap().push(text);
        }
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Returns the level of the log, as plugins ask for it.
fn level(runtime: &Runtime) -> u32 {
    // SAFETY: the table is valid as long as the runtime.
    unsafe { ((*runtime.host_abi()).log_level)(runtime.host_abi()) }
}

#[test]
fn a_subscriber_of_one_thread_gets_what_is_written_there_and_nothing_else_is_lost() {
    if !is_child() {
        let lines = lines_of("a_subscriber_of_one_thread_gets_what_is_written_there_and_nothing_else_is_lost");
        return expect(&lines, &["[lua] before", "[lua] elsewhere", "[lua] after"]);
    }
    let runtime = runtime();
    load_lua(&runtime, "lua", LUA);
    run(&runtime, "lua", "print('before')");
    assert_eq!(level(&runtime), LogLevel::Info.0);
    let kept = Keeps::default();
    tracing::subscriber::with_default(kept.clone(), || {
        run(&runtime, "lua", "print('here')");
        assert_eq!(level(&runtime), LogLevel::Trace.0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                run(&runtime, "lua", "print('elsewhere')");
                assert_eq!(level(&runtime), LogLevel::Info.0, "another thread has no subscriber");
            });
        });
        run(&runtime, "lua", "require('polyplug').log('trace', 'fine')");
    });
    run(&runtime, "lua", "print('after')");
    assert_eq!(*kept.0.lock().unwrap(), ["here", "fine"]);
}

#[test]
fn with_a_subscriber_standard_error_stays_empty() {
    if !is_child() {
        return expect(&lines_of("with_a_subscriber_standard_error_stays_empty"), &[]);
    }
    let kept = Keeps::default();
    tracing::subscriber::set_global_default(kept.clone()).unwrap();
    let runtime = runtime();
    load_lua(&runtime, "lua", LUA);
    std::thread::scope(|scope| {
        scope.spawn(|| run(&runtime, "lua", "print('anywhere')"));
    });
    assert_eq!(*kept.0.lock().unwrap(), ["anywhere"]);
}

#[test]
fn a_logger_of_the_crate_log_gets_it_where_there_is_no_subscriber() {
    struct Logger(Mutex<Vec<String>>);
    impl log::Log for Logger {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            true
        }
        fn log(&self, record: &log::Record<'_>) {
            let text = format!("{} {} {}", record.level(), record.target(), record.args());
            self.0.lock().unwrap().push(text);
        }
        fn flush(&self) {}
    }
    static LOGGER: Logger = Logger(Mutex::new(Vec::new()));
    if !is_child() {
        return expect(&lines_of("a_logger_of_the_crate_log_gets_it_where_there_is_no_subscriber"), &[]);
    }
    log::set_logger(&LOGGER).unwrap();
    log::set_max_level(log::LevelFilter::Debug);
    let runtime = runtime();
    assert_eq!(level(&runtime), LogLevel::Debug.0);
    load_lua(&runtime, "lua", LUA);
    run(&runtime, "lua", "print('one') require('polyplug').log('trace', 'left out')");
    assert_eq!(*LOGGER.0.lock().unwrap(), ["INFO polyplug::plugin [lua] one"]);
}

#[test]
fn a_standard_error_that_nobody_reads_does_no_harm() {
    if is_child() {
        // As in a program that is not Rust's: the signal of a broken pipe would end it.
        // SAFETY: the default action is a valid one for the signal.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        let runtime = runtime();
        load_lua(&runtime, "lua", LUA);
        // The parent closes its end when it has seen this.
        println!("loaded");
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).unwrap();
        run(&runtime, "lua", "for i = 1, 100 do print('lost', i) end");
        println!("went on");
        return;
    }
    let mut command = again("a_standard_error_that_nobody_reads_does_no_harm");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    drop(child.stdin.take());
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    let status = child.wait().unwrap();
    assert!(status.success() && text.contains("went on"), "{status}\n{text}");
}

#[test]
fn lines_of_several_bundles_do_not_mix() {
    const LENGTH: usize = 20_000;
    const NAMES: [&str; 4] = ["a", "b", "c", "d"];
    if is_child() {
        let runtime = runtime();
        std::thread::scope(|scope| {
            for name in NAMES {
                load_lua(&runtime, name, LUA);
                let runtime = &runtime;
                let code = format!(
                    "for _ = 1, 20 do print(('{name}'):rep({LENGTH}) .. '\\n' .. ('{name}'):rep({LENGTH})) end"
                );
                scope.spawn(move || run(runtime, name, &code));
            }
        });
        return;
    }
    let lines = lines_of("lines_of_several_bundles_do_not_mix");
    assert_eq!(lines.len(), NAMES.len() * 40);
    let expected: BTreeSet<_> = NAMES.iter().map(|name| format!("[{name}] {}", name.repeat(LENGTH))).collect();
    assert!(lines.iter().cloned().collect::<BTreeSet<_>>() == expected, "a line is torn");
}

#[test]
fn the_runtime_tells_of_a_reload_that_failed() {
    if is_child() {
        let bundle = Bundle::script("lua", LUA);
        let runtime = runtime();
        runtime.load_bundle(bundle.path()).unwrap();
        bundle.write("main.lua", "error('a mistake')");
        runtime.reload_bundle(bundle.path()).unwrap_err();
        return;
    }
    let lines = lines_of("the_runtime_tells_of_a_reload_that_failed");
    assert!(lines[0].starts_with("[lua] warning: reload failed; the old version serves on: "), "{lines:?}");
    assert!(lines[0].contains("a mistake") && lines.iter().all(|line| line.starts_with("[lua] ")), "{lines:?}");
}
