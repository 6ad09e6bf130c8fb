//! The writing of packs.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rawzip::time::UtcDateTime;
use rawzip::{CompressionMethod, DataDescriptorOutput, ZipArchiveWriter};

use super::entry_name;
use super::file::{absolute, read_file};
use super::limits::BundleLimits;
use super::manifest::ManifestData;
use super::pack::FILE_LIMIT;
use super::shared_dirs::SharedDirs;
use super::tree::{Artifact, Tree};
use crate::host::error::manifest::ManifestError;
use crate::host::error::pack::PackError;
use crate::host::error::runtime::RuntimeError;

/// The level of compression. Another level, or another version of the compressor, makes other bytes.
const LEVEL: u8 = 9;

/// The permissions of each file: those of its original are not kept.
const PERMISSIONS: u32 = 0o644;

/// Packs the bundle in `directory` into the file `to`, which should be called `NAME.polyplug`. Replaces a file that exists.
/// The new file appears at once, when it is complete.
///
/// The pack has the files that a signature covers: all of the bundle's but those of editors and of version control, and
/// caches other than the artifact. Links are replaced by what they lead to. The same files make the same bytes: names are
/// sorted, and times and permissions are fixed. Sign the bundle before.
///
/// ```
/// use polyplug::loader::ManifestData;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let place = std::env::temp_dir().join(format!("polyplug-pack-{}", std::process::id()));
/// # let bundle = place.join("calc");
/// # std::fs::create_dir_all(&bundle)?;
/// let manifest = "name = \"calc\"\nversion = \"1.0.0\"\nloader = \"lua\"\nfile = \"main\"\n";
/// std::fs::write(bundle.join("manifest.toml"), manifest)?;
/// std::fs::write(bundle.join("main.lua"), "-- plugins")?;
///
/// let pack = place.join("calc.polyplug");
/// polyplug::pack::write(&bundle, &pack)?;
/// assert_eq!(ManifestData::read(&pack)?.name, "calc");
/// # std::fs::remove_dir_all(&place)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// The errors of reading the manifest and finding the artifact, and [`ManifestError::Pack`] if a file cannot be part of a
/// pack or the pack cannot be written.
#[inline]
pub fn write(directory: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<(), RuntimeError> {
    write_at(directory.as_ref(), to.as_ref())
}

fn write_at(directory: &Path, to: &Path) -> Result<(), RuntimeError> {
    let mut manifest = ManifestData::read(directory)?;
    let (root, bundle) = (manifest.path.clone(), manifest.path.clone());
    let unpackable = |reason: String| RuntimeError::from(at(&bundle, PackError::Unpackable { reason }));
    if manifest.files().folder().is_none() {
        return Err(unpackable("it is a pack already: give the folder of a bundle".to_owned()));
    }
    manifest.find_artifact()?;
    let root = root.canonicalize().map_err(|error| unpackable(format!("it cannot be read: {error}")))?;
    let files = files(&root, Path::new(&manifest.file)).map_err(unpackable)?;

    let unwritable = |source: io::Error| RuntimeError::from(at(to, PackError::Unwritable { source: source.into() }));
    let to = absolute(to).map_err(unwritable)?;
    let (folder, name) = (to.parent().unwrap_or(&to), to.file_name().unwrap_or_default());
    if folder.canonicalize().is_ok_and(|folder| folder.starts_with(&root)) {
        let reason = "the pack would be a file of the bundle itself: write it to another folder".to_owned();
        return Err(unpackable(reason));
    }
    let part = folder.join(format!(".{}.{}.tmp", name.to_string_lossy(), std::process::id()));
    let written = write_files(&files, &part)
        .and_then(|()| fs::rename(&part, &to).map_err(|source| PackError::Unwritable { source: source.into() }));
    written.map_err(|error| {
        let _ = fs::remove_file(&part);
        let path = if matches!(error, PackError::Unwritable { .. }) { &to } else { &bundle };
        at(path, error).into()
    })
}

/// Returns the files of the bundle in `root`, with their names, in the order of the names.
fn files(root: &Path, artifact: &Path) -> Result<Vec<(String, PathBuf)>, String> {
    let limits = BundleLimits::default().bytes(u64::MAX); // the archive is limited
    let tree = Tree::take(root, artifact, &SharedDirs::default(), limits);
    if let Some(fault) = tree.faults.first() {
        return Err(fault.text(root));
    }
    if let Artifact::Missing(path) = &tree.artifact {
        return Err(format!("its files changed meanwhile: {} is gone: try again", path.display()));
    }
    let mut files = Vec::new();
    let mut lower: HashMap<String, String> = HashMap::new();
    for (path, (real, _)) in tree.files(limits.entries).map_err(|fault| fault.text(root))? {
        let parts: Option<Vec<_>> = path.iter().map(OsStr::to_str).collect();
        let Some(parts) = parts else {
            return Err(format!("the name of {} is not UTF-8: give it another name", path.display()));
        };
        let name = parts.join("/");
        entry_name::check(&name).map_err(|reason| format!("the file {name:?} {reason}"))?;
        if let Some(other) = lower.insert(name.to_lowercase(), name.clone()) {
            return Err(format!(
                "the files {other:?} and {name:?} are the same where case does not count: rename one of the two"
            ));
        }
        files.push((name, real));
    }
    files.sort_unstable();
    Ok(files)
}

/// Writes the archive of files, which must not exist yet.
fn write_files(files: &[(String, PathBuf)], to: &Path) -> Result<(), PackError> {
    let unwritable = |source: io::Error| PackError::Unwritable { source: source.into() };
    match fs::remove_file(to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unwritable(error)),
        _ => {}
    }
    let file = File::create_new(to).map_err(unwritable)?;
    let mut archive = ZipArchiveWriter::new(io::BufWriter::new(file));
    for (name, path) in files {
        let bytes = read_file(path, "a file of a pack", FILE_LIMIT)
            .map_err(|error| PackError::Unpackable { reason: error.to_string() })?;
        add(&mut archive, name, &bytes).map_err(|error| unwritable(io::Error::other(error)))?;
    }
    let mut file = archive.finish().map_err(|error| unwritable(io::Error::other(error)))?;
    file.flush().map_err(unwritable)?;
    let size = file.get_ref().metadata().map_err(unwritable)?.len();
    if size > FILE_LIMIT {
        let reason = format!("the pack would have {size} bytes (at most {FILE_LIMIT}): keep the bundle in a folder");
        return Err(PackError::TooLarge { reason });
    }
    Ok(())
}

/// Adds a file to the archive: compressed, unless that makes it longer.
fn add(archive: &mut ZipArchiveWriter<impl Write>, name: &str, bytes: &[u8]) -> Result<(), rawzip::Error> {
    let packed = miniz_oxide::deflate::compress_to_vec(bytes, LEVEL);
    let (method, data) = match packed.len() < bytes.len() {
        true => (CompressionMethod::DEFLATE, &*packed),
        false => (CompressionMethod::STORE, bytes),
    };
    let file = archive.new_file(name).compression_method(method).unix_permissions(PERMISSIONS);
    let (mut entry, _) = file.last_modified(UtcDateTime::from_unix(EPOCH)).start()?;
    entry.write_all(data)?;
    entry.finish(DataDescriptorOutput::new(rawzip::crc32(bytes), bytes.len() as u64))?;
    Ok(())
}

/// The time of each file: the first of 1980, the earliest that an archive can have.
const EPOCH: i64 = 315_532_800;

fn at(path: &Path, source: PackError) -> ManifestError {
    ManifestError::Pack { path: path.to_owned(), source }
}
