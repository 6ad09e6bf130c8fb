//! The Markdown files outside of the book: readmes, notes for contributors.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use mdbook_markdown::pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::files;
use crate::links::Target;

/// Folders that are not of the repository, or are read elsewhere.
const EXCEPT: [&str; 4] = [".git", "docs", "node_modules", "target"];

/// Returns a message for each link of a document below `root` that leads to a file that does not exist, or to a heading
/// that its document does not have.
///
/// # Errors
///
/// If a file cannot be read.
pub fn check(root: &Path) -> Result<Vec<String>> {
    let mut anchors = HashMap::new();
    let mut problems = Vec::new();
    for path in files(root, "md", &EXCEPT)? {
        let name = path.strip_prefix(root).unwrap_or(&path).display();
        for link in links(&read(&path)?) {
            let Some(target) = Target::resolve(&path, &link) else { continue };
            if !target.file.exists() {
                problems.push(format!("{name}: {link}: there is no such file"));
                continue;
            }
            let Some(anchor) = target.anchor else { continue };
            if target.file.extension().is_none_or(|extension| extension != "md") {
                problems.push(format!("{name}: {link}: only documents in Markdown have anchors"));
                continue;
            }
            if !anchors.contains_key(&target.file) {
                anchors.insert(target.file.clone(), headings(&read(&target.file)?));
            }
            if !anchors[&target.file].contains(&anchor) {
                problems.push(format!("{name}: {link}: the document has no such heading"));
            }
        }
    }
    Ok(problems)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn parser(text: &str) -> Parser<'_> {
    Parser::new_ext(text, Options::ENABLE_TABLES)
}

/// Returns the links and images of a document.
fn links(text: &str) -> Vec<String> {
    let links = parser(text).filter_map(|event| match event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => Some(dest_url.into_string()),
        _ => None,
    });
    links.collect()
}

/// Returns the anchors of a document's headings.
fn headings(text: &str) -> HashSet<String> {
    let (mut anchors, mut heading) = (HashSet::new(), None::<String>);
    for event in parser(text) {
        match (event, &mut heading) {
            (Event::Start(Tag::Heading { .. }), _) => heading = Some(String::new()),
            (Event::End(TagEnd::Heading(_)), _) => {
                anchors.extend(heading.take().map(|heading| anchor(&heading)));
            }
            (Event::Text(text) | Event::Code(text), Some(heading)) => heading.push_str(&text),
            _ => {}
        }
    }
    anchors
}

/// Returns the anchor of a heading, as code hosts and mdBook make it.
fn anchor(heading: &str) -> String {
    let letters = heading.trim().chars().filter_map(|letter| match letter {
        ' ' => Some('-'),
        letter if letter.is_alphanumeric() || letter == '-' || letter == '_' => Some(letter),
        _ => None,
    });
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_have_anchors_in_lower_case() {
        let anchors = headings("# A `run_it` call, twice\n\ntext\n\n## .NET\n");
        assert_eq!(anchors, HashSet::from(["a-run_it-call-twice".to_owned(), "net".to_owned()]));
    }

    #[test]
    fn links_that_lead_nowhere_are_named() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(root.path().join(name), text).unwrap();
        write("code.rs", "");
        write("OTHER.md", "# Part\n\n[ok](https://example.org)\n");
        write(
            "README.md",
            "[a](OTHER.md#part) [b](OTHER.md#pert) [c](gone.md) [d](code.rs) [e](code.rs#L1)\n\n```text\n[f](gone)\n```\n",
        );
        assert_eq!(
            check(root.path()).unwrap(),
            [
                "README.md: OTHER.md#pert: the document has no such heading",
                "README.md: gone.md: there is no such file",
                "README.md: code.rs#L1: only documents in Markdown have anchors"
            ]
        );
    }
}
