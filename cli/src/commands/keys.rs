//! `polyplug keygen`, `sign` and `verify`.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use polyplug::signature::{PublicKey, SecretKey, sign_bundle, verify_bundle};

use crate::args::{Keygen, Sign, Verify};
use crate::exit::Exit;
use crate::text::{GREEN, RED, hex, styled};

pub(crate) fn generate(args: &Keygen) -> Result<Exit> {
    let key = SecretKey::generate()?;
    let public = public_file(&args.file);
    // Neither file is overwritten: a key that is lost cannot be made again.
    write_new(&args.file, &format!("{}\n", hex(&key.to_bytes())), true)?;
    write_new(&public, &format!("{}\n", key.public_key()), false)?;
    anstream::println!("{}", key.public_key());
    anstream::eprintln!("the secret key is in {}: keep it where only those who sign can read it", args.file.display());
    anstream::eprintln!("the public key is in {}: hosts trust it by `RuntimeBuilder::trust`", public.display());
    Ok(Exit::Fine)
}

fn public_file(secret: &Path) -> PathBuf {
    let mut name = secret.as_os_str().to_owned();
    name.push(".pub");
    name.into()
}

fn write_new(file: &Path, text: &str, is_secret: bool) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if is_secret {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = is_secret;
    let mut opened = options.open(file).with_context(|| format!("cannot make {}", file.display()))?;
    opened.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", file.display()))
}

pub(crate) fn sign(args: &Sign) -> Result<Exit> {
    let key = secret(&args.key)?;
    sign_bundle(&args.bundle, &key)?;
    anstream::println!("{} is signed by {}", args.bundle.display(), key.public_key());
    Ok(Exit::Fine)
}

fn secret(file: &Path) -> Result<SecretKey> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let bytes = unhex(text.trim()).ok_or_else(|| {
        anyhow!("{}: no secret key: `polyplug keygen` makes a file of 64 hexadecimal digits", file.display())
    })?;
    Ok(SecretKey::from_bytes(bytes))
}

pub(crate) fn verify(args: &Verify) -> Result<Exit> {
    let keys = args.key.iter().map(|key| public(key)).collect::<Result<Vec<_>>>()?;
    if !args.bundle.exists() {
        bail!("{}: there is no such folder or pack", args.bundle.display());
    }
    match verify_bundle(&args.bundle, &keys) {
        Ok(key) => {
            anstream::println!("{}: signed by {key}", styled(GREEN, "fine"));
            Ok(Exit::Fine)
        }
        Err(error) => {
            anstream::println!("{}: {error}", styled(RED, "wrong"));
            Ok(Exit::Wrong)
        }
    }
}

/// Reads a public key, or a file with one.
fn public(given: &str) -> Result<PublicKey> {
    if let Ok(text) = fs::read_to_string(given) {
        return PublicKey::from_hex(text.trim()).with_context(|| format!("{given}: no public key"));
    }
    PublicKey::from_hex(given).with_context(|| format!("{given}: neither a public key nor a file with one"))
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    // A sign is part of a number, and no digit.
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (number, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * number..2 * number + 2], 16).ok()?;
    }
    Some(bytes)
}
