//! Descriptions of values for errors.

use crate::js::Value;

/// The number of characters of a string that an error shows.
const SHOWN: usize = 100;

/// Describes a value for an error message: `string "x"`, `number 5`, `an array of 3 items`. Runs no code of the guest.
pub(crate) fn describe(value: &Value) -> String {
    if value.is_undefined() {
        return "undefined".to_owned();
    }
    if value.is_nothing() {
        return "null".to_owned();
    }
    if let Some(flag) = value.as_bool() {
        return format!("boolean {flag}");
    }
    if let Some(number) = value.as_number() {
        return format!("number {number}");
    }
    if value.is_string() {
        return described_text("string", value, true);
    }
    if value.is_bigint() {
        return format!("{}n", described_text("bigint", value, false));
    }
    if !value.is_object() {
        return "a symbol".to_owned();
    }
    if value.is_function() {
        return "a function".to_owned();
    }
    if value.is_array() {
        return match value.js().len(value) {
            Ok(1) => "an array of 1 item".to_owned(),
            Ok(len) => format!("an array of {len} items"),
            Err(pending) => {
                drop(value.js().exception(pending));
                "an array".to_owned()
            }
        };
    }
    if value.is_map() {
        return "a Map".to_owned();
    }
    if value.is_promise() {
        return "a promise".to_owned();
    }
    if value.is_error() {
        return "an error".to_owned();
    }
    if value.typed_array() >= 0 {
        return "a typed array".to_owned();
    }
    "an object".to_owned()
}

/// Returns a text behind the name of its kind, cut where it is long.
fn described_text(kind: &str, value: &Value, is_quoted: bool) -> String {
    let text = value.shown().unwrap_or_else(|pending| {
        drop(value.js().exception(pending));
        "..".to_owned()
    });
    let (text, more) = match text.char_indices().nth(SHOWN) {
        None => (text.as_str(), ""),
        Some((end, _)) => (&text[..end], "..."),
    };
    if is_quoted { format!("{kind} {text:?}{more}") } else { format!("{kind} {text}{more}") }
}
