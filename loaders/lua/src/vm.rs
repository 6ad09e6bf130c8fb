//! The VM of a bundle together with the code of the bundle's plugins.

use std::ffi::c_int;
use std::rc::Rc;
use std::sync::OnceLock;

use polyplug::schema::plan::{Kind, MethodPlan, Plan};

use crate::prepared::Prepared;
use crate::state::State;

/// The engine of a bundle: a VM and the code that the VM has for each plugin.
pub(crate) struct LuaEngine {
    pub(crate) state: Box<State>,
    /// The code of each plugin, in the order of the declarations. Set when the runtime prepares the plugin.
    pub(crate) plugins: Vec<OnceLock<PluginCode>>,
}

// SAFETY: the runtime lets one thread at a time use an engine whose `Engine::EXCLUSIVE` is true, and a VM of LuaJIT is
// not bound to a thread of the operating system.
unsafe impl Send for LuaEngine {}
// SAFETY: shared references are used by one thread at a time, because `Engine::EXCLUSIVE` is true.
unsafe impl Sync for LuaEngine {}

impl LuaEngine {
    /// Returns the code of a plugin, which the runtime must have prepared.
    pub(crate) fn code(&self, plugin: usize) -> &PluginCode {
        self.plugins[plugin].get().expect("a plugin is prepared before it is used")
    }
}

/// The code of a plugin. The numbers of type `c_int` are references to values of the VM.
pub(crate) struct PluginCode {
    pub(crate) prepared: Rc<Prepared>,
    /// The methods, by the numbers of the contract.
    pub(crate) methods: Vec<Method>,
    /// The metatable of instances.
    pub(crate) metatable: c_int,
    pub(crate) init: Option<c_int>,
    pub(crate) save: Option<c_int>,
    pub(crate) restore: Option<c_int>,
}

/// A method of a plugin.
#[derive(Clone, Copy)]
pub(crate) struct Method {
    pub(crate) function: c_int,
    pub(crate) path: CallPath,
}

/// The extent of a call that needs protection from errors of Lua's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallPath {
    /// Only the function needs protection, because all values are numbers and booleans.
    Scalars,
    /// Only the function needs protection, as long as text, bytes and integers are [small](SMALL).
    Small,
    /// Arguments and results need protection, too.
    General,
}

/// The number of bytes of text up to which a call is small.
pub(crate) const SMALL: usize = 64 << 10;

impl CallPath {
    /// Returns the path for a method with the types that the plan lists.
    pub(crate) fn of(plan: &Plan, method: &MethodPlan) -> Self {
        let of_node = |node| match plan.node(node).kind {
            Kind::Unit
            | Kind::Bool
            | Kind::I8
            | Kind::I16
            | Kind::I32
            | Kind::U8
            | Kind::U16
            | Kind::U32
            | Kind::F32
            | Kind::F64 => Self::Scalars,
            Kind::I64 | Kind::U64 | Kind::String | Kind::Bytes => Self::Small,
            _ => Self::General,
        };
        let nodes = method.arguments.iter().map(|place| place.node).chain([method.result]);
        nodes.map(of_node).fold(Self::Scalars, |path, next| match (path, next) {
            (Self::General, _) | (_, Self::General) => Self::General,
            (Self::Scalars, Self::Scalars) => Self::Scalars,
            _ => Self::Small,
        })
    }
}
