//! The CLR that runs.

use std::env;
use std::ffi::c_void;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use polyplug::engine::{Fault, log_message};
use polyplug_abi::LogLevel;

use super::config::ClrConfig;
use super::files::Files;
use super::hostfxr::{Assemblies, Context, Function, HostError, Hostfxr};
use super::icu;
use super::installed::{self, FRAMEWORK};
use super::loaded::Loaded;
use super::lock::lock;
use super::search::{self, Found, Search};
use super::signals::keep_signals;
use super::stack::prepare_thread;

/// The class of the bridge that is looked up at the start, so that the assembly is loaded, and its function.
const ENTRY: (&str, &str) = ("Polyplug.Bridge.Entry, Polyplug", "Init");

/// The CLR of this process, with the bridge in it.
pub(crate) struct Clr {
    root: PathBuf,
    version: String,
    hostfxr: &'static Hostfxr,
    /// The host's `runtimeconfig.json`, if it has one.
    runtime_config: Option<PathBuf>,
    assemblies: Assemblies,
    /// The path under which the CLR knows the bridge. The file has been removed.
    bridge: PathBuf,
}

static RUNNING: OnceLock<Clr> = OnceLock::new();

/// The error of the CLR that did not start. hostfxr does not try again in a process.
static FAILED: OnceLock<String> = OnceLock::new();

impl Clr {
    /// Starts the CLR with an assembly, the bridge, or returns the CLR that runs. Threads that call this at once wait for the
    /// one that starts the CLR.
    ///
    /// # Errors
    ///
    /// There is no installation of .NET or no framework that fits, the CLR does not start, or it runs with other options.
    pub(crate) fn start(config: &ClrConfig, bridge: &[u8]) -> Result<&'static Self, Fault> {
        static STARTING: Mutex<()> = Mutex::new(());
        if RUNNING.get().is_none() {
            let _alone = lock(&STARTING);
            if RUNNING.get().is_none() {
                let clr = Self::start_alone(config, bridge).map_err(Fault::new)?;
                return Ok(RUNNING.get_or_init(|| clr));
            }
        }
        let running = RUNNING.wait();
        running.check(config).map_err(Fault::new)?;
        Ok(running)
    }

    /// Returns the static function `int Function(IntPtr, int)` of a class of the bridge, whose name has the assembly's, as in
    /// `Polyplug.Bridge.Entry, Polyplug`.
    ///
    /// # Errors
    ///
    /// There is no such function.
    pub(crate) fn function(
        &self,
        type_name: &str,
        method: &str,
    ) -> Result<unsafe extern "system" fn(*const c_void, i32) -> i32, Fault> {
        self.look_up(type_name, method).map_err(Fault::new)
    }

    /// Returns the version of the framework, such as `9.0.1`.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Returns the folder of the installation.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    fn look_up(&self, type_name: &str, method: &str) -> Result<Function, String> {
        prepare_thread();
        self.assemblies.function(&self.bridge, type_name, method).map_err(|error| {
            format!("the assembly Polyplug has no function `{method}` in `{type_name}` that .NET can load: {error}")
        })
    }

    fn start_alone(config: &ClrConfig, bridge: &[u8]) -> Result<Self, String> {
        if let Some(error) = FAILED.get() {
            return Err(format!("{error}\nThe start cannot be tried again in this process"));
        }
        let found = installation(config)?;
        let runtime_config = config.runtime_config.as_deref().map(own_file).transpose()?;
        let hostfxr = Hostfxr::load(&found.hostfxr)
            .map_err(|error| format!("{} cannot be loaded: {error}", found.hostfxr.display()))?;
        let files = Files::new().and_then(|files| Ok((files.bridge(bridge)?, files.runtime_config()?, files)));
        let (bridge, default_config, files) = files
            .map_err(|error| format!("there is no place for the files of .NET in the temporary folder: {error}"))?;
        let context = hostfxr
            .initialize(runtime_config.as_deref().unwrap_or(&default_config), &found.root)
            .map_err(|error| no_framework(&found.root, runtime_config.as_deref(), &error))?;
        if context.is_first() {
            for (name, value) in &config.properties {
                context
                    .set_property(name, value)
                    .map_err(|error| format!("the property `{name}` of .NET cannot be set: {error}"))?;
            }
        }
        let framework = context.framework();
        let version = version(framework.as_deref());
        if let (true, Some(framework)) = (context.is_first(), &framework) {
            without_icu(&context, framework, &version)?;
        }
        let assemblies = keep_signals(|| {
            prepare_thread();
            context.start()
        });
        let assemblies = assemblies.map_err(|error| {
            let error = format!("the CLR of .NET {version} in {} does not start: {error}", found.root.display());
            if context.is_first() { FAILED.get_or_init(|| error).clone() } else { error }
        })?;
        let clr = Self { root: found.root, version, hostfxr, runtime_config, assemblies, bridge };
        clr.check(config)?;
        keep_signals(|| clr.look_up(ENTRY.0, ENTRY.1))?;
        drop(files);
        Ok(clr)
    }

    /// Checks that options agree with those of the CLR that runs. Options that are not given agree.
    fn check(&self, config: &ClrConfig) -> Result<(), String> {
        let mut differences = String::new();
        let mut differ = |name: &str, is: &str, wanted: &str| {
            let _infallible = write!(differences, "\n  {name}: {is} runs, {wanted} is asked for");
        };
        if let Some(root) = &config.root {
            let wanted = root.canonicalize().unwrap_or_else(|_| root.clone());
            if wanted != self.root {
                differ("the folder of .NET", &self.root.display().to_string(), &root.display().to_string());
            }
        }
        if let Some(file) = &config.runtime_config {
            let wanted = file.canonicalize().unwrap_or_else(|_| file.clone());
            if self.runtime_config.as_ref() != Some(&wanted) {
                let is = self.runtime_config.as_ref().map(|file| file.display().to_string());
                let is = is.as_deref().unwrap_or("the loader's own");
                differ("the runtimeconfig.json", is, &file.display().to_string());
            }
        }
        for (name, value) in &config.properties {
            let is = self.hostfxr.property(name);
            if is.as_ref() != Some(value) {
                let is = is.map_or_else(|| "none".to_owned(), |is| format!("`{is}`"));
                differ(&format!("the property `{name}`"), &is, &format!("`{value}`"));
            }
        }
        if differences.is_empty() {
            return Ok(());
        }
        Err(format!(
            "a process has one CLR, and that of .NET {} runs with other options:{differences}\nGive all loaders of the \
             process the same options of .NET, or give options to the first one only",
            self.version
        ))
    }
}

/// Returns the installation whose CLR runs in this process, or is to run.
fn installation(config: &ClrConfig) -> Result<Found, String> {
    let Some(loaded) = Loaded::find() else { return Search::of_process(config.root.as_deref()).find() };
    loaded.host.ok_or_else(|| {
        format!(
            "the process runs the CLR {} already, which was started without hostfxr, so that a loader cannot use it. Start \
             the CLR through hostfxr or the loader",
            loaded.coreclr.display()
        )
    })
}

/// Returns the full path of a `runtimeconfig.json` of the host's.
fn own_file(file: &Path) -> Result<PathBuf, String> {
    let problem = |problem: &dyn std::fmt::Display| {
        format!("the runtimeconfig.json {} cannot be read: {problem}", file.display())
    };
    let full = file.canonicalize().map_err(|error| problem(&error))?;
    if full.is_file() { Ok(full) } else { Err(problem(&"it is no file")) }
}

/// Returns the version of a framework by its folder.
fn version(framework: Option<&Path>) -> String {
    let name = framework.and_then(Path::file_name);
    name.map_or_else(|| "of an unknown version".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// Has the CLR that is to be started do without ICU if there is none that it can use.
fn without_icu(context: &Context, framework: &Path, version: &str) -> Result<(), String> {
    let invariant = context.property(icu::INVARIANT);
    let is_invariant = match &invariant {
        Some(value) => value.eq_ignore_ascii_case("true"),
        None => {
            let value = env::var(icu::INVARIANT_VARIABLE).unwrap_or_default();
            value == "1" || value.eq_ignore_ascii_case("true")
        }
    };
    if is_invariant || context.property(icu::APP_LOCAL).is_some() || !icu::is_missing(framework) {
        return Ok(());
    }
    let problem = format!("no ICU that .NET {version} can use is installed (the libraries libicuuc and libicui18n)");
    if invariant.is_some() {
        return Err(format!("{problem}. Install one, or do not set the property `{}` to `false`", icu::INVARIANT));
    }
    let set = context.set_property(icu::INVARIANT, "true");
    set.map_err(|error| format!("the property `{}` of .NET cannot be set: {error}", icu::INVARIANT))?;
    let note = format!(
        "{problem}, so all cultures of .NET plugins are as the invariant one. Install an ICU for other cultures, or set the \
         property `{}` to `true`",
        icu::INVARIANT
    );
    log_message(LogLevel::Warn, &note);
    Ok(())
}

/// Makes the error of a framework that hostfxr does not find.
fn no_framework(root: &Path, runtime_config: Option<&Path>, error: &HostError) -> String {
    let wanted = match runtime_config {
        Some(file) => format!("the framework that {} asks for", file.display()),
        None => format!("{FRAMEWORK} 3.1 or later"),
    };
    let found: Vec<String> = installed::frameworks(root).iter().map(ToString::to_string).collect();
    let found = if found.is_empty() { "no version".to_owned() } else { found.join(", ") };
    let root = root.display();
    format!(
        "{root} has not {wanted}, or it cannot be used. There: {FRAMEWORK} in {found}. {}. hostfxr says: {error}",
        search::install()
    )
}
