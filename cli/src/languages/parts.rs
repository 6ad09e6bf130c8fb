//! What the generators ask of a schema.

use std::collections::BTreeSet;

use polyplug::schema::{Definition, Field, Interface, Method, Schema, Shape, TypeRef};

use super::names;

/// Returns the methods of the contract, and those of the objects that it takes.
pub(super) fn all_methods(schema: &Schema) -> impl Iterator<Item = &Method> {
    schema.methods.iter().chain(objects(schema).flat_map(|(_, _, interface)| &interface.methods))
}

/// Returns the objects that the contract takes, with the names of their types, each once: an object that is lent and one
/// that is kept have a definition each.
pub(super) fn objects(schema: &Schema) -> impl Iterator<Item = (String, &Definition, &Interface)> {
    let mut seen = BTreeSet::new();
    schema.types.iter().filter_map(move |definition| match &definition.shape {
        Shape::Object(interface) if seen.insert((&interface.contract, interface.major)) => {
            Some((names::object(schema, interface), definition, interface))
        }
        _ => None,
    })
}

/// Returns the numbers of the definitions that methods declare as their errors.
pub(super) fn errors(schema: &Schema) -> BTreeSet<u32> {
    let declared = all_methods(schema).filter_map(|method| match declared(method)?.1 {
        TypeRef::Named(number) => Some(*number),
        _ => None,
    });
    declared.collect()
}

/// Returns the answer and the declared error of a method that declares one.
pub(super) fn declared(method: &Method) -> Option<(&TypeRef, &TypeRef)> {
    match &method.result {
        TypeRef::Result(answer, error) => Some((answer, error)),
        _ => None,
    }
}

/// Returns what a method returns where a declared error is raised.
pub(super) fn answer(method: &Method) -> &TypeRef {
    declared(method).map_or(&method.result, |(answer, _)| answer)
}

/// Returns whether a value of the type may be an option without a value, so that an option of it is no plain one.
pub(super) fn may_be_none(ty: &TypeRef) -> bool {
    match ty {
        TypeRef::Unit | TypeRef::Option(_) => true,
        TypeRef::Box(of) => may_be_none(of),
        _ => false,
    }
}

/// Returns whether fields have numbers in place of names.
pub(super) fn are_numbered(fields: &[Field]) -> bool {
    fields.first().is_some_and(|field| field.name == "0")
}

/// Returns the minor versions that plugins and callers may name, oldest first. Of a contract with very many, these are the ones
/// that brought methods, and the first ones.
pub(super) fn minors(schema: &Schema) -> Vec<u32> {
    const ALL_UP_TO: u32 = 64;
    let first = 0..=schema.minor.min(ALL_UP_TO);
    let steps = schema.methods.iter().map(|method| method.since).filter(|since| *since <= schema.minor);
    let all: BTreeSet<u32> = first.chain(steps).chain([schema.minor]).collect();
    all.into_iter().collect()
}

/// Returns the older ones of these versions in which the contract had fewer methods.
pub(super) fn older_minors(schema: &Schema) -> Vec<u32> {
    let newest = schema.methods.iter().map(|method| method.since).max().unwrap_or(0);
    minors(schema).into_iter().filter(|minor| *minor < newest.min(schema.minor)).collect()
}

/// Returns a text as a literal in double quotes, for the names of contracts: these have no quotes and no backslashes.
pub(super) fn key(schema: &Schema) -> String {
    format!("\"{}@{}\"", schema.name, schema.major)
}

/// The way that a value takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// To the plugin: an argument of the plugin's, or what a call returns. Values have one form.
    Received,
    /// From the plugin: what the plugin returns, or an argument of a call. Several forms are accepted.
    Given,
}

impl Way {
    pub(super) fn back(self) -> Self {
        match self {
            Self::Received => Self::Given,
            Self::Given => Self::Received,
        }
    }
}
