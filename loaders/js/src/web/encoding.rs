//! The native functions of `TextEncoder` and `TextDecoder`.

use super::bytes;
use super::state::{Call, Native, text};
use super::value::{PLAIN, Res, Value};
use crate::builtin::Builtin;

/// The program that makes both classes.
pub(super) static PROGRAM: Builtin = Builtin::new(
    c"<polyplug:encoding>",
    match std::ffi::CStr::from_bytes_with_nul(concat!(include_str!("encoding.js"), "\0").as_bytes()) {
        Ok(text) => text,
        Err(_) => panic!("the program has a zero byte"),
    },
);

/// The functions that the program gets.
pub(super) const NATIVES: &[(&std::ffi::CStr, Native)] = &[
    (c"encode", encode),
    (c"encodeInto", encode_into),
    (c"label", label),
    (c"decode", decode),
    (c"decodePart", decode_part),
    (c"text", text),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
    Windows1252,
}

/// The characters of the bytes 0x80 to 0x9F in windows-1252.
const WINDOWS_1252: [char; 32] = [
    '\u{20AC}', '\u{81}', '\u{201A}', '\u{192}', '\u{201E}', '\u{2026}', '\u{2020}', '\u{2021}', '\u{2C6}', '\u{2030}',
    '\u{160}', '\u{2039}', '\u{152}', '\u{8D}', '\u{17D}', '\u{8F}', '\u{90}', '\u{2018}', '\u{2019}', '\u{201C}',
    '\u{201D}', '\u{2022}', '\u{2013}', '\u{2014}', '\u{2DC}', '\u{2122}', '\u{161}', '\u{203A}', '\u{153}', '\u{9D}',
    '\u{17E}', '\u{178}',
];

impl Encoding {
    /// Returns the encoding that a label of the Encoding Standard names.
    fn of_label(label: &str) -> Option<Self> {
        Some(match label.trim_matches([' ', '\t', '\n', '\r', '\x0C']).to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" | "unicode-1-1-utf-8" | "unicode11utf8" | "unicode20utf8" | "x-unicode20utf8" => {
                Self::Utf8
            }
            "utf-16" | "utf-16le" | "ucs-2" | "unicode" | "iso-10646-ucs-2" | "csunicode" | "unicodefeff" => {
                Self::Utf16Le
            }
            "utf-16be" | "unicodefffe" => Self::Utf16Be,
            "ansi_x3.4-1968" | "ascii" | "cp1252" | "cp819" | "csisolatin1" | "ibm819" | "iso-8859-1"
            | "iso-ir-100" | "iso8859-1" | "iso88591" | "iso_8859-1" | "iso_8859-1:1987" | "l1" | "latin1"
            | "us-ascii" | "windows-1252" | "x-cp1252" => Self::Windows1252,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Windows1252 => "windows-1252",
        }
    }

    /// Decodes bytes. Returns the text, and the number of bytes at the end that an incomplete character has; the last
    /// part of a text leaves none. Returns `None` for malformed bytes if they are `fatal`.
    fn decode(self, bytes: &[u8], fatal: bool, last: bool) -> Option<(String, usize)> {
        match self {
            Self::Utf8 => utf8(bytes, fatal, last),
            Self::Utf16Le => utf16(bytes, fatal, last, u16::from_le_bytes),
            Self::Utf16Be => utf16(bytes, fatal, last, u16::from_be_bytes),
            Self::Windows1252 => {
                let decoded = bytes.iter().map(|&byte| match byte {
                    0x80..=0x9F => WINDOWS_1252[usize::from(byte - 0x80)],
                    byte => char::from(byte),
                });
                Some((decoded.collect(), 0))
            }
        }
    }
}

fn utf8(mut bytes: &[u8], fatal: bool, last: bool) -> Option<(String, usize)> {
    let mut text = String::with_capacity(bytes.len());
    loop {
        match std::str::from_utf8(bytes) {
            Ok(valid) => {
                text.push_str(valid);
                return Some((text, 0));
            }
            Err(error) => {
                let (valid, rest) = bytes.split_at(error.valid_up_to());
                text.push_str(std::str::from_utf8(valid).unwrap_or_default());
                match error.error_len() {
                    None if !last => return Some((text, rest.len())),
                    _ if fatal => return None,
                    None => {
                        text.push('\u{FFFD}');
                        return Some((text, 0));
                    }
                    Some(len) => {
                        text.push('\u{FFFD}');
                        bytes = &rest[len..];
                    }
                }
            }
        }
    }
}

fn utf16(bytes: &[u8], fatal: bool, last: bool, unit: fn([u8; 2]) -> u16) -> Option<(String, usize)> {
    let mut units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
    let mut left = bytes.len() % 2;
    if !last && units.last().is_some_and(|unit| (0xD800..0xDC00).contains(unit)) {
        units.pop();
        left += 2;
    }
    let mut text = String::with_capacity(units.len());
    for decoded in char::decode_utf16(units) {
        match decoded {
            Ok(c) => text.push(c),
            Err(_) if fatal => return None,
            Err(_) => text.push('\u{FFFD}'),
        }
    }
    if last && left > 0 {
        if fatal {
            return None;
        }
        text.push('\u{FFFD}');
        left = 0;
    }
    Some((text, left))
}

fn encode(call: &Call<'_>) -> Res<Value> {
    call.ctx.bytes(call.arg(0).text()?.as_bytes())
}

fn encode_into(call: &Call<'_>) -> Res<Value> {
    let (text, target) = (call.arg(0).text()?, call.arg(1));
    let mut end = text.len().min(bytes::uint8_length(call.ctx, &target)?);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    bytes::write(call.ctx, &target, &text.as_bytes()[..end])?;
    let result = call.ctx.object()?;
    result.define(c"read", call.ctx.number(text[..end].encode_utf16().count() as f64), PLAIN)?;
    result.define(c"written", call.ctx.number(end as f64), PLAIN)?;
    Ok(result)
}

/// Returns the name of the encoding that a label names.
fn label(call: &Call<'_>) -> Res<Value> {
    let label = call.arg(0).text()?;
    match Encoding::of_label(&label) {
        Some(encoding) => call.ctx.string(encoding.name()),
        None => Err(call.ctx.range_error(&format!(
            "TextDecoder has no encoding \"{label}\"; it has utf-8, utf-16le, utf-16be and windows-1252 (latin1)"
        ))),
    }
}

/// Decodes a part of a text: the arguments 0 to 3 are the encoding, `fatal`, `ignoreBOM` and the bytes. Returns the
/// text, the bytes left over, and whether the text has started.
fn part(call: &Call<'_>, last: bool, left: Vec<u8>, started: bool) -> Res<(String, Vec<u8>, bool)> {
    let encoding = Encoding::of_label(&call.arg(0).text()?).unwrap_or(Encoding::Utf8);
    let (fatal, ignore_bom, input) = (call.arg(1).truthy(), call.arg(2).truthy(), call.arg(3));
    let decode = |bytes: &[u8]| {
        let (text, rest) = encoding.decode(bytes, fatal, last)?;
        Some((text, bytes[bytes.len() - rest..].to_vec()))
    };
    let decoded = if input.is_undefined() {
        decode(&left)
    } else if left.is_empty() {
        bytes::read(call.ctx, &input, decode)?
    } else {
        bytes::read(call.ctx, &input, |bytes| decode(&[&left, bytes].concat()))?
    };
    let Some((mut text, rest)) = decoded else {
        let name = encoding.name();
        return Err(call.ctx.type_error(&format!("the bytes are no text in {name}, and the decoder is fatal")));
    };
    let begins = !started && !text.is_empty();
    if begins && !ignore_bom && text.starts_with('\u{FEFF}') {
        text.remove(0);
    }
    Ok((text, rest, started || begins))
}

fn decode(call: &Call<'_>) -> Res<Value> {
    let (text, ..) = part(call, true, Vec::new(), false)?;
    call.ctx.string(&text)
}

/// Decodes a part of a stream: further arguments are whether more will come, the bytes left over by the part before,
/// and whether the text has started.
fn decode_part(call: &Call<'_>) -> Res<Value> {
    let (more, left, started) = (call.arg(4).truthy(), call.arg(5), call.arg(6).truthy());
    let left = if left.is_undefined() { Vec::new() } else { bytes::read(call.ctx, &left, <[u8]>::to_vec)? };
    let (text, rest, started) = part(call, !more, left, started)?;
    let result = call.ctx.object()?;
    result.define(c"text", call.ctx.string(&text)?, PLAIN)?;
    if !rest.is_empty() {
        result.define(c"left", call.ctx.bytes(&rest)?, PLAIN)?;
    } else {
        result.define(c"left", call.ctx.undefined(), PLAIN)?;
    }
    result.define(c"started", call.ctx.boolean(started), PLAIN)?;
    Ok(result)
}
