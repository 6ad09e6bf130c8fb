//! The code of a bundle, and the folders in which its modules are found.

use std::path::{Path, PathBuf};

use polyplug::engine::{Fault, Guest, Limits};
use polyplug::loader::{Files, ManifestData};

use super::options::Options;

/// The code of a bundle, with paths as Python takes them.
pub(super) struct Source {
    /// The text of the main file.
    pub(super) text: Vec<u8>,
    /// The name of the main file.
    pub(super) file: String,
    /// The folders with the bundle's modules.
    pub(super) folders: Vec<String>,
    /// The place of the bundle's files; `None` for a bundle from memory.
    pub(super) place: Option<Place>,
    /// The folder of the virtual environment.
    pub(super) venv: Option<String>,
}

/// The place of a bundle's files.
pub(super) struct Place {
    /// The bundle's own directory, which is in all paths that its author sees. For a bundle in a pack, which has none, the
    /// pack's file, or the directory that the pack was unpacked into.
    pub(super) path: String,
    /// What files are read from.
    pub(super) files: Stored,
}

/// What the files of a bundle are read from.
pub(super) enum Stored {
    /// A directory, which may be a private copy.
    Folder(String),
    /// A pack in memory.
    Pack(Files),
}

impl Source {
    /// Reads the code of a bundle: from its directory, or `code` for a bundle from memory. `default_venv` is the
    /// virtual environment of bundles that name none.
    pub(super) fn read(
        manifest: &ManifestData,
        guest: &Guest,
        limits: &Limits,
        code: Option<&str>,
        default_venv: Option<&Path>,
    ) -> Result<Self, Fault> {
        let options = Options::read(&manifest.options).map_err(Fault::new)?;
        let own = options.venv.map(|folder| manifest.origin.join(folder));
        let venv = own.as_deref().or(default_venv).map(path_text).transpose()?;
        if let Some(code) = code {
            let (text, file) = (code.as_bytes().to_vec(), manifest.file.clone());
            return Ok(Self { text, file, folders: Vec::new(), place: None, venv });
        }
        let directory = guest.directory().unwrap_or(&manifest.path);
        let file = directory.join(&manifest.file);
        let main = file.parent().unwrap_or(directory).to_owned();
        let path = options.path.iter().map(|folder| directory.join(folder));
        for folder in &options.path {
            check_inside(guest, folder)?;
        }
        let folders = std::iter::once(main).chain(path).map(|folder| path_text(&folder)).collect::<Result<_, _>>()?;
        let files = manifest.files();
        let stored = match files.folder().map(path_text).transpose()? {
            Some(folder) => Stored::Folder(folder),
            None => Stored::Pack(files),
        };
        let place = Some(Place { path: path_text(directory)?, files: stored });
        let text = guest.read_program(&manifest.file, limits, 0)?;
        Ok(Self { text, file: manifest.file.clone(), folders, place, venv })
    }
}

/// Refuses a folder of the bundle that is a link out of it.
fn check_inside(guest: &Guest, folder: &Path) -> Result<(), Fault> {
    match guest.files().map(|files| files.check_inside(folder)) {
        Some(Err(error)) if !error.is_missing() => {
            let error = guest.with_own_paths(error.to_string());
            Err(Fault::new(format_args!("`path` of the table [python]: {error}")))
        }
        _ => Ok(()),
    }
}

/// Returns a path as Python takes it: absolute, without a separator at the end, and in UTF-8.
fn path_text(path: &Path) -> Result<String, Fault> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let absolute: PathBuf = absolute.components().collect();
    absolute
        .to_str()
        .map(str::to_owned)
        .ok_or_else(|| Fault::new(format_args!("the folder {} has no name in UTF-8: rename it", path.display())))
}
