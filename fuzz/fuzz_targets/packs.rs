//! Packs from anybody: an archive is a bundle whose files are those that it lists, or is refused; and an archive of fitting
//! names that nobody has damaged is a bundle.

#![no_main]

use std::collections::HashSet;
use std::io::Write as _;
use std::path::{Component, Path, PathBuf};
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use polyplug::loader::ManifestData;
use polyplug::signature::{PublicKey, verify_bundle};
use rawzip::path::EntryPath;
use rawzip::{CompressionMethod, DataDescriptorOutput, ZipArchiveWriter};

// This target does not use all of the module's functions.
#[allow(dead_code)]
#[path = "../../tests/src/generate.rs"]
mod generate;

use generate::Source;

/// The file of the pack, in a folder of this process.
static PACK: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder").keep();
    folder.join("a.polyplug")
});

static KEY: LazyLock<PublicKey> = LazyLock::new(|| {
    let text = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    PublicKey::from_hex(text).expect("the key of a test vector")
});

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    // Most bytes are no archive, so one is made of them as well, and then damaged.
    let mut source = Source::new(bytes);
    let (mut archive, files) = archive(&mut source);
    match (read(&archive), files) {
        (Ok(read), Some(files)) => assert_eq!(read, files.len()),
        (Err(error), Some(files)) => panic!("a pack of {files:?} is refused: {error}"),
        (_, None) => {}
    }
    for _ in 0..1 + source.below(8) {
        let place = (source.below(256) * 256 + source.below(256)) % archive.len();
        match source.below(4) {
            0 => archive[place] = source.below(256) as u8,
            // Lengths, offsets and counts lie at the end.
            1 => {
                let place = archive.len() - 1 - source.below(256) % archive.len();
                archive[place] = [0, 1, 0x7f, 0xff][source.below(4)];
            }
            2 => drop(archive.drain(place..)),
            _ => archive.insert(place, source.below(256) as u8),
        }
        if archive.is_empty() {
            break;
        }
    }
    let _ = read(&archive);
});

/// Reads all files of the pack with these bytes. Returns the number of files.
fn read(bytes: &[u8]) -> Result<usize, String> {
    std::fs::write(&*PACK, bytes).expect("the temporary folder takes a file");
    assert!(verify_bundle(&*PACK, &[*KEY]).is_err(), "nobody has its secret half");
    let manifest = ManifestData::read(&*PACK).map_err(|error| {
        let text = error.to_string();
        assert!(text.contains("a.polyplug"), "{text}");
        text
    })?;
    let files = manifest.files();
    let listed = files.list().expect("a pack has been listed");
    let mut names = HashSet::new();
    for (path, size) in &listed {
        assert!(path.components().all(|part| matches!(part, Component::Normal(_))), "{path:?} leads out");
        assert!(names.insert(path.to_str().expect("UTF-8").to_lowercase()), "{path:?} is there twice");
        assert!(files.is_file(path));
        // What is packed a thousandfold is not worth the time.
        if *size > 1 << 20 {
            continue;
        }
        match files.read(path, "a file", *size) {
            Ok(read) => assert_eq!(read.len() as u64, *size),
            Err(error) => assert!(error.to_string().contains("a.polyplug"), "{error}"),
        }
        if let Some(less) = size.checked_sub(1) {
            files.read(path, "a file", less).expect_err("no more than the limit is unpacked");
        }
    }
    for way in ["", ".", "..", "/", "../a.polyplug", "manifest.toml/x", "\0"] {
        let _ = files.read(Path::new(way), "a file", 1 << 20).expect_err("no file is called so");
    }
    Ok(listed.len())
}

const MANIFEST: &[u8] = b"name = \"a\"\nversion = \"1.0.0\"\nloader = \"lua\"\nfile = \"main.lua\"\n";

/// The first of these are names that a file of a pack may have, whatever else there is.
const NAMES: [&str; 24] = [
    "main.lua",
    "lib/a.lua",
    "lib/inner/b.lua",
    "gr\u{f6}\u{df}e",
    "\u{540d}\u{524d}.txt",
    "\u{1f980}",
    "empty",
    "with space",
    "manifest.toml",
    "MAIN.lua",
    "lib",
    "lib/",
    "../evil",
    "/etc/passwd",
    "a/../../b",
    "c:evil",
    "a\\b",
    "nul",
    "a//b",
    "a.",
    "bundle.sig",
    "x/manifest.toml",
    "\u{202e}txt",
    "a\nb",
];
const FITTING: usize = 8;

/// Makes an archive. Returns its files as well if they are such as a bundle may have.
fn archive(source: &mut Source<'_>) -> (Vec<u8>, Option<Vec<String>>) {
    let mut archive = ZipArchiveWriter::new(Vec::new());
    let (mut names, mut fits) = (Vec::new(), true);
    let has_manifest = source.below(16) != 15;
    fits &= has_manifest;
    if has_manifest {
        add(&mut archive, "manifest.toml", MANIFEST, true);
        names.push("manifest.toml".to_owned());
    }
    let all = if source.below(2) == 0 { FITTING } else { NAMES.len() };
    for _ in 0..source.below(6) {
        let which = source.below(all);
        let data = vec![source.below(256) as u8; source.below(256)];
        add(&mut archive, NAMES[which], &data, source.below(2) == 0);
        fits &= which < FITTING && !names.iter().any(|name| name == NAMES[which]);
        names.push(NAMES[which].to_owned());
    }
    (archive.finish().expect("memory takes it"), fits.then_some(names))
}

fn add(archive: &mut ZipArchiveWriter<Vec<u8>>, name: &str, data: &[u8], is_packed: bool) {
    let (method, stored) = match is_packed {
        true => (CompressionMethod::DEFLATE, miniz_oxide::deflate::compress_to_vec(data, 1)),
        false => (CompressionMethod::STORE, data.to_vec()),
    };
    let file = archive.new_file(EntryPath::verbatim(name.as_bytes())).compression_method(method);
    let (mut entry, _) = file.start().expect("memory takes it");
    entry.write_all(&stored).expect("memory takes it");
    entry.finish(DataDescriptorOutput::new(rawzip::crc32(data), data.len() as u64)).expect("memory takes it");
}
