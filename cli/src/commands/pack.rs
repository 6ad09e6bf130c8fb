//! `polyplug pack`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use polyplug::loader::ManifestData;
use sha2::{Digest, Sha256};

use crate::args::Pack;
use crate::bundle::environment_left_out;
use crate::exit::Exit;
use crate::text::{bytes, hex};

pub(crate) fn run(args: &Pack) -> Result<Exit> {
    let manifest = ManifestData::read(&args.bundle)?;
    let file = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{}.polyplug", manifest.name)));
    if !file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("polyplug")) {
        bail!("{}: hosts know packs by their names: let it end in `.polyplug`", file.display());
    }
    if let Some(reason) = environment_left_out(&manifest) {
        bail!("{}: {reason}", args.bundle.display());
    }
    polyplug::pack::write(&args.bundle, &file)?;
    let packed = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    anstream::println!("{}", file.display());
    anstream::println!("{}", bytes(packed.len() as u64));
    anstream::println!("sha256 {}", hex(&Sha256::digest(&packed)));
    Ok(Exit::Fine)
}
