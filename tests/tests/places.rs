//! A bundle finds its own directory, and a folder for its data, in each language alike.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use polyplug::ffi::{polyplug_runtime_create, polyplug_runtime_destroy};
use polyplug::loader::BundleSource;
use polyplug::runtime::RuntimeBuilder;
use polyplug::signature::SignaturePolicy;
use polyplug::{BundleId, Runtime};
use polyplug_abi::{AbiError, AbiErrorCode, HostApi, RuntimeConfig, StringView};
use polyplug_js::JsLoader;
use polyplug_lua::LuaLoader;
use polyplug_native::NativeLoader;
use polyplug_python::PythonLoader;
use polyplug_tests::js::SCRIPT as JS;
use polyplug_tests::lua::{SCRIPT as LUA, Script};
use polyplug_tests::python::SCRIPT as PYTHON;
use polyplug_tests::{Bundle, manifest};
use tempfile::TempDir;
use test_contracts::places::Places;

fn builder() -> RuntimeBuilder {
    let builder = Runtime::builder().loader(NativeLoader::new()).loader(LuaLoader::new());
    builder.loader(PythonLoader::new()).loader(JsLoader::new())
}

fn run(runtime: &Runtime, bundle: &str, code: &str) -> String {
    let script = runtime.proxy_from::<dyn Script>(BundleId::new(bundle)).unwrap();
    script.run(code).unwrap_or_else(|error| format!("error: {error}"))
}

/// The names of the bundles of [`Bundles`].
const NAMES: [&str; 4] = ["native", "lua", "python", "js"];

/// The expressions for a bundle's directory and the folder for its data, in each language of scripts.
const LANGUAGES: [(&str, &str, &str, &str); 3] = [
    (
        "lua",
        LUA,
        "return require('polyplug').directory",
        "local ok, path = pcall(require('polyplug').data_directory) return path",
    ),
    (
        "python",
        PYTHON,
        "import polyplug, pathlib\nassert isinstance(polyplug.directory, pathlib.Path)\nreturn polyplug.directory",
        "import polyplug\ntry: return polyplug.data_directory()\nexcept OSError as error: return error",
    ),
    (
        "js",
        JS,
        "return polyplug.context.directory",
        "try { return polyplug.context.dataDirectory() } catch (error) { return error.message }",
    ),
];

/// The bundles of one kind each, with what they say.
struct Bundles {
    native: Bundle,
    scripts: Vec<Bundle>,
}

impl Bundles {
    fn new() -> Self {
        let native = Bundle::native("native", "plugin-places");
        let scripts = LANGUAGES.iter().map(|(loader, code, ..)| Bundle::script(loader, code)).collect();
        Self { native, scripts }
    }

    fn load(&self, runtime: &Runtime) {
        for bundle in self.all() {
            runtime.load_bundle(bundle.path()).unwrap();
        }
    }

    fn all(&self) -> impl Iterator<Item = &Bundle> {
        std::iter::once(&self.native).chain(&self.scripts)
    }
}

/// What each bundle says of its directory.
fn directories(runtime: &Runtime) -> Vec<PathBuf> {
    let native = runtime.proxy::<dyn Places>().unwrap().directory().unwrap().unwrap();
    let scripts = LANGUAGES.iter().map(|(name, _, directory, _)| run(runtime, name, directory));
    std::iter::once(native).chain(scripts).map(PathBuf::from).collect()
}

/// What each bundle says of the folder for its data: the path, or why there is none.
fn data(runtime: &Runtime) -> Vec<String> {
    let native = runtime.proxy::<dyn Places>().unwrap().data_directory().unwrap();
    let scripts = LANGUAGES.iter().map(|(name, _, _, data)| run(runtime, name, data));
    std::iter::once(native.unwrap_or_else(|error| error)).chain(scripts).collect()
}

#[test]
fn the_directory_is_the_one_that_was_loaded_and_never_a_copy() {
    for builder in [builder(), builder().hot_reload(true), builder().signatures(SignaturePolicy::Warn)] {
        let bundles = Bundles::new();
        let runtime = builder.build().unwrap();
        bundles.load(&runtime);
        let expected: Vec<_> = bundles.all().map(|bundle| bundle.path().to_owned()).collect();
        assert_eq!(directories(&runtime), expected);
    }
}

#[test]
fn each_version_has_the_directory_that_it_came_from() {
    let runtime = builder().hot_reload(true).build().unwrap();
    let (first, second) = (Bundles::new(), Bundles::new());
    first.load(&runtime);
    for bundle in second.all() {
        runtime.reload_bundle(bundle.path()).unwrap();
    }
    let expected: Vec<_> = second.all().map(|bundle| bundle.path().to_owned()).collect();
    assert_eq!(directories(&runtime), expected);
}

#[test]
fn the_path_of_an_artifact_and_a_relative_path_give_an_absolute_directory() {
    let bundles = Bundles::new();
    let runtime = builder().hot_reload(true).build().unwrap();
    runtime.load_bundle(bundles.scripts[0].path().join("main.lua")).unwrap();
    assert_eq!(run(&runtime, "lua", LANGUAGES[0].2), bundles.scripts[0].path().to_str().unwrap());

    let here = std::env::current_dir().unwrap();
    let up: PathBuf = here.components().skip(1).map(|_| "..").collect();
    let relative = up.join(bundles.scripts[1].path().strip_prefix("/").unwrap());
    // With a separator at the end, and a module that is imported later.
    bundles.scripts[1].write("late.py", "which = 'first'");
    runtime.load_bundle(relative.join("")).unwrap();
    bundles.scripts[1].write("late.py", "which = 'second'");
    assert_eq!(
        run(
            &runtime,
            "python",
            "import late, os\nbeside = os.path.dirname(__file__)\nreturn late.which, late.__file__ == os.path.join(beside, 'late.py')"
        ),
        "('first', True)"
    );
    let directory = run(&runtime, "python", LANGUAGES[1].2);
    assert!(!directory.ends_with('/'), "{directory}");
    let directory = PathBuf::from(directory);
    assert!(directory.is_absolute(), "{}", directory.display());
    assert_eq!(directory.canonicalize().unwrap(), bundles.scripts[1].path().canonicalize().unwrap());
}

#[test]
fn a_bundle_in_memory_has_no_directory_but_a_folder_for_its_data() {
    let root = TempDir::new().unwrap();
    let runtime = builder().data_directory(root.path()).build().unwrap();
    for ((loader, code, directory, data), nothing) in LANGUAGES.into_iter().zip(["nil", "None", "null"]) {
        let manifest = manifest(loader, loader, "main");
        runtime.load_bundle_from(&manifest, BundleSource::Code(code.to_owned())).unwrap();
        let directory = if loader == "python" { "import polyplug\nreturn polyplug.directory" } else { directory };
        assert_eq!(run(&runtime, loader, directory), nothing);
        assert_eq!(PathBuf::from(run(&runtime, loader, data)), root.path().join(loader));
        assert!(root.path().join(loader).is_dir());
    }
}

#[test]
fn the_directory_of_a_bundle_may_have_any_name() {
    use std::os::unix::ffi::OsStrExt;

    let parent = TempDir::new().unwrap();
    // Lua takes the bytes of a path. Python says that it takes UTF-8 only.
    let directory = parent.path().join(std::ffi::OsStr::from_bytes(b"odd \xff 'name'"));
    std::fs::create_dir(&directory).unwrap();
    std::fs::write(directory.join("manifest.toml"), manifest("lua", "lua", "main.lua")).unwrap();
    std::fs::write(directory.join("main.lua"), LUA).unwrap();
    let runtime = builder().hot_reload(true).build().unwrap();
    runtime.load_bundle(&directory).unwrap();
    let length = run(&runtime, "lua", "return #require('polyplug').directory");
    assert_eq!(length, directory.as_os_str().len().to_string());
}

#[test]
fn without_a_folder_of_the_hosts_the_error_names_the_method_that_sets_it() {
    let bundles = Bundles::new();
    let runtime = builder().build().unwrap();
    bundles.load(&runtime);
    for (text, name) in data(&runtime).iter().zip(NAMES) {
        for part in [&format!("bundle `{name}` has no folder for its data"), "Runtime::builder().data_directory(..)"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
    assert!(data(&runtime)[0].starts_with("NotFound: "), "{:?}", data(&runtime));
}

#[test]
fn the_data_survives_reload_update_and_unload() {
    let root = TempDir::new().unwrap();
    let below = root.path().join("made/later");
    let runtime = builder().hot_reload(true).data_directory(&below).build().unwrap();
    let (first, second) = (Bundles::new(), Bundles::new());
    first.load(&runtime);
    assert!(!below.exists(), "nobody has asked");
    let folders = data(&runtime);
    let expected: Vec<_> = NAMES.map(|name| below.join(name).to_str().unwrap().to_owned()).into();
    assert_eq!(folders, expected);
    for folder in &folders {
        std::fs::write(Path::new(folder).join("kept"), "").unwrap();
    }
    for bundle in second.all() {
        let text = std::fs::read_to_string(bundle.path().join("manifest.toml")).unwrap().replace("1.0.0", "2.0.0");
        bundle.write("manifest.toml", text);
        runtime.reload_bundle(bundle.path()).unwrap();
    }
    assert_eq!(data(&runtime), expected);
    for name in NAMES {
        runtime.unload_bundle(BundleId::new(name)).unwrap();
    }
    first.load(&runtime);
    assert_eq!(data(&runtime), expected);
    assert!(expected.iter().all(|folder| Path::new(folder).join("kept").exists()));
}

#[test]
fn runtimes_share_a_folder_only_if_they_are_given_the_same() {
    let (root, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let runtimes: Vec<_> = [&root, &root, &other]
        .map(|root| {
            let runtime = builder().data_directory(root.path()).build().unwrap();
            Bundles::new().load(&runtime);
            runtime
        })
        .into();
    // At the same time: each makes the folders.
    let folders: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = runtimes.iter().map(|runtime| scope.spawn(|| data(runtime))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(folders[0], folders[1]);
    for (folder, other) in folders[0].iter().zip(&folders[2]) {
        assert!(folder != other && Path::new(folder).is_dir() && Path::new(other).is_dir(), "{folder} {other}");
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_named_with_the_remedy() {
    let root = TempDir::new().unwrap();
    let file = root.path().join("file");
    std::fs::write(&file, "").unwrap();
    // Not even a process with all rights makes folders in the second one.
    for (root, reason) in [(&*file, format!("{} is no folder", file.display())), (Path::new("/proc"), String::new())] {
        let runtime = builder().data_directory(root).build().unwrap();
        Bundles::new().load(&runtime);
        for (text, name) in data(&runtime).iter().zip(NAMES) {
            let path = root.join(name);
            for part in [name, path.to_str().unwrap(), "cannot be made", &reason, "data_directory(..)"] {
                assert!(text.contains(part), "{part}: {text}");
            }
        }
    }
}

#[test]
fn names_that_differ_by_case_alone_have_folders_that_differ_by_more() {
    let root = TempDir::new().unwrap();
    let runtime = builder().data_directory(root.path()).build().unwrap();
    let folders = ["data", "Data", "DATA"].map(|name| {
        let source = BundleSource::Code(LUA.to_owned());
        runtime.load_bundle_from(&manifest(name, "lua", "main.lua"), source).unwrap();
        run(&runtime, name, LANGUAGES[0].3).to_lowercase()
    });
    for (index, folder) in folders.iter().enumerate() {
        assert!(!folders[..index].contains(folder), "{folders:?}");
    }
    assert!(folders[0].ends_with("/data") && folders[1].contains("/data~"), "{folders:?}");
}

#[test]
fn a_relative_folder_is_relative_to_the_working_directory_of_its_moment() {
    let runtime = builder().data_directory("target/never-made").build().unwrap();
    let source = BundleSource::Code(LUA.replace("run(code)", "run(code) do return require('polyplug').directory end"));
    runtime.load_bundle_from(&manifest("lua", "lua", "main.lua"), source).unwrap();
    // Through the table of the host itself there is neither.
    // SAFETY: the table is valid as long as the runtime, and `error` is writable.
    let (directory, folder, code) = unsafe {
        let host = runtime.host_abi();
        let mut error = AbiError::ok();
        let folder = ((*host).data_directory)(host, &raw mut error);
        (((*host).directory)(host).len, folder.len, error.code)
    };
    assert_eq!((directory, folder, code), (0, 0, AbiErrorCode::NotFound as u32));
}

/// Makes a runtime through the C ABI with a configuration of this size.
fn create(config: &RuntimeConfig) -> *const HostApi {
    // SAFETY: the configuration has the size that it states.
    let host = unsafe { polyplug_runtime_create(config) };
    assert!(!host.is_null());
    host
}

#[test]
fn a_host_in_c_names_the_folder_in_its_configuration() {
    let root = TempDir::new().unwrap();
    let folder = root.path().to_str().unwrap().to_owned();
    let mut config = RuntimeConfig { data_directory: StringView::lend(folder.as_bytes()), ..RuntimeConfig::default() };
    for (size, expected) in
        [(size_of::<RuntimeConfig>(), true), (std::mem::offset_of!(RuntimeConfig, data_directory), false)]
    {
        config.struct_size = size;
        let host = create(&config);
        let loader: Box<Box<dyn polyplug::loader::BundleLoader>> = Box::new(Box::new(NativeLoader::new()));
        let bundle = Bundle::native("native", "plugin-places");
        let path = bundle.path().to_str().unwrap();
        let mut error = AbiError::ok();
        // SAFETY: the table is valid until it is destroyed; the loader is a box of a box as the table wants it.
        let (called, text) = unsafe {
            ((*host).register_loader)(host, Box::into_raw(loader).cast(), &raw mut error);
            assert!(error.is_ok());
            ((*host).load_bundle)(host, path.as_ptr(), path.len(), &raw mut error);
            assert!(error.is_ok(), "{}", polyplug_tests::last_error(host));
            call_data_directory(host)
        };
        assert_eq!(called, expected, "{text}");
        assert_eq!(root.path().join("native").is_dir(), expected);
        // SAFETY: made above, and not used again.
        unsafe { polyplug_runtime_destroy(host) };
        let _ = std::fs::remove_dir_all(root.path().join("native"));
    }
}

/// Asks the plugin for the folder of its data.
unsafe fn call_data_directory(host: *const HostApi) -> (bool, String) {
    use polyplug::Type;
    use polyplug_abi::{CallArena, GuestContractId, GuestContractInstance};

    let mut room = [0_u8; 4096];
    // SAFETY: the table is valid (the caller's promise); `room` outlives the arena; the result has the canonical layout of
    // the method's result.
    unsafe {
        let mut arena = CallArena::fixed(room.as_mut_ptr(), room.len());
        let handle = ((*host).find_guest_contract)(host, GuestContractId::new("test.places", 1).id(), 0);
        let (mut instance, mut error) = (GuestContractInstance::null(), AbiError::ok());
        ((*host).create_guest_instance)(host, handle, std::ptr::null(), &raw mut instance, &raw mut error);
        let mut out = std::mem::MaybeUninit::<<Result<String, String> as Type>::Canon>::uninit();
        let arguments = std::ptr::null();
        ((*host).call_guest_method)(
            host,
            instance,
            1,
            arguments,
            out.as_mut_ptr().cast(),
            &raw mut arena,
            &raw mut error,
        );
        assert!(error.is_ok(), "{}", polyplug_tests::last_error(host));
        ((*host).destroy_guest_instance)(host, instance);
        // The tag of a result is its first field: 0 for Ok.
        let is_ok = out.as_ptr().cast::<u32>().read() == 0;
        (is_ok, String::new())
    }
}

/// A plugin that is part of the program has no directory, but a folder for its data.
#[test]
fn a_bundle_of_the_program_has_a_folder_for_its_data_too() {
    struct Linked(polyplug::PluginContext);
    #[polyplug::plugin(create = make)]
    impl Places for Linked {
        fn directory(&self) -> Option<String> {
            self.0.directory().map(|path| path.display().to_string())
        }
        fn data_directory(&self) -> Result<String, String> {
            self.0.data_directory().map(|path| path.display().to_string()).map_err(|error| error.to_string())
        }
        fn log(&self, _: u32, _: &str) {}
        fn panic(&self, _: &str) {}
    }
    fn make(context: &polyplug::PluginContext) -> Result<Linked, String> {
        Ok(Linked(context.clone()))
    }

    let root = TempDir::new().unwrap();
    let runtime: Arc<Runtime> = Runtime::builder().data_directory(root.path()).build().unwrap();
    runtime.load_linked_plugins().unwrap();
    let places = runtime.proxy_from::<dyn Places>(BundleId::new(env!("CARGO_PKG_NAME"))).unwrap();
    assert_eq!(places.directory().unwrap(), None);
    let folder = places.data_directory().unwrap().unwrap();
    assert_eq!(Path::new(&folder), root.path().join(env!("CARGO_PKG_NAME")));
    assert!(Path::new(&folder).is_dir());
}
