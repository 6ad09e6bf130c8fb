//! A bundle is changed from within a call that a plugin has made: what needs the VM that the call is in is refused at
//! once, everything else works, and nothing stalls.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use polyplug::error::RuntimeError;
use polyplug::runtime::{RuntimeBuilder, UnloadReport};
use polyplug::{BundleId, Runtime};
use polyplug_js::JsLoader;
use polyplug_lua::LuaLoader;
use polyplug_native::NativeLoader;
use polyplug_python::PythonLoader;
use polyplug_tests::{Bundle, main_file, manifest};
use test_contracts::Counter;
use test_contracts::calling::{Caller, Echo};

/// A limit that no test reaches: one that waits for it fails by the limit of its own test run.
const FOR_EVER: Duration = Duration::from_secs(100_000);

/// What the host does when a plugin calls it.
type Action = Box<dyn Fn(&Runtime) -> String + Send>;

/// The host contract through which a plugin has the host do something.
#[polyplug::contract(name = "test.doing", version = "1.0")]
trait Doing {
    /// Runs the action of this name.
    fn act(&self, name: &str) -> String;
}

#[derive(Default)]
struct Actions {
    runtime: Mutex<Weak<Runtime>>,
    actions: Mutex<Vec<(&'static str, Action)>>,
}

struct Host(Arc<Actions>);

impl Doing for Host {
    fn act(&self, name: &str) -> String {
        let runtime = self.0.runtime.lock().unwrap().upgrade().unwrap();
        let mut actions = self.0.actions.lock().unwrap();
        let at = actions.iter().position(|(known, _)| *known == name).unwrap();
        let (_, action) = actions.swap_remove(at);
        drop(actions);
        action(&runtime)
    }
}

impl Echo for Host {
    fn call_back(&self, _: u32) -> Result<u32, String> {
        self.act("call_back").parse().map_err(|_| "no number".to_owned())
    }
}

/// A runtime whose host does what a plugin asks for.
struct Changed {
    runtime: Arc<Runtime>,
    actions: Arc<Actions>,
}

fn builder() -> RuntimeBuilder {
    let builder = Runtime::builder().loader(LuaLoader::new()).loader(PythonLoader::new());
    let builder = builder.loader(JsLoader::new()).loader(NativeLoader::new());
    builder.hot_reload(true).reload_limit(FOR_EVER)
}

impl Changed {
    fn new(builder: RuntimeBuilder) -> Self {
        let (runtime, actions) = (builder.build().unwrap(), Arc::new(Actions::default()));
        *actions.runtime.lock().unwrap() = Arc::downgrade(&runtime);
        runtime.provide::<dyn Doing>(Host(Arc::clone(&actions))).unwrap();
        runtime.provide::<dyn Echo>(Host(Arc::clone(&actions))).unwrap();
        Self { runtime, actions }
    }

    fn on(&self, name: &'static str, action: impl Fn(&Runtime) -> String + Send + 'static) {
        self.actions.actions.lock().unwrap().push((name, Box::new(action)));
    }

    /// Has the plugin `test.asking` of `bundle` ask for the action `name`.
    #[track_caller]
    fn ask(&self, bundle: &str, name: &str) -> String {
        let asking = self.runtime.proxy_from::<dyn Asking>(BundleId::new(bundle)).unwrap();
        asking.ask(name).unwrap()
    }
}

/// A plugin that asks its host.
#[polyplug::contract(name = "test.asking", version = "1.0")]
trait Asking {
    /// Has the host run the action of this name.
    fn ask(&self, name: &str) -> String;
    /// Has the next bundle ask for the action of this name.
    fn relay(&self, name: &str) -> String;
}

const LUA: &str = r#"
local polyplug = require("polyplug")
local Asking = polyplug.plugin("test.asking@1")
function Asking:ask(name) return polyplug.host("test.doing@1"):act(name) end
function Asking:relay(name) return polyplug.peer("test.asking@1"):ask(name) end
"#;

/// A second plugin of a bundle, whose state is saved.
const LUA_SAVING: &str = r#"
local Counter = polyplug.plugin("test.counter@1")
function Counter:init() self.count = 0 end
function Counter:add(by) self.count = self.count + by return self.count end
function Counter:save() return tostring(self.count) end
function Counter:restore(state) self.count = tonumber(state) end
"#;

const PYTHON: &str = r#"
import polyplug
@polyplug.plugin("test.asking@1")
class Asking:
    def ask(self, name): return polyplug.host("test.doing@1").act(name)
    def relay(self, name): return polyplug.peer("test.asking@1").ask(name)
"#;

const PYTHON_SAVING: &str = r#"
@polyplug.plugin("test.counter@1")
class Counter:
    def __init__(self): self.count = 0
    def add(self, by):
        self.count += by
        return self.count
    def save(self): return str(self.count).encode()
    def restore(self, state, version): self.count = int(state)
"#;

const JS: &str = r#"
import { host, peer, plugin } from "polyplug";
plugin("test.asking@1", {
  ask: (name) => host("test.doing@1").act(name),
  relay: (name) => peer("test.asking@1").ask(name),
});
"#;

const JS_SAVING: &str = r#"
plugin("test.counter@1", class Counter {
  count = 0n;
  add(by) { return this.count += by; }
  save() { return String(this.count); }
  restore(state) { this.count = BigInt(new TextDecoder().decode(state)); }
});
"#;

fn script(name: &str, loader: &str, needs: &str, code: &str) -> Bundle {
    let bundle = Bundle::empty();
    let file = main_file(loader);
    let mut text = manifest(name, loader, file);
    if !needs.is_empty() {
        write!(text, "[[dependency]]\ncontract = \"{needs}\"\n").unwrap();
    }
    bundle.write("manifest.toml", text);
    bundle.write(file, code);
    bundle
}

/// The outcome of a reload: "done", or the kind of the error.
fn reload(runtime: &Runtime, path: &std::path::Path) -> String {
    match runtime.reload_bundle(path) {
        Ok(_) => "done".to_owned(),
        Err(RuntimeError::Busy { bundle }) => format!("{bundle} is busy"),
        Err(other) => format!("{other} {other:?}"),
    }
}

fn reloads(path: &std::path::Path) -> impl Fn(&Runtime) -> String + Send + use<> {
    let path = path.to_owned();
    move |runtime| reload(runtime, &path)
}

#[test]
fn a_reload_that_has_to_save_by_the_vm_of_the_call_is_refused_at_once() {
    for (loader, code) in [("lua", format!("{LUA}{LUA_SAVING}")), ("js", format!("{JS}{JS_SAVING}"))] {
        let changed = Changed::new(builder());
        let bundle = script("own", loader, "", &code);
        changed.runtime.load_bundle(bundle.path()).unwrap();
        changed.on("reload", reloads(bundle.path()));
        assert_eq!(changed.ask("own", "reload"), "done", "no instance has a state");
        let counter = changed.runtime.proxy::<dyn Counter>().unwrap();
        assert_eq!(counter.add(3), Ok(3));
        changed.on("reload", reloads(bundle.path()));
        assert_eq!(changed.ask("own", "reload"), "own is busy", "{loader}");
        assert_eq!(counter.add(1), Ok(4), "it serves on");
        assert_eq!(reload(&changed.runtime, bundle.path()), "done", "outside of the call");
        assert_eq!(counter.add(1), Ok(5));
    }
}

#[test]
fn by_way_of_another_bundle_it_is_refused_as_well() {
    for (loader, code) in [("lua", LUA), ("python", PYTHON), ("js", JS)] {
        let changed = Changed::new(builder());
        let first = script("first", "lua", "test.asking@1", &format!("{LUA}{LUA_SAVING}"));
        let second = script("second", loader, "", code);
        changed.runtime.load_bundle(second.path()).unwrap();
        changed.runtime.load_bundle(first.path()).unwrap();
        let counter = changed.runtime.proxy::<dyn Counter>().unwrap();
        assert_eq!(counter.add(3), Ok(3));
        changed.on("reload", reloads(first.path()));
        let asking = changed.runtime.proxy_from::<dyn Asking>(BundleId::new("first")).unwrap();
        assert_eq!(asking.relay("reload").unwrap(), "first is busy", "{loader}");
        // A reload of the other one needs no VM of the first.
        changed.on("reload", reloads(second.path()));
        assert_eq!(asking.relay("reload").unwrap(), "done", "{loader}");
        assert_eq!(counter.add(1), Ok(4));
    }
}

#[test]
fn a_new_version_that_calls_the_bundle_of_the_call_fails_at_once() {
    let changed = Changed::new(builder());
    let first = script("first", "lua", "", LUA);
    changed.runtime.load_bundle(first.path()).unwrap();
    let second = script("second", "lua", "test.asking@1", LUA);
    changed.runtime.load_bundle(second.path()).unwrap();
    second.write("main.lua", format!("{LUA} polyplug.peer('test.asking@1'):ask('nothing')"));
    changed.on("nothing", |_| "nothing".to_owned());
    changed.on("reload", reloads(second.path()));
    let answer = changed.ask("first", "reload");
    assert!(answer.contains("this one to finish the reload of bundle `second`"), "{answer}");
    changed.on("nothing", |_| "nothing".to_owned());
    assert_eq!(reload(&changed.runtime, second.path()), "done", "outside of the call");
}

#[test]
fn engines_without_a_lock_are_reloaded_from_within() {
    let changed = Changed::new(builder());
    let bundle = script("own", "python", "", &format!("{PYTHON}{PYTHON_SAVING}"));
    changed.runtime.load_bundle(bundle.path()).unwrap();
    let counter = changed.runtime.proxy::<dyn Counter>().unwrap();
    assert_eq!(counter.add(3), Ok(3));
    changed.on("reload", reloads(bundle.path()));
    assert_eq!(changed.ask("own", "reload"), "done");
    assert_eq!(counter.add(1), Ok(4), "its state is carried over");
}

#[test]
fn a_library_is_reloaded_from_within() {
    let changed = Changed::new(builder());
    let bundle = Bundle::native("caller", "plugin-caller");
    changed.runtime.load_bundle(bundle.path()).unwrap();
    let caller = changed.runtime.proxy::<dyn Caller>().unwrap();
    let path = bundle.path().to_owned();
    changed.on("call_back", move |runtime| {
        assert_eq!(reload(runtime, &path), "done");
        "1".to_owned()
    });
    assert_eq!(caller.nested(1).unwrap(), Ok(2));
}

#[test]
fn an_unload_and_a_load_from_within_do_not_wait() {
    for (loader, code) in [
        ("lua", format!("{LUA}{LUA_SAVING}")),
        ("python", format!("{PYTHON}{PYTHON_SAVING}")),
        ("js", format!("{JS}{JS_SAVING}")),
    ] {
        let changed = Changed::new(builder());
        let bundle = script("own", loader, "", &code);
        let id = changed.runtime.load_bundle(bundle.path()).unwrap();
        let path = bundle.path().to_owned();
        changed.on("change", move |runtime| {
            let report: UnloadReport = runtime.unload_bundle(id).unwrap();
            assert!(!report.reclaimed, "the call runs");
            runtime.load_bundle(&path).unwrap();
            "done".to_owned()
        });
        assert_eq!(changed.ask("own", "change"), "done", "{loader}");
        assert_eq!(changed.runtime.proxy::<dyn Counter>().unwrap().add(1), Ok(1));
    }
}

/// Another thread reloads the bundle, and waits for its VM; the call asks for the same reload.
#[test]
fn a_change_that_waits_for_the_call_is_not_waited_for() {
    let (sent, events) = std::sync::mpsc::channel();
    let changed = Changed::new(builder().on_reload(move |_, event| sent.send(event.phase_type).unwrap_or(())));
    let bundle = script("own", "lua", "", &format!("{LUA}{LUA_SAVING}"));
    changed.runtime.load_bundle(bundle.path()).unwrap();
    let counter = changed.runtime.proxy::<dyn Counter>().unwrap();
    assert_eq!(counter.add(3), Ok(3));
    let path = bundle.path().to_owned();
    let (thread, other) = std::sync::mpsc::channel();
    let runtime = Arc::downgrade(&changed.runtime);
    changed.on("change", move |inner| {
        let (runtime, reloaded) = (runtime.upgrade().unwrap(), path.clone());
        thread.send(std::thread::spawn(move || reload(&runtime, &reloaded))).unwrap();
        assert_eq!(events.recv().unwrap(), polyplug_abi::ReloadPhaseType::Preparing);
        reload(inner, &path)
    });
    // Either the other thread waits for the VM already, and the call must not wait for it; or it will, and is refused.
    assert_eq!(changed.ask("own", "change"), "own is busy");
    let other = other.recv().unwrap().join().unwrap();
    assert!(other == "done" || other.contains("waits for the change of bundle `own`"), "{other}");
    assert_eq!(counter.add(1), Ok(4));
}
