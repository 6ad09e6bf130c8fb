//! The contents of one source file: its modules, its items, its imports, and the paths in its code.
//!
//! Code for tests is left out.

use std::collections::BTreeSet;

/// A source file that has been read.
#[derive(Debug)]
pub(super) struct Source {
    /// The file's own scope, then those of the modules written out in it.
    pub(super) scopes: Vec<Scope>,
    /// The whole file is compiled for tests only.
    pub(super) test_only: bool,
}

/// The contents of a module that stand in one file.
#[derive(Debug, Default)]
pub(super) struct Scope {
    pub(super) mods: Vec<Mod>,
    /// The names of the items that are defined here.
    pub(super) items: BTreeSet<String>,
    /// Something is defined here, with or without a name: also an `impl` or a call of a macro.
    pub(super) defines: bool,
    pub(super) uses: Vec<Use>,
    /// The imports that stand in the bodies of functions.
    pub(super) local_uses: Vec<Use>,
    /// The paths in the code, imports aside.
    pub(super) mentions: Vec<Mention>,
}

/// A module that is declared in a scope.
#[derive(Debug)]
pub(super) struct Mod {
    pub(super) name: String,
    /// The scope of a module that is written out, as an index into [`Source::scopes`].
    pub(super) inline: Option<usize>,
    /// The value of `#[path]`.
    pub(super) path: Option<String>,
    /// The module is compiled for tests only.
    pub(super) test_only: bool,
}

/// One name of a `use`.
#[derive(Debug)]
pub(super) struct Use {
    pub(super) path: Vec<String>,
    pub(super) name: Bound,
    /// The import has a visibility of its own, so that others import the name from here.
    pub(super) reexport: bool,
    pub(super) line: usize,
}

/// The name that an import brings into scope.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Bound {
    Name(String),
    /// Every name, by `*`.
    Glob,
    /// A trait's methods only, by `as _`.
    Nothing,
}

/// A path somewhere in the code.
#[derive(Debug)]
pub(super) struct Mention {
    pub(super) path: Vec<String>,
    pub(super) line: usize,
}

impl Source {
    /// Returns whether nothing is defined in the file: it has only modules, imports and words.
    pub(super) fn is_face(&self) -> bool {
        !self.scopes.iter().any(|scope| scope.defines)
    }
}
