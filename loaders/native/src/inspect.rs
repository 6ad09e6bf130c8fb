//! The check of an artifact before the system's linker opens it.
//!
//! The linker's own messages are terse. For a truncated file the linker maps pages that do not exist, and the process
//! is killed when it touches them. The check reads only the headers.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use object::elf;
use object::endian::NativeEndian;
use object::pod::slice_from_bytes;
use object::read::elf::{FileHeader, ProgramHeader};
use polyplug::error::FileError;
use polyplug::loader::open_file;

use crate::{mach_o, pe};

/// The number of bytes of the file that are read to recognise its format. All headers of a library for Windows are in
/// them, as it has at most 96 sections.
const HEAD: usize = 8192;

/// Checks the artifact's headers, or returns the fault that they show.
pub(crate) fn inspect(path: &Path) -> Result<(), String> {
    let mut file = open_file(path).map_err(|error| match error {
        FileError::NotAFile { kind, .. } => format!("it is no file, but {kind}: does `file` name the artifact?"),
        FileError::Unreadable { source, .. } => format!("cannot be opened: {source}"),
        other => other.to_string(),
    })?;
    let size = file.metadata().map_err(|error| format!("cannot be read: {error}"))?.len();
    let mut head = Vec::with_capacity(HEAD);
    file.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(|error| format!("cannot be read: {error}"))?;
    if head.is_empty() {
        return Err("the file is empty: was the build interrupted?".to_owned());
    }
    let format = Format::of(&head);
    match format {
        Format::Unknown => Err(format!("not a shared library, but {}", guess(&head))),
        Format::Pe if pe::is_assembly(&head) => Err(
            "an assembly of .NET, and no native library: write `loader = \"dotnet\"` in manifest.toml, or correct `file`"
                .to_owned(),
        ),
        _ if format != Format::of_this_platform() => Err(format!(
            "a library for {}: build it for {} {}",
            format.system(),
            std::env::consts::OS,
            std::env::consts::ARCH
        )),
        Format::Elf => inspect_elf(&head, &mut file, size),
        Format::MachO => mach_o::inspect(&mut file, size, mach_o::processor_of_this_program()),
        Format::Pe => pe::check(&head, &mut file, size).map_err(|fault| match fault {
            pe::Fault::Truncated => truncated(size),
            pe::Fault::Other(text) => text,
        }),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Format {
    Elf,
    MachO,
    Pe,
    Unknown,
}

impl Format {
    fn of(head: &[u8]) -> Self {
        match head {
            [0x7f, b'E', b'L', b'F', ..] => Self::Elf,
            // A library, 64-bit or 32-bit, of either byte order, and a universal file of either width.
            [0xcf | 0xce, 0xfa, 0xed, 0xfe, ..]
            | [0xfe, 0xed, 0xfa, 0xcf | 0xce, ..]
            | [0xca, 0xfe, 0xba, 0xbe | 0xbf, ..] => Self::MachO,
            [b'M', b'Z', ..] => Self::Pe,
            _ => Self::Unknown,
        }
    }

    const fn of_this_platform() -> Self {
        if cfg!(windows) {
            Self::Pe
        } else if cfg!(target_vendor = "apple") {
            Self::MachO
        } else {
            Self::Elf
        }
    }

    const fn system(self) -> &'static str {
        match self {
            Self::Elf => "Linux or another Unix (ELF)",
            Self::MachO => "macOS (Mach-O)",
            Self::Pe => "Windows (PE)",
            Self::Unknown => "no system",
        }
    }
}

fn guess(head: &[u8]) -> &'static str {
    if head.starts_with(b"!<arch>") {
        return "a static library: set crate-type = [\"cdylib\"]";
    }
    if std::str::from_utf8(head).is_ok_and(|text| !text.contains('\0')) {
        return "text: does `file` name the artifact, and `loader` the right loader?";
    }
    "something else: does `file` name the artifact?"
}

fn truncated(size: u64) -> String {
    format!("the file is truncated ({size} bytes): was the build interrupted, or the copy?")
}

type Header = elf::FileHeader64<NativeEndian>;
type Segment = elf::ProgramHeader64<NativeEndian>;

fn inspect_elf(head: &[u8], file: &mut File, size: u64) -> Result<(), String> {
    let truncated = || truncated(size);
    let damaged = || "the ELF header is damaged, or of a machine with another byte order".to_owned();
    if head.get(elf_ident::CLASS) == Some(&elf::ELFCLASS32) {
        return Err("a 32-bit library: polyplug is 64-bit only".to_owned());
    }
    if head.len() < size_of::<Header>() {
        return Err(truncated());
    }
    let header = Header::parse(head).map_err(|_| damaged())?;
    let endian = header.endian().map_err(|_| damaged())?;
    let machine = header.e_machine(endian);
    if let Some(expected) = machine_of_this_platform().filter(|expected| *expected != machine) {
        let (found, expected) = (machine_name(machine), machine_name(expected));
        return Err(format!("a library for {found}, and this program runs on {expected}: build it for this machine"));
    }
    if header.e_type(endian) != elf::ET_DYN {
        return Err("an ELF file, but not a shared library: set crate-type = [\"cdylib\"]".to_owned());
    }
    if usize::from(header.e_phentsize(endian)) != size_of::<Segment>() {
        return Err(damaged());
    }
    let end = |offset: u64, count: u16, entry: u16| offset.checked_add(u64::from(count) * u64::from(entry));
    let programs = end(header.e_phoff(endian), header.e_phnum(endian), header.e_phentsize(endian));
    let sections = end(header.e_shoff(endian), header.e_shnum(endian), header.e_shentsize(endian));
    for table in [programs, sections] {
        if table.is_none_or(|end| end > size) {
            return Err(truncated());
        }
    }
    let table = program_headers(header, endian, head, file).map_err(|error| format!("cannot be read: {error}"))?;
    let (segments, _) = slice_from_bytes::<Segment>(&table, header.e_phnum(endian).into()).map_err(|()| damaged())?;
    for segment in segments {
        let end = segment.p_offset(endian).checked_add(segment.p_filesz(endian));
        if end.is_none_or(|end| end > size) {
            return Err(truncated());
        }
    }
    Ok(())
}

/// Reads the table of segments. Linkers put the table behind the header; tools that edit libraries move it to the end.
fn program_headers<'a>(
    header: &Header,
    endian: NativeEndian,
    head: &'a [u8],
    file: &mut File,
) -> std::io::Result<Cow<'a, [u8]>> {
    let len = usize::from(header.e_phnum(endian)) * size_of::<Segment>();
    let start = header.e_phoff(endian);
    if let Some(table) = usize::try_from(start).ok().and_then(|start| head.get(start..)?.get(..len)) {
        return Ok(Cow::Borrowed(table));
    }
    let mut table = vec![0; len];
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(&mut table)?;
    Ok(Cow::Owned(table))
}

mod elf_ident {
    /// The offset of the byte that distinguishes 32-bit and 64-bit ELF files.
    pub(super) const CLASS: usize = 4;
}

const fn machine_of_this_platform() -> Option<u16> {
    if cfg!(target_arch = "x86_64") {
        Some(elf::EM_X86_64)
    } else if cfg!(target_arch = "aarch64") {
        Some(elf::EM_AARCH64)
    } else if cfg!(target_arch = "riscv64") {
        Some(elf::EM_RISCV)
    } else {
        None
    }
}

fn machine_name(machine: u16) -> String {
    match machine {
        elf::EM_X86_64 => "x86-64".to_owned(),
        elf::EM_AARCH64 => "arm64".to_owned(),
        elf::EM_RISCV => "RISC-V".to_owned(),
        elf::EM_386 => "32-bit x86".to_owned(),
        elf::EM_ARM => "32-bit arm".to_owned(),
        elf::EM_PPC64 => "PowerPC".to_owned(),
        elf::EM_S390 => "s390x".to_owned(),
        other => format!("machine {other}"),
    }
}
