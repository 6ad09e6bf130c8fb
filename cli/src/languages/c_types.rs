//! The spelling of types in C.

use polyplug::schema::{Scalar, Schema, Shape, TypeRef};

use super::names::{self, space};

/// Returns the spelling of a type; a text for people if values of the type have no size.
pub(super) fn type_name(schema: &Schema, ty: &TypeRef) -> String {
    let constant = |of: &TypeRef| {
        let of = if is_empty(of) { "void".to_owned() } else { type_name(schema, of) };
        if of.ends_with('*') { format!("{of}const *") } else { format!("const {of} *") }
    };
    match ty {
        TypeRef::Unit => "void".to_owned(),
        TypeRef::Scalar(scalar) => match scalar {
            Scalar::Bool | Scalar::U8 => "uint8_t",
            Scalar::I8 => "int8_t",
            Scalar::I16 => "int16_t",
            Scalar::I32 => "int32_t",
            Scalar::I64 => "int64_t",
            Scalar::U16 => "uint16_t",
            Scalar::U32 | Scalar::Char => "uint32_t",
            Scalar::U64 => "uint64_t",
            Scalar::F32 => "float",
            Scalar::F64 => "double",
        }
        .to_owned(),
        TypeRef::String => "PolyplugStringView".to_owned(),
        TypeRef::List(of) if **of == TypeRef::U8 => "PolyplugStringView".to_owned(),
        TypeRef::Box(of) => constant(of),
        TypeRef::Option(of) if matches!(**of, TypeRef::Box(_)) => type_name(schema, of),
        TypeRef::Named(number) if matches!(schema.definition(*number).shape, Shape::Object(_)) => {
            "PolyplugGuestContractInstance".to_owned()
        }
        _ => format!("{}_{}", space(&schema.name, schema.major), mangle(schema, ty)),
    }
}

/// Returns a name for a type that is made of others. No two types have the same.
fn mangle(schema: &Schema, ty: &TypeRef) -> String {
    let inner = |ty: &TypeRef| mangle(schema, ty);
    match ty {
        TypeRef::Unit => "unit".to_owned(),
        TypeRef::Scalar(scalar) => scalar.name().to_owned(),
        TypeRef::String => "string".to_owned(),
        TypeRef::List(of) if **of == TypeRef::U8 => "bytes".to_owned(),
        TypeRef::List(of) => format!("list_{}", inner(of)),
        TypeRef::Option(of) => format!("option_{}", inner(of)),
        TypeRef::Box(of) => format!("box_{}", inner(of)),
        TypeRef::Map(key, value) => format!("map_{}_{}", inner(key), inner(value)),
        TypeRef::Tuple(of) => {
            format!("tuple{}_{}", of.len(), of.iter().map(inner).collect::<Vec<_>>().join("_"))
        }
        TypeRef::Result(ok, err) => format!("result_{}_{}", inner(ok), inner(err)),
        TypeRef::Named(number) => match &schema.definition(*number).shape {
            Shape::Object(object) => names::object(schema, object),
            _ => schema.definition(*number).name.clone(),
        },
    }
}

/// Returns whether values of the type take up no memory, so that no member has the type.
pub(super) fn is_empty(ty: &TypeRef) -> bool {
    match ty {
        TypeRef::Unit => true,
        TypeRef::Tuple(of) => of.iter().all(is_empty),
        _ => false,
    }
}
