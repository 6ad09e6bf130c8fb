//! Tricks of guests that mean harm, the same in each language: the call ends in an error or in an answer, the host goes on, the
//! plugin and others serve the next call, and nothing keeps the bundle.
//!
//! A trick is a row of a table, with its code for each language. What native code cannot be kept from is in
//! `docs/src/security.md`. Tricks that one language alone knows are in files of their own: `js_hostile.rs`, `lua_limits.rs`,
//! `python_limits.rs`, `bad_results.rs`, `hostile_memory.rs`.

mod host;
mod native;
mod tables;

use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

use polyplug::runtime::RuntimeBuilder;
use polyplug::{CallError, Runtime};
use polyplug_js::JsLoader;
use polyplug_lua::{LuaLoader, StdLib};
#[cfg(feature = "python")]
use polyplug_python::PythonLoader;
use polyplug_tests::{Bundle, main_file, manifest};
use test_contracts::calling::Logger;

/// Methods that run code and return its result, each as a value of another type. The code has `self`, `log`, which is the host's
/// logger, and `given`, which is what the method was given beside the code.
#[polyplug::contract(name = "test.torture", version = "1.0")]
trait Torture {
    fn number(&self, code: &str) -> i32;
    fn text(&self, code: &str) -> String;
    fn list(&self, code: &str) -> Vec<u32>;
    fn tree(&self, code: &str) -> Tree;
    fn map(&self, code: &str) -> BTreeMap<String, u32>;
    fn size(&self, code: &str, given: Vec<Vec<u32>>) -> u32;
}

/// A record that contains itself.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
struct Tree {
    name: String,
    children: Vec<Tree>,
}

/// The languages of the tables' columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Lua,
    Js,
    #[cfg(feature = "python")]
    Python,
}

impl Language {
    fn loader(self) -> &'static str {
        match self {
            Self::Lua => "lua",
            Self::Js => "js",
            #[cfg(feature = "python")]
            Self::Python => "python",
        }
    }

    /// A bundle that implements [`Torture`].
    fn bundle(self, name: &str) -> Bundle {
        let code = match self {
            Self::Lua => LUA,
            Self::Js => JS,
            #[cfg(feature = "python")]
            Self::Python => PYTHON,
        };
        let bundle = Bundle::script(self.loader(), code);
        bundle.write("manifest.toml", manifest(name, self.loader(), main_file(self.loader())));
        bundle
    }
}

const LUA: &str = r#"
local polyplug = require("polyplug")
local Torture = polyplug.plugin("test.torture@1")
local log = function(text) return polyplug.host("test.logger@1"):log(text) end
for _, name in ipairs { "number", "text", "list", "tree", "map", "size" } do
  Torture[name] = function(self, code, given)
    return assert(load("local self, log, given = ... " .. code, "=code"))(self, log, given)
  end
end
"#;

const JS: &str = r#"
import { host, plugin } from "polyplug";
const log = (text) => host("test.logger@1").log(text);
class Torture {}
for (const name of ["number", "text", "list", "tree", "map", "size"]) {
  Torture.prototype[name] = function (code, given) {
    return new Function("self", "log", "given", code)(this, log, given);
  };
}
plugin("test.torture@1", Torture);
"#;

#[cfg(feature = "python")]
const PYTHON: &str = r#"
import textwrap
from polyplug import host, plugin

def log(text):
    return host("test.logger@1").log(text)

def run(self, code, given=None):
    names = {}
    exec("def code(self, log, given):\n" + textwrap.indent(code, " "), globals(), names)
    return names["code"](self, log, given)

@plugin("test.torture@1")
class Torture:
    def number(self, code): return run(self, code)
    def text(self, code): return run(self, code)
    def list(self, code): return run(self, code)
    def tree(self, code): return run(self, code)
    def map(self, code): return run(self, code)
    def size(self, code, given): return run(self, code, given)
"#;

/// The host's logger.
struct Log;

impl Logger for Log {
    fn log(&self, line: &str) -> u32 {
        line.len() as u32
    }

    fn panics(&self, words: &str) {
        panic!("{words}")
    }

    fn lines(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The method that a trick's code is given to.
#[derive(Debug, Clone, Copy)]
enum Method {
    Number,
    Text,
    List,
    Tree,
    Map,
    Size,
}

/// The end of a call.
#[derive(Debug, Clone, Copy)]
enum End {
    /// An error whose text has one of these parts.
    Error(&'static [&'static str]),
    /// The error that a limit was reached.
    Limit,
    /// This answer, as `Debug` text.
    Answer(&'static str),
    /// An answer or an error, but an end.
    Any,
}

/// A row of a table.
struct Trick {
    place: &'static Location<'static>,
    method: Method,
    /// Whether the bundle has limits, of time and, where the engine has one, of memory.
    is_limited: bool,
    /// Whether a bundle in Lua has the whole standard library, with finalisers.
    has_all_of_lua: bool,
    end: End,
    lua: Option<&'static str>,
    js: Option<&'static str>,
    python: Option<&'static str>,
}

#[track_caller]
fn trick(method: Method, end: End) -> Trick {
    Trick {
        place: Location::caller(),
        method,
        is_limited: false,
        has_all_of_lua: false,
        end,
        lua: None,
        js: None,
        python: None,
    }
}

impl Trick {
    fn limited(mut self) -> Self {
        self.is_limited = true;
        self
    }

    fn all_of_lua(mut self) -> Self {
        self.has_all_of_lua = true;
        self
    }

    fn lua(mut self, code: &'static str) -> Self {
        self.lua = Some(code);
        self
    }

    fn js(mut self, code: &'static str) -> Self {
        self.js = Some(code);
        self
    }

    fn python(mut self, code: &'static str) -> Self {
        self.python = Some(code);
        self
    }

    fn code(&self, language: Language) -> Option<&'static str> {
        match language {
            Language::Lua => self.lua,
            Language::Js => self.js,
            #[cfg(feature = "python")]
            Language::Python => self.python,
        }
    }
}

/// The time that a call of a bundle with limits may take.
const TIME: Duration = Duration::from_secs(1);
const MEMORY: usize = 48 << 20;

/// The time within which any trick has its end, on a slow machine.
const DEADLINE: Duration = Duration::from_secs(60);

fn builder(is_limited: bool, has_all_of_lua: bool) -> RuntimeBuilder {
    let (mut lua, mut js) = (LuaLoader::new(), JsLoader::new());
    if has_all_of_lua {
        lua = lua.with_stdlib(StdLib::Full);
    }
    if is_limited {
        lua = lua.with_time_limit(TIME).with_memory_limit(MEMORY);
        js = js.with_time_limit(TIME).with_memory_limit(MEMORY);
    }
    let builder = Runtime::builder().loader(lua).loader(js).hot_reload(true);
    #[cfg(feature = "python")]
    let builder = {
        let python = PythonLoader::new();
        builder.loader(if is_limited { python.with_time_limit(TIME) } else { python })
    };
    builder
}

fn runtime(is_limited: bool, has_all_of_lua: bool) -> Arc<Runtime> {
    let runtime = builder(is_limited, has_all_of_lua).build().expect("no loader has a rival");
    runtime.provide::<dyn Logger>(Log).expect("nobody else provides it");
    runtime
}

/// Plays a trick, and checks all that must hold afterwards.
fn play(trick: &Trick, language: Language, code: &str) {
    let what = format!("{}, {language:?}: {code}", trick.place);
    println!("{what}");
    let runtime = runtime(trick.is_limited, trick.has_all_of_lua);
    let (bundle, other) = (language.bundle("bundle"), language.bundle("other"));
    let id = runtime.load_bundle(bundle.path()).unwrap();
    runtime.load_bundle(other.path()).unwrap();
    let proxy = runtime.proxy_from::<dyn Torture>(id).unwrap();
    let other = runtime.proxy_from::<dyn Torture>("other").unwrap();
    let begun = Instant::now();
    let answer = match trick.method {
        Method::Number => proxy.number(code).map(|answer| format!("{answer:?}")),
        Method::Text => proxy.text(code).map(|answer| format!("{answer:?}")),
        Method::List => proxy.list(code).map(|answer| format!("{answer:?}")),
        Method::Tree => proxy.tree(code).map(|answer| format!("{answer:?}")),
        Method::Map => proxy.map(code).map(|answer| format!("{answer:?}")),
        Method::Size => proxy.size(code, vec![vec![1, 2], vec![3]]).map(|answer| format!("{answer:?}")),
    };
    assert!(begun.elapsed() < DEADLINE, "{what}: it took {:?}", begun.elapsed());
    match (trick.end, &answer) {
        (End::Error(parts), Err(error)) => {
            assert!(!matches!(error, CallError::Panic(_)), "{what}: {error}");
            let text = error.to_string();
            assert!(parts.iter().any(|part| text.contains(part)), "{what}: one of {parts:?} is in: {text}");
        }
        (End::Limit, Err(CallError::LimitReached(_))) => {}
        (End::Answer(expected), Ok(answer)) => assert_eq!(answer, expected, "{what}"),
        (End::Any, Ok(_)) => {}
        (End::Any, Err(error)) => assert!(!matches!(error, CallError::Panic(_)), "{what}: {error}"),
        (end, answer) => panic!("{what}: {end:?}, not {answer:?}"),
    }
    // The same instance, another one, and another bundle of the same language.
    for (proxy, whose) in
        [(&proxy, "its own"), (&runtime.proxy_from::<dyn Torture>(id).unwrap(), "a new"), (&other, "another's")]
    {
        assert_eq!(proxy.number("return 7"), Ok(7), "{what}: {whose} next call");
    }
    assert_eq!(runtime.reload_bundle(bundle.path()).map(drop).map_err(|error| error.to_string()), Ok(()), "{what}");
    assert_eq!(proxy.number("return 7"), Ok(7), "{what}: after a reload");
    drop(proxy);
    let report = runtime.unload_bundle(id).unwrap();
    assert!(report.reclaimed, "{what}: {report:?}");
    assert_eq!(other.number("return 7"), Ok(7), "{what}: another's call after the unload");
    drop(other);
    drop(runtime);
}

/// Plays all tricks of a table in a language that it has code for.
fn play_all(tricks: &[Trick], language: Language) {
    let mut played = 0;
    for trick in tricks {
        if let Some(code) = trick.code(language) {
            play(trick, language, code);
            played += 1;
        }
    }
    assert!(played > 0, "no trick is for {language:?}");
}

/// A test for each table and language.
macro_rules! tables {
    ($($table:ident)+) => {
        mod lua {
            $(#[test] fn $table() { crate::play_all(&crate::tables::$table(), crate::Language::Lua); })+
        }
        mod js {
            $(#[test] fn $table() { crate::play_all(&crate::tables::$table(), crate::Language::Js); })+
        }
        #[cfg(feature = "python")]
        mod python {
            $(#[test] fn $table() { crate::play_all(&crate::tables::$table(), crate::Language::Python); })+
        }
    };
}

tables! { shapes lengths changes finalisers endless swallowed suspended errors depths }
