//! Contracts as the interpreter knows them: a class for each type, and the names of everything that is looked up by name.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use polyplug::engine::{Fault, KnownContract};
use polyplug::schema::{Field, Schema, Shape, TypeRef};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple, PyType};

use crate::convert::Method;
use crate::exception;
use crate::interpreter::Interpreter;

/// A contract whose types have classes.
pub(crate) struct Prepared {
    pub(crate) contract: KnownContract,
    /// What `types(contract)` gives.
    pub(crate) types: Py<PyAny>,
    /// By the number of a body.
    pub(crate) bodies: Vec<Fields>,
    /// By the number of a definition.
    pub(crate) definitions: Vec<Definition>,
    /// Classes for those who have the contract's methods, or those of an object that it defines.
    remotes: Mutex<HashMap<Option<u32>, Py<PyType>>>,
}

/// A record, or a case of a variant.
pub(crate) struct Fields {
    pub(crate) class: Py<PyType>,
    /// The attributes.
    pub(crate) keys: Vec<Py<PyString>>,
    /// Whether they have numbers for names.
    pub(crate) is_tuple: bool,
}

/// What a definition needs beyond its bodies.
pub(crate) enum Definition {
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
        /// What the methods are called.
        methods: Vec<Py<PyString>>,
    },
}

/// How many contracts stay prepared while nobody uses them. What is made anew has other classes.
const KEPT: usize = 64;

static ALL: Mutex<Vec<Arc<Prepared>>> = Mutex::new(Vec::new());

/// A contract, prepared by whoever needed it first.
pub(crate) fn prepared(
    py: Python<'_>,
    interpreter: &Interpreter,
    contract: &KnownContract,
) -> Result<Arc<Prepared>, Fault> {
    if let Some(known) = find(contract) {
        return Ok(known);
    }
    // Made without the lock: it runs code in Python.
    let made = Arc::new(Prepared::new(py, interpreter, contract).map_err(|raised| exception::to_fault(py, raised))?);
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = position(&all, contract) {
        return Ok(Arc::clone(&all[known]));
    }
    all.push(Arc::clone(&made));
    let spare = if all.len() > KEPT { Some(all.remove(0)) } else { None };
    drop(all);
    drop(spare);
    Ok(made)
}

fn find(contract: &KnownContract) -> Option<Arc<Prepared>> {
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    let found = position(&all, contract)?;
    // The last one is the one that was used last.
    let known = all.remove(found);
    all.push(Arc::clone(&known));
    Some(known)
}

fn position(all: &[Arc<Prepared>], contract: &KnownContract) -> Option<usize> {
    let schema = &contract.schema;
    let is_same = |known: &Arc<Prepared>| Arc::ptr_eq(&known.contract.schema, schema);
    all.iter().rposition(is_same).or_else(|| all.iter().rposition(|known| known.contract.schema == *schema))
}

impl Prepared {
    fn new(py: Python<'_>, interpreter: &Interpreter, contract: &KnownContract) -> PyResult<Self> {
        let schema = &contract.schema;
        let definitions = schema.types.iter().map(|definition| {
            let (kind, parts) = parts(py, &definition.shape)?;
            (&definition.name, &definition.docs, kind, parts).into_pyobject(py)
        });
        let definitions = PyList::new(py, definitions.collect::<PyResult<Vec<_>>>()?)?;
        let arguments = (&schema.name, definitions, errors(schema));
        let made = interpreter.prelude.make_types.bind(py).call1(arguments)?;
        let (types, made): (Bound<'_, PyAny>, Vec<Bound<'_, PyAny>>) = made.extract()?;
        let mut this = Self {
            contract: contract.clone(),
            types: types.unbind(),
            bodies: Vec::new(),
            definitions: Vec::new(),
            remotes: Mutex::default(),
        };
        for (definition, made) in schema.types.iter().zip(made) {
            let definition = this.definition(&definition.shape, &made)?;
            this.definitions.push(definition);
        }
        Ok(this)
    }

    /// What was made for a definition. The bodies come in the order of [`Schema::bodies`].
    fn definition(&mut self, shape: &Shape, made: &Bound<'_, PyAny>) -> PyResult<Definition> {
        Ok(match shape {
            Shape::Record(fields) => {
                self.body(made, fields)?;
                Definition::Record
            }
            Shape::Enum(_) => {
                let (class, members): (Bound<'_, PyType>, Vec<Bound<'_, PyAny>>) = made.extract()?;
                let members = members.into_iter().map(Bound::unbind).collect();
                Definition::Enum { class: class.unbind(), members }
            }
            Shape::Variant(cases) => {
                let (base, bodies): (Bound<'_, PyType>, Vec<Bound<'_, PyAny>>) = made.extract()?;
                let first = self.bodies.len();
                for (case, body) in cases.iter().zip(bodies) {
                    self.body(&body, &case.fields)?;
                }
                Definition::Variant { base: base.unbind(), bodies: first..self.bodies.len() }
            }
            Shape::Object(_) => {
                let names: Vec<String> = made.extract()?;
                Definition::Object { methods: names.iter().map(|name| interned(made.py(), name)).collect() }
            }
        })
    }

    fn body(&mut self, made: &Bound<'_, PyAny>, fields: &[Field]) -> PyResult<()> {
        let (class, keys): (Bound<'_, PyType>, Vec<String>) = made.extract()?;
        let keys = keys.iter().map(|key| interned(made.py(), key)).collect();
        let is_tuple = fields.first().is_some_and(|field| field.name == "0");
        self.bodies.push(Fields { class: class.unbind(), keys, is_tuple });
        Ok(())
    }

    /// The class that the values of a definition have.
    pub(crate) fn class(&self, definition: u32) -> Option<&Py<PyType>> {
        match &self.definitions[definition as usize] {
            Definition::Enum { class, .. } => Some(class),
            Definition::Variant { base, .. } => Some(base),
            Definition::Object { .. } => None,
            Definition::Record => {
                let number = self.contract.schema.bodies().position(|body| body.definition == definition)?;
                Some(&self.bodies[number].class)
            }
        }
    }

    /// The class for those who have the contract's methods, or those of an object that it defines.
    pub(crate) fn remote_class<'py>(
        &self,
        py: Python<'py>,
        interpreter: &Interpreter,
        definition: Option<u32>,
    ) -> PyResult<Bound<'py, PyType>> {
        if let Some(known) = self.remotes.lock().unwrap_or_else(PoisonError::into_inner).get(&definition) {
            return Ok(known.bind(py).clone());
        }
        let schema = &self.contract.schema;
        let (name, methods) = match definition.map(|number| &schema.definition(number).shape) {
            Some(Shape::Object(interface)) => (&interface.contract, &interface.methods),
            _ => (&schema.name, &schema.methods),
        };
        let namespace = pyo3::types::PyDict::new(py);
        for (number, method) in methods.iter().enumerate() {
            namespace.set_item(spelled(&method.name), Py::new(py, Method::new(number, method))?)?;
        }
        let base = py.get_type::<crate::convert::Other>();
        let class =
            interpreter.prelude.make_remote_class.bind(py).call1((base, name, namespace))?.cast_into::<PyType>()?;
        self.remotes.lock().unwrap_or_else(PoisonError::into_inner).insert(definition, class.clone().unbind());
        Ok(class)
    }
}

fn interned(py: Python<'_>, name: &str) -> Py<PyString> {
    PyString::intern(py, name).unbind()
}

/// A name as Python allows it: not as a word of its own.
pub(crate) fn spelled(name: &str) -> String {
    const KEYWORDS: [&str; 35] = [
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
        "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
        "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
    ];
    if KEYWORDS.contains(&name) { format!("{name}_") } else { name.to_owned() }
}

/// The numbers of the definitions that methods declare as their errors.
fn errors(schema: &Schema) -> Vec<u32> {
    let of_objects = schema.types.iter().flat_map(|definition| match &definition.shape {
        Shape::Object(interface) => interface.methods.as_slice(),
        _ => &[],
    });
    let declared = schema.methods.iter().chain(of_objects).filter_map(|method| match &method.result {
        TypeRef::Result(_, error) => match &**error {
            TypeRef::Named(number) => Some(*number),
            _ => None,
        },
        _ => None,
    });
    declared.collect()
}

/// A definition's kind, and its parts as values of Python's.
fn parts<'py>(py: Python<'py>, shape: &Shape) -> PyResult<(&'static str, Bound<'py, PyAny>)> {
    Ok(match shape {
        Shape::Record(described) => ("record", fields(py, described)?.into_any()),
        Shape::Enum(cases) => ("enum", PyList::new(py, cases.iter().map(|case| spelled(&case.name)))?.into_any()),
        Shape::Variant(cases) => {
            let cases = cases
                .iter()
                .map(|case| (&case.name, spelled(&case.name), &case.docs, fields(py, &case.fields)?).into_pyobject(py));
            ("variant", PyList::new(py, cases.collect::<PyResult<Vec<_>>>()?)?.into_any())
        }
        Shape::Object(interface) => {
            ("object", PyList::new(py, interface.methods.iter().map(|method| spelled(&method.name)))?.into_any())
        }
    })
}

fn fields<'py>(py: Python<'py>, fields: &[Field]) -> PyResult<Bound<'py, PyList>> {
    let fields = fields.iter().map(|field| (spelled(&field.name), describe(py, &field.ty)?).into_pyobject(py));
    PyList::new(py, fields.collect::<PyResult<Vec<_>>>()?)
}

/// A type as a tuple: its kind, and its parts.
pub(crate) fn describe<'py>(py: Python<'py>, ty: &TypeRef) -> PyResult<Bound<'py, PyTuple>> {
    let with = |kind: &str, parts: &[&TypeRef]| {
        let kind = PyString::new(py, kind).into_any();
        let parts = parts.iter().map(|part| Ok(describe(py, part)?.into_any()));
        PyTuple::new(py, std::iter::once(Ok(kind)).chain(parts).collect::<PyResult<Vec<_>>>()?)
    };
    match ty {
        TypeRef::Unit => with("unit", &[]),
        TypeRef::Bool => with("bool", &[]),
        TypeRef::F32 | TypeRef::F64 => with("float", &[]),
        TypeRef::Char => with("char", &[]),
        TypeRef::String => with("string", &[]),
        TypeRef::List(of) if **of == TypeRef::U8 => with("bytes", &[]),
        TypeRef::List(of) => with("list", &[of]),
        TypeRef::Option(of) => with("option", &[of]),
        TypeRef::Box(of) => describe(py, of),
        TypeRef::Map(key, value) => with("map", &[key, value]),
        TypeRef::Tuple(parts) => with("tuple", &parts.iter().collect::<Vec<_>>()),
        TypeRef::Result(ok, err) => with("result", &[ok, err]),
        TypeRef::Named(number) => ("named", *number).into_pyobject(py),
        _ => with("int", &[]),
    }
}
