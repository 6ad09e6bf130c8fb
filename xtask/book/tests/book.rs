//! The book is built without a problem, and each kind of problem in a book is found.

use std::fs;
use std::path::{Path, PathBuf};

use xtask_book::{build, documents};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

#[test]
fn the_book_has_no_problem() {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("book");
    let problems = build(&root().join("docs"), &out).unwrap();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(fs::read_to_string(out.join("index.html")).unwrap().contains("<h1 id=\"introduction\">"));
}

#[test]
fn the_other_documents_have_no_problem() {
    let problems = documents::check(root()).unwrap();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// A book in a folder of its own.
struct Book(tempfile::TempDir);

impl Book {
    fn new(pages: &[(&str, &str)]) -> Self {
        let book = Self(tempfile::tempdir().unwrap());
        fs::create_dir(book.path("src")).unwrap();
        fs::write(book.path("book.toml"), "[book]\ntitle = \"a\"\n[build]\ncreate-missing = false\n").unwrap();
        for (name, text) in pages {
            fs::write(book.path("src").join(name), text).unwrap();
        }
        book
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn problems(&self) -> Result<Vec<String>, String> {
        build(self.0.path(), &self.path("out")).map_err(|error| format!("{error:#}"))
    }
}

#[test]
fn links_that_lead_nowhere_and_unlisted_pages_are_named() {
    let book = Book::new(&[
        ("SUMMARY.md", "- [A](a.md)\n- [B](b.md)\n"),
        ("a.md", "# A\n\n[b](b.md#second-part), [none](c.md), [no part](b.md#third), [mine](#a), [file](b.txt)\n"),
        ("b.md", "# B\n\n## Second part\n\n[a](a.md#top)\n"),
        ("b.txt", ""),
        ("draft.md", "# Not listed\n"),
    ]);
    assert_eq!(
        book.problems().unwrap(),
        [
            "draft.md: SUMMARY.md does not list this page",
            "a.html: c.html: there is no such page or file",
            "a.html: b.html#third: the page has no such anchor",
            "b.html: a.html#top: the page has no such anchor",
            // mdBook makes the first page the index as well.
            "index.html: c.html: there is no such page or file",
            "index.html: b.html#third: the page has no such anchor",
        ]
    );
}

#[test]
fn a_listed_page_that_does_not_exist_is_an_error() {
    let book = Book::new(&[("SUMMARY.md", "- [A](a.md)\n")]);
    let error = book.problems().unwrap_err();
    assert!(error.contains("a.md"), "{error}");
}
