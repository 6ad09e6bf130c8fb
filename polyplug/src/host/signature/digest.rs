//! The digest that is signed: it covers every file of a bundle, with its path, its length and its hash.
//!
//! The digest is the SHA-256 of, in this order:
//!
//! 1. the text `polyplug bundle signature`, and the format's version as four bytes,
//! 2. the bundle's name, preceded by its length,
//! 3. the number of files,
//! 4. of each file, sorted by the bytes of their paths: the path, preceded by its length; the file's length; the
//!    SHA-256 of its contents.
//!
//! Lengths and numbers have eight bytes, the lowest first. Paths are relative, in UTF-8, with `/` between their parts.
//! Every item of the list has a fixed length or is preceded by its length, so the hashed bytes of two different bundles
//! always differ.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::host::bundle::file::{Stamp, open_file};
#[cfg(feature = "packs")]
use crate::host::bundle::pack::Pack;
use crate::host::bundle::tree::Tree;
use crate::host::error::file::FileError;
use crate::host::error::signature::SignatureError;

/// The version of the format of both the digest and `bundle.sig`.
pub(crate) const FORMAT: u32 = 1;

const DOMAIN: &[u8] = b"polyplug bundle signature";

/// The files of a bundle by their paths, without `bundle.sig`. Directories are not listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct FileDigests(BTreeMap<String, Contents>);

/// The size and the hash of a file's contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Contents {
    pub(crate) size: u64,
    pub(crate) sha256: [u8; 32],
}

impl FileDigests {
    /// Reads the files of a tree, except for the file `except` in its root. `limit` is the greatest number of files.
    pub(crate) fn take(tree: &Tree, except: &str, limit: usize) -> Result<Self, SignatureError> {
        let mut this = Self::default();
        // Several paths may lead to one file.
        let mut known = HashMap::new();
        for (path, (real, stamp)) in listed(tree, except, limit)? {
            let contents = match known.get(&real) {
                Some(contents) => *contents,
                None => {
                    let read = read(&real, &stamp);
                    let contents = read
                        .map_err(|source| SignatureError::Unreadable { file: path.clone(), source: source.into() })?;
                    *known.entry(real).or_insert(contents)
                }
            };
            this.0.insert(path, contents);
        }
        Ok(this)
    }

    /// Reads the files of a pack, except for the file `except` at its root.
    #[cfg(feature = "packs")]
    pub(crate) fn of_pack(pack: &Pack, except: &str) -> Result<Self, SignatureError> {
        let mut this = Self::default();
        for (path, size) in pack.files().filter(|(path, _)| *path != except) {
            let unreadable =
                |source: io::Error| SignatureError::Unreadable { file: path.to_owned(), source: source.into() };
            let bytes = pack.read(Path::new(path), "a file of a pack", size);
            let bytes = bytes.map_err(|error| unreadable(error.into_io()))?;
            this.0.insert(path.to_owned(), Contents::of(&*bytes).map_err(unreadable)?);
        }
        Ok(this)
    }

    /// Returns the differences of a tree from these files, which were signed, as far as the paths and the lengths of
    /// the files show them. Reads a file only if it may be one of these under another name, and no more bytes than were
    /// signed.
    pub(crate) fn visible_differences(
        &self,
        tree: &Tree,
        except: &str,
        limit: usize,
    ) -> Result<Vec<SignatureError>, SignatureError> {
        let listed = listed(tree, except, limit)?;
        let gone = self.0.iter().filter(|(path, _)| !listed.contains_key(*path));
        let gone: HashSet<u64> = gone.map(|(_, contents)| contents.size).collect();
        let mut readable = self.0.values().fold(0_u64, |sum, contents| sum.saturating_add(contents.size));
        let mut found = Self::default();
        for (path, (real, stamp)) in listed {
            let unread = Contents { size: stamp.len, sha256: [0; 32] };
            let contents = match self.0.get(&path) {
                Some(signed) if signed.size == stamp.len => *signed,
                None if gone.contains(&stamp.len) && stamp.len <= readable => {
                    readable -= stamp.len;
                    read(&real, &stamp).unwrap_or(unread)
                }
                _ => unread,
            };
            found.0.insert(path, contents);
        }
        Ok(self.differences(&found))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Contents)> {
        self.0.iter().map(|(path, contents)| (path.as_str(), contents))
    }

    /// Adds a file. Returns `false` if a file of that path is listed already.
    pub(crate) fn add(&mut self, path: String, contents: Contents) -> bool {
        self.0.insert(path, contents).is_none()
    }

    /// Computes the digest of these files as those of `bundle`.
    pub(crate) fn digest(&self, bundle: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        let number = |hash: &mut Sha256, number: u64| hash.update(number.to_le_bytes());
        let text = |hash: &mut Sha256, text: &str| {
            number(hash, text.len() as u64);
            hash.update(text);
        };
        hash.update(DOMAIN);
        hash.update(FORMAT.to_le_bytes());
        text(&mut hash, bundle);
        number(&mut hash, self.0.len() as u64);
        for (path, contents) in &self.0 {
            text(&mut hash, path);
            number(&mut hash, contents.size);
            hash.update(contents.sha256);
        }
        hash.finalize().into()
    }

    /// Returns the differences of `found` from these files, which were signed. A removed file and an added file with
    /// the same contents count as one renamed file.
    pub(crate) fn differences(&self, found: &Self) -> Vec<SignatureError> {
        let changed = self.0.iter().filter(|(path, contents)| found.0.get(*path).is_some_and(|now| now != *contents));
        let mut all: Vec<_> = changed.map(|(file, _)| SignatureError::Changed { file: file.clone() }).collect();

        let mut added: BTreeMap<Contents, Vec<&String>> = BTreeMap::new();
        for (path, contents) in found.0.iter().rev().filter(|(path, _)| !self.0.contains_key(*path)) {
            added.entry(*contents).or_default().push(path);
        }
        for (path, contents) in self.0.iter().filter(|(path, _)| !found.0.contains_key(*path)) {
            all.push(match added.get_mut(contents).and_then(Vec::pop) {
                Some(to) => SignatureError::Renamed { from: path.clone(), to: to.clone() },
                None => SignatureError::Removed { file: path.clone() },
            });
        }
        let mut added: Vec<_> = added.into_values().flatten().collect();
        added.sort();
        all.extend(added.into_iter().map(|file| SignatureError::Added { file: file.clone() }));
        all
    }
}

/// Returns the files of a tree by their paths as they are signed, except for the file `except`.
fn listed(tree: &Tree, except: &str, limit: usize) -> Result<BTreeMap<String, (PathBuf, Stamp)>, SignatureError> {
    let files = tree.files(limit).map_err(|fault| SignatureError::Unlistable { reason: fault.text(&tree.root) })?;
    let mut listed = BTreeMap::new();
    for (path, file) in files {
        let parts: Option<Vec<_>> = path.iter().map(OsStr::to_str).collect();
        let Some(parts) = parts else { return Err(SignatureError::NotUtf8 { file: path }) };
        let path = parts.join("/");
        if path != except {
            listed.insert(path, file);
        }
    }
    Ok(listed)
}

/// Reads a file that must be the one that `stamp` was taken of.
fn read(path: &Path, stamp: &Stamp) -> io::Result<Contents> {
    let file = open_file(path).map_err(FileError::into_io)?;
    let is_unchanged = |file: &File| Ok::<_, io::Error>(Stamp::of(&file.metadata()?) == *stamp);
    if is_unchanged(&file)? {
        // Limited, as the file may grow.
        let contents = Contents::of((&file).take(stamp.len.saturating_add(1)))?;
        if is_unchanged(&file)? && contents.size == stamp.len {
            return Ok(contents);
        }
    }
    Err(io::Error::other("it changed meanwhile: try again when it is complete"))
}

impl Contents {
    fn of(mut file: impl Read) -> io::Result<Self> {
        let mut hash = Sha256::new();
        let mut size = 0;
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return Ok(Self { size, sha256: hash.finalize().into() }),
                Ok(read) => {
                    hash.update(&buffer[..read]);
                    size += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(all(test, not(miri)))] // Miri shows no files, and hashes slowly
mod tests {
    use proptest::prelude::*;

    use std::fs;

    use super::super::keys::hex;
    use super::*;
    use crate::host::bundle::limits::BundleLimits;
    use crate::host::bundle::shared_dirs::SharedDirs;

    /// The file that is left out.
    const EXCEPT: &str = "bundle.sig";

    type Files = BTreeMap<String, Vec<u8>>;

    fn files() -> impl Strategy<Value = Files> {
        prop::collection::btree_map("[a-c./]{1,6}", prop::collection::vec(any::<u8>(), 0..40), 1..6)
    }

    fn listing<'a>(files: impl IntoIterator<Item = (&'a String, &'a Vec<u8>)>) -> FileDigests {
        let mut listing = FileDigests::default();
        for (path, contents) in files {
            assert!(listing.add(path.clone(), Contents::of(contents.as_slice()).unwrap()));
        }
        listing
    }

    fn take(root: &Path) -> Result<FileDigests, SignatureError> {
        let root = root.canonicalize().unwrap();
        let tree = Tree::take(&root, Path::new(""), &SharedDirs::default(), BundleLimits::default());
        FileDigests::take(&tree, EXCEPT, 100)
    }

    fn written(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, contents) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, contents).unwrap();
        }
        folder
    }

    proptest! {
        #[test]
        fn every_byte_counts(files in files(), file in any::<prop::sample::Index>(), at in any::<prop::sample::Index>()) {
            let digest = listing(&files).digest("bundle");
            let path = file.get(&files.keys().cloned().collect::<Vec<_>>()).clone();
            let change = |change: &dyn Fn(&mut Vec<u8>)| {
                let mut files = files.clone();
                change(files.get_mut(&path).unwrap());
                listing(&files).digest("bundle")
            };
            prop_assert_ne!(change(&|contents| contents.push(0)), digest);
            if !files[&path].is_empty() {
                let at = at.index(files[&path].len());
                prop_assert_ne!(change(&|contents| contents[at] ^= 1), digest);
                prop_assert_ne!(change(&|contents| { contents.remove(at); }), digest);
            }
        }

        #[test]
        fn every_path_counts(files in files(), file in any::<prop::sample::Index>(), other in "[a-c./]{1,7}") {
            let digest = listing(&files).digest("bundle");
            let path = file.get(&files.keys().cloned().collect::<Vec<_>>()).clone();
            let mut fewer = files.clone();
            let contents = fewer.remove(&path).unwrap();
            prop_assert_ne!(listing(&fewer).digest("bundle"), digest);
            if !files.contains_key(&other) {
                let mut more = files.clone();
                more.insert(other.clone(), contents.clone());
                prop_assert_ne!(listing(&more).digest("bundle"), digest);
                fewer.insert(other, contents);
                prop_assert_ne!(listing(&fewer).digest("bundle"), digest);
            }
        }

        #[test]
        fn the_bundles_name_counts(files in files(), one in "[a-c]{0,4}", other in "[a-c]{0,4}") {
            let listing = listing(&files);
            prop_assert_eq!(listing.digest(&one) == listing.digest(&other), one == other);
        }

        #[test]
        fn the_order_does_not_count(files in files(), seed in any::<u64>()) {
            let mut shuffled: Vec<_> = files.iter().collect();
            let mut state = seed;
            for last in (1..shuffled.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                shuffled.swap(last, (state >> 33) as usize % (last + 1));
            }
            prop_assert_eq!(listing(shuffled).digest("bundle"), listing(&files).digest("bundle"));
        }

        #[test]
        fn differences_are_all_there_is(before in files(), after in files()) {
            let (before, after) = (listing(&before), listing(&after));
            let mut files = before.clone();
            for difference in before.differences(&after) {
                match difference {
                    SignatureError::Changed { file } => {
                        prop_assert_ne!(files.0.insert(file.clone(), after.0[&file]), Some(after.0[&file]));
                    }
                    SignatureError::Added { file } => prop_assert!(files.add(file.clone(), after.0[&file])),
                    SignatureError::Removed { file } => prop_assert!(files.0.remove(&file).is_some()),
                    SignatureError::Renamed { from, to } => {
                        let contents = files.0.remove(&from);
                        prop_assert_eq!(contents, Some(after.0[&to]));
                        prop_assert!(files.add(to, contents.unwrap()));
                    }
                    other => prop_assert!(false, "{}", other),
                }
            }
            prop_assert_eq!(files, after);
        }
    }

    #[test]
    fn a_directory_is_listed() {
        let all = [("b", "two"), ("a/b/c", "three"), ("a.b", ""), ("sub/bundle.sig", "counts")];
        let folder = written(&all);
        let listing = take(folder.path()).unwrap();
        let paths: Vec<_> = listing.iter().map(|(path, contents)| (path, contents.size)).collect();
        assert_eq!(paths, [("a.b", 0), ("a/b/c", 5), ("b", 3), ("sub/bundle.sig", 6)]);
        // `printf two | sha256sum`
        let two = "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3";
        assert_eq!(hex(&listing.0["b"].sha256), two);

        let mut backwards = all;
        backwards.reverse();
        let other = written(&backwards);
        fs::create_dir(other.path().join("empty")).unwrap();
        fs::write(other.path().join(EXCEPT), "does not count").unwrap();
        assert_eq!(take(other.path()).unwrap(), listing);
    }

    /// Signatures that exist must stay valid: this is computed by hand from the description above.
    #[test]
    fn the_digest_is_as_described() {
        let mut bytes = b"polyplug bundle signature\x01\0\0\0\x04\0\0\0\0\0\0\0calc\x01\0\0\0\0\0\0\0".to_vec();
        bytes.extend(b"\x01\0\0\0\0\0\0\0b\x03\0\0\0\0\0\0\0");
        bytes.extend(Sha256::digest("two"));
        let folder = written(&[("b", "two")]);
        let digest = take(folder.path()).unwrap().digest("calc");
        assert_eq!(digest.as_slice(), Sha256::digest(bytes).as_slice());
    }

    #[cfg(all(unix, not(target_vendor = "apple")))] // Apple's file systems refuse such names
    #[test]
    fn a_name_that_is_not_utf8_is_refused() {
        use std::os::unix::ffi::OsStrExt;

        let folder = written(&[("sub/a", "")]);
        fs::write(folder.path().join("sub").join(OsStr::from_bytes(b"\xff.lua")), "").unwrap();
        let error = take(folder.path()).unwrap_err();
        assert_eq!(
            error.to_string(),
            r#""sub/\xFF.lua" has a name that is not UTF-8, which cannot be signed: rename or remove it"#
        );
    }
}
