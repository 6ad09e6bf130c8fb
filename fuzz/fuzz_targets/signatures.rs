//! Signatures from anybody: no file verifies but one that the key has signed, and no bundle but the one that was signed.

#![no_main]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use polyplug::signature::{PublicKey, SecretKey, sign_bundle, verify_bundle};

// This target does not use all of the module's functions.
#[allow(dead_code)]
#[path = "../../tests/src/generate.rs"]
mod generate;

use generate::Source;

/// A signed bundle in a folder of this process.
struct Signed {
    folder: PathBuf,
    key: PublicKey,
    text: String,
}

const SIGNATURE: &str = "bundle.sig";
const FILES: [(&str, &str); 3] = [
    ("manifest.toml", "name = \"a\"\nversion = \"1.0.0\"\nloader = \"lua\"\nfile = \"main.lua\"\n"),
    ("main.lua", "return 1"),
    ("gr\u{f6}\u{df}e \"x\"", ""),
];

static SIGNED: LazyLock<Signed> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder").keep();
    for (name, text) in FILES {
        write(&folder, name, text.as_bytes());
    }
    let key = SecretKey::from_bytes([7; 32]);
    sign_bundle(&folder, &key).expect("a bundle");
    let text = fs::read_to_string(folder.join(SIGNATURE)).expect("it was written");
    let signed = Signed { folder, key: key.public_key(), text };
    assert_eq!(verify(&signed), Ok(signed.key));
    signed
});

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    fs::write(folder.join(name), bytes).expect("the temporary folder takes a file");
}

fn verify(signed: &Signed) -> Result<PublicKey, String> {
    verify_bundle(&signed.folder, &[signed.key]).map_err(|error| error.to_string())
}

fuzz_target!(|bytes: &[u8]| {
    let signed = &*SIGNED;
    keys(bytes);

    // Any bytes as the signature.
    write(&signed.folder, SIGNATURE, bytes);
    sound(signed, verify(signed));

    // The signature with other letters here and there.
    let mut source = Source::new(bytes);
    let mut text = signed.text.clone().into_bytes();
    for _ in 0..1 + source.below(4) {
        let place = (source.below(256) * 256 + source.below(256)) % text.len();
        match source.below(3) {
            0 => text[place] = source.below(256) as u8,
            1 => drop(text.drain(place..(place + source.below(64)).min(text.len()))),
            _ => text.insert(place, source.below(256) as u8),
        }
        if text.is_empty() {
            break;
        }
    }
    write(&signed.folder, SIGNATURE, &text);
    sound(signed, verify(signed));

    // The bundle with another byte.
    write(&signed.folder, SIGNATURE, signed.text.as_bytes());
    let (name, original) = FILES[source.below(FILES.len())];
    let mut changed = original.as_bytes().to_vec();
    let place = source.below(256) % (changed.len() + 1);
    match changed.get_mut(place) {
        Some(byte) if source.below(2) == 0 => *byte ^= 1 + source.below(255) as u8,
        _ => changed.insert(place, source.below(256) as u8),
    }
    write(&signed.folder, name, &changed);
    let verified = verify(signed);
    write(&signed.folder, name, original.as_bytes());
    verified.expect_err("a file was changed");
});

/// Checks what was verified: the name in the signature is the bundle's, and the files are the listed ones, so that nothing
/// but the form of the text may differ from what was signed.
fn sound(signed: &Signed, verified: Result<PublicKey, String>) {
    match verified {
        Ok(key) => {
            assert_eq!(key, signed.key);
            let read = fs::read_to_string(signed.folder.join(SIGNATURE)).expect("what is verified is a text");
            let plain = |text: &str| -> toml::Table {
                let mut table: toml::Table = text.to_lowercase().parse().expect("what is verified is TOML");
                // Their order is that of their paths.
                let files = table.get_mut("file").and_then(toml::Value::as_array_mut).expect("files are listed");
                files.sort_by_key(ToString::to_string);
                table
            };
            assert_eq!(plain(&read), plain(&signed.text), "only letters of hexadecimal numbers may differ");
        }
        Err(error) => assert!(error.contains("bundle `a`"), "{error}"),
    }
}

/// Keys that are read are displayed as they were read.
fn keys(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(key) = PublicKey::from_hex(&text) {
        assert_eq!(key.to_string(), text.to_lowercase());
    }
    if let Some(bytes) = bytes.first_chunk::<32>()
        && let Ok(key) = PublicKey::from_bytes(*bytes)
    {
        assert_eq!(PublicKey::from_hex(&key.to_string()), Ok(key));
    }
}
