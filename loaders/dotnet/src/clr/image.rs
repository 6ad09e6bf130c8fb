//! The processors that a library is made for.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The part of a file that is read.
const HEADER: u64 = 4096;

/// Returns the processors that the library `file` is made for, by their names in .NET, or an empty list if `file` is no
/// library of a known format.
///
/// # Errors
///
/// The file cannot be read.
pub(super) fn processors(file: &Path) -> io::Result<Vec<String>> {
    let mut header = Vec::new();
    File::open(file)?.take(HEADER).read_to_end(&mut header)?;
    Ok(in_header(&header).unwrap_or_default())
}

/// Returns the name that .NET has for the processor of this program.
pub(super) fn own_processor() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        "powerpc64" => "ppc64le",
        other => other,
    }
}

/// Returns the processors that the beginning of a file names, or `None` if it is of no known format.
fn in_header(header: &[u8]) -> Option<Vec<String>> {
    match header.get(..4)? {
        b"\x7fELF" => {
            let is_little = *header.get(5)? == 1;
            let machine = u16_at(header, 18, is_little)?;
            Some(vec![elf(machine)])
        }
        [b'M', b'Z', ..] => {
            let pe = u32_at(header, 0x3c, true)? as usize;
            if header.get(pe..pe + 4)? != b"PE\0\0" {
                return None;
            }
            Some(vec![pe_machine(u16_at(header, pe + 4, true)?)])
        }
        [0xcf | 0xce, 0xfa, 0xed, 0xfe] => Some(vec![mach_o(u32_at(header, 4, true)?)]),
        // Several libraries in one file, each with an entry of 20 bytes.
        [0xca, 0xfe, 0xba, 0xbe] => {
            let count = u32_at(header, 4, false)?.min(16) as usize;
            (0..count).map(|index| Some(mach_o(u32_at(header, 8 + 20 * index, false)?))).collect()
        }
        _ => None,
    }
}

fn elf(machine: u16) -> String {
    name(
        u32::from(machine),
        &[
            (62, "x64"),
            (183, "arm64"),
            (3, "x86"),
            (40, "arm"),
            (243, "riscv64"),
            (258, "loongarch64"),
            (22, "s390x"),
            (21, "ppc64le"),
        ],
    )
}

fn pe_machine(machine: u16) -> String {
    name(u32::from(machine), &[(0x8664, "x64"), (0xaa64, "arm64"), (0x14c, "x86"), (0x1c4, "arm")])
}

fn mach_o(machine: u32) -> String {
    name(machine, &[(0x0100_0007, "x64"), (0x0100_000c, "arm64"), (7, "x86")])
}

/// Returns the name of a processor that has a number in a format's table.
fn name(machine: u32, names: &[(u32, &str)]) -> String {
    let known = names.iter().find(|(number, _)| *number == machine);
    known.map_or_else(|| format!("processor {machine:#x}"), |(_, name)| (*name).to_owned())
}

fn u16_at(bytes: &[u8], at: usize, is_little: bool) -> Option<u16> {
    let bytes = bytes.get(at..at + 2)?.try_into().ok()?;
    Some(if is_little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
}

fn u32_at(bytes: &[u8], at: usize, is_little: bool) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(if is_little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
}
