//! The links of pages in HTML.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use html5ever::TokenizerResult;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, StartTag, TagToken, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

use crate::files;
use crate::links::Target;

/// Pages that mdBook makes beside those of the book: all pages in one, whose anchors it changes, and the page for
/// addresses that do not exist, which is shown at any address.
const MADE: [&str; 2] = ["print.html", "404.html"];

/// Returns a message for each link on the pages in `folder` that leads nowhere.
pub(crate) fn check(folder: &Path) -> Result<Vec<String>> {
    let mut pages = HashMap::new();
    for path in files(folder, "html", &[])? {
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        pages.insert(path, Page::read(&text));
    }
    let mut names: Vec<&PathBuf> = pages.keys().collect();
    names.retain(|path| !MADE.iter().any(|made| **path == folder.join(made)));
    names.sort();
    let mut problems = Vec::new();
    for path in names {
        let name = path.strip_prefix(folder).unwrap_or(path).display();
        for link in &pages[path].links {
            if let Some(problem) = problem(path, link, &pages) {
                problems.push(format!("{name}: {link}: {problem}"));
            }
        }
    }
    Ok(problems)
}

/// Returns what is wrong with a link of a page.
fn problem(page: &Path, link: &str, pages: &HashMap<PathBuf, Page>) -> Option<&'static str> {
    let target = Target::resolve(page, link)?;
    if !target.file.is_file() {
        return Some("there is no such page or file");
    }
    let anchor = target.anchor?;
    let there = pages.get(&target.file).is_some_and(|page| page.ids.contains(&anchor));
    (!there).then_some("the page has no such anchor")
}

/// The anchors of a page, and its links.
#[derive(Default)]
struct Page {
    ids: HashSet<String>,
    links: Vec<String>,
}

impl Page {
    fn read(text: &str) -> Self {
        let tokenizer = Tokenizer::new(Reader::default(), TokenizerOpts::default());
        let input = BufferQueue::default();
        input.push_back(StrTendril::from(text));
        while !matches!(tokenizer.feed(&input), TokenizerResult::Done) {}
        tokenizer.end();
        tokenizer.sink.0.into_inner()
    }
}

/// What collects the anchors and links of a page while it is read.
#[derive(Default)]
struct Reader(RefCell<Page>);

impl TokenSink for Reader {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let TagToken(tag) = token else { return TokenSinkResult::Continue };
        if tag.kind != StartTag {
            return TokenSinkResult::Continue;
        }
        let mut page = self.0.borrow_mut();
        for attribute in &tag.attrs {
            match &*attribute.name.local {
                "id" => {
                    page.ids.insert(attribute.value.to_string());
                }
                "href" | "src" => page.links.push(attribute.value.to_string()),
                _ => {}
            }
        }
        // What is in these is no HTML.
        match &*tag.name {
            "script" => TokenSinkResult::RawData(RawKind::ScriptData),
            "style" => TokenSinkResult::RawData(RawKind::Rawtext),
            _ => TokenSinkResult::Continue,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_and_links_are_read_and_scripts_are_not() {
        let page = Page::read(
            r##"<h1 id="top">A <a href="b.html#c&amp;d">b</a></h1><script src="x.js">s = '<a href="no">';</script>
            <style>/* <a href="no"> */</style><!-- <a href="no"> --><img src="i.png">"##,
        );
        assert_eq!(page.links, ["b.html#c&d", "x.js", "i.png"]);
        assert_eq!(page.ids, HashSet::from(["top".to_owned()]));
    }
}
