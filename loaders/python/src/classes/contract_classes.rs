//! The classes of one contract.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Mutex;

use polyplug::engine::KnownContract;
use polyplug::schema::{Field, Shape};
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

use super::descriptor::{definition_descriptors, error_definitions};
use crate::interpreter::Interpreter;
use crate::lock::lock;
use crate::names::interned;

/// The classes and attribute names of one contract.
pub(crate) struct ContractClasses {
    pub(crate) contract: KnownContract,
    /// The value of `types(contract)`.
    pub(crate) types: Py<PyAny>,
    /// The classes of bodies, by the body's number.
    pub(crate) bodies: Vec<BodyClass>,
    /// The classes of definitions, by the definition's number.
    pub(crate) definitions: Vec<DefinitionClass>,
    /// The classes of remote objects: by the number of the object definition, or `None` for the contract itself.
    remote_classes: Mutex<HashMap<Option<u32>, Py<PyType>>>,
}

/// The class of a body: of a record, or of a case of a variant.
pub(crate) struct BodyClass {
    pub(crate) class: Py<PyType>,
    /// The names of the attributes, by the number of a field.
    pub(crate) keys: Vec<Py<PyString>>,
    /// The flag that says that the fields have numbers for names.
    pub(crate) is_tuple: bool,
}

/// The classes and names of a definition that its bodies do not have.
pub(crate) enum DefinitionClass {
    Record,
    Enum {
        class: Py<PyType>,
        members: Vec<Py<PyAny>>,
    },
    Variant {
        base: Py<PyType>,
        /// The numbers of the cases' bodies.
        bodies: Range<usize>,
    },
    Object {
        /// The names of the methods.
        methods: Vec<Py<PyString>>,
    },
}

impl ContractClasses {
    /// Makes the classes of a contract.
    pub(super) fn new(py: Python<'_>, interpreter: &Interpreter, contract: &KnownContract) -> PyResult<Self> {
        let schema = &contract.schema;
        let name = format!("{}@{}", schema.name, schema.major);
        let arguments = (name, definition_descriptors(py, schema)?, error_definitions(schema));
        let made = interpreter.prelude.make_types.bind(py).call1(arguments)?;
        let (types, made): (Bound<'_, PyAny>, Vec<Bound<'_, PyAny>>) = made.extract()?;
        let mut this = Self {
            contract: contract.clone(),
            types: types.unbind(),
            bodies: Vec::new(),
            definitions: Vec::new(),
            remote_classes: Mutex::default(),
        };
        for (definition, made) in schema.types.iter().zip(made) {
            let definition = this.add_definition(&definition.shape, &made)?;
            this.definitions.push(definition);
        }
        Ok(this)
    }

    /// Reads the value that `make_types` returned for a definition, and adds its bodies in the order of
    /// [`Schema::bodies`](polyplug::schema::Schema::bodies).
    fn add_definition(&mut self, shape: &Shape, made: &Bound<'_, PyAny>) -> PyResult<DefinitionClass> {
        Ok(match shape {
            Shape::Record(fields) => {
                self.add_body(made, fields)?;
                DefinitionClass::Record
            }
            Shape::Enum(_) => {
                let (class, members): (Bound<'_, PyType>, Vec<Bound<'_, PyAny>>) = made.extract()?;
                let members = members.into_iter().map(Bound::unbind).collect();
                DefinitionClass::Enum { class: class.unbind(), members }
            }
            Shape::Variant(cases) => {
                let (base, bodies): (Bound<'_, PyType>, Vec<Bound<'_, PyAny>>) = made.extract()?;
                let first = self.bodies.len();
                for (case, body) in cases.iter().zip(bodies) {
                    self.add_body(&body, &case.fields)?;
                }
                DefinitionClass::Variant { base: base.unbind(), bodies: first..self.bodies.len() }
            }
            Shape::Object(_) => {
                let names: Vec<String> = made.extract()?;
                DefinitionClass::Object { methods: names.iter().map(|name| interned(made.py(), name)).collect() }
            }
        })
    }

    fn add_body(&mut self, made: &Bound<'_, PyAny>, fields: &[Field]) -> PyResult<()> {
        let (class, keys): (Bound<'_, PyType>, Vec<String>) = made.extract()?;
        let keys = keys.iter().map(|key| interned(made.py(), key)).collect();
        let is_tuple = fields.first().is_some_and(|field| field.name == "0");
        self.bodies.push(BodyClass { class: class.unbind(), keys, is_tuple });
        Ok(())
    }

    /// Returns the class of a definition's values; `None` for an object, whose values may be of any class.
    pub(crate) fn class(&self, definition: u32) -> Option<&Py<PyType>> {
        match &self.definitions[definition as usize] {
            DefinitionClass::Enum { class, .. } => Some(class),
            DefinitionClass::Variant { base, .. } => Some(base),
            DefinitionClass::Object { .. } => None,
            DefinitionClass::Record => {
                let number = self.contract.schema.bodies().position(|body| body.definition == definition)?;
                Some(&self.bodies[number].class)
            }
        }
    }

    /// Returns the class and the members of an enum.
    ///
    /// # Panics
    ///
    /// If the definition is another one. The plan of the contract, which callers follow, comes from the same schema.
    pub(crate) fn enum_members(&self, definition: u32) -> (&Py<PyType>, &[Py<PyAny>]) {
        match &self.definitions[definition as usize] {
            DefinitionClass::Enum { class, members } => (class, members),
            _ => unreachable!("the definition is an enum by the contract's plan"),
        }
    }

    /// Returns the classes of a variant's cases.
    ///
    /// # Panics
    ///
    /// As [`enum_members`](Self::enum_members).
    pub(crate) fn case_bodies(&self, definition: u32) -> &[BodyClass] {
        match &self.definitions[definition as usize] {
            DefinitionClass::Variant { bodies, .. } => &self.bodies[bodies.clone()],
            _ => unreachable!("the definition is a variant by the contract's plan"),
        }
    }

    /// Returns the names of an object's methods.
    ///
    /// # Panics
    ///
    /// As [`enum_members`](Self::enum_members).
    pub(crate) fn object_methods(&self, definition: u32) -> &[Py<PyString>] {
        match &self.definitions[definition as usize] {
            DefinitionClass::Object { methods } => methods,
            _ => unreachable!("the definition is an object by the contract's plan"),
        }
    }

    /// Returns the class of remote objects with the methods of an object definition, or of the contract itself. `make`
    /// makes the class when it is needed first.
    pub(crate) fn remote_class<'py>(
        &self,
        py: Python<'py>,
        definition: Option<u32>,
        make: impl FnOnce() -> PyResult<Bound<'py, PyType>>,
    ) -> PyResult<Bound<'py, PyType>> {
        if let Some(known) = lock(&self.remote_classes).get(&definition) {
            return Ok(known.bind(py).clone());
        }
        let class = make()?;
        lock(&self.remote_classes).insert(definition, class.clone().unbind());
        Ok(class)
    }
}
