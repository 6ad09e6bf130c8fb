//! The collection of the definitions that a contract uses.

use std::any::TypeId;

use crate::schema::schema::{Definition, TypeRef};

/// A collection of the definitions that a contract's methods use.
#[derive(Debug, Default)]
pub struct Types {
    known: Vec<TypeId>,
    definitions: Vec<Option<Definition>>,
}

impl Types {
    /// Returns a reference to the definition that belongs to `id`, which `describe` makes on first use. A definition
    /// may refer to itself.
    pub(crate) fn define_once(&mut self, id: TypeId, describe: impl FnOnce(&mut Self) -> Definition) -> TypeRef {
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

    fn named(number: usize) -> TypeRef {
        TypeRef::Named(u32::try_from(number).expect("a contract does not use four billion types"))
    }

    /// Returns all definitions, in the order of first use.
    #[must_use]
    pub fn into_definitions(self) -> Vec<Definition> {
        self.definitions.into_iter().flatten().collect()
    }
}
