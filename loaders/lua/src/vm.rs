//! The machine of a bundle, with the code of its plugins.

use std::ffi::c_int;
use std::rc::Rc;
use std::sync::OnceLock;

use polyplug::schema::plan::{Kind, MethodPlan, Plan};

use crate::prepared::Prepared;
use crate::state::State;

/// A machine with the code of one bundle.
pub(crate) struct LuaEngine {
    pub(crate) state: Box<State>,
    pub(crate) plugins: Vec<OnceLock<Code>>,
}

// SAFETY: the runtime lets one thread at a time use an engine that is exclusive, and LuaJIT's machines belong to no
// thread.
unsafe impl Send for LuaEngine {}
// SAFETY: as for `Send`.
unsafe impl Sync for LuaEngine {}

/// The code of a plugin. The numbers are references to values of the machine.
pub(crate) struct Code {
    pub(crate) of: Rc<Prepared>,
    pub(crate) methods: Vec<Method>,
    /// What makes a table an instance.
    pub(crate) metatable: c_int,
    pub(crate) init: Option<c_int>,
    pub(crate) save: Option<c_int>,
    pub(crate) restore: Option<c_int>,
}

pub(crate) struct Method {
    pub(crate) function: c_int,
    pub(crate) way: Way,
}

/// How much of a call needs protection from errors of Lua's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Nothing but the function: all values are numbers and truth values.
    Plain,
    /// Nothing but the function either, if what there is of text, bytes and wide integers is small.
    Short,
    /// Everything.
    Any,
}

/// How much text a call on the short way may have.
pub(crate) const SMALL: usize = 64 << 10;

/// The way for a method, by what its values are.
pub(crate) fn way(plan: &Plan, method: &MethodPlan) -> Way {
    let of = |node| match plan.node(node).kind {
        Kind::Unit
        | Kind::Bool
        | Kind::I8
        | Kind::I16
        | Kind::I32
        | Kind::U8
        | Kind::U16
        | Kind::U32
        | Kind::F32
        | Kind::F64 => Way::Plain,
        Kind::I64 | Kind::U64 | Kind::String | Kind::Bytes => Way::Short,
        _ => Way::Any,
    };
    let mut ways = method.arguments.iter().map(|place| place.node).chain([method.result]).map(of);
    ways.try_fold(Way::Plain, |way, next| match (way, next) {
        (_, Way::Any) => None,
        (Way::Plain, Way::Plain) => Some(Way::Plain),
        _ => Some(Way::Short),
    })
    .unwrap_or(Way::Any)
}
