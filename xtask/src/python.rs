//! The Python that the loader for Python is built with: the choice of one, and the variables by which its library is
//! found.
//!
//! PyO3 builds with the Python that `PYO3_PYTHON` names, and without the variable with the first on the path. Programs
//! may then start with the library of another Python, or without one. So one is chosen here, for all programs that are
//! started.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Result, anyhow};

use crate::workspace;

/// The variable that names the Python that PyO3 builds with.
const VARIABLE: &str = "PYO3_PYTHON";

/// The minor versions of CPython 3 that the PyO3 in Cargo.lock builds with; its support for the last is experimental.
const MINOR_VERSIONS: std::ops::RangeInclusive<u32> = 9..=16;

/// The first minor version whose free-threaded build PyO3 supports.
const FREE_THREADED_SINCE: u32 = 14;

/// The variable that adds folders in which programs look for libraries.
const LIBRARY_PATH: &str = if cfg!(windows) {
    "PATH"
} else if cfg!(target_os = "macos") {
    "DYLD_FALLBACK_LIBRARY_PATH"
} else {
    "LD_LIBRARY_PATH"
};

/// The program in Python that prints the values of [`Facts`], a line each.
const PROBE: &str = r#"
import os, platform, struct, sys, sysconfig

def var(name):
    return str(sysconfig.get_config_var(name) or "")

version = "%d.%d" % sys.version_info[:2]
base = getattr(sys, "base_prefix", sys.prefix)
threads = "t" if var("Py_GIL_DISABLED") == "1" else ""
if os.name == "nt":
    libraries = [os.path.join(base, "python" + version.replace(".", "") + threads + ".dll")]
else:
    name = "libpython" + (var("LDVERSION") or version) + (".dylib" if sys.platform == "darwin" else ".so")
    libraries = [os.path.join(var("LIBDIR"), name), os.path.join(var("LIBDIR"), var("MULTIARCH"), name)]
conda = os.path.exists(os.path.join(base, "conda-meta"))
framework = var("PYTHONFRAMEWORK")
there = [library for library in libraries if os.path.exists(library)]
print("executable=" + sys.executable)
print("implementation=" + platform.python_implementation())
print("version=%d.%d.%d" % sys.version_info[:3])
print("bits=%d" % (struct.calcsize("P") * 8))
print("free_threaded=%d" % bool(threads))
print("shared=%d" % bool(os.name == "nt" or conda or framework or var("Py_ENABLE_SHARED") == "1"))
print("framework=" + framework)
print("library=" + (there or libraries)[0])
print("library_there=%d" % bool(there))
"#;

const HOW_TO_GET_ONE: &str = "Debian, Ubuntu   sudo apt-get install python3-dev\n      \
     Fedora           sudo dnf install python3-devel\n      \
     Arch             sudo pacman -S python\n      \
     Alpine           sudo apk add python3-dev\n      \
     macOS            brew install python\n      \
     Windows          winget install Python.Python.3.13\n      \
     pyenv            PYTHON_CONFIGURE_OPTS=--enable-shared pyenv install 3.13\n      \
     and name it in PYO3_PYTHON if another comes first on the path";

/// The facts about a Python, as it prints them itself.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Facts {
    executable: String,
    implementation: String,
    version: String,
    bits: u32,
    free_threaded: bool,
    /// Whether it was built with a shared library.
    shared: bool,
    /// The name of its macOS framework; empty if it is not one.
    framework: String,
    /// The path of the library to link with, which may not exist.
    library: PathBuf,
    library_there: bool,
}

impl Facts {
    fn parse(said: &str) -> Option<Self> {
        let value = |key: &str| said.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        Some(Self {
            executable: value("executable")?.to_owned(),
            implementation: value("implementation")?.to_owned(),
            version: value("version")?.to_owned(),
            bits: value("bits")?.parse().ok()?,
            free_threaded: value("free_threaded")? == "1",
            shared: value("shared")? == "1",
            framework: value("framework")?.to_owned(),
            library: value("library")?.into(),
            library_there: value("library_there")? == "1",
        })
    }

    /// Returns the reason why the loader cannot be built with this Python, or `None`.
    fn unfit(&self) -> Option<String> {
        let Self { implementation, version, .. } = self;
        let what = format!("{implementation} {version}");
        if implementation != "CPython" {
            return Some(format!("is {what}; it has to be CPython"));
        }
        let minor = version.strip_prefix("3.").and_then(|rest| rest.split('.').next()?.parse().ok()).unwrap_or(0);
        if !MINOR_VERSIONS.contains(&minor) {
            let (first, last) = (MINOR_VERSIONS.start(), MINOR_VERSIONS.end());
            return Some(format!("is {what}; it has to be one of 3.{first} to 3.{last}"));
        }
        if self.free_threaded && minor < FREE_THREADED_SINCE {
            return Some(format!("is a free-threaded {what}; such have to be 3.{FREE_THREADED_SINCE} or newer"));
        }
        if self.bits != 64 {
            return Some(format!("is {what} of {} bits; it has to have 64", self.bits));
        }
        if self.framework == "Python3" {
            return Some(format!("is Apple's {what}, whose library programs do not find"));
        }
        if !self.shared {
            return Some(format!("is {what} without a shared library (built without --enable-shared)"));
        }
        if !self.library_there {
            return Some(format!(
                "is {what}, and its library to link with is not installed: {}",
                self.library.display()
            ));
        }
        None
    }

    /// Returns the folder of its library.
    fn folder(&self) -> &Path {
        self.library.parent().unwrap_or(Path::new("/"))
    }
}

/// The Python to build with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    /// The value for `PYO3_PYTHON`, unless the user set it.
    executable: OsString,
    version: String,
    /// The folder of its library, unless programs search it by default.
    library_folder: Option<PathBuf>,
}

impl Chosen {
    /// Returns the program.
    pub(crate) fn executable(&self) -> &OsStr {
        &self.executable
    }

    /// Makes `command` build with this Python, and the programs that `command` starts find its library.
    pub(crate) fn apply(&self, command: &mut Command) {
        command.env(VARIABLE, &self.executable);
        let Some(folder) = &self.library_folder else { return };
        let before = env::var_os(LIBRARY_PATH).unwrap_or_else(|| usual_library_path().into());
        let folders = std::iter::once(folder.clone()).chain(env::split_paths(&before));
        // A folder with the separator in its name cannot be added.
        if let Ok(path) = env::join_paths(folders.filter(|folder| !folder.as_os_str().is_empty())) {
            command.env(LIBRARY_PATH, path);
        }
    }

    /// Describes this Python, and the variables for programs that are started by hand.
    fn describe(&self) -> String {
        let mut text = format!("Python {}, {}", self.version, Path::new(&self.executable).display());
        if let Some(folder) = &self.library_folder {
            let folder = folder.display();
            let _ = write!(text, "\n      (its library is found by programs with {LIBRARY_PATH}={folder} only)");
        }
        text
    }
}

/// Returns the default of the variable.
fn usual_library_path() -> &'static str {
    if cfg!(target_os = "macos") { "/usr/local/lib:/usr/lib" } else { "" }
}

/// Returns the Python to build with, which is searched once, or the reasons why no Python here can be used.
pub(crate) fn chosen() -> Result<&'static Chosen, &'static str> {
    static CHOSEN: OnceLock<Result<Chosen, String>> = OnceLock::new();
    CHOSEN.get_or_init(find).as_ref().map_err(String::as_str)
}

/// Returns the description of [`chosen`], as a line for people.
pub(crate) fn described() -> Result<String, &'static str> {
    chosen().map(Chosen::describe)
}

/// Returns [`chosen`] for commands that need a Python, or an error.
pub(crate) fn required() -> Result<&'static Chosen> {
    chosen().map_err(|missing| anyhow!("this machine lacks:\n  - {missing}"))
}

/// Prints the Python that everything is built with, or fails where there is none.
pub(crate) fn check() -> Result<()> {
    eprintln!("      {}", required()?.describe());
    Ok(())
}

/// `cargo xtask python`.
pub(crate) fn run() -> Result<()> {
    println!("{}", Path::new(&required()?.executable).display());
    Ok(())
}

fn find() -> Result<Chosen, String> {
    let searched = searched();
    match env::var_os(VARIABLE).filter(|set| !set.is_empty()) {
        Some(set) => of_variable(&set, probe(&set), &searched),
        None => choose(CANDIDATES.iter().map(|name| ((*name).to_owned(), probe(name.as_ref()))).collect(), &searched),
    }
}

const CANDIDATES: &[&str] =
    if cfg!(windows) { &["py", "python", "python3"] } else { &["python3", "python", "/usr/bin/python3"] };

/// Runs the Python of this name for its facts; the error says why it cannot be run.
fn probe(name: &OsStr) -> Result<Facts, String> {
    let mut command = Command::new(name);
    command.args(["-c", PROBE]).env("PYTHONIOENCODING", "utf-8").current_dir(workspace::root());
    let output = match command.stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err("is not there".to_owned()),
        Err(error) => return Err(format!("cannot be started: {error}")),
    };
    Facts::parse(&String::from_utf8_lossy(&output.stdout)).ok_or_else(|| {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
        format!("does not work: {}", last.trim())
    })
}

/// Returns the Python that the user named, if the loader can be built with it.
fn of_variable(set: &OsStr, answer: Result<Facts, String>, searched: &[PathBuf]) -> Result<Chosen, String> {
    let why = match answer {
        Ok(facts) => match facts.unfit() {
            None => return Ok(choice(set.to_owned(), &facts, searched)),
            Some(why) => why,
        },
        Err(why) => why,
    };
    let name = Path::new(set).display();
    Err(format!(
        "a Python that the loader for Python can be built with. {VARIABLE} names `{name}`,\n    which {why}.\n    \
         Name another, or unset it to have one looked for:\n      {HOW_TO_GET_ONE}"
    ))
}

/// Returns the first usable Python whose library programs find by default, or else the first usable one.
fn choose(candidates: Vec<(String, Result<Facts, String>)>, searched: &[PathBuf]) -> Result<Chosen, String> {
    let mut second = None;
    let mut found = String::new();
    for (name, answer) in candidates {
        let why = match answer {
            Ok(facts) => match facts.unfit() {
                None => {
                    let choice = choice(facts.executable.clone().into(), &facts, searched);
                    if choice.library_folder.is_none() {
                        return Ok(choice);
                    }
                    second.get_or_insert(choice);
                    continue;
                }
                Some(why) => format!("{why} ({})", facts.executable),
            },
            Err(why) => why,
        };
        let _ = write!(found, "\n      {name}  {why}");
    }
    second.ok_or_else(|| {
        format!(
            "a Python that the loader for Python can be built with: CPython 3.{} or newer, with its shared\n    \
             library to link with. Looked at:{found}\n    To get one:\n      {HOW_TO_GET_ONE}",
            MINOR_VERSIONS.start()
        )
    })
}

fn choice(executable: OsString, facts: &Facts, searched: &[PathBuf]) -> Chosen {
    // The library of a framework contains its own path.
    let found = !facts.framework.is_empty() || searched.contains(&canonical(facts.folder()));
    let library_folder = (!found).then(|| facts.folder().to_owned());
    Chosen { executable, version: facts.version.clone(), library_folder }
}

/// Returns the folders in which programs look for a Python's library by default.
fn searched() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = env::var_os(LIBRARY_PATH).iter().flat_map(env::split_paths).collect();
    if cfg!(unix) {
        folders.extend(["/lib", "/lib64", "/usr/lib", "/usr/lib64"].map(PathBuf::from));
    }
    if cfg!(target_os = "linux") {
        // `ldconfig` is seldom on the path of users other than root.
        let cached = ["ldconfig", "/sbin/ldconfig", "/usr/sbin/ldconfig"].into_iter().find_map(|name| {
            let output = Command::new(name).arg("-p").stdin(Stdio::null()).output().ok()?;
            output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
        });
        folders.extend(cached.iter().flat_map(|cached| folders_of_libpython(cached)));
    }
    folders.iter().map(|folder| canonical(folder)).collect()
}

/// Returns the folders in the output of `ldconfig -p`: lines such as `libpython3.11.so.1.0 (libc6,x86-64) =>
/// /lib/libpython3.11.so.1.0`.
fn folders_of_libpython(cached: &str) -> Vec<PathBuf> {
    let libraries = cached.lines().filter(|line| line.trim_start().starts_with("libpython"));
    let paths = libraries.filter_map(|line| line.split_once("=> "));
    paths.filter_map(|(_, path)| Path::new(path.trim()).parent().map(Path::to_owned)).collect()
}

/// Returns the canonical path, because `/lib` may be a link to `/usr/lib`.
fn canonical(folder: &Path) -> PathBuf {
    std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes a usable Python, whose library lies in `/places/<name>`.
    fn python(name: &str) -> Facts {
        Facts {
            executable: format!("/bin/{name}"),
            implementation: "CPython".to_owned(),
            version: "3.11.2".to_owned(),
            bits: 64,
            free_threaded: false,
            shared: true,
            framework: String::new(),
            library: format!("/places/{name}/libpython3.11.so").into(),
            library_there: true,
        }
    }

    fn candidates<const N: usize>(facts: [Facts; N]) -> Vec<(String, Result<Facts, String>)> {
        facts.into_iter().map(|facts| (facts.executable.replace("/bin/", ""), Ok(facts))).collect()
    }

    fn names(chosen: &Result<Chosen, String>) -> &str {
        chosen.as_ref().unwrap().executable.to_str().unwrap()
    }

    #[test]
    fn one_whose_library_is_found_comes_before_one_whose_library_is_not() {
        let searched = [PathBuf::from("/places/c"), PathBuf::from("/places/d")];
        let all = ["a", "b", "c", "d"].map(python);
        let chosen = choose(candidates(all.clone()), &searched);
        assert_eq!(names(&chosen), "/bin/c");
        assert_eq!(chosen.unwrap().library_folder, None);

        let chosen = choose(candidates(all), &[]);
        assert_eq!(names(&chosen), "/bin/a");
        let chosen = chosen.unwrap();
        assert_eq!(chosen.library_folder.as_deref(), Some(Path::new("/places/a")));
        assert!(chosen.describe().contains(&format!("{LIBRARY_PATH}=/places/a")), "{}", chosen.describe());
    }

    #[test]
    fn a_framework_is_found_wherever_it_is() {
        let framework = Facts { framework: "Python".to_owned(), ..python("b") };
        assert_eq!(names(&choose(candidates([python("a"), framework]), &[])), "/bin/b");
    }

    #[test]
    fn unfit_ones_are_passed_over_and_where_all_are_each_is_named_with_its_fault() {
        let unfit = [
            (Facts { implementation: "PyPy".to_owned(), ..python("pypy") }, "is PyPy 3.11.2; it has to be CPython"),
            (Facts { version: "2.7.18".to_owned(), ..python("two") }, "is CPython 2.7.18; it has to be one of 3.9"),
            (Facts { version: "3.8.1".to_owned(), ..python("old") }, "is CPython 3.8.1; it has to be one of 3.9"),
            (Facts { version: "3.99.0".to_owned(), ..python("new") }, "is CPython 3.99.0; it has to be"),
            (
                Facts { version: "3.13.0".to_owned(), free_threaded: true, ..python("free") },
                "is a free-threaded CPython 3.13.0; such have to be 3.14",
            ),
            (Facts { bits: 32, ..python("small") }, "of 32 bits"),
            (Facts { framework: "Python3".to_owned(), ..python("apple") }, "is Apple's"),
            (Facts { shared: false, ..python("static") }, "built without --enable-shared"),
            (Facts { library_there: false, ..python("bare") }, "not installed: /places/bare/libpython3.11.so"),
        ];
        let mut all: Vec<_> = unfit.iter().map(|(facts, _)| (facts.executable.clone(), Ok(facts.clone()))).collect();
        all.insert(0, ("python3".to_owned(), Err("is not there".to_owned())));
        let error = choose(all.clone(), &[]).unwrap_err();
        assert!(error.contains("python3  is not there"), "{error}");
        for (facts, fault) in &unfit {
            let line = error.lines().find(|line| line.contains(&facts.executable)).unwrap();
            assert!(line.contains(fault), "{line}");
        }
        assert!(error.contains("apt-get install python3-dev"), "{error}");

        all.push(("fit".to_owned(), Ok(python("fit"))));
        assert_eq!(names(&choose(all, &[])), "/bin/fit");
        let newer = Facts { version: "3.14.0".to_owned(), free_threaded: true, ..python("free") };
        assert_eq!(newer.unfit(), None);
    }

    #[test]
    fn what_the_user_named_is_taken_as_it_is_or_refused() {
        let set = OsStr::new("python3.11");
        let chosen = of_variable(set, Ok(python("a")), &["/places/a".into()]).unwrap();
        assert_eq!((chosen.executable.as_os_str(), chosen.library_folder), (set, None));

        let error = of_variable(set, Ok(Facts { shared: false, ..python("a") }), &[]).unwrap_err();
        assert!(error.contains("PYO3_PYTHON names `python3.11`") && error.contains("--enable-shared"), "{error}");
        let error = of_variable(set, probe(OsStr::new("/no/such/python")), &[]).unwrap_err();
        assert!(error.contains("is not there") && error.contains("unset it"), "{error}");
    }

    #[test]
    fn the_probe_prints_every_fact() {
        // Any Python, usable or not.
        let answers: Vec<_> = CANDIDATES.iter().map(|name| probe(name.as_ref())).collect();
        let facts = answers.iter().find_map(|answer| answer.as_ref().ok()).unwrap_or_else(|| panic!("{answers:?}"));
        assert!(Path::new(&facts.executable).is_absolute(), "{facts:?}");
        assert!(facts.version.starts_with("3.") && facts.library.is_absolute(), "{facts:?}");
    }

    #[test]
    fn commands_get_the_python_and_the_folder_of_its_library() {
        let mut command = Command::new("cargo");
        let python = Chosen {
            executable: "/bin/a".into(),
            version: "3.11.2".to_owned(),
            library_folder: Some("/places/a".into()),
        };
        python.apply(&mut command);
        let value = |name: &str| command.get_envs().find(|(key, _)| *key == name).unwrap().1.unwrap().to_owned();
        assert_eq!(value(VARIABLE), "/bin/a");
        assert_eq!(env::split_paths(&value(LIBRARY_PATH)).next().unwrap(), Path::new("/places/a"));
    }

    #[test]
    fn folders_are_read_from_the_cache_of_the_dynamic_linker() {
        let cached = "2 libs found in cache `/etc/ld.so.cache'\n\tlibz.so.1 (libc6,x86-64) => /z/libz.so.1\n\
            \tlibpython3.11.so.1.0 (libc6,x86-64) => /lib/x/libpython3.11.so.1.0\n";
        assert_eq!(folders_of_libpython(cached), [Path::new("/lib/x")]);
        assert!(folders_of_libpython("").is_empty());
    }

    /// The versions above are those of this PyO3: look them up in the build script of its crate `pyo3-ffi` when it
    /// changes.
    #[test]
    fn the_versions_are_those_of_the_locked_pyo3() {
        let lock = std::fs::read_to_string(workspace::root().join("Cargo.lock")).unwrap();
        let lock: toml::Table = lock.parse().unwrap();
        let packages = lock["package"].as_array().unwrap();
        let pyo3 = packages.iter().find(|package| package["name"].as_str() == Some("pyo3")).unwrap();
        assert!(pyo3["version"].as_str().unwrap().starts_with("0.30."), "{pyo3:?}");
    }
}
