//! Calls the same plugin, and loads and unloads it, by polyplug and by what else a host could be written with.
//!
//! Batches are short and run in turns, one of each alternative after the other, so that a machine that changes its speed
//! does so for all.

#[path = "../../src/batches.rs"]
mod batches;
mod hosts;
mod lines;

use std::cell::RefCell;
use std::hint::black_box;
use std::path::PathBuf;
use std::rc::Rc;

use anyhow::{Context, Result, ensure};
use polyplug::Runtime;
use polyplug::loader::BundleLoader;

use crate::batches::{Batch, medians, repeated};
use crate::hosts::{Calculator, library, source};
use crate::lines::count;

const NAME: &str = "sixteen letters!";

/// One way to have the plugin.
struct Alternative {
    name: &'static str,
    /// The lines of the interface and the plugin, and those of the host.
    lines: [usize; 2],
    /// Batches of `add`, of `greet` and of `sum`, which have a loaded plugin.
    calls: Vec<Batch<'static>>,
    /// A batch of loads and unloads.
    load: Option<Batch<'static>>,
}

/// Loads the plugin by `load`, checks what it answers, and makes the batches: the last only if the plugin `unloads`.
fn alternative<C: Calculator + 'static>(
    name: &'static str,
    unloads: bool,
    plugin: &[&str],
    host: &str,
    load: impl Fn() -> Result<C> + 'static,
) -> Result<Alternative> {
    let calls = || -> Result<_> {
        let mut calculator = load()?;
        let data: Vec<u8> = (0..4096u32).map(|n| n as u8).collect();
        ensure!(calculator.add(2, 3)? == 5, "add");
        ensure!(calculator.greet(NAME)? == "Hello, sixteen letters!!", "greet");
        ensure!(calculator.sum(&data)? == data.iter().map(|byte| u64::from(*byte)).sum::<u64>(), "sum");

        let [first, second, third] = [(); 3].map({
            let calculator = Rc::new(RefCell::new(calculator));
            move |()| calculator.clone()
        });
        let add: Batch<'_> = Box::new(move |times| {
            let mut calculator = first.borrow_mut();
            for _ in 0..times {
                black_box(calculator.add(black_box(2), black_box(3)).expect("it answers"));
            }
        });
        let greet: Batch<'_> = Box::new(move |times| {
            let mut calculator = second.borrow_mut();
            for _ in 0..times {
                black_box(calculator.greet(black_box(NAME)).expect("it answers"));
            }
        });
        let sum: Batch<'_> = Box::new(move |times| {
            let mut calculator = third.borrow_mut();
            for _ in 0..times {
                black_box(calculator.sum(black_box(&data)).expect("it answers"));
            }
        });
        Ok(vec![add, greet, sum])
    };
    let calls = calls().with_context(|| name.to_owned())?;
    let load = unloads.then(|| repeated(move || drop(load().expect("it loads"))));
    let lines = [plugin.iter().map(|path| count(path)).sum::<Result<usize>>()?, count(host)?];
    Ok(Alternative { name, lines, calls, load })
}

/// Makes the alternative of polyplug with `loader`, for the bundle in the folder `bundle`.
fn polyplug_with(
    name: &'static str,
    loader: impl BundleLoader + 'static,
    plugin: &[&str],
    bundle: PathBuf,
) -> Result<Alternative> {
    let runtime = Runtime::builder().loader(loader).build()?;
    let sources: Vec<&str> = [&["polyplug/contract/src/lib.rs"], plugin].concat();
    alternative(name, true, &sources, "src/hosts/polyplug.rs", move || hosts::polyplug::load(&runtime, &bundle))
}

fn main() -> Result<()> {
    use hosts::{abi_stable, extism, libloading, mlua, pyo3, rquickjs, stabby, wasmtime};

    let native = tempfile::tempdir()?;
    std::fs::copy(source("polyplug/manifest.toml"), native.path().join("manifest.toml"))?;
    let plugin = library("comparison_plugin")?;
    let extension = plugin.extension().unwrap_or_default();
    std::fs::copy(&plugin, native.path().join("plugin").with_extension(extension))?;
    let (by_hand, abi, stable) =
        (library("comparison_libloading")?, library("abi_stable_plugin")?, library("stabby_plugin")?);
    let engine = ::wasmtime::Engine::default();

    let mut alternatives = [
        polyplug_with(
            "polyplug, Rust",
            polyplug_native::NativeLoader::new(),
            &["polyplug/plugin/src/lib.rs", "polyplug/manifest.toml"],
            native.path().to_owned(),
        ),
        alternative("libloading, by hand", true, &["libloading/src/lib.rs"], "src/hosts/libloading.rs", move || {
            libloading::load(&by_hand)
        }),
        alternative(
            "abi_stable",
            false,
            &["abi_stable/interface/src/lib.rs", "abi_stable/plugin/src/lib.rs"],
            "src/hosts/abi_stable.rs",
            move || abi_stable::load(&abi),
        ),
        alternative(
            "stabby",
            true,
            &["stabby/interface/src/lib.rs", "stabby/plugin/src/lib.rs"],
            "src/hosts/stabby.rs",
            move || stabby::load(&stable),
        ),
        alternative(
            "wasmtime, component",
            true,
            &["wasmtime/calculator.wit", "wasmtime/plugin.wat"],
            "src/hosts/wasmtime.rs",
            move || wasmtime::load(&engine, &source("wasmtime/plugin.wat")),
        ),
        alternative("Extism", true, &["extism/plugin.wat"], "src/hosts/extism.rs", || {
            extism::load(&source("extism/plugin.wat"))
        }),
        polyplug_with(
            "polyplug, Lua",
            polyplug_lua::LuaLoader::new(),
            &["lua/main.lua", "lua/manifest.toml"],
            source("lua"),
        ),
        alternative("mlua, by hand", true, &["lua/by_hand.lua"], "src/hosts/mlua.rs", || {
            mlua::load(&source("lua/by_hand.lua"))
        }),
        polyplug_with(
            "polyplug, Python",
            polyplug_python::PythonLoader::new(),
            &["python/main.py", "python/manifest.toml"],
            source("python"),
        ),
        alternative("pyo3, by hand", true, &["python/by_hand.py"], "src/hosts/pyo3.rs", || {
            pyo3::load(&source("python/by_hand.py"))
        }),
        polyplug_with(
            "polyplug, JavaScript",
            polyplug_js::JsLoader::new(),
            &["js/main.js", "js/manifest.toml"],
            source("js"),
        ),
        alternative("rquickjs, by hand", true, &["js/by_hand.js"], "src/hosts/rquickjs.rs", || {
            rquickjs::load(&source("js/by_hand.js"))
        }),
    ]
    .into_iter()
    .collect::<Result<Vec<_>>>()?;

    let [add, greet, sum] =
        [0, 1, 2].map(|call| medians(alternatives.iter_mut().map(|alternative| &mut alternative.calls[call])));
    // A library that is loaded a second time would not be read again.
    alternatives.iter_mut().for_each(|alternative| alternative.calls.clear());
    let mut loads = medians(alternatives.iter_mut().filter_map(|alternative| alternative.load.as_mut())).into_iter();

    println!(
        "{:<22} {:>10} {:>10} {:>10} {:>13}   {:>6} {:>6}",
        "", "add, ns", "greet, ns", "sum, us", "load+un., us", "plugin", "host"
    );
    for (row, Alternative { name, lines: [plugin, host], load, .. }) in alternatives.iter().enumerate() {
        let load = load.as_ref().and_then(|_| loads.next()).map_or("-".to_owned(), |ns| format!("{:.1}", ns / 1e3));
        println!(
            "{name:<22} {:>10.1} {:>10.1} {:>10.2} {load:>13}   {plugin:>6} {host:>6}",
            add[row],
            greet[row],
            sum[row] / 1e3
        );
    }
    println!(
        "\nTimes: medians of {} batches each, in turns. plugin, host: lines that are neither empty nor comments.",
        batches::ROUNDS
    );
    Ok(())
}
