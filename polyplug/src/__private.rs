//! The items that macro expansions name. Not public API.

pub use inventory;
pub use polyplug_abi as abi;

pub use crate::contract::Dispatch;
pub use crate::contract_info::{ContractEntry, ContractInfo, MethodInfo};
#[cfg(feature = "host")]
pub use crate::dynamic::Lowered;
pub use crate::guest::{
    Kept, Lent, Migration, Object, PluginEntry, Remote, UnloadEntry, UnloadOutcome, check_health, create,
    create_instance, destroy_instance, lending, make_default, native_dispatch, package_version, plugin_flags, serve,
    unwind,
};
pub use crate::proxy::{RawProxy, via};
pub use crate::schema;
pub use crate::types::{
    Argument, Check, Crosses, Depth, Lends, LiftError, Lower, OptionalForm, Otherwise, RawOption, demand_key,
};
