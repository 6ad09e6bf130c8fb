//! The changes between two versions of a contract, with what each means for hosts and plugins that exist.
//!
//! What breaks is found by the comparison that the check at load makes, once with the older version as the host's and once
//! as the plugin's. What does not break is found by a walk over the parts that both versions have.

use std::collections::HashSet;
use std::fmt;

use crate::schema::compare::{Difference, Names, list};
use crate::schema::names::spell;
use crate::schema::schema::{Case, Definition, Field, Method, Schema, Shape, TypeRef};

/// A change between two versions of a contract. From [`compare`].
///
/// The [`Display`](fmt::Display) of a change is one line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The part that has changed: ``place: argument `order`: Order.note``.
    pub place: String,
    /// The part in the older version, or `None` if the part was added.
    pub old: Option<String>,
    /// The part in the newer version, or `None` if the part was removed.
    pub new: Option<String>,
    /// What the change means for hosts and plugins that exist.
    pub verdict: Verdict,
}

/// What a change of a contract means for hosts and plugins that were built against the older version. Verdicts are ordered
/// by how much they break.
///
/// A *host* is who calls the contract, and a *plugin* who implements it. For a contract that the host provides the two are
/// the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// Both sides work with each other, and calls cost what they cost before.
    Compatible,
    /// Both sides work with each other. Native calls of the methods concerned pass an adapter.
    Adapted,
    /// Plugins that exist are refused by hosts of the newer version.
    BreaksPlugins,
    /// Plugins of the newer version are refused by hosts that exist.
    BreaksHosts,
    /// Plugins of either version are refused by hosts of the other.
    Breaks,
}

impl Verdict {
    /// Returns whether hosts that exist refuse plugins of the newer version.
    #[must_use]
    pub const fn breaks_hosts(self) -> bool {
        matches!(self, Self::BreaksHosts | Self::Breaks)
    }

    /// Returns whether plugins that exist are refused by hosts of the newer version.
    #[must_use]
    pub const fn breaks_plugins(self) -> bool {
        matches!(self, Self::BreaksPlugins | Self::Breaks)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Compatible => "compatible",
            Self::Adapted => "compatible with an adapter",
            Self::BreaksPlugins => "breaking for plugins",
            Self::BreaksHosts => "breaking for hosts",
            Self::Breaks => "breaking for hosts and plugins",
        })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, old, new, verdict } = self;
        match (old, new) {
            (Some(old), Some(new)) => write!(f, "{place}: {old} became {new}")?,
            (None, Some(new)) => write!(f, "{place}: {new} was added")?,
            (Some(old), None) => write!(f, "{place}: {old} was removed")?,
            (None, None) => f.write_str(place)?,
        }
        write!(f, " ({verdict})")
    }
}

/// Returns the changes from an older version of a contract to a newer one, those that break first. The greatest verdict is
/// that of the whole.
///
/// Versions with another name or another major version are other contracts, which [`Change::place`] says then; the rest is
/// compared all the same.
///
/// ```
/// use polyplug::schema::{Schema, Verdict, compare};
/// # mod old {
/// #     #[polyplug::contract(name = "demo.store", version = "1.0")]
/// #     pub trait Store { fn place(&self, order: Order) -> u64; }
/// #     #[derive(polyplug::Type)]
/// #     pub struct Order { pub article: String }
/// # }
/// # mod new {
/// #     #[polyplug::contract(name = "demo.store", version = "1.1")]
/// #     pub trait Store {
/// #         fn place(&self, order: Order) -> u64;
/// #         #[contract(since = "1.1")]
/// #         fn cancel(&self, number: u64) -> bool;
/// #     }
/// #     #[derive(polyplug::Type)]
/// #     pub struct Order {
/// #         pub article: String,
/// #         #[contract(since = "1.1", default)]
/// #         pub note: Option<String>,
/// #     }
/// # }
///
/// let changes = compare(&Schema::of::<dyn old::Store>(), &Schema::of::<dyn new::Store>());
/// let lines: Vec<_> = changes.iter().map(ToString::to_string).collect();
/// assert_eq!(lines, [
///     "place: argument `order`: Order.note: option<string> since 1.1 was added (compatible with an adapter)",
///     "demo.store: version 1.0 became version 1.1 (compatible)",
///     "cancel: the method cancel(number: u64) -> bool since 1.1 was added (compatible)",
/// ]);
/// assert_eq!(changes.iter().map(|change| change.verdict).max(), Some(Verdict::Adapted));
/// ```
#[must_use]
pub fn compare(old: &Schema, new: &Schema) -> Vec<Change> {
    let mut changes = breaking(old, new);
    let mut walk = Walk { old, new, changes: Vec::new(), seen: HashSet::new(), waiting: Vec::new() };
    walk.contract();
    // What breaks is described once, and not as growth of its parts as well.
    let is_broken = |change: &Change| {
        let mut broken = changes.iter().filter_map(|broken| change.place.strip_prefix(broken.place.as_str()));
        broken.any(|rest| rest.is_empty() || (rest.starts_with('.') && change.verdict == Verdict::Adapted))
    };
    let others: Vec<_> = walk.changes.into_iter().filter(|change| !is_broken(change)).collect();
    changes.extend(others);
    changes.sort_by_key(|change| std::cmp::Reverse(change.verdict));
    changes
}

/// Returns the changes that break.
fn breaking(old: &Schema, new: &Schema) -> Vec<Change> {
    let of = |schema: &Schema| format!("{}@{}", schema.name, schema.major);
    let mut changes = Vec::new();
    if of(old) != of(new) {
        changes.push(Change::of(&new.name, of(old), of(new), Verdict::Breaks));
    } else if new.minor < old.minor {
        // A host may ask for the older version's methods, and `min_version` counts by the number.
        changes.push(Change::of(&new.name, version(old), version(new), Verdict::BreaksHosts));
    }
    for Difference { place, host, plugin } in old.differences_named(new, Names::OfPlugin) {
        changes.push(Change::between(&place, (old, host), (new, plugin), Verdict::BreaksHosts));
    }
    for Difference { place, host, plugin } in new.differences(old) {
        match changes.iter_mut().find(|change| change.place == place) {
            Some(change) => change.verdict = Verdict::Breaks,
            None => changes.push(Change::between(&place, (old, plugin), (new, host), Verdict::BreaksPlugins)),
        }
    }
    changes
}

/// Returns the text of a method that only one version has.
fn method_text(schema: &Schema, method: &Method) -> String {
    format!("the method {}{}", schema.signature(method), since(schema, method.since))
}

fn version(schema: &Schema) -> String {
    format!("version {}.{}", schema.major, schema.minor)
}

impl Change {
    fn of(place: &str, old: impl Into<Option<String>>, new: impl Into<Option<String>>, verdict: Verdict) -> Self {
        Self { place: place.to_owned(), old: old.into(), new: new.into(), verdict }
    }

    /// Makes a change of a part of both versions, or of a whole method that one of them has.
    fn between(place: &str, old: (&Schema, String), new: (&Schema, String), verdict: Verdict) -> Self {
        match (old.0.method(place), new.0.method(place)) {
            (Some((_, method)), None) => Self::of(place, method_text(old.0, method), None, verdict),
            (None, Some((_, method))) => Self::of(place, None, method_text(new.0, method), verdict),
            _ => Self::of(place, old.1, new.1, verdict),
        }
    }
}

/// The walk over the parts that both versions have.
struct Walk<'a> {
    old: &'a Schema,
    new: &'a Schema,
    changes: Vec<Change>,
    /// The pairs of definitions that are compared already, or waiting: types may contain themselves.
    seen: HashSet<(u32, u32)>,
    /// The pairs of definitions still to be compared, with their places. Not a recursion, as a chain of types may need more
    /// stack than the thread has.
    waiting: Vec<(String, &'a Definition, &'a Definition)>,
}

impl<'a> Walk<'a> {
    fn contract(&mut self) {
        let (old, new) = (self.old, self.new);
        self.changed(&new.name, version(old), version(new));
        self.docs(&new.name, &old.docs, &new.docs);
        for method in &new.methods {
            match old.method(&method.name) {
                Some((_, before)) => self.method(before, method),
                None => {
                    let text = method_text(new, method);
                    self.push(&method.name, None, Some(text), Verdict::Compatible);
                }
            }
        }
        for method in &old.methods {
            // A removed method breaks unless the newer version is too old to have it, which is said of the version.
            if new.method(&method.name).is_none() {
                let text = method_text(old, method);
                self.push(&method.name, Some(text), None, Verdict::Compatible);
            }
        }
        let order = |of: &Schema, in_other: &Schema| {
            let names = of.methods.iter().map(|method| method.name.clone());
            names.filter(|name| in_other.method(name).is_some()).collect::<Vec<_>>().join(", ")
        };
        self.changed(&format!("{}: the order of the methods", new.name), order(old, new), order(new, old));
    }

    fn method(&mut self, old: &'a Method, new: &'a Method) {
        let name = &new.name;
        self.docs(name, &old.docs, &new.docs);
        self.changed(&format!("{name}: since"), since(self.old, old.since), since(self.new, new.since));
        if old.arguments.len() == new.arguments.len() {
            for (before, after) in old.arguments.iter().zip(&new.arguments) {
                self.changed(
                    &format!("{name}: argument `{}`", after.name),
                    format!("the name `{}`", before.name),
                    format!("the name `{}`", after.name),
                );
                self.all(&format!("{name}: argument `{}`", after.name), &before.ty, &after.ty);
            }
        }
        self.all(&format!("{name}: result"), &old.result, &new.result);
    }

    /// Compares two types and all types within them.
    fn all(&mut self, place: &str, old: &'a TypeRef, new: &'a TypeRef) {
        self.types(place, old, new);
        while let Some((place, old, new)) = self.waiting.pop() {
            let before = self.waiting.len();
            self.definitions(&place, old, new);
            // `pop` takes from the end: reversed, so that changes come in the order of the source.
            self.waiting[before..].reverse();
        }
    }

    fn types(&mut self, place: &str, old: &'a TypeRef, new: &'a TypeRef) {
        use TypeRef::{Box, List, Map, Named, Option, Result, Tuple};
        match (old, new) {
            (List(old), List(new)) | (Option(old), Option(new)) | (Box(old), Box(new)) | (Map(_, old), Map(_, new)) => {
                self.types(place, old, new);
            }
            (Result(old_ok, old_err), Result(new_ok, new_err)) => {
                self.types(&format!("{place} ok"), old_ok, new_ok);
                self.types(&format!("{place} err"), old_err, new_err);
            }
            (Tuple(old), Tuple(new)) => {
                for (i, (old, new)) in old.iter().zip(new).enumerate() {
                    self.types(&format!("{place}.{i}"), old, new);
                }
            }
            (Named(old), Named(new)) if self.seen.insert((*old, *new)) => {
                let (old, new) = (self.old.definition(*old), self.new.definition(*new));
                self.waiting.push((place.to_owned(), old, new));
            }
            _ => {}
        }
    }

    fn definitions(&mut self, place: &str, old: &'a Definition, new: &'a Definition) {
        let inside = format!("{place}: {}", new.name);
        let name = |definition: &Definition| format!("the name `{}`", definition.name);
        self.changed(&inside, name(old), name(new));
        self.docs(&inside, &old.docs, &new.docs);
        match (&old.shape, &new.shape) {
            (Shape::Record(old), Shape::Record(new)) => self.fields(&inside, old, new),
            (Shape::Enum(old), Shape::Enum(new)) | (Shape::Variant(old), Shape::Variant(new)) => {
                self.cases(&inside, old, new);
            }
            (Shape::Object(old), Shape::Object(new)) => {
                for (before, after) in old.methods.iter().zip(&new.methods).filter(|(old, new)| old.name == new.name) {
                    let place = format!("{inside}.{}", after.name);
                    self.docs(&place, &before.docs, &after.docs);
                    for (old, new) in before.arguments.iter().zip(&after.arguments) {
                        self.types(&format!("{place}: argument `{}`", new.name), &old.ty, &new.ty);
                    }
                    self.types(&format!("{place}: result"), &before.result, &after.result);
                }
                for method in new.methods.iter().skip(old.methods.len()) {
                    let text = method_text(self.new, method);
                    self.push(&format!("{inside}.{}", method.name), None, Some(text), Verdict::Compatible);
                }
            }
            _ => {}
        }
    }

    fn fields(&mut self, place: &str, old: &'a [Field], new: &'a [Field]) {
        for (before, after) in old.iter().zip(new).filter(|(old, new)| old.name == new.name) {
            let place = format!("{place}.{}", after.name);
            self.docs(&place, &before.docs, &after.docs);
            let default = |field: &Field| match &field.default {
                Some(value) => format!("the default {value:?}"),
                None => "no default".to_owned(),
            };
            self.changed(&place, default(before), default(after));
            self.types(&place, &before.ty, &after.ty);
        }
        for field in new.iter().skip(old.len()) {
            let text = format!("{}{}", spell(self.new, &field.ty), since(self.new, field.since));
            self.push(&format!("{place}.{}", field.name), None, Some(text), Verdict::Adapted);
        }
        for field in old.iter().skip(new.len()) {
            let text = spell(self.old, &field.ty);
            self.push(&format!("{place}.{}", field.name), Some(text), None, Verdict::Adapted);
        }
    }

    fn cases(&mut self, place: &str, old: &'a [Case], new: &'a [Case]) {
        for (before, after) in old.iter().zip(new).filter(|(old, new)| old.name == new.name) {
            let place = format!("{place}.{}", after.name);
            self.docs(&place, &before.docs, &after.docs);
            let other = |case: &Case| if case.other { "read for unknown cases" } else { "not read for unknown cases" };
            self.changed(&place, other(before).to_owned(), other(after).to_owned());
            self.fields(&place, &before.fields, &after.fields);
        }
        for case in new.iter().skip(old.len()) {
            let text = format!("the case{}{}", braced(self.new, case), since(self.new, case.since));
            self.push(&format!("{place}.{}", case.name), None, Some(text), Verdict::Adapted);
        }
        for case in old.iter().skip(new.len()) {
            let text = format!("the case{}", braced(self.old, case));
            self.push(&format!("{place}.{}", case.name), Some(text), None, Verdict::Adapted);
        }
    }

    fn docs(&mut self, place: &str, old: &str, new: &str) {
        let text = |docs: &str| (!docs.is_empty()).then(|| "the documentation".to_owned());
        if old != new {
            let (old, new) = (text(old), text(new));
            let new = if old.is_some() { new.map(|_| "another".to_owned()) } else { new };
            self.push(&format!("{place}: documentation"), old, new, Verdict::Compatible);
        }
    }

    fn changed(&mut self, place: &str, old: String, new: String) {
        if old != new {
            self.push(place, Some(old), Some(new), Verdict::Compatible);
        }
    }

    fn push(&mut self, place: &str, old: Option<String>, new: Option<String>, verdict: Verdict) {
        self.changes.push(Change::of(place, old, new, verdict));
    }
}

/// Returns the fields of a case, with a space before them, or nothing for a case without fields.
fn braced(schema: &Schema, case: &Case) -> String {
    if case.fields.is_empty() { String::new() } else { format!(" {}", list(schema, &case.fields)) }
}

/// Returns the version that introduced a part, with a space before it, or nothing for a part that was always there.
fn since(schema: &Schema, minor: u32) -> String {
    if minor == 0 { String::new() } else { format!(" since {}.{minor}", schema.major) }
}
