//! The tree of a crate's modules, and which file each of them stands in.

use std::collections::{BTreeMap, BTreeSet};

use super::Sources;
use super::read::read;
use super::report::Finding;
use super::source::{Mod, Scope, Source};

/// The files from which a crate's modules are found, in its source folder.
const ROOTS: [&str; 2] = ["lib.rs", "main.rs"];

/// A crate's modules.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) modules: Vec<Module>,
    sources: BTreeMap<String, Source>,
    /// The files that no module declaration leads to.
    pub(super) stray: BTreeSet<String>,
}

/// A module.
#[derive(Debug)]
pub(super) struct Module {
    pub(super) parent: Option<usize>,
    pub(super) file: String,
    scope: usize,
    /// The folder in which the files of the modules below lie, with a `/` at its end.
    pub(super) folder: String,
    /// The modules below by name. A condition may choose between two of one name.
    pub(super) children: BTreeMap<String, Vec<usize>>,
}

impl Tree {
    /// Reads the crate whose source folder is `folder`.
    pub(super) fn read(folder: &str, texts: &Sources, findings: &mut Vec<Finding>) -> Self {
        let mut sources = BTreeMap::new();
        for (path, text) in texts.range(format!("{folder}/")..).take_while(|(path, _)| below(path, folder)) {
            match read(text) {
                Ok(source) => drop(sources.insert(path.clone(), source)),
                Err((line, error)) => findings.push(Finding::new(path, line, format!("not Rust: {error}"))),
            }
        }
        let stray = sources.keys().cloned().collect();
        let mut tree = Self { modules: Vec::new(), sources, stray };
        for root in roots(folder, &tree.sources) {
            tree.add(None, root, 0, format!("{folder}/"));
        }
        tree
    }

    /// Returns the files of the crate, those for tests aside.
    pub(super) fn files(&self) -> BTreeSet<&str> {
        self.modules.iter().map(|module| module.file.as_str()).collect()
    }

    /// Returns whether nothing is defined in `file`.
    pub(super) fn is_face(&self, file: &str) -> bool {
        self.sources.get(file).is_some_and(Source::is_face)
    }

    /// Returns the contents of the module.
    pub(super) fn scope(&self, module: usize) -> &Scope {
        let Module { file, scope, .. } = &self.modules[module];
        &self.sources[file].scopes[*scope]
    }

    /// Returns whether `module` lies below `ancestor`.
    pub(super) fn is_below(&self, module: usize, ancestor: usize) -> bool {
        let mut above = self.modules[module].parent;
        while let Some(at) = above {
            if at == ancestor {
                return true;
            }
            above = self.modules[at].parent;
        }
        false
    }

    /// Adds a module and all below it.
    fn add(&mut self, parent: Option<usize>, file: String, scope: usize, folder: String) -> usize {
        self.stray.remove(&file);
        let at = self.modules.len();
        self.modules.push(Module { parent, file: file.clone(), scope, folder, children: BTreeMap::new() });
        // The declarations are read while the tree grows.
        let declared =
            std::mem::take(&mut self.sources.get_mut(&file).expect("a file that was read").scopes[scope].mods);
        for child in &declared {
            if child.test_only {
                self.leave_out(at, child);
            } else if let Some(below) = self.add_child(at, child) {
                self.modules[at].children.entry(child.name.clone()).or_default().push(below);
            }
        }
        self.sources.get_mut(&file).expect("a file that was read").scopes[scope].mods = declared;
        at
    }

    /// Adds a module that is declared in the module `parent`, unless its file does not exist or is for tests only.
    fn add_child(&mut self, parent: usize, child: &Mod) -> Option<usize> {
        let Module { file, folder, .. } = &self.modules[parent];
        if let Some(scope) = child.inline {
            let (file, folder) = (file.clone(), format!("{folder}{}/", child.path.as_ref().unwrap_or(&child.name)));
            return Some(self.add(Some(parent), file, scope, folder));
        }
        let (file, folder) = self.place(parent, child)?;
        if self.sources[&file].test_only {
            self.leave_out(parent, child);
            return None;
        }
        // A file that is a module twice, under two conditions, is walked for each.
        Some(self.add(Some(parent), file, 0, folder))
    }

    /// Returns the file of a declared module, and the folder of the modules below it.
    fn place(&self, parent: usize, child: &Mod) -> Option<(String, String)> {
        let Module { file, scope, folder, .. } = &self.modules[parent];
        let candidates = match &child.path {
            Some(path) => {
                let from = if *scope == 0 { folder_of(file) } else { folder };
                let file = normal(&format!("{from}{path}"));
                let below = folder_of(&file).to_owned();
                vec![(file, below)]
            }
            None => {
                let below = format!("{folder}{}/", child.name);
                vec![(format!("{folder}{}.rs", child.name), below.clone()), (format!("{below}mod.rs"), below)]
            }
        };
        candidates.into_iter().find(|(file, _)| self.sources.contains_key(file))
    }

    /// Takes the files of a module for tests out of the stray ones.
    fn leave_out(&mut self, parent: usize, child: &Mod) {
        let Some((file, folder)) = self.place(parent, child) else { return };
        let own_folder = folder != folder_of(&file) || file.ends_with("/mod.rs");
        self.stray.retain(|stray| *stray != file && !(own_folder && stray.starts_with(&folder)));
    }
}

/// Returns the root files of the crate.
fn roots(folder: &str, sources: &BTreeMap<String, Source>) -> Vec<String> {
    let binaries = format!("{folder}/bin/");
    let binary = |path: &&String| {
        path.strip_prefix(&binaries).is_some_and(|name| !name.contains('/') || name.ends_with("/main.rs"))
    };
    let named = ROOTS.map(|root| format!("{folder}/{root}")).into_iter().filter(|root| sources.contains_key(root));
    named.chain(sources.keys().filter(binary).cloned()).collect()
}

/// Returns whether `path` lies in `folder`.
fn below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Returns the folder of a file, with a `/` at its end.
pub(super) fn folder_of(file: &str) -> &str {
    &file[..file.rfind('/').map_or(0, |slash| slash + 1)]
}

/// Returns the path without `.` and `..`.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}
