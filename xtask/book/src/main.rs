//! Builds the book and checks its links.
//!
//! Usage: xtask-book FOLDER

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use xtask_book::{build, documents};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let Some(out) = env::args_os().nth(1) else { bail!("usage: xtask-book FOLDER") };
    let out = std::path::absolute(PathBuf::from(out))?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("/"));
    let mut problems = build(&root.join("docs"), &out)?;
    problems.extend(documents::check(root)?);
    if problems.is_empty() {
        println!("{}", out.join("index.html").display());
        return Ok(());
    }
    bail!("{} problems:\n  {}", problems.len(), problems.join("\n  "))
}
