//! The error of a call says who was called: the bundle by its name, or the host, and the contract with the method. It
//! names files by their bundle. That holds for every way to call.

use std::sync::Arc;

use polyplug::{BundleId, CallError, Callback, Callee, PluginContext, Runtime, Value};
use polyplug_js::JsLoader;
use polyplug_lua::LuaLoader;
use polyplug_native::NativeLoader;
use polyplug_python::PythonLoader;
use polyplug_tests::lua::Script;
use polyplug_tests::{Bundle, eventually, logged_anywhere, manifest, runtime};
use test_contracts::Calculator;
use test_contracts::calling::Logger;
use test_contracts::panics::Panics;

/// A counter of a script, whose results are of wrong types on demand.
#[polyplug::contract(name = "test.meter", version = "1.0")]
trait Meter {
    /// Reads the meter.
    fn read(&self, wrong: bool) -> u32;
    /// Reads the meter of the other one, and lets errors through.
    fn read_other(&self) -> i64;
    /// Tells an observer, and lets errors through.
    fn tell(&self, observer: &dyn Observer) -> u32;
    /// Tells an observer, and returns what scripts see of the error.
    fn caught(&self, observer: &dyn Observer) -> String;
    /// Keeps an observer, and tells it from then on.
    fn keep(&self, observer: Callback<dyn Observer>);
    /// Tells the observer that is kept, and returns what scripts see of the error.
    fn tell_kept(&self) -> String;
    /// Pins an observer whose results are wrong to the host's board.
    fn pin(&self);
}

/// A board of the host, which has observers pinned to it.
#[polyplug::contract(name = "test.board", version = "1.0")]
trait Board {
    fn pin(&self, observer: Callback<dyn Observer>);
}

#[derive(Default, Clone)]
struct Pinned(Arc<std::sync::Mutex<Option<Callback<dyn Observer>>>>);

impl Board for Pinned {
    fn pin(&self, observer: Callback<dyn Observer>) {
        *self.0.lock().unwrap() = Some(observer);
    }
}

#[polyplug::contract(name = "test.observer", version = "1.0")]
trait Observer {
    fn seen(&self, count: u32) -> u32;
}

/// An observer that panics, at [`PANICS_AT`].
struct Broken;

impl Observer for Broken {
    fn seen(&self, count: u32) -> u32 {
        panic!("no eyes for {count}")
    }
}

fn panics_at() -> String {
    let line = include_str!("call_errors.rs").lines().position(|line| line.contains("no eyes for {count}\")"));
    format!("(at tests/tests/call_errors.rs:{}:", line.expect("a line of this file") + 1)
}

const LUA: &str = r#"
local polyplug = require("polyplug")
local Meter = polyplug.plugin("test.meter@1")
function Meter:read(wrong)
  if wrong then
    return "x"
  end
  return 1
end
function Meter:read_other()
  local quotient = polyplug.peer("demo.calculator@1"):divide(1, 0)
  return quotient
end
function Meter:tell(observer) return observer:seen(1) end
local function seen(error)
  local function show(value) return value and tostring(value) or "none" end
  return table.concat({ error.kind, show(error.bundle), error.contract, error.method }, "|")
end
function Meter:caught(observer)
  local _, error = pcall(observer.seen, observer, 1)
  return seen(error)
end
function Meter:keep(observer) self.observer = observer end
function Meter:tell_kept()
  local _, error = pcall(self.observer.seen, self.observer, 1)
  return seen(error)
end
function Meter:pin()
  local observer = {}
  function observer:seen(count)
    return "wrong"
  end
  polyplug.host("test.board@1"):pin(observer)
end
"#;

const PYTHON: &str = r#"
import polyplug
from polyplug import plugin, peer, CallError

@plugin("test.meter@1")
class Meter:
    def read(self, wrong):
        if wrong:
            return "x"
        return 1

    def read_other(self):
        return peer("demo.calculator@1").divide(1, 0)

    def tell(self, observer):
        return observer.seen(1)

    def caught(self, observer):
        try:
            return observer.seen(1)
        except CallError as error:
            return self.shown(error)

    def keep(self, observer):
        self.observer = observer

    def tell_kept(self):
        return self.caught(self.observer)

    def shown(self, error):
        return "|".join([error.kind, error.bundle or "none", error.contract, error.method])

    def pin(self):
        class Observer:
            def seen(self, count):
                return "wrong"

        polyplug.host("test.board@1").pin(Observer())
"#;

const JS: &str = r#"
import { host, peer, plugin } from "polyplug";

class Meter {
  read(wrong) {
    if (wrong) {
      return "x";
    }
    return 1;
  }

  readOther() {
    const quotient = peer("demo.calculator@1").divide(1, 0);
    return quotient;
  }

  tell(observer) {
    return observer.seen(1);
  }

  caught(observer) {
    try {
      return String(observer.seen(1));
    } catch ({ kind, bundle, contract, method }) {
      return [kind, bundle ?? "none", contract, method].join("|");
    }
  }

  keep(observer) {
    this.observer = observer;
  }

  tellKept() {
    return this.caught(this.observer);
  }

  pin() {
    const observer = {
      seen(count) {
        return "wrong";
      },
    };
    host("test.board@1").pin(observer);
  }
}

plugin("test.meter@1", Meter);
"#;

/// The scripts, each with the name of its file, and of the line where `read` is defined.
const SCRIPTS: [(&str, &str, &str, &str); 3] = [
    ("lua", "main.lua", LUA, "function Meter:read("),
    ("python", "main.py", PYTHON, "def read("),
    ("js", "main.js", JS, "  read(wrong) {"),
];

fn line_of(text: &str, part: &str) -> usize {
    text.lines().position(|line| line.contains(part)).expect("a line of the text") + 1
}

/// Makes a runtime for all languages.
fn all(hot_reload: bool) -> Arc<Runtime> {
    let _ = runtime(); // sets the program's subscriber
    let builder = Runtime::builder().loader(NativeLoader::new()).loader(LuaLoader::new());
    builder.loader(PythonLoader::new()).loader(JsLoader::new()).hot_reload(hot_reload).build().unwrap()
}

fn script(loader: &str, file: &str, text: &str) -> Bundle {
    let bundle = Bundle::empty();
    let needs = "[[dependency]]\ncontract = \"demo.calculator@1\"\n";
    bundle.write("manifest.toml", manifest(&format!("meter-{loader}"), loader, file) + needs);
    bundle.write(file, text);
    bundle
}

/// Runs `check` with each script, from its own directory and from a private copy. A calculator is loaded as well.
fn with_scripts(check: impl Fn(&Arc<Runtime>, &str, MeterProxy)) {
    for hot_reload in [false, true] {
        for (loader, file, text, _) in SCRIPTS {
            let runtime = all(hot_reload);
            let calculator = Bundle::native("calc", "plugin-calc");
            runtime.load_bundle(calculator.path()).unwrap();
            let bundle = script(loader, file, text);
            runtime.load_bundle(bundle.path()).unwrap();
            let proxy = runtime.proxy::<dyn Meter>().unwrap();
            check(&runtime, loader, proxy);
        }
    }
}

#[test]
fn a_typed_call_names_bundle_contract_and_method() {
    let runtime = runtime();
    let bundle = Bundle::native("bad", "plugin-panics");
    runtime.load_bundle(bundle.path()).unwrap();
    let error = runtime.proxy::<dyn Panics>().unwrap().literal().unwrap_err();
    assert!(
        error.to_string().starts_with("bundle `bad`, test.panics.literal: panicked: a plain text (at tests/plugins/")
    );
    assert_eq!(format!("{error:?}"), error.to_string());
    let named = (error.bundle(), error.contract(), error.method());
    assert_eq!(named, (Some("bad"), Some("test.panics"), Some("test.panics.literal")));
    assert_eq!(error.callee(), &Callee::Bundle("bad".to_owned()));
    assert_eq!(error.failure().bundle(), Some("bad"));
}

#[test]
fn a_dynamic_call_names_bundle_contract_and_method() {
    let runtime = runtime();
    let bundle = Bundle::native("calc", "plugin-calc");
    runtime.load_bundle(bundle.path()).unwrap();
    for (contract, method, arguments, text) in [
        ("demo.calculator@1", "ad", vec![], "bundle `calc`, demo.calculator.ad: the contract has no method `ad`"),
        (
            "demo.calculator@1",
            "add",
            vec![Value::I32(1)],
            "bundle `calc`, demo.calculator.add: an argument is no value of its type: ",
        ),
        ("demo.nothing@1", "add", vec![], "demo.nothing.add: no loaded bundle provides demo.nothing@1"),
    ] {
        let error = runtime.call(contract, method, &arguments).unwrap_err();
        assert!(error.to_string().starts_with(text), "{error}");
        assert_eq!(error.method(), Some(format!("{}.{method}", contract.trim_end_matches("@1")).as_str()));
    }
    let proxy = runtime.dynamic("demo.calculator@1").unwrap();
    runtime.unload_bundle(BundleId::new("calc")).unwrap();
    let error = proxy.call("add", &[Value::I32(1), Value::I32(1)]).unwrap_err();
    assert!(error.is_unloaded(), "{error}");
    assert_eq!(
        error.to_string(),
        "bundle `calc`, demo.calculator.add: the bundle is unloaded: make a new proxy after loading it again"
    );
}

#[test]
fn a_wrong_result_of_a_script_names_its_function() {
    with_scripts(|_, loader, proxy| {
        assert_eq!(proxy.read(false), Ok(1));
        let error = proxy.read(true).unwrap_err();
        let CallError::InvalidResult(failure) = &error else { panic!("a wrong result, not {error:?}") };
        let (_, file, text, function) = SCRIPTS.into_iter().find(|(name, ..)| *name == loader).unwrap();
        let place = format!("meter-{loader}/{file}:{}", line_of(text, function));
        assert_eq!(failure.location.as_deref(), Some(place.as_str()));
        let (start, end) = (format!("bundle `meter-{loader}`, test.meter.read: "), format!(" (at {place})"));
        assert!(error.to_string().starts_with(&start) && error.to_string().ends_with(&end), "{error}");
    });
}

#[test]
fn a_wrong_result_of_an_object_names_its_function() {
    with_scripts(|runtime, loader, proxy| {
        let board = Pinned::default();
        runtime.provide::<dyn Board>(board.clone()).unwrap();
        proxy.pin().unwrap();
        let observer = board.0.lock().unwrap().take().unwrap();
        let error = observer.seen(1).unwrap_err();
        let (_, file, text, _) = SCRIPTS.into_iter().find(|(name, ..)| *name == loader).unwrap();
        let function = match loader {
            "lua" => "function observer:seen(",
            "python" => "            def seen(",
            _ => "      seen(count) {",
        };
        let place = format!(" (at meter-{loader}/{file}:{})", line_of(text, function));
        let start =
            format!("bundle `meter-{loader}`, test.observer.seen: the plugin returned something that is no value");
        assert!(error.to_string().starts_with(&start) && error.to_string().ends_with(&place), "{error}");
    });
}

#[test]
fn a_declared_error_that_escapes_reads_as_what_it_is() {
    with_scripts(|_, loader, proxy| {
        let error = proxy.read_other().unwrap_err();
        let CallError::Exception(failure) = &error else { panic!("an exception, not {error:?}") };
        assert_eq!(failure.message, "bundle `calc`, demo.calculator.divide: MathError: DivisionByZero", "{loader}");
        let (_, file, text, _) = SCRIPTS.into_iter().find(|(name, ..)| *name == loader).unwrap();
        let place = format!("meter-{loader}/{file}:{}", line_of(text, "divide(1, 0)"));
        assert_eq!(failure.location.as_deref(), Some(place.as_str()), "{loader}");
    });
}

#[test]
fn a_panic_of_the_hosts_object_keeps_its_place_through_a_script() {
    let place = panics_at();
    with_scripts(|runtime, loader, proxy| {
        let error = proxy.tell(&Broken).unwrap_err();
        assert_eq!((error.bundle(), error.method()), (Some(&*format!("meter-{loader}")), Some("test.meter.tell")));
        let expected = format!("the host, test.observer.seen: panicked: no eyes for 1 {place}");
        assert!(error.to_string().contains(&expected), "{expected} is in: {error}");
        assert_eq!(proxy.caught(&Broken), Ok("panic|none|test.observer|test.observer.seen".to_owned()), "{loader}");
        proxy.keep(runtime.callback::<dyn Observer>(Broken).unwrap()).unwrap();
        assert_eq!(proxy.tell_kept(), Ok("panic|none|test.observer|test.observer.seen".to_owned()), "{loader}");
    });
}

/// Passes on the observers of others.
#[polyplug::contract(name = "test.usher", version = "1.0")]
trait Usher {
    /// Calls an observer, and returns the error's text.
    fn lead(&self, observer: &dyn Observer) -> u32;
}

/// An observer of a bundle's own.
#[polyplug::contract(name = "test.lender", version = "1.0")]
trait Lender {
    /// Lends an observer that panics to the other one, and returns the error's text.
    fn lend(&self) -> String;
    /// Has an observer that panics kept by the other one.
    fn plant(&self) -> String;
}

#[derive(Default)]
struct Strict;

#[polyplug::plugin]
impl Usher for Strict {
    fn lead(&self, observer: &dyn Observer) -> u32 {
        observer.seen(3)
    }
}

struct Peer(PluginContext);

impl Peer {
    #[allow(clippy::unnecessary_wraps)] // a factory returns a result
    fn new(context: &PluginContext) -> Result<Self, String> {
        Ok(Self(context.clone()))
    }
}

#[polyplug::plugin(create = Peer::new)]
impl Lender for Peer {
    fn lend(&self) -> String {
        let meter = self.0.peer::<dyn Meter>().unwrap();
        format!("{}\n{}", meter.tell(&Broken).unwrap_err(), meter.caught(&Broken).unwrap())
    }

    fn plant(&self) -> String {
        let meter = self.0.peer::<dyn Meter>().unwrap();
        meter.keep(Callback::new(&self.0, Broken).unwrap()).unwrap();
        meter.tell_kept().unwrap()
    }
}

#[test]
fn an_object_of_another_bundle_is_named() {
    let place = panics_at();
    with_scripts(|runtime, loader, _| {
        runtime.load_linked_plugins().unwrap();
        let lender = runtime.proxy::<dyn Lender>().unwrap();
        let text = lender.lend().unwrap();
        let expected = format!("bundle `polyplug-tests`, test.observer.seen: panicked: no eyes for 1 {place}");
        assert!(text.starts_with(&format!("bundle `meter-{loader}`, test.meter.tell: ")), "{text}");
        assert!(text.contains(&expected), "{expected} is in: {text}");
        let seen = "panic|polyplug-tests|test.observer|test.observer.seen";
        assert!(text.ends_with(seen), "{text}");
        assert_eq!(lender.plant(), Ok(seen.to_owned()));
    });
}

/// The callee of a lent object is found by its token, which a typed proxy of a plugin does not know more about.
#[test]
fn a_lent_object_is_named_by_a_typed_proxy_of_a_plugin() {
    let runtime = runtime();
    runtime.load_linked_plugins().unwrap();
    let error = runtime.proxy::<dyn Usher>().unwrap().lead(&Broken).unwrap_err();
    let expected = format!(
        "bundle `polyplug-tests`, test.usher.lead: panicked: the host, test.observer.seen: panicked: no eyes for 3 {}",
        panics_at()
    );
    assert!(error.to_string().starts_with(&expected), "{error}");
}

#[test]
fn what_the_host_lacks_is_named() {
    let runtime = runtime();
    runtime.load_linked_plugins().unwrap();
    let context = runtime.proxy::<dyn Opener>().unwrap();
    let text = context.open().unwrap();
    assert!(text.starts_with("test.logger@1: failed with code 100: the host does not provide"), "{text}");
}

#[polyplug::contract(name = "test.opener", version = "1.0")]
trait Opener {
    /// Opens a host contract, and returns the error's text.
    fn open(&self) -> String;
    /// Keeps an observer.
    fn observe(&self, observer: Callback<dyn Observer>);
}

struct Opens(PluginContext);

impl Opens {
    #[allow(clippy::unnecessary_wraps)] // a factory returns a result
    fn new(context: &PluginContext) -> Result<Self, String> {
        Ok(Self(context.clone()))
    }
}

static KEPT: std::sync::Mutex<Option<(PluginContext, Callback<dyn Observer>)>> = std::sync::Mutex::new(None);

#[polyplug::plugin(create = Opens::new)]
impl Opener for Opens {
    fn open(&self) -> String {
        self.0.host::<dyn Logger>().err().unwrap().to_string()
    }

    fn observe(&self, observer: Callback<dyn Observer>) {
        *KEPT.lock().unwrap() = Some((self.0.clone(), observer));
    }
}

#[test]
fn a_call_after_the_runtime_has_ended_says_so() {
    let runtime = runtime();
    runtime.load_linked_plugins().unwrap();
    let opener = runtime.proxy::<dyn Opener>().unwrap();
    opener.observe(runtime.callback::<dyn Observer>(Broken).unwrap()).unwrap();
    drop(opener);
    drop(runtime);
    let (context, observer) = KEPT.lock().unwrap().take().unwrap();
    let error = observer.seen(1).unwrap_err();
    assert!(error.is_unloaded(), "{error:?}");
    assert_eq!(error.to_string(), "the host, test.observer.seen: the runtime has ended");
    let error = context.host::<dyn Logger>().err().unwrap();
    assert_eq!(error.to_string(), "test.logger@1: the runtime has ended");
    let error = context.peer::<dyn Calculator>().err().unwrap();
    assert_eq!(error.to_string(), "demo.calculator@1: the runtime has ended");
    // An object that is offered now, as a callback of one's own is.
    let error = Callback::<dyn Observer>::new(&context, Broken).err().unwrap();
    assert_eq!(error.to_string(), "the host: the runtime has ended");
}

#[test]
fn traces_name_files_by_bundle() {
    for hot_reload in [false, true] {
        for (loader, file, text) in [
            (
                "lua",
                "main.lua",
                "local polyplug = require('polyplug')\nlocal inner = require('inner')\n\
                 local Script = polyplug.plugin('test.script@1')\nfunction Script:run(code)\n  return inner.fail(code) .. ''\nend\n",
            ),
            (
                "python",
                "main.py",
                "import polyplug, inner\n@polyplug.plugin('test.script@1')\nclass Script:\n  def run(self, code):\n\
                 \u{20}   return inner.fail(code)\n",
            ),
            (
                "js",
                "main.js",
                "import { plugin } from 'polyplug';\nimport { fail } from './inner.js';\n\
                 plugin('test.script@1', {\n  run(code) {\n    return fail(code) + '';\n  },\n});\n",
            ),
        ] {
            let runtime = all(hot_reload);
            let bundle = script(loader, file, text);
            bundle
                .write("inner.lua", "local inner = {}\nfunction inner.fail(code)\n  error(code)\nend\nreturn inner\n");
            bundle.write("inner.py", "def fail(code):\n  raise ValueError(code)\n");
            bundle.write("inner.js", "export function fail(code) {\n  throw new Error(code);\n}\n");
            bundle.write("manifest.toml", manifest(&format!("meter-{loader}"), loader, file));
            runtime.load_bundle(bundle.path()).unwrap();
            let error = runtime.proxy::<dyn Script>().unwrap().run("oh").unwrap_err();
            let failure = error.failure();
            let inner = match loader {
                "lua" => "inner.lua:3",
                "python" => "inner.py:2",
                _ => "inner.js:2",
            };
            assert_eq!(failure.location, Some(format!("meter-{loader}/{inner}")), "{error}");
            let traceback = failure.traceback.as_deref().unwrap();
            for part in match loader {
                "lua" => [
                    "meter-lua/inner.lua:3: in field 'fail'",
                    "meter-lua/main.lua:5: in function <meter-lua/main.lua:4>",
                ],
                "python" => ["File \"meter-python/inner.py\", line 2", "File \"meter-python/main.py\", line 5"],
                _ => ["at fail (meter-js/inner.js:2", "at run (meter-js/main.js:5"],
            } {
                assert!(traceback.contains(part), "{part} is in: {traceback}");
            }
            let directory = bundle.path().to_string_lossy().into_owned();
            for path in [directory.as_str(), "polyplug-"] {
                assert!(!error.to_string().contains(path), "{path} is not in: {error}");
            }
        }
    }
}

/// Starts threads that panic.
#[polyplug::contract(name = "test.panicker", version = "1.0")]
trait Panicker {
    fn start(&self, name: &str);
}

struct Starts(PluginContext);

impl Starts {
    #[allow(clippy::unnecessary_wraps)] // a factory returns a result
    fn new(context: &PluginContext) -> Result<Self, String> {
        Ok(Self(context.clone()))
    }
}

#[polyplug::plugin(create = Starts::new)]
impl Panicker for Starts {
    fn start(&self, name: &str) {
        self.0.spawn(name, |_| panic!("no thread for this")).unwrap();
    }
}

/// Panics of threads are logged once, for their bundle, whether the plugin is a library or linked.
#[test]
fn a_panic_of_a_thread_is_logged_for_its_bundle() {
    let runtime = runtime();
    let bundle = Bundle::native("threads", "plugin-threads");
    let library = runtime.load_bundle(bundle.path()).unwrap();
    runtime.load_linked_plugins().unwrap();
    let linked = BundleId::new("polyplug-tests");
    let ((), messages) = logged_anywhere(|| {
        runtime.proxy::<dyn test_contracts::Threads>().unwrap().panicking("not today").unwrap();
        runtime.proxy::<dyn Panicker>().unwrap().start("sweeper").unwrap();
        let idle = |id| runtime.bundle(id).unwrap().threads.is_empty();
        eventually("the threads end", || idle(library) && idle(linked));
    });
    let of = |bundle: &str, text: &str| {
        let found = messages.iter().filter(|logged| logged.message.contains(text));
        let found: Vec<_> = found.map(|logged| (logged.bundle.as_str(), logged.message.as_str())).collect();
        let [(named, message)] = found[..] else { panic!("one message, not {messages:?}") };
        assert_eq!(named, bundle);
        message.to_owned()
    };
    let text = of("threads", "not today");
    assert!(
        text.starts_with("the thread `") && text.contains("panicked: not today (at tests/plugins/threads/"),
        "{text}"
    );
    let text = of("polyplug-tests", "no thread for this");
    let start = "the thread `sweeper` panicked: no thread for this (at tests/tests/call_errors.rs:";
    assert!(text.starts_with(start), "{text}");
}

#[test]
fn a_panic_of_a_call_is_logged_for_its_bundle() {
    let runtime = runtime();
    let bundle = Bundle::native("bad", "plugin-panics");
    runtime.load_bundle(bundle.path()).unwrap();
    let panics = runtime.proxy::<dyn Panics>().unwrap();
    let (error, messages) = polyplug_tests::logged(|| panics.literal().unwrap_err());
    assert!(matches!(error, CallError::Panic(_)), "{error}");
    let bundles: Vec<_> = messages.iter().map(|logged| logged.bundle.as_str()).collect();
    assert_eq!(bundles, ["bad"], "{messages:?}");
}
