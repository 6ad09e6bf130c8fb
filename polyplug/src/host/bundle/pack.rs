//! Packs: bundles in one file.
//!
//! A pack is a ZIP archive of a bundle's files, with the manifest at its root. Everybody may have made it, so each entry is
//! checked before the first file is read: see [`Pack::open`].

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::archive::{Entry, MAKE_ANEW, index};
use super::file::{Stamp, read_file};
use super::limits::BundleLimits;
use crate::host::error::file::FileError;
use crate::host::error::pack::PackError;

/// The most bytes that the file of a pack may have, as it is read into memory.
pub(super) const FILE_LIMIT: u64 = 1 << 30;

/// The number of times that a file is read while it changes.
const TRIES: usize = 5;

/// A bundle in one file, whose entries have been checked.
pub(crate) struct Pack {
    path: PathBuf,
    /// The files by their names.
    entries: BTreeMap<String, Entry>,
    /// The metadata of the file that was checked.
    stamp: Stamp,
    /// The file's bytes, if they are kept. Otherwise each access reads the file.
    bytes: Option<Vec<u8>>,
}

impl Pack {
    /// Opens the pack at an absolute path and checks all of its entries. Keeps its bytes, so that later changes of the file
    /// have no effect.
    ///
    /// # Errors
    ///
    /// The file cannot be read, it is no whole archive, or an entry of it cannot be a file of a bundle.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let (bytes, stamp) = read(path)?;
        let entries = index(&bytes)?;
        Ok(Self { path: path.to_owned(), entries, stamp, bytes: Some(bytes) })
    }

    /// Gives up the bytes. From now on each access reads the file, which must not have changed.
    pub(crate) fn release(&mut self) {
        self.bytes = None;
    }

    /// Returns the path of the pack's file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the files, with the number of bytes of each, in the order of their names.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, u64)> {
        self.entries.iter().map(|(name, entry)| (name.as_str(), entry.size))
    }

    /// Returns whether there is a file at a path that is relative to the bundle.
    pub(crate) fn is_file(&self, path: &Path) -> bool {
        self.name_of(path).is_some_and(|name| self.entries.contains_key(&name))
    }

    /// Returns whether a file lies in a folder whose path is relative to the bundle.
    pub(crate) fn is_folder(&self, path: &Path) -> bool {
        self.name_of(path).is_some_and(|name| self.has_folder(&name))
    }

    fn has_folder(&self, name: &str) -> bool {
        let start = format!("{name}/");
        name.is_empty() || self.entries.range(start.clone()..).next().is_some_and(|(next, _)| next.starts_with(&start))
    }

    /// Refuses a pack whose files exceed `limits`.
    pub(crate) fn check_limits(&self, limits: BundleLimits) -> Result<(), PackError> {
        let bytes = self.entries.values().fold(0_u64, |sum, entry| sum.saturating_add(entry.size));
        let raise = "take out what the bundle does not need, or raise `Runtime::builder().bundle_limits(..)`";
        if self.entries.len() > limits.entries {
            let (files, most) = (self.entries.len(), limits.entries);
            return Err(PackError::TooLarge { reason: format!("it has {files} files (at most {most}): {raise}") });
        }
        if bytes > limits.bytes {
            let largest = self.files().max_by_key(|(_, size)| *size).unwrap_or_default();
            let reason = format!(
                "its files have {bytes} bytes, {} of them in {} (at most {}): {raise}",
                largest.1, largest.0, limits.bytes
            );
            return Err(PackError::TooLarge { reason });
        }
        Ok(())
    }

    /// Reads a file whose path is relative to the bundle. `what` says what the file is read as, with its article. No more
    /// than `limit` bytes are unpacked.
    ///
    /// # Errors
    ///
    /// Any [`FileError`]. An error names the file as a path below the pack's file.
    pub(crate) fn read(&self, file: &Path, what: &'static str, limit: u64) -> Result<Vec<u8>, FileError> {
        let path = self.path.join(file);
        let failed = |source| FileError::Unreadable { path: path.clone(), source };
        let Some(name) = self.name_of(file) else { return Err(failed(io::ErrorKind::NotFound.into())) };
        let Some(entry) = self.entries.get(&name) else {
            if self.has_folder(&name) {
                return Err(FileError::NotAFile { path, kind: "a folder" });
            }
            return Err(failed(io::Error::new(io::ErrorKind::NotFound, "the pack has no such file")));
        };
        if entry.size > limit {
            return Err(FileError::TooLarge { path, what, size: entry.size, limit });
        }
        self.with_bytes(|bytes| entry.unpack(bytes)).map_err(|error| match error {
            ReadError::File(error) => error,
            ReadError::Damaged(reason) => {
                failed(io::Error::new(io::ErrorKind::InvalidData, format!("{reason}: {MAKE_ANEW}")))
            }
        })
    }

    /// Calls `use_bytes` with the bytes of the file that was checked.
    fn with_bytes<T>(&self, use_bytes: impl FnOnce(&[u8]) -> Result<T, String>) -> Result<T, ReadError> {
        if let Some(bytes) = &self.bytes {
            return use_bytes(bytes).map_err(ReadError::Damaged);
        }
        let (bytes, stamp) = read(&self.path)?;
        if stamp != self.stamp {
            return Err(FileError::Changed { path: self.path.clone() }.into());
        }
        use_bytes(&bytes).map_err(ReadError::Damaged)
    }

    /// Returns the name of the entry of a path, which is relative to the bundle or below the pack's file, or `None` if the
    /// path leads out of the bundle.
    pub(crate) fn name_of(&self, path: &Path) -> Option<String> {
        let mut parts = Vec::new();
        for part in path.strip_prefix(&self.path).unwrap_or(path).components() {
            match part {
                Component::Normal(part) => parts.push(part.to_str()?),
                Component::CurDir => {}
                Component::ParentDir => drop(parts.pop()?),
                Component::RootDir | Component::Prefix(_) => return None,
            }
        }
        Some(parts.join("/"))
    }
}

impl std::fmt::Debug for Pack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pack({}, {} files)", self.path.display(), self.entries.len())
    }
}

/// The reason why a pack cannot be opened.
#[derive(Debug)]
pub(crate) enum OpenError {
    /// The file cannot be read.
    File(FileError),
    /// What the file has is no pack.
    Pack(PackError),
}

impl From<FileError> for OpenError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

impl From<PackError> for OpenError {
    fn from(error: PackError) -> Self {
        Self::Pack(error)
    }
}

/// The reason why a file of a pack cannot be read.
enum ReadError {
    File(FileError),
    /// The data is not what the archive says.
    Damaged(String),
}

impl From<FileError> for ReadError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

/// Reads the file of a pack, with the metadata of what was read.
fn read(path: &Path) -> Result<(Vec<u8>, Stamp), FileError> {
    let stamp = || {
        let found = fs::metadata(path);
        found.map(|found| Stamp::of(&found)).map_err(|source| FileError::Unreadable { path: path.to_owned(), source })
    };
    for _ in 0..TRIES {
        let before = stamp()?;
        let bytes = read_file(path, "a pack", FILE_LIMIT)?;
        if stamp()? == before {
            return Ok((bytes, before));
        }
    }
    Err(FileError::Changed { path: path.to_owned() })
}

#[cfg(all(test, not(miri)))] // Miri shows no files
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;
    use rawzip::path::EntryPath;
    use rawzip::{CompressionMethod, DataDescriptorOutput, ZipArchiveWriter};

    use super::super::names::FILE_NAME;
    use super::*;

    const MANIFEST: (&str, &[u8]) = (FILE_NAME, b"name = 1");

    /// Makes an archive of files and, where a name ends with `/`, of folders.
    fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = ZipArchiveWriter::new(Vec::new());
        for (name, data) in entries {
            let packed = miniz_oxide::deflate::compress_to_vec(data, 9);
            let file = archive.new_file(EntryPath::verbatim(name.as_bytes()));
            let is_folder = name.ends_with('/');
            let method = if is_folder { CompressionMethod::STORE } else { CompressionMethod::DEFLATE };
            let (mut entry, _) = file.compression_method(method).start().unwrap();
            entry.write_all(if is_folder { data } else { &packed }).unwrap();
            entry.finish(DataDescriptorOutput::new(rawzip::crc32(data), data.len() as u64)).unwrap();
        }
        archive.finish().unwrap()
    }

    fn written(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.polyplug");
        fs::write(&path, bytes).unwrap();
        (folder, path)
    }

    fn opened(entries: &[(&str, &[u8])]) -> (tempfile::TempDir, Pack) {
        let (folder, path) = written(&archive(entries));
        let pack = Pack::open(&path).unwrap();
        (folder, pack)
    }

    #[test]
    fn files_are_found_by_their_paths_in_the_bundle() {
        let (folder, pack) = opened(&[MANIFEST, ("lib/", b""), ("lib/inner/a.lua", b"return 1"), ("empty", b"")]);
        let read = |file: &Path| pack.read(file, "a text", 8);
        for file in ["lib/inner/a.lua", "./lib/inner/a.lua", "lib/../lib/inner/a.lua"] {
            assert_eq!(read(file.as_ref()).unwrap(), b"return 1", "{file}");
            assert!(pack.is_file(file.as_ref()));
        }
        assert_eq!(read(&folder.path().join("a.polyplug/lib/inner/a.lua")).unwrap(), b"return 1");
        assert_eq!(read("empty".as_ref()).unwrap(), b"");
        for file in ["absent", "lib/absent", "../a.polyplug", "/etc/passwd", "lib/inner/a.lua/b", "LIB/inner/a.lua"] {
            assert!(read(file.as_ref()).unwrap_err().is_missing(), "{file}");
            assert!(!pack.is_file(file.as_ref()), "{file}");
        }
        for folder in ["lib", "lib/inner", "lib/", "."] {
            let error = read(folder.as_ref()).unwrap_err();
            assert!(matches!(error, FileError::NotAFile { kind: "a folder", .. }), "{error}");
            assert!(pack.is_folder(folder.as_ref()) && !pack.is_file(folder.as_ref()), "{folder}");
        }
        assert!(!pack.is_folder("li".as_ref()) && !pack.is_folder("empty".as_ref()));
        let error = pack.read("lib/inner/a.lua".as_ref(), "a text", 7).unwrap_err().to_string();
        let path = folder.path().join("a.polyplug").join("lib/inner/a.lua");
        assert_eq!(
            error,
            format!("{}: 8 bytes are too many for a text (at most 7): is this the right file?", path.display())
        );
        let listed: Vec<_> = pack.files().collect();
        assert_eq!(listed, [("empty", 0), ("lib/inner/a.lua", 8), (FILE_NAME, 8)]);
    }

    #[test]
    fn what_is_read_is_what_was_checked() {
        let (folder, path) = written(&archive(&[MANIFEST, ("a", b"one")]));
        let (kept, mut released) = (Pack::open(&path).unwrap(), Pack::open(&path).unwrap());
        released.release();
        assert_eq!(released.read("a".as_ref(), "a text", 9).unwrap(), b"one");
        fs::write(folder.path().join("other"), archive(&[MANIFEST, ("a", b"other")])).unwrap();
        fs::rename(folder.path().join("other"), &path).unwrap();
        assert_eq!(kept.read("a".as_ref(), "a text", 9).unwrap(), b"one");
        let error = released.read("a".as_ref(), "a text", 9).unwrap_err();
        assert!(matches!(error, FileError::Changed { .. }), "{error}");
    }

    #[test]
    fn the_limits_of_a_bundle_hold() {
        let (_folder, pack) = opened(&[MANIFEST, ("a", b"four"), ("b", b"large file")]);
        let check = |limits| pack.check_limits(limits).map_err(|error| error.to_string());
        assert_eq!(check(BundleLimits::default().entries(3).bytes(22)), Ok(()));
        let error = check(BundleLimits::default().entries(2)).unwrap_err();
        assert!(error.starts_with("it has 3 files (at most 2): ") && error.contains("bundle_limits"), "{error}");
        let error = check(BundleLimits::default().bytes(21)).unwrap_err();
        assert!(error.starts_with("its files have 22 bytes, 10 of them in b (at most 21): "), "{error}");
    }

    #[test]
    fn names_that_are_one_on_some_system_are_refused() {
        for (name, reason) in [
            ("a", "is there twice: keep one of the two"),
            ("A", "is the same as \"a\" where case does not count"),
            ("LIB/c", "is the same as \"lib\" where case does not count"),
            ("a/b", "needs \"a\" to be a folder and a file at once"),
            ("lib", "needs \"lib\" to be a folder and a file at once"),
            ("a/", "needs \"a\" to be a folder and a file at once"),
        ] {
            let (_folder, path) = written(&archive(&[MANIFEST, ("a", b""), ("lib/b", b""), (name, b"")]));
            let OpenError::Pack(PackError::Entry { entry, reason: found }) = Pack::open(&path).unwrap_err() else {
                panic!("{name}")
            };
            assert!(entry == name && found.starts_with(reason), "{entry}: {found}");
        }
        let (_folder, path) = written(&archive(&[MANIFEST, ("lib/", b""), ("lib/a", b""), ("lib/", b"")]));
        assert!(Pack::open(&path).is_ok(), "folders may be listed");
        let (_folder, path) = written(&archive(&[MANIFEST, ("lib/", b"data")]));
        assert!(Pack::open(&path).is_err(), "a folder has no data");
    }

    #[test]
    fn an_entry_has_the_name_that_its_data_has() {
        let bytes = archive(&[MANIFEST, ("aa", b"the same"), ("bb", b"the same")]);
        // The second central record gets the offset of the first one's data.
        let at = |name: &[u8]| bytes.windows(2).rposition(|two| two == name).unwrap();
        let (first, second) = (at(b"aa"), at(b"bb"));
        let mut forged = bytes.clone();
        forged.copy_within(first - 4..first, second - 4);
        // The local header then has the name of the first.
        let (_folder, path) = written(&forged);
        let OpenError::Pack(PackError::Entry { entry, reason }) = Pack::open(&path).unwrap_err() else { panic!() };
        assert!(entry == "bb" && reason.starts_with("has another name where its data is"), "{reason}");
    }

    #[test]
    fn entries_that_share_data_are_refused() {
        // A file that is not compressed has the header and the data of the other.
        let inner = archive(&[("bb", b"the same")]);
        let mut outer = ZipArchiveWriter::new(Vec::new());
        for (name, data) in [MANIFEST, ("aa", &*inner), ("bb", b"the same")] {
            let (mut entry, _) = outer.new_file(name).start().unwrap();
            entry.write_all(data).unwrap();
            entry.finish(DataDescriptorOutput::new(rawzip::crc32(data), data.len() as u64)).unwrap();
        }
        let mut bytes = outer.finish().unwrap();
        let inside = bytes.windows(inner.len()).position(|part| part == inner).unwrap();
        let record = bytes.windows(2).rposition(|two| two == b"bb").unwrap() - 46;
        bytes[record + 42..record + 46].copy_from_slice(&u32::try_from(inside).unwrap().to_le_bytes());
        let (_folder, path) = written(&bytes);
        let OpenError::Pack(PackError::Entry { entry, reason }) = Pack::open(&path).unwrap_err() else { panic!() };
        assert!(entry == "bb" && reason.starts_with("shares its data with \"aa\""), "{reason}");
    }

    #[test]
    fn a_wrong_checksum_is_noticed() {
        let mut bytes = archive(&[MANIFEST, ("aa", b"the same")]);
        let name = bytes.windows(2).rposition(|two| two == b"aa").unwrap();
        bytes[name - 46 + 16] ^= 1; // the checksum in the central record
        let (_folder, path) = written(&bytes);
        let pack = Pack::open(&path).unwrap();
        let error = pack.read("aa".as_ref(), "a text", 99).unwrap_err().to_string();
        assert!(error.contains("aa: cannot be read: its checksum is wrong: copy the pack anew"), "{error}");
    }

    proptest! {
        #[test]
        fn no_damage_is_a_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
            let mut bytes = archive(&[MANIFEST, ("a", &[b'a'; 300]), ("lib/b", b"b")]);
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let Ok(entries) = index(&bytes) else { return Ok(()) };
            for entry in entries.values() {
                if let Ok(file) = entry.unpack(&bytes) {
                    prop_assert_eq!(file.len() as u64, entry.size);
                }
            }
        }
    }
}
