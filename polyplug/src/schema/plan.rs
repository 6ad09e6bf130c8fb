//! The compiled schema: a flat list of nodes with the offsets of all parts in canonical memory.
//!
//! A schema is compiled once. Code that moves values then follows numbers, never names.

use crate::schema::canonical::Stored;
use crate::schema::layout::{Layout, Layouts, optional, structure, tagged, union};
use crate::schema::scalar::{Scalar, name_scalars};
use crate::schema::schema::{BodyOf, Field, Method, Schema, Shape, TypeRef};

/// The number of a node in a [`Plan`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeId(u32);

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
    /// The index in [`Schema::bodies`].
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
    nodes: Vec<Node>,
    methods: Vec<MethodPlan>,
    /// The defaults of the fields of each body, by the number of the body; empty where no field has one.
    defaults: Vec<Vec<Option<Stored>>>,
}

impl Plan {
    /// Compiles a schema.
    ///
    /// # Panics
    ///
    /// Panics if a type of the schema contains itself other than through a pointer, or occupies more than a mebibyte.
    /// Neither a decoded schema nor the schema of a contract has such types.
    #[must_use]
    pub fn new(schema: &Schema) -> Self {
        let layouts = Layouts::new(schema).unwrap_or_else(|reason| panic!("{schema}: {reason}"));
        let mut compiler = Compiler { schema, layouts, nodes: Vec::new(), bodies: 0 };
        compiler.definitions();
        let methods = schema.methods.iter().map(|method| compiler.method(method)).collect();
        let mut plan = Self { nodes: compiler.nodes, methods, defaults: Vec::new() };
        plan.defaults = plan.defaults(schema);
        plan
    }

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

    /// Returns the default of a field, which is the value of one that a guest leaves out.
    #[cfg(feature = "host")]
    pub(crate) fn default(&self, body: &Body, field: usize) -> Option<&Stored> {
        self.defaults.get(body.number)?.get(field)?.as_ref()
    }

    /// Makes the defaults of all fields.
    fn defaults(&self, schema: &Schema) -> Vec<Vec<Option<Stored>>> {
        let of_body = |body: BodyOf<'_>| {
            if body.fields.iter().all(|field| field.default.is_none()) {
                return Vec::new();
            }
            let fields = body.fields.iter().zip(self.places(&body));
            fields.map(|(field, place)| Stored::new(schema, self, place.node, field.default.as_ref()?).ok()).collect()
        };
        let defaults: Vec<_> = schema.bodies().map(of_body).collect();
        if defaults.iter().all(Vec::is_empty) { Vec::new() } else { defaults }
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

struct Compiler<'a> {
    schema: &'a Schema,
    layouts: Layouts,
    nodes: Vec<Node>,
    /// The number of bodies so far.
    bodies: usize,
}

impl Compiler<'_> {
    fn add(&mut self, layout: Layout, kind: Kind) -> NodeId {
        self.nodes.push(Node { size: layout.size, align: layout.align, kind });
        NodeId(u32::try_from(self.nodes.len() - 1).expect("a schema has fewer than four billion types"))
    }

    /// Compiles the definitions. They are the first nodes, so their numbers are known before they are compiled.
    fn definitions(&mut self) {
        let schema = self.schema;
        for number in (0..).take(schema.types.len()) {
            self.add(self.layouts.named(number), Kind::Unit);
        }
        for (number, definition) in (0..).zip(&schema.types) {
            self.nodes[number as usize].kind = match &definition.shape {
                Shape::Record(fields) => Kind::Record(number, self.body(fields)),
                Shape::Object(interface) => {
                    let methods = interface.methods.iter().map(|method| self.method(method)).collect();
                    Kind::Object { definition: number, methods }
                }
                Shape::Enum(cases) => Kind::Enum(number, u32::try_from(cases.len()).unwrap_or(u32::MAX)),
                Shape::Variant(cases) => {
                    let (at, _) = tagged(self.layouts.cases(cases));
                    let cases = cases.iter().map(|case| self.body(&case.fields)).collect();
                    Kind::Variant { definition: number, at, cases }
                }
            };
        }
    }

    fn ty(&mut self, ty: &TypeRef) -> NodeId {
        let kind = match ty {
            TypeRef::Named(number) => return NodeId(*number),
            TypeRef::Unit => Kind::Unit,
            TypeRef::Scalar(scalar) => Kind::Scalar(*scalar),
            TypeRef::String => Kind::String,
            TypeRef::List(of) if **of == TypeRef::U8 => Kind::Bytes,
            TypeRef::List(of) => Kind::List(self.ty(of)),
            TypeRef::Box(of) => Kind::Box(self.ty(of)),
            TypeRef::Option(of) => match &**of {
                TypeRef::Box(of) => Kind::Nullable(self.ty(of)),
                of => Kind::Option { of: self.ty(of), at: optional(self.layouts.of(of)).0 },
            },
            TypeRef::Map(key, value) => {
                let (places, entry) = structure([self.layouts.of(key), self.layouts.of(value)]);
                let (key, value) = (self.ty(key), self.ty(value));
                Kind::Map { key, value, value_at: places[1], stride: entry.size, align: entry.align }
            }
            TypeRef::Tuple(parts) => {
                let (places, _) = structure(parts.iter().map(|part| self.layouts.of(part)));
                let places = places.into_iter().zip(parts).map(|(at, part)| Place { at, node: self.ty(part) });
                Kind::Tuple(places.collect())
            }
            TypeRef::Result(ok, err) => {
                let (at, _) = tagged(union([self.layouts.of(ok), self.layouts.of(err)]));
                Kind::Result { ok: self.ty(ok), err: self.ty(err), at }
            }
        };
        self.add(self.layouts.of(ty), kind)
    }

    fn method(&mut self, method: &Method) -> MethodPlan {
        let (arguments, Layout { size, align }) = self.fields(&method.arguments);
        MethodPlan { arguments, size, align, result: self.ty(&method.result) }
    }

    fn body(&mut self, fields: &[Field]) -> Body {
        let number = self.bodies;
        self.bodies += 1;
        Body { number, places: self.fields(fields).0 }
    }

    fn fields(&mut self, fields: &[Field]) -> (Vec<Place>, Layout) {
        let (places, layout) = self.layouts.fields(fields);
        let places = places.into_iter().zip(fields).map(|(at, field)| Place { at, node: self.ty(&field.ty) });
        (places.collect(), layout)
    }
}
