//! What is at a path in place of a bundle.

use std::fmt;
use std::path::PathBuf;

/// What is at a path where a bundle, or a folder of bundles, was expected. The [`Display`](fmt::Display) of a value ends
/// with what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FoundInstead {
    /// Nothing.
    Nothing {
        /// The longest part of the path that exists.
        existing: PathBuf,
        /// The name that `existing` does not have.
        missing: String,
        /// The name in `existing` that is nearest to `missing`, if one is near.
        similar: Option<String>,
    },
    /// A link that leads nowhere.
    DanglingLink {
        /// The link.
        link: PathBuf,
        /// The path in the link.
        target: PathBuf,
    },
    /// A folder or file that the program may not look at.
    Unreadable {
        /// The error of the operating system, as text.
        reason: String,
    },
    /// A bundle, where a folder of bundles was expected.
    Bundle,
    /// A folder without a manifest that has bundles in it.
    Bundles {
        /// The names of their folders.
        folders: Vec<String>,
    },
    /// A folder with a manifest whose file has another name.
    MisspeltManifest {
        /// The file's name.
        file: String,
    },
    /// A folder with an artifact and without a manifest.
    NoManifest {
        /// The folder's name.
        name: String,
        /// The artifact's name.
        file: String,
        /// The loader of such artifacts.
        loader: &'static str,
    },
    /// The sources of a Rust crate, without a manifest.
    Crate,
    /// An empty folder.
    EmptyFolder,
    /// A folder that has nothing by which a bundle is known.
    Folder,
    /// The artifact of a bundle, without a folder of its own.
    LoneArtifact {
        /// The file's name.
        file: String,
        /// The loader of such artifacts.
        loader: &'static str,
    },
    /// An archive.
    Archive,
    /// Another file.
    File,
}

impl FoundInstead {
    /// Returns whether nothing says that a bundle was meant to be at the path.
    pub(crate) fn is_unrelated(&self) -> bool {
        matches!(self, Self::Folder | Self::File)
    }
}

/// The greatest number of names that are listed.
const NAMES: usize = 5;

const WHAT: &str = "a bundle is a folder with a manifest.toml";

impl fmt::Display for FoundInstead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing { existing, missing, similar } => {
                write!(f, "{} has no `{missing}`", existing.display())?;
                match similar {
                    Some(similar) => write!(f, " (did you mean `{similar}`?)"),
                    None => write!(f, ": correct the path, or make the folder ({WHAT})"),
                }
            }
            Self::DanglingLink { link, target } => {
                write!(
                    f,
                    "{} is a link to {}, where nothing is: remove or correct the link",
                    link.display(),
                    target.display()
                )
            }
            Self::Unreadable { reason } => {
                write!(f, "it cannot be read: {reason}: give the program's user the permission to read it")
            }
            Self::Bundle => f.write_str(
                "it is a bundle itself: load it with `Runtime::load_bundle`, or give the folder that it lies in",
            ),
            Self::Bundles { folders } => {
                f.write_str("the folder has no manifest.toml of its own, but bundles in it, ")?;
                let names: Vec<_> = folders.iter().take(NAMES).map(|name| format!("`{name}`")).collect();
                f.write_str(&names.join(", "))?;
                if folders.len() > NAMES {
                    write!(f, " and {} more", folders.len() - NAMES)?;
                }
                f.write_str(": load them with `Runtime::load_dir` of this folder")
            }
            Self::MisspeltManifest { file } => {
                write!(f, "the folder has `{file}`: if that is the bundle's manifest, rename it to `manifest.toml`")
            }
            Self::NoManifest { name, file, loader } => {
                write!(f, "the folder has `{file}`, but no manifest: write a manifest.toml beside it, with the lines ")?;
                write_lines(f, name, file, loader)
            }
            Self::Crate => f.write_str(
                "the folder has the sources of a Rust crate, but no manifest: build the crate, and write a manifest.toml \
                 whose `file` names the library, such as `target/debug/calc`",
            ),
            Self::EmptyFolder => {
                write!(f, "the folder is empty: {WHAT} and the artifact that it names")
            }
            Self::Folder => write!(f, "the folder has nothing of a bundle: {WHAT} and the artifact that it names"),
            Self::LoneArtifact { file, loader } => {
                f.write_str(
                    "a file alone is no bundle: put it into a folder of its own, with a manifest.toml that has the lines ",
                )?;
                let name = file.split('.').next().unwrap_or(file);
                write_lines(f, name.strip_prefix("lib").filter(|_| *loader == "native").unwrap_or(name), file, loader)
            }
            Self::Archive => f.write_str("it is an archive: unpack it into a folder of its own"),
            Self::File => write!(f, "it is a file: {WHAT}"),
        }
    }
}

/// Writes the lines of the manifest of a bundle.
fn write_lines(f: &mut fmt::Formatter<'_>, name: &str, file: &str, loader: &str) -> fmt::Result {
    write!(f, "`name = \"{name}\"`, `version = \"1.0.0\"`, `loader = \"{loader}\"` and `file = \"{file}\"`")
}
