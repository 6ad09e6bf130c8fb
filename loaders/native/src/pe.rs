//! The headers of a library for Windows: whether the file is whole, and for this machine.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use object::LittleEndian as LE;
use object::pe;
use object::read::pe::{ImageNtHeaders, optional_header_magic};

/// The size of an entry of the symbol table.
const SYMBOL: u64 = 18;

/// A fault of a file.
pub(crate) enum Fault {
    /// The file ends before its contents.
    Truncated,
    /// Another fault.
    Other(String),
}

/// Checks the headers in `head`, the beginning of a file that has `size` bytes.
pub(crate) fn check(head: &[u8], file: &mut File, size: u64) -> Result<(), Fault> {
    let other = |text: &str| Fault::Other(text.to_owned());
    // What is not in the beginning is not in the file, or the headers lead where there are none.
    let damaged = |_| if size <= head.len() as u64 { Fault::Truncated } else { other("the PE header is damaged") };
    if optional_header_magic(head).map_err(damaged)? == pe::IMAGE_NT_OPTIONAL_HDR32_MAGIC {
        return Err(other("a 32-bit library: polyplug is 64-bit only"));
    }
    let mut offset = pe::ImageDosHeader::parse(head).map_err(damaged)?.nt_headers_offset().into();
    let (headers, directories) = pe::ImageNtHeaders64::parse(head, &mut offset).map_err(damaged)?;
    let sections = headers.sections(head, offset).map_err(damaged)?;
    let header = headers.file_header();
    let machine = header.machine.get(LE);
    if let Some(expected) = machine_of_this_platform().filter(|expected| *expected != machine) {
        let (found, expected) = (machine_name(machine), machine_name(expected));
        let text = format!("a library for {found}, and this program runs on {expected}: build it for this machine");
        return Err(Fault::Other(text));
    }
    if header.characteristics.get(LE) & pe::IMAGE_FILE_DLL == 0 {
        return Err(other("a program, and not a shared library: set crate-type = [\"cdylib\"]"));
    }
    let ends = sections
        .iter()
        .map(|section| u64::from(section.pointer_to_raw_data.get(LE)) + u64::from(section.size_of_raw_data.get(LE)));
    // The only directory whose address is an offset in the file.
    let signature = directories.get(pe::IMAGE_DIRECTORY_ENTRY_SECURITY);
    let signature = signature.map(|found| u64::from(found.virtual_address.get(LE)) + u64::from(found.size.get(LE)));
    let symbols = end_of_symbols(header, file);
    if ends.chain(signature).chain(symbols).any(|end| end > size) { Err(Fault::Truncated) } else { Ok(()) }
}

/// Returns whether the beginning of a file is that of an assembly of .NET, which is made for any system. A library for Windows
/// that has both, code for .NET and functions that it exports, is none.
pub(crate) fn is_assembly(head: &[u8]) -> bool {
    fn is<Headers: ImageNtHeaders>(head: &[u8]) -> Option<bool> {
        let mut offset = pe::ImageDosHeader::parse(head).ok()?.nt_headers_offset().into();
        let (_, directories) = Headers::parse(head, &mut offset).ok()?;
        let has = |entry| directories.get(entry).is_some_and(|found| found.virtual_address.get(LE) != 0);
        Some(has(pe::IMAGE_DIRECTORY_ENTRY_COM_DESCRIPTOR) && !has(pe::IMAGE_DIRECTORY_ENTRY_EXPORT))
    }
    is::<pe::ImageNtHeaders32>(head).or_else(|| is::<pe::ImageNtHeaders64>(head)).unwrap_or(false)
}

/// Returns the end of the symbols and of their names, which follow the sections. The names begin with their length.
fn end_of_symbols(header: &pe::ImageFileHeader, file: &mut File) -> Option<u64> {
    let start = u64::from(header.pointer_to_symbol_table.get(LE));
    if start == 0 {
        return None;
    }
    let names = start + SYMBOL * u64::from(header.number_of_symbols.get(LE));
    let mut len = [0; 4];
    let is_read = file.seek(SeekFrom::Start(names)).and_then(|_| file.read_exact(&mut len)).is_ok();
    Some(names + if is_read { u64::from(u32::from_le_bytes(len)) } else { len.len() as u64 })
}

const fn machine_of_this_platform() -> Option<u16> {
    if cfg!(target_arch = "x86_64") {
        Some(pe::IMAGE_FILE_MACHINE_AMD64)
    } else if cfg!(target_arch = "aarch64") {
        Some(pe::IMAGE_FILE_MACHINE_ARM64)
    } else {
        None
    }
}

fn machine_name(machine: u16) -> String {
    match machine {
        pe::IMAGE_FILE_MACHINE_AMD64 => "x86-64".to_owned(),
        pe::IMAGE_FILE_MACHINE_ARM64 => "arm64".to_owned(),
        other => format!("machine {other:#x}"),
    }
}
