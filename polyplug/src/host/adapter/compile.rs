//! Compiles conversions from the schemas of both sides.
//!
//! All pairs of nodes that correspond are listed first. Then it is decided which pairs have the same layout everywhere
//! below, so that their bytes can be copied. Types may contain themselves, so pairs count as the same until a difference
//! is found below them.

use std::collections::HashMap;

use super::conversion::{Cases, Conversion, Conversions, Element, Part};
use crate::schema::canonical;
use crate::schema::plan::{Body, Kind, NodeId, Place, Plan};
use crate::schema::{Case, Field, Schema, Shape};

/// One side of a conversion.
#[derive(Clone, Copy)]
pub(crate) struct Side<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) plan: &'a Plan,
}

impl<'a> Side<'a> {
    fn fields(self, definition: u32) -> &'a [Field] {
        match &self.schema.definition(definition).shape {
            Shape::Record(fields) => fields,
            _ => &[],
        }
    }

    fn cases(self, definition: u32) -> &'a [Case] {
        match &self.schema.definition(definition).shape {
            Shape::Enum(cases) | Shape::Variant(cases) => cases,
            _ => &[],
        }
    }
}

/// The compiler of the conversions of one direction.
pub(super) struct Compiler<'a> {
    from: Side<'a>,
    to: Side<'a>,
    numbers: HashMap<(usize, usize), usize>,
    pairs: Vec<Pair>,
    /// The number of pairs whose children are listed.
    listed: usize,
}

/// Two nodes that correspond.
struct Pair {
    from: NodeId,
    to: NodeId,
    children: Vec<usize>,
    /// True until a difference is found.
    same: bool,
}

impl<'a> Compiler<'a> {
    pub(super) fn new(from: Side<'a>, to: Side<'a>) -> Self {
        Self { from, to, numbers: HashMap::new(), pairs: Vec::new(), listed: 0 }
    }

    /// Adds two nodes that correspond. Returns the number of their conversion.
    pub(super) fn add(&mut self, from: NodeId, to: NodeId) -> usize {
        let next = self.pairs.len();
        let number = *self.numbers.entry((from.index(), to.index())).or_insert(next);
        if number == next {
            self.pairs.push(Pair { from, to, children: Vec::new(), same: true });
        }
        number
    }

    /// Lists all pairs below those that were added, and finds out which are the same.
    pub(super) fn compare(&mut self) {
        while self.listed < self.pairs.len() {
            let Pair { from, to, .. } = self.pairs[self.listed];
            let (children, same) = self.children(from, to);
            let children = children.into_iter().map(|(from, to)| self.add(from, to)).collect();
            let pair = &mut self.pairs[self.listed];
            (pair.children, pair.same) = (children, same);
            self.listed += 1;
        }
        loop {
            let changed: Vec<usize> = (0..self.pairs.len())
                .filter(|number| {
                    let pair = &self.pairs[*number];
                    pair.same && pair.children.iter().any(|child| !self.pairs[*child].same)
                })
                .collect();
            if changed.is_empty() {
                return;
            }
            for number in changed {
                self.pairs[number].same = false;
            }
        }
    }

    /// Returns whether values of a pair are the same on both sides, so that their bytes can be copied.
    pub(super) fn is_same(&self, number: usize) -> bool {
        self.pairs[number].same
    }

    /// Returns the pairs one level down, and whether the two nodes themselves have the same layout.
    fn children(&self, from: NodeId, to: NodeId) -> (Vec<(NodeId, NodeId)>, bool) {
        let (ours, theirs) = (self.from.plan.node(from), self.to.plan.node(to));
        let same_size = ours.size == theirs.size && ours.align == theirs.align;
        let of_bodies = |ours: &Body, theirs: &Body| zip(&ours.places, &theirs.places);
        match (&ours.kind, &theirs.kind) {
            (Kind::List(ours), Kind::List(theirs))
            | (Kind::Nullable(ours), Kind::Nullable(theirs))
            | (Kind::Box(ours), Kind::Box(theirs)) => (vec![(*ours, *theirs)], same_size),
            (Kind::Option { of: ours, .. }, Kind::Option { of: theirs, .. }) => (vec![(*ours, *theirs)], same_size),
            (Kind::Map { value: ours, .. }, Kind::Map { value: theirs, .. }) => (vec![(*ours, *theirs)], same_size),
            (Kind::Tuple(ours), Kind::Tuple(theirs)) => (zip(ours, theirs), same_size),
            (Kind::Record(_, ours), Kind::Record(_, theirs)) => {
                (of_bodies(ours, theirs), same_size && ours.places.len() == theirs.places.len())
            }
            // A tag that the sender cannot have may be one that the receiver knows, so tags are checked as soon as the
            // numbers of cases differ.
            (Kind::Enum(_, ours), Kind::Enum(_, theirs)) => (Vec::new(), ours == theirs),
            (Kind::Variant { at: our_at, cases: ours, .. }, Kind::Variant { at: their_at, cases: theirs, .. }) => {
                let bodies = ours.iter().zip(theirs);
                let same_bodies = bodies.clone().all(|(ours, theirs)| ours.places.len() == theirs.places.len());
                let children = bodies.flat_map(|(ours, theirs)| of_bodies(ours, theirs)).collect();
                (children, same_size && our_at == their_at && ours.len() == theirs.len() && same_bodies)
            }
            (Kind::Result { ok, err, at }, Kind::Result { ok: their_ok, err: their_err, at: their_at }) => {
                (vec![(*ok, *their_ok), (*err, *their_err)], same_size && at == their_at)
            }
            _ => (Vec::new(), same_size),
        }
    }

    /// Makes the parts that move a value of a pair.
    pub(super) fn parts(&self, number: usize, from: usize, to: usize, name: Option<&str>) -> Vec<Part> {
        let pair = &self.pairs[number];
        if pair.same {
            return vec![Part::Copy { from, to, size: self.from.plan.node(pair.from).size }];
        }
        match self.plain(pair, from, to) {
            Some(parts) => merged(parts),
            None => vec![Part::Convert { from, to, number, name: name.map(Box::from) }],
        }
    }

    /// Returns the parts of a record or tuple that can be moved without a look at the value, or `None` for other values.
    /// Such a conversion does not fail, so it needs no name.
    fn plain(&self, pair: &Pair, from_at: usize, to_at: usize) -> Option<Vec<Part>> {
        let (ours, theirs) = (self.from.plan.node(pair.from), self.to.plan.node(pair.to));
        let (from, to, described) = match (&ours.kind, &theirs.kind) {
            (Kind::Tuple(from), Kind::Tuple(to)) => (from, to, &[][..]),
            (Kind::Record(_, from), Kind::Record(number, to)) => (&from.places, &to.places, self.to.fields(*number)),
            _ => return None,
        };
        let mut parts = Vec::new();
        for (from, to) in from.iter().zip(to) {
            let inner = self.parts(self.number(from.node, to.node), from_at + from.at, to_at + to.at, None);
            if inner.iter().any(|part| matches!(part, Part::Convert { .. })) {
                return None;
            }
            parts.extend(inner);
        }
        for (place, field) in to.iter().zip(described).skip(from.len()) {
            parts.push(self.default(place, field, to_at));
        }
        Some(parts)
    }

    fn number(&self, from: NodeId, to: NodeId) -> usize {
        self.numbers[&(from.index(), to.index())]
    }

    /// Makes the conversions of all pairs, by their numbers. Those of pairs that are the same are not used.
    pub(super) fn conversions(&self) -> Conversions {
        Conversions(self.pairs.iter().map(|pair| self.conversion(pair)).collect())
    }

    fn conversion(&self, pair: &Pair) -> Conversion {
        if pair.same {
            return Conversion::Parts(Vec::new());
        }
        let (ours, theirs) = (self.from.plan.node(pair.from), self.to.plan.node(pair.to));
        let one = |from: NodeId, to: NodeId, from_at: usize, to_at: usize| {
            self.parts(self.number(from, to), from_at, to_at, None)
        };
        match (&ours.kind, &theirs.kind) {
            (Kind::List(from), Kind::List(to)) => {
                let (item, into) = (self.from.plan.node(*from), self.to.plan.node(*to));
                Conversion::Sequence {
                    from_align: item.align,
                    from_stride: item.size,
                    to_stride: into.size,
                    to_align: into.align,
                    element: Element::new(one(*from, *to, 0, 0)),
                }
            }
            (
                Kind::Map { key, value, value_at, stride, align },
                Kind::Map { value: to, value_at: to_at, stride: to_stride, align: to_align, .. },
            ) => {
                // Keys have no parts, so the keys of both sides are the same.
                let mut element = vec![Part::Copy { from: 0, to: 0, size: self.from.plan.node(*key).size }];
                element.extend(one(*value, *to, *value_at, *to_at));
                Conversion::Sequence {
                    from_align: *align,
                    from_stride: *stride,
                    to_stride: *to_stride,
                    to_align: *to_align,
                    element: Element::new(element),
                }
            }
            (Kind::Option { of, at }, Kind::Option { of: to, at: to_at }) => {
                Conversion::Option(one(*of, *to, *at, *to_at))
            }
            (Kind::Nullable(of), Kind::Nullable(to)) | (Kind::Box(of), Kind::Box(to)) => {
                let into = self.to.plan.node(*to);
                Conversion::Pointer {
                    from_align: self.from.plan.node(*of).align,
                    to_size: into.size,
                    to_align: into.align,
                    nullable: matches!(ours.kind, Kind::Nullable(_)),
                    target: one(*of, *to, 0, 0),
                }
            }
            (Kind::Tuple(from), Kind::Tuple(to)) => {
                let places = from.iter().zip(to).enumerate();
                let parts = places.flat_map(|(i, (from, to))| {
                    self.parts(self.number(from.node, to.node), from.at, to.at, Some(&i.to_string()))
                });
                Conversion::Parts(merged(parts.collect()))
            }
            (Kind::Record(_, from), Kind::Record(number, to)) => {
                Conversion::Parts(self.body(from, to, self.to.fields(*number), 0, 0))
            }
            (Kind::Enum(from, _), Kind::Enum(to, _)) => {
                Conversion::Cases { cases: self.cases(*from, *to), bodies: Vec::new() }
            }
            (
                Kind::Variant { definition: from, at, cases },
                Kind::Variant { definition: to, at: to_at, cases: to_cases },
            ) => {
                let described = self.to.cases(*to);
                let bodies = cases.iter().zip(to_cases).zip(described);
                let bodies = bodies.map(|((from, to), case)| self.body(from, to, &case.fields, *at, *to_at)).collect();
                Conversion::Cases { cases: self.cases(*from, *to), bodies }
            }
            (Kind::Result { ok, err, at }, Kind::Result { ok: to_ok, err: to_err, at: to_at }) => Conversion::Cases {
                cases: Cases { of: "result".to_owned(), common: 2, other: None, unknown: Vec::new() },
                bodies: vec![one(*ok, *to_ok, *at, *to_at), one(*err, *to_err, *at, *to_at)],
            },
            _ => unreachable!("nodes without parts are the same, as the schemas were compared"),
        }
    }

    /// Makes the parts of a record or a case: the fields that both sides know, and the defaults of those that the sender
    /// lacks. The receiver's fields are `described`; the bodies begin at `from_at` and `to_at`.
    fn body(&self, from: &Body, to: &Body, described: &[Field], from_at: usize, to_at: usize) -> Vec<Part> {
        let places = from.places.iter().zip(&to.places).zip(described);
        let mut parts: Vec<Part> = places
            .flat_map(|((from, to), field)| {
                let number = self.number(from.node, to.node);
                self.parts(number, from_at + from.at, to_at + to.at, Some(&field.name))
            })
            .collect();
        for (place, field) in to.places.iter().zip(described).skip(from.places.len()) {
            parts.push(self.default(place, field, to_at));
        }
        merged(parts)
    }

    fn default(&self, place: &Place, field: &Field, to_at: usize) -> Part {
        let value = field.default.as_ref().expect("a field that was added later has a default");
        let stored = canonical::store(self.to.schema, self.to.plan, place.node, value);
        Part::Default { to: to_at + place.at, value: stored.expect("a default is of its field's type") }
    }

    fn cases(&self, from: u32, to: u32) -> Cases {
        let (ours, theirs) = (self.from.cases(from), self.to.cases(to));
        let common = ours.len().min(theirs.len());
        let of = &self.from.schema.definition(from).name;
        let Schema { name, major, .. } = self.from.schema;
        let unknown = ours[common..].iter().map(|case| {
            format!(
                "`{}` is a case of `{of}` since version {major}.{} of {name}, and the receiver has version {major}.{}",
                case.name, case.since, self.to.schema.minor
            )
        });
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Cases {
            of: of.clone(),
            common: number(common),
            other: theirs.iter().position(|case| case.other).map(number),
            unknown: unknown.collect(),
        }
    }
}

fn zip(ours: &[Place], theirs: &[Place]) -> Vec<(NodeId, NodeId)> {
    ours.iter().zip(theirs).map(|(ours, theirs)| (ours.node, theirs.node)).collect()
}

/// Merges copies of neighbours, with the padding between them.
fn merged(parts: Vec<Part>) -> Vec<Part> {
    let mut merged: Vec<Part> = Vec::new();
    for part in parts {
        if let (Some(Part::Copy { from, to, size }), Part::Copy { from: next, to: next_to, size: next_size }) =
            (merged.last_mut(), &part)
            && *next >= *from
            && next - *from == next_to - *to
        {
            *size = next - *from + next_size;
            continue;
        }
        merged.push(part);
    }
    merged
}
