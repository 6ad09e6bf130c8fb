//! The native functions of `URL` and `URLSearchParams`.
//!
//! A URL of JavaScript holds its text only; each function parses the text again.

use ::url::{Url, form_urlencoded, quirks};

use super::quote::quoted;
use super::state::{Call, Native, text};
use super::value::{Res, Value};
use crate::builtin::Builtin;

/// The program that makes both classes.
pub(super) static PROGRAM: Builtin = Builtin::new(
    c"<polyplug:url>",
    match std::ffi::CStr::from_bytes_with_nul(concat!(include_str!("url.js"), "\0").as_bytes()) {
        Ok(text) => text,
        Err(_) => panic!("the program has a zero byte"),
    },
);

/// The functions that the program gets.
pub(super) const NATIVES: &[(&std::ffi::CStr, Native)] = &[
    (c"parse", parse),
    (c"canParse", can_parse),
    (c"part", part),
    (c"change", change),
    (c"parseQuery", parse_query),
    (c"writeQuery", write_query),
    (c"sort", sort),
    (c"keys", keys),
    (c"isArray", |call| Ok(call.ctx.boolean(call.arg(0).is_array()))),
    (c"apply", apply),
    (c"text", text),
    (c"fail", |call| Err(call.ctx.type_error(&call.arg(0).text()?))),
];

/// Parses a URL, relative to a base if one is given.
fn parsed(text: &str, base: Option<&str>) -> Option<Url> {
    let base = base.map(Url::parse).transpose().ok()?;
    Url::options().base_url(base.as_ref()).parse(text).ok()
}

fn url_and_base(call: &Call<'_>) -> Res<(String, Option<String>)> {
    let base = call.arg(1);
    Ok((call.arg(0).text()?, if base.is_undefined() { None } else { Some(base.text()?) }))
}

fn parse(call: &Call<'_>) -> Res<Value> {
    let (text, base) = url_and_base(call)?;
    match parsed(&text, base.as_deref()) {
        Some(url) => call.ctx.string(url.as_str()),
        None => {
            let base = base.map(|base| format!(" with the base {}", quoted(&base))).unwrap_or_default();
            Err(call.ctx.type_error(&format!("Invalid URL: {}{base}", quoted(&text))))
        }
    }
}

fn can_parse(call: &Call<'_>) -> Res<Value> {
    let (text, base) = url_and_base(call)?;
    Ok(call.ctx.boolean(parsed(&text, base.as_deref()).is_some()))
}

/// Returns the text of the first argument as a URL. Each text that arrives here is one that `parse` has returned.
fn known(call: &Call<'_>) -> Res<Url> {
    Url::parse(&call.arg(0).text()?).map_err(|_| call.ctx.type_error("Invalid URL"))
}

fn part(call: &Call<'_>) -> Res<Value> {
    let url = known(call)?;
    let origin;
    let text = match call.arg(1).to_number()? as u8 {
        1 => {
            origin = quirks::origin(&url);
            &origin
        }
        2 => quirks::protocol(&url),
        3 => quirks::username(&url),
        4 => quirks::password(&url),
        5 => quirks::host(&url),
        6 => quirks::hostname(&url),
        7 => quirks::port(&url),
        8 => quirks::pathname(&url),
        9 => quirks::search(&url),
        10 => quirks::hash(&url),
        _ => quirks::href(&url),
    };
    call.ctx.string(text)
}

/// Returns the text of a URL with one part changed. A value that the part cannot have changes nothing, but for `href`.
fn change(call: &Call<'_>) -> Res<Value> {
    let mut url = known(call)?;
    let value = call.arg(2).text()?;
    // The setters of the standard ignore such values.
    let _ignored = match call.arg(1).to_number()? as u8 {
        0 => {
            quirks::set_href(&mut url, &value)
                .map_err(|_| call.ctx.type_error(&format!("Invalid URL: {}", quoted(&value))))?;
            Ok(())
        }
        2 => quirks::set_protocol(&mut url, &value),
        3 => quirks::set_username(&mut url, &value),
        4 => quirks::set_password(&mut url, &value),
        5 => quirks::set_host(&mut url, &value),
        6 => quirks::set_hostname(&mut url, &value),
        7 => quirks::set_port(&mut url, &value),
        8 => {
            quirks::set_pathname(&mut url, &value);
            Ok(())
        }
        9 => {
            quirks::set_search(&mut url, &value);
            Ok(())
        }
        10 => {
            quirks::set_hash(&mut url, &value);
            Ok(())
        }
        _ => Ok(()),
    };
    call.ctx.string(url.as_str())
}

/// Returns the names and values of a query in turn, as an array. The query may begin with a question mark.
fn parse_query(call: &Call<'_>) -> Res<Value> {
    let text = call.arg(0).text()?;
    let query = text.strip_prefix('?').unwrap_or(&text);
    let list = call.ctx.array()?;
    for (at, (name, value)) in form_urlencoded::parse(query.as_bytes()).enumerate() {
        list.define_index(at as u32 * 2, call.ctx.string(&name)?)?;
        list.define_index(at as u32 * 2 + 1, call.ctx.string(&value)?)?;
    }
    Ok(list)
}

fn pairs(list: &Value) -> Res<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    for at in (0..list.length()? as u32).step_by(2) {
        pairs.push((list.get_index(at)?.text()?, list.get_index(at + 1)?.text()?));
    }
    Ok(pairs)
}

fn write_query(call: &Call<'_>) -> Res<Value> {
    let pairs = pairs(&call.arg(0))?;
    call.ctx.string(&form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
}

/// Returns the pairs sorted by name, in the order of UTF-16. Pairs of one name keep their order.
fn sort(call: &Call<'_>) -> Res<Value> {
    let mut pairs = pairs(&call.arg(0))?;
    pairs.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
    let list = call.ctx.array()?;
    for (at, text) in pairs.iter().flat_map(|(name, value)| [name, value]).enumerate() {
        list.define_index(at as u32, call.ctx.string(text)?)?;
    }
    Ok(list)
}

/// Returns the names of an object's own enumerable properties.
fn keys(call: &Call<'_>) -> Res<Value> {
    let list = call.ctx.array()?;
    for (at, key) in call.arg(0).own_keys(false)?.iter().enumerate() {
        list.define_index(at as u32, key.value()?)?;
    }
    Ok(list)
}

/// Calls the first argument, with the second one as `this`.
fn apply(call: &Call<'_>) -> Res<Value> {
    let args = call.rest(2);
    call.arg(0).call(&call.arg(1), &args.iter().collect::<Vec<_>>())
}

/// Describes the value that the program's function `describe` returns for a URL or for parameters.
pub(super) fn described(value: &Value) -> Res<Option<String>> {
    if value.is_string() {
        return Ok(Some(format!("URL {{ {} }}", quoted(&value.text()?))));
    }
    if !value.is_array() {
        return Ok(None);
    }
    let pairs = pairs(value)?;
    if pairs.is_empty() {
        return Ok(Some("URLSearchParams {}".to_owned()));
    }
    let shown: Vec<_> =
        pairs.iter().take(100).map(|(name, value)| format!("{} => {}", quoted(name), quoted(value))).collect();
    let more = if pairs.len() > shown.len() { ", ..." } else { "" };
    Ok(Some(format!("URLSearchParams {{ {}{more} }}", shown.join(", "))))
}
