//! `polyplug stubs`.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::args::Stubs;
use crate::contracts;
use crate::exit::Exit;
use crate::languages;

pub(crate) fn run(args: &Stubs) -> Result<Exit> {
    let found = contracts::read_all(&args.contracts)?;
    let files = languages::stubs(args.lang, &found)?;
    let Some(folder) = &args.out else {
        let [(_, text)] = &files[..] else {
            let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
            bail!("the stubs are several files ({}): name the folder for them with `--out FOLDER`", names.join(", "));
        };
        anstream::print!("{text}");
        return Ok(Exit::Fine);
    };
    for (name, text) in &files {
        let file = folder.join(name);
        let parent = file.parent().unwrap_or(folder);
        fs::create_dir_all(parent).with_context(|| format!("cannot make the folder {}", parent.display()))?;
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        anstream::println!("{}", file.display());
    }
    Ok(Exit::Fine)
}
