//! A plugin whose library needs another one, that of `plugin-floor`, which lies in the bundle as
//! `plugin_needed.dll`.
//!
//! Only on Windows are libraries found there. Elsewhere a plugin has to say so when it is linked, with `$ORIGIN`.

use test_contracts::Counter;

// Names the library in the plugin's own. No file of the linker's is needed. The name is not that of the package, whose library
// cargo also puts beside the tests, where the system looks for it as well.
#[cfg(windows)]
#[link(name = "plugin_needed", kind = "raw-dylib")]
unsafe extern "C" {
    safe fn floor_add(a: i32, b: i32) -> i32;
}

#[cfg(not(windows))]
fn floor_add(a: i32, b: i32) -> i32 {
    a.wrapping_add(b)
}

#[derive(Default)]
struct Adds;

#[polyplug::plugin]
impl Counter for Adds {
    fn add(&self, by: u64) -> u64 {
        floor_add(40, by as i32) as u64
    }
}
