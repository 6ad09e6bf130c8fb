//! The names of methods and fields in JavaScript.

/// Returns the name that JavaScript has for a name in `snake_case`: `first_name` becomes `firstName`. Underscores at the
/// beginning stay, and so do those before a digit.
pub(crate) fn camel_case(name: &str) -> String {
    let start = name.len() - name.trim_start_matches('_').len();
    let mut camel = name[..start].to_owned();
    let mut letters = name[start..].chars().peekable();
    while let Some(letter) = letters.next() {
        match letters.peek() {
            Some(next) if letter == '_' && next.is_alphabetic() => {
                camel.extend(next.to_uppercase());
                letters.next();
            }
            _ => camel.push(letter),
        }
    }
    camel
}

#[cfg(test)]
mod tests {
    use super::camel_case;

    #[test]
    fn words_begin_with_capitals_but_the_first() {
        for (name, camel) in [
            ("add", "add"),
            ("first_name", "firstName"),
            ("a_b_c", "aBC"),
            ("_private_part", "_privatePart"),
            ("utf_8", "utf_8"),
            ("0", "0"),
            ("trailing_", "trailing_"),
            ("two__words", "two_Words"),
            ("", ""),
        ] {
            assert_eq!(camel_case(name), camel, "{name}");
        }
    }
}
