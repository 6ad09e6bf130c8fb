//! Tests of the book: its examples run, its tables of the ABI are correct, the project made by hand works as written.

#[cfg(test)]
mod abi;
#[cfg(test)]
mod blocks;
#[cfg(test)]
mod by_hand;
#[cfg(test)]
mod c;

#[cfg(test)]
use std::path::{Path, PathBuf};

#[cfg(doctest)]
mod examples {
    #[doc = include_str!("../../docs/src/introduction.md")]
    struct Introduction;

    #[doc = include_str!("../../docs/src/by-hand.md")]
    struct ByHand;

    #[doc = include_str!("../../docs/src/contracts.md")]
    struct Contracts;

    #[doc = include_str!("../../docs/src/types.md")]
    struct Types;

    #[doc = include_str!("../../docs/src/evolution.md")]
    struct Evolution;

    #[doc = include_str!("../../docs/src/recipes.md")]
    struct Recipes;

    #[doc = include_str!("../../docs/src/rust.md")]
    struct Rust;

    #[doc = include_str!("../../docs/src/lua.md")]
    struct Lua;

    #[doc = include_str!("../../docs/src/python.md")]
    struct Python;

    #[doc = include_str!("../../docs/src/javascript.md")]
    struct JavaScript;

    #[doc = include_str!("../../docs/src/dotnet.md")]
    struct DotNet;

    #[doc = include_str!("../../docs/src/cli.md")]
    struct Cli;

    #[doc = include_str!("../../docs/src/testing.md")]
    struct Testing;

    #[doc = include_str!("../../docs/src/lifecycle.md")]
    struct LifeCycle;

    #[doc = include_str!("../../docs/src/packs.md")]
    struct Packs;

    #[doc = include_str!("../../docs/src/security.md")]
    struct Security;

    #[doc = include_str!("../../docs/src/host-contracts.md")]
    struct HostContracts;

    #[doc = include_str!("../../docs/src/errors.md")]
    struct Errors;

    #[doc = include_str!("../../docs/src/c.md")]
    struct C;

    #[doc = include_str!("../../examples/c/README.md")]
    struct CExample;

    #[doc = include_str!("../../docs/src/loaders.md")]
    struct Loaders;

    #[doc = include_str!("../../docs/src/abi.md")]
    struct Abi;

    #[doc = include_str!("../../docs/src/design.md")]
    struct Design;
}

/// Returns the repository's folder.
#[cfg(test)]
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository is one folder up").to_owned()
}

/// Returns the text of a page of the book.
#[cfg(test)]
fn page(name: &str) -> String {
    let path = root().join("docs/src").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the contents of the first block in `language` after the first `mark` of a page.
#[cfg(test)]
fn block<'a>(page: &'a str, mark: &str, language: &str) -> &'a str {
    let behind = page.find(mark).unwrap_or_else(|| panic!("the page does not say: {mark}"));
    let fence = format!("\n```{language}");
    let open = page[behind..].find(&fence).unwrap_or_else(|| panic!("{mark}: no block in {language} follows"));
    let open = behind + open + 1;
    let start = open + page[open..].find('\n').expect("a block begins on the line after its fence") + 1;
    let end = page[start..].find("\n```").unwrap_or_else(|| panic!("{mark}: the block does not end"));
    &page[start..=start + end]
}
