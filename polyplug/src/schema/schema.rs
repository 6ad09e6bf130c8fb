//! The types of a schema.

use std::fmt;

use super::scalar::{Scalar, name_scalars};
use crate::value::Value;

/// The description of one contract, for other languages and other builds.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// The contract's name.
    pub name: String,
    /// The contract's major version.
    pub major: u32,
    /// The contract's minor version.
    pub minor: u32,
    /// The documentation of the trait.
    pub docs: String,
    /// The methods, in the order of their function ids.
    pub methods: Vec<Method>,
    /// The records, enums and variants that the methods use.
    pub types: Vec<Definition>,
}

/// One method of a contract.
#[derive(Debug, Clone, PartialEq)]
pub struct Method {
    /// The method's name, as in Rust.
    pub name: String,
    /// The documentation of the method.
    pub docs: String,
    /// The minor version that introduced it.
    pub since: u32,
    /// The arguments in order.
    pub arguments: Vec<Field>,
    /// The type that the method returns.
    pub result: TypeRef,
}

/// A named value: an argument, or a field of a record or of a case.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The name; a number for a field of a tuple struct.
    pub name: String,
    /// The documentation.
    pub docs: String,
    /// The type.
    pub ty: TypeRef,
    /// The minor version of the contract that introduced the field; 0 for one that was always there.
    pub since: u32,
    /// The value that a newer side reads where an older side has sent none. A field with a `since` above 0 has one.
    pub default: Option<Value>,
}

/// A record, enum or variant.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// The name of the Rust type.
    pub name: String,
    /// The documentation.
    pub docs: String,
    /// The contents of the type.
    pub shape: Shape,
}

/// The contents of a [`Definition`].
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// A C struct of the fields.
    Record(Vec<Field>),
    /// One of several names.
    Enum(Vec<Case>),
    /// One of several cases, at least one of which carries fields.
    Variant(Vec<Case>),
    /// An object of a contract, which the callee calls. Only an argument can be one.
    Object(Interface),
}

/// The contract of an object that crosses, reduced to the parts that calls of the object need.
#[derive(Debug, Clone, PartialEq)]
pub struct Interface {
    /// The contract's name.
    pub contract: String,
    /// The contract's major version.
    pub major: u32,
    /// True if the callee may keep the object, false if the object is lent for the call.
    pub kept: bool,
    /// The methods, in the order of their function ids.
    pub methods: Vec<Method>,
}

/// One case of an enum or variant.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The case's name.
    pub name: String,
    /// The documentation.
    pub docs: String,
    /// The fields of the case.
    pub fields: Vec<Field>,
    /// The minor version of the contract that introduced the case; 0 for one that was always there.
    pub since: u32,
    /// True for the case that cases of newer versions are read as.
    pub other: bool,
}

/// The fields of a record, or of one case of a variant: see [`Schema::bodies`].
#[derive(Debug, Clone, Copy)]
pub struct BodyOf<'a> {
    /// The number of the definition.
    pub definition: u32,
    /// The case of a variant; `None` for a record.
    pub case: Option<&'a Case>,
    /// The number of that case; 0 for a record.
    pub(crate) tag: usize,
    /// The fields.
    pub fields: &'a [Field],
}

/// The use of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // the names of `Unit` and `String` describe them
pub enum TypeRef {
    Unit,
    /// A number, `bool` or `char`. Each scalar has a constant as well, such as [`TypeRef::I32`].
    Scalar(Scalar),
    String,
    /// A sequence of values of one type; of `u8`: bytes.
    List(Box<TypeRef>),
    /// A value that may be absent.
    Option(Box<TypeRef>),
    /// A value behind a pointer, for recursion.
    Box(Box<TypeRef>),
    /// Pairs of a key and a value; keys are integers, `bool`, characters or text.
    Map(Box<TypeRef>, Box<TypeRef>),
    /// A fixed number of values.
    Tuple(Vec<TypeRef>),
    /// An answer or a declared error.
    Result(Box<TypeRef>, Box<TypeRef>),
    /// The type with this number in [`Schema::types`].
    Named(u32),
}

name_scalars!(TypeRef);

impl TypeRef {
    pub(crate) fn list(of: Self) -> Self {
        Self::List(Box::new(of))
    }

    pub(crate) fn option(of: Self) -> Self {
        Self::Option(Box::new(of))
    }

    pub(crate) fn boxed(of: Self) -> Self {
        Self::Box(Box::new(of))
    }

    pub(crate) fn map(key: Self, value: Self) -> Self {
        Self::Map(Box::new(key), Box::new(value))
    }

    pub(crate) fn result(ok: Self, err: Self) -> Self {
        Self::Result(Box::new(ok), Box::new(err))
    }
}

impl Schema {
    /// Returns the number and description of the method `name`.
    #[must_use]
    pub fn method(&self, name: &str) -> Option<(usize, &Method)> {
        self.methods.iter().enumerate().find(|(_, method)| method.name == name)
    }

    /// Returns the definition behind a [`TypeRef::Named`].
    ///
    /// # Panics
    ///
    /// Panics if this schema has no definition with the number. The references in a decoded schema do not panic.
    #[must_use]
    pub fn definition(&self, number: u32) -> &Definition {
        &self.types[number as usize]
    }

    /// Returns whether the contract has fields or cases that were added later, or a case that unknown ones are read as.
    #[must_use]
    pub fn has_grown(&self) -> bool {
        let of_fields = |fields: &[Field]| fields.iter().any(|field| field.since > 0);
        self.types.iter().any(|definition| match &definition.shape {
            Shape::Record(fields) => of_fields(fields),
            Shape::Enum(cases) | Shape::Variant(cases) => {
                cases.iter().any(|case| case.since > 0 || case.other || of_fields(&case.fields))
            }
            Shape::Object(_) => false,
        })
    }

    /// Returns the fields of each record, and of each case of each variant.
    pub fn bodies(&self) -> impl Iterator<Item = BodyOf<'_>> {
        (0u32..).zip(&self.types).flat_map(|(number, definition)| {
            let of = move |case, tag, fields| BodyOf { definition: number, case, tag, fields };
            match &definition.shape {
                Shape::Record(fields) => vec![of(None, 0, fields.as_slice())],
                Shape::Variant(cases) => {
                    let cases = cases.iter().enumerate();
                    cases.map(|(tag, case)| of(Some(case), tag, case.fields.as_slice())).collect()
                }
                Shape::Enum(_) | Shape::Object(_) => Vec::new(),
            }
        })
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}.{}", self.name, self.major, self.minor)
    }
}
