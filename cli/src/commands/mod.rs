//! One file for each command.

mod build;
mod call;
mod check;
mod compat;
mod doctor;
mod graph;
mod inspect;
mod keys;
mod new;
mod pack;
mod repl;
mod run;
mod schema;
mod stubs;
mod test;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use clap::CommandFactory;

use crate::args::{Args, Verb};
use crate::exit::Exit;

/// Runs a command.
///
/// # Errors
///
/// The command could not be carried out.
pub(crate) fn run(args: Args) -> Result<Exit> {
    match args.verb {
        Verb::New(args) => new::run(&args),
        Verb::Build(args) => build::run(&args),
        Verb::Check(args) => check::run(&args),
        Verb::Inspect(args) => inspect::run(&args),
        Verb::Schema(args) => schema::run(&args),
        Verb::Stubs(args) => stubs::run(&args),
        Verb::Compat(args) => compat::run(&args),
        Verb::Call(args) => call::run(&args),
        Verb::Repl(args) => repl::run(&args),
        Verb::Run(args) => run::run(&args),
        Verb::Test(args) => test::run(&args),
        Verb::Pack(args) => pack::run(&args),
        Verb::Keygen(args) => keys::generate(&args),
        Verb::Sign(args) => keys::sign(&args),
        Verb::Verify(args) => keys::verify(&args),
        Verb::Graph(args) => graph::run(&args),
        Verb::Doctor(args) => doctor::run(args.output),
        Verb::Completions { shell } => {
            clap_complete::generate(shell, &mut Args::command(), "polyplug", &mut std::io::stdout());
            Ok(Exit::Fine)
        }
        Verb::Man { folder } => man(&folder),
    }
}

fn man(folder: &Path) -> Result<Exit> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    clap_mangen::generate_to(Args::command(), folder)
        .with_context(|| format!("cannot write to {}", folder.display()))?;
    Ok(Exit::Fine)
}
