//! Two thousand bundles at once: loaded in the order of their needs, found by name, called, listed and unloaded, in a time that
//! grows with their number and not with its square.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use polyplug::Runtime;
use polyplug::error::RuntimeError;
use polyplug_lua::LuaLoader;
use polyplug_tests::{Bundle, manifest};

/// A contract that a call by name needs no Rust type for.
#[polyplug::contract(name = "test.many", version = "1.0")]
trait Many {
    fn number(&self) -> u32;
}

fn write(folder: &Path, number: usize, more: &str) {
    let name = format!("many-{number:05}");
    let bundle = folder.join(&name);
    fs::create_dir(&bundle).unwrap();
    fs::write(bundle.join("manifest.toml"), manifest(&name, "lua", "main.lua") + more).unwrap();
    let code =
        format!("local Many = require('polyplug').plugin('test.many@1') function Many:number() return {number} end");
    fs::write(bundle.join("main.lua"), code).unwrap();
}

fn lua() -> std::sync::Arc<Runtime> {
    Runtime::builder().loader(LuaLoader::new()).build().unwrap()
}

/// Loads and unloads `count` bundles. Returns how long the parts took.
fn load_call_and_unload(count: usize) -> [Duration; 3] {
    let folder = Bundle::empty();
    for number in 0..count {
        // Every other one needs what others provide.
        let need = if number % 2 == 0 { "[[dependency]]\ncontract = \"test.many@1\"\n" } else { "" };
        write(folder.path(), number, need);
    }
    let runtime = lua();
    let start = Instant::now();
    let report = runtime.load_dir(folder.path()).into_result().unwrap();
    let loaded = start.elapsed();
    assert_eq!(report.loaded.len(), count);
    assert_eq!(runtime.bundle_ids().len(), count);

    let start = Instant::now();
    for number in (0..count).step_by(7) {
        let proxy = runtime.proxy_from::<dyn Many>(format!("many-{number:05}").as_str()).unwrap();
        assert_eq!(proxy.number(), Ok(u32::try_from(number).unwrap()));
    }
    assert_eq!(runtime.proxies::<dyn Many>().unwrap().len(), count);
    let listed = runtime.bundles();
    assert!(listed.iter().all(|bundle| bundle.plugins.len() == 1) && listed.len() == count);
    let error = runtime.unload_bundle("many-0000").unwrap_err().to_string();
    assert!(error.contains("many-0000") && error.len() < 1000, "not all names are listed: {error}");
    let called = start.elapsed();

    let start = Instant::now();
    for id in runtime.bundle_ids().into_iter().rev() {
        match runtime.unload_bundle(id) {
            Ok(report) => assert!(report.reclaimed),
            // The last provider goes with those that need it.
            Err(RuntimeError::DependencyInUse { .. }) => drop(runtime.unload_bundle_cascade(id).unwrap()),
            Err(RuntimeError::BundleNotLoaded { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert!(runtime.bundle_ids().is_empty());
    [loaded, called, start.elapsed()]
}

#[test]
fn two_thousand_bundles() {
    load_call_and_unload(50); // what is done once
    let few = load_call_and_unload(500);
    let many = load_call_and_unload(2000);
    println!("500: {few:?}, 2000: {many:?}");
    for (few, many) in few.into_iter().zip(many) {
        assert_grows_in_proportion(few, many);
    }
}

/// Panics if four times as many bundles took as long as if each was compared with each, which is sixteen times as long. The
/// machine may be busy.
#[track_caller]
fn assert_grows_in_proportion(few: Duration, many: Duration) {
    assert!(many < few * 10 + Duration::from_millis(500), "{few:?}, and {many:?} for four times as many");
}

/// Loads a bundle beside `count` bundles that cannot be loaded. Returns how long it took.
fn load_beside_others_that_fail(count: usize) -> Duration {
    let folder = Bundle::empty();
    for number in 0..count {
        write(folder.path(), number, "[[dependency]]\ncontract = \"test.absent@1\"\n");
    }
    write(folder.path(), count, "");
    let start = Instant::now();
    let report = lua().load_dir(folder.path());
    let took = start.elapsed();
    assert_eq!((report.names(), report.problems.len()), (vec![format!("many-{count:05}")], count));
    for (number, problem) in report.problems.iter().enumerate() {
        let text = problem.to_string();
        assert!(text.contains("test.absent@1"), "{number}: {text}");
        assert!(text.len() < 2000, "{number}: {text}");
    }
    took
}

#[test]
fn a_thousand_that_do_not_load_are_all_named() {
    load_beside_others_that_fail(10); // what is done once
    let few = load_beside_others_that_fail(250);
    let many = load_beside_others_that_fail(1000);
    println!("250: {few:?}, 1000: {many:?}");
    assert_grows_in_proportion(few, many);
}

/// A chain in which each bundle needs the one before, given in the reverse order of their names.
#[test]
fn a_long_chain_of_needs() {
    const LENGTH: usize = 300;
    let folder = Bundle::empty();
    for number in 0..LENGTH {
        let name = format!("link-{:05}", LENGTH - number);
        let bundle = folder.path().join(&name);
        fs::create_dir(&bundle).unwrap();
        let need = match number {
            0 => String::new(),
            _ => format!("[[dependency]]\ncontract = \"test.link{}@1\"\n", number - 1),
        };
        fs::write(bundle.join("manifest.toml"), manifest(&name, "lua", "main.lua") + &need).unwrap();
        let code = format!(
            "local Link = require('polyplug').plugin('test.link{number}@1') function Link:number() return {number} end"
        );
        fs::write(bundle.join("main.lua"), code).unwrap();
        let schema = polyplug::schema::Schema {
            name: format!("test.link{number}"),
            ..polyplug::schema::Schema::of::<dyn Many>()
        };
        fs::write(bundle.join(format!("test.link{number}@1.schema")), schema.encode()).unwrap();
    }
    let runtime = lua();
    let report = runtime.load_dir(folder.path()).into_result().unwrap();
    assert_eq!(report.loaded.len(), LENGTH);
    let first = format!("link-{LENGTH:05}");
    let error = runtime.unload_bundle(first.as_str()).unwrap_err().to_string();
    assert!(error.contains(&first), "{error}");
    assert_eq!(runtime.unload_bundle_cascade(first.as_str()).unwrap().len(), LENGTH);
}
