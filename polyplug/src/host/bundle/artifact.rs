//! The form of the artifacts of each loader: their names, and how their code registers plugins.
//!
//! Loaders are told apart by their names in manifests. A loader with another name has artifacts of any form.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf, is_separator};

use crate::host::error::suggest::did_you_mean;

/// The form of the artifacts of one loader.
pub(crate) struct ArtifactForm {
    loader: &'static str,
    /// The kind of file, with its article.
    kind: &'static str,
    /// The endings of file names, the usual one first. Empty for shared libraries, whose names depend on the platform.
    endings: &'static [&'static str],
    /// The question whether the code registers a plugin in the way of its language.
    pub(crate) registration: &'static str,
}

const FORMS: [ArtifactForm; 5] = [
    ArtifactForm {
        loader: "native",
        kind: "a shared library",
        endings: &[],
        registration: "does its code declare one, in Rust with `#[polyplug::plugin]` above the `impl` of a contract, in C \
                       with `register_guest_contract` in `polyplug_init`?",
    },
    ArtifactForm {
        loader: "python",
        kind: "a Python script",
        endings: &[".py"],
        registration: "does its script declare one, with `@polyplug.plugin(\"demo.calculator@1\")` above a class?",
    },
    ArtifactForm {
        loader: "lua",
        kind: "a Lua script",
        endings: &[".lua"],
        registration: "does its script declare one, with `polyplug.plugin(\"demo.calculator@1\", { .. })`?",
    },
    ArtifactForm {
        loader: "js",
        kind: "a JavaScript module",
        endings: &[".js", ".mjs"],
        registration: "does its module declare one, with `plugin(\"demo.calculator@1\", ..)` from the module `polyplug`?",
    },
    ArtifactForm {
        loader: "dotnet",
        kind: "a .NET assembly",
        endings: &[".dll"],
        registration: "does its assembly declare one, with `[Plugin(\"demo.calculator@1\")]` above a class?",
    },
];

/// The form of artifacts of which nothing is known.
const UNKNOWN: ArtifactForm = ArtifactForm {
    loader: "",
    kind: "an artifact",
    endings: &[],
    registration: "does its code declare one, in Rust with `#[polyplug::plugin]`?",
};

/// The endings of the names of libraries, and of what a build makes in place of one by mistake. On other systems than Windows a
/// file that ends with `.dll` is an assembly of .NET, most likely.
const LIBRARIES: &[&str] = &[
    ".so",
    ".dylib",
    ".rlib",
    #[cfg(windows)]
    ".dll",
];

/// Returns the name of the loader of artifacts that are called like `file`.
pub(super) fn loader_of(file: &str) -> Option<&'static str> {
    let lower = file.to_lowercase();
    let is = |ending: &&str| lower.ends_with(*ending);
    let form = FORMS.iter().find(|form| match form.endings {
        [] => LIBRARIES.iter().any(is),
        endings => endings.iter().any(is),
    });
    form.map(|form| form.loader)
}

impl ArtifactForm {
    /// Returns the form of the artifacts of a loader.
    pub(crate) fn of(loader: &str) -> &'static Self {
        FORMS.iter().find(|form| form.loader == loader).unwrap_or(&UNKNOWN)
    }

    /// Returns the names under which an artifact may be found, first the name as written.
    pub(crate) fn candidates(&self, file: &str) -> Vec<String> {
        use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
        let path = file.trim_end_matches(is_separator);
        // As text, so that the separators stay those that were written.
        let (folder, name) = path.split_at(path.rfind(is_separator).map_or(0, |separator| separator + 1));
        let beside = |name: String| format!("{folder}{name}");
        let mut all = vec![file.to_owned()];
        let more: Vec<String> = if self.endings.is_empty() {
            vec![format!("{name}{DLL_SUFFIX}"), format!("{DLL_PREFIX}{name}{DLL_SUFFIX}")]
        } else {
            self.endings.iter().map(|ending| format!("{name}{ending}")).collect()
        };
        for candidate in more.into_iter().map(beside) {
            if !self.ends(name) && !all.contains(&candidate) {
                all.push(candidate);
            }
        }
        all
    }

    /// Returns what to do about an artifact that is missing from the bundle's directory. A pack has none.
    pub(crate) fn remedy(&self, directory: Option<&Path>, file: &str) -> String {
        let correct = "correct `file` in manifest.toml";
        let Some(directory) = directory else {
            return format!("put {} into the bundle's folder, or {correct} there, and pack it anew", self.kind);
        };
        if let Some(near) = self.near_file(directory, &self.candidates(file)) {
            return format!("{correct}{near}");
        }
        if !self.endings.is_empty() {
            return format!("put {} there, or {correct}", self.kind);
        }
        match built_elsewhere(directory, file) {
            Some(Built::Library(path)) => {
                format!("copy {}, which was built, to the bundle's folder, or {correct}", path.display())
            }
            Some(Built::Rlib(path)) => format!(
                "there is {}, so the crate is built for use by Rust crates only: write in its Cargo.toml\n[lib]\n\
                 crate-type = [\"cdylib\"]\nand build it anew",
                path.display()
            ),
            None => format!("build the artifact, or {correct}"),
        }
    }

    /// Returns why a file is not an artifact of this loader but of another one, and what to do.
    pub(crate) fn mismatch(&self, path: &Path) -> Option<String> {
        if self.loader.is_empty() {
            return None;
        }
        let name = path.file_name()?.to_string_lossy().into_owned();
        let is = |ending: &&str| name.ends_with(ending);
        if self.endings.iter().any(is) {
            return None;
        }
        let other = FORMS.iter().find(|form| form.loader != "dotnet" && form.endings.iter().any(is));
        let other = match other {
            Some(other) => other,
            None if !self.endings.is_empty() && is_library(path) => Self::of("native"),
            None => return None,
        };
        Some(format!(
            "it is {}, and the loader `{}` loads {}: write `loader = \"{}\"` in manifest.toml, or correct `file`",
            other.kind, self.loader, self.kind, other.loader
        ))
    }

    /// Returns the end of a sentence that names the artifact in the directory that is nearest to a missing one.
    fn near_file(&self, directory: &Path, missing: &[String]) -> Option<String> {
        let folder = directory.join(Path::new(missing.first()?).parent()?);
        let entries = folder.read_dir().ok()?.filter_map(Result::ok).filter(|entry| entry.path().is_file());
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let names: Vec<String> = names.filter(|name| self.ends(name)).collect();
        let known: Vec<_> = names.iter().map(String::as_str).collect();
        let missing = missing.iter().filter_map(|file| Path::new(file).file_name()?.to_str());
        missing.map(|file| did_you_mean(file, &known)).find(|text| !text.is_empty())
    }

    /// Returns whether the name is one of an artifact of this form.
    fn ends(&self, name: &str) -> bool {
        match self.endings {
            [] => name.ends_with(std::env::consts::DLL_SUFFIX),
            endings => endings.iter().any(|ending| name.ends_with(ending)),
        }
    }
}

/// Returns whether a file begins like an executable or a library of any system.
fn is_library(path: &Path) -> bool {
    const MAGIC: [&[u8]; 5] = [b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa\xcf", b"\xca\xfe\xba\xbe"];
    let mut start = [0; 64];
    let is_read = File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok();
    is_read && start.contains(&0) && MAGIC.iter().any(|magic| start.starts_with(magic))
}

/// A file that Cargo has built and that is not in the bundle.
enum Built {
    /// The shared library itself.
    Library(PathBuf),
    /// The library for Rust crates.
    Rlib(PathBuf),
}

/// Finds what Cargo has built of a native artifact: in the target folder of the bundle's folder or of one of the folders
/// around, or an `.rlib` in the bundle's folder.
fn built_elsewhere(directory: &Path, file: &str) -> Option<Built> {
    use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
    let stem = Path::new(file).file_name()?.to_str()?;
    let stem = stem.strip_suffix(DLL_SUFFIX).unwrap_or(stem);
    let stem = stem.strip_prefix(DLL_PREFIX).unwrap_or(stem).replace('-', "_");
    let targets = directory.ancestors().take(4).map(|folder| folder.join("target"));
    let built = targets.flat_map(|target| [target.join("release"), target.join("debug")]);
    let built: Vec<_> = built.collect();
    let find = |name: &str| built.iter().map(|folder| folder.join(name)).find(|path| path.is_file());
    if let Some(library) = find(&format!("{DLL_PREFIX}{stem}{DLL_SUFFIX}")) {
        return Some(Built::Library(library));
    }
    let rlib = format!("lib{stem}.rlib");
    Some(directory.join(&rlib)).filter(|path| path.is_file()).or_else(|| find(&rlib)).map(Built::Rlib)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_as_in_the_language() {
        assert_eq!(ArtifactForm::of("python").candidates("main"), ["main", "main.py"]);
        assert_eq!(ArtifactForm::of("lua").candidates("src/main"), ["src/main", "src/main.lua"]);
        assert_eq!(ArtifactForm::of("lua").candidates("src/main/"), ["src/main/", "src/main.lua"]);
        assert_eq!(ArtifactForm::of("lua").candidates("main.lua"), ["main.lua"]);
        assert_eq!(ArtifactForm::of("js").candidates("main"), ["main", "main.js", "main.mjs"]);
        assert_eq!(ArtifactForm::of("dotnet").candidates("Calc"), ["Calc", "Calc.dll"]);
        // Windows has no prefix, so two of the names are the same there.
        let names = if std::env::consts::DLL_PREFIX.is_empty() { 2 } else { 3 };
        assert_eq!(ArtifactForm::of("native").candidates("calc").len(), names);
        assert_eq!(ArtifactForm::of("of its own").candidates("calc").len(), names);
    }
}
