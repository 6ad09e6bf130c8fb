//! A file that is overwritten in place, in steps that come soon after each other, is not loaded by half.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use polyplug::Runtime;
use polyplug_lua::LuaLoader;
use polyplug_tests::lua::run;
use polyplug_tests::{Bundle, manifest, rounds};

/// The time between the two halves of an overwrite.
const STEP: Duration = Duration::from_millis(15);

/// The shortest time for which a half-written file has to lie to be taken for a complete one. Shorter than the time
/// that the runtime waits, so that a delay between a write and the note of its time does not count.
const LONG: Duration = Duration::from_millis(20);

/// Returns a program of one length that gives the numbers in its two halves.
fn program(first: u32, second: u32) -> [String; 2] {
    let start = format!("local first = {first:06}\n");
    let end = format!(
        "local second = {second:06}\nlocal Script = require('polyplug').plugin('test.script@1')\nfunction Script:run() \
         return first .. ' ' .. second end\n"
    );
    [start, end]
}

/// Ends the other thread when dropped.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_file_is_not_loaded_by_half() {
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", manifest("lua", "lua", "main.lua"));
    bundle.write("main.lua", program(0, 0).concat());
    let runtime = Runtime::builder().loader(LuaLoader::new()).hot_reload(true).build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    let done = AtomicBool::new(false);
    // For how long the file lay there by half, by the number of its first half. None while it still does.
    let halves: Mutex<Vec<Option<Duration>>> = Mutex::new(vec![Some(Duration::ZERO)]);
    let lock = || halves.lock().unwrap_or_else(PoisonError::into_inner);
    std::thread::scope(|scope| {
        let ends = Ends(&done);
        scope.spawn(|| {
            let mut file = File::options().write(true).open(bundle.path().join("main.lua")).unwrap();
            for number in 1.. {
                if done.load(Ordering::Relaxed) {
                    return;
                }
                let [first, second] = program(number, number);
                lock().push(None);
                file.seek(SeekFrom::Start(0)).unwrap();
                let begun = Instant::now();
                file.write_all(first.as_bytes()).unwrap();
                std::thread::sleep(STEP);
                file.write_all(second.as_bytes()).unwrap();
                *lock().last_mut().unwrap() = Some(begun.elapsed());
                // Long enough for some reloads to find the file settled.
                std::thread::sleep(STEP * if number % 2 == 0 { 1 } else { 4 });
            }
        });
        let mut loaded = 0;
        for _ in 0..rounds(60) {
            if let Err(error) = runtime.reload_bundle(bundle.path()) {
                let text = error.to_string();
                assert!(text.contains("its files changed meanwhile") && text.contains("main.lua"), "{text}");
                continue;
            }
            loaded += 1;
            let text = run(&runtime, "").unwrap();
            let (first, second) = text.split_once(' ').unwrap();
            if first != second {
                let number: usize = first.parse().unwrap();
                while lock()[number].is_none() {
                    std::thread::yield_now();
                }
                let lay = lock()[number].unwrap();
                assert!(lay >= LONG, "{text} was loaded, {lay:?} after its first half was written");
            }
        }
        drop(ends);
        assert!(loaded > 0, "no reload found the file settled");
    });
}
