//! The language-neutral description of contracts and their types.
//!
//! Everything that must know a contract without its Rust trait works from here: the check at load, dynamic calls,
//! loaders of other languages, people.
//!
//! ```
//! use polyplug::Contract;
//! use polyplug::schema::{Schema, TypeRef};
//!
//! /// Tells the time.
//! #[polyplug::contract(name = "demo.clock", version = "1.0")]
//! trait Clock {
//!     fn now(&self) -> u64;
//! }
//!
//! let schema = Schema::of::<dyn Clock>();
//! assert_eq!(schema.docs, "Tells the time.");
//! assert_eq!(schema.methods[0].result, TypeRef::U64);
//! assert_eq!(Schema::decode(&schema.encode()).unwrap(), schema);
//! ```

mod build;
mod check;
mod codec;
mod compare;
mod layout;
mod names;
pub mod plan;
mod wit;

use std::any::TypeId;
use std::fmt;

#[doc(hidden)]
pub use build::MethodsBuilder;
pub use codec::{DecodeError, SIZE_LIMIT};
pub use compare::Difference;

use crate::types::Type;

/// Everything about one contract that another language, or another build, needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    /// The method's name, as Rust has it.
    pub name: String,
    /// The documentation of the method.
    pub docs: String,
    /// The minor version that introduced it.
    pub since: u32,
    /// The arguments in order.
    pub arguments: Vec<Field>,
    /// What it returns.
    pub result: TypeRef,
}

/// A named value: an argument, or a field of a record or of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The name; a number for a field of a tuple struct.
    pub name: String,
    /// The documentation.
    pub docs: String,
    /// The type.
    pub ty: TypeRef,
}

/// A record, enum or variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// The name of the Rust type.
    pub name: String,
    /// The documentation.
    pub docs: String,
    /// Its contents.
    pub shape: Shape,
}

/// What a [`Definition`] is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// The contract of an object that crosses, as far as it matters there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// The contract's name.
    pub contract: String,
    /// The contract's major version.
    pub major: u32,
    /// Whether the callee may keep the object; otherwise it is lent for the call.
    pub kept: bool,
    /// The methods, in the order of their function ids.
    pub methods: Vec<Method>,
}

/// One case of an enum or variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The case's name.
    pub name: String,
    /// The documentation.
    pub docs: String,
    /// The fields it carries.
    pub fields: Vec<Field>,
}

/// What has fields: see [`Schema::bodies`].
#[derive(Debug, Clone, Copy)]
pub struct BodyOf<'a> {
    /// The number of the definition.
    pub definition: u32,
    /// The case, of a variant; none for a record.
    pub case: Option<&'a Case>,
    /// The fields.
    pub fields: &'a [Field],
}

/// The use of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // the scalars are what they are called
pub enum TypeRef {
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
    String,
    /// A sequence of values of one type; of `u8`: bytes.
    List(Box<TypeRef>),
    /// A value that may be absent.
    Option(Box<TypeRef>),
    /// A value behind a pointer, for recursion.
    Box(Box<TypeRef>),
    /// Keys with a value each; keys are scalars, characters or text.
    Map(Box<TypeRef>, Box<TypeRef>),
    /// A fixed number of values.
    Tuple(Vec<TypeRef>),
    /// An answer or a declared error.
    Result(Box<TypeRef>, Box<TypeRef>),
    /// The type with this number in [`Schema::types`].
    Named(u32),
}

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

/// Collects the definitions that a contract's methods use.
#[derive(Debug, Default)]
pub struct Types {
    known: Vec<TypeId>,
    definitions: Vec<Option<Definition>>,
}

impl Types {
    /// A reference to the definition of `T`, which is described on first use. A type may describe itself through
    /// itself.
    pub fn define<T: Type>(&mut self, describe: impl FnOnce(&mut Self) -> Definition) -> TypeRef {
        const { assert!(size_of::<T::Canon>() > 0, "a record needs a field that has a size: `()` has none") };
        let id = TypeId::of::<T>();
        if let Some(number) = self.known.iter().position(|known| *known == id) {
            return Self::named(number);
        }
        let number = self.known.len();
        self.known.push(id);
        self.definitions.push(None);
        let definition = describe(self);
        self.definitions[number] = Some(definition);
        Self::named(number)
    }

    /// A reference to the objects of contract `C`, lent or kept, told apart by `Key`. A contract's methods may take
    /// objects of the contract itself.
    pub(crate) fn define_object<C: crate::Contract + ?Sized, Key: 'static>(&mut self, kept: bool) -> TypeRef {
        let id = TypeId::of::<Key>();
        if let Some(number) = self.known.iter().position(|known| *known == id) {
            return Self::named(number);
        }
        let number = self.known.len();
        self.known.push(id);
        self.definitions.push(None);
        let methods = (C::info().methods_in)(self);
        let info = C::info();
        let name = info.name.rsplit('.').next().unwrap_or_default();
        let interface = Interface { contract: info.name.to_owned(), major: info.major, kept, methods };
        self.definitions[number] = Some(Definition::new(name, "", Shape::Object(interface)));
        Self::named(number)
    }

    fn named(number: usize) -> TypeRef {
        TypeRef::Named(u32::try_from(number).expect("a contract does not use four billion types"))
    }

    /// All definitions, in the order of first use.
    #[must_use]
    pub fn into_definitions(self) -> Vec<Definition> {
        self.definitions.into_iter().flatten().collect()
    }
}

impl Schema {
    /// The description of contract `C`.
    #[must_use]
    pub fn of<C: crate::Contract + ?Sized>() -> Self {
        (C::info().schema)()
    }

    /// The number and description of a method.
    #[must_use]
    pub fn method(&self, name: &str) -> Option<(usize, &Method)> {
        self.methods.iter().enumerate().find(|(_, method)| method.name == name)
    }

    /// The definition behind a [`TypeRef::Named`].
    ///
    /// # Panics
    ///
    /// If the number is none of this schema's; a schema that was decoded has no such numbers.
    #[must_use]
    pub fn definition(&self, number: u32) -> &Definition {
        &self.types[number as usize]
    }

    /// Everything that has fields: each record, and each case of each variant.
    pub fn bodies(&self) -> impl Iterator<Item = BodyOf<'_>> {
        (0u32..).zip(&self.types).flat_map(|(number, definition)| {
            let of = move |case, fields| BodyOf { definition: number, case, fields };
            match &definition.shape {
                Shape::Record(fields) => vec![of(None, fields.as_slice())],
                Shape::Variant(cases) => cases.iter().map(|case| of(Some(case), case.fields.as_slice())).collect(),
                Shape::Enum(_) | Shape::Object(_) => Vec::new(),
            }
        })
    }

    /// A type as people write it: `list<string>`, `Point`.
    #[must_use]
    pub fn type_name(&self, ty: &TypeRef) -> String {
        names::spell(self, ty)
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}.{}", self.name, self.major, self.minor)
    }
}
