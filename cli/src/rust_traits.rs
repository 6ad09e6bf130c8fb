//! The traits of a Rust crate that are contracts, read from the crate's source.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprLit, FnArg, Item, ItemTrait, Lit, Meta, Pat, ReturnType, TraitItem, Type, UseTree};

use crate::contracts::is_wanted;

/// A trait with `#[polyplug::contract]`.
pub(crate) struct ContractTrait {
    /// The name of the trait.
    pub(crate) name: String,
    /// The contract's name with the major version, such as `demo.store@1`.
    pub(crate) contract: String,
    /// The path of the module that has the trait, without the crate; empty for the crate's root.
    pub(crate) module: Vec<String>,
    pub(crate) methods: Vec<Method>,
    /// The paths of what the methods' signatures name by imports of the module alone, such as `std::collections::BTreeMap`.
    pub(crate) imports: Vec<String>,
}

/// A method of a contract, without those that have a body of their own.
pub(crate) struct Method {
    pub(crate) name: String,
    /// The signature as the source has it: `fn greet(&self, name: &str) -> String`.
    pub(crate) signature: String,
    pub(crate) arguments: Vec<(String, Type)>,
    pub(crate) result: Option<Type>,
}

/// Returns the trait of a contract: of the only one, if none is named.
pub(crate) fn find(folder: &Path, contract: Option<&str>) -> Result<ContractTrait> {
    let mut all = all(folder)?;
    let names: Vec<_> = all.iter().map(|found| found.contract.clone()).collect();
    all.retain(|found| is_wanted(&found.contract, contract));
    match (all.pop(), all.is_empty()) {
        (Some(found), true) => Ok(found),
        (Some(_), false) => {
            bail!("{}: there are several contracts: say which by `--contract`: {}", folder.display(), names.join(", "))
        }
        (None, _) if names.is_empty() => {
            bail!("{}: no trait with `#[polyplug::contract(name = .., version = ..)]` in src", folder.display())
        }
        (None, _) => bail!(
            "{}: there is no contract `{}`, only {}",
            folder.display(),
            contract.unwrap_or_default(),
            names.join(", ")
        ),
    }
}

fn all(folder: &Path) -> Result<Vec<ContractTrait>> {
    let root = folder.join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
        paths.sort();
        for path in paths {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
                let file = syn::parse_file(&text).map_err(|error| {
                    let at = error.span().start();
                    anyhow!("{}:{}:{}: {error}", path.display(), at.line, at.column + 1)
                })?;
                of_items(&file.items, &module(&root, &path), &mut found);
            }
        }
    }
    Ok(found)
}

/// Returns the path of the module that a file has.
fn module(root: &Path, file: &Path) -> Vec<String> {
    let relative = file.strip_prefix(root).unwrap_or(file).with_extension("");
    let mut parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod" || (parts.len() == 1 && last == "lib")) {
        parts.pop();
    }
    parts
}

fn of_items(items: &[Item], module: &[String], found: &mut Vec<ContractTrait>) {
    for item in items {
        match item {
            Item::Mod(inner) => {
                if let Some((_, items)) = &inner.content {
                    let mut module = module.to_vec();
                    module.push(inner.ident.to_string());
                    of_items(items, &module, found);
                }
            }
            Item::Trait(item) => {
                if let Some(contract) = item.attrs.iter().find_map(contract) {
                    let methods = methods(item);
                    let name = item.ident.to_string();
                    let imports = imports(items, &methods);
                    found.push(ContractTrait { name, contract, module: module.to_vec(), methods, imports });
                }
            }
            _ => {}
        }
    }
}

/// Returns the paths that a module imports for itself, from the standard library or from its own crate, and that signatures
/// name.
fn imports(items: &[Item], methods: &[Method]) -> Vec<String> {
    let mut paths = Vec::new();
    for item in items {
        if let Item::Use(item) = item
            && matches!(item.vis, syn::Visibility::Inherited)
        {
            leaves(&item.tree, &mut Vec::new(), &mut paths);
        }
    }
    paths.retain(|path| {
        let name = path.last().map_or("", String::as_str);
        matches!(path[0].as_str(), "std" | "core" | "alloc" | "crate")
            && methods.iter().any(|method| names(&method.signature).any(|word| word == name))
    });
    paths.into_iter().map(|path| path.join("::")).collect()
}

/// Returns the words in a piece of code.
pub(crate) fn names(code: &str) -> impl Iterator<Item = &str> {
    code.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
}

fn leaves(tree: &UseTree, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    match tree {
        UseTree::Path(inner) => {
            path.push(inner.ident.to_string());
            leaves(&inner.tree, path, found);
            path.pop();
        }
        UseTree::Name(name) => found.push(path.iter().cloned().chain([name.ident.to_string()]).collect()),
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, path, found)),
        UseTree::Rename(_) | UseTree::Glob(_) => {}
    }
}

/// Returns the name and the major version in `#[contract(name = "..", version = "..")]`.
fn contract(attribute: &Attribute) -> Option<String> {
    if attribute.path().segments.last()?.ident != "contract" {
        return None;
    }
    let list = attribute.meta.require_list().ok()?;
    let metas = list.parse_args_with(syn::punctuated::Punctuated::<Meta, syn::Token![,]>::parse_terminated).ok()?;
    let value = |wanted: &str| {
        metas.iter().find_map(|meta| match meta {
            Meta::NameValue(pair) if pair.path.is_ident(wanted) => match &pair.value {
                Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        })
    };
    let (name, version) = (value("name")?, value("version")?);
    Some(format!("{name}@{}", version.split('.').next().unwrap_or_default()))
}

fn methods(item: &ItemTrait) -> Vec<Method> {
    let methods = item.items.iter().filter_map(|item| match item {
        TraitItem::Fn(method) if method.default.is_none() => Some(method),
        _ => None,
    });
    methods
        .map(|method| {
            let arguments = method.sig.inputs.iter().filter_map(|argument| match argument {
                FnArg::Typed(typed) => match &*typed.pat {
                    Pat::Ident(name) => Some((name.ident.to_string(), (*typed.ty).clone())),
                    _ => None,
                },
                FnArg::Receiver(_) => None,
            });
            let result = match &method.sig.output {
                ReturnType::Type(_, ty) => Some((**ty).clone()),
                ReturnType::Default => None,
            };
            Method {
                name: method.sig.ident.to_string(),
                // The text of the source, so that the formatting is the author's.
                signature: method.sig.span().source_text().unwrap_or_default(),
                arguments: arguments.collect(),
                result,
            }
        })
        .collect()
}

/// What a value is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum For<'a> {
    /// An argument of a call, such as `"Ada"` and 2.
    Argument,
    /// The result of a method that is not written yet, such as this text and zero.
    Result(&'a str),
}

/// Returns a value of a type as an expression in Rust, or `None` for a type whose values are not obvious.
pub(crate) fn value(ty: &Type, of: For<'_>) -> Option<String> {
    let (text, truth, number, float) = match of {
        For::Argument => ("Ada", "true", "2", "1.5"),
        For::Result(text) => (text, "false", "0", "0.0"),
    };
    let path = match ty {
        Type::Tuple(tuple) => {
            let parts: Option<Vec<_>> = tuple.elems.iter().map(|part| value(part, of)).collect();
            let parts = parts?;
            return Some(if parts.len() == 1 { format!("({},)", parts[0]) } else { format!("({})", parts.join(", ")) });
        }
        Type::Reference(reference) => {
            return match &*reference.elem {
                Type::Path(path) if path.path.is_ident("str") => Some(format!("{text:?}")),
                Type::Slice(_) => Some("&[]".to_owned()),
                referred => value(referred, of).map(|value| format!("&{value}")),
            };
        }
        Type::Path(path) => &path.path,
        _ => return None,
    };
    let last = path.segments.last()?;
    let first_argument = || match &last.arguments {
        syn::PathArguments::AngleBracketed(list) => list.args.iter().find_map(|argument| match argument {
            syn::GenericArgument::Type(ty) => Some(ty),
            _ => None,
        }),
        _ => None,
    };
    Some(match last.ident.to_string().as_str() {
        "bool" => truth.to_owned(),
        "char" => "'a'".to_owned(),
        "f32" | "f64" => float.to_owned(),
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" => number.to_owned(),
        "String" => format!("{text:?}.to_owned()"),
        "Vec" => "Vec::new()".to_owned(),
        "Option" => "None".to_owned(),
        "HashMap" | "BTreeMap" => "Default::default()".to_owned(),
        "Result" => format!("Ok({})", value(first_argument()?, of)?),
        "Box" => format!("Box::new({})", value(first_argument()?, of)?),
        _ => return None,
    })
}
