//! What is particular to Windows: files that are in use, forms of paths, names, ends of lines, libraries that lie beside a
//! plugin's, and what a plugin leaves on threads.
#![cfg(windows)]

use std::ffi::c_void;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::AsRawHandle;
use std::os::windows::process::CommandExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use polyplug::error::{ManifestError, RuntimeError};
use polyplug::loader::BundleSource;
use polyplug::runtime::RuntimeBuilder;
use polyplug::signature::{SecretKey, SignaturePolicy, sign_bundle};
use polyplug::{CallError, Runtime};
use polyplug_js::JsLoader;
use polyplug_lua::LuaLoader;
use polyplug_native::NativeLoader;
use polyplug_tests::child::{again, is_child};
use polyplug_tests::lua::Script;
use polyplug_tests::watching::{patient, watched_runtime};
use polyplug_tests::{Bundle, copies, eventually, js, library, lua, manifest, rename};
use tempfile::TempDir;
use test_contracts::places::Places;
use test_contracts::{Counter, Stamp, Threads};

const ONE: &str = "plugin-reload-one";
const TWO: &str = "plugin-reload-two";

/// The errors of the system for a file that another handle, or a running program, keeps from being written to.
const IN_USE: [i32; 3] = [5, 32, 1224];

#[link(name = "kernel32")]
unsafe extern "system" {
    fn GetModuleHandleW(name: *const u16) -> *mut c_void;
    fn SetConsoleOutputCP(page: u32) -> i32;
    fn SetStdHandle(which: u32, handle: *mut c_void) -> i32;
    fn ReadConsoleOutputCharacterW(console: *mut c_void, out: *mut u16, len: u32, from: u32, read: *mut u32) -> i32;
    fn SetConsoleCtrlHandler(handler: Option<unsafe extern "system" fn(u32) -> i32>, add: i32) -> i32;
    fn GenerateConsoleCtrlEvent(event: u32, group: u32) -> i32;
}

/// Runs a test again in a process that has a console of its own, without a window. The test passes there. Returns what it
/// has written to standard error.
#[track_caller]
fn in_a_console(name: &str) -> String {
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    let output = again(name).creation_flags(CREATE_NO_WINDOW).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success() && out.contains("1 passed"), "{}\n{out}\n{err}", output.status);
    err
}

fn builder(hot_reload: bool) -> RuntimeBuilder {
    Runtime::builder().loader(NativeLoader::new()).hot_reload(hot_reload)
}

fn artifact(directory: &Path) -> PathBuf {
    directory.join("plugin.dll")
}

fn install(directory: &Path, package: &str) -> io::Result<()> {
    fs::copy(library(package), artifact(directory)).map(drop)
}

fn version(runtime: &Runtime) -> u32 {
    runtime.proxy::<dyn Stamp>().unwrap().version().unwrap()
}

/// Renames the artifact in `directory` so that only the case of its name changes. In two steps, as Wine 8 takes one for a
/// rename of a file to itself.
fn rename_with_other_letters(directory: &Path) {
    let between = directory.join("between.tmp");
    rename(artifact(directory), &between).unwrap();
    rename(between, directory.join("Plugin.dll")).unwrap();
}

/// Returns whether a library of this path is loaded.
fn is_loaded(library: &Path) -> bool {
    let name: Vec<u16> = library.as_os_str().encode_wide().chain([0]).collect();
    // SAFETY: the name ends with a null.
    unsafe { !GetModuleHandleW(name.as_ptr()).is_null() }
}

#[test]
fn without_hot_reload_a_library_in_use_keeps_its_file_and_not_its_name() {
    let bundle = Bundle::native("stamp", ONE);
    let runtime = builder(false).build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    let file = artifact(bundle.path());
    assert!(is_loaded(&file));

    let error = install(bundle.path(), TWO).unwrap_err();
    assert!(error.raw_os_error().is_some_and(|code| IN_USE.contains(&code)), "{error}");
    // Whether it can be deleted depends on the version of Windows. What is loaded stays in any case.
    let old = bundle.path().join("plugin.old");
    if fs::remove_file(&file).is_err() {
        fs::rename(&file, &old).unwrap();
    }
    install(bundle.path(), TWO).unwrap();
    assert_eq!(version(&runtime), 1);

    runtime.unload_bundle("stamp").unwrap();
    eventually("the library is closed", || !is_loaded(&old));
    runtime.load_bundle(bundle.path()).unwrap();
    assert_eq!(version(&runtime), 2);
    runtime.unload_bundle("stamp").unwrap();
    eventually("nothing is in use", || fs::remove_dir_all(bundle.path()).is_ok());
}

#[test]
fn with_hot_reload_a_library_in_use_is_overwritten_renamed_and_deleted() {
    let bundle = Bundle::native("stamp", ONE);
    let runtime = builder(true).build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    let file = artifact(bundle.path());
    assert!(!is_loaded(&file), "a copy is");

    install(bundle.path(), TWO).unwrap();
    assert_eq!(version(&runtime), 1);
    runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!(version(&runtime), 2);

    fs::rename(&file, bundle.path().join("plugin.old")).unwrap();
    let error = runtime.reload_bundle(bundle.path()).unwrap_err();
    assert!(matches!(&error, RuntimeError::Loader(_)), "{error}");
    install(bundle.path(), ONE).unwrap();
    runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!(version(&runtime), 1);

    fs::remove_dir_all(bundle.path()).unwrap();
    assert_eq!(version(&runtime), 1);
    let error = runtime.reload_bundle(bundle.path()).unwrap_err();
    assert!(matches!(&error, RuntimeError::Manifest(ManifestError::Missing { .. })), "{error}");
    fs::create_dir(bundle.path()).unwrap();
    bundle.write("manifest.toml", manifest("stamp", "native", "plugin"));
    install(bundle.path(), TWO).unwrap();
    runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!(version(&runtime), 2);

    runtime.unload_bundle("stamp").unwrap();
    eventually("the copies are removed", || copies::own_copies().is_empty());
}

/// Makes a bundle in `directory`.
fn stamp_in(directory: &Path) {
    fs::create_dir_all(directory).unwrap();
    fs::write(directory.join("manifest.toml"), manifest("stamp", "native", "plugin")).unwrap();
    install(directory, ONE).unwrap();
}

/// Loads the bundle in `directory` by this path, with hot reload and without, and lets a watcher reload it.
fn serves_from(directory: &Path) {
    let shown = directory.display();
    stamp_in(directory);
    let runtime = builder(false).build().unwrap();
    runtime.load_bundle(directory).unwrap_or_else(|error| panic!("{shown}: {error}"));
    assert_eq!(version(&runtime), 1, "{shown}");
    let report = runtime.unload_bundle("stamp").unwrap();
    assert!(report.holders.is_empty(), "{shown}: {report:?}");
    drop(runtime);

    let (runtime, events) = watched_runtime(Box::new(|_| ()));
    runtime.load_bundle(directory).unwrap_or_else(|error| panic!("{shown}: {error}"));
    let watcher = runtime.watch_with(patient()).unwrap();
    events.none_at_first();
    eventually("the library is closed", || install(directory, TWO).is_ok());
    events.reloaded("stamp");
    assert_eq!(version(&runtime), 2, "{shown}");
    watcher.stop();
    runtime.unload_bundle("stamp").unwrap();
}

#[test]
fn all_forms_of_a_path_lead_to_the_bundle() {
    let folder = TempDir::new().unwrap();
    let real = folder.path().canonicalize().unwrap();
    let text = folder.path().to_str().unwrap();
    assert!(text.as_bytes()[1..].starts_with(b":\\"), "a drive, not {text}");
    assert!(real.to_str().unwrap().starts_with(r"\\?\"), "{}", real.display());
    for form in [text.to_owned(), text.replace('\\', "/"), text.to_lowercase(), text.to_uppercase()] {
        serves_from(&Path::new(&form).join("bundle"));
    }
    serves_from(&real.join("bundle"));
    serves_from(Path::new(&format!("{text}\\bundle\\")));
}

#[test]
fn a_share_is_a_place_for_bundles() {
    let folder = TempDir::new().unwrap();
    let (drive, rest) = folder.path().to_str().unwrap().split_once(":\\").unwrap();
    let share = format!(r"localhost\{}$\{rest}", drive.to_lowercase());
    if fs::metadata(format!(r"\\{share}")).is_err() {
        eprintln!(
            "SKIPPED: \\\\{share} cannot be read: share the drive, or become an administrator, for whom Windows shares \
             it, and run `cargo nextest run --workspace --test windows`"
        );
        return;
    }
    for form in [format!(r"\\{share}"), format!(r"\\?\UNC\{share}")] {
        serves_from(&Path::new(&form).join("bundle"));
    }
}

#[test]
fn names_of_folders_may_have_spaces_and_any_letters() {
    let folder = TempDir::new().unwrap();
    for name in ["with spaces", "größe", "日本", "🦀", "100% & (so on) #1!"] {
        serves_from(&folder.path().join(name));
    }
}

#[test]
fn paths_may_be_long() {
    let folder = TempDir::new().unwrap();
    let long = (0..3).fold(folder.path().to_owned(), |path, _| path.join("a".repeat(100)));
    assert!(long.as_os_str().len() > 300);
    serves_from(&long);
    serves_from(&long.canonicalize().unwrap());
}

#[test]
fn a_bundle_knows_its_folder_as_it_was_given() {
    let bundle = Bundle::native("places", "plugin-places");
    let real = bundle.path().canonicalize().unwrap();
    for path in [bundle.path(), &real] {
        for hot_reload in [false, true] {
            let runtime = builder(hot_reload).build().unwrap();
            runtime.load_bundle(path).unwrap();
            let places = runtime.proxy::<dyn Places>().unwrap();
            assert_eq!(places.directory(), Ok(Some(path.to_str().unwrap().to_owned())));
        }
    }
}

#[test]
fn the_case_of_an_artifact_does_not_count() {
    let bundle = Bundle::native("stamp", ONE);
    let secret = SecretKey::from_bytes([7; 32]);
    for file in ["plugin.dll", "PLUGIN.DLL", "Plugin", ".\\pLUGIN.dll"] {
        let text = format!("name = \"stamp\"\nversion = \"1.0.0\"\nloader = \"native\"\nfile = '{file}'\n");
        bundle.write("manifest.toml", text);
        for hot_reload in [false, true] {
            let runtime = builder(hot_reload).build().unwrap();
            runtime.load_bundle(bundle.path()).unwrap_or_else(|error| panic!("{file}: {error}"));
            assert_eq!(version(&runtime), 1);
        }
        sign_bundle(bundle.path(), &secret).unwrap();
        let signed = fs::read_to_string(bundle.path().join("bundle.sig")).unwrap();
        assert_eq!(signed.to_lowercase().matches("plugin.dll").count(), 1, "{file}: {signed}");
        let builder = builder(true).signatures(SignaturePolicy::Require).trust(secret.public_key());
        let runtime = builder.build().unwrap();
        runtime.load_bundle(bundle.path()).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(version(&runtime), 1);
    }
}

#[test]
fn the_case_of_a_signed_file_counts() {
    let bundle = Bundle::native("stamp", ONE);
    let secret = SecretKey::from_bytes([7; 32]);
    sign_bundle(bundle.path(), &secret).unwrap();
    rename_with_other_letters(bundle.path());
    let builder = builder(false).signatures(SignaturePolicy::Require).trust(secret.public_key());
    let error = builder.build().unwrap().load_bundle(bundle.path()).unwrap_err().to_string();
    assert!(error.contains("plugin.dll") && error.contains("Plugin.dll"), "{error}");
}

#[test]
fn names_of_devices_are_refused_and_leave_nothing_open() {
    for name in ["CON", "nul", "aux.calc", "Com1", "calc."] {
        let bundle = Bundle::native(name, ONE);
        let error = builder(true).build().unwrap().load_bundle(bundle.path()).unwrap_err().to_string();
        assert!(error.contains("manifest.toml") && error.contains(name) && error.contains("Windows"), "{error}");
    }
    // A device is no artifact, whatever folder is before it.
    for file in ["nul", "CON", "com1.dll"] {
        let bundle = Bundle::empty();
        bundle.write("manifest.toml", manifest("stamp", "native", file));
        let error = builder(true).build().unwrap().load_bundle(bundle.path()).unwrap_err().to_string();
        assert!(error.contains(file) && error.contains("`file`"), "{error}");
    }
}

#[test]
fn a_manifest_may_have_the_ends_of_lines_of_windows() {
    let bundle = Bundle::native("stamp", ONE);
    let text = manifest("stamp", "native", "plugin").replace('\n', "\r\n");
    bundle.write("manifest.toml", &text);
    let runtime = builder(true).build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    bundle.write("manifest.toml", format!("{text}\r\nwrong = 1\r\n"));
    let error = runtime.reload_bundle(bundle.path()).unwrap_err().to_string();
    assert!(error.contains("manifest.toml:6:1: unknown field `wrong`"), "{error}");
    assert_eq!(version(&runtime), 1);
}

#[test]
fn scripts_may_have_the_ends_of_lines_of_windows() {
    let runtime = Runtime::builder().loader(LuaLoader::new()).loader(JsLoader::new()).build().unwrap();
    let lua = format!("{}\nfunction fails()\n  error('no good')\nend\n", lua::SCRIPT).replace('\n', "\r\n");
    let js = format!("{}\nglobalThis.fails = () => {{\n  throw new Error('no good');\n}};\n", js::SCRIPT);
    let js = js.replace('\n', "\r\n");
    for (loader, file, code) in [("lua", "main.lua", &lua), ("js", "main.js", &js)] {
        runtime.load_bundle_from(&manifest(loader, loader, file), BundleSource::Code(code.clone())).unwrap();
        let line = code.lines().position(|line| line.contains("no good")).unwrap() + 1;
        let script = runtime.proxy_from::<dyn Script>(loader).unwrap();
        let error: CallError = script.run("return fails()").unwrap_err();
        let place = format!("{loader}/{file}:{line}");
        assert!(error.to_string().contains(&place), "{place}: {error}");
    }
}

/// Opens a file so that nobody else can open it meanwhile.
fn lock(path: &Path) -> File {
    OpenOptions::new().read(true).share_mode(0).open(path).unwrap()
}

#[test]
fn a_file_that_somebody_locks_is_named_and_the_old_version_serves() {
    let bundle = Bundle::native("stamp", ONE);
    bundle.write("data.txt", "some data");
    let runtime = builder(true).build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    install(bundle.path(), TWO).unwrap();
    for file in ["plugin.dll", "data.txt", "manifest.toml"] {
        let locked = lock(&bundle.path().join(file));
        let error = runtime.reload_bundle(bundle.path()).unwrap_err().to_string();
        assert!(error.contains(file) && error.contains("os error 32"), "{error}");
        assert_eq!(version(&runtime), 1);
        drop(locked);
    }
    runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!(version(&runtime), 2);
}

#[test]
fn a_watcher_waits_for_a_file_that_somebody_locks() {
    let bundle = Bundle::native("stamp", ONE);
    let (runtime, events) = watched_runtime(Box::new(|_| ()));
    runtime.load_bundle(bundle.path()).unwrap();
    let _watcher = runtime.watch_with(patient()).unwrap();
    events.none_at_first();
    let mut file = OpenOptions::new().write(true).truncate(true).share_mode(0).open(artifact(bundle.path())).unwrap();
    io::copy(&mut File::open(library(TWO)).unwrap(), &mut file).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(version(&runtime), 1);
    drop(file);
    loop {
        let event = events.next();
        match event.phase {
            polyplug_abi::ReloadPhaseType::Reloaded => break,
            polyplug_abi::ReloadPhaseType::Failed => assert!(event.reason.contains("plugin.dll"), "{event:?}"),
            _ => {}
        }
    }
    assert_eq!(version(&runtime), 2);
}

#[test]
fn a_watcher_sees_renames() {
    let folder = TempDir::new().unwrap();
    let (served, next) = (folder.path().join("served"), folder.path().join("next"));
    stamp_in(&served);
    let (runtime, events) = watched_runtime(Box::new(|_| ()));
    runtime.load_bundle(&served).unwrap();
    let _watcher = runtime.watch_with(patient()).unwrap();
    events.none_at_first();
    // A file, as many editors save it.
    fs::copy(library(TWO), served.join("plugin.tmp")).unwrap();
    rename(served.join("plugin.tmp"), artifact(&served)).unwrap();
    events.reloaded("stamp");
    assert_eq!(version(&runtime), 2);
    // The whole folder, as many installers exchange it.
    stamp_in(&next);
    rename(&served, folder.path().join("before")).unwrap();
    rename(&next, &served).unwrap();
    events.reloaded("stamp");
    assert_eq!(version(&runtime), 1);
    // And what is there then is watched.
    install(&served, TWO).unwrap();
    events.reloaded("stamp");
    assert_eq!(version(&runtime), 2);
    // A rename in which only the case changes makes no other bundle of it.
    rename_with_other_letters(&served);
    events.reloaded("stamp");
    assert_eq!(version(&runtime), 2);
}

#[test]
fn a_library_beside_the_plugins_is_found() {
    let bundle = Bundle::native("beside", "plugin-beside");
    let needed = bundle.path().join("plugin_needed.dll");
    for hot_reload in [false, true] {
        let runtime = builder(hot_reload).build().unwrap();
        let error = runtime.load_bundle(bundle.path()).unwrap_err().to_string();
        assert!(error.contains("plugin.dll") && error.contains("a library that it needs is missing"), "{error}");

        fs::copy(library("plugin-floor"), &needed).unwrap();
        runtime.load_bundle(bundle.path()).unwrap();
        assert_eq!(runtime.proxy::<dyn Counter>().unwrap().add(2), Ok(42));
        runtime.unload_bundle("beside").unwrap();
        // The system takes a library that is loaded for each of the same name, wherever it lies.
        eventually("it is closed as well", || !is_loaded(Path::new("plugin_needed.dll")));
        fs::remove_file(&needed).unwrap();
    }
}

#[test]
fn a_plugin_with_thread_local_destructors_is_unloaded_under_its_threads() {
    let bundle = Bundle::native("threads", "plugin-threads");
    let runtime = builder(false).build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    let plugin = runtime.proxy::<dyn Threads>().unwrap();
    let ((called, wait_for_call), (finish, wait_for_end)) = (channel(), channel::<()>());
    let thread = std::thread::spawn(move || {
        plugin.destructor().unwrap();
        plugin.current().unwrap();
        drop(plugin);
        called.send(()).unwrap();
        let _ = wait_for_end.recv();
    });
    wait_for_call.recv().unwrap();
    let report = runtime.unload_bundle("threads").unwrap();
    assert_eq!(report.still_mapped, None, "destructors keep no library on Windows");
    eventually("the library is closed", || !is_loaded(&artifact(bundle.path())));
    finish.send(()).unwrap();
    // Had its destructor been called in the library that is gone, the process would not be here any more.
    thread.join().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    runtime.proxy::<dyn Threads>().unwrap().destructor().unwrap();
}

/// The events of the console that the program's own handler has got.
static EVENTS: AtomicU32 = AtomicU32::new(0);

unsafe extern "system" fn on_event(_: u32) -> i32 {
    EVENTS.fetch_add(1, Ordering::SeqCst);
    1
}

#[test]
fn ctrl_c_is_the_programs() {
    if !is_child() {
        in_a_console("ctrl_c_is_the_programs");
        return;
    }
    // SAFETY: the handler is a function of this program.
    assert_ne!(unsafe { SetConsoleCtrlHandler(Some(on_event), 1) }, 0);
    // The handler that was set last is asked first. A handler of a loader would be, and the program's would not.
    let bundle = Bundle::native("stamp", ONE);
    let runtime = runtime_of_all();
    runtime.load_bundle(bundle.path()).unwrap();
    for (loader, file, code) in [("lua", "main.lua", lua::SCRIPT), ("js", "main.js", js::SCRIPT)] {
        runtime.load_bundle_from(&manifest(loader, loader, file), BundleSource::Code(code.to_owned())).unwrap();
    }
    assert_eq!(version(&runtime), 1);
    // SAFETY: no pointers.
    let sent = unsafe { GenerateConsoleCtrlEvent(0, 0) };
    assert_ne!(sent, 0, "{}", io::Error::last_os_error());
    eventually("the program's handler is called", || EVENTS.load(Ordering::SeqCst) == 1);
    assert_eq!(version(&runtime), 1);
}

fn run(runtime: &Runtime, bundle: &str, code: &str) -> String {
    runtime.proxy_from::<dyn Script>(bundle).unwrap().run(code).unwrap()
}

fn runtime_of_all() -> Arc<Runtime> {
    let builder = Runtime::builder().loader(NativeLoader::new()).loader(LuaLoader::new()).loader(JsLoader::new());
    builder.build().unwrap()
}

#[test]
fn the_code_page_of_a_console_does_not_matter() {
    const TEXT: &str = "Größe: 3 µm, Жук, ∑";
    /// `STD_ERROR_HANDLE`.
    const STANDARD_ERROR: u32 = -12_i32 as u32;
    if !is_child() {
        let err = in_a_console("the_code_page_of_a_console_does_not_matter");
        let lines: Vec<_> = err.lines().filter(|line| line.contains(TEXT)).collect();
        assert_eq!(lines.len(), 3, "to a pipe goes UTF-8: {err}");
        return;
    }
    // SAFETY: no pointers.
    assert_ne!(unsafe { SetConsoleOutputCP(437) }, 0, "{}", io::Error::last_os_error());
    let bundle = Bundle::native("places", "plugin-places");
    let runtime = runtime_of_all();
    runtime.load_bundle(bundle.path()).unwrap();
    let log = || runtime.proxy::<dyn Places>().unwrap().log(polyplug_abi::LogLevel::Warn.0, TEXT).unwrap();
    log();
    for (loader, file, code) in [("lua", "main.lua", lua::SCRIPT), ("js", "main.js", js::SCRIPT)] {
        runtime.load_bundle_from(&manifest(loader, loader, file), BundleSource::Code(code.to_owned())).unwrap();
    }
    run(&runtime, "lua", &format!("require('polyplug').log('warn', '{TEXT}')"));
    run(&runtime, "js", &format!("console.warn('{TEXT}')"));

    let console = OpenOptions::new().read(true).write(true).open("CONOUT$").unwrap();
    let (mut letters, mut read) = ([0_u16; 200], 0);
    // SAFETY: the console is open until the end of the process, as it is forgotten below, and the buffer has the length
    // that is told.
    unsafe {
        let handle = console.as_raw_handle();
        assert_ne!(SetStdHandle(STANDARD_ERROR, handle), 0);
        log();
        ReadConsoleOutputCharacterW(handle, letters.as_mut_ptr(), letters.len() as u32, 0, &raw mut read);
    }
    std::mem::forget(console);
    let shown = String::from_utf16_lossy(&letters[..read as usize]);
    assert!(shown.contains(TEXT), "to a console go letters: {shown:?}");
}
