//! The plugin that gives back what it is given, in each language.

use std::sync::Arc;

use polyplug::Runtime;
use polyplug::loader::BundleSource;
use polyplug_js::JsLoader;
use polyplug_lua::LuaLoader;
use polyplug_python::PythonLoader;
use polyplug_tests::manifest;
use test_contracts::types::Tree;

/// Gives back what it is given.
#[polyplug::contract(name = "bench.echo", version = "1.0")]
pub(crate) trait Echo {
    fn bytes(&self, data: &[u8]) -> Vec<u8>;
    fn numbers(&self, numbers: &[i32]) -> Vec<i32>;
    fn tree(&self, tree: &Tree) -> Tree;
}

/// The plugin in Rust. It is part of this program, and is called like one in a library.
#[derive(Default)]
struct InRust;

#[polyplug::plugin]
impl Echo for InRust {
    fn bytes(&self, data: &[u8]) -> Vec<u8> {
        data.to_vec()
    }

    fn numbers(&self, numbers: &[i32]) -> Vec<i32> {
        numbers.to_vec()
    }

    fn tree(&self, tree: &Tree) -> Tree {
        tree.clone()
    }
}

const LUA: &str = "
local Echo = require('polyplug').plugin('bench.echo@1')
function Echo:bytes(data) return data end
function Echo:numbers(numbers) return numbers end
function Echo:tree(tree) return tree end
";

const PYTHON: &str = "
from polyplug import plugin

@plugin('bench.echo@1')
class Echo:
    def bytes(self, data): return data
    def numbers(self, numbers): return numbers
    def tree(self, tree): return tree
";

const JS: &str = "
import { plugin } from 'polyplug';
plugin('bench.echo@1', class {
  bytes(data) { return data; }
  numbers(numbers) { return numbers; }
  tree(tree) { return tree; }
});
";

/// A runtime with the plugin in one language.
pub(crate) struct Language {
    pub(crate) name: &'static str,
    pub(crate) echo: EchoProxy,
    _runtime: Arc<Runtime>,
}

/// Loads the plugin in each language.
pub(crate) fn all() -> Vec<Language> {
    let linked = Runtime::builder().build().expect("a runtime without loaders");
    linked.load_linked_plugins().expect("they load");
    let scripts = [("lua", LUA), ("python", PYTHON), ("js", JS)].map(|(language, code)| {
        let builder = Runtime::builder().loader(LuaLoader::new()).loader(PythonLoader::new()).loader(JsLoader::new());
        let runtime = builder.build().expect("three loaders");
        let file = format!("main.{}", if language == "python" { "py" } else { language });
        let source = BundleSource::Code(code.to_owned());
        runtime.load_bundle_from(&manifest("echo", language, &file), source).expect("it loads");
        runtime
    });
    let runtimes = [linked].into_iter().chain(scripts);
    let names = ["Rust", "Lua", "Python", "JavaScript"];
    let language = |(name, runtime): (&'static str, Arc<Runtime>)| Language {
        name,
        echo: runtime.proxy::<dyn Echo>().expect("it is provided"),
        _runtime: runtime,
    };
    names.into_iter().zip(runtimes).map(language).collect()
}
