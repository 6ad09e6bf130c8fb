//! The compilation of a schema into a plan.

use crate::schema::canonical;
use crate::schema::layout::{Layout, Layouts, optional, structure, tagged, union};
use crate::schema::plan::{Body, Kind, MethodPlan, Node, NodeId, Place, Plan};
use crate::schema::schema::{BodyOf, Field, Method, Schema, Shape, TypeRef};
use crate::schema::stored::Stored;

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

    /// Makes the defaults of all fields.
    fn defaults(&self, schema: &Schema) -> Vec<Vec<Option<Stored>>> {
        let of_body = |body: BodyOf<'_>| {
            if body.fields.iter().all(|field| field.default.is_none()) {
                return Vec::new();
            }
            let fields = body.fields.iter().zip(self.places(&body));
            fields
                .map(|(field, place)| canonical::store(schema, self, place.node, field.default.as_ref()?).ok())
                .collect()
        };
        let defaults: Vec<_> = schema.bodies().map(of_body).collect();
        if defaults.iter().all(Vec::is_empty) { Vec::new() } else { defaults }
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
