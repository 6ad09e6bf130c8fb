//! What values of a contract's types need, looked up by name once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::c_int;

use crate::registry::{push_ref, take_ref};
use mlua::ffi::{self, lua_State};
use polyplug::engine::KnownContract;
use polyplug::schema::{Case, Shape};

/// A contract as one machine knows it. The numbers are references to values of the machine.
pub(crate) struct Prepared {
    pub(crate) contract: KnownContract,
    /// By the number of a body.
    pub(crate) bodies: Vec<Fields>,
    /// By the number of an enum's or variant's definition.
    cases: HashMap<u32, Cases>,
    /// The metatables of whom the contract describes: those who have its methods, and objects by their definitions.
    metatables: RefCell<HashMap<Option<u32>, c_int>>,
}

/// How the fields of a record or case lie in a table.
pub(crate) struct Fields {
    pub(crate) layout: Layout,
    /// The names.
    pub(crate) keys: Vec<c_int>,
    /// The name of the case, of a variant.
    pub(crate) case: Option<c_int>,
}

/// See [`Fields`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Under their names.
    Named,
    /// Under their numbers, from 1.
    Numbered,
    /// There is only one, and it stands for the whole.
    Single,
    /// There is none.
    Empty,
}

impl Layout {
    pub(crate) fn of_case(case: &Case) -> Self {
        match case.fields.as_slice() {
            [] => Self::Empty,
            [only] if only.name == "0" => Self::Single,
            [first, ..] if first.name == "0" => Self::Numbered,
            _ => Self::Named,
        }
    }
}

/// The cases of an enum or variant.
pub(crate) struct Cases {
    /// Their names.
    pub(crate) names: Vec<c_int>,
    /// The table from names to numbers.
    pub(crate) numbers: c_int,
}

impl Prepared {
    /// May raise an error.
    ///
    /// # Safety
    ///
    /// In a protected call.
    pub(crate) unsafe fn new(lua: *mut lua_State, contract: &KnownContract) -> Self {
        let schema = &contract.schema;
        let bodies = schema.bodies().map(|body| {
            let is_tuple = body.fields.first().is_some_and(|field| field.name == "0");
            let layout = match body.case {
                Some(case) => Layout::of_case(case),
                None if is_tuple => Layout::Numbered,
                None => Layout::Named,
            };
            // SAFETY: the caller's promise.
            let keys = body.fields.iter().map(|field| unsafe { keep(lua, &field.name) }).collect();
            // SAFETY: as above.
            Fields { layout, keys, case: body.case.map(|case| unsafe { keep(lua, &case.name) }) }
        });
        let bodies = bodies.collect();
        let mut all = HashMap::new();
        for (number, definition) in (0..).zip(&schema.types) {
            if let Shape::Enum(cases) | Shape::Variant(cases) = &definition.shape {
                // SAFETY: as above.
                all.insert(number, unsafe { Cases::new(lua, cases) });
            }
        }
        Self { contract: contract.clone(), bodies, cases: all, metatables: RefCell::default() }
    }

    pub(crate) fn metatable(&self, definition: Option<u32>) -> Option<c_int> {
        self.metatables.borrow().get(&definition).copied()
    }

    pub(crate) fn keep_metatable(&self, definition: Option<u32>, reference: c_int) {
        self.metatables.borrow_mut().insert(definition, reference);
    }

    pub(crate) fn cases(&self, definition: u32) -> &Cases {
        &self.cases[&definition]
    }
}

impl Cases {
    unsafe fn new(lua: *mut lua_State, cases: &[Case]) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            ffi::lua_createtable(lua, 0, 0);
            let mut names = Vec::new();
            for (number, case) in cases.iter().enumerate() {
                let name = keep(lua, &case.name);
                push_ref(lua, name);
                #[allow(clippy::cast_precision_loss)] // far fewer cases than that
                ffi::lua_pushnumber(lua, number as f64);
                ffi::lua_rawset(lua, -3);
                names.push(name);
            }
            Self { names, numbers: take_ref(lua) }
        }
    }
}

/// A reference to a string.
unsafe fn keep(lua: *mut lua_State, text: &str) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_pushlstring(lua, text.as_ptr().cast(), text.len());
        take_ref(lua)
    }
}
