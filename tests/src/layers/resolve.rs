//! Resolution of paths: from a path to the module that defines the name.

use super::source::{Bound, Use};
use super::tree::Tree;

/// A module or an item that a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) place: Place,
    /// The modules whose imports the path went through.
    pub(super) through: Vec<usize>,
}

/// The module that defines a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// The path names a module.
    Module(usize),
    /// An item of a module.
    Item(usize),
    /// The module exists, and no item of that name is visible in it. A macro makes the item.
    Unseen(usize),
    /// Another crate defines it.
    Elsewhere,
}

/// The imports that are being resolved, by module and index, so that a circle of them ends.
type Asked = Vec<(usize, usize)>;

impl Tree {
    /// Resolves `path` as it stands in `module`. Nothing comes out if the path begins outside of the crate.
    pub(super) fn resolve(&self, module: usize, path: &[String]) -> Vec<Target> {
        self.follow(module, path, &mut Vec::new())
    }

    fn follow(&self, module: usize, path: &[String], asked: &mut Asked) -> Vec<Target> {
        let Some((first, mut rest)) = path.split_first() else { return Vec::new() };
        let mut at = match first.as_str() {
            "crate" => self.root(module),
            "self" => module,
            "super" => match self.modules[module].parent {
                Some(parent) => parent,
                None => return Vec::new(),
            },
            name => {
                let found = self.look_up(module, name, asked);
                return self.go_on(found, rest, asked);
            }
        };
        while rest.first().is_some_and(|next| next == "super") {
            let Some(parent) = self.modules[at].parent else { return Vec::new() };
            (at, rest) = (parent, &rest[1..]);
        }
        self.descend(Target { place: Place::Module(at), through: Vec::new() }, rest, asked)
    }

    fn root(&self, module: usize) -> usize {
        let mut at = module;
        while let Some(parent) = self.modules[at].parent {
            at = parent;
        }
        at
    }

    /// Goes on from `target` by the names in `path`. Names after an item are part of the item.
    fn descend(&self, target: Target, path: &[String], asked: &mut Asked) -> Vec<Target> {
        let (Place::Module(module), Some((first, rest))) = (&target.place, path.split_first()) else {
            return vec![target];
        };
        let mut found = self.look_up(*module, first, asked);
        if found.is_empty() {
            found.push(Target { place: Place::Unseen(*module), through: Vec::new() });
        }
        found.iter_mut().for_each(|next| drop(next.through.splice(0..0, target.through.iter().copied())));
        self.go_on(found, rest, asked)
    }

    /// Goes on by the names in `path` from all that one name is. Before `::` a module hides an item of its name.
    fn go_on(&self, mut found: Vec<Target>, path: &[String], asked: &mut Asked) -> Vec<Target> {
        let is_module = |target: &Target| matches!(target.place, Place::Module(_));
        if !path.is_empty() && found.iter().any(is_module) {
            found.retain(is_module);
        }
        found.into_iter().flat_map(|target| self.descend(target, path, asked)).collect()
    }

    /// Returns everything that `name` is in `module`. A name may be a module and an item at once.
    fn look_up(&self, module: usize, name: &str, asked: &mut Asked) -> Vec<Target> {
        let mut found = self.own(module, name);
        found.extend(self.through_imports(module, name, false, asked));
        if found.is_empty() {
            found = self.through_imports(module, name, true, asked);
        }
        found
    }

    /// Returns what the module's imports bring by that name: those with `*` if `globs`, else the others.
    fn through_imports(&self, module: usize, name: &str, globs: bool, asked: &mut Asked) -> Vec<Target> {
        let mut found = Vec::new();
        for (index, import) in self.scope(module).uses.iter().enumerate() {
            let fits = match &import.name {
                Bound::Name(bound) => !globs && bound == name,
                Bound::Glob => globs,
                Bound::Nothing => false,
            };
            if fits && !asked.contains(&(module, index)) {
                asked.push((module, index));
                found.extend(self.imported(module, import, globs.then_some(name), asked));
                asked.pop();
            }
        }
        found
    }

    /// Returns what the module itself defines by that name.
    fn own(&self, module: usize, name: &str) -> Vec<Target> {
        let children = self.modules[module].children.get(name).into_iter().flatten().map(|child| Place::Module(*child));
        let item = self.scope(module).items.contains(name).then_some(Place::Item(module));
        children.chain(item).map(|place| Target { place, through: Vec::new() }).collect()
    }

    /// Returns what an import of `module` brings. Of a glob it returns what comes by the name `of_glob`.
    fn imported(&self, module: usize, import: &Use, of_glob: Option<&str>, asked: &mut Asked) -> Vec<Target> {
        let mut found = self.follow(module, &import.path, asked);
        if found.is_empty() && of_glob.is_none() {
            found.push(Target { place: Place::Elsewhere, through: Vec::new() });
        }
        if let Some(name) = of_glob {
            found = found.into_iter().flat_map(|target| self.member(target, name, asked)).collect();
        }
        found.iter_mut().for_each(|target| target.through.insert(0, module));
        found
    }

    /// Returns what a glob of `target` brings by that name.
    fn member(&self, target: Target, name: &str, asked: &mut Asked) -> Vec<Target> {
        let Place::Module(module) = target.place else { return Vec::new() };
        let mut found = self.look_up(module, name, asked);
        found.iter_mut().for_each(|next| drop(next.through.splice(0..0, target.through.iter().copied())));
        found
    }

    /// Returns what `name` is in `module` by way of the glob `import`.
    pub(super) fn by_glob(&self, module: usize, import: &Use, name: &str) -> Vec<Target> {
        self.imported(module, import, Some(name), &mut Vec::new())
    }

    /// Returns whether `module` knows `name` without its globs.
    pub(super) fn knows(&self, module: usize, name: &str) -> bool {
        let named = |import: &Use| matches!(&import.name, Bound::Name(bound) if bound == name);
        !self.own(module, name).is_empty() || self.scope(module).uses.iter().any(named)
    }
}
