//! The spelling of types and names in messages and texts.

use crate::schema::schema::{Method, Schema, TypeRef};

/// Spells a type, such as `list<string>`.
pub(super) fn spell(schema: &Schema, ty: &TypeRef) -> String {
    let inner = |ty: &TypeRef| spell(schema, ty);
    match ty {
        TypeRef::Unit => "()".to_owned(),
        TypeRef::Scalar(scalar) => scalar.name().to_owned(),
        TypeRef::String => "string".to_owned(),
        TypeRef::List(of) if **of == TypeRef::U8 => "bytes".to_owned(),
        TypeRef::List(of) => format!("list<{}>", inner(of)),
        TypeRef::Option(of) => format!("option<{}>", inner(of)),
        TypeRef::Box(of) => format!("box<{}>", inner(of)),
        TypeRef::Map(key, value) => format!("map<{}, {}>", inner(key), inner(value)),
        TypeRef::Tuple(parts) => {
            let parts: Vec<_> = parts.iter().map(inner).collect();
            format!("tuple<{}>", parts.join(", "))
        }
        TypeRef::Result(ok, err) => format!("result<{}, {}>", inner(ok), inner(err)),
        TypeRef::Named(number) => schema
            .types
            .get(*number as usize)
            .map_or_else(|| format!("#{number}"), |definition| definition.name.clone()),
    }
}

/// Spells `someName`, `SomeName` and `some_name` as `some-name`.
pub(super) fn kebab(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut previous_lower = false;
    for letter in name.chars() {
        if letter == '_' || letter == '.' {
            out.push('-');
            previous_lower = false;
            continue;
        }
        if letter.is_uppercase() && previous_lower {
            out.push('-');
        }
        previous_lower = !letter.is_uppercase();
        out.extend(letter.to_lowercase());
    }
    out
}

impl Schema {
    /// Returns the signature of a method: `divide(a: i64, b: i64) -> result<i64, MathError>`.
    #[must_use]
    pub fn signature(&self, method: &Method) -> String {
        let arguments =
            method.arguments.iter().map(|argument| format!("{}: {}", argument.name, spell(self, &argument.ty)));
        let arguments = arguments.collect::<Vec<_>>().join(", ");
        let result =
            if method.result == TypeRef::Unit { String::new() } else { format!(" -> {}", spell(self, &method.result)) };
        format!("{}({arguments}){result}", method.name)
    }

    /// Returns the text of a call of `method` with another number of arguments than the method takes.
    #[cfg(feature = "host")]
    #[cold]
    pub(crate) fn wrong_number(&self, method: &Method, given: usize) -> String {
        let expected = match method.arguments.len() {
            1 => "1 argument is".to_owned(),
            count => format!("{count} arguments are"),
        };
        format!("{expected} expected, and {given} given: {}", self.signature(method))
    }

    /// Returns the spelling of a type: `list<string>`, `Point`.
    #[must_use]
    pub fn type_name(&self, ty: &TypeRef) -> String {
        spell(self, ty)
    }
}
