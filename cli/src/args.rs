//! The commands and their arguments.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};
use clap_complete::Shell;

/// Looks at, checks, compares, calls, packs, signs and starts plugins.
#[derive(Debug, Parser)]
#[command(name = "polyplug", bin_name = "polyplug", version, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = "Exit codes:
  0  done, nothing wrong was found
  1  done, and something wrong was found: check, compat, verify, doctor
  2  the arguments are wrong
  3  the command could not be carried out")]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Finds what a host would refuse in a bundle, and what is likely to be a mistake
    Check(Check),
    /// Shows a bundle: its contracts, methods, needs, files and signature
    Inspect(Inspect),
    /// Prints contracts as JSON or as WIT, or writes them as schema files
    Schema(SchemaArgs),
    /// Tells what changed between two versions of contracts, and what breaks whom
    Compat(Compat),
    /// Calls a method of a bundle's plugin, with arguments and result in JSON
    Call(Call),
    /// Packs a bundle into one file, which hosts load as they load the folder
    Pack(Pack),
    /// Makes a pair of keys for signing bundles
    Keygen(Keygen),
    /// Signs a bundle
    Sign(Sign),
    /// Checks the signature of a bundle
    Verify(Verify),
    /// Draws which bundles need which
    Graph(Graph),
    /// Tells which engines work on this machine, and what is missing
    Doctor(Doctor),
    /// Prints completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Writes the manual pages
    Man {
        /// The folder to write them to
        folder: PathBuf,
    },
}

/// The form of the output.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub(crate) struct Output {
    /// Prints JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a bundle needs to be loaded.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Needs {
    /// A schema file, a folder of such files, a bundle, or a Rust crate with contracts that the bundle's code names and that
    /// the bundle does not ship
    #[arg(long, value_name = "CONTRACTS")]
    pub(crate) contracts: Vec<PathBuf>,
    /// Another bundle that is loaded first, such as one that the bundle needs
    #[arg(long, value_name = "BUNDLE")]
    pub(crate) with: Vec<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Check {
    /// The bundle's folder or pack
    pub(crate) bundle: PathBuf,
    /// Does not run the bundle's code: the manifest and the files alone are looked at
    #[arg(long)]
    pub(crate) no_run: bool,
    #[command(flatten)]
    pub(crate) needs: Needs,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Inspect {
    /// The bundle's folder or pack
    pub(crate) bundle: PathBuf,
    #[command(flatten)]
    pub(crate) needs: Needs,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SchemaArgs {
    /// A schema file, a bundle, or the folder of a Rust crate that has contracts
    pub(crate) contracts: PathBuf,
    /// Only this contract, such as demo.store@1
    #[arg(long)]
    pub(crate) contract: Option<String>,
    /// Prints WIT in place of JSON
    #[arg(long, conflicts_with = "out")]
    pub(crate) wit: bool,
    /// Writes each contract to a file NAME@MAJOR.schema in this folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Compat {
    /// The older version: a schema file, a bundle, or the folder of a Rust crate that has contracts
    pub(crate) old: PathBuf,
    /// The newer version
    pub(crate) new: PathBuf,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Call {
    /// The bundle's folder or pack
    pub(crate) bundle: PathBuf,
    /// The contract, such as demo.store or demo.store@1
    pub(crate) contract: String,
    /// The method
    pub(crate) method: String,
    /// The arguments, as JSON; a text may be written without its quotes
    #[arg(allow_negative_numbers = true)]
    pub(crate) arguments: Vec<String>,
    /// Calls the method N times, and prints how long the calls took
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) bench: Option<u32>,
    #[command(flatten)]
    pub(crate) needs: Needs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Pack {
    /// The bundle's folder
    pub(crate) bundle: PathBuf,
    /// The file to write, which should end in `.polyplug`; by default NAME.polyplug in the working directory
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Keygen {
    /// The file for the secret key; the public key goes to the same name with `.pub`
    pub(crate) file: PathBuf,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Sign {
    /// The bundle's folder; a bundle is signed before it is packed
    pub(crate) bundle: PathBuf,
    /// The file with the secret key
    #[arg(long)]
    pub(crate) key: PathBuf,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Verify {
    /// The bundle's folder or pack
    pub(crate) bundle: PathBuf,
    /// A public key that is trusted: 64 hexadecimal digits, or a file with them
    #[arg(long, required = true)]
    pub(crate) key: Vec<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Graph {
    /// The folder with the bundles
    pub(crate) folder: PathBuf,
    /// Contracts that the bundles do not ship
    #[arg(long, value_name = "CONTRACTS")]
    pub(crate) contracts: Vec<PathBuf>,
    /// Prints DOT, for Graphviz
    #[arg(long, conflicts_with = "svg")]
    pub(crate) dot: bool,
    /// Prints SVG
    #[arg(long)]
    pub(crate) svg: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) output: Output,
}
