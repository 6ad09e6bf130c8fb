//! `polyplug new`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::args::{New, NewKind, PluginLanguage};
use crate::bundle::Contracts;
use crate::cargo::Source;
use crate::contracts;
use crate::exit::Exit;
use crate::project::{self, Plugin, check_name};

pub(crate) fn run(args: &New) -> Result<Exit> {
    let folder = match &args.kind {
        NewKind::Contract { project, polyplug } => {
            let source = Source::checkout(polyplug)?;
            project::contract(name(&project.folder)?, &project.folder, &source).write(&project.folder)?;
            &project.folder
        }
        NewKind::Host { project, contracts, contract } => {
            let crate_folder = rust_crate(contracts)?;
            let files = project::host(name(&project.folder)?, &project.folder, &crate_folder, contract.as_deref())?;
            files.write(&project.folder)?;
            &project.folder
        }
        NewKind::Plugin { project, lang, contracts, contract } => {
            let all = contracts::read(contracts)?;
            let schema = one(&all, contract.as_deref())?;
            let crate_folder = contracts.join("Cargo.toml").is_file().then_some(contracts.as_path());
            let folder = &project.folder;
            let plugin = Plugin { name: name(folder)?, folder, schema, contracts_crate: crate_folder };
            project::files_of(&plugin, *lang)?.write(&project.folder)?;
            if *lang == PluginLanguage::Ts {
                anstream::eprintln!("`npm install` in {} gets the compiler of TypeScript", project.folder.display());
            }
            &project.folder
        }
    };
    format(folder);
    Ok(Exit::Fine)
}

/// Formats the Rust code of a project. How lines are broken depends on the names in them. Without rustfmt they stay.
fn format(project: &Path) {
    for file in ["src/lib.rs", "src/main.rs"] {
        let file = project.join(file);
        if file.is_file() {
            let _ = Command::new("rustfmt").args(["--quiet", "--edition", "2024"]).arg(file).status();
        }
    }
}

/// Returns the name of a project: that of its folder.
fn name(folder: &Path) -> Result<&str> {
    let name = folder.file_name().and_then(|name| name.to_str());
    let name = name.with_context(|| format!("{}: the folder's name cannot name a project", folder.display()))?;
    check_name(name)?;
    Ok(name)
}

fn rust_crate(contracts: &Path) -> Result<PathBuf> {
    if !contracts.join("Cargo.toml").is_file() {
        bail!(
            "{}: no Rust crate: a host calls contracts by their traits, so `--contracts` is the folder of the crate that has \
             them (`polyplug new contract` makes one)",
            contracts.display()
        );
    }
    Ok(contracts.to_owned())
}

/// Returns the contract that is named, or the only one.
fn one<'a>(all: &'a Contracts, wanted: Option<&str>) -> Result<&'a polyplug::schema::Schema> {
    let mut found = all.iter().filter(|(name, _)| contracts::is_wanted(name, wanted));
    let names = || all.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    match (found.next(), found.next()) {
        (Some((_, schema)), None) => Ok(schema),
        (Some(_), Some(_)) => bail!("there are several contracts: say which by `--contract`: {}", names()),
        (None, _) => bail!("there is no contract `{}`, only {}", wanted.unwrap_or_default(), names()),
    }
}
