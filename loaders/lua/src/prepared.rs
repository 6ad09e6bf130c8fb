//! A contract as a VM uses it: names of fields and cases are made into Lua strings once, and found by number
//! afterwards.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::c_int;

use mlua::ffi::{self, lua_State};
use polyplug::engine::{BodyLayout, KnownContract};
use polyplug::schema::{Case, Shape};

use crate::registry::{push_ref, take_ref};
use crate::text::push_text;

/// A contract that a VM has prepared. The numbers of type `c_int` are references to values of the VM.
pub(crate) struct Prepared {
    pub(crate) contract: KnownContract,
    /// The fields of each body, by the body's number.
    pub(crate) bodies: Vec<Fields>,
    /// The cases of each enum and variant, by the number of the definition.
    cases: HashMap<u32, Cases>,
    /// The metatables of userdata with the contract's methods (`None`) and with those of an object's definition.
    metatables: RefCell<HashMap<Option<u32>, c_int>>,
}

/// The fields of a record or of a variant's case.
pub(crate) struct Fields {
    pub(crate) layout: BodyLayout,
    /// The names of the fields.
    pub(crate) keys: Vec<c_int>,
    /// The name of the case, if the fields are those of a variant's case.
    pub(crate) case: Option<c_int>,
}

/// The cases of an enum or variant.
pub(crate) struct Cases {
    /// The names of the cases.
    pub(crate) names: Vec<c_int>,
    /// The layouts of the cases' fields.
    pub(crate) layouts: Vec<BodyLayout>,
    /// The table from names to numbers.
    pub(crate) numbers: c_int,
}

impl Prepared {
    /// Prepares a contract.
    ///
    /// # Safety
    ///
    /// In a protected call.
    pub(crate) unsafe fn new(lua: *mut lua_State, contract: &KnownContract) -> Self {
        let schema = &contract.schema;
        let bodies = schema.bodies().map(|body| {
            let layout = BodyLayout::of(&body);
            // SAFETY: the caller's promise.
            let keys = body.fields.iter().map(|field| unsafe { string_ref(lua, &field.name) }).collect();
            // SAFETY: the caller's promise.
            let case = body.case.map(|case| unsafe { string_ref(lua, &case.name) });
            Fields { layout, keys, case }
        });
        let bodies = bodies.collect();
        let mut all = HashMap::new();
        for (number, definition) in (0..).zip(&schema.types) {
            if let Shape::Enum(cases) | Shape::Variant(cases) = &definition.shape {
                // SAFETY: the caller's promise.
                all.insert(number, unsafe { Cases::new(lua, cases) });
            }
        }
        Self { contract: contract.clone(), bodies, cases: all, metatables: RefCell::default() }
    }

    /// Returns the metatable for the contract's methods, or for those of an object's definition, if there is one yet.
    pub(crate) fn metatable(&self, definition: Option<u32>) -> Option<c_int> {
        self.metatables.borrow().get(&definition).copied()
    }

    /// Keeps a metatable for [`metatable`](Self::metatable).
    pub(crate) fn keep_metatable(&self, definition: Option<u32>, reference: c_int) {
        self.metatables.borrow_mut().insert(definition, reference);
    }

    /// Returns the cases of a definition, which must be an enum or variant.
    pub(crate) fn cases(&self, definition: u32) -> &Cases {
        &self.cases[&definition]
    }
}

impl Cases {
    /// Prepares cases.
    ///
    /// # Safety
    ///
    /// In a protected call.
    unsafe fn new(lua: *mut lua_State, cases: &[Case]) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            ffi::lua_createtable(lua, 0, 0);
            let mut names = Vec::new();
            for (number, case) in cases.iter().enumerate() {
                let name = string_ref(lua, &case.name);
                push_ref(lua, name);
                #[allow(clippy::cast_precision_loss)] // there are far fewer cases
                ffi::lua_pushnumber(lua, number as f64);
                ffi::lua_rawset(lua, -3);
                names.push(name);
            }
            let layouts = cases.iter().map(BodyLayout::of_case).collect();
            Self { names, layouts, numbers: take_ref(lua) }
        }
    }
}

/// Makes a string and returns a reference to the string.
///
/// # Safety
///
/// In a protected call.
unsafe fn string_ref(lua: *mut lua_State, text: &str) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        push_text(lua, text);
        take_ref(lua)
    }
}
