//! The collection of the definitions that a contract uses.

use std::any::TypeId;
use std::fmt;

use crate::schema::plan::{NodeId, Plan};
use crate::schema::schema::{Definition, Field, Schema, Shape, TypeRef};
use crate::value::Value;

/// A collection of the definitions that a contract's methods use.
#[derive(Debug)]
pub struct Types {
    /// The contract's major version.
    major: u32,
    known: Vec<TypeId>,
    definitions: Vec<Option<Definition>>,
    /// The numbers of the definitions that are being described, innermost last.
    described: Vec<usize>,
    defaults: Vec<PendingDefault>,
}

/// A function that makes the value of a default, given its node in the contract's plan.
pub(crate) type MakeDefault = Box<dyn FnOnce(&Schema, &Plan, NodeId) -> Value>;

/// A default that is not made yet, because a value can be read only when all definitions are known.
pub(crate) struct PendingDefault {
    definition: usize,
    case: Option<usize>,
    field: usize,
    make: MakeDefault,
}

impl fmt::Debug for PendingDefault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PendingDefault({}.{:?}.{})", self.definition, self.case, self.field)
    }
}

impl PendingDefault {
    /// Makes the default, and sets it in a schema whose definitions are complete. `plan` is compiled from that schema; a
    /// default does not change the layouts in it.
    pub(crate) fn set(self, schema: &mut Schema, plan: &Plan) {
        let node = plan.field(self.definition, self.case, self.field).node;
        let value = (self.make)(schema, plan, node);
        let fields: &mut [Field] = match &mut schema.types[self.definition].shape {
            Shape::Record(fields) => fields,
            Shape::Variant(cases) => &mut cases[self.case.unwrap_or_default()].fields,
            Shape::Enum(_) | Shape::Object(_) => unreachable!("neither has fields"),
        };
        fields[self.field].default = Some(value);
    }
}

impl Types {
    /// Makes an empty collection for a contract of this major version.
    #[must_use]
    pub fn new(major: u32) -> Self {
        Self { major, known: Vec::new(), definitions: Vec::new(), described: Vec::new(), defaults: Vec::new() }
    }

    /// Returns a reference to the definition that belongs to `id`, which `describe` makes on first use. A definition
    /// may refer to itself.
    pub(crate) fn define_once(&mut self, id: TypeId, describe: impl FnOnce(&mut Self) -> Definition) -> TypeRef {
        if let Some(number) = self.known.iter().position(|known| *known == id) {
            return Self::named(number);
        }
        let number = self.known.len();
        self.known.push(id);
        self.definitions.push(None);
        self.described.push(number);
        let definition = describe(self);
        self.described.pop();
        self.definitions[number] = Some(definition);
        Self::named(number)
    }

    /// Returns the minor version of the contract that introduced what version `major.minor` has introduced: 0 if that
    /// was an earlier major.
    #[must_use]
    pub fn since(&self, major: u32, minor: u32) -> u32 {
        match major.cmp(&self.major) {
            std::cmp::Ordering::Less => 0,
            std::cmp::Ordering::Equal => minor,
            // Newer than any version of the contract, which the check of the schema reports.
            std::cmp::Ordering::Greater => u32::MAX,
        }
    }

    /// Adds the default of field `field` of the definition that is being described, or of its case `case`.
    pub(crate) fn add_default(&mut self, case: Option<usize>, field: usize, make: MakeDefault) {
        let definition = *self.described.last().expect("fields are described as parts of a definition");
        self.defaults.push(PendingDefault { definition, case, field, make });
    }

    fn named(number: usize) -> TypeRef {
        TypeRef::Named(u32::try_from(number).expect("a contract does not use four billion types"))
    }

    /// Returns all definitions in the order of first use, and the defaults that are not made yet.
    pub(crate) fn into_parts(self) -> (Vec<Definition>, Vec<PendingDefault>) {
        (self.definitions.into_iter().flatten().collect(), self.defaults)
    }
}
