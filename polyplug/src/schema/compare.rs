//! The comparison of the contract that a plugin implements with the contract that a host calls.
//!
//! Methods are matched by name and compared by structure: names of fields and cases matter, names of records do not. A
//! method that only one side has is not a difference if the other side can be older.

use std::collections::HashSet;
use std::fmt;

use crate::schema::names::spell;
use crate::schema::scalar::Scalar;
use crate::schema::schema::{Case, Definition, Field, Interface, Method, Schema, Shape, TypeRef};

/// A difference between the host's contract and the plugin's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The method, and the part of the method: ``add: argument `a` ``.
    pub place: String,
    /// The part in the host's contract.
    pub host: String,
    /// The part in the plugin's contract.
    pub plugin: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: the host has {}, the plugin {}", self.place, self.host, self.plugin)
    }
}

impl Schema {
    /// Returns the differences that prevent a plugin built against `plugin` from serving a host built against `self`.
    ///
    /// A method that only the plugin has is not a difference, and neither is a method of the host that is newer than
    /// the plugin.
    #[must_use]
    pub fn differences(&self, plugin: &Self) -> Vec<Difference> {
        self.differences_named(plugin, Names::OfHost)
    }

    /// Returns the same as [`differences`](Self::differences), with places that are named as one side names them.
    pub(super) fn differences_named(&self, plugin: &Self, names: Names) -> Vec<Difference> {
        let mut compare =
            Compare { host: self, plugin, names, found: Vec::new(), assumed: HashSet::new(), waiting: Vec::new() };
        for method in &self.methods {
            match plugin.method(&method.name) {
                Some((_, theirs)) => compare.method(method, theirs),
                None if method.since > plugin.minor => {}
                None => compare.found.push(Difference {
                    place: method.name.clone(),
                    host: format!("the method since {}.{}", self.major, method.since),
                    plugin: format!("version {}.{} without it", plugin.major, plugin.minor),
                }),
            }
        }
        compare.found
    }
}

/// The most bytes of the path from an argument or result to a type within it. A longer path is abbreviated.
const PLACE_LIMIT: usize = 200;

/// The side whose names of arguments and types appear in the places of differences.
#[derive(Clone, Copy)]
pub(super) enum Names {
    OfHost,
    OfPlugin,
}

impl Names {
    fn choose<'a>(self, host: &'a str, plugin: &'a str) -> &'a str {
        match self {
            Self::OfHost => host,
            Self::OfPlugin => plugin,
        }
    }
}

struct Compare<'a> {
    host: &'a Schema,
    plugin: &'a Schema,
    names: Names,
    found: Vec<Difference>,
    /// The pairs of definitions that are compared already, or waiting: types may contain themselves.
    assumed: HashSet<(u32, u32)>,
    /// The pairs of definitions still to be compared, with their places. A queue instead of recursion, because a chain
    /// of types may need more stack than the thread has.
    waiting: Vec<(String, &'a Definition, &'a Definition)>,
}

impl<'a> Compare<'a> {
    fn method(&mut self, host: &Method, plugin: &Method) {
        let name = &host.name;
        if host.arguments.len() != plugin.arguments.len() {
            self.differ(name.clone(), list(self.host, &host.arguments), list(self.plugin, &plugin.arguments));
        } else {
            // Calls do not use the names of arguments, so these may differ.
            for (ours, theirs) in host.arguments.iter().zip(&plugin.arguments) {
                let argument = self.names.choose(&ours.name, &theirs.name);
                self.all(&format!("{name}: argument `{argument}`"), &ours.ty, &theirs.ty);
            }
        }
        self.all(&format!("{name}: result"), &host.result, &plugin.result);
    }

    /// Compares two types and all types within them.
    fn all(&mut self, root: &str, host: &TypeRef, plugin: &TypeRef) {
        self.types(root, host, plugin);
        while let Some((place, host, plugin)) = self.waiting.pop() {
            let before = self.waiting.len();
            self.definitions(&place, host, plugin);
            // `pop` takes from the end: reversed, so that differences come in the order of the source.
            self.waiting[before..].reverse();
            for (place, ..) in &mut self.waiting[before..] {
                if place.len() > root.len() + PLACE_LIMIT {
                    *place = format!("{root}: ...");
                }
            }
        }
    }

    fn types(&mut self, place: &str, host: &TypeRef, plugin: &TypeRef) {
        use TypeRef::{Box, List, Map, Named, Option, Result, Tuple};
        match (host, plugin) {
            (List(ours), List(theirs)) | (Option(ours), Option(theirs)) | (Box(ours), Box(theirs))
                if !scalar(ours) && !scalar(theirs) =>
            {
                self.types(place, ours, theirs);
            }
            (Map(our_key, our_value), Map(their_key, their_value)) if our_key == their_key => {
                self.types(place, our_value, their_value);
            }
            (Result(our_ok, our_err), Result(their_ok, their_err)) => {
                self.types(&format!("{place} ok"), our_ok, their_ok);
                self.types(&format!("{place} err"), our_err, their_err);
            }
            (Tuple(ours), Tuple(theirs)) if ours.len() == theirs.len() => {
                for (i, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
                    self.types(&format!("{place}.{i}"), ours, theirs);
                }
            }
            (Named(ours), Named(theirs)) => {
                if self.assumed.insert((*ours, *theirs)) {
                    let (ours, theirs) = (self.host.definition(*ours), self.plugin.definition(*theirs));
                    self.waiting.push((place.to_owned(), ours, theirs));
                }
            }
            (ours, theirs) if ours == theirs => {}
            (ours, theirs) => self.differ(place.to_owned(), spell(self.host, ours), spell(self.plugin, theirs)),
        }
    }

    fn definitions(&mut self, place: &str, host: &'a Definition, plugin: &'a Definition) {
        let inside = format!("{place}: {}", self.names.choose(&host.name, &plugin.name));
        match (&host.shape, &plugin.shape) {
            (Shape::Record(ours), Shape::Record(theirs)) => self.fields(&inside, ours, theirs),
            (Shape::Enum(ours), Shape::Enum(theirs)) | (Shape::Variant(ours), Shape::Variant(theirs)) => {
                let since = |case: &Case| (case.name.clone(), case.since);
                if self.can_grow(
                    &ours.iter().map(since).collect::<Vec<_>>(),
                    &theirs.iter().map(since).collect::<Vec<_>>(),
                ) {
                    for (ours, theirs) in ours.iter().zip(theirs) {
                        self.fields(&format!("{inside}.{}", ours.name), &ours.fields, &theirs.fields);
                    }
                } else {
                    self.differ(inside, format!("the cases {}", names(ours)), names(theirs));
                }
            }
            (Shape::Object(ours), Shape::Object(theirs)) => self.objects(&inside, ours, theirs),
            (ours, theirs) => self.differ(inside, kind(ours).to_owned(), kind(theirs).to_owned()),
        }
    }

    /// Compares two objects. Methods of objects are called by their numbers, so the methods that both sides have must
    /// be the same, in the same order.
    fn objects(&mut self, place: &str, host: &'a Interface, plugin: &'a Interface) {
        if spell_object(host) != spell_object(plugin) {
            return self.differ(place.to_owned(), spell_object(host), spell_object(plugin));
        }
        for (ours, theirs) in host.methods.iter().zip(&plugin.methods) {
            if ours.name != theirs.name {
                let method = |method: &Method| format!("the method `{}`", method.name);
                self.differ(place.to_owned(), method(ours), method(theirs));
                return;
            }
            let place = format!("{place}.{}", ours.name);
            if ours.arguments.len() != theirs.arguments.len() {
                self.differ(place, list(self.host, &ours.arguments), list(self.plugin, &theirs.arguments));
                continue;
            }
            for (ours, theirs) in ours.arguments.iter().zip(&theirs.arguments) {
                let argument = self.names.choose(&ours.name, &theirs.name);
                self.types(&format!("{place}: argument `{argument}`"), &ours.ty, &theirs.ty);
            }
            self.types(&format!("{place}: result"), &ours.result, &theirs.result);
        }
    }

    fn fields(&mut self, place: &str, host: &[Field], plugin: &[Field]) {
        let since = |field: &Field| (field.name.clone(), field.since);
        if !self.can_grow(&host.iter().map(since).collect::<Vec<_>>(), &plugin.iter().map(since).collect::<Vec<_>>()) {
            self.differ(place.to_owned(), list(self.host, host), list(self.plugin, plugin));
            return;
        }
        for (ours, theirs) in host.iter().zip(plugin) {
            self.types(&format!("{place}.{}", ours.name), &ours.ty, &theirs.ty);
        }
    }

    /// Returns whether the parts of one side, with the minor versions that introduced them, are those of the other side,
    /// or those and more that the other side is too old to have.
    fn can_grow(&self, host: &[(String, u32)], plugin: &[(String, u32)]) -> bool {
        let (host_minor, plugin_minor) = (self.host.minor, self.plugin.minor);
        let common = host.len().min(plugin.len());
        host.iter().zip(plugin).all(|((ours, _), (theirs, _))| ours == theirs)
            && host[common..].iter().all(|(_, since)| *since > plugin_minor)
            && plugin[common..].iter().all(|(_, since)| *since > host_minor)
    }

    fn differ(&mut self, place: String, host: String, plugin: String) {
        self.found.push(Difference { place, host, plugin });
    }
}

fn spell_object(interface: &Interface) -> String {
    let how = if interface.kept { "a callback" } else { "an object lent" };
    format!("{how} of {}@{}", interface.contract, interface.major)
}

/// Returns whether a difference in the type is best shown with the enclosing type: `list<i32>` against `list<i64>`.
fn scalar(ty: &TypeRef) -> bool {
    ty.can_be_key() || matches!(ty, TypeRef::Scalar(Scalar::F32) | TypeRef::Scalar(Scalar::F64) | TypeRef::Unit)
}

pub(super) fn list(schema: &Schema, fields: &[Field]) -> String {
    let fields: Vec<_> = fields.iter().map(|field| format!("{}: {}", field.name, spell(schema, &field.ty))).collect();
    format!("({})", fields.join(", "))
}

fn names(cases: &[Case]) -> String {
    let names: Vec<_> = cases.iter().map(|case| case.name.as_str()).collect();
    names.join(", ")
}

const fn kind(shape: &Shape) -> &'static str {
    match shape {
        Shape::Record(_) => "a record",
        Shape::Enum(_) => "an enum",
        Shape::Variant(_) => "a variant",
        Shape::Object(_) => "an object",
    }
}
