//! What the code of a bundle has started ends with the bundle: its functions for the unload run once, after the last call,
//! before shared instances end and the code goes.

use std::ffi::c_void;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use polyplug::{BundleId, PluginContext, Runtime};
use polyplug_abi::{AbiError, AbiErrorCode, HostApi};
use polyplug_js::JsLoader;
use polyplug_lua::LuaLoader;
use polyplug_native::NativeLoader;
use polyplug_python::PythonLoader;
#[cfg(target_os = "linux")]
use polyplug_tests::footprint::{Slack, footprint};
use polyplug_tests::lua::Script;
use polyplug_tests::{Bundle, Logged, eventually, logged_anywhere, reported};
use test_contracts::calling::Logger;
#[cfg(target_os = "linux")]
use test_contracts::pool::Pool;

/// What has happened, in order.
static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// What the functions below do.
static MOOD: Mutex<&str> = Mutex::new("");

/// Whether a function that hangs may return.
static RELEASED: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

fn see(text: &str) {
    SEEN.lock().unwrap().push(text.to_owned());
}

fn seen() -> Vec<String> {
    std::mem::take(&mut SEEN.lock().unwrap())
}

fn mood() -> &'static str {
    *MOOD.lock().unwrap()
}

/// One test at a time has the plugin below, and the log.
fn alone(mood: &'static str) -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    *MOOD.lock().unwrap() = mood;
    seen();
    one
}

#[polyplug::contract(name = "test.ending", version = "1.0")]
trait Ending {
    fn call(&self);
}

struct Ends(PluginContext);

impl Ends {
    fn new(context: &PluginContext) -> Result<Self, String> {
        let text = |error: std::io::Error| error.to_string();
        match mood() {
            "factory fails" => {
                context.on_unload(|_| see("of the context")).map_err(text)?;
                return Err("no parts".to_owned());
            }
            "registers" => {
                context.on_unload(|_| see("of the factory")).map_err(text)?;
                register_in_c(context.host_abi());
            }
            "registers bad ones" => {
                context.try_on_unload(|_| Err("the lid is loose")).map_err(text)?;
                context.on_unload(|_| panic!("the jar broke")).map_err(text)?;
            }
            "hangs after its end" => context.on_unload(|_| HANGS_AT_END.with(|_| ())).map_err(text)?,
            _ => {}
        }
        Ok(Self(context.clone()))
    }
}

/// Registers a function through the table.
fn register_in_c(host: *const HostApi) {
    unsafe extern "C" fn run(_: *const HostApi, data: *mut c_void, _: *mut AbiError) {
        see(if data.is_null() { "of the table" } else { "with other data" });
    }
    // SAFETY: the table is valid; the data is not used.
    let (code, text) = reported(|error| unsafe { ((*host).on_unload)(host, Some(run), std::ptr::null_mut(), error) });
    assert_eq!(code, 0, "{text}");
}

thread_local! {
    static HANGS_AT_END: HangsAtEnd = const { HangsAtEnd };
}

/// Delays the end of its thread until that is released.
struct HangsAtEnd;

impl Drop for HangsAtEnd {
    fn drop(&mut self) {
        wait_until_released();
        see("thread-local");
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        see("instance");
        if mood() == "registers late" {
            let held = Arc::new(());
            let moved = Arc::clone(&held);
            let error = self.0.on_unload(move |_| drop(moved)).unwrap_err().to_string();
            assert_eq!(Arc::strong_count(&held), 1, "the function is dropped");
            see(&error);
        }
    }
}

#[polyplug::plugin(create = Ends::new, singleton)]
impl Ending for Ends {
    fn call(&self) {
        see("call");
        if mood() == "registers" {
            self.0.on_unload(|context| see(&format!("of a method of {}", context.bundle_name()))).unwrap();
        }
    }
}

fn wait_until_released() {
    drop(RELEASED.1.wait_while(RELEASED.0.lock().unwrap(), |released| !*released).unwrap());
}

fn release() {
    *RELEASED.0.lock().unwrap() = true;
    RELEASED.1.notify_all();
}

#[polyplug::on_unload]
fn first() {
    see("first");
}

#[polyplug::on_unload]
fn second(context: &PluginContext) -> Result<(), String> {
    see("second");
    match mood() {
        "panics" => panic!("the plug is stuck"),
        "fails" => Err("the tap drips".to_owned()),
        "calls" => {
            let logger = context.host::<dyn Logger>().map_err(|error| error.to_string())?;
            logger.log("goodbye").map(drop).map_err(|error| error.to_string())
        }
        "hangs" => {
            wait_until_released();
            see("released");
            Ok(())
        }
        "registers late" => context.on_unload(|_| see("late")).map_err(|error| error.to_string()),
        "looks" => {
            assert_eq!(format!("{context:?}"), "PluginContext(bundle `polyplug-tests`)");
            let host = context.host_abi();
            // SAFETY: the context keeps the table valid.
            see(&format!("{} retired", unsafe { ((*host).quiesce)(host, 0) }));
            let logger = context.host::<dyn Logger>().map_err(|error| error.to_string())?;
            logger.log("quiesce").map(drop).map_err(|error| error.to_string())
        }
        _ => Ok(()),
    }
}

fn builder() -> polyplug::runtime::RuntimeBuilder {
    let builder = Runtime::builder().loader(NativeLoader::new()).loader(LuaLoader::new());
    builder.loader(PythonLoader::new()).loader(JsLoader::new()).hot_reload(true)
}

/// The bundle of the plugin above, which is part of this program.
fn linked() -> (Arc<Runtime>, BundleId) {
    let runtime = builder().build().unwrap();
    runtime.load_linked_plugins().unwrap();
    (runtime, BundleId::new("polyplug-tests"))
}

fn texts(messages: &[Logged], bundle: &str) -> Vec<String> {
    messages.iter().filter(|logged| logged.bundle == bundle).map(|logged| logged.message.clone()).collect()
}

#[test]
fn functions_run_after_the_last_call_and_before_the_shared_instance_ends() {
    let _alone = alone("");
    let (runtime, id) = linked();
    let proxy = runtime.proxy::<dyn Ending>().unwrap();
    assert!(!runtime.unload_bundle(id).unwrap().reclaimed);
    assert_eq!(seen(), [""; 0], "the proxy holds the code");
    drop(proxy);
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
    assert_eq!(seen(), ["second", "first", "instance"], "the last one first, each once");
}

#[test]
fn functions_run_when_the_runtime_ends() {
    let _alone = alone("");
    let (runtime, _) = linked();
    runtime.proxy::<dyn Ending>().unwrap().call().unwrap();
    drop(runtime);
    assert_eq!(seen(), ["call", "second", "first", "instance"]);
}

#[test]
fn functions_run_when_a_load_fails() {
    let _alone = alone("factory fails");
    let runtime = builder().build().unwrap();
    let error = runtime.load_linked_plugins().unwrap_err().to_string();
    assert!(error.contains("no parts"), "{error}");
    assert_eq!(seen(), ["of the context", "second", "first"]);
}

#[test]
fn failures_are_logged_and_the_unload_goes_on() {
    for (mood, expected) in [("panics", "the plug is stuck"), ("fails", "the tap drips")] {
        let _alone = alone(mood);
        let (report, messages) = logged_anywhere(|| {
            let (runtime, id) = linked();
            runtime.unload_bundle(id).unwrap()
        });
        assert!(report.reclaimed, "{report}");
        assert_eq!(seen(), ["second", "first", "instance"]);
        let texts = texts(&messages, "polyplug-tests");
        assert_eq!(texts.len(), 1, "{messages:?}");
        assert!(texts[0].contains(expected), "{texts:?}");
    }
}

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Logger for Lines {
    fn log(&self, line: &str) -> u32 {
        see(line);
        let mut lines = self.0.lock().unwrap();
        lines.push(line.to_owned());
        lines.len() as u32
    }
    fn panics(&self, words: &str) {
        panic!("{words}")
    }
    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

#[test]
fn functions_may_call_the_host_while_there_is_one() {
    let _alone = alone("calls");
    let (runtime, id) = linked();
    runtime.provide::<dyn Logger>(Lines::default()).unwrap();
    runtime.unload_bundle(id).unwrap();
    assert_eq!(seen(), ["second", "goodbye", "first", "instance"]);

    let ((), messages) = logged_anywhere(|| {
        let (runtime, _) = linked();
        runtime.provide::<dyn Logger>(Lines::default()).unwrap();
        drop(runtime);
    });
    assert_eq!(seen(), ["second", "first", "instance"]);
    assert!(
        texts(&messages, "polyplug-tests").iter().any(|text| text.contains("the runtime has ended")),
        "{messages:?}"
    );
}

#[test]
fn a_function_that_hangs_delays_the_end_of_the_code_alone() {
    let _alone = alone("hangs");
    *RELEASED.0.lock().unwrap() = false;
    let runtime = builder().unload_limit(Duration::from_millis(10)).build().unwrap();
    runtime.load_linked_plugins().unwrap();
    let (report, messages) = logged_anywhere(|| runtime.unload_bundle(BundleId::new("polyplug-tests")).unwrap());
    assert!(!report.reclaimed, "its code runs");
    let texts = texts(&messages, "polyplug-tests");
    assert!(texts.iter().any(|text| text.contains("have not returned after 10ms")), "{messages:?}");
    assert_eq!(runtime.retired().len(), 1);
    release();
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
    assert_eq!(seen(), ["second", "released", "first", "instance"]);
}

#[test]
fn functions_of_all_ways_run_in_the_reverse_order_of_their_registration() {
    let _alone = alone("registers");
    let (runtime, id) = linked();
    runtime.proxy::<dyn Ending>().unwrap().call().unwrap();
    assert!(runtime.unload_bundle(id).unwrap().reclaimed);
    let of_method = "of a method of polyplug-tests";
    assert_eq!(seen(), ["call", of_method, "of the table", "of the factory", "second", "first", "instance"]);
    drop(runtime);
    assert_eq!(seen(), [""; 0], "once");
}

#[test]
fn failures_of_registered_functions_are_logged_and_the_unload_goes_on() {
    let _alone = alone("registers bad ones");
    let (report, messages) = logged_anywhere(|| {
        let (runtime, id) = linked();
        runtime.unload_bundle(id).unwrap()
    });
    assert!(report.reclaimed, "{report}");
    assert_eq!(seen(), ["second", "first", "instance"]);
    let texts = texts(&messages, "polyplug-tests");
    let count = |text: &str| texts.iter().filter(|logged| logged.contains(text)).count();
    assert_eq!((count("the jar broke"), count("the lid is loose")), (1, 1), "{texts:?}");
}

#[test]
fn a_function_that_is_registered_during_the_unload_is_refused() {
    let _alone = alone("registers late");
    let ((), messages) = logged_anywhere(|| {
        let (runtime, id) = linked();
        assert!(runtime.unload_bundle(id).unwrap().reclaimed);
    });
    let refusal = "on_unload: the bundle is being unloaded, and takes no further functions: register them before";
    assert_eq!(seen(), ["second", "first", "instance", refusal]);
    assert!(texts(&messages, "polyplug-tests").iter().any(|text| text.contains(refusal)), "{messages:?}");
}

#[test]
fn the_end_of_the_thread_of_the_functions_is_waited_for_within_the_limit() {
    let _alone = alone("hangs after its end");
    *RELEASED.0.lock().unwrap() = false;
    let runtime = builder().unload_limit(Duration::from_millis(10)).build().unwrap();
    runtime.load_linked_plugins().unwrap();
    let report = runtime.unload_bundle("polyplug-tests").unwrap();
    assert!(!report.reclaimed, "its code may run");
    assert_eq!(seen(), ["second", "first"]);
    release();
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
    assert_eq!(seen(), ["thread-local", "instance"]);
}

/// A logger that waits for the runtime where it is told to.
struct Waits(Weak<Runtime>);

impl Logger for Waits {
    fn log(&self, line: &str) -> u32 {
        if line == "hang" {
            wait_until_released();
        }
        if line == "quiesce" {
            let before = std::time::Instant::now();
            let lingering = self.0.upgrade().unwrap().quiesce(Duration::from_secs(60));
            assert_eq!(lingering, []);
            assert!(before.elapsed() < Duration::from_secs(30), "it does not wait for itself");
        }
        see(line);
        0
    }
    fn panics(&self, words: &str) {
        panic!("{words}")
    }
    fn lines(&self) -> Vec<String> {
        Vec::new()
    }
}

#[test]
fn the_version_that_is_unloaded_does_not_count_as_held_for_its_own_functions() {
    let _alone = alone("looks");
    let (runtime, id) = linked();
    runtime.provide::<dyn Logger>(Waits(Arc::downgrade(&runtime))).unwrap();
    assert!(runtime.unload_bundle(id).unwrap().reclaimed);
    assert_eq!(seen(), ["second", "0 retired", "quiesce", "first", "instance"]);
}

#[test]
fn functions_of_a_script_whose_start_fails_have_the_limit_too() {
    let lua = "local polyplug = require('polyplug')\nlocal logger = polyplug.host('test.logger@1')\n\
               polyplug.on_unload(function() logger:log('hang') end)\nerror('no good')";
    let python = "import polyplug\nlogger = polyplug.host('test.logger@1')\n\
                  polyplug.on_unload(lambda: logger.log('hang'))\nraise RuntimeError('no good')";
    let js = "import { context, host } from 'polyplug';\nconst logger = host('test.logger@1');\n\
              context.onUnload(() => logger.log('hang'));\nthrow new Error('no good');";
    for (loader, code) in [("lua", lua), ("python", python), ("js", js)] {
        let _alone = alone("");
        *RELEASED.0.lock().unwrap() = false;
        let runtime = builder().unload_limit(Duration::from_millis(10)).build().unwrap();
        runtime.provide::<dyn Logger>(Waits(Arc::downgrade(&runtime))).unwrap();
        let (error, messages) =
            logged_anywhere(|| runtime.load_bundle(Bundle::script(loader, code).path()).unwrap_err().to_string());
        assert!(error.contains("no good"), "{error}");
        assert!(texts(&messages, loader).iter().any(|text| text.contains("have not returned")), "{messages:?}");
        assert_eq!(seen(), [""; 0], "{loader}");
        release();
        eventually("the function returns", || SEEN.lock().unwrap().as_slice() == ["hang"]);
    }
}

const LOW_LEVEL: &str = r#"
import polyplug
from polyplug import AbiError, AbiErrorCode
logger = polyplug.host("test.logger@1")
polyplug.on_unload(lambda: logger.log("hang"))

class Instance:
    def __del__(self):
        logger.log("instance")

def polyplug_init(host, context):
    registration = {"contract": "test.numbers@1", "factory": lambda host: Instance(), "functions": [lambda *a: None]}
    return [registration], AbiError(AbiErrorCode.Ok)
"#;

#[test]
fn functions_of_low_level_python_have_the_limit_and_run_before_instances_end() {
    let _alone = alone("");
    *RELEASED.0.lock().unwrap() = false;
    let runtime = builder().unload_limit(Duration::from_millis(10)).build().unwrap();
    runtime.provide::<dyn Logger>(Waits(Arc::downgrade(&runtime))).unwrap();
    runtime.load_bundle(Bundle::script("python", LOW_LEVEL).path()).unwrap();
    let (report, messages) = logged_anywhere(|| runtime.unload_bundle("python").unwrap());
    assert!(!report.reclaimed, "{report}");
    assert!(texts(&messages, "python").iter().any(|text| text.contains("have not returned")), "{messages:?}");
    assert_eq!(seen(), [""; 0]);
    release();
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
    assert_eq!(seen(), ["hang", "instance"]);
}

#[test]
fn the_page_shows_the_plugin_that_the_test_reloads() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let read = |file: &str| std::fs::read_to_string(format!("{root}/{file}")).unwrap();
    let (plugin, page) = (read("tests/plugins/executors/src/lib.rs"), read("docs/src/rust.md"));
    let (_, rest) = plugin.split_once("// page: begin\n").unwrap();
    let (shown, _) = rest.split_once("// page: end").unwrap();
    assert!(page.contains(shown), "docs/src/rust.md differs from tests/plugins/executors/src/lib.rs");
}

#[test]
fn a_table_takes_functions_of_bundles_only() {
    let runtime = builder().build().unwrap();
    let host = runtime.host_abi();
    unsafe extern "C" fn never(_: *const HostApi, _: *mut c_void, _: *mut AbiError) {
        unreachable!("it is refused");
    }
    for (function, expected) in [(None, AbiErrorCode::InvalidPointer), (Some(never as _), AbiErrorCode::NotAllowed)] {
        // SAFETY: the table is valid while the runtime is; the data is not used.
        let (code, _) = reported(|error| unsafe { ((*host).on_unload)(host, function, std::ptr::null_mut(), error) });
        assert_eq!(code, expected as u32);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_pool_of_threads_ends_with_each_version() {
    ends_with_each_version("a_pool_of_threads_ends_with_each_version", "plugin-pool");
}

#[cfg(target_os = "linux")]
#[test]
fn a_tokio_runtime_and_a_rayon_pool_end_with_each_version() {
    ends_with_each_version("a_tokio_runtime_and_a_rayon_pool_end_with_each_version", "plugin-executors");
}

#[cfg(target_os = "linux")]
fn ends_with_each_version(test: &str, package: &str) {
    // In a process of its own, where no other test starts threads.
    if !polyplug_tests::child::alone(test) {
        return;
    }
    let bundle = Bundle::native("pool", package);
    let runtime = builder().build().unwrap();
    // On a thread that ends: starting a thread leaves a thread-local of the library's standard library behind.
    let id = std::thread::scope(|scope| scope.spawn(|| runtime.load_bundle(bundle.path()).unwrap()).join().unwrap());
    let use_it = || {
        std::thread::scope(|scope| {
            scope.spawn(|| assert_eq!(runtime.proxy::<dyn Pool>().unwrap().sum_of_squares(10), Ok(385)));
        });
    };
    use_it();
    let before = footprint();
    for _ in 0..20 {
        let report = runtime.reload_bundle(bundle.path()).unwrap();
        assert!(report.reclaimed, "{:?}", runtime.retired());
        use_it();
    }
    // The runtime's own thread comes and goes.
    eventually("the threads are gone", || footprint().threads <= before.threads);
    let after = footprint();
    let slack = Slack { kib: 40 * 1024, mappings: usize::MAX / 2 };
    assert!(after.is_within(before, slack), "{before:?} {after:?}");
    let report = runtime.unload_bundle(id).unwrap();
    assert!(report.reclaimed, "{report}");
}

const LUA: &str = r#"
local polyplug = require("polyplug")
local Script = polyplug.plugin("test.script@1")
function Script:run(code) return "" end
local logger = polyplug.host("test.logger@1")
polyplug.on_unload(function() logger:log("first") end)
polyplug.on_unload(function() error("the tap drips") end)
polyplug.on_unload(function()
  logger:log("third")
  polyplug.on_unload(function() logger:log("late") end)
end)
"#;

const PYTHON: &str = r#"
import polyplug
logger = polyplug.host("test.logger@1")

@polyplug.plugin("test.script@1")
class Script:
    def run(self, code): return ""

@polyplug.on_unload
def first():
    logger.log("first")

@polyplug.on_unload
def second():
    raise RuntimeError("the tap drips")

@polyplug.on_unload
def third():
    logger.log("third")
    polyplug.on_unload(lambda: logger.log("late"))
"#;

const JS: &str = r#"
import * as polyplug from "polyplug";
const { context } = polyplug;
polyplug.plugin("test.script@1", { run: () => "" });
const logger = polyplug.host("test.logger@1");
context.onUnload(() => logger.log("first"));
context.onUnload(() => { throw new Error("the tap drips"); });
context.onUnload(() => {
  logger.log("third");
  context.onUnload(() => logger.log("late"));
});
"#;

fn scripts() -> [(&'static str, &'static str, &'static str); 3] {
    [("lua", LUA, "main.lua:7"), ("python", PYTHON, "main.py"), ("js", JS, "main.js:7")]
}

#[test]
fn functions_of_scripts_run_at_each_end_of_a_version() {
    for (loader, code, place) in scripts() {
        let _alone = alone("");
        let ((), messages) = logged_anywhere(|| {
            let runtime = builder().build().unwrap();
            runtime.provide::<dyn Logger>(Lines::default()).unwrap();
            let bundle = Bundle::script(loader, code);
            let id = runtime.load_bundle(bundle.path()).unwrap();
            let proxy = runtime.proxy::<dyn Script>().unwrap();
            assert_eq!(proxy.run(""), Ok(String::new()));
            assert_eq!(seen(), [""; 0]);
            runtime.reload_bundle(bundle.path()).unwrap();
            assert_eq!(seen(), [""; 0], "the proxy holds the old version");
            drop(proxy);
            assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
            assert_eq!(seen(), ["third", "first"], "{loader}: of the old version");
            assert!(runtime.unload_bundle(id).unwrap().reclaimed);
            assert_eq!(seen(), ["third", "first"], "{loader}: of the new version");
        });
        let texts = texts(&messages, loader);
        assert_eq!(texts.len(), 4, "{messages:?}");
        assert!(texts[0].contains("takes no further functions for the unload"), "{texts:?}");
        assert!(texts[1].contains("the tap drips") && texts[1].contains(place), "{texts:?}");
    }
}

#[test]
fn functions_of_scripts_run_when_a_load_fails() {
    for (loader, code, _) in scripts() {
        let (raise, undeclared) = match loader {
            "lua" => ("error('no good')", "polyplug.plugin('test.unheard_of@1')"),
            "python" => ("raise RuntimeError('no good')", "@polyplug.plugin('test.unheard_of@1')\nclass X: pass"),
            _ => ("throw new Error('no good');", "polyplug.plugin('test.unheard_of@1', class {});"),
        };
        for (end, expected) in [(raise, "no good"), (undeclared, "unheard_of")] {
            let _alone = alone("");
            let runtime = builder().build().unwrap();
            runtime.provide::<dyn Logger>(Lines::default()).unwrap();
            let bundle = Bundle::script(loader, &format!("{code}\n{end}\n"));
            let (error, _) = logged_anywhere(|| runtime.load_bundle(bundle.path()).unwrap_err().to_string());
            assert!(error.contains(expected), "{error}");
            assert_eq!(seen(), ["third", "first"], "{loader}: {end}");
        }
    }
}

#[test]
fn what_is_no_function_is_refused() {
    for (loader, code, name) in [
        ("lua", "require('polyplug').on_unload(5)", "on_unload"),
        ("python", "import polyplug\npolyplug.on_unload(5)", "on_unload"),
        ("js", "import { context } from 'polyplug';\ncontext.onUnload(5);", "onUnload"),
    ] {
        let runtime = builder().build().unwrap();
        let error = runtime.load_bundle(Bundle::script(loader, code).path()).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains('5'), "{error}");
    }
}
