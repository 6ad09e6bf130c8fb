//! Reading a source file into a [`Source`].

use syn::visit::{self, Visit};
use syn::{
    Attribute, Field, ImplItem, Item, ItemMacro, ItemMod, ItemUse, Macro, Path, Stmt, TraitItem, UseTree, Visibility,
};

use super::cfg;
use super::source::{Bound, Mention, Mod, Scope, Source, Use};
use super::tokens::{self, name};

/// The macros whose tokens are code that is written elsewhere: `crate` in them is another crate.
const QUOTES: [&str; 4] = ["quote", "quote_spanned", "parse_quote", "parse_quote_spanned"];

/// Reads the text of a source file.
///
/// # Errors
///
/// If the text is not Rust: the line, and what the parser says.
pub(super) fn read(text: &str) -> Result<Source, (usize, String)> {
    let file = syn::parse_file(text).map_err(|error| (error.span().start().line, error.to_string()))?;
    let test_only = cfg::test_only(&file.attrs);
    let mut reader = Reader { scopes: vec![Scope::default()], scope: 0, in_body: false };
    if !test_only {
        file.items.iter().for_each(|item| reader.visit_item(item));
    }
    Ok(Source { scopes: reader.scopes, test_only })
}

/// Walks the syntax and fills the scopes.
struct Reader {
    scopes: Vec<Scope>,
    /// The scope of the module that is walked.
    scope: usize,
    /// The walk is inside of an item, where items and imports are local.
    in_body: bool,
}

impl Reader {
    fn scope(&mut self) -> &mut Scope {
        &mut self.scopes[self.scope]
    }

    /// Notes that `item` is defined in the module, and walks what is in it.
    fn define(&mut self, item: &Item) {
        if self.in_body {
            return visit::visit_item(self, item);
        }
        let scope = self.scope();
        scope.defines = true;
        scope.items.extend(item_name(item));
        self.in_body = true;
        visit::visit_item(self, item);
        self.in_body = false;
    }

    /// Notes a module, and walks one that is written out.
    fn module(&mut self, item: &ItemMod) {
        let test_only = cfg::test_only(&item.attrs);
        let mut declared = Mod { name: name(&item.ident), inline: None, path: cfg::path(&item.attrs), test_only };
        let outer = self.scope;
        if let Some((_, items)) = &item.content {
            if test_only {
                return;
            }
            self.scopes.push(Scope::default());
            self.scope = self.scopes.len() - 1;
            declared.inline = Some(self.scope);
            items.iter().for_each(|item| self.visit_item(item));
            self.scope = outer;
        }
        self.scope().mods.push(declared);
    }

    /// Notes each name of a `use`. One with a leading `::` names another crate.
    fn import(&mut self, item: &ItemUse) {
        if item.leading_colon.is_some() {
            return;
        }
        let reexport = !matches!(item.vis, Visibility::Inherited);
        let mut found = Vec::new();
        flatten(&item.tree, &[], reexport, &mut found);
        let local = self.in_body;
        let scope = self.scope();
        if local { scope.local_uses.extend(found) } else { scope.uses.extend(found) }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            // The file of a module for tests has to be known as one, so its declaration is noted.
            Item::Mod(module) if !self.in_body => self.module(module),
            _ if cfg::test_only(item_attrs(item)) => {}
            Item::Use(import) => self.import(import),
            _ => self.define(item),
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let attrs = match item {
            ImplItem::Const(item) => &item.attrs,
            ImplItem::Fn(item) => &item.attrs,
            ImplItem::Type(item) => &item.attrs,
            ImplItem::Macro(item) => &item.attrs,
            _ => return visit::visit_impl_item(self, item),
        };
        if !cfg::test_only(attrs) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_trait_item(&mut self, item: &'ast TraitItem) {
        let attrs = match item {
            TraitItem::Const(item) => &item.attrs,
            TraitItem::Fn(item) => &item.attrs,
            TraitItem::Type(item) => &item.attrs,
            TraitItem::Macro(item) => &item.attrs,
            _ => return visit::visit_trait_item(self, item),
        };
        if !cfg::test_only(attrs) {
            visit::visit_trait_item(self, item);
        }
    }

    fn visit_stmt(&mut self, statement: &'ast Stmt) {
        let attrs: &[Attribute] = match statement {
            Stmt::Local(local) => &local.attrs,
            Stmt::Macro(call) => &call.attrs,
            _ => &[],
        };
        if !cfg::test_only(attrs) {
            visit::visit_stmt(self, statement);
        }
    }

    fn visit_field(&mut self, field: &'ast Field) {
        if !cfg::test_only(&field.attrs) {
            visit::visit_field(self, field);
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        if let (None, Some(first)) = (path.leading_colon, path.segments.first()) {
            let line = first.ident.span().start().line;
            let path = path.segments.iter().map(|segment| name(&segment.ident)).collect();
            self.scope().mentions.push(Mention { path, line });
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.visit_path(&call.path);
        let quotes = call.path.segments.last().is_some_and(|last| QUOTES.contains(&name(&last.ident).as_str()));
        if !quotes {
            self.scope().mentions.extend(tokens::paths(call.tokens.clone()));
        }
    }

    fn visit_item_macro(&mut self, item: &'ast ItemMacro) {
        self.visit_macro(&item.mac);
    }

    // Neither an attribute nor a `pub(in path)` is a use of what it names.
    fn visit_attribute(&mut self, _: &'ast Attribute) {}
    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}

/// Adds the names that `tree` imports, each with its whole path.
fn flatten(tree: &UseTree, prefix: &[String], reexport: bool, found: &mut Vec<Use>) {
    let extended = |ident| [prefix, &[name(ident)]].concat();
    let (path, bound, line) = match tree {
        UseTree::Path(inner) => return flatten(&inner.tree, &extended(&inner.ident), reexport, found),
        UseTree::Group(group) => return group.items.iter().for_each(|tree| flatten(tree, prefix, reexport, found)),
        UseTree::Glob(glob) => (prefix.to_vec(), Bound::Glob, glob.star_token.spans[0].start().line),
        UseTree::Name(item) => {
            let line = item.ident.span().start().line;
            let path = if item.ident == "self" { prefix.to_vec() } else { extended(&item.ident) };
            let bound = path.last().cloned().map_or(Bound::Nothing, Bound::Name);
            (path, bound, line)
        }
        UseTree::Rename(item) => {
            let line = item.ident.span().start().line;
            let path = if item.ident == "self" { prefix.to_vec() } else { extended(&item.ident) };
            (path, renamed(item), line)
        }
    };
    found.push(Use { path, name: bound, reexport, line });
}

fn renamed(item: &syn::UseRename) -> Bound {
    let rename = name(&item.rename);
    if rename == "_" { Bound::Nothing } else { Bound::Name(rename) }
}

/// Returns the name under which an item can be imported.
fn item_name(item: &Item) -> Option<String> {
    Some(name(match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::ExternCrate(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    }))
}

fn item_attrs(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
