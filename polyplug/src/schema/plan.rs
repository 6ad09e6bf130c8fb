//! The compiled schema: a flat list of nodes with the offsets of all parts in canonical memory.
//!
//! A schema is compiled once. Code that moves values then follows numbers, never names.

use crate::schema::scalar::{Scalar, name_scalars};
use crate::schema::schema::BodyOf;
use crate::schema::stored::Stored;

/// The number of a node in a [`Plan`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeId(pub(super) u32);

impl NodeId {
    /// Returns the index in [`Plan::nodes`].
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The layout of one type in canonical memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The size in bytes.
    pub size: usize,
    /// The alignment in bytes.
    pub align: usize,
    /// The parts of the node.
    pub kind: Kind,
}

/// The parts of a node. Offsets are in bytes from the node's start.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // the name of `Unit` describes it
#[non_exhaustive]
pub enum Kind {
    Unit,
    /// A number, `bool` or `char`. Each scalar has a constant as well, such as [`Kind::I32`].
    Scalar(Scalar),
    /// Pointer and length.
    String,
    /// Pointer and length; the elements are `u8`.
    Bytes,
    /// Pointer and length.
    List(NodeId),
    /// A tag of one byte, and the value.
    Option {
        of: NodeId,
        at: usize,
    },
    /// A pointer that may be null.
    Nullable(NodeId),
    /// A pointer.
    Box(NodeId),
    /// Pointer and length of entries.
    Map {
        key: NodeId,
        value: NodeId,
        value_at: usize,
        /// The size of an entry.
        stride: usize,
        /// The alignment of an entry.
        align: usize,
    },
    Tuple(Vec<Place>),
    /// The number of the definition, and the fields.
    Record(u32, Body),
    /// The number of the definition, and the number of its cases.
    Enum(u32, u32),
    /// A token of the host's, and the id of the contract.
    Object {
        definition: u32,
        /// The object's methods, in the order of their function ids.
        methods: Vec<MethodPlan>,
    },
    /// A tag of four bytes, and a union of the cases at `at`.
    Variant {
        definition: u32,
        at: usize,
        /// The fields of each case, from the start of the union.
        cases: Vec<Body>,
    },
    /// A tag of four bytes, and a union of the two at `at`.
    Result {
        ok: NodeId,
        err: NodeId,
        at: usize,
    },
}

name_scalars!(Kind);

/// A part of a record, tuple, case or list of arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The offset of the part.
    pub at: usize,
    /// The node of the part.
    pub node: NodeId,
}

/// The fields of a record, or of one case of a variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// The index in [`Schema::bodies`](crate::schema::Schema::bodies).
    pub number: usize,
    /// The fields, in the order of the definition.
    pub places: Vec<Place>,
}

/// The layout of one method's arguments and result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodPlan {
    /// The arguments.
    pub arguments: Vec<Place>,
    /// The size of the struct of arguments.
    pub size: usize,
    /// The alignment of the struct of arguments.
    pub align: usize,
    /// The result.
    pub result: NodeId,
}

/// A compiled schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub(super) nodes: Vec<Node>,
    pub(super) methods: Vec<MethodPlan>,
    /// The defaults of the fields of each body, by the number of the body; empty where no field has one.
    pub(super) defaults: Vec<Vec<Option<Stored>>>,
}

impl Plan {
    /// Returns the node with this number.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// Returns all nodes. The first ones are those of the definitions, in the order of their numbers.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Returns the node of the definition with this number.
    #[must_use]
    pub fn definition(&self, number: u32) -> &Node {
        self.node(NodeId(number))
    }

    /// Returns whether a value of this node may be an option without a value.
    #[must_use]
    pub fn may_be_none(&self, id: NodeId) -> bool {
        match &self.node(id).kind {
            Kind::Unit | Kind::Option { .. } | Kind::Nullable(_) => true,
            Kind::Box(of) => self.may_be_none(*of),
            _ => false,
        }
    }

    /// Returns whether a value of this node has pointers, to memory beyond the node's own.
    #[cfg(feature = "host")]
    pub(crate) fn has_pointers(&self, id: NodeId) -> bool {
        let any = |places: &[Place]| places.iter().any(|place| self.has_pointers(place.node));
        match &self.node(id).kind {
            Kind::Unit | Kind::Scalar(_) | Kind::Enum(..) | Kind::Object { .. } => false,
            Kind::String | Kind::Bytes | Kind::List(_) | Kind::Map { .. } | Kind::Nullable(_) | Kind::Box(_) => true,
            Kind::Option { of, .. } => self.has_pointers(*of),
            Kind::Tuple(places) => any(places),
            Kind::Record(_, body) => any(&body.places),
            Kind::Variant { cases, .. } => cases.iter().any(|case| any(&case.places)),
            Kind::Result { ok, err, .. } => self.has_pointers(*ok) || self.has_pointers(*err),
        }
    }

    /// Returns the default of a field, which is the value of one that a guest leaves out.
    #[cfg(feature = "host")]
    pub(crate) fn default(&self, body: &Body, field: usize) -> Option<&Stored> {
        self.defaults.get(body.number)?.get(field)?.as_ref()
    }

    /// Writes the default of a field to `to`, and what the default leads to into the arena. Returns whether the arena had
    /// room, or `None` if the field has no default.
    ///
    /// # Safety
    ///
    /// `to` must point to writable memory for the field, aligned. The arena must be valid and unused otherwise, or null if
    /// the field's type has no pointers.
    #[cfg(feature = "host")]
    #[must_use]
    pub unsafe fn place_default(
        &self,
        body: &Body,
        field: usize,
        to: *mut u8,
        arena: *mut polyplug_abi::CallArena,
    ) -> Option<bool> {
        // SAFETY: the caller promises the memory and the arena.
        self.default(body, field).map(|default| unsafe { default.place(to, arena) })
    }

    /// Returns the place of a field of a definition, or of a case of a definition.
    pub(crate) fn field(&self, definition: usize, case: Option<usize>, field: usize) -> Place {
        match &self.nodes[definition].kind {
            Kind::Record(_, body) => body.places[field],
            Kind::Variant { cases, .. } => cases[case.unwrap_or_default()].places[field],
            _ => unreachable!("the definition has no fields"),
        }
    }

    /// Returns the places of the fields of a body.
    pub(crate) fn places(&self, body: &BodyOf<'_>) -> &[Place] {
        match &self.definition(body.definition).kind {
            Kind::Record(_, record) => &record.places,
            Kind::Variant { cases, .. } => &cases[body.tag].places,
            _ => unreachable!("the definition has no fields"),
        }
    }

    /// Returns the plans of all methods, in the order of their numbers.
    #[must_use]
    pub fn methods(&self) -> &[MethodPlan] {
        &self.methods
    }

    /// Returns the plan of the method with this number.
    #[must_use]
    pub fn method(&self, number: usize) -> &MethodPlan {
        &self.methods[number]
    }
}
