//! The plugin, for abi_stable.

use abi_stable::prefix_type::PrefixTypeTrait;
use abi_stable::sabi_trait::TD_Opaque;
use abi_stable::std_types::{RSlice, RStr, RString};
use abi_stable_interface::{BoxedCalculator, Calculator, Calculator_TO, Plugin, PluginRef};

struct Basic;

impl Calculator for Basic {
    fn add(&self, a: i32, b: i32) -> i32 {
        a.wrapping_add(b)
    }

    fn greet(&self, name: RStr<'_>) -> RString {
        ["Hello, ", name.as_str(), "!"].concat().into()
    }

    fn sum(&self, data: RSlice<'_, u8>) -> u64 {
        data.iter().map(|byte| u64::from(*byte)).sum()
    }
}

#[abi_stable::sabi_extern_fn]
fn calculator() -> BoxedCalculator {
    Calculator_TO::from_value(Basic, TD_Opaque)
}

#[abi_stable::export_root_module]
fn root() -> PluginRef {
    Plugin { calculator }.leak_into_prefix()
}
