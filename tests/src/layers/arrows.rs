//! The arrows of a crate: which file uses what another one defines, and in which line.

use std::collections::{BTreeMap, BTreeSet};

use super::resolve::{Place, Target};
use super::source::{Bound, Mention, Use};
use super::tree::{Tree, folder_of};

/// The arrows between files: from, to, and the first line that makes it.
pub(super) type Arrows = BTreeMap<(String, String), Arrow>;

/// One line that makes an arrow.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Arrow {
    pub(super) line: usize,
    /// The path as it stands there.
    pub(super) path: String,
}

/// An import by way of the face of the importing file's own folder.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Detour {
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) path: String,
    pub(super) face: String,
    pub(super) definition: String,
}

/// The arrows and detours of a crate.
#[derive(Debug, Default)]
pub(super) struct Imports {
    pub(super) arrows: Arrows,
    pub(super) detours: BTreeSet<Detour>,
}

impl Imports {
    /// Follows every import and every path of the crate.
    pub(super) fn of(tree: &Tree) -> Self {
        let mut imports = Self::default();
        for module in 0..tree.modules.len() {
            Walk { tree, module, imports: &mut imports }.walk();
        }
        imports
    }
}

/// One module whose imports are followed.
struct Walk<'a> {
    tree: &'a Tree,
    module: usize,
    imports: &'a mut Imports,
}

impl Walk<'_> {
    fn walk(&mut self) {
        let scope = self.tree.scope(self.module);
        scope.uses.iter().chain(&scope.local_uses).for_each(|import| self.import(import));
        scope.mentions.iter().for_each(|mention| self.mention(mention));
    }

    fn import(&mut self, import: &Use) {
        let targets = match &import.name {
            // To hand a name on is no use of it.
            Bound::Name(name) if import.reexport && !self.mentioned(name) => return,
            Bound::Glob => return self.glob(import),
            Bound::Name(name) => {
                let mut targets = self.tree.resolve(self.module, &import.path);
                if self.is_path_of_others(name) {
                    // What is used of an imported module makes arrows of its own.
                    targets.retain(|target| !matches!(target.place, Place::Module(_)));
                }
                targets
            }
            Bound::Nothing => self.tree.resolve(self.module, &import.path),
        };
        targets.iter().for_each(|target| self.arrow(target, import.line, &import.path));
    }

    /// Follows the names that a `*` may bring. One that brings none counts as a use of the module itself.
    fn glob(&mut self, import: &Use) {
        let mut brought = false;
        for mention in &self.tree.scope(self.module).mentions {
            let Some(name) = mention.path.first().filter(|name| !self.tree.knows(self.module, name)) else { continue };
            for target in self.tree.by_glob(self.module, import, name) {
                brought = true;
                self.arrow(&target, import.line, &[&import.path[..], std::slice::from_ref(name)].concat());
            }
        }
        if !brought && !import.reexport {
            let targets = self.tree.resolve(self.module, &import.path);
            targets.iter().for_each(|target| self.arrow(target, import.line, &import.path));
        }
    }

    /// Follows a path in the code. A name alone was imported, and counts there.
    fn mention(&mut self, mention: &Mention) {
        let Some(first) = mention.path.first().filter(|_| mention.path.len() > 1) else { return };
        let mut targets = self.tree.resolve(self.module, &mention.path);
        if targets.is_empty() {
            targets = self.by_local_import(first, &mention.path);
        }
        targets.iter().for_each(|target| self.arrow(target, mention.line, &mention.path));
    }

    /// Resolves a path whose first name is imported in the body of a function.
    fn by_local_import(&self, first: &str, path: &[String]) -> Vec<Target> {
        let locals = &self.tree.scope(self.module).local_uses;
        let import = locals.iter().find(|import| matches!(&import.name, Bound::Name(name) if name == first));
        import.map_or_else(Vec::new, |import| self.tree.resolve(self.module, &[&import.path[..], &path[1..]].concat()))
    }

    /// Returns whether the name is used in the code of the module.
    fn mentioned(&self, name: &str) -> bool {
        self.tree.scope(self.module).mentions.iter().any(|mention| mention.path[0] == name)
    }

    /// Returns whether a path in the code of the module goes on from the name.
    fn is_path_of_others(&self, name: &str) -> bool {
        let mentions = &self.tree.scope(self.module).mentions;
        mentions.iter().any(|mention| mention.path.len() > 1 && mention.path[0] == name)
    }

    /// Notes that the module uses `target`, unless that is its own file or nothing that a file defines.
    fn arrow(&mut self, target: &Target, line: usize, path: &[String]) {
        let (Place::Module(at) | Place::Item(at) | Place::Unseen(at)) = target.place else { return };
        let (from, to) = (&self.tree.modules[self.module].file, &self.tree.modules[at].file);
        if from == to {
            return;
        }
        let path = path.join("::");
        self.detour(target, to, line, &path);
        if self.tree.is_face(from) || self.tree.is_face(to) {
            return;
        }
        let arrow = Arrow { line, path };
        let first = self.imports.arrows.entry((from.clone(), to.clone())).or_insert_with(|| arrow.clone());
        if arrow < *first {
            *first = arrow;
        }
    }

    /// Notes whether the way to `target` leads through the face of the module's own folder.
    fn detour(&mut self, target: &Target, definition: &str, line: usize, path: &str) {
        let own = ["crate", "self", "super"].iter().any(|word| path.starts_with(&format!("{word}::")));
        let Some(face) = target.through.iter().find(|face| own && self.is_own_face(**face, definition)) else { return };
        let [file, face] = [self.module, *face].map(|module| self.tree.modules[module].file.clone());
        self.imports.detours.insert(Detour {
            file,
            line,
            path: path.to_owned(),
            face,
            definition: definition.to_owned(),
        });
    }

    /// Returns whether `face` is a module above this one, and what it hands on is defined in its own folder.
    ///
    /// The crate's root counts only between files that both lie directly in the source folder.
    fn is_own_face(&self, face: usize, definition: &str) -> bool {
        let (module, above) = (&self.tree.modules[self.module], &self.tree.modules[face]);
        let direct = |file: &str| folder_of(file) == above.folder;
        let near = above.parent.is_some() || direct(&module.file) && direct(definition);
        let below = self.tree.is_below(self.module, face) && above.file != module.file;
        below && near && definition.starts_with(&above.folder)
    }
}
