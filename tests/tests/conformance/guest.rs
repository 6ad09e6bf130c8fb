//! The languages, and how a bundle of each is made.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use polyplug::runtime::{ReloadPolicy, RuntimeBuilder};
use polyplug::{BundleId, CallError, Contract, Failure, Runtime};
use polyplug_js::JsLoader;
use polyplug_lua::LuaLoader;
use polyplug_native::NativeLoader;
#[cfg(feature = "python")]
use polyplug_python::PythonLoader;
use polyplug_tests::dotnet::{self, Version};
use polyplug_tests::{Bundle, manifest};

/// A language.
pub(crate) struct Guest {
    /// What manifests call its loader.
    pub(crate) loader: &'static str,
    /// Adds that loader.
    add: fn(RuntimeBuilder) -> RuntimeBuilder,
    /// Puts the file with the plugins called so into a bundle, and says what the manifest has to call it.
    install: fn(plugins: &str, into: &Bundle) -> String,
    /// Where these plugins are written.
    source: fn(plugins: &str) -> PathBuf,
    /// How the files of its programs end.
    pub(crate) extension: &'static str,
    /// What it calls a method of the contract.
    method: fn(&str) -> String,
    /// How a traceback names a place, if errors tell which calls they came through.
    pub(crate) frame: Option<fn(&Place) -> String>,
    /// Whether it knows how much memory a bundle has. In an engine that bundles share, nobody does.
    pub(crate) knows_memory: bool,
    /// What it says otherwise of what is wrong with a value.
    words: &'static [(&'static str, &'static str)],
    /// What a machine may do without, and the language needs: see [`polyplug_tests::without`].
    needs: Option<&'static str>,
}

/// Rust, the plugins of which are those of several packages in tests/plugins.
pub(crate) const RUST: Guest = Guest {
    loader: "native",
    add: |builder| builder.loader(NativeLoader::new()),
    install: |plugins, into| {
        let library = polyplug_tests::library(package(plugins));
        into.write("plugin", std::fs::read(&library).expect("a library"));
        let name = format!("plugin{}", std::env::consts::DLL_SUFFIX);
        std::fs::rename(into.path().join("plugin"), into.path().join(name)).expect("another name");
        "plugin".to_owned()
    },
    source: |plugins| here().join("plugins/conformance/src").join(format!("{plugins}.rs")),
    extension: "rs",
    method: str::to_owned,
    frame: None,
    // Other systems do not tell the size of a library.
    knows_memory: cfg!(target_os = "linux"),
    words: &[],
    needs: None,
};

/// Lua.
pub(crate) const LUA: Guest = Guest {
    loader: "lua",
    add: |builder| builder.loader(LuaLoader::new()),
    install: |plugins, into| install_script(&script("lua", plugins, "lua"), into),
    source: |plugins| script("lua", plugins, "lua"),
    extension: "lua",
    method: str::to_owned,
    frame: Some(Place::to_string),
    knows_memory: true,
    words: &[],
    needs: None,
};

/// Python.
#[cfg(feature = "python")]
pub(crate) const PYTHON: Guest = Guest {
    loader: "python",
    add: |builder| {
        polyplug_tests::python::show_objects();
        builder.loader(PythonLoader::new())
    },
    install: |plugins, into| install_script(&script("python", plugins, "py"), into),
    source: |plugins| script("python", plugins, "py"),
    extension: "py",
    method: str::to_owned,
    frame: Some(|place| format!("{}\", line {}", place.file, place.line)),
    knows_memory: false,
    // A case is a class, so that there is no value of one that does not exist.
    words: &[
        ("shape_unknown", "expected Shape, got "),
        ("unknown_case", "expected Shape, got "),
        ("unknown", "expected Refusal, got "),
    ],
    needs: None,
};

/// JavaScript.
pub(crate) const JS: Guest = Guest {
    loader: "js",
    add: |builder| builder.loader(JsLoader::new()),
    install: |plugins, into| install_script(&script("js", plugins, "js"), into),
    source: |plugins| script("js", plugins, "js"),
    extension: "js",
    method: str::to_owned,
    frame: Some(Place::to_string),
    knows_memory: true,
    words: &[],
    needs: None,
};

/// C# in .NET 9.
pub(crate) const DOTNET9: Guest = Guest {
    loader: "dotnet",
    add: |builder| builder.loader(dotnet::loader(Version::Net9)),
    install: dotnet::install,
    source: |plugins| script("dotnet", plugins, "cs"),
    extension: "dll",
    method: pascal_case,
    frame: Some(|place| format!("{}:line {}", place.file, place.line)),
    // The bundles of a process share the garbage collector's heap.
    knows_memory: false,
    // The interface that a plugin calls with is compared with the contract before the call.
    words: &[("mistake", "test.radio@1: `IProgressRadio.Tune` differs from the contract")],
    needs: Some("dotnet"),
};

/// C# in the oldest .NET that the loader works with.
pub(crate) const DOTNET31: Guest = Guest { add: |builder| builder.loader(dotnet::loader(Version::Net31)), ..DOTNET9 };

/// All of them, with one version of each.
const ALL: &[&Guest] = &[
    &RUST,
    &LUA,
    #[cfg(feature = "python")]
    &PYTHON,
    &JS,
    &DOTNET9,
];

/// The package that has these plugins.
fn package(plugins: &str) -> &'static str {
    match plugins {
        "types" => "plugin-types",
        "stamp_one" => "plugin-reload-one",
        "stamp_two" => "plugin-reload-two",
        "calculator" => "plugin-calc",
        "broken" => "plugin-init-panics",
        _ => "plugin-conformance",
    }
}

/// The folder of the tests' package.
fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The file with these plugins, of a language whose bundles are text.
fn script(language: &str, plugins: &str, extension: &str) -> PathBuf {
    here().join("guests").join(language).join(format!("{plugins}.{extension}"))
}

/// Copies that file, and the folder of the same name with those that it loads.
fn install_script(file: &Path, into: &Bundle) -> String {
    let name = name_of(file);
    into.write(&name, std::fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display())));
    let others = file.with_extension("");
    if others.is_dir() {
        copy_folder(&others, into.path());
    }
    name
}

/// A name as methods are called in C#: `give_up` is `GiveUp`.
fn pascal_case(name: &str) -> String {
    let capital =
        |word: &str| word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1)).collect::<String>();
    name.split('_').map(capital).collect()
}

fn name_of(file: &Path) -> String {
    file.file_name().and_then(|name| name.to_str()).expect("a name").to_owned()
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

impl Guest {
    /// A runtime with the loader, in which bundles may be reloaded.
    pub(crate) fn runtime(&self) -> Arc<Runtime> {
        self.runtime_with(ReloadPolicy::Restart)
    }

    /// The same, whose bundles are replaced like that.
    pub(crate) fn runtime_with(&self, policy: ReloadPolicy) -> Arc<Runtime> {
        let builder = Runtime::builder().hot_reload(true).reload_policy(policy);
        (self.add)(builder).build().expect("one loader has no rival")
    }

    /// Whether the machine has what the language needs.
    pub(crate) fn is_here(&self) -> bool {
        self.needs.is_none_or(|tool| !polyplug_tests::without(tool))
    }

    /// All languages that are here: this one, and those with other loaders.
    pub(crate) fn all(&self) -> Vec<&Self> {
        let others = ALL.iter().copied().filter(|other| other.loader != self.loader);
        others.chain([self]).filter(|guest| guest.is_here()).collect()
    }

    /// A runtime that loads bundles of all those.
    pub(crate) fn runtime_for_all(&self) -> Arc<Runtime> {
        let builder = self.all().into_iter().fold(Runtime::builder(), |builder, guest| (guest.add)(builder));
        builder.build().expect("each has a name of its own")
    }

    /// A bundle called `name` with these plugins, whose manifest says `more`.
    pub(crate) fn bundle(&self, name: &str, plugins: &str, more: &str) -> Bundle {
        let bundle = Bundle::empty();
        self.write(&bundle, name, plugins, more);
        bundle
    }

    /// Makes another bundle of one.
    pub(crate) fn write(&self, bundle: &Bundle, name: &str, plugins: &str, more: &str) {
        let file = (self.install)(plugins, bundle);
        bundle.write("manifest.toml", manifest(name, self.loader, &file) + more);
    }

    /// A runtime that has loaded a bundle with these plugins, which is called like them.
    pub(crate) fn loaded(&self, plugins: &str) -> (Arc<Runtime>, Bundle) {
        let (runtime, bundle) = (self.runtime(), self.bundle(plugins, plugins, ""));
        runtime.load_bundle(bundle.path()).unwrap_or_else(|error| panic!("{plugins}: {error}"));
        (runtime, bundle)
    }

    /// The same, and a proxy.
    pub(crate) fn proxy<C>(&self, plugins: &str) -> (Arc<Runtime>, Bundle, C::Proxy)
    where
        C: Contract + ?Sized,
    {
        let (runtime, bundle) = self.loaded(plugins);
        let proxy = runtime.proxy::<C>().unwrap_or_else(|error| panic!("{plugins}: {error}"));
        (runtime, bundle, proxy)
    }

    /// Loads one more bundle.
    pub(crate) fn load(&self, runtime: &Runtime, name: &str, plugins: &str, more: &str) -> (Bundle, BundleId) {
        let bundle = self.bundle(name, plugins, more);
        let id = runtime.load_bundle(bundle.path()).unwrap_or_else(|error| panic!("{name}: {error}"));
        (bundle, id)
    }

    /// Why a bundle with these plugins is not loaded, after which its name is free.
    pub(crate) fn refusal(&self, plugins: &str) -> String {
        let runtime = self.runtime();
        let bundle = self.bundle(plugins, plugins, "");
        let Err(error) = runtime.load_bundle(bundle.path()) else { panic!("{plugins}: it was loaded") };
        assert_eq!((runtime.bundle_ids(), runtime.retired()), (vec![], vec![]), "nothing is left after: {error}");
        self.load(&runtime, plugins, "calculator", "");
        error.to_string()
    }

    /// The text of these plugins.
    pub(crate) fn text(&self, plugins: &str) -> String {
        let file = (self.source)(plugins);
        std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    }

    /// The file that is loaded for these plugins.
    pub(crate) fn bytes(&self, plugins: &str) -> Vec<u8> {
        let bundle = Bundle::empty();
        let file = (self.install)(plugins, &bundle);
        std::fs::read(bundle.path().join(&file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    /// The place that is marked `here` in these plugins.
    pub(crate) fn place(&self, plugins: &str) -> Place {
        let marked = self.text(plugins).lines().position(|line| line.trim_end().ends_with(" here"));
        Place { file: name_of(&(self.source)(plugins)), line: marked.expect("a line that is marked") + 1 }
    }

    /// The name of a method.
    pub(crate) fn method(&self, name: &str) -> String {
        (self.method)(name)
    }

    /// What is said of `what`: `usual`, unless the language has words of its own.
    pub(crate) fn words(&self, what: &str, usual: &'static str) -> &'static str {
        self.words.iter().find(|(own, _)| *own == what).map_or(usual, |(_, words)| words)
    }
}

/// A line of a program.
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) line: usize,
}

/// As errors name it: `failing.lua:42`.
impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// The text that declares dependencies on these contracts.
pub(crate) fn needs(contracts: &[&str]) -> String {
    contracts.iter().map(|contract| format!("[[dependency]]\ncontract = {contract:?}\n")).collect()
}

/// What a panic or exception says.
#[track_caller]
pub(crate) fn raised<T: std::fmt::Debug>(answer: Result<T, CallError>) -> Failure {
    match answer {
        Err(CallError::Panic(failure) | CallError::Exception(failure)) => *failure,
        other => panic!("an exception, not {other:?}"),
    }
}

/// Why a result was refused.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, CallError>) -> Failure {
    match answer {
        Err(CallError::InvalidResult(failure)) => *failure,
        other => panic!("a result that is refused, not {other:?}"),
    }
}
