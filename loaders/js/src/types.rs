//! The types of a contract, for the makers of their values: see `types` in polyplug.js.

use polyplug::engine::BodyLayout;
use polyplug::schema::{Case, Schema, Shape, TypeRef};

use crate::js::{Js, Pending, Value};

/// Returns the name of a shape.
pub(crate) fn kind(shape: &Shape) -> &'static str {
    match shape {
        Shape::Record(_) => "record",
        Shape::Enum(_) => "enum",
        Shape::Variant(_) => "variant",
        Shape::Object(_) => "object",
    }
}

/// Makes an array of the cases of a shape, each with its name and the layout of its fields.
pub(crate) fn cases(js: Js, shape: &Shape) -> Result<Value, Pending> {
    let all = js.array()?;
    let (Shape::Enum(cases) | Shape::Variant(cases)) = shape else { return Ok(all) };
    for (number, case) in cases.iter().enumerate() {
        let one = js.array()?;
        js.define_index(&one, 0, js.text(&case.name)?)?;
        js.define_index(&one, 1, js.text(layout(case))?)?;
        js.define_index(&all, number, one)?;
    }
    Ok(all)
}

fn layout(case: &Case) -> &'static str {
    match BodyLayout::of_case(case) {
        BodyLayout::Empty => "empty",
        BodyLayout::Numbered => "numbered",
        BodyLayout::Single | BodyLayout::Named => "one",
    }
}

/// Makes an object with the name of a contract and its definitions: name, kind, whether a method declares the type as its
/// error, and cases.
pub(crate) fn describe(js: Js, schema: &Schema) -> Result<Value, Pending> {
    let whole = js.object()?;
    js.define_named(&whole, c"name", js.text(&format!("{}@{}", schema.name, schema.major))?)?;
    let all = js.array()?;
    for (number, definition) in (0..).zip(&schema.types) {
        let one = js.array()?;
        js.define_index(&one, 0, js.text(&definition.name)?)?;
        js.define_index(&one, 1, js.text(kind(&definition.shape))?)?;
        js.define_index(&one, 2, js.bool(is_error(schema, number)))?;
        js.define_index(&one, 3, cases(js, &definition.shape)?)?;
        js.define_index(&all, number as usize, one)?;
    }
    js.define_named(&whole, c"definitions", all)?;
    Ok(whole)
}

/// Returns whether a method of the contract, or of an object of the contract, declares this definition as its error.
fn is_error(schema: &Schema, number: u32) -> bool {
    let objects = schema.types.iter().filter_map(|definition| match &definition.shape {
        Shape::Object(interface) => Some(&interface.methods),
        _ => None,
    });
    let mut methods = schema.methods.iter().chain(objects.flatten());
    methods.any(|method| match &method.result {
        TypeRef::Result(_, error) => matches!(&**error, TypeRef::Named(of) if *of == number),
        _ => false,
    })
}
