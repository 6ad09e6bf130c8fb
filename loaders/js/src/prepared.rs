//! A contract as a VM uses it: names are made into names of properties once, and found by number afterwards.

use std::cell::RefCell;
use std::collections::HashMap;

use polyplug::engine::{BodyLayout, KnownContract};
use polyplug::schema::{Case, Method, Shape};

use crate::js::{Atom, Js, Pending, Value};
use crate::names::camel_case;

/// A contract that a VM has prepared.
pub(crate) struct Prepared {
    pub(crate) contract: KnownContract,
    /// The fields of each body, by the body's number.
    pub(crate) bodies: Vec<Fields>,
    /// The cases of each enum and variant, by the number of the definition.
    cases: HashMap<u32, Cases>,
    /// The names of the methods of each object's definition.
    methods: HashMap<u32, Vec<Atom>>,
    /// The prototypes of objects with the contract's methods (`None`) and with those of an object's definition.
    prototypes: RefCell<HashMap<Option<u32>, Value>>,
}

/// The fields of a record or of a variant's case.
pub(crate) struct Fields {
    pub(crate) layout: BodyLayout,
    /// The names of the fields.
    pub(crate) keys: Vec<Atom>,
    /// The name of the case, if the fields are those of a variant's case.
    pub(crate) case: Option<Value>,
}

/// The cases of an enum or variant.
pub(crate) struct Cases {
    /// The names of the cases, as values.
    pub(crate) names: Vec<Value>,
    /// The names of the cases, as names of properties.
    atoms: Vec<Atom>,
    /// The layouts of the cases' fields.
    pub(crate) layouts: Vec<BodyLayout>,
}

impl Prepared {
    /// Prepares a contract.
    ///
    /// # Errors
    ///
    /// There is no memory.
    pub(crate) fn new(js: Js, contract: &KnownContract) -> Result<Self, Pending> {
        let schema = &contract.schema;
        let mut bodies = Vec::new();
        for body in schema.bodies() {
            let layout = BodyLayout::of(&body);
            let keys = body.fields.iter().map(|field| js.atom(&camel_case(&field.name)));
            let keys = keys.collect::<Result<_, _>>()?;
            let case = body.case.map(|case| js.text(&case.name)).transpose()?;
            bodies.push(Fields { layout, keys, case });
        }
        let (mut all, mut objects) = (HashMap::new(), HashMap::new());
        for (number, definition) in (0..).zip(&schema.types) {
            match &definition.shape {
                Shape::Enum(cases) | Shape::Variant(cases) => {
                    all.insert(number, Cases::new(js, cases)?);
                }
                Shape::Object(interface) => {
                    objects.insert(number, method_names(js, &interface.methods)?);
                }
                Shape::Record(_) => {}
            }
        }
        let (contract, prototypes) = (contract.clone(), RefCell::default());
        Ok(Self { contract, bodies, cases: all, methods: objects, prototypes })
    }

    /// Returns the cases of a definition, which must be an enum or variant.
    pub(crate) fn cases(&self, definition: u32) -> &Cases {
        &self.cases[&definition]
    }

    /// Returns the name of a method of an object's definition.
    pub(crate) fn method(&self, definition: u32, number: usize) -> &Atom {
        &self.methods[&definition][number]
    }

    /// Returns the prototype of objects with the contract's methods, or with those of an object's definition. `make` makes
    /// the prototype on first use.
    ///
    /// # Errors
    ///
    /// The error of `make`.
    pub(crate) fn prototype(
        &self,
        definition: Option<u32>,
        make: impl FnOnce() -> Result<Value, Pending>,
    ) -> Result<Value, Pending> {
        if let Some(known) = self.prototypes.borrow().get(&definition) {
            return Ok(known.share());
        }
        let made = make()?;
        self.prototypes.borrow_mut().insert(definition, made.share());
        Ok(made)
    }

    /// Releases the prototypes, which refer to the contract's objects.
    pub(crate) fn release(&self) {
        self.prototypes.take();
    }
}

/// Returns the names that methods have in JavaScript.
pub(crate) fn method_names(js: Js, methods: &[Method]) -> Result<Vec<Atom>, Pending> {
    methods.iter().map(|method| js.atom(&camel_case(&method.name))).collect()
}

impl Cases {
    fn new(js: Js, cases: &[Case]) -> Result<Self, Pending> {
        let names = cases.iter().map(|case| js.text(&case.name)).collect::<Result<_, _>>()?;
        let atoms = cases.iter().map(|case| js.atom(&case.name)).collect::<Result<_, _>>()?;
        Ok(Self { names, atoms, layouts: cases.iter().map(BodyLayout::of_case).collect() })
    }

    /// Returns the number of the case with a name.
    pub(crate) fn number(&self, name: &Atom) -> Option<u32> {
        (0..).zip(&self.atoms).find(|(_, atom)| atom.raw == name.raw).map(|(number, _)| number)
    }
}
