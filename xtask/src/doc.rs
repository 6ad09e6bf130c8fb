//! `cargo xtask doc`: the book and the API documentation.

use std::env;

use anyhow::Result;

use crate::workspace;
use crate::{book, process, python};

pub(crate) fn run() -> Result<()> {
    python::required()?;
    book::run()?;
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
