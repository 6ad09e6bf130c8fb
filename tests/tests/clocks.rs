//! Times that make no sense: files of the far past and the future, new versions that are older than what they replace, and a
//! clock that jumps. What changes is noticed, nothing waits for a time to come, and limits keep their length.
#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use polyplug_js::JsLoader;
use polyplug_lua::LuaLoader;
use polyplug_tests::calculators::{self, LOADERS, calculator};
use polyplug_tests::child::{again, is_child};
use polyplug_tests::confined::passes;
use polyplug_tests::watching::{patient, watched_runtime_with};
use polyplug_tests::{Bundle, SHARED, compile_c, manifest};
use test_contracts::Calculator;

/// Tells which version answers.
#[polyplug::contract(name = "test.numbered", version = "1.0")]
trait Numbered {
    fn version(&self) -> u32;
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn times() -> Vec<SystemTime> {
    let epoch = SystemTime::UNIX_EPOCH;
    vec![
        epoch,
        epoch - Duration::from_nanos(1),
        epoch - 365 * 60 * DAY,
        SystemTime::now() + Duration::from_secs(5),
        SystemTime::now() + DAY,
        epoch + Duration::from_secs(1 << 31),
        epoch + Duration::from_secs(1 << 32),
        epoch + Duration::from_secs((1 << 33) - 1),
    ]
}

/// Gives all files of a bundle, and its folder, a time.
fn set_times(folder: &Path, time: SystemTime) {
    for entry in fs::read_dir(folder).unwrap() {
        File::options().write(true).open(entry.unwrap().path()).unwrap().set_modified(time).unwrap();
    }
    File::open(folder).unwrap().set_modified(time).unwrap();
}

#[test]
fn bundles_of_any_time() {
    for (time, loader) in times().iter().flat_map(|time| LOADERS.iter().map(move |loader| (time, loader))) {
        let bundle = calculator("calc", loader);
        let what = format!("{time:?}, {loader}");
        set_times(bundle.path(), *time);
        for hot_reload in [false, true] {
            let runtime = calculators::runtime(hot_reload);
            let start = Instant::now();
            let id = runtime.load_bundle(bundle.path()).unwrap_or_else(|error| panic!("{what}: {error}"));
            calculators::check(&runtime.proxy::<dyn Calculator>().unwrap(), &what);
            if hot_reload {
                runtime.reload_bundle(bundle.path()).unwrap_or_else(|error| panic!("{what}: {error}"));
                calculators::check(&runtime.proxy::<dyn Calculator>().unwrap(), &what);
            }
            runtime.unload_bundle(id).unwrap();
            assert!(start.elapsed() < Duration::from_secs(20), "{what}: nobody waits for the time to come");
        }
    }
}

/// Writes a version of the bundle in the folder, with this time. A file appears at once.
fn write_version(folder: &Path, version: u32, time: SystemTime) {
    let code = format!(
        "local Numbered = require('polyplug').plugin('test.numbered@1') function Numbered:version() return {version} end"
    );
    let beside = folder.join(".beside");
    fs::write(&beside, code).unwrap();
    File::options().write(true).open(&beside).unwrap().set_modified(time).unwrap();
    fs::rename(beside, folder.join("main.lua")).unwrap();
}

#[test]
fn a_watcher_notices_versions_of_any_time() {
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", manifest("stamp", "lua", "main.lua"));
    write_version(bundle.path(), 0, SystemTime::now());
    let (runtime, events) = watched_runtime_with(LuaLoader::new(), Box::new(|_| ()));
    runtime.load_bundle(bundle.path()).unwrap();
    let stamp = runtime.proxy::<dyn Numbered>().unwrap();
    let _watcher = runtime.watch_with(patient()).unwrap();
    // Each version is older or newer than the one before, and the last ones have the same time.
    let same = SystemTime::now() - DAY;
    for (version, time) in times().into_iter().chain([same, same, same]).enumerate() {
        let version = u32::try_from(version).unwrap() + 1;
        write_version(bundle.path(), version, time);
        events.reloaded("stamp");
        assert_eq!(stamp.version(), Ok(version), "{time:?}");
    }
}

const ENDLESS: [(&str, &str); 2] = [
    ("lua", "local C = require('polyplug').plugin('demo.calculator@1')
function C:add(a, b) while true do end end
function C:divide(a, b) return a end function C:greet(n) return n end function C:sum(d) return 0 end"),
    ("js", "import { plugin } from 'polyplug';
plugin('demo.calculator@1', class { add(a, b) { for (;;); } divide(a, b) { return a; } greet(n) { return n; } sum(d) { return 0n; } });"),
];

/// With a library that makes the system's clock jump by days at each look, which only this process sees.
#[test]
fn a_clock_that_jumps() {
    if !is_child() {
        let folder = Bundle::empty();
        let library = folder.path().join("jumping.so");
        compile_c("jumping_clock.c", SHARED, &library);
        passes(again("a_clock_that_jumps").env("LD_PRELOAD", library));
        return;
    }
    let looks: Vec<_> = (0..64).map(|_| SystemTime::now()).collect();
    assert!(looks.windows(2).any(|pair| pair[1] + DAY < pair[0]), "it jumps back");
    assert!(looks.windows(2).any(|pair| pair[0] + DAY < pair[1]), "it jumps on");

    let start = Instant::now();
    for (loader, hot_reload) in LOADERS.iter().flat_map(|loader| [(loader, false), (loader, true)]) {
        let bundle = calculator("calc", loader);
        let runtime = calculators::runtime(hot_reload);
        let id = runtime.load_bundle(bundle.path()).expect(loader);
        calculators::check(&runtime.proxy::<dyn Calculator>().unwrap(), loader);
        if hot_reload {
            runtime.reload_bundle(bundle.path()).expect(loader);
        }
        calculators::check(&runtime.proxy::<dyn Calculator>().unwrap(), loader);
        assert!(runtime.unload_bundle(id).unwrap().reclaimed, "{loader}");
    }
    // A limit is neither reached at once nor never.
    let limit = Duration::from_millis(300);
    let runtime = polyplug::Runtime::builder()
        .loader(LuaLoader::new().with_time_limit(limit))
        .loader(JsLoader::new().with_time_limit(limit))
        .build()
        .unwrap();
    for (loader, code) in ENDLESS {
        let bundle = Bundle::script(loader, code);
        runtime.load_bundle(bundle.path()).expect(loader);
        let calc = runtime.proxy_from::<dyn Calculator>(loader).unwrap();
        assert_eq!(calc.divide(7, 1), Ok(Ok(7)), "{loader}");
        let begun = Instant::now();
        let error = calc.add(1, 1).unwrap_err();
        assert!(matches!(error, polyplug::CallError::LimitReached(_)), "{loader}: {error}");
        assert!((limit..limit + Duration::from_secs(20)).contains(&begun.elapsed()), "{loader}: {:?}", begun.elapsed());
    }
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}
