//! Builders with which macro expansions describe contracts and types.

use crate::schema::plan::Plan;
use crate::schema::schema::{Case, Definition, Field, Method, Schema, Shape, TypeRef};
use crate::schema::types::Types;
use crate::value::Value;

/// A builder of the descriptions of a contract's methods.
pub struct MethodsBuilder<'a> {
    types: &'a mut Types,
    methods: Vec<Method>,
}

type Describe = fn(&mut Types) -> TypeRef;

impl<'a> MethodsBuilder<'a> {
    /// Makes a builder without methods, which defines the methods' types in `types`.
    #[must_use]
    pub fn new(types: &'a mut Types) -> Self {
        Self { types, methods: Vec::new() }
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
        let types = &mut *self.types;
        let arguments = arguments.iter().map(|(name, describe)| Field::new(name, "", describe(types))).collect();
        let result = result(types);
        self.methods.push(Method { name: name.into(), docs: docs.into(), since, arguments, result });
        self
    }

    /// Returns the methods, in the order in which they were added.
    #[must_use]
    pub fn build(self) -> Vec<Method> {
        self.methods
    }
}

impl Schema {
    /// Makes a schema from the data that the macro reads in the source.
    #[doc(hidden)]
    #[must_use]
    pub fn describe(
        name: &str,
        major: u32,
        minor: u32,
        docs: &str,
        methods: impl FnOnce(&mut Types) -> Vec<Method>,
    ) -> Self {
        let mut types = Types::new(major);
        let methods = methods(&mut types);
        let (types, defaults) = types.into_parts();
        let mut schema = Self { name: name.into(), major, minor, docs: docs.into(), methods, types };
        if !defaults.is_empty() {
            let plan = Plan::new(&schema);
            defaults.into_iter().for_each(|default| default.set(&mut schema, &plan));
        }
        schema
    }
}

impl Definition {
    /// Makes a definition from the data that a macro reads in the source.
    #[must_use]
    pub fn new(name: &str, docs: &str, shape: Shape) -> Self {
        Self { name: name.into(), docs: docs.into(), shape }
    }
}

impl Field {
    /// Makes a field from the data that a macro reads in the source.
    #[must_use]
    pub fn new(name: &str, docs: &str, ty: TypeRef) -> Self {
        Self { name: name.into(), docs: docs.into(), ty, since: 0, default: None }
    }

    /// Returns the field with the minor version that introduced it and the default.
    #[must_use]
    pub fn grown(mut self, since: u32, default: Option<Value>) -> Self {
        (self.since, self.default) = (since, default);
        self
    }
}

impl Case {
    /// Makes a case from the data that a macro reads in the source.
    #[must_use]
    pub fn new(name: &str, docs: &str, fields: Vec<Field>) -> Self {
        Self { name: name.into(), docs: docs.into(), fields, since: 0, other: false }
    }

    /// Returns the case with the minor version that introduced it. `other` says whether cases of newer versions are read
    /// as this one.
    #[must_use]
    pub fn grown(mut self, since: u32, other: bool) -> Self {
        (self.since, self.other) = (since, other);
        self
    }
}
