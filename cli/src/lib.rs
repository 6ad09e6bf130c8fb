//! The command line of polyplug, for authors of plugins and for operators.
//!
//! - [`main`]: runs a command
//!
//! Invariant: what a command found out goes to standard output, and everything else to standard error.

mod args;
mod assemble;
mod build;
mod bundle;
mod cargo;
mod commands;
mod complete;
mod contracts;
mod diagnostics;
mod exit;
mod languages;
mod live;
mod project;
mod rust_traits;
mod stand_in;
mod testing;
mod text;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use args::Args;
use exit::Exit;

/// Runs the command that `arguments`, the program's name first, describe. Returns the exit code that `polyplug help`
/// documents.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args = match Args::try_parse_from(arguments) {
        Ok(args) => args,
        // Help and versions are no errors, and are printed to standard output.
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Fine.into() };
        }
    };
    match commands::run(args) {
        Ok(exit) => exit.into(),
        Err(error) => {
            anstream::eprintln!("{}", text::error(&text::causes(&error)));
            Exit::Failed.into()
        }
    }
}
