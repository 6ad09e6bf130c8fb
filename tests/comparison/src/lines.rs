//! Lines of source files.

use anyhow::{Context, Result};

use crate::hosts::source;

/// Returns the number of lines of a file that are neither empty nor comments.
pub(crate) fn count(path: &str) -> Result<usize> {
    let text = std::fs::read_to_string(source(path)).with_context(|| path.to_owned())?;
    let comment = if path.ends_with(".lua") {
        "--"
    } else if path.ends_with(".py") || path.ends_with(".toml") {
        "#"
    } else if path.ends_with(".wat") {
        ";;"
    } else {
        "//"
    };
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(comment)).count())
}
