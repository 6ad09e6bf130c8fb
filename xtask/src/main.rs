//! The repository's own commands, run as `cargo xtask <command>`.
//!
//! Each command is one module with one `run` function. This file only parses the command line and calls the command;
//! the functions that commands share (finding packages, running programs, timing steps) are in the other modules.

mod bench;
mod book;
mod bundle;
mod bundles;
mod charts;
mod ci;
mod compare;
mod cross;
mod demo;
mod doc;
mod dotnet;
mod fixtures;
mod header;
mod lock;
mod process;
mod python;
mod scaling;
mod soak;
mod steps;
mod summary;
mod test;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The commands for work on this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the log pipeline with its plugins and run it.
    Demo {
        /// The log to read instead of the one in examples/pipeline/data.
        #[arg(long, value_name = "FILE")]
        log: Option<PathBuf>,
    },
    /// Run every test: unit, integration, macro and documentation tests.
    Test {
        /// Run the scripts in ci/ afterwards as well (sanitizers and the like).
        #[arg(long)]
        thorough: bool,
    },
    /// Run the benchmarks and print their tables.
    Bench {
        /// Measure only benchmarks whose names contain this.
        filter: Option<String>,
    },
    /// Measure the same plugin by polyplug and by other crates for plugins, and print a table.
    Compare,
    /// Measure how costs grow with the number and the size of things, and draw the charts of docs/src/performance.md.
    Scaling {
        /// Measure only charts whose names contain this.
        filter: Option<String>,
    },
    /// Call, reload and unload plugins in all languages from eight threads, and draw what the process occupies.
    Soak {
        /// For so many seconds.
        #[arg(default_value_t = 600, value_parser = clap::value_parser!(u64).range(20..))]
        seconds: u64,
        /// The file for the chart; `soak.svg` in the target directory by default.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Build the example plugins and assemble a bundle from each.
    Bundles {
        /// Build with optimizations.
        #[arg(long)]
        release: bool,
        /// The folder for the bundles; `bundles` in the target directory by default.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Build the plugins and the C library that tests and benchmarks load.
    Fixtures {
        /// Build with optimizations, for the benchmarks.
        #[arg(long)]
        release: bool,
        /// Print the names of the packages, those of one build in a line, and build nothing.
        #[arg(long)]
        list: bool,
    },
    /// Write the C header from the sources of the ABI.
    Header {
        /// Check that the header is up to date, and write nothing.
        #[arg(long)]
        check: bool,
    },
    /// Set up .NET for the tests: an SDK that is here, or else runtimes from packages. Prints the roots.
    Dotnet {
        /// Compile the plugins in C# that tests load as well, as `fixtures` does.
        #[arg(long)]
        guests: bool,
    },
    /// Compile the assembly that plugins in C# refer to. Prints its path and that of its documentation.
    Bridge {
        /// Check that the assembly is made from the present sources, and write nothing. Prints the same.
        #[arg(long)]
        check: bool,
    },
    /// Set up a compiler and tools for other targets from Debian's packages. Prints the variables that select them.
    Cross {
        /// The targets; none for the compiler with the library's source alone.
        #[arg(value_name = "TARGET")]
        targets: Vec<cross::Target>,
    },
    /// Print the path of the Python that everything is built with, for `PYO3_PYTHON`.
    Python,
    /// Build the book, and check that its links and those of the readmes lead somewhere.
    Book,
    /// Build the book and the API documentation; warnings are errors.
    Doc,
    /// Run the checks that have to pass before a change is merged: formatting, clippy, documentation, tests.
    Ci,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Demo { log } => demo::run(log.as_deref()),
        // `test` prints its failures itself, so that the summaries of the test runners are the last lines of the
        // output.
        Command::Test { thorough } => match test::run(thorough) {
            Ok(true) => return ExitCode::SUCCESS,
            Ok(false) => return ExitCode::FAILURE,
            Err(error) => Err(error),
        },
        Command::Bench { filter } => bench::run(filter.as_deref()),
        Command::Compare => compare::run(),
        Command::Scaling { filter } => scaling::run(filter.as_deref()),
        Command::Soak { seconds, out } => soak::run(seconds, out.as_deref()),
        Command::Bundles { release, out } => bundles::run(release, out.as_deref()),
        Command::Fixtures { release, list } => fixtures::run(release, list),
        Command::Header { check } => header::run(check),
        Command::Dotnet { guests } => dotnet::run(guests),
        Command::Bridge { check } => dotnet::run_bridge(check),
        Command::Cross { targets } => cross::run(&targets),
        Command::Python => python::run(),
        Command::Book => book::run(),
        Command::Doc => doc::run(),
        Command::Ci => match ci::run() {
            Ok(true) => return ExitCode::SUCCESS,
            Ok(false) => return ExitCode::FAILURE,
            Err(error) => Err(error),
        },
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
