//! The one way in which files are opened: only regular files, and at most so many bytes as a file of its kind may have.
//!
//! A bundle is a directory that somebody else has filled. Opening a pipe waits for a writer, reading a device may never
//! end, and a sparse file of many gigabytes takes no space on the disk. So the kind and the length of a file are looked
//! at before it is opened, and once more on what was opened, as the file may have been exchanged in between.

use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::host::error::file::FileError;

/// The most bytes that the file of a program may have, of a main file as well as of a module.
pub const PROGRAM_LIMIT: u64 = 64 << 20;

/// The number of times that a file is read while it changes.
const TRIES: usize = 5;

/// The pause after which a file that has changed is read again.
const PAUSE: Duration = Duration::from_millis(20);

/// Opens a regular file, following links. Does not wait, whatever is at the path.
///
/// # Errors
///
/// [`FileError::NotAFile`] or [`FileError::Unreadable`].
#[inline]
pub fn open_file(path: impl AsRef<Path>) -> Result<File, FileError> {
    open_file_at(path.as_ref())
}

fn open_file_at(path: &Path) -> Result<File, FileError> {
    let unreadable = |source| FileError::Unreadable { path: path.to_owned(), source };
    check_kind(path, &fs::metadata(path).map_err(unreadable)?)?;
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    }
    let file = options.open(path).map_err(unreadable)?;
    check_kind(path, &file.metadata().map_err(unreadable)?)?;
    Ok(file)
}

/// Reads a whole regular file, following links. `what` says what the file is read as, with its article, such as "a
/// manifest". A file that changes meanwhile is read again.
///
/// # Errors
///
/// Any [`FileError`] but [`FileError::Outside`].
#[inline]
pub fn read_file(path: impl AsRef<Path>, what: &'static str, limit: u64) -> Result<Vec<u8>, FileError> {
    read_file_at(path.as_ref(), what, limit)
}

fn read_file_at(path: &Path, what: &'static str, limit: u64) -> Result<Vec<u8>, FileError> {
    for tries in (0..TRIES).rev() {
        let file = open_file(path)?;
        if let Some(bytes) = read_unchanged(path, &file, what, limit)? {
            return Ok(bytes);
        }
        if tries > 0 {
            std::thread::sleep(PAUSE);
        }
    }
    Err(FileError::Changed { path: path.to_owned() })
}

/// Reads a whole file of the bundle in `directory`, as [`read_file`] does. `file` is relative to the directory.
///
/// # Errors
///
/// Any [`FileError`]. An error names the file as a path in `directory`.
#[inline]
pub fn read_bundle_file(
    directory: impl AsRef<Path>,
    file: impl AsRef<Path>,
    what: &'static str,
    limit: u64,
) -> Result<Vec<u8>, FileError> {
    read_bundle_file_at(directory.as_ref(), file.as_ref(), what, limit)
}

fn read_bundle_file_at(directory: &Path, file: &Path, what: &'static str, limit: u64) -> Result<Vec<u8>, FileError> {
    let path = directory.join(file);
    let unreadable = |source| FileError::Unreadable { path: path.clone(), source };
    check_kind(&path, &fs::metadata(&path).map_err(unreadable)?)?;
    let real = real_path(directory, &path)?;
    read_file(&real, what, limit).map_err(|error| renamed(error, path))
}

/// Returns the path of a file or folder of the bundle in `directory` with all links followed.
///
/// # Errors
///
/// [`FileError::Outside`] or [`FileError::Unreadable`].
#[inline]
pub fn real_path(directory: impl AsRef<Path>, path: impl AsRef<Path>) -> Result<PathBuf, FileError> {
    real_path_at(directory.as_ref(), path.as_ref())
}

fn real_path_at(directory: &Path, path: &Path) -> Result<PathBuf, FileError> {
    let unreadable = |source| FileError::Unreadable { path: path.to_owned(), source };
    let real = path.canonicalize().map_err(unreadable)?;
    if real.starts_with(directory.canonicalize().map_err(unreadable)?) {
        return Ok(real);
    }
    Err(FileError::Outside { path: path.to_owned(), real })
}

/// Reads an open file. Returns `None` if it changed meanwhile.
fn read_unchanged(path: &Path, file: &File, what: &'static str, limit: u64) -> Result<Option<Vec<u8>>, FileError> {
    let unreadable = |source| FileError::Unreadable { path: path.to_owned(), source };
    let too_large = |size| FileError::TooLarge { path: path.to_owned(), what, size, limit };
    let before = file.metadata().map_err(unreadable)?;
    if before.len() > limit {
        return Err(too_large(before.len()));
    }
    let mut bytes = Vec::with_capacity(before.len() as usize + 1);
    // The read is limited as well, as the file may grow.
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > limit {
        return Err(too_large(bytes.len() as u64));
    }
    let after = file.metadata().map_err(unreadable)?;
    Ok((Stamp::of(&before) == Stamp::of(&after)).then_some(bytes))
}

/// The metadata of a file in which a change of the file shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) len: u64,
    pub(crate) modified: Option<SystemTime>,
    /// The device and the number of the file, and its permissions: a file that could not be read may be readable now.
    identity: Option<(u64, u64, u32)>,
}

impl Stamp {
    pub(crate) fn of(found: &Metadata) -> Self {
        Self { len: found.len(), modified: found.modified().ok(), identity: identity(found) }
    }
}

#[cfg(unix)]
fn identity(found: &Metadata) -> Option<(u64, u64, u32)> {
    use std::os::unix::fs::MetadataExt;
    Some((found.dev(), found.ino(), found.mode()))
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Option<(u64, u64, u32)> {
    None
}

fn check_kind(path: &Path, found: &Metadata) -> Result<(), FileError> {
    if found.is_file() {
        return Ok(());
    }
    Err(FileError::NotAFile { path: path.to_owned(), kind: kind_of(found.file_type()) })
}

/// Returns the name of what is no regular file, with its article.
pub(crate) fn kind_of(found: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if found.is_fifo() {
            return "a pipe";
        }
        if found.is_socket() {
            return "a socket";
        }
        if found.is_char_device() || found.is_block_device() {
            return "a device";
        }
    }
    if found.is_dir() { "a folder" } else { "something else" }
}

/// Returns the error with another path for the same file.
fn renamed(mut error: FileError, to: PathBuf) -> FileError {
    match &mut error {
        FileError::Unreadable { path, .. }
        | FileError::NotAFile { path, .. }
        | FileError::TooLarge { path, .. }
        | FileError::Outside { path, .. }
        | FileError::Changed { path } => *path = to,
    }
    error
}

/// Makes a path absolute, so that it means the same file after the program has changed its working directory. An empty
/// path is the working directory itself. The result does not end with a separator, so that paths below it begin with it as
/// text.
pub(crate) fn absolute(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(if path.as_os_str().is_empty() { Path::new(".") } else { path })?;
    Ok(path.components().collect())
}

#[cfg(all(test, not(miri)))] // Miri shows no files
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        (folder, root)
    }

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let (_folder, root) = folder();
        let path = root.join("file");
        fs::write(&path, "four").unwrap();
        assert_eq!(read_file(&path, "a text", 4).unwrap(), b"four");
        let error = read_file(&path, "a text", 3).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{}: 4 bytes are too many for a text (at most 3): is this the right file?", path.display())
        );
        File::create(&path).unwrap().set_len(1 << 40).unwrap(); // sparse
        assert!(matches!(read_file(&path, "a text", PROGRAM_LIMIT), Err(FileError::TooLarge { .. })));
        assert!(read_file(root.join("absent"), "a text", 3).unwrap_err().is_missing());
        assert!(read_file(path.join("below"), "a text", 3).unwrap_err().is_missing());
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_not_opened() {
        use std::os::unix::fs::symlink;
        use std::os::unix::net::UnixListener;

        let (_folder, root) = folder();
        let at = |name: &str| root.join(name);
        assert!(std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
        let _socket = UnixListener::bind(at("socket")).unwrap();
        fs::create_dir(at("folder")).unwrap();
        symlink("/dev/zero", at("zero")).unwrap();
        symlink("pipe", at("link")).unwrap();
        for (name, kind) in [
            ("pipe", "a pipe"),
            ("link", "a pipe"),
            ("socket", "a socket"),
            ("zero", "a device"),
            ("folder", "a folder"),
        ] {
            for error in [read_file(at(name), "a text", 9).unwrap_err(), open_file(at(name)).unwrap_err()] {
                let expected = format!("it is no file, but {kind}: put a file in its place, or remove it");
                assert_eq!(error.to_string(), format!("{}: {expected}", at(name).display()));
                assert_eq!(error.into_io().to_string(), expected);
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_stay_in_the_bundle() {
        use std::os::unix::fs::symlink;

        let (_outside, outside) = folder();
        let (_folder, root) = folder();
        fs::write(outside.join("file"), "outside").unwrap();
        fs::write(root.join("file"), "inside").unwrap();
        for (leads_to, link) in [
            (Path::new("file"), "one"),
            (&outside.join("file"), "out"),
            (&outside, "folder"),
            (&root, "round"),
            (Path::new("nowhere"), "dangling"),
        ] {
            symlink(leads_to, root.join(link)).unwrap();
        }
        let read = |file: &str| read_bundle_file(&root, file, "a text", 9);
        for file in ["file", "one", "round/one"] {
            assert_eq!(read(file).unwrap(), b"inside", "{file}");
        }
        for file in ["out", "folder/file"] {
            let error = read(file).unwrap_err();
            assert!(matches!(error, FileError::Outside { .. }), "{error}");
            let text = format!("{}: leads to {}, outside", root.join(file).display(), outside.join("file").display());
            assert!(error.to_string().starts_with(&text), "{error}");
        }
        assert!(read("dangling").unwrap_err().is_missing());
        assert_eq!(read("folder").unwrap_err().path(), root.join("folder"));
    }

    #[test]
    fn a_change_of_a_file_that_is_read_is_noticed() {
        use std::io::Write as _;
        use std::sync::atomic::{AtomicBool, Ordering};
        use std::time::Instant;

        let (_folder, root) = folder();
        let path = root.join("file");
        fs::write(&path, vec![b'-'; 1 << 20]).unwrap();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut file = OpenOptions::new().append(true).open(&path).unwrap();
                while !done.load(Ordering::Relaxed) {
                    file.write_all(b"x").unwrap();
                }
            });
            let deadline = Instant::now() + Duration::from_secs(60);
            let is_noticed = || {
                let file = open_file(&path).unwrap();
                read_unchanged(&path, &file, "a text", 1 << 40).unwrap().is_none()
            };
            // The other thread may be held up for as long as some reads take.
            while !is_noticed() {
                assert!(Instant::now() < deadline, "no change was noticed");
            }
            done.store(true, Ordering::Relaxed);
        });
        assert!(read_file(&path, "a text", 1 << 40).is_ok());
    }
}
