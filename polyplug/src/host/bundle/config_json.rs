//! Settings as JSON, which every language can read.
//!
//! Values that JSON does not have become text, as TOML writes them: dates and times, and the numbers `nan` and `inf`.

use std::fmt::Write as _;

use toml::{Table, Value};

/// Returns a table as JSON text.
pub(crate) fn text(table: &Table) -> String {
    let mut out = String::new();
    write_table(&mut out, table);
    out
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::String(text) => write_text(out, text),
        Value::Integer(number) => push(out, number),
        Value::Boolean(yes) => push(out, yes),
        // `{:?}` writes a point or an exponent, so that the number stays a floating-point number.
        Value::Float(number) if number.is_finite() => push(out, &format_args!("{number:?}")),
        Value::Float(number) if number.is_nan() => write_text(out, "nan"),
        Value::Float(number) => write_text(out, if *number > 0.0 { "inf" } else { "-inf" }),
        Value::Datetime(time) => write_text(out, &time.to_string()),
        Value::Array(values) => list(out, ['[', ']'], values, write_value),
        Value::Table(table) => write_table(out, table),
    }
}

fn write_table(out: &mut String, table: &Table) {
    list(out, ['{', '}'], table, |out, (key, value)| {
        write_text(out, key);
        out.push(':');
        write_value(out, value);
    });
}

fn list<T>(
    out: &mut String,
    [open, close]: [char; 2],
    items: impl IntoIterator<Item = T>,
    write: impl Fn(&mut String, T),
) {
    out.push(open);
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(close);
}

fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c < ' ' => push(out, &format_args!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

fn push(out: &mut String, value: &impl std::fmt::Display) {
    write!(out, "{value}").expect("a String takes all");
}
