//! The archives that packs are: ZIP, with files that are stored or compressed by Deflate.

use std::collections::{BTreeMap, HashMap};

use rawzip::{CompressionMethod, ZipArchive};

use super::entry_name;
use super::names::FILE_NAME;
use crate::host::error::pack::PackError;

/// The bits of a mode that say what an entry is, and those of a file and of a folder.
const KIND: u32 = 0o170_000;
const FILE: u32 = 0o100_000;
const FOLDER: u32 = 0o040_000;

/// What to do about a damaged pack.
pub(super) const MAKE_ANEW: &str = "copy the pack anew, or make it anew with `polyplug pack`";

/// A file of a pack.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// The place of the data in the archive.
    start: usize,
    end: usize,
    is_deflated: bool,
    /// The number of bytes of the file itself.
    pub(super) size: u64,
    crc32: u32,
}

/// Lists the files of an archive, and checks all that can be checked without unpacking a file.
pub(super) fn index(bytes: &[u8]) -> Result<BTreeMap<String, Entry>, PackError> {
    let malformed = |reason: String| PackError::Malformed { reason };
    let archive = ZipArchive::from_slice(bytes).map_err(|error| malformed(error.to_string()))?;
    if archive.end_offset() != bytes.len() as u64 {
        return Err(malformed("there is something behind the end of the archive".to_owned()));
    }
    let mut entries = BTreeMap::new();
    // The names in lower case, as some systems do not tell upper case from lower case.
    let mut taken: HashMap<String, (String, bool)> = HashMap::new();
    let mut ranges = Vec::new();
    let (mut listed, mut count) = (archive.entries(), 0);
    while let Some(header) = listed.next_entry().map_err(|error| malformed(error.to_string()))? {
        count += 1;
        let raw = header.file_path();
        let refused =
            |reason: String| PackError::Entry { entry: String::from_utf8_lossy(raw.as_bytes()).into_owned(), reason };
        let name = std::str::from_utf8(raw.as_bytes())
            .map_err(|_| refused("has a name that is not UTF-8: give it another name".to_owned()))?;
        let is_folder = name.ends_with('/');
        let name = name.strip_suffix('/').unwrap_or(name);
        entry_name::check(name).map_err(refused)?;
        if header.flags().is_encrypted() {
            return Err(refused(
                "is encrypted, and nobody can give a password: pack the bundle without one".to_owned(),
            ));
        }
        match header.mode().value() & KIND {
            0 | FILE if !is_folder => {}
            0 | FILE | FOLDER if is_folder => {}
            _ => {
                let reason = "is a link or no regular file: put a file in its place";
                return Err(refused(reason.to_owned()));
            }
        }
        claim(&mut taken, name, is_folder).map_err(refused)?;
        let size = header.uncompressed_size_hint();
        let is_deflated = match header.compression_method() {
            CompressionMethod::STORE => false,
            CompressionMethod::DEFLATE => true,
            other => {
                let method = other.name().map_or_else(|| format!("method {}", other.as_u16()), str::to_owned);
                let reason =
                    format!("is compressed by {method}, and packs have Deflate: make the pack with `polyplug pack`");
                return Err(refused(reason));
            }
        };
        let local = archive
            .get_entry(header.wayfinder())
            .map_err(|error| refused(format!("cannot be read: {error}: {MAKE_ANEW}")))?;
        if local.local_header().file_path().as_bytes() != raw.as_bytes() {
            return Err(refused(format!("has another name where its data is: {MAKE_ANEW}")));
        }
        let (start, end) = local.compressed_data_range();
        if is_folder {
            if size != 0 || start != end {
                return Err(refused(format!("is a folder with data: {MAKE_ANEW}")));
            }
            continue;
        }
        // From the header of the entry on.
        ranges.push((header.local_header_offset(), end, name));
        let place = |offset: u64| usize::try_from(offset).map_err(|_| refused(format!("is too far away: {MAKE_ANEW}")));
        let entry = Entry { start: place(start)?, end: place(end)?, is_deflated, size, crc32: header.crc32() };
        entries.insert(name.to_owned(), entry);
    }
    if count != archive.entries_hint() {
        return Err(malformed(format!("it has {count} entries, and says {}", archive.entries_hint())));
    }
    // Entries that share data can unpack to far more than the archive's size.
    ranges.sort_unstable();
    if let Some(pair) = ranges.windows(2).find(|pair| pair[0].1 > pair[1].0) {
        let reason = format!("shares its data with {:?}: {MAKE_ANEW}", pair[0].2);
        return Err(PackError::Entry { entry: pair[1].2.to_owned(), reason });
    }
    if !entries.contains_key(FILE_NAME) {
        let found = entries.keys().find(|name| name.ends_with(&format!("/{FILE_NAME}"))).cloned();
        return Err(PackError::NoManifest { found });
    }
    Ok(entries)
}

/// Takes the name of a file, or of a folder, and those of the folders that it lies in. Returns what is wrong if another
/// entry has a name that some systems do not tell from it.
fn claim(taken: &mut HashMap<String, (String, bool)>, name: &str, is_folder: bool) -> Result<(), String> {
    let ends = name.match_indices('/').map(|(end, _)| (end, true)).chain([(name.len(), is_folder)]);
    for (end, is_folder) in ends {
        let part = &name[..end];
        match taken.get(&part.to_lowercase()) {
            None => drop(taken.insert(part.to_lowercase(), (part.to_owned(), is_folder))),
            Some((other, true)) if other == part && is_folder => {}
            Some((other, is_other_folder)) if other == part && *is_other_folder != is_folder => {
                return Err(format!("needs {other:?} to be a folder and a file at once: rename one of the two"));
            }
            Some((other, _)) if other == part => {
                return Err("is there twice: keep one of the two".to_owned());
            }
            Some((other, _)) => {
                return Err(format!("is the same as {other:?} where case does not count: rename one of the two"));
            }
        }
    }
    Ok(())
}

impl Entry {
    /// Unpacks the file from the bytes of the archive. Unpacks no more than the archive says.
    pub(super) fn unpack(&self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let data = bytes.get(self.start..self.end).ok_or("the archive ends before it")?;
        let size = usize::try_from(self.size).map_err(|_| "it is larger than the memory".to_owned())?;
        let file = if self.is_deflated {
            miniz_oxide::inflate::decompress_to_vec_with_limit(data, size).map_err(|error| error.to_string())?
        } else {
            // Not copied before the length is known to be right.
            if data.len() == size { data.to_vec() } else { Vec::new() }
        };
        if file.len() != size {
            return Err(format!("it does not have the {size} bytes that the archive says"));
        }
        if rawzip::crc32(&file) != self.crc32 {
            return Err("its checksum is wrong".to_owned());
        }
        Ok(file)
    }
}
