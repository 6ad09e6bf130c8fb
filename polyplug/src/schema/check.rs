//! The check of a decoded schema for faults that the encoding does not rule out.

use std::collections::HashSet;

use crate::schema::canonical;
use crate::schema::layout::{Layout, Layouts, SIZE_LIMIT};
use crate::schema::plan::Plan;
use crate::schema::scalar::Scalar;
use crate::schema::schema::{Case, Definition, Field, Method, Schema, Shape, TypeRef};

impl Schema {
    /// Checks that a contract can have this schema, or returns the reason for which none can.
    ///
    /// In a schema that passes, every reference leads to a definition, every type has a size, and the elements of every
    /// list have a size above 0.
    pub(super) fn check(&self) -> Result<(), String> {
        self.types.iter().try_for_each(|definition| definition.check(self.minor))?;
        distinct("methods", &self.name, self.methods.iter().map(|method| &method.name))?;
        for method in self.all_methods() {
            distinct("arguments", &method.name, method.arguments.iter().map(|field| &field.name))?;
            if let Some(grown) = method.arguments.iter().find(|field| field.since > 0 || field.default.is_some()) {
                return Err(format!("the argument `{}` of `{}` was added later", grown.name, method.name));
            }
        }
        for ty in self.all_types() {
            self.check_references(ty)?;
        }
        let layouts = Layouts::new(self)?;
        for (number, definition) in (0..).zip(&self.types) {
            if layouts.named(number).size == 0 {
                return Err(format!("the record `{}` is empty", definition.name));
            }
        }
        for ty in self.all_types() {
            check_sizes(&layouts, ty)?;
        }
        for method in self.all_methods() {
            let (_, layout) = layouts.fields(&method.arguments);
            small(layout).map_err(|reason| format!("the arguments of `{}`: {reason}", method.name))?;
        }
        self.check_defaults()
    }

    /// Checks that the default of each field is a value of the field's type.
    fn check_defaults(&self) -> Result<(), String> {
        let is_default = |fields: &[Field]| fields.iter().any(|field| field.default.is_some());
        if !self.bodies().any(|body| is_default(body.fields)) {
            return Ok(());
        }
        let plan = Plan::new(self);
        for body in self.bodies() {
            for (place, field) in plan.places(&body).iter().zip(body.fields) {
                let Some(default) = &field.default else { continue };
                canonical::store(self, &plan, place.node, default).map_err(|reason| {
                    let name = &self.definition(body.definition).name;
                    format!("the default of the field `{}` of `{name}` is not of its type: {reason}", field.name)
                })?;
            }
        }
        Ok(())
    }

    /// Returns every use of a type, outermost only.
    fn all_types(&self) -> impl Iterator<Item = &TypeRef> {
        let of_definitions = self.types.iter().flat_map(|definition| match &definition.shape {
            Shape::Record(fields) => vec![fields],
            Shape::Enum(cases) | Shape::Variant(cases) => cases.iter().map(|case| &case.fields).collect(),
            Shape::Object(_) => Vec::new(),
        });
        let of_methods = self.all_methods().map(|method| &method.arguments);
        let results = self.all_methods().map(|method| &method.result);
        of_definitions.chain(of_methods).flatten().map(|field| &field.ty).chain(results)
    }

    /// Returns the contract's methods, and the methods of objects that they take.
    fn all_methods(&self) -> impl Iterator<Item = &Method> {
        let of_objects = self.types.iter().filter_map(|definition| match &definition.shape {
            Shape::Object(interface) => Some(&interface.methods),
            _ => None,
        });
        self.methods.iter().chain(of_objects.flatten())
    }

    fn check_references(&self, ty: &TypeRef) -> Result<(), String> {
        match ty {
            TypeRef::Named(number) if *number as usize >= self.types.len() => {
                Err(format!("type {number} is not defined"))
            }
            TypeRef::Map(key, _) if !key.can_be_key() => Err("a map whose keys cannot be keys".to_owned()),
            TypeRef::Tuple(parts) if parts.is_empty() => Err("a tuple of nothing".to_owned()),
            _ => parts(ty).into_iter().try_for_each(|part| self.check_references(part)),
        }
    }
}

impl Definition {
    /// Checks the definition, in a contract of the minor version `newest`.
    fn check(&self, newest: u32) -> Result<(), String> {
        self.check_shape()?;
        match &self.shape {
            Shape::Record(fields) => check_growth_of_fields(&self.name, fields, newest),
            Shape::Enum(cases) | Shape::Variant(cases) => {
                check_growth(&self.name, cases.iter().map(|case| (&case.name, case.since)), newest)?;
                let others = cases.iter().filter(|case| case.other);
                if let Some(other) = others.clone().find(|case| !case.fields.is_empty()) {
                    return Err(format!(
                        "the case `{}` of `{}` cannot stand for others, as it has fields",
                        other.name, self.name
                    ));
                }
                if others.count() > 1 {
                    return Err(format!("two cases of `{}` stand for others", self.name));
                }
                cases.iter().try_for_each(|case| check_growth_of_fields(&case.name, &case.fields, newest))
            }
            Shape::Object(_) => Ok(()),
        }
    }

    fn check_shape(&self) -> Result<(), String> {
        let name = &self.name;
        match &self.shape {
            Shape::Record(fields) if fields.is_empty() => Err(format!("the record `{name}` is empty")),
            Shape::Record(fields) => distinct("fields", name, names(fields)),
            Shape::Enum(cases) | Shape::Variant(cases) if cases.is_empty() => {
                Err(format!("the enum `{name}` is empty"))
            }
            Shape::Enum(cases) if cases.iter().any(|case| !case.fields.is_empty()) => {
                Err(format!("a case of the enum `{name}` has fields"))
            }
            Shape::Object(interface) => distinct("methods", name, interface.methods.iter().map(|method| &method.name)),
            Shape::Enum(cases) => distinct("cases", name, cases.iter().map(|case| &case.name)),
            Shape::Variant(cases) => {
                distinct("cases", name, cases.iter().map(|case| &case.name))?;
                cases.iter().try_for_each(Case::check)
            }
        }
    }
}

impl Case {
    fn check(&self) -> Result<(), String> {
        distinct("fields", &self.name, names(&self.fields))
    }
}

fn check_growth_of_fields(of: &str, fields: &[Field], newest: u32) -> Result<(), String> {
    check_growth(of, fields.iter().map(|field| (&field.name, field.since)), newest)?;
    let mut grown = fields.iter().filter(|field| field.since > 0);
    match grown.find(|field| field.default.is_none()) {
        Some(field) => Err(format!("the field `{}` of `{of}` was added later, and has no default", field.name)),
        None => Ok(()),
    }
}

/// Checks that parts were added at the end only, and none after the contract's minor version `newest`.
fn check_growth<'a>(of: &str, parts: impl Iterator<Item = (&'a String, u32)>, newest: u32) -> Result<(), String> {
    let mut latest = 0;
    for (name, since) in parts {
        if since > newest {
            return Err(format!("`{name}` of `{of}` is newer than the contract, whose minor version is {newest}"));
        }
        if since < latest {
            return Err(format!("`{name}` of `{of}` is older than what stands before it"));
        }
        latest = since;
    }
    Ok(())
}

fn names(fields: &[Field]) -> impl Iterator<Item = &String> {
    fields.iter().map(|field| &field.name)
}

/// Checks that no two of `names` are equal.
fn distinct<'a>(what: &str, of: &str, names: impl Iterator<Item = &'a String>) -> Result<(), String> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!("two {what} of `{of}` are called `{name}`"));
        }
    }
    Ok(())
}

fn check_sizes(layouts: &Layouts, ty: &TypeRef) -> Result<(), String> {
    small(layouts.of(ty))?;
    match ty {
        // A list of any length would fit into any memory.
        TypeRef::List(of) if layouts.of(of).size == 0 => Err("a list of nothing".to_owned()),
        _ => parts(ty).into_iter().try_for_each(|part| check_sizes(layouts, part)),
    }
}

fn small(layout: Layout) -> Result<(), String> {
    if layout.size > SIZE_LIMIT {
        return Err(format!("a type takes up more than {SIZE_LIMIT} bytes"));
    }
    Ok(())
}

/// Returns the types that a type contains, one level down.
fn parts(ty: &TypeRef) -> Vec<&TypeRef> {
    match ty {
        TypeRef::List(of) | TypeRef::Option(of) | TypeRef::Box(of) => vec![of],
        TypeRef::Map(first, second) | TypeRef::Result(first, second) => vec![first, second],
        TypeRef::Tuple(parts) => parts.iter().collect(),
        _ => Vec::new(),
    }
}

impl TypeRef {
    /// Returns whether values of the type can be the keys of a map.
    #[must_use]
    pub const fn can_be_key(&self) -> bool {
        match self {
            Self::Scalar(scalar) => !matches!(scalar, Scalar::F32 | Scalar::F64),
            other => matches!(other, Self::String),
        }
    }
}
