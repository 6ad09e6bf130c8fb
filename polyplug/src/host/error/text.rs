//! Lists as text, for the messages of errors.

use std::fmt::Display;
use std::path::PathBuf;

pub(crate) fn lines(differences: &[impl Display]) -> String {
    differences.iter().map(|difference| format!("\n  {difference}")).collect()
}

pub(crate) fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

pub(crate) fn paths(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", nor ")
}

pub(crate) fn join_paths(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" and ")
}
