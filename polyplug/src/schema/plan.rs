//! Where everything lies in canonical memory: a schema compiled into a flat list of nodes.
//!
//! Compiled once; whoever moves values then follows numbers, never names. The layouts are those of the `repr(C)`
//! types that the macros make, and C's.

use super::{Field, Schema, Shape, TypeRef};

/// The number of a node in a [`Plan`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeId(u32);

/// One type's place in canonical memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The size in bytes.
    pub size: usize,
    /// The alignment in bytes.
    pub align: usize,
    /// What it is made of.
    pub kind: Kind,
}

/// What a node is made of. Offsets are in bytes from the node's start.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // the scalars are what they are called
#[non_exhaustive]
pub enum Kind {
    Unit,
    Bool,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F32,
    F64,
    Char,
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
    Record(u32, Vec<Place>),
    /// The number of the definition, and how many cases it has.
    Enum(u32, u32),
    /// A tag of four bytes, and a union of the cases at `at`.
    Variant {
        definition: u32,
        at: usize,
        /// The fields of each case, from the start of the union.
        cases: Vec<Vec<Place>>,
    },
    /// A tag of four bytes, and a union of the two at `at`.
    Result {
        ok: NodeId,
        err: NodeId,
        at: usize,
    },
}

/// A part of a record, tuple, case or list of arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Where it begins.
    pub at: usize,
    /// What it is.
    pub node: NodeId,
}

/// One method's arguments and result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodPlan {
    /// The arguments.
    pub arguments: Vec<Place>,
    /// The size of the struct of arguments.
    pub size: usize,
    /// Its alignment.
    pub align: usize,
    /// The result.
    pub result: NodeId,
}

/// A compiled schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    nodes: Vec<Node>,
    methods: Vec<MethodPlan>,
}

impl Plan {
    /// Compiles a schema.
    #[must_use]
    pub fn new(schema: &Schema) -> Self {
        let mut compiler = Compiler { schema, nodes: Vec::new(), named: vec![None; schema.types.len()] };
        let methods = schema
            .methods
            .iter()
            .map(|method| {
                let (arguments, size, align) = compiler.fields(&method.arguments);
                MethodPlan { arguments, size, align, result: compiler.ty(&method.result) }
            })
            .collect();
        Self { nodes: compiler.nodes, methods }
    }

    /// The node with this number.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// The plan of the method with this number.
    #[must_use]
    pub fn method(&self, number: usize) -> &MethodPlan {
        &self.methods[number]
    }
}

/// A node that is referred to before it is known, while a type that contains itself is being compiled.
const PENDING: Node = Node { size: 0, align: 1, kind: Kind::Unit };

struct Compiler<'a> {
    schema: &'a Schema,
    nodes: Vec<Node>,
    named: Vec<Option<NodeId>>,
}

impl Compiler<'_> {
    fn add(&mut self, size: usize, align: usize, kind: Kind) -> NodeId {
        self.nodes.push(Node { size, align, kind });
        NodeId(u32::try_from(self.nodes.len() - 1).expect("a schema has fewer than four billion types"))
    }

    fn scalar(&mut self, size: usize, kind: Kind) -> NodeId {
        self.add(size, size.max(1), kind)
    }

    fn list(&mut self, kind: Kind) -> NodeId {
        self.add(16, 8, kind)
    }

    fn of(&self, id: NodeId) -> (usize, usize) {
        let node = &self.nodes[id.0 as usize];
        (node.size, node.align)
    }

    fn ty(&mut self, ty: &TypeRef) -> NodeId {
        match ty {
            TypeRef::Unit => self.add(0, 1, Kind::Unit),
            TypeRef::Bool => self.scalar(1, Kind::Bool),
            TypeRef::I8 => self.scalar(1, Kind::I8),
            TypeRef::I16 => self.scalar(2, Kind::I16),
            TypeRef::I32 => self.scalar(4, Kind::I32),
            TypeRef::I64 => self.scalar(8, Kind::I64),
            TypeRef::U8 => self.scalar(1, Kind::U8),
            TypeRef::U16 => self.scalar(2, Kind::U16),
            TypeRef::U32 => self.scalar(4, Kind::U32),
            TypeRef::U64 => self.scalar(8, Kind::U64),
            TypeRef::F32 => self.scalar(4, Kind::F32),
            TypeRef::F64 => self.scalar(8, Kind::F64),
            TypeRef::Char => self.scalar(4, Kind::Char),
            TypeRef::String => self.list(Kind::String),
            TypeRef::List(of) if **of == TypeRef::U8 => self.list(Kind::Bytes),
            TypeRef::List(of) => {
                let of = self.ty(of);
                self.list(Kind::List(of))
            }
            TypeRef::Box(of) => {
                let of = self.ty(of);
                self.add(8, 8, Kind::Box(of))
            }
            TypeRef::Option(of) => match &**of {
                TypeRef::Box(of) => {
                    let of = self.ty(of);
                    self.add(8, 8, Kind::Nullable(of))
                }
                of => {
                    let of = self.ty(of);
                    let (size, align) = self.of(of);
                    self.add(round_up(align + size, align), align, Kind::Option { of, at: align })
                }
            },
            TypeRef::Map(key, value) => {
                let (key, value) = (self.ty(key), self.ty(value));
                let (places, stride, align) = self.places(&[key, value]);
                self.list(Kind::Map { key, value, value_at: places[1].at, stride, align })
            }
            TypeRef::Tuple(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.ty(part)).collect();
                let (places, size, align) = self.places(&parts);
                self.add(size, align, Kind::Tuple(places))
            }
            TypeRef::Result(ok, err) => {
                let (ok, err) = (self.ty(ok), self.ty(err));
                let (ok_size, ok_align) = self.of(ok);
                let (err_size, err_align) = self.of(err);
                let (at, size, align) = tagged(ok_size.max(err_size), ok_align.max(err_align));
                self.add(size, align, Kind::Result { ok, err, at })
            }
            TypeRef::Named(number) => self.named(*number),
        }
    }

    fn named(&mut self, number: u32) -> NodeId {
        if let Some(known) = self.named[number as usize] {
            return known;
        }
        let id = self.add(PENDING.size, PENDING.align, PENDING.kind);
        self.named[number as usize] = Some(id);
        let schema = self.schema;
        let node = match &schema.definition(number).shape {
            Shape::Record(fields) => {
                let (places, size, align) = self.fields(fields);
                Node { size, align, kind: Kind::Record(number, places) }
            }
            Shape::Enum(cases) => Node { size: 4, align: 4, kind: Kind::Enum(number, cases.len() as u32) },
            Shape::Variant(cases) => {
                let (mut size, mut align) = (0, 1);
                let mut all = Vec::with_capacity(cases.len());
                for case in cases {
                    let (places, case_size, case_align) = self.fields(&case.fields);
                    size = size.max(case_size);
                    align = align.max(case_align);
                    all.push(places);
                }
                let (at, size, align) = tagged(round_up(size, align), align);
                Node { size, align, kind: Kind::Variant { definition: number, at, cases: all } }
            }
        };
        self.nodes[id.0 as usize] = node;
        id
    }

    fn fields(&mut self, fields: &[Field]) -> (Vec<Place>, usize, usize) {
        let nodes: Vec<_> = fields.iter().map(|field| self.ty(&field.ty)).collect();
        self.places(&nodes)
    }

    /// A C struct: each part at the next multiple of its alignment.
    fn places(&self, nodes: &[NodeId]) -> (Vec<Place>, usize, usize) {
        let (mut end, mut struct_align) = (0, 1);
        let places = nodes
            .iter()
            .map(|&node| {
                let (size, align) = self.of(node);
                let at = round_up(end, align);
                end = at + size;
                struct_align = struct_align.max(align);
                Place { at, node }
            })
            .collect();
        (places, round_up(end, struct_align), struct_align)
    }
}

/// Where a union lies behind a tag of four bytes, and the size and alignment of both.
fn tagged(size: usize, align: usize) -> (usize, usize, usize) {
    let at = round_up(4, align);
    let align = align.max(4);
    (at, round_up(at + size, align), align)
}

const fn round_up(size: usize, align: usize) -> usize {
    size.div_ceil(align) * align
}
