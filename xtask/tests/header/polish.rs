//! The conversion of cbindgen's text into usual C: type names without `struct`, constants in capitals, comments with
//! the names of C.

use std::fmt::Write as _;

/// The prefix of all types.
const PREFIX: &str = "Polyplug";

/// The longest line.
const WIDTH: usize = 120;

/// Polishes the `text` that cbindgen wrote for the types called `names` in Rust.
pub(crate) fn polish(text: &str, names: &[String]) -> String {
    let (mut body, mut tags, mut in_example) = (String::new(), String::new(), false);
    for line in text.trim().lines() {
        if let Some(comment) = line.trim_start().strip_prefix("///") {
            // Examples are in Rust, and are left out.
            let fence = comment.trim_start().starts_with("```");
            in_example ^= fence;
            if !fence && !in_example {
                let indent = &line[..line.len() - line.trim_start().len()];
                push_line(&mut body, &format!("{indent}///{}", in_c(comment, names)));
            }
            continue;
        }
        // A definition, because its name is not indented.
        if let Some((kind @ ("struct" | "union"), rest)) = line.split_once(' ')
            && let Some(name) = rest.strip_suffix(" {")
        {
            writeln!(tags, "typedef {kind} {name} {name};").expect("a String takes all");
            push_line(&mut body, line);
            continue;
        }
        push_wrapped(&mut body, &code(line));
    }
    format!("{tags}\n{body}")
}

/// Adds a line; of several empty lines only the first, in comments too.
fn push_line(body: &mut String, line: &str) {
    let is_empty = |line: &str| matches!(line.trim(), "" | "///");
    let last = body.lines().last().unwrap_or_default();
    if is_empty(line) && is_empty(last) {
        return;
    }
    // No empty line at the end of a comment, where an example was left out.
    if last.trim() == "///" && !line.trim_start().starts_with("///") {
        body.truncate(body.trim_end().rfind('\n').map_or(0, |end| end + 1));
    }
    body.push_str(line.trim_end());
    body.push('\n');
}

/// Returns a line of code with types named without `struct`, and constants as C names them.
fn code(line: &str) -> String {
    let mut line = line.replace("struct Polyplug", PREFIX).replace("union Polyplug", PREFIX);
    // The table itself, which has no parameter name in Rust.
    for end in [",", ")"] {
        line = line.replace(&format!("PolyplugHostApi*{end}"), &format!("PolyplugHostApi *host{end}"));
    }
    each_word(&line, |word| match word.strip_prefix("POLYPLUG_ABI_ERROR_CODE_") {
        Some("OK") => Some("POLYPLUG_OK".to_owned()),
        Some(name) => Some(format!("POLYPLUG_ERROR_{name}")),
        None => {
            let (owner, name) = word.strip_prefix(PREFIX)?.split_once('_')?;
            Some(constant(owner, name))
        }
    })
}

/// Returns the C name of the constant that Rust calls `owner::name`.
fn constant(owner: &str, name: &str) -> String {
    match (owner, name) {
        ("AbiErrorCode", "Ok") => "POLYPLUG_OK".to_owned(),
        ("AbiErrorCode", _) => format!("POLYPLUG_ERROR_{}", screaming(name)),
        _ => format!("POLYPLUG_{}_{}", screaming(owner), screaming(name)),
    }
}

/// Returns `VirtualMachine` as `VIRTUAL_MACHINE`.
fn screaming(name: &str) -> String {
    let mut result = String::new();
    let mut after_small = false;
    for letter in name.chars() {
        if letter.is_uppercase() && after_small {
            result.push('_');
        }
        after_small = letter.is_lowercase();
        result.extend(letter.to_uppercase());
    }
    result
}

/// Returns a comment on Rust as one on C: links without their targets, types and constants by their names in C.
fn in_c(comment: &str, names: &[String]) -> String {
    let mut comment = comment.replace("# Safety", "What the caller has to see to:");
    // A link is the text in brackets, and its target in parentheses where it is given.
    while let Some(start) = comment.find("[`") {
        let Some(end) = comment[start..].find("`]").map(|end| start + end) else { break };
        let target = comment[end + 2..].starts_with('(').then(|| comment[end + 2..].find(')')).flatten();
        let link_end = end + 2 + target.map_or(0, |close| close + 1);
        let text = comment[start + 1..=end].to_owned();
        comment.replace_range(start..link_end, &text);
    }
    // Every other piece between backticks is code.
    let pieces = comment.split('`').enumerate();
    let pieces: Vec<_> =
        pieces.map(|(i, piece)| if i % 2 == 1 { code_in_c(piece, names) } else { piece.into() }).collect();
    pieces.join("`").replace("An `Polyplug", "A `Polyplug").replace("an `Polyplug", "a `Polyplug")
}

/// Returns Rust code of a comment with the known names in C.
fn code_in_c(code: &str, names: &[String]) -> String {
    let known = |name: &str| names.iter().any(|known| known == name);
    if let Some(name) = code.strip_prefix("size_of::<").and_then(|code| code.strip_suffix(">()")) {
        return format!("sizeof({PREFIX}{name})");
    }
    match code.split_once("::") {
        Some((owner, name)) if known(owner) && name.starts_with(char::is_uppercase) => constant(owner, name),
        Some((owner, name)) if known(owner) => format!("{PREFIX}{owner}.{name}"),
        None if known(code) => format!("{PREFIX}{code}"),
        _ => code.to_owned(),
    }
}

/// Returns `line` with each word replaced for which `with` has another.
fn each_word(line: &str, with: impl Fn(&str) -> Option<String>) -> String {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let (mut result, mut rest) = (String::new(), line);
    while let Some(start) = rest.find(is_word) {
        let end = rest[start..].find(|letter| !is_word(letter)).map_or(rest.len(), |end| start + end);
        let word = &rest[start..end];
        result.push_str(&rest[..start]);
        result.push_str(&with(word).unwrap_or_else(|| word.to_owned()));
        rest = &rest[end..];
    }
    result + rest
}

/// Adds a line of code, broken after commas where it is too long.
fn push_wrapped(body: &mut String, line: &str) {
    let indent = line.len() - line.trim_start().len();
    let mut rest = line;
    let mut margin = String::new();
    while margin.len() + rest.len() > WIDTH {
        let Some(comma) = rest[..WIDTH - margin.len()].rfind(", ") else { break };
        push_line(body, &format!("{margin}{}", &rest[..=comma]));
        rest = &rest[comma + 2..];
        margin = " ".repeat(indent + 8);
    }
    push_line(body, &format!("{margin}{rest}"));
}

#[test]
fn comments_speak_of_c() {
    let names = ["HostApi", "AbiErrorCode", "Entry"].map(str::to_owned);
    let c = |comment| in_c(comment, &names);
    assert_eq!(c(" An [`Entry`](crate::Entry) plus the [`Entry`]."), " A `PolyplugEntry` plus the `PolyplugEntry`.");
    assert_eq!(
        c(" `AbiErrorCode::NotFound` of `HostApi::alloc`"),
        " `POLYPLUG_ERROR_NOT_FOUND` of `PolyplugHostApi.alloc`"
    );
    assert_eq!(c(" `size_of::<HostApi>()` of `#[plugin]`, Entry"), " `sizeof(PolyplugHostApi)` of `#[plugin]`, Entry");
}
