//! `polyplug schema`.

use std::fs;

use anyhow::{Context, Result, bail};
use serde_json::Value as Json;

use crate::args::SchemaArgs;
use crate::contracts;
use crate::exit::Exit;

pub(crate) fn run(args: &SchemaArgs) -> Result<Exit> {
    let mut found = contracts::read(&args.contracts)?;
    if let Some(wanted) = &args.contract {
        let known: Vec<_> = found.keys().cloned().collect();
        found.retain(|name, _| contracts::is_wanted(name, Some(wanted)));
        if found.is_empty() {
            bail!("{}: there is no contract `{wanted}`, only {}", args.contracts.display(), known.join(", "));
        }
    }
    if let Some(folder) = &args.out {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        for (name, schema) in &found {
            let file = folder.join(format!("{name}.schema"));
            fs::write(&file, schema.encode()).with_context(|| format!("cannot write {}", file.display()))?;
            anstream::println!("{}", file.display());
        }
    } else if args.wit {
        let texts: Vec<_> = found.values().map(|schema| schema.to_wit()).collect();
        anstream::print!("{}", texts.join("\n"));
    } else {
        let all: Vec<_> = found.values().map(|schema| schema.to_json()).collect();
        anstream::println!("{:#}", Json::Array(all));
    }
    Ok(Exit::Fine)
}
