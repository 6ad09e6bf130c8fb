//! The interface of the plugin, for abi_stable.

use abi_stable::StableAbi;
use abi_stable::library::RootModule;
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::{RBox, RSlice, RStr, RString};

#[abi_stable::sabi_trait]
pub trait Calculator: Send + Sync {
    fn add(&self, a: i32, b: i32) -> i32;
    fn greet(&self, name: RStr<'_>) -> RString;
    #[sabi(last_prefix_field)]
    fn sum(&self, data: RSlice<'_, u8>) -> u64;
}

pub type BoxedCalculator = Calculator_TO<'static, RBox<()>>;

#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginRef)))]
pub struct Plugin {
    #[sabi(last_prefix_field)]
    pub calculator: extern "C" fn() -> BoxedCalculator,
}

impl RootModule for PluginRef {
    abi_stable::declare_root_module_statics! {PluginRef}
    const BASE_NAME: &'static str = "abi_stable_plugin";
    const NAME: &'static str = "abi_stable_plugin";
    const VERSION_STRINGS: VersionStrings = abi_stable::package_version_strings!();
}
