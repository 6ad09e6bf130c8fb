//! How macro expansions describe things.

use super::{Case, Definition, Field, Method, Schema, Shape, TypeRef, Types};

/// Builds the [`Schema`] of a contract.
pub struct SchemaBuilder {
    schema: Schema,
    types: Types,
}

type Describe = fn(&mut Types) -> TypeRef;

impl SchemaBuilder {
    /// A contract without methods.
    #[must_use]
    pub fn new(name: &str, major: u32, minor: u32, docs: &str) -> Self {
        let schema =
            Schema { name: name.into(), major, minor, docs: docs.into(), methods: Vec::new(), types: Vec::new() };
        Self { schema, types: Types::default() }
    }

    /// Adds the next method.
    #[must_use]
    pub fn method(
        mut self,
        name: &str,
        docs: &str,
        since: u32,
        arguments: &[(&str, Describe)],
        result: Describe,
    ) -> Self {
        let types = &mut self.types;
        let arguments = arguments.iter().map(|(name, describe)| Field::new(name, "", describe(types))).collect();
        let result = result(types);
        self.schema.methods.push(Method { name: name.into(), docs: docs.into(), since, arguments, result });
        self
    }

    /// The finished description.
    #[must_use]
    pub fn build(self) -> Schema {
        Schema { types: self.types.into_definitions(), ..self.schema }
    }
}

impl Definition {
    /// A definition from what a macro reads in the source.
    #[must_use]
    pub fn new(name: &str, docs: &str, shape: Shape) -> Self {
        Self { name: name.into(), docs: docs.into(), shape }
    }
}

impl Field {
    /// A field from what a macro reads in the source.
    #[must_use]
    pub fn new(name: &str, docs: &str, ty: TypeRef) -> Self {
        Self { name: name.into(), docs: docs.into(), ty }
    }
}

impl Case {
    /// A case from what a macro reads in the source.
    #[must_use]
    pub fn new(name: &str, docs: &str, fields: Vec<Field>) -> Self {
        Self { name: name.into(), docs: docs.into(), fields }
    }
}
