//! Bundles in Lua and JavaScript with workers: calls of a stateless plugin run side by side, each in a VM of its own.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use polyplug::loader::BundleSource;
use polyplug::runtime::RuntimeBuilder;
use polyplug::{BundleId, CallError, Callback, Runtime};
use polyplug_js::JsLoader;
use polyplug_lua::LuaLoader;
use polyplug_native::NativeLoader;
use polyplug_python::PythonLoader;
use polyplug_tests::{Bundle, eventually, logged_anywhere, manifest};

#[polyplug::contract(name = "test.desk", version = "1.0")]
trait Desk {
    /// Waits in the host until `clerks` calls are there at once, then adds.
    fn add(&self, clerks: u32, a: i32, b: i32) -> i32;
    /// Returns the number of the VM that the call runs in.
    fn number(&self) -> u32;
    /// Does something wrong.
    fn fail(&self, how: &str) -> String;
    /// Gives the host an object, which returns the number of the VM.
    fn hand_over(&self);
}

/// Implemented by the host.
#[polyplug::contract(name = "test.hall", version = "1.0")]
trait Hall {
    /// Waits until as many calls are here at once. Returns whether they were.
    fn meet(&self, clerks: u32) -> bool;
    /// Returns numbers from 1 on, one each time.
    fn ticket(&self) -> u32;
    /// Keeps an object.
    fn keep(&self, clerk: Callback<dyn Clerk>);
}

/// An object of a plugin.
#[polyplug::contract(name = "test.clerk", version = "1.0")]
trait Clerk {
    fn number(&self) -> u32;
}

const LUA_DESK: &str = r#"
local polyplug = require("polyplug")
local hall = polyplug.host("test.hall@1")
local number = hall:ticket()
local Desk = polyplug.plugin("test.desk@1", { stateless = true })
function Desk:add(clerks, a, b)
  if not hall:meet(clerks) then error("nobody came") end
  return a + b
end
function Desk:number() return number end
function Desk:fail(how)
  hall:meet(2)
  if how == "error" then error("the ink is dry") end
  if how == "time" then while true do end end
  if how == "memory" then local all = {} while true do all[#all + 1] = ("x"):rep(1000) .. #all end end
  return how
end
function Desk:hand_over()
  hall:meet(2)
  hall:keep({ number = function() return number end })
end
polyplug.on_unload(function() polyplug.log("info", "desk " .. number .. " closes") end)
"#;

const JS_DESK: &str = r#"
import { context, host, log, plugin } from "polyplug";
const hall = host("test.hall@1");
const number = hall.ticket();
plugin("test.desk@1", class {
  add(clerks, a, b) {
    if (!hall.meet(clerks)) throw new Error("nobody came");
    return a + b;
  }
  number() { return number; }
  fail(how) {
    hall.meet(2);
    if (how === "error") throw new Error("the ink is dry");
    if (how === "time") for (;;);
    if (how === "memory") for (const all = []; ;) all.push(new Array(1000).fill(all.length));
    return how;
  }
  handOver() {
    hall.meet(2);
    hall.keep({ number: () => number });
  }
}, { stateless: true });
context.onUnload(() => log.info(`desk ${number} closes`));
"#;

/// A language whose bundles can have workers.
struct Language {
    /// The name of the loader, and the ending of the program's name.
    name: &'static str,
    /// The program that implements [`Desk`].
    desk: &'static str,
    /// The program that uses five megabytes before the rest of the program runs.
    large: &'static str,
    /// The option that declares a plugin stateless, and the option of a singleton.
    options: [&'static str; 2],
    /// The methods that save and restore an instance, as a replacement in the program.
    keeping: [&'static str; 2],
    /// Adds the loader, with limits of memory and time or without.
    add: fn(RuntimeBuilder, bool) -> RuntimeBuilder,
}

/// The limits of memory and time in tests that have limits.
const LIMITS: (usize, Duration) = (8 << 20, Duration::from_millis(500));

const LUA: Language = Language {
    name: "lua",
    desk: LUA_DESK,
    large: "local large = {}\nfor i = 1, 5 do large[i] = ('x'):rep(1000000) .. i end\n",
    options: ["stateless = true", "singleton = true"],
    keeping: [
        "function Desk:number()",
        "function Desk:save() return '' end function Desk:restore() end function Desk:number()",
    ],
    add: |builder, is_limited| {
        let loader = LuaLoader::new();
        let limited = || LuaLoader::new().with_memory_limit(LIMITS.0).with_time_limit(LIMITS.1);
        builder.loader(if is_limited { limited() } else { loader })
    },
};

const JS: Language = Language {
    name: "js",
    desk: JS_DESK,
    large: "const large = []; for (let i = 0; i < 5; i++) large.push(new Uint8Array(1000000).fill(i));\n",
    options: ["stateless: true", "singleton: true"],
    keeping: ["number() {", "save() { return ''; } restore() {} number() {"],
    add: |builder, is_limited| {
        let loader = JsLoader::new();
        let limited = || JsLoader::new().with_memory_limit(LIMITS.0).with_time_limit(LIMITS.1);
        builder.loader(if is_limited { limited() } else { loader })
    },
};

impl Language {
    fn file(&self) -> String {
        format!("main.{}", self.name)
    }

    fn manifest(&self) -> String {
        manifest("desk", self.name, &self.file())
    }

    fn load(&self, runtime: &Runtime, more: &str, code: &str) -> Result<BundleId, String> {
        let source = BundleSource::Code(code.to_owned());
        runtime.load_bundle_from(&(self.manifest() + more), source).map_err(|error| error.to_string())
    }

    /// Makes a house and its runtime.
    fn house(&self, is_limited: bool) -> (Arc<House>, Arc<Runtime>) {
        let builder = Runtime::builder().loader(NativeLoader::new()).loader(PythonLoader::new());
        let runtime = (self.add)(builder, is_limited).hot_reload(true).build().unwrap();
        let house = Arc::<House>::default();
        runtime.provide::<dyn Hall>(TheHall(Arc::clone(&house))).unwrap();
        (house, runtime)
    }
}

/// A test for each language.
macro_rules! languages {
    ($($test:ident)+) => {
        mod lua {
            $(#[test] fn $test() { super::$test(&super::LUA); })+
        }
        mod js {
            $(#[test] fn $test() { super::$test(&super::JS); })+
        }
    };
}

languages! {
    calls_overlap_and_are_right without_the_key_there_is_one_vm as_many_as_cores a_failure_in_one_vm_leaves_the_others
    a_limit_of_memory_is_that_of_each_vm an_object_is_called_in_the_vm_that_made_it a_reload_replaces_all_vms
    a_bundle_that_cannot_have_workers_is_refused
}

/// A time in which each wait that ends does end, even on a slow computer.
const LONG: Duration = Duration::from_secs(60);

/// The host's side.
#[derive(Default)]
struct House {
    meeting: Mutex<(u32, u32)>,
    changed: Condvar,
    tickets: AtomicU32,
    clerks: Mutex<Vec<Callback<dyn Clerk>>>,
}

struct TheHall(Arc<House>);

impl Hall for TheHall {
    fn meet(&self, clerks: u32) -> bool {
        let house = &self.0;
        let mut meeting = house.meeting.lock().unwrap();
        let round = meeting.1;
        meeting.0 += 1;
        if meeting.0 >= clerks {
            *meeting = (0, round + 1);
            house.changed.notify_all();
            return true;
        }
        let (_meeting, waited) = house.changed.wait_timeout_while(meeting, LONG, |meeting| meeting.1 == round).unwrap();
        !waited.timed_out()
    }

    fn ticket(&self) -> u32 {
        self.0.tickets.fetch_add(1, SeqCst) + 1
    }

    fn keep(&self, clerk: Callback<dyn Clerk>) {
        self.0.clerks.lock().unwrap().push(clerk);
    }
}

/// Runs both at once.
fn both<A: Send, B: Send>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B + Send) -> (A, B) {
    thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        (one.join().unwrap(), other)
    })
}

fn calls_overlap_and_are_right(language: &Language) {
    let (house, runtime) = language.house(false);
    let id = language.load(&runtime, "workers = 3\n", language.desk).unwrap();
    assert_eq!(house.tickets.load(SeqCst), 3, "the file runs once in each VM");
    assert_eq!(runtime.bundle(id).unwrap().plugins[0].workers, 3);
    let desk = runtime.proxy::<dyn Desk>().unwrap();
    let sums: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..3)
            .map(|n| {
                scope.spawn({
                    let desk = &desk;
                    move || desk.add(3, n, 10 * n)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(sums, [Ok(0), Ok(11), Ok(22)]);
    let (report, logged) = logged_anywhere(|| {
        drop(desk);
        runtime.unload_bundle(id).unwrap()
    });
    assert!(report.reclaimed, "{report:?}");
    let texts: Vec<_> = logged.iter().map(|logged| logged.message.as_str()).collect();
    assert_eq!(texts, ["desk 3 closes", "desk 2 closes", "desk 1 closes"], "in each VM, the last one first");
}

fn without_the_key_there_is_one_vm(language: &Language) {
    for more in ["", "workers = 1\n"] {
        let (house, runtime) = language.house(false);
        let id = language.load(&runtime, more, language.desk).unwrap();
        assert_eq!(house.tickets.load(SeqCst), 1);
        let info = runtime.bundle(id).unwrap();
        assert_eq!((info.plugins[0].shared, info.plugins[0].workers), (true, 1));
        let desk = runtime.proxy::<dyn Desk>().unwrap();
        assert_eq!(both(|| desk.number(), || desk.number()), (Ok(1), Ok(1)));
        assert_eq!(desk.add(1, 2, 3), Ok(5));
    }
}

fn as_many_as_cores(language: &Language) {
    let (house, runtime) = language.house(false);
    let id = language.load(&runtime, "workers = \"cores\"\n", language.desk).unwrap();
    let cores = thread::available_parallelism().unwrap().get();
    assert_eq!(runtime.bundle(id).unwrap().plugins[0].workers, cores);
    assert_eq!(house.tickets.load(SeqCst) as usize, cores);
}

fn a_failure_in_one_vm_leaves_the_others(language: &Language) {
    for (is_limited, how) in [(false, "error"), (true, "memory"), (true, "time")] {
        let (_house, runtime) = language.house(is_limited);
        let id = language.load(&runtime, "workers = 2\n", language.desk).unwrap();
        let desk = runtime.proxy::<dyn Desk>().unwrap();
        for _ in 0..3 {
            let (failed, sum) = both(|| desk.fail(how), || desk.add(2, 2, 3));
            assert_eq!(sum, Ok(5), "beside {how}");
            match (how, failed.unwrap_err()) {
                ("error", CallError::Exception(failure)) => assert!(failure.message.contains("the ink is dry")),
                ("memory" | "time", CallError::LimitReached(_)) => {}
                (_, error) => panic!("{how}: {error}"),
            }
        }
        let (one, other) = both(|| desk.add(2, 1, 1), || desk.add(2, 2, 2));
        assert_eq!((one, other), (Ok(2), Ok(4)), "both serve on");
        drop(desk);
        let report = runtime.unload_bundle(id).unwrap();
        assert!(report.reclaimed, "{how}: {report:?}");
    }
}

fn a_limit_of_memory_is_that_of_each_vm(language: &Language) {
    let code = format!("{}{}", language.large, language.desk);
    let (_house, runtime) = language.house(true);
    let id = language.load(&runtime, "workers = 3\n", &code).unwrap();
    assert!(runtime.bundle(id).unwrap().memory > 3 * 5_000_000, "the memory of all VMs");
    let desk = runtime.proxy::<dyn Desk>().unwrap();
    assert_eq!(both(|| desk.add(2, 1, 1), || desk.add(2, 2, 2)), (Ok(2), Ok(4)));
}

fn an_object_is_called_in_the_vm_that_made_it(language: &Language) {
    let (house, runtime) = language.house(false);
    language.load(&runtime, "workers = 2\n", language.desk).unwrap();
    let desk = runtime.proxy::<dyn Desk>().unwrap();
    let (one, other) = both(|| desk.hand_over(), || desk.hand_over());
    assert_eq!((one, other), (Ok(()), Ok(())));
    let clerks = std::mem::take(&mut *house.clerks.lock().unwrap());
    for _ in 0..3 {
        let mut numbers: Vec<_> = clerks.iter().map(|clerk| clerk.number().unwrap()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 2]);
    }
}

fn a_reload_replaces_all_vms(language: &Language) {
    let (house, runtime) = language.house(true);
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", language.manifest() + "workers = 2\n");
    bundle.write(&language.file(), language.desk);
    runtime.load_bundle(bundle.path()).unwrap();
    let desk = runtime.proxy::<dyn Desk>().unwrap();
    assert_eq!(both(|| desk.add(2, 1, 1), || desk.add(2, 2, 2)), (Ok(2), Ok(4)));
    drop(desk);
    bundle.write(&language.file(), language.desk.replace("return a + b", "return 100 * (a + b)"));
    let report = runtime.reload_bundle(bundle.path()).unwrap();
    assert!(report.reclaimed, "{report:?}");
    assert_eq!(house.tickets.load(SeqCst), 4);
    let desk = runtime.proxy::<dyn Desk>().unwrap();
    assert_eq!(both(|| desk.add(2, 1, 1), || desk.add(2, 2, 2)), (Ok(200), Ok(400)), "both are new");
    // A reload may change the number, and an unload during a call ends all VMs after it.
    bundle.write("manifest.toml", language.manifest());
    runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!(runtime.bundle(BundleId::new("desk")).unwrap().plugins[0].workers, 1);
    drop(desk);
    eventually("all VMs end", || runtime.retired().is_empty());
}

fn a_bundle_that_cannot_have_workers_is_refused(language: &Language) {
    let (_house, runtime) = language.house(false);
    let [stateless, singleton] = language.options;
    let plain = language.desk.replace(&format!(", {{ {stateless} }}"), "");
    let error = language.load(&runtime, "workers = 2\n", &plain).unwrap_err();
    assert!(error.contains("`workers = 2`, and no plugin is declared stateless"), "{error}");
    let place = format!("desk/{}:5", language.file());
    let both = language.desk.replace(stateless, &format!("{stateless}, {singleton}"));
    let error = language.load(&runtime, "", &both).unwrap_err();
    assert!(error.contains(&format!("{place}: the plugin is declared both stateless and a singleton")), "{error}");
    let keeping = language.desk.replace(language.keeping[0], language.keeping[1]);
    let error = language.load(&runtime, "", &keeping).unwrap_err();
    let text = format!("{place}: the plugin is declared stateless and has `save` and `restore`");
    assert!(error.contains(&text), "{error}");
    let wrong = language.desk.replace(stateless, &stateless.replace("true", "2"));
    let error = language.load(&runtime, "", &wrong).unwrap_err();
    assert!(error.contains("the option `stateless` is true or false, not number 2"), "{error}");
    let error = language.load(&runtime, "workers = 0\n", language.desk).unwrap_err();
    assert!(error.contains("`workers`: 0 is out of range: write the number of workers, from 1 to 256"), "{error}");
    language.load(&runtime, "", &plain).unwrap();
}

#[test]
fn loaders_without_workers_refuse_the_key() {
    let (_house, runtime) = LUA.house(false);
    let bundles = [("native", Bundle::native("calc", "plugin-calc")), ("python", Bundle::script("python", ""))];
    for (name, bundle) in bundles {
        let written = std::fs::read_to_string(bundle.path().join("manifest.toml")).unwrap();
        bundle.write("manifest.toml", format!("workers = 2\n{written}"));
        let error = runtime.load_bundle(bundle.path()).unwrap_err().to_string();
        let text = format!("`workers`: 2 is asked for, and the loader `{name}` has no workers: remove the key");
        assert!(error.ends_with(&text), "{error}");
    }
}
