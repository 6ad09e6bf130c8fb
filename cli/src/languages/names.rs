//! Names of contracts as the languages spell them, in the manner of their loaders.

use polyplug::schema::{Interface, Schema, Shape};

use super::language::Language;

/// What a name is the name of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Method,
    Argument,
    Field,
    Case,
    Type,
}

impl Part {
    /// Returns the plural, for messages.
    pub(super) fn plural(self) -> &'static str {
        match self {
            Self::Method => "methods",
            Self::Argument => "arguments",
            Self::Field => "fields",
            Self::Case => "cases",
            Self::Type => "types",
        }
    }
}

impl Language {
    /// Returns a name of a contract as this language's code has it. The number that a field has in place of a name gets
    /// letters before it.
    pub(crate) fn spell(self, part: Part, name: &str) -> String {
        let numbered = name.starts_with(|letter: char| letter.is_ascii_digit());
        match (self, part) {
            (Self::Csharp, _) if numbered => format!("Item{}", name.parse::<u64>().map_or(0, |number| number + 1)),
            (_, _) if numbered => format!("_{name}"),
            (Self::Ts, Part::Method | Part::Field) => camel(name),
            (Self::Ts, Part::Argument) => self.unlike_keyword(camel(name)),
            (Self::Csharp, Part::Method | Part::Field) => pascal(name),
            (Self::Csharp, Part::Argument) => {
                let mut name = pascal(name);
                if let Some(first) = name.chars().next() {
                    name.replace_range(..first.len_utf8(), &first.to_lowercase().to_string());
                }
                if self.is_keyword(&name) { format!("@{name}") } else { name }
            }
            // Their names are texts or members of a table, or stand behind a prefix.
            (Self::Lua, Part::Method | Part::Field | Part::Case) | (Self::Ts | Self::C, Part::Case) => name.to_owned(),
            (Self::C, Part::Method | Part::Type) => name.to_owned(),
            (Self::Csharp, Part::Case) if self.is_keyword(name) => format!("@{name}"),
            _ => self.unlike_keyword(name.to_owned()),
        }
    }

    fn unlike_keyword(self, name: String) -> String {
        if self.is_keyword(&name) { format!("{name}_") } else { name }
    }
}

/// Returns the name of a contract in PascalCase with its major version: `DemoStore1` for `demo.store@1`.
pub(crate) fn space(contract: &str, major: u32) -> String {
    lead(pascal(&contract.replace(['.', '-'], "_")), "Contract") + &major.to_string()
}

/// Returns the name of a contract in snake_case with its major version: `demo_store_1` for `demo.store@1`.
pub(crate) fn module(contract: &str, major: u32) -> String {
    format!("{}_{major}", lead(snake(contract), "contract_"))
}

/// Returns a name that does not begin with a digit.
fn lead(name: String, letters: &str) -> String {
    if name.starts_with(|letter: char| letter.is_ascii_digit()) { format!("{letters}{name}") } else { name }
}

/// Returns the name of the type that has a contract's methods: the last word of the contract, `Store` for `demo.store`.
///
/// It has `Contract` behind it if one of the contract's types has that name, or if it is `Types`, which is what stubs call
/// all of these together.
pub(crate) fn interface(schema: &Schema) -> String {
    let mut name = last_word(&schema.name);
    while name.is_empty() || name == "Types" || is_type(schema, &name) {
        name.push_str("Contract");
    }
    name
}

/// Returns the name of the type of an object that a contract takes: the last word of the object's contract. If two have
/// the same last word, each has the whole name of its contract.
pub(crate) fn object(schema: &Schema, object: &Interface) -> String {
    let is_like = |other: &Interface| last_word(&other.contract) == last_word(&object.contract);
    let is_same = |other: &Interface| (&other.contract, other.major) == (&object.contract, object.major);
    let ambiguous = schema.types.iter().any(|definition| match &definition.shape {
        Shape::Object(other) => is_like(other) && !is_same(other),
        _ => false,
    });
    let mut name = if ambiguous { space(&object.contract, object.major) } else { last_word(&object.contract) };
    while name.is_empty() || name == "Types" || name == interface(schema) || is_type(schema, &name) {
        name.push_str("Object");
    }
    name
}

fn last_word(contract: &str) -> String {
    lead(pascal(&contract.rsplit('.').next().unwrap_or_default().replace('-', "_")), "Contract")
}

/// Returns whether a record, an enum or a variant has a name.
fn is_type(schema: &Schema, name: &str) -> bool {
    schema.types.iter().any(|definition| definition.name == name && !matches!(definition.shape, Shape::Object(_)))
}

/// Returns a name in `snake_case`, PascalCase or words joined by dots as `snake_case`.
pub(crate) fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut after_small = false;
    for letter in name.chars() {
        if matches!(letter, '.' | '-') {
            out.push('_');
            after_small = false;
            continue;
        }
        if letter.is_uppercase() && after_small {
            out.push('_');
        }
        after_small = letter.is_lowercase() || letter.is_ascii_digit();
        out.extend(letter.to_lowercase());
    }
    out
}

/// Returns a name in `snake_case` in camelCase, as the JavaScript loader does: underscores at the beginning stay, and
/// so do those before a digit.
pub(crate) fn camel(name: &str) -> String {
    let start = name.len() - name.trim_start_matches('_').len();
    let mut out = name[..start].to_owned();
    let mut letters = name[start..].chars().peekable();
    while let Some(letter) = letters.next() {
        match letters.peek() {
            Some(next) if letter == '_' && next.is_alphabetic() => {
                out.extend(next.to_uppercase());
                letters.next();
            }
            _ => out.push(letter),
        }
    }
    out
}

/// Returns a name in `snake_case` in PascalCase, as the loader for .NET does.
pub(crate) fn pascal(name: &str) -> String {
    let capitalised = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    };
    name.split('_').map(capitalised).collect()
}

/// Returns whether a name is one that every language but C89 can have.
pub(super) fn is_identifier(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first == '_' || first.is_alphabetic())
        && letters.all(|letter| letter == '_' || letter.is_ascii_digit() || letter.is_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_joined_in_the_manner_of_each_language() {
        assert_eq!([snake("demo.storeRoom-x"), snake("HTTPServer2X")], ["demo_store_room_x", "httpserver2_x"]);
        assert_eq!([camel("first_name"), camel("_a_b"), camel("utf_8")], ["firstName", "_aB", "utf_8"]);
        assert_eq!([pascal("first_name"), pascal("_x"), pascal("to_utf8")], ["FirstName", "X", "ToUtf8"]);
        assert_eq!([space("demo.store", 2), space("7z", 1)], ["DemoStore2", "Contract7z1"]);
        assert_eq!([module("demo.store", 2), module("7z", 1)], ["demo_store_2", "contract_7z_1"]);
    }

    #[test]
    fn a_keyword_is_no_name() {
        let spelled = |language: Language, part, name| language.spell(part, name);
        assert_eq!(spelled(Language::Python, Part::Method, "import"), "import_");
        assert_eq!(spelled(Language::Lua, Part::Argument, "end"), "end_");
        assert_eq!(spelled(Language::Lua, Part::Method, "end"), "end");
        assert_eq!(spelled(Language::Ts, Part::Argument, "new"), "new_");
        assert_eq!(spelled(Language::Ts, Part::Field, "new"), "new");
        assert_eq!(spelled(Language::Csharp, Part::Argument, "params"), "@params");
        assert_eq!(spelled(Language::Csharp, Part::Field, "0"), "Item1");
        assert_eq!(spelled(Language::C, Part::Field, "default"), "default_");
    }

    #[test]
    fn an_identifier_has_letters_and_does_not_begin_with_a_digit() {
        assert!(["a", "_", "größe", "a1"].iter().all(|name| is_identifier(name)));
        assert!(["", "1a", "a-b", "a b", "a;", "a\n", "a²"].iter().all(|name| !is_identifier(name)));
    }
}
