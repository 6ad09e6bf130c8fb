//! An artifact that is no shared library for this machine is refused before the system's linker can trip over it.

use std::env::consts::DLL_SUFFIX;

use polyplug::error::{LoaderError, RuntimeError};
use polyplug_tests::{BAD, Bundle, library, manifest, refused};

/// The library's name in the bundles here.
fn artifact() -> String {
    format!("plugin{DLL_SUFFIX}")
}

/// A bundle whose artifact has these bytes.
fn bundle(bytes: &[u8]) -> Bundle {
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", manifest(BAD, "native", "plugin"));
    bundle.write(&artifact(), bytes);
    bundle
}

/// Why `bundle` is refused.
#[track_caller]
fn refusal(bundle: &Bundle) -> String {
    let error = refused(bundle);
    let RuntimeError::Loader(LoaderError::ArtifactInvalid { bundle: name, path, .. }) = &error else {
        panic!("an invalid artifact, not {error:?}")
    };
    assert_eq!((name.as_str(), path), (BAD, &bundle.path().join(artifact())));
    let text = error.to_string();
    assert!(text.contains("`bad`") && text.contains(&path.display().to_string()), "{text}");
    text
}

#[track_caller]
fn refused_with(bytes: &[u8], parts: &[&str]) {
    let text = refusal(&bundle(bytes));
    for part in parts {
        assert!(text.contains(part), "{part} is in: {text}");
    }
}

#[test]
fn the_artifact_that_others_vary_is_good() {
    let bundle = bundle(&std::fs::read(library("plugin-calc")).unwrap());
    polyplug_tests::runtime().load_bundle(bundle.path()).unwrap();
}

#[test]
fn text_is_refused() {
    refused_with(b"print('hello')\n", &["not a shared library", "text", "`loader`"]);
}

#[test]
fn an_assembly_is_refused_with_its_loader() {
    refused_with(polyplug_dotnet::assembly(), &["an assembly of .NET", "`loader = \"dotnet\"`"]);
}

#[test]
fn arbitrary_bytes_are_refused() {
    refused_with(&[0, 1, 2, 3, 0xff, 0xfe], &["not a shared library", "`file`"]);
}

#[test]
fn an_empty_file_is_refused() {
    refused_with(b"", &["empty", "was the build interrupted?"]);
}

#[test]
fn a_static_library_is_refused_with_the_right_crate_type() {
    refused_with(
        b"!<arch>\n/               0           0     0     0       4         `\n",
        &["static library", "cdylib"],
    );
}

#[test]
fn a_library_for_another_system_is_refused() {
    let foreign: &[u8] = if cfg!(windows) { b"\x7fELF" } else { b"MZ\x90\0" };
    refused_with(foreign, &["build it for", std::env::consts::OS]);
}

/// What can be wrong with the file format of Windows.
#[cfg(windows)]
mod pe {
    use super::*;

    fn good() -> Vec<u8> {
        std::fs::read(library("plugin-calc")).unwrap()
    }

    /// The place of the headers that follow the letters `PE`.
    fn headers(bytes: &[u8]) -> usize {
        let at = u32::from_le_bytes(bytes[0x3c..0x40].try_into().unwrap()) as usize;
        assert_eq!(&bytes[at..at + 4], b"PE\0\0");
        at
    }

    #[test]
    fn a_truncated_library_is_refused_at_every_length() {
        let good = good();
        for len in [4, 63, 64, 65, 200, 1000, 4095, 4096, 4097, 8192, 8193, good.len() / 2, good.len() - 1] {
            refused_with(&good[..len], &["truncated", &format!("{len} bytes")]);
        }
    }

    #[test]
    fn a_library_whose_headers_are_elsewhere_is_refused() {
        let mut bytes = good();
        bytes[0x3c..0x40].copy_from_slice(&100_000_u32.to_le_bytes());
        refused_with(&bytes, &["the PE header is damaged"]);
    }

    #[test]
    fn a_library_for_another_processor_is_refused() {
        for (machine, name) in [(0xaa64_u16, "arm64"), (0x1234, "machine 0x1234")] {
            let mut bytes = good();
            let at = headers(&bytes) + 4;
            bytes[at..at + 2].copy_from_slice(&machine.to_le_bytes());
            refused_with(&bytes, &[name, "build it for this machine"]);
        }
    }

    #[test]
    fn a_32_bit_library_is_refused() {
        let mut bytes = good();
        let at = headers(&bytes) + 24;
        bytes[at..at + 2].copy_from_slice(&0x10b_u16.to_le_bytes());
        refused_with(&bytes, &["32-bit"]);
    }

    #[test]
    fn a_program_is_refused_with_the_right_crate_type() {
        let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        refused_with(&program, &["a program", "crate-type"]);
    }
}

/// What can be wrong with the file format of Linux.
#[cfg(target_os = "linux")]
mod elf {
    use super::*;
    use polyplug_tests::compile_c;

    fn good() -> Vec<u8> {
        std::fs::read(library("plugin-calc")).unwrap()
    }

    /// A number of the header, little-endian as on every machine these tests know.
    fn number(bytes: &[u8], offset: usize, len: usize) -> usize {
        bytes[offset..offset + len].iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
    }

    #[test]
    fn a_truncated_library_is_refused_at_every_length() {
        let good = good();
        for len in [4, 10, 63, 64, 65, 1000, 4095, 4096, 4097, good.len() / 2, good.len() - 1] {
            refused_with(&good[..len], &["truncated", &format!("{len} bytes")]);
        }
    }

    /// Stripped of its section headers, the file ends with its last segment.
    #[test]
    fn a_truncated_library_without_section_headers_is_refused() {
        let mut bytes = without_sections();
        let len = bytes.len() - 1;
        bytes.truncate(len);
        refused_with(&bytes, &["truncated"]);
    }

    #[test]
    fn a_library_without_section_headers_is_good() {
        polyplug_tests::runtime().load_bundle(bundle(&without_sections()).path()).unwrap();
    }

    /// Tools that edit libraries move the program headers to the end of the file.
    #[test]
    fn a_truncated_library_with_its_program_headers_far_back_is_refused() {
        let mut bytes = without_sections();
        let (start, count) = (number(&bytes, 0x20, 8), number(&bytes, 0x38, 2));
        let headers = bytes[start..start + count * 56].to_vec();
        let moved = bytes.len();
        bytes.extend(&headers);
        bytes[0x20..0x28].copy_from_slice(&(moved as u64).to_le_bytes());
        // The segment that ends last ends behind the file's end now.
        let last =
            (0..count).max_by_key(|i| number(&headers, i * 56 + 8, 8) + number(&headers, i * 56 + 32, 8)).unwrap();
        let size = moved + last * 56 + 32;
        let grown = number(&bytes, size, 8) as u64 + (1 << 20);
        bytes[size..size + 8].copy_from_slice(&grown.to_le_bytes());
        refused_with(&bytes, &["truncated"]);
    }

    fn without_sections() -> Vec<u8> {
        let mut bytes = good();
        let (start, count) = (number(&bytes, 0x20, 8), number(&bytes, 0x38, 2));
        let ends = (0..count).map(|i| start + i * 56).map(|at| number(&bytes, at + 8, 8) + number(&bytes, at + 32, 8));
        let end = ends.max().expect("a library has segments");
        bytes.truncate(end);
        bytes[0x28..0x30].fill(0); // where the section headers are
        bytes[0x3c..0x40].fill(0); // how many there are, and which holds their names
        bytes
    }

    #[test]
    fn a_library_for_another_processor_is_refused() {
        let mut bytes = good();
        let (machine, name): (u16, _) = if cfg!(target_arch = "x86_64") { (183, "arm64") } else { (62, "x86-64") };
        bytes[0x12..0x14].copy_from_slice(&machine.to_le_bytes());
        refused_with(&bytes, &[name, "build it for this machine"]);
    }

    #[test]
    fn a_library_for_an_unheard_of_processor_is_refused() {
        let mut bytes = good();
        bytes[0x12..0x14].copy_from_slice(&0xbeef_u16.to_le_bytes());
        refused_with(&bytes, &["machine 48879"]);
    }

    #[test]
    fn a_32_bit_library_is_refused() {
        let mut bytes = good();
        bytes[4] = 1;
        refused_with(&bytes, &["32-bit"]);
    }

    #[test]
    fn a_library_of_the_other_byte_order_is_refused() {
        let mut bytes = good();
        bytes[5] = 3 - bytes[5];
        refused_with(&bytes, &["byte order"]);
    }

    #[test]
    fn an_object_file_is_refused_with_the_right_crate_type() {
        let bundle = Bundle::empty();
        bundle.write("manifest.toml", manifest(BAD, "native", "plugin"));
        compile_c("init.c", &["-c"], &bundle.path().join(artifact()));
        assert!(refusal(&bundle).contains("not a shared library: set crate-type"));
    }

    fn program(options: &[&str]) -> Bundle {
        let bundle = Bundle::empty();
        bundle.write("manifest.toml", manifest(BAD, "native", "plugin"));
        compile_c("init.c", &[&["-DPROGRAM"], options].concat(), &bundle.path().join(artifact()));
        bundle
    }

    #[test]
    fn a_program_is_refused_with_the_right_crate_type() {
        assert!(refusal(&program(&["-no-pie", "-fno-pie"])).contains("not a shared library: set crate-type"));
    }

    /// Its headers are those of a library; the system's linker knows better.
    #[test]
    fn a_program_that_can_lie_anywhere_is_refused() {
        assert!(refusal(&program(&["-pie", "-fPIE"])).contains("executable"));
    }

    #[test]
    fn a_library_that_needs_another_which_is_not_there_names_it() {
        let bundle = Bundle::c(BAD, "init.c", &[]);
        let needed = bundle.path().join("libneeded.so");
        compile_c("init.c", &["-shared", "-fPIC", "-Wl,-soname,libneeded-by-polyplug.so"], &needed);
        let options = ["-shared", "-fPIC", "-Wl,--no-as-needed", needed.to_str().unwrap()];
        compile_c("init.c", &options, &bundle.path().join(artifact()));
        assert!(refusal(&bundle).contains("libneeded-by-polyplug.so"));
    }
}
