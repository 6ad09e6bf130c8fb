//! The commands and their arguments.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::languages::Language;

/// Makes, builds, tests, checks, compares, calls, signs and starts plugins.
#[derive(Debug, Parser)]
#[command(name = "polyplug", bin_name = "polyplug", version, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = "Exit codes:
  0  done, nothing wrong was found
  1  done, and something wrong was found: check, compat, doctor, run, test, verify
  2  the arguments are wrong
  3  the command could not be carried out")]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Makes a project: a contract, a host, or a plugin in any language
    New(New),
    /// Builds a plugin, and puts its bundle together
    Build(Build),
    /// Finds what a host would refuse in a bundle, and what is likely to be a mistake
    Check(Check),
    /// Shows a bundle: its contracts, methods, needs, files and signature
    Inspect(Inspect),
    /// Prints contracts as JSON or as WIT, or writes them as schema files
    Schema(SchemaArgs),
    /// Tells what changed between two versions of contracts, and what breaks whom
    Compat(Compat),
    /// Writes declarations of contracts, and of the module `polyplug`, for editors and compilers
    Stubs(Stubs),
    /// Calls a method of a bundle's plugin, with arguments and result in JSON
    Call(Call),
    /// Calls methods of a bundle's plugins as they are typed
    Repl(Repl),
    /// Loads a folder of bundles, and shows what becomes of them
    Run(Run),
    /// Runs the tests of a bundle, in the real engines and with the real conversion of values
    Test(Test),
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

#[derive(Debug, ClapArgs)]
pub(crate) struct New {
    #[command(subcommand)]
    pub(crate) kind: NewKind,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NewKind {
    /// Makes a Rust crate with a contract: what a host and its plugins agree on
    Contract {
        #[command(flatten)]
        project: Project,
        /// A checkout of polyplug, which the crate depends on; the crate `polyplug` of crates.io is another project
        #[arg(long, value_name = "CHECKOUT")]
        polyplug: PathBuf,
    },
    /// Makes a host in Rust, which keeps a folder of plugins loaded and calls them
    Host {
        #[command(flatten)]
        project: Project,
        /// The Rust crate with the contract
        #[arg(long, value_name = "CRATE")]
        contracts: PathBuf,
        /// The contract that is called, if the crate has several
        #[arg(long)]
        contract: Option<String>,
    },
    /// Makes a plugin that implements a contract
    Plugin {
        #[command(flatten)]
        project: Project,
        /// The language
        #[arg(long, value_enum)]
        lang: PluginLanguage,
        /// A Rust crate with the contract, a schema file, or a bundle; a plugin in Rust needs the crate
        #[arg(long, value_name = "CONTRACTS")]
        contracts: PathBuf,
        /// The contract that is implemented, if there are several
        #[arg(long)]
        contract: Option<String>,
    },
}

/// A project that is to be made.
#[derive(Debug, ClapArgs)]
pub(crate) struct Project {
    /// The folder of the project, whose name is the project's: lowercase letters, digits and `-`
    pub(crate) folder: PathBuf,
}

/// A language that plugins are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PluginLanguage {
    Rust,
    Lua,
    Python,
    #[value(alias = "javascript")]
    Js,
    #[value(alias = "typescript")]
    Ts,
    #[value(aliases = ["csharp", "cs", "c#"])]
    Dotnet,
    C,
}

#[derive(Debug, Default, ClapArgs)]
pub(crate) struct Build {
    /// The project's folder
    #[arg(default_value = ".")]
    pub(crate) project: PathBuf,
    /// The folder that the bundle's folder is made in, such as the one that a host watches
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
    /// Builds with optimizations, and leaves the symbols out of a library in Rust
    #[arg(long)]
    pub(crate) release: bool,
    /// Leaves the symbols out of a library in Rust, which makes it much smaller
    #[arg(long, overrides_with = "no_strip")]
    pub(crate) strip: bool,
    /// Keeps the symbols with `--release`
    #[arg(long)]
    pub(crate) no_strip: bool,
    /// The folder for what cargo builds
    #[arg(long, value_name = "FOLDER")]
    pub(crate) target_dir: Option<PathBuf>,
    /// Builds again whenever a file of the project changes, until Ctrl-C
    #[arg(long)]
    pub(crate) watch: bool,
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

#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Data {
    /// The folder in which bundles keep their data, each in a folder of its own; by default one that is removed at the end
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data: Option<PathBuf>,
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
pub(crate) struct Stubs {
    /// Schema files, folders of such files, bundles, or folders of Rust crates that have contracts
    #[arg(required = true)]
    pub(crate) contracts: Vec<PathBuf>,
    /// The language
    #[arg(long, value_enum)]
    pub(crate) lang: Language,
    /// Writes the files to this folder, and prints their paths
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
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
    #[command(flatten)]
    pub(crate) data: Data,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Repl {
    /// The bundle's folder
    pub(crate) bundle: PathBuf,
    #[command(flatten)]
    pub(crate) needs: Needs,
    #[command(flatten)]
    pub(crate) data: Data,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Run {
    /// The folder with the bundles
    pub(crate) folder: PathBuf,
    /// Loads, reloads and unloads bundles as the folder changes, until Ctrl-C
    #[arg(long)]
    pub(crate) watch: bool,
    /// Prints events as lines, in place of the table that a terminal shows
    #[arg(long)]
    pub(crate) plain: bool,
    /// Ends after this time
    #[arg(long, value_name = "SECONDS")]
    pub(crate) seconds: Option<u64>,
    #[command(flatten)]
    pub(crate) data: Data,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Test {
    /// The bundle's folder, or the folder of a crate or of a .NET project
    pub(crate) bundle: PathBuf,
    /// Runs only the tests whose name, or whose file's name, contains this text
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,
    /// The seconds that a test may take
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) timeout: u64,
    /// A setting of the bundle, as a line of TOML, such as 'greeting = "Hello"'
    #[arg(long, value_name = "SETTING")]
    pub(crate) config: Vec<String>,
    /// Writes the report to a file, as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) needs: Needs,
    #[command(flatten)]
    pub(crate) output: Output,
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Returns the words of a command line of a shell, in which quotation marks stand around whole words.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut quote) = (vec![String::new()], None);
        for letter in line.chars() {
            match letter {
                '"' | '\'' if quote.is_none() => quote = Some(letter),
                letter if quote == Some(letter) => quote = None,
                ' ' if quote.is_none() => words.push(String::new()),
                letter => words.last_mut().expect("there is one").push(letter),
            }
        }
        words
    }

    #[test]
    fn the_commands_in_the_book_and_the_readmes_are_commands() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a repository");
        let mut files: Vec<_> =
            std::fs::read_dir(root.join("docs/src")).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "md"));
        files.extend(["README.md", "cli/README.md"].map(|file| root.join(file)));
        let mut seen = 0;
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            for block in text.split("\n```").skip(1).step_by(2) {
                let Some((language, lines)) = block.split_once('\n') else { continue };
                let is_command = |line: &&str| line.starts_with("polyplug ") && matches!(language, "sh" | "text");
                for line in lines.lines().map(|line| line.strip_prefix("$ ").unwrap_or(line)).filter(is_command) {
                    if let Err(error) = Args::try_parse_from(words(line)) {
                        panic!("{}: {line}\n{error}", file.display());
                    }
                    seen += 1;
                }
            }
        }
        assert!(seen > 15, "{seen} commands were seen");
    }
}
