//! The settings of a bundle as an object, `context.config`.

use crate::js::{Js, Pending, Value};

/// The largest integer up to which numbers are exact.
const MAX_EXACT: u64 = (1 << 53) - 1;

/// Makes an object of settings.
///
/// # Errors
///
/// There is no memory.
pub(crate) fn object(js: Js, table: &toml::Table) -> Result<Value, Pending> {
    let object = js.object()?;
    for (key, setting) in table {
        js.define(&object, &js.atom(key)?, value(js, setting)?)?;
    }
    Ok(object)
}

#[allow(clippy::cast_precision_loss)] // checked to be exact
fn value(js: Js, setting: &toml::Value) -> Result<Value, Pending> {
    match setting {
        toml::Value::String(text) => js.text(text),
        toml::Value::Integer(number) if number.unsigned_abs() <= MAX_EXACT => Ok(js.number(*number as f64)),
        toml::Value::Integer(number) => js.bigint(*number),
        toml::Value::Float(number) => Ok(js.number(*number)),
        toml::Value::Boolean(flag) => Ok(js.bool(*flag)),
        toml::Value::Datetime(time) => js.text(&time.to_string()),
        toml::Value::Table(table) => object(js, table),
        toml::Value::Array(items) => {
            let array = js.array()?;
            for (index, item) in items.iter().enumerate() {
                js.define_index(&array, index, value(js, item)?)?;
            }
            Ok(array)
        }
    }
}
