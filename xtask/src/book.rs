//! `cargo xtask book`: the book in `docs/` as HTML, in the target directory.
//!
//! The package that builds it is a workspace of its own.

use anyhow::Result;

use crate::process::{self, Observed};
use crate::{summary, workspace};

const MANIFEST: &str = "xtask/book/Cargo.toml";

/// Builds the book. A link that leads nowhere, and a page that is not listed, are errors.
pub(crate) fn run() -> Result<()> {
    let out = workspace::target_dir().join("book");
    process::run(process::cargo().args(["run", "--quiet", "--locked", "--manifest-path", MANIFEST, "--"]).arg(out))
}

/// Runs the tests of the package, which build the book and check its links and those of the readmes.
pub(crate) fn test() -> Result<Observed> {
    process::observe(process::cargo().args(["test", "--locked", "--manifest-path", MANIFEST]), summary::of_libtest)
}
