//! A plugin that fails at reloads, and meddles with its host.
//!
//! How it does is said by the file `mood` in its bundle, in words: `version-2` for its version, which is 1 otherwise, and
//! `health-fails`, `health-panics`, `save-panics`, `restore-fails`, `restore-panics`, `factory-fails`,
//! `singleton-restore-fails`.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use polyplug::{Migrate, PluginContext, Version};
use polyplug_abi::AbiError;
use test_contracts::Counter;
use test_contracts::instances::Singleton;
use test_contracts::moody::Moody;

static MOOD: LazyLock<String> = LazyLock::new(|| {
    let mood = folder().map(|folder| std::fs::read_to_string(folder.join("mood")));
    mood.and_then(Result::ok).unwrap_or_default()
});

/// The folder that this library was loaded from.
#[cfg(windows)]
fn folder() -> Option<PathBuf> {
    use std::os::windows::ffi::OsStringExt;

    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetModuleHandleExW(flags: u32, address: *const u16, module: *mut isize) -> i32;
        fn GetModuleFileNameW(module: isize, path: *mut u16, room: u32) -> u32;
    }

    /// The address is one of the module's, and the module's count of users stays.
    const OF_ADDRESS_UNCOUNTED: u32 = 6;
    let here = folder as fn() -> Option<PathBuf> as *const u16;
    let (mut module, mut path) = (0, [0_u16; 1024]);
    // SAFETY: both functions write to variables of the right types, and no more than the room that is told.
    let len = unsafe {
        if GetModuleHandleExW(OF_ADDRESS_UNCOUNTED, here, &raw mut module) == 0 {
            return None;
        }
        GetModuleFileNameW(module, path.as_mut_ptr(), path.len() as u32)
    };
    let path = PathBuf::from(std::ffi::OsString::from_wide(&path[..len as usize]));
    path.parent().map(Path::to_owned)
}

/// The folder that this library was loaded from.
#[cfg(not(windows))]
fn folder() -> Option<PathBuf> {
    let here = folder as fn() -> Option<PathBuf> as usize;
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let address = |digits| usize::from_str_radix(digits, 16).unwrap_or_default();
    let line = maps.lines().find(|line| {
        let range = line.split(' ').next().and_then(|range| range.split_once('-'));
        range.is_some_and(|(start, end)| (address(start)..address(end)).contains(&here))
    })?;
    Path::new(&line[line.find('/')?..]).parent().map(Path::to_owned)
}

fn is(mood: &str) -> bool {
    MOOD.split_whitespace().any(|word| word == mood)
}

fn version() -> u32 {
    if is("version-2") { 2 } else { 1 }
}

fn health(_: &PluginContext) -> Result<(), String> {
    assert!(!is("health-panics"), "no pulse");
    if is("health-fails") { Err("the database is not there".to_owned()) } else { Ok(()) }
}

/// Its state is carried over.
#[derive(Default)]
struct Count(AtomicU64);

#[polyplug::plugin(migrate, health = health)]
impl Counter for Count {
    fn add(&self, by: u64) -> u64 {
        let by = by * u64::from(version());
        self.0.fetch_add(by, Ordering::Relaxed) + by
    }
}

impl Migrate for Count {
    fn save(&self) -> Vec<u8> {
        assert!(!is("save-panics"), "the pen is dry");
        self.0.load(Ordering::Relaxed).to_le_bytes().to_vec()
    }

    fn restore(state: &[u8], _: Version) -> Result<Self, impl Display> {
        assert!(!is("restore-panics"), "the glasses are lost");
        if is("restore-fails") {
            return Err("the writing is illegible".to_owned());
        }
        let state = state.try_into().map_err(|_| "eight bytes are expected".to_owned())?;
        Ok(Self(AtomicU64::new(u64::from_le_bytes(state))))
    }
}

static TALLIES: AtomicU32 = AtomicU32::new(0);

/// One for everybody, whose state is carried over.
struct Tally(AtomicU32);

impl Tally {
    fn new(count: u32) -> Self {
        TALLIES.fetch_add(1, Ordering::Relaxed);
        Self(AtomicU32::new(count))
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self::new(0)
    }
}

#[polyplug::plugin(singleton, migrate)]
impl Singleton for Tally {
    fn count(&self) -> u32 {
        self.0.fetch_add(version(), Ordering::Relaxed) + version()
    }

    fn made(&self) -> u32 {
        TALLIES.load(Ordering::Relaxed)
    }
}

impl Migrate for Tally {
    fn save(&self) -> Vec<u8> {
        self.0.load(Ordering::Relaxed).to_le_bytes().to_vec()
    }

    fn restore(state: &[u8], _: Version) -> Result<Self, impl Display> {
        if is("singleton-restore-fails") {
            return Err("the sum does not add up".to_owned());
        }
        state.try_into().map(|state| Self::new(u32::from_le_bytes(state))).map_err(|_| "four bytes".to_owned())
    }
}

struct Meddler {
    context: PluginContext,
}

impl Meddler {
    fn new(context: &PluginContext) -> Result<Self, String> {
        if is("factory-fails") {
            return Err("the cellar is full".to_owned());
        }
        Ok(Self { context: context.clone() })
    }
}

fn unload(context: &PluginContext, bundle: u64) -> u32 {
    let (host, mut error) = (context.host_abi(), AbiError::ok());
    // SAFETY: the context keeps its table valid, and the error is writable.
    unsafe { ((*host).unload_bundle)(host, bundle, &raw mut error) };
    error.code
}

#[polyplug::plugin(create = Meddler::new)]
impl Moody for Meddler {
    fn version(&self) -> u32 {
        version()
    }

    fn unload(&self, bundle: u64) -> u32 {
        unload(&self.context, bundle)
    }

    fn unload_on_a_thread(&self, bundle: u64) {
        let thread = self.context.spawn("meddler", move |context| {
            assert_eq!(unload(context, bundle), 0);
            assert!(context.wait_retired(Duration::from_secs(60)), "the bundle is unloaded");
        });
        thread.expect("there are threads");
    }

    fn linger(&self, contract: u64, file: &str) {
        let file = PathBuf::from(file);
        let host = self.context.host_abi();
        let lease = (contract != 0).then(|| {
            let mut error = AbiError::ok();
            // SAFETY: the context keeps its table valid, and the error is writable.
            let lease =
                unsafe { ((*host).lease)(host, ((*host).find_guest_contract)(host, contract, 0), &raw mut error) };
            assert_eq!(error.code, 0, "there is a provider");
            lease.addr()
        });
        let thread = self.context.spawn("lingerer", move |context| {
            while !context.wait_retired(Duration::from_secs(1)) || file.exists() {
                std::thread::sleep(Duration::from_millis(1));
            }
            if let Some(lease) = lease {
                let host = context.host_abi();
                // SAFETY: the context keeps its table valid; the host only looks for a lease with this address.
                unsafe { ((*host).release)(host, std::ptr::without_provenance(lease)) };
            }
        });
        thread.expect("there are threads");
    }
}
