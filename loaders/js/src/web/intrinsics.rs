//! Functions of the language, as they were before code of a bundle could replace them.

use std::ffi::CStr;

use super::value::{Ctx, Res, Value};

/// The functions that this module's parts call.
pub(super) struct Intrinsics {
    pub(super) map: Value,
    pub(super) map_set: Value,
    pub(super) map_for_each: Value,
    pub(super) set: Value,
    pub(super) set_add: Value,
    pub(super) set_for_each: Value,
    pub(super) date_get_time: Value,
    pub(super) date_to_iso: Value,
    pub(super) regexp: Value,
    pub(super) regexp_to_string: Value,
    pub(super) data_view: Value,
    pub(super) number_value_of: Value,
    pub(super) string_value_of: Value,
    pub(super) boolean_value_of: Value,
    pub(super) bigint_value_of: Value,
    pub(super) symbol_value_of: Value,
    pub(super) symbol_iterator: Value,
    pub(super) symbol_to_string_tag: Value,
}

impl Intrinsics {
    /// Reads the functions from a context in which no code of a bundle has run.
    pub(super) fn capture(ctx: Ctx<'_>) -> Res<Self> {
        let global = ctx.global();
        let type_and_prototype = |name: &CStr| -> Res<(Value, Value)> {
            let class = global.get(name)?;
            let prototype = class.get(c"prototype")?;
            Ok((class, prototype))
        };
        let (map, map_prototype) = type_and_prototype(c"Map")?;
        let (set, set_prototype) = type_and_prototype(c"Set")?;
        let (_, date) = type_and_prototype(c"Date")?;
        let (regexp, regexp_prototype) = type_and_prototype(c"RegExp")?;
        let symbol = global.get(c"Symbol")?;
        let value_of = |name: &CStr| type_and_prototype(name)?.1.get(c"valueOf");
        Ok(Self {
            map,
            map_set: map_prototype.get(c"set")?,
            map_for_each: map_prototype.get(c"forEach")?,
            set,
            set_add: set_prototype.get(c"add")?,
            set_for_each: set_prototype.get(c"forEach")?,
            date_get_time: date.get(c"getTime")?,
            date_to_iso: date.get(c"toISOString")?,
            regexp,
            regexp_to_string: regexp_prototype.get(c"toString")?,
            data_view: global.get(c"DataView")?,
            number_value_of: value_of(c"Number")?,
            string_value_of: value_of(c"String")?,
            boolean_value_of: value_of(c"Boolean")?,
            bigint_value_of: value_of(c"BigInt")?,
            symbol_value_of: value_of(c"Symbol")?,
            symbol_iterator: symbol.get(c"iterator")?,
            symbol_to_string_tag: symbol.get(c"toStringTag")?,
        })
    }

    /// Returns the primitive value of a boxed one, or `None` if the class is not that of boxed values.
    pub(super) fn unbox(&self, class: &str, boxed: &Value) -> Res<Option<Value>> {
        let function = match class {
            "Number" => &self.number_value_of,
            "String" => &self.string_value_of,
            "Boolean" => &self.boolean_value_of,
            "BigInt" => &self.bigint_value_of,
            "Symbol" => &self.symbol_value_of,
            _ => return Ok(None),
        };
        function.call(boxed, &[]).map(Some)
    }
}
