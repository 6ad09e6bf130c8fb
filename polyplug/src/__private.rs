//! Everything that macro expansions name. Not public API.

pub use inventory;
pub use polyplug_abi as abi;

pub use crate::contract::ContractEntry;
pub use crate::contract::ContractInfo;
pub use crate::contract::Dispatch;
pub use crate::contract::MethodInfo;
#[cfg(feature = "host")]
pub use crate::dynamic::Form;
pub use crate::guest::Kept;
pub use crate::guest::Lent;
pub use crate::guest::Migration;
pub use crate::guest::Object;
pub use crate::guest::PluginEntry;
pub use crate::guest::Remote;
pub use crate::guest::check_health;
pub use crate::guest::create;
pub use crate::guest::create_instance;
pub use crate::guest::destroy_instance;
pub use crate::guest::lending;
pub use crate::guest::make_default;
pub use crate::guest::native_dispatch;
pub use crate::guest::package_version;
pub use crate::guest::plugin_flags;
pub use crate::guest::serve;
pub use crate::guest::unwind;
pub use crate::proxy::RawProxy;
pub use crate::proxy::via;
pub use crate::schema;
pub use crate::types::Argument;
pub use crate::types::Depth;
pub use crate::types::LiftError;
pub use crate::types::Lower;
pub use crate::types::OptionalForm;
pub use crate::types::RawOption;
