//! The table `[python]` of a bundle's manifest.

use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

/// The table `[python]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    /// The folder of a virtual environment.
    pub(crate) venv: Option<PathBuf>,
    /// The folders with modules, in addition to the folder of the main file.
    #[serde(default)]
    pub(crate) path: Vec<PathBuf>,
    /// Whether a pack is unpacked, for code that opens files of the bundle by their paths.
    #[serde(default)]
    pub(crate) unpack: bool,
}

impl Options {
    /// Reads the table.
    ///
    /// # Errors
    ///
    /// The table has unknown keys, values of other types, or folders outside of the bundle.
    pub(crate) fn read(table: &toml::Table) -> Result<Self, String> {
        let this: Self = table.clone().try_into().map_err(|error: toml::de::Error| error.message().to_owned())?;
        let venv = this.venv.iter().map(|folder| ("venv", folder, VENV_REMEDY));
        let path = this.path.iter().map(|folder| ("path", folder, "put what lies there into the bundle"));
        for (key, folder, remedy) in venv.chain(path) {
            if !is_inside(folder) {
                return Err(format!("`{key}`: {} is no folder of the bundle: {remedy}", folder.display()));
            }
        }
        Ok(this)
    }
}

/// The remedy for a `venv` outside of the bundle.
const VENV_REMEDY: &str = "an environment that lies elsewhere is the host's to name, with PythonLoader::with_venv";

/// Returns whether a relative path names a folder below the one that it is relative to.
fn is_inside(folder: &Path) -> bool {
    let parts = || folder.components();
    parts().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
        && parts().any(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Options, String> {
        Options::read(&text.parse().unwrap())
    }

    #[test]
    fn folders_of_the_bundle_are_taken() {
        let options = read("venv = \".venv\"\npath = [\"lib\", \"more/modules\"]").unwrap();
        assert_eq!(options.venv.as_deref(), Some(Path::new(".venv")));
        assert_eq!(options.path, [Path::new("lib"), Path::new("more/modules")]);
        assert!(read("").unwrap().venv.is_none());
    }

    #[test]
    fn a_pack_is_unpacked_if_it_is_asked_for() {
        assert!(read("unpack = true").unwrap().unpack);
        assert!(!read("unpack = false").unwrap().unpack && !read("").unwrap().unpack);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, expected) in [
            ("vnev = \"x\"", "unknown field `vnev`"),
            ("venv = 5", "invalid type: integer `5`"),
            ("unpack = \"yes\"", "invalid type: string \"yes\", expected a boolean"),
            ("unpacked = true", "unknown field `unpacked`"),
            ("path = \"lib\"", "invalid type: string \"lib\""),
            ("venv = \"../.venv\"", "`venv`: ../.venv is no folder of the bundle: an environment that lies elsewhere"),
            ("venv = \"/usr\"", "`venv`: /usr is no folder"),
            ("venv = \".\"", "`venv`: . is no folder"),
            ("path = [\"lib\", \"a/../../b\"]", "`path`: a/../../b is no folder of the bundle: put"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
