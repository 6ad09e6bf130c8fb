//! `bundle.sig`: the list of what was signed, and the signature.
//!
//! With the list, errors can name the files that differ. No file is opened by a path of the list.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;

use serde::Deserialize;

use super::digest::{Contents, FORMAT, FileDigests};
use super::keys::{PublicKey, SecretKey, hex, unhex};
use crate::host::bundle::file::read_file;
#[cfg(feature = "packs")]
use crate::host::bundle::pack::Pack;
use crate::host::error::file::FileError;
use crate::host::error::signature::SignatureError;

/// The name of the file with the signature.
pub(crate) const FILE_NAME: &str = "bundle.sig";

/// The most bytes the file may have: enough for the names of tens of thousands of files.
const SIZE_LIMIT: u64 = 8 << 20;

/// What the file is read as.
const WHAT: &str = "a signature";

const ALGORITHM: &str = "ed25519";

/// The bytes before the digest in the signed message. A signature that the key's owner made for another purpose is
/// therefore not a valid signature of a bundle.
const DOMAIN: &[u8] = b"polyplug bundle signature\n";

/// The contents of `bundle.sig`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignatureFile {
    bundle: String,
    key: PublicKey,
    signature: [u8; 64],
    files: FileDigests,
}

/// The keys that are read first, as the rest of the format depends on them.
#[derive(Deserialize)]
struct Head {
    version: u32,
    algorithm: String,
}

/// The keys of the file as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(rename = "version")]
    _version: u32,
    #[serde(rename = "algorithm")]
    _algorithm: String,
    bundle: String,
    key: String,
    signature: String,
    #[serde(default)]
    file: Vec<WrittenFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFile {
    path: String,
    size: u64,
    sha256: String,
}

impl SignatureFile {
    /// Signs `files` as those of `bundle`.
    pub(crate) fn sign(bundle: &str, files: FileDigests, key: &SecretKey) -> Self {
        let signature = key.sign(&message(bundle, &files));
        Self { bundle: bundle.to_owned(), key: key.public_key(), signature, files }
    }

    /// Returns the files that were signed.
    pub(crate) fn files(&self) -> &FileDigests {
        &self.files
    }

    /// Returns the key that the file names.
    pub(crate) fn key(&self) -> PublicKey {
        self.key
    }

    /// Returns what is wrong with the signature itself, as one of `bundle`. Does not compare the files.
    pub(crate) fn problems(&self, bundle: &str, trusted: &[PublicKey]) -> Vec<SignatureError> {
        let mut problems = Vec::new();
        if self.bundle != bundle {
            problems.push(SignatureError::WrongBundle { signed: self.bundle.clone() });
        }
        if !trusted.contains(&self.key) {
            problems.push(SignatureError::UnknownKey { key: self.key.to_string() });
        }
        if !self.key.signed(&message(&self.bundle, &self.files), &self.signature) {
            problems.push(SignatureError::BadSignature);
        }
        problems
    }

    /// Reads the file of the bundle in `root`.
    pub(crate) fn read(root: &Path) -> Result<Self, SignatureError> {
        Self::of_bytes(read_file(root.join(FILE_NAME), WHAT, SIZE_LIMIT))
    }

    /// Reads the file of a bundle in a pack.
    #[cfg(feature = "packs")]
    pub(crate) fn of_pack(pack: &Pack) -> Result<Self, SignatureError> {
        Self::of_bytes(pack.read(Path::new(FILE_NAME), WHAT, SIZE_LIMIT))
    }

    fn of_bytes(read: Result<Vec<u8>, FileError>) -> Result<Self, SignatureError> {
        let text = text_of(read)?;
        Self::parse(&text).map_err(|reason| SignatureError::Malformed { reason })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let head: Head = parse(text)?;
        if head.version != FORMAT {
            let found = head.version;
            return Err(format!("it has version {found} of the format, and this polyplug knows version {FORMAT}"));
        }
        if head.algorithm != ALGORITHM {
            return Err(format!("`algorithm` is {:?}, and only {ALGORITHM:?} is known", head.algorithm));
        }
        let written: Written = parse(text)?;
        let key = PublicKey::from_hex(&written.key).map_err(|error| format!("`key`: {error}"))?;
        let signature = unhex(&written.signature).ok_or("`signature` is not 128 hexadecimal digits")?;
        let mut files = FileDigests::default();
        for WrittenFile { path, size, sha256 } in written.file {
            let sha256 = unhex(&sha256).ok_or_else(|| format!("`sha256` of {path:?} is not 64 hexadecimal digits"))?;
            let twice = format!("{path:?} is listed twice");
            if !files.add(path, Contents { size, sha256 }) {
                return Err(twice);
            }
        }
        Ok(Self { bundle: written.bundle, key, signature, files })
    }

    fn text(&self) -> String {
        let mut text = String::from("# Made by polyplug. Any change makes the signature invalid.\n");
        let mut line = |key: &str, value: &str| {
            writeln!(text, "{key} = {value}").expect("a String takes any text");
        };
        line("version", &FORMAT.to_string());
        line("algorithm", &quoted(ALGORITHM));
        line("bundle", &quoted(&self.bundle));
        line("key", &quoted(&self.key.to_string()));
        line("signature", &quoted(&hex(&self.signature)));
        for (path, contents) in self.files.iter() {
            let (path, size, sha256) = (quoted(path), contents.size, quoted(&hex(&contents.sha256)));
            write!(text, "\n[[file]]\npath = {path}\nsize = {size}\nsha256 = {sha256}\n")
                .expect("a String takes any text");
        }
        text
    }

    /// Writes the file into the bundle in `root`. The file appears complete, by a rename. A link of the same name is
    /// replaced, not followed.
    pub(crate) fn write(&self, root: &Path) -> Result<(), SignatureError> {
        let unwritable = |source| SignatureError::Unwritable { source: std::sync::Arc::new(source) };
        let text = self.text();
        if text.len() as u64 > SIZE_LIMIT {
            let reason =
                format!("it would have {} bytes, of {SIZE_LIMIT} at most: the bundle has too many files", text.len());
            return Err(unwritable(io::Error::other(reason)));
        }
        let part = root.join(format!(".{FILE_NAME}.{}.tmp", std::process::id()));
        let written = write_new(&part, &text).and_then(|()| fs::rename(&part, root.join(FILE_NAME)));
        written.map_err(|error| {
            let _ = fs::remove_file(&part);
            unwritable(error)
        })
    }
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write as _;
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    File::create_new(path)?.write_all(text.as_bytes())
}

/// Returns the message that is signed.
fn message(bundle: &str, files: &FileDigests) -> Vec<u8> {
    [DOMAIN, &files.digest(bundle)].concat()
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    toml::from_str(text).map_err(|error| {
        let before = &text.as_bytes()[..error.span().map_or(0, |span| span.start).min(text.len())];
        format!("line {}: {}", before.iter().filter(|byte| **byte == b'\n').count() + 1, error.message())
    })
}

/// Returns `text` as a string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => write!(quoted, "\\u{:04x}", u32::from(c)).expect("a String takes any text"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Returns the text of a file that was read.
fn text_of(read: Result<Vec<u8>, FileError>) -> Result<String, SignatureError> {
    let malformed = |reason: String| SignatureError::Malformed { reason };
    let bytes = read.map_err(|error| match error {
        error if error.is_missing() => SignatureError::Unsigned,
        FileError::TooLarge { limit, .. } => malformed(format!("it has more than {limit} bytes")),
        FileError::NotAFile { kind, .. } => malformed(format!("it is no file, but {kind}")),
        other => SignatureError::Unreadable { file: FILE_NAME.to_owned(), source: other.into_io().into() },
    })?;
    String::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8".to_owned()))
}

#[cfg(all(test, not(miri)))] // nothing here is unsafe, and Miri is slow at this
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secret() -> SecretKey {
        SecretKey::from_bytes([7; 32])
    }

    fn signed() -> SignatureFile {
        let mut files = FileDigests::default();
        files.add("plugin.so".to_owned(), Contents { size: 3, sha256: [0xab; 32] });
        SignatureFile::sign("calc", files, &secret())
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(bundle: String, paths in prop::collection::btree_set(any::<String>(), 0..5), byte: u8) {
            let mut files = FileDigests::default();
            for path in paths {
                files.add(path, Contents { size: u64::from(byte), sha256: [byte; 32] });
            }
            let file = SignatureFile::sign(&bundle, files, &secret());
            prop_assert_eq!(SignatureFile::parse(&file.text()), Ok(file.clone()));
            prop_assert!(file.problems(&bundle, &[file.key()]).is_empty());
        }

        #[test]
        fn whatever_is_in_the_file_is_no_panic(text in "[a-z0-9=\"\\[\\]\n .]{0,60}") {
            prop_assert!(SignatureFile::parse(&text).is_err());
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let good = signed().text();
        assert_eq!(SignatureFile::parse(&good), Ok(signed()));
        let entry = &good[good.find("[[file]]").unwrap()..];
        for (bad, reason) in [
            (String::new(), "missing field `version`"),
            (
                good.replace("version = 1", "version = 2"),
                "it has version 2 of the format, and this polyplug knows version 1",
            ),
            (good.replace("ed25519", "none"), "`algorithm` is \"none\", and only \"ed25519\" is known"),
            (good.replace("bundle =", "bundel ="), "line 4: unknown field `bundel`"),
            (good.replace("key = \"", "key = \"0"), "`key`: \"0"),
            (good.replace("signature = \"", "signature = \"x"), "`signature` is not 128 hexadecimal digits"),
            (good.replace("sha256 = \"a", "sha256 = \""), "`sha256` of \"plugin.so\" is not 64 hexadecimal digits"),
            (good.replace("size = 3", "size = -3"), "line 10: invalid value: integer `-3`"),
            (format!("{good}{entry}"), "\"plugin.so\" is listed twice"),
            (good.replace('"', ""), "line 3: "),
        ] {
            assert_ne!(bad, good, "{reason}");
            let error = SignatureFile::parse(&bad).unwrap_err();
            assert!(error.starts_with(reason) || error.contains(reason), "{error} for {bad}");
        }
    }

    #[test]
    fn a_changed_list_does_not_fit_the_signature() {
        let good = signed().text();
        for (what, with) in [("plugin.so", "plugin.sO"), ("size = 3", "size = 4"), ("ab\"", "ac\""), ("calc", "kalk")] {
            let changed = SignatureFile::parse(&good.replace(what, with)).unwrap();
            let problems = changed.problems(&changed.bundle, &[changed.key]);
            assert!(matches!(*problems, [SignatureError::BadSignature]), "{what}: {problems:?}");
        }
    }
}
