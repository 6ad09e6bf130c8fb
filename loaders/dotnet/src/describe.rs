//! Descriptions for the bridge: of a contract with its layout, and of a bundle's settings.

use polyplug::engine::KnownContract;
use polyplug::schema::plan::{Body, Kind, MethodPlan, Node, Place};
use polyplug::schema::{Case, Field, Method, Scalar, Schema, Shape};
use toml::Value;

use crate::wire::Writer;

/// Returns the description of a contract that the bridge's `Contract` reads.
pub(crate) fn contract(contract: &KnownContract) -> Vec<u8> {
    let (schema, plan) = (&*contract.schema, &*contract.plan);
    let mut to = Writer::default();
    to.text(&schema.name);
    to.count(schema.major as usize);
    to.count(plan.nodes().len());
    for described in plan.nodes() {
        node(&mut to, schema, described);
    }
    methods(&mut to, &schema.methods, plan.methods());
    to.into_bytes()
}

fn node(to: &mut Writer, schema: &Schema, node: &Node) {
    to.count(node.size);
    to.count(node.align);
    match &node.kind {
        Kind::Unit => to.byte(0),
        Kind::Scalar(of) => {
            to.byte(1);
            to.byte(scalar(*of));
        }
        Kind::String => to.byte(2),
        Kind::Bytes => to.byte(3),
        Kind::List(of) => {
            to.byte(4);
            to.count(of.index());
        }
        Kind::Option { of, at } => {
            to.byte(5);
            to.count(of.index());
            to.count(*at);
        }
        Kind::Nullable(of) => {
            to.byte(6);
            to.count(of.index());
        }
        Kind::Box(of) => {
            to.byte(7);
            to.count(of.index());
        }
        Kind::Map { key, value, value_at, stride, align } => {
            to.byte(8);
            for number in [key.index(), value.index(), *value_at, *stride, *align] {
                to.count(number);
            }
        }
        Kind::Tuple(parts) => {
            to.byte(9);
            to.count(parts.len());
            for (number, part) in parts.iter().enumerate() {
                place(to, &number.to_string(), part, false);
            }
        }
        Kind::Record(number, of) => {
            to.byte(10);
            let definition = schema.definition(*number);
            to.text(&definition.name);
            let Shape::Record(described) = &definition.shape else { unreachable!("a node of a record") };
            body(to, described, of);
        }
        Kind::Enum(number, _) => {
            to.byte(11);
            let definition = schema.definition(*number);
            to.text(&definition.name);
            let cases = cases(&definition.shape);
            to.count(cases.len());
            for described in cases {
                case(to, described);
            }
        }
        Kind::Object { definition, methods: plans } => {
            to.byte(12);
            let definition = schema.definition(*definition);
            to.text(&definition.name);
            let Shape::Object(interface) = &definition.shape else { unreachable!("a node of an object") };
            to.bool(interface.kept);
            methods(to, &interface.methods, plans);
        }
        Kind::Variant { definition, at, cases: bodies } => {
            to.byte(13);
            let definition = schema.definition(*definition);
            to.text(&definition.name);
            to.count(*at);
            to.count(bodies.len());
            for (described, of) in cases(&definition.shape).iter().zip(bodies) {
                case(to, described);
                body(to, &described.fields, of);
            }
        }
        Kind::Result { ok, err, at } => {
            to.byte(14);
            for number in [ok.index(), err.index(), *at] {
                to.count(number);
            }
        }
        other => unreachable!("the bridge knows no {other:?}"),
    }
}

fn cases(shape: &Shape) -> &[Case] {
    match shape {
        Shape::Enum(cases) | Shape::Variant(cases) => cases,
        _ => unreachable!("a node of an enum or variant"),
    }
}

fn case(to: &mut Writer, case: &Case) {
    to.text(&case.name);
    to.count(case.since as usize);
    to.bool(case.other);
}

fn scalar(scalar: Scalar) -> u8 {
    match scalar {
        Scalar::Bool => 0,
        Scalar::I8 => 1,
        Scalar::I16 => 2,
        Scalar::I32 => 3,
        Scalar::I64 => 4,
        Scalar::U8 => 5,
        Scalar::U16 => 6,
        Scalar::U32 => 7,
        Scalar::U64 => 8,
        Scalar::F32 => 9,
        Scalar::F64 => 10,
        Scalar::Char => 11,
    }
}

/// Writes a part. `may_be_missing` says that a class may lack a member for it, because the part was added later.
fn place(to: &mut Writer, name: &str, place: &Place, may_be_missing: bool) {
    to.text(name);
    to.count(place.at);
    to.count(place.node.index());
    to.bool(may_be_missing);
}

fn places(to: &mut Writer, fields: &[Field], places: &[Place]) {
    to.count(places.len());
    for (field, at) in fields.iter().zip(places) {
        place(to, &field.name, at, field.since > 0 && field.default.is_some());
    }
}

fn body(to: &mut Writer, fields: &[Field], body: &Body) {
    places(to, fields, &body.places);
}

fn methods(to: &mut Writer, methods: &[Method], plans: &[MethodPlan]) {
    to.count(plans.len());
    for (method, plan) in methods.iter().zip(plans) {
        to.text(&method.name);
        places(to, &method.arguments, &plan.arguments);
        to.count(plan.size);
        to.count(plan.result.index());
    }
}

/// Writes settings, as the bridge's `Wire.Table` reads them.
pub(crate) fn table(to: &mut Writer, table: &toml::Table) {
    to.count(table.len());
    for (name, value) in table {
        to.text(name);
        setting(to, value);
    }
}

fn setting(to: &mut Writer, value: &Value) {
    match value {
        Value::String(text) => {
            to.byte(0);
            to.text(text);
        }
        Value::Integer(number) => {
            to.byte(1);
            to.i64(*number);
        }
        Value::Float(number) => {
            to.byte(2);
            to.f64(*number);
        }
        Value::Boolean(value) => {
            to.byte(3);
            to.bool(*value);
        }
        Value::Array(items) => {
            to.byte(4);
            to.count(items.len());
            for item in items {
                setting(to, item);
            }
        }
        Value::Table(inner) => {
            to.byte(5);
            table(to, inner);
        }
        // .NET has types of its own for dates, none of which has all forms.
        Value::Datetime(date) => {
            to.byte(0);
            to.text(&date.to_string());
        }
    }
}
