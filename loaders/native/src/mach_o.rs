//! The check of a Mach-O file: a library for one processor, or a universal file, which has one for each of several.
//!
//! Only headers are read, so the check works on every system.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use object::pod::{Pod, from_bytes, slice_from_bytes};
use object::read::macho::{FatArch, FatArch32, FatArch64, FatHeader, MachHeader};
use object::{BigEndian, Endianness, macho};

/// The most libraries in a universal file that are looked at. Apple's linker knows fewer processors.
const MOST: u32 = 32;

/// The most bytes of load commands that are read.
const COMMANDS: u32 = 1 << 20;

/// Checks the Mach-O `file` of `size` bytes for a program that runs on `processor`, a number of `CPU_TYPE_..`. Returns the
/// fault that the headers show.
pub(crate) fn inspect(file: &mut (impl Read + Seek), size: u64, processor: Option<u32>) -> Result<(), String> {
    let (magic, count) = match read::<FatHeader>(file, 0, size)? {
        Some(header) => (header.magic.get(BigEndian), header.nfat_arch.get(BigEndian)),
        None => return Err(truncated(size)),
    };
    match magic {
        macho::FAT_MAGIC => inspect_universal::<FatArch32>(file, size, count, processor),
        macho::FAT_MAGIC_64 => inspect_universal::<FatArch64>(file, size, count, processor),
        _ => inspect_library(file, 0..size, size, processor),
    }
}

/// Checks the library of a universal file that the linker chooses.
fn inspect_universal<Arch: FatArch>(
    file: &mut (impl Read + Seek),
    size: u64,
    count: u32,
    processor: Option<u32>,
) -> Result<(), String> {
    if count > MOST {
        return Err("the header of the universal file is damaged".to_owned());
    }
    let table = bytes(file, size_of::<FatHeader>() as u64, u64::from(count) * size_of::<Arch>() as u64, size)?;
    let table = table.ok_or_else(|| truncated(size))?;
    let (arches, _) = slice_from_bytes::<Arch>(&table, count as usize).map_err(|()| truncated(size))?;
    let fits = |arch: &&Arch| processor.is_none_or(|processor| arch.cputype() == processor);
    // The plain variant of a processor has the lowest number, apart from flags.
    let Some(arch) = arches.iter().filter(fits).min_by_key(|arch| arch.cpusubtype() & !macho::CPU_SUBTYPE_MASK) else {
        let found: Vec<_> = arches.iter().map(|arch| processor_name(arch.cputype())).collect();
        return Err(format!(
            "a universal library for {}, and this program runs on {}: build it for this processor as well, and put the \
             libraries into one file with `lipo -create`",
            if found.is_empty() { "no processor".to_owned() } else { found.join(", ") },
            processor.map_or_else(String::new, processor_name),
        ));
    };
    let (start, len) = arch.file_range();
    let end = start.checked_add(len).filter(|end| *end <= size).ok_or_else(|| truncated(size))?;
    inspect_library(file, start..end, size, processor)
}

type Header = macho::MachHeader64<Endianness>;

/// Checks the library in a range of the file.
fn inspect_library(
    file: &mut (impl Read + Seek),
    range: Range<u64>,
    size: u64,
    processor: Option<u32>,
) -> Result<(), String> {
    let damaged = || "the Mach-O header is damaged, or of a machine with another byte order".to_owned();
    let magic = bytes(file, range.start, 4, range.end)?.ok_or_else(|| truncated(size))?;
    if matches!(&*magic, [0xce, 0xfa, 0xed, 0xfe] | [0xfe, 0xed, 0xfa, 0xce]) {
        return Err("a 32-bit library: polyplug is 64-bit only".to_owned());
    }
    let header = read::<Header>(file, range.start, range.end)?.ok_or_else(|| truncated(size))?;
    if !header.is_little_endian() {
        return Err(damaged());
    }
    let endian = Endianness::Little;
    let found = header.cputype(endian);
    if let Some(expected) = processor.filter(|expected| *expected != found) {
        let (found, expected) = (processor_name(found), processor_name(expected));
        return Err(format!("a library for {found}, and this program runs on {expected}: build it for this machine"));
    }
    if !matches!(header.filetype(endian), macho::MH_DYLIB | macho::MH_BUNDLE) {
        return Err("a Mach-O file, but not a shared library: set crate-type = [\"cdylib\"]".to_owned());
    }
    let len = header.sizeofcmds(endian);
    if len > COMMANDS {
        return Err(damaged());
    }
    let commands = bytes(file, range.start, size_of::<Header>() as u64 + u64::from(len), range.end)?;
    let commands = commands.ok_or_else(|| truncated(size))?;
    let mut commands = header.load_commands(endian, &*commands, 0).map_err(|_| damaged())?;
    while let Some(command) = commands.next().map_err(|_| damaged())? {
        let Some((segment, _)) = command.segment_64().map_err(|_| damaged())? else { continue };
        let end = segment.fileoff.get(endian).checked_add(segment.filesize.get(endian));
        if end.is_none_or(|end| end > range.end - range.start) {
            return Err(truncated(size));
        }
    }
    Ok(())
}

fn truncated(size: u64) -> String {
    format!("the file is truncated ({size} bytes): was the build interrupted, or the copy?")
}

/// Reads a structure at `offset`, or returns `None` if it does not end before `end`.
fn read<T: Pod + Copy>(file: &mut (impl Read + Seek), offset: u64, end: u64) -> Result<Option<T>, String> {
    let found = bytes(file, offset, size_of::<T>() as u64, end)?;
    Ok(found.and_then(|found| from_bytes::<T>(&found).ok().map(|(value, _)| *value)))
}

/// Reads `len` bytes at `offset`, or returns `None` if they do not end before `end`.
fn bytes(file: &mut (impl Read + Seek), offset: u64, len: u64, end: u64) -> Result<Option<Vec<u8>>, String> {
    if offset.checked_add(len).is_none_or(|last| last > end) {
        return Ok(None);
    }
    let mut found = vec![0; len as usize];
    let outcome = file.seek(SeekFrom::Start(offset)).and_then(|_| file.read_exact(&mut found));
    match outcome {
        Ok(()) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(format!("cannot be read: {error}")),
    }
}

/// Returns the number of the processor that this program runs on, if Mach-O has one for it.
pub(crate) const fn processor_of_this_program() -> Option<u32> {
    if cfg!(target_arch = "x86_64") {
        Some(macho::CPU_TYPE_X86_64)
    } else if cfg!(target_arch = "aarch64") {
        Some(macho::CPU_TYPE_ARM64)
    } else {
        None
    }
}

fn processor_name(processor: u32) -> String {
    match processor {
        macho::CPU_TYPE_X86_64 => "x86-64".to_owned(),
        macho::CPU_TYPE_ARM64 => "arm64".to_owned(),
        macho::CPU_TYPE_X86 => "32-bit x86".to_owned(),
        macho::CPU_TYPE_ARM => "32-bit arm".to_owned(),
        macho::CPU_TYPE_POWERPC | macho::CPU_TYPE_POWERPC64 => "PowerPC".to_owned(),
        other => format!("processor {other}"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use object::pod::{bytes_of, bytes_of_slice};
    use object::{U32, U64};

    use super::*;

    const ARM: u32 = macho::CPU_TYPE_ARM64;
    const X86: u32 = macho::CPU_TYPE_X86_64;
    const LE: Endianness = Endianness::Little;

    /// Returns a library with one segment, of which the linker would load all `len` bytes.
    fn library(processor: u32, filetype: u32, len: u64) -> Vec<u8> {
        let size = size_of::<macho::SegmentCommand64<Endianness>>() as u32;
        let header = Header {
            magic: U32::new(BigEndian, macho::MH_CIGAM_64),
            cputype: U32::new(LE, processor),
            cpusubtype: U32::new(LE, 0),
            filetype: U32::new(LE, filetype),
            ncmds: U32::new(LE, 1),
            sizeofcmds: U32::new(LE, size),
            flags: U32::new(LE, 0),
            reserved: U32::new(LE, 0),
        };
        let segment = macho::SegmentCommand64 {
            cmd: U32::new(LE, macho::LC_SEGMENT_64),
            cmdsize: U32::new(LE, size),
            segname: *b"__TEXT\0\0\0\0\0\0\0\0\0\0",
            vmaddr: U64::new(LE, 0),
            vmsize: U64::new(LE, len),
            fileoff: U64::new(LE, 0),
            filesize: U64::new(LE, len),
            maxprot: U32::new(LE, 5),
            initprot: U32::new(LE, 5),
            nsects: U32::new(LE, 0),
            flags: U32::new(LE, 0),
        };
        let mut library = [bytes_of(&header), bytes_of(&segment)].concat();
        library.resize(len as usize, 0);
        library
    }

    fn dylib(processor: u32) -> Vec<u8> {
        library(processor, macho::MH_DYLIB, 500)
    }

    /// Returns a universal file of libraries with the processors and variants that its header gives them.
    fn universal(libraries: &[(u32, u32, &[u8])]) -> Vec<u8> {
        let be = |value: usize| U32::new(BigEndian, value as u32);
        let mut offset = size_of::<FatHeader>() + libraries.len() * size_of::<FatArch32>();
        let header = FatHeader { magic: U32::new(BigEndian, macho::FAT_MAGIC), nfat_arch: be(libraries.len()) };
        let arches: Vec<_> = libraries
            .iter()
            .map(|(cputype, cpusubtype, bytes)| {
                let cpusubtype = be(*cpusubtype as usize);
                let arch = FatArch32 {
                    cputype: be(*cputype as usize),
                    cpusubtype,
                    offset: be(offset),
                    size: be(bytes.len()),
                    align: be(0),
                };
                offset += bytes.len();
                arch
            })
            .collect();
        let libraries = libraries.iter().flat_map(|(.., bytes)| *bytes);
        [bytes_of(&header), bytes_of_slice(&arches)].concat().into_iter().chain(libraries.copied()).collect()
    }

    fn check(bytes: &[u8], processor: u32) -> Result<(), String> {
        inspect(&mut Cursor::new(bytes), bytes.len() as u64, Some(processor))
    }

    #[track_caller]
    fn refused(bytes: &[u8], parts: &[&str]) {
        let text = check(bytes, ARM).unwrap_err();
        for part in parts {
            assert!(text.contains(part), "{part} is in: {text}");
        }
    }

    #[test]
    fn a_library_for_this_processor_is_good() {
        assert_eq!(check(&dylib(ARM), ARM), Ok(()));
        assert_eq!(check(&dylib(X86), X86), Ok(()));
        assert_eq!(check(&library(ARM, macho::MH_BUNDLE, 500), ARM), Ok(()), "what `cc -bundle` makes");
    }

    #[test]
    fn a_library_for_another_processor_is_refused() {
        refused(&dylib(X86), &["for x86-64", "runs on arm64", "build it for this machine"]);
        refused(&dylib(77), &["processor 77"]);
    }

    #[test]
    fn what_is_no_library_is_refused_with_the_right_crate_type() {
        for filetype in [macho::MH_OBJECT, macho::MH_EXECUTE] {
            refused(&library(ARM, filetype, 500), &["not a shared library", "cdylib"]);
        }
    }

    #[test]
    fn a_truncated_library_is_refused_at_every_length() {
        let good = dylib(ARM);
        for len in 4..good.len() {
            refused(&good[..len], &["truncated", &format!("{len} bytes")]);
        }
    }

    #[test]
    fn a_library_of_32_bits_or_of_the_other_byte_order_is_refused() {
        let mut bytes = dylib(ARM);
        bytes[..4].copy_from_slice(&[0xce, 0xfa, 0xed, 0xfe]);
        refused(&bytes, &["32-bit"]);
        bytes[..4].copy_from_slice(&[0xfe, 0xed, 0xfa, 0xcf]);
        refused(&bytes, &["byte order"]);
    }

    #[test]
    fn damaged_load_commands_are_refused() {
        for (at, value) in [(16, 2_u32), (20, 3), (20, u32::MAX), (36, 4), (36, 5000)] {
            let mut bytes = dylib(ARM);
            bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
            refused(&bytes, &["damaged"]);
        }
    }

    #[test]
    fn a_universal_library_with_one_for_this_processor_is_good() {
        let bytes = universal(&[(X86, 3, &dylib(X86)), (ARM, 0, &dylib(ARM))]);
        assert_eq!(check(&bytes, ARM), Ok(()));
        assert_eq!(check(&bytes, X86), Ok(()));
        assert_eq!(inspect(&mut Cursor::new(&bytes), bytes.len() as u64, None), Ok(()), "a processor without a number");
    }

    #[test]
    fn a_universal_library_without_one_for_this_processor_is_refused() {
        let bytes = universal(&[(macho::CPU_TYPE_X86, 3, &dylib(X86)), (X86, 3, &dylib(X86))]);
        refused(&bytes, &["for 32-bit x86, x86-64,", "runs on arm64", "lipo -create"]);
        refused(&universal(&[]), &["no processor"]);
    }

    /// A program of somebody else than Apple runs on the plain variant.
    #[test]
    fn of_two_variants_the_plain_one_is_checked() {
        let arm64e = 0x8000_0000 | macho::CPU_SUBTYPE_ARM64E;
        let object = library(ARM, macho::MH_OBJECT, 500);
        assert_eq!(check(&universal(&[(ARM, arm64e, &object), (ARM, 0, &dylib(ARM))]), ARM), Ok(()));
        refused(&universal(&[(ARM, arm64e, &dylib(ARM)), (ARM, 0, &object)]), &["not a shared library"]);
    }

    #[test]
    fn the_library_in_a_universal_file_is_checked_like_any_other() {
        refused(&universal(&[(ARM, 0, &dylib(X86))]), &["for x86-64"]);
        // It ends where the next one begins.
        let short = &dylib(ARM)[..499];
        refused(&universal(&[(ARM, 0, short), (X86, 3, &dylib(X86))]), &["truncated"]);
    }

    #[test]
    fn a_truncated_universal_library_is_refused_at_every_length() {
        let good = universal(&[(X86, 3, &dylib(X86)), (ARM, 0, &dylib(ARM))]);
        for len in 4..good.len() {
            refused(&good[..len], &["truncated", &format!("{len} bytes")]);
        }
    }

    #[test]
    fn a_universal_library_of_absurd_numbers_is_refused() {
        let mut bytes = universal(&[(ARM, 0, &dylib(ARM))]);
        bytes[4..8].fill(0xff);
        refused(&bytes, &["damaged"]);
        let mut bytes = universal(&[(ARM, 0, &dylib(ARM))]);
        bytes[16..24].fill(0xff);
        refused(&bytes, &["truncated"]);
    }

    /// The form for files of more than four gibibytes.
    #[test]
    fn a_universal_library_with_wide_offsets_is_good() {
        let be = |value| U32::new(BigEndian, value);
        let header = FatHeader { magic: be(macho::FAT_MAGIC_64), nfat_arch: be(1) };
        let arch = FatArch64 {
            cputype: be(ARM),
            cpusubtype: be(0),
            offset: U64::new(BigEndian, 40),
            size: U64::new(BigEndian, 500),
            align: be(0),
            reserved: be(0),
        };
        let bytes = [bytes_of(&header), bytes_of(&arch), &dylib(ARM)].concat();
        assert_eq!(check(&bytes, ARM), Ok(()));
        refused(&bytes[..539], &["truncated"]);
    }
}
