//! Values of a contract's types, as texts of a language.

use polyplug::schema::{Case, Field, Scalar, Schema, Shape, TypeRef};

/// The spelling of values in a language.
pub(crate) trait Spelling {
    /// Spells `false`.
    const FALSE: &'static str;

    fn number(&self, scalar: Scalar) -> String;
    fn text(&self, text: &str) -> String;
    fn letter(&self) -> String {
        self.text("a")
    }
    fn bytes(&self) -> String;
    fn empty_list(&self) -> String;
    fn nothing(&self) -> String;
    fn empty_map(&self) -> String;
    fn tuple(&self, parts: &[String]) -> String;
    fn record(&self, name: &str, fields: &[(&Field, String)]) -> String;
    fn case(&self, name: &str, case: &Case, fields: &[(&Field, String)], is_enum: bool) -> String;
}

/// Returns a value of a type as an expression: `text` for a text, zero for a number, nothing for what may be absent, and
/// the first case of what has cases. Returns `None` for an object, which has no value.
pub(crate) fn value<S: Spelling>(of: &S, schema: &Schema, ty: &TypeRef, text: &str) -> Option<String> {
    let value = |ty: &TypeRef| value(of, schema, ty, text);
    Some(match ty {
        TypeRef::Unit | TypeRef::Option(_) => of.nothing(),
        TypeRef::Scalar(Scalar::Bool) => S::FALSE.to_owned(),
        TypeRef::Scalar(Scalar::Char) => of.letter(),
        TypeRef::Scalar(scalar) => of.number(*scalar),
        TypeRef::String => of.text(text),
        TypeRef::List(item) if **item == TypeRef::U8 => of.bytes(),
        TypeRef::List(_) => of.empty_list(),
        TypeRef::Map(..) => of.empty_map(),
        TypeRef::Box(ty) | TypeRef::Result(ty, _) => value(ty)?,
        TypeRef::Tuple(parts) => of.tuple(&parts.iter().map(value).collect::<Option<Vec<_>>>()?),
        TypeRef::Named(number) => {
            let definition = schema.definition(*number);
            let fields =
                |fields: &'_ [Field]| -> Option<Vec<String>> { fields.iter().map(|field| value(&field.ty)).collect() };
            match &definition.shape {
                Shape::Record(all) => {
                    let values = fields(all)?;
                    of.record(&definition.name, &all.iter().zip(values).collect::<Vec<_>>())
                }
                Shape::Enum(cases) => of.case(&definition.name, cases.first()?, &[], true),
                Shape::Variant(cases) => {
                    let case = cases.iter().min_by_key(|case| case.fields.len())?;
                    let values = fields(&case.fields)?;
                    of.case(&definition.name, case, &case.fields.iter().zip(values).collect::<Vec<_>>(), false)
                }
                Shape::Object(_) => return None,
            }
        }
    })
}
