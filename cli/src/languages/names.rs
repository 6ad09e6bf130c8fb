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
    /// Returns a name of a contract as this language's code has it. A field without a name, whose name is a number, gets
    /// letters that the language allows.
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

    /// Returns whether a name is a keyword of the language, or means something where a type or an argument has its name.
    pub(crate) fn is_keyword(self, name: &str) -> bool {
        match self {
            Self::Python => PYTHON.contains(&name),
            Self::Lua => LUA.contains(&name),
            Self::Ts => TS.contains(&name),
            Self::Csharp => CSHARP.contains(&name),
            Self::C => C.contains(&name),
        }
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

/// Returns the name of the type that has a contract's methods: the last word of the contract, `Store` for `demo.store`,
/// and with `Contract` behind it if it is the name of one of the contract's types, or `Types`, which is what stubs call all
/// of these together.
pub(crate) fn interface(schema: &Schema) -> String {
    let mut name = last_word(&schema.name);
    while name.is_empty() || name == "Types" || is_type(schema, &name) {
        name.push_str("Contract");
    }
    name
}

/// Returns the name of the type of an object that a contract takes: the last word of the object's contract. If two have the
/// same last word, each has the whole name of its contract.
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

/// Returns a name in `snake_case` in camelCase, as the JavaScript loader does: underscores at the beginning stay, and so
/// do those before a digit.
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

const PYTHON: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
    "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

const LUA: &[&str] = &[
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local", "nil",
    "not", "or", "repeat", "return", "self", "then", "true", "until", "while",
];

const TS: &[&str] = &[
    "any",
    "arguments",
    "await",
    "bigint",
    "boolean",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "debugger",
    "default",
    "delete",
    "do",
    "else",
    "enum",
    "eval",
    "export",
    "extends",
    "false",
    "finally",
    "for",
    "function",
    "if",
    "implements",
    "import",
    "in",
    "instanceof",
    "interface",
    "let",
    "never",
    "new",
    "null",
    "number",
    "object",
    "package",
    "private",
    "protected",
    "public",
    "return",
    "static",
    "string",
    "super",
    "switch",
    "symbol",
    "this",
    "throw",
    "true",
    "try",
    "typeof",
    "undefined",
    "unknown",
    "var",
    "void",
    "while",
    "with",
    "yield",
];

const CSHARP: &[&str] = &[
    "abstract",
    "as",
    "base",
    "bool",
    "break",
    "byte",
    "case",
    "catch",
    "char",
    "checked",
    "class",
    "const",
    "continue",
    "decimal",
    "default",
    "delegate",
    "do",
    "double",
    "else",
    "enum",
    "event",
    "explicit",
    "extern",
    "false",
    "finally",
    "fixed",
    "float",
    "for",
    "foreach",
    "goto",
    "if",
    "implicit",
    "in",
    "int",
    "interface",
    "internal",
    "is",
    "lock",
    "long",
    "namespace",
    "new",
    "null",
    "object",
    "operator",
    "out",
    "override",
    "params",
    "private",
    "protected",
    "public",
    "readonly",
    "ref",
    "return",
    "sbyte",
    "sealed",
    "short",
    "sizeof",
    "stackalloc",
    "static",
    "string",
    "struct",
    "switch",
    "this",
    "throw",
    "true",
    "try",
    "typeof",
    "uint",
    "ulong",
    "unchecked",
    "unsafe",
    "ushort",
    "using",
    "virtual",
    "void",
    "volatile",
    "while",
];

/// The keywords of C and C++, and the macros of the headers that a stub includes.
const C: &[&str] = &[
    "alignas",
    "alignof",
    "and",
    "and_eq",
    "asm",
    "auto",
    "bitand",
    "bitor",
    "bool",
    "break",
    "case",
    "catch",
    "char",
    "char16_t",
    "char32_t",
    "class",
    "compl",
    "const",
    "const_cast",
    "constexpr",
    "continue",
    "decltype",
    "default",
    "delete",
    "do",
    "double",
    "dynamic_cast",
    "else",
    "enum",
    "errno",
    "explicit",
    "export",
    "extern",
    "false",
    "float",
    "for",
    "friend",
    "goto",
    "if",
    "inline",
    "int",
    "linux",
    "long",
    "mutable",
    "namespace",
    "new",
    "noexcept",
    "not",
    "not_eq",
    "nullptr",
    "offsetof",
    "operator",
    "or",
    "or_eq",
    "private",
    "protected",
    "public",
    "register",
    "reinterpret_cast",
    "restrict",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "static_assert",
    "static_cast",
    "struct",
    "switch",
    "template",
    "this",
    "thread_local",
    "throw",
    "true",
    "try",
    "typedef",
    "typeid",
    "typename",
    "typeof",
    "union",
    "unix",
    "unsigned",
    "using",
    "virtual",
    "void",
    "volatile",
    "wchar_t",
    "while",
    "xor",
    "xor_eq",
];

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
