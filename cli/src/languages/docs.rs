//! Documentation of contracts as comments of other languages. The texts come from files that need not be trusted.

/// Returns the lines of a documentation, without what a comment of some language cannot hold: control characters, and
/// those that change the direction of the text.
pub(super) fn lines(docs: &str) -> Vec<String> {
    let is_break =
        |letter: char| matches!(letter, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let docs = docs.replace("\r\n", "\n");
    let lines = docs.trim_matches(is_break).split(is_break);
    let mut lines: Vec<String> = lines.map(|line| line.chars().map(harmless).collect::<String>()).collect();
    lines.iter_mut().for_each(|line| line.truncate(line.trim_end().len()));
    if lines.iter().all(String::is_empty) { Vec::new() } else { lines }
}

fn harmless(letter: char) -> char {
    match letter {
        '\t' => ' ',
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => '\u{fffd}',
        letter if letter.is_control() => '\u{fffd}',
        letter => letter,
    }
}

/// Returns a line in which no word begins like a tag of a documentation tool, such as `@deprecated`.
pub(super) fn without_tags(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut previous = ' ';
    for letter in line.chars() {
        if letter == '@' && !previous.is_alphanumeric() && previous != '\\' {
            out.push('\\');
        }
        out.push(letter);
        previous = letter;
    }
    out
}

/// Appends a documentation with what the contract says besides: the version in which a part came, and whether a case
/// stands for unknown ones.
pub(super) fn with_notes(docs: &str, major: u32, since: u32, other: bool) -> Vec<String> {
    let mut lines = lines(docs);
    let mut note = |text: String| {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(text);
    };
    if since > 0 {
        note(format!("Since version {major}.{since}."));
    }
    if other {
        note("Cases of later versions are read as this one.".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_letter_ends_a_line_but_a_line_break() {
        assert_eq!(lines("\na\r\n b \u{2028}\tc\0\u{202e}\n"), ["a", " b", " c\u{fffd}\u{fffd}"]);
        assert_eq!(lines(" \n \n"), Vec::<String>::new());
        assert_eq!(without_tags("@class x, (@y) a@b"), "\\@class x, (\\@y) a@b");
    }
}
