//! `cargo xtask doc`: the book and the API documentation.

use std::env;

use anyhow::Result;

use crate::workspace;
use crate::{process, python};

pub(crate) fn run() -> Result<()> {
    python::required()?;
    book()?;
    rustdoc()?;
    println!("{}", workspace::target_dir().join("doc/polyplug/index.html").display());
    Ok(())
}

/// Builds the API documentation of the framework's crates. Warnings are errors.
pub(crate) fn rustdoc() -> Result<()> {
    let flags = env::var("RUSTDOCFLAGS").unwrap_or_default();
    let flags = format!("{flags} -Dwarnings");
    process::run(process::cargo().args(["doc", "--no-deps"]).env("RUSTDOCFLAGS", flags.trim()))
}

/// Builds the book in `docs/`, if `mdbook` is installed.
fn book() -> Result<()> {
    if !process::succeeds(process::program("mdbook").arg("--version")) {
        eprintln!("The book is not built: `mdbook` is not installed. Get it with `cargo install --locked mdbook`.");
        return Ok(());
    }
    process::run(process::program("mdbook").args(["build", "docs"]))?;
    println!("{}", workspace::root().join("docs/book/index.html").display());
    Ok(())
}
