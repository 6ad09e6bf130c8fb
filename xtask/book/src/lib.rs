//! The book as HTML, and a check of the links of its pages and of the other documents in the repository.
//!
//! [`build`] makes the book and reads the pages that it has made. [`documents::check`] reads the Markdown files outside of
//! the book, which are shown as they are.

pub mod documents;
mod html;
mod links;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use mdbook_driver::MDBook;
use mdbook_driver::book::BookItem;

/// Builds the book in the folder `book` into the folder `out`, which it empties first. Returns what is wrong with the
/// book's pages: pages that `SUMMARY.md` lacks, and links that lead nowhere.
///
/// # Errors
///
/// If the book cannot be built: `SUMMARY.md` names a page that does not exist, for example.
pub fn build(book: &Path, out: &Path) -> Result<Vec<String>> {
    let mut book = MDBook::load(book)?;
    out.clone_into(&mut book.config.build.build_dir);
    let mut problems = unlisted(&book)?;
    book.build()?;
    problems.extend(html::check(out)?);
    Ok(problems)
}

/// Returns a message for each page that `SUMMARY.md` lacks.
fn unlisted(book: &MDBook) -> Result<Vec<String>> {
    let listed: HashSet<PathBuf> = book
        .iter()
        .filter_map(|item| match item {
            BookItem::Chapter(chapter) => chapter.source_path.clone(),
            _ => None,
        })
        .collect();
    let source = book.source_dir();
    let mut problems = Vec::new();
    for page in files(&source, "md", &[])? {
        let page = page.strip_prefix(&source).unwrap_or(&page);
        if page != Path::new("SUMMARY.md") && !listed.contains(page) {
            problems.push(format!("{}: SUMMARY.md does not list this page", page.display()));
        }
    }
    Ok(problems)
}

/// Returns the files below `folder` with an extension, by name. Folders of a name in `except` are passed over.
fn files(folder: &Path, extension: &str, except: &[&str]) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            if !except.iter().any(|name| entry.file_name() == *name) {
                found.extend(files(&path, extension, except)?);
            }
        } else if path.extension().is_some_and(|other| other == extension) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
