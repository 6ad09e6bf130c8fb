//! The names of contracts, in the manner of C#.

/// Returns a name in `snake_case` in PascalCase.
pub(crate) fn pascal_case(name: &str) -> String {
    let capitalised = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    };
    name.split('_').map(capitalised).collect()
}

#[cfg(test)]
mod tests {
    use super::pascal_case;

    #[test]
    fn words_begin_with_capitals() {
        for (name, expected) in [("add", "Add"), ("add_all", "AddAll"), ("to_utf8", "ToUtf8"), ("_x", "X"), ("", "")] {
            assert_eq!(pascal_case(name), expected);
        }
    }
}
