//! The check that a file is an assembly of .NET, made before the CLR sees the file: a half-written one, a pipe, or a library
//! of another kind.

use std::path::Path;

use polyplug::engine::{Fault, Guest};
use polyplug::loader::{PROGRAM_LIMIT, read_bundle_file};

/// The index of the CLI header among the directories of an image.
const CLI_HEADER: usize = 14;

/// Checks that the main file of a bundle is an assembly.
///
/// # Errors
///
/// There is no such file, or it is no assembly.
pub(crate) fn file(guest: &Guest, files: &Path, file: &str) -> Result<(), Fault> {
    let bytes = read_bundle_file(files, file, "an assembly", PROGRAM_LIMIT)
        .map_err(|error| Fault::new(guest.with_own_paths(error.to_string())))?;
    assembly(&bytes, file).map_err(Fault::new)
}

/// Checks that bytes are an assembly, which errors call `name`.
///
/// # Errors
///
/// The bytes are no assembly, or are not complete.
pub(crate) fn assembly(bytes: &[u8], name: &str) -> Result<(), String> {
    if bytes.is_empty() {
        return Err(format!("`{name}` is empty"));
    }
    if !bytes.starts_with(b"MZ") {
        let kind = match bytes {
            [0x7f, b'E', b'L', b'F', ..] => ", but a native library or program for Linux",
            [0xcf | 0xce, 0xfa, 0xed, 0xfe, ..] => ", but a native library or program for macOS",
            _ => "",
        };
        return Err(format!("`{name}` is no assembly of .NET{kind}"));
    }
    match is_managed(bytes) {
        Some(true) => Ok(()),
        Some(false) => Err(format!("`{name}` is no assembly of .NET, but a native library or program for Windows")),
        None => Err(format!("`{name}` is no complete assembly of .NET: it ends too early, or is damaged")),
    }
}

/// Returns whether an image has a CLI header, or `None` if the image is not complete.
fn is_managed(image: &[u8]) -> Option<bool> {
    let pe = u32_at(image, 0x3c)? as usize;
    if image.get(pe..pe.checked_add(4)?)? != b"PE\0\0" {
        return None;
    }
    let sections = u16_at(image, pe + 6)? as usize;
    let optional = pe + 24;
    let directories = match u16_at(image, optional)? {
        0x10b => optional + 96,
        0x20b => optional + 112,
        _ => return None,
    };
    let cli = directories + 8 * CLI_HEADER;
    let is_managed = u32_at(image, cli)? != 0 && u32_at(image, cli + 4)? != 0;
    let table = optional + u16_at(image, pe + 20)? as usize;
    for section in 0..sections {
        let header = table + 40 * section;
        let (size, start) = (u32_at(image, header + 16)? as usize, u32_at(image, header + 20)? as usize);
        if start.checked_add(size)? > image.len() {
            return None;
        }
    }
    Some(is_managed)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::assembly;
    use crate::bridge::ASSEMBLY;

    #[test]
    fn an_assembly_is_one() {
        assert_eq!(assembly(ASSEMBLY, "Polyplug.dll"), Ok(()));
    }

    #[test]
    fn each_part_of_an_assembly_is_none() {
        for len in (0..ASSEMBLY.len()).step_by(97) {
            let refused = assembly(&ASSEMBLY[..len], "a.dll").expect_err("it is cut");
            let expected = match len {
                0 => "`a.dll` is empty",
                1 => "`a.dll` is no assembly of .NET",
                _ => "`a.dll` is no complete assembly of .NET: it ends too early, or is damaged",
            };
            assert_eq!(refused, expected, "{len} bytes");
        }
    }

    #[test]
    fn other_files_are_named() {
        let native = assembly(b"\x7fELF rest", "libx.so").expect_err("it is native");
        assert_eq!(native, "`libx.so` is no assembly of .NET, but a native library or program for Linux");
        assert_eq!(assembly(b"text", "x.cs"), Err("`x.cs` is no assembly of .NET".to_owned()));
        let mut image = ASSEMBLY.to_vec();
        let pe = u32::from_le_bytes(image[0x3c..0x40].try_into().expect("four bytes")) as usize;
        let directories = if image[pe + 24..pe + 26] == [0x0b, 0x02] { 112 } else { 96 };
        image[pe + 24 + directories + 8 * 14..][..8].fill(0);
        let native = assembly(&image, "x.dll").expect_err("it has no CLI header");
        assert_eq!(native, "`x.dll` is no assembly of .NET, but a native library or program for Windows");
    }
}
