//! How types and names are written for people.

use crate::schema::schema::{Schema, TypeRef};

/// A type as people write it.
pub(super) fn spell(schema: &Schema, ty: &TypeRef) -> String {
    let inner = |ty: &TypeRef| spell(schema, ty);
    match ty {
        TypeRef::Unit => "()".to_owned(),
        TypeRef::Bool => "bool".to_owned(),
        TypeRef::I8 => "i8".to_owned(),
        TypeRef::I16 => "i16".to_owned(),
        TypeRef::I32 => "i32".to_owned(),
        TypeRef::I64 => "i64".to_owned(),
        TypeRef::U8 => "u8".to_owned(),
        TypeRef::U16 => "u16".to_owned(),
        TypeRef::U32 => "u32".to_owned(),
        TypeRef::U64 => "u64".to_owned(),
        TypeRef::F32 => "f32".to_owned(),
        TypeRef::F64 => "f64".to_owned(),
        TypeRef::Char => "char".to_owned(),
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

/// `someName`, `SomeName` and `some_name` as `some-name`.
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
    /// A type as people write it: `list<string>`, `Point`.
    #[must_use]
    pub fn type_name(&self, ty: &TypeRef) -> String {
        spell(self, ty)
    }
}
