//! Schemas survive the way through bytes, and bytes that are none are refused.

use std::collections::{BTreeMap, HashMap};

use polyplug::schema::plan::Plan;
use polyplug::schema::{self, Case, Definition, Field, Method, MethodsBuilder, SIZE_LIMIT, Schema, TypeRef};
use polyplug_tests::generate::{self, Source};
use proptest::prelude::*;
use test_contracts::each_type;
use test_contracts::types::*;

/// What anybody does with a schema.
fn use_everything(schema: &Schema) {
    assert_eq!(Schema::decode(&schema.encode()).as_ref(), Ok(schema));
    let _ = Plan::new(schema);
    assert_eq!(schema.differences(schema), []);
    let _ = schema.to_wit();
    for method in &schema.methods {
        assert!(!schema.type_name(&method.result).is_empty());
    }
}

#[test]
fn the_schemas_of_contracts_come_back_unchanged() {
    use_everything(&Schema::of::<dyn Types>());
    use_everything(&Schema::of::<dyn Borrowed>());
    use_everything(&Schema::of::<dyn test_contracts::Calculator>());
}

macro_rules! each {
    ($($name:ident: $ty:ty),* $(,)?) => {
        #[test]
        fn every_type_is_described_on_its_own() {
            $({
                use_everything(&Schema::describe("test.one", 1, 0, "", |types| {
                    MethodsBuilder::new(types).method("call", "", 0, &[], <$ty as polyplug::Type>::describe).build()
                }));
            })*
        }
    };
}

each_type!(each);

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_schema_comes_back_unchanged(bytes in prop::collection::vec(any::<u8>(), 0..1500)) {
        let schema = generate::schema(&mut Source::new(&bytes));
        match Schema::decode(&schema.encode()) {
            Ok(decoded) => {
                prop_assert_eq!(&decoded, &schema);
                use_everything(&schema);
            }
            Err(error) => prop_assert!(error.to_string().contains("takes up more than"), "{}", error),
        }
    }

    #[test]
    fn random_bytes_are_no_schema(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Schema::decode(&bytes).is_err());
    }

    /// Most bytes of a schema mean something, so that many of these still are one.
    #[test]
    fn changed_bytes_are_refused_or_another_schema(
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..8),
    ) {
        let mut encoded = generate::schema(&mut Source::new(&bytes)).encode();
        for (place, byte, how) in changes {
            let place = place.index(encoded.len());
            match how {
                0 => encoded[place] = byte,
                1 => encoded[place] ^= 1 << (byte % 8),
                2 => encoded.insert(place, byte),
                _ => drop(encoded.remove(place)),
            }
            if encoded.is_empty() {
                break;
            }
        }
        if let Ok(schema) = Schema::decode(&encoded) {
            use_everything(&schema);
        }
    }

    #[test]
    fn the_beginning_of_a_schema_is_none(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let encoded = generate::schema(&mut Source::new(&bytes)).encode();
        for end in 0..encoded.len() {
            prop_assert!(Schema::decode(&encoded[..end]).is_err(), "{} of {} bytes", end, encoded.len());
        }
        let more = [&encoded[..], &[0]].concat();
        prop_assert!(Schema::decode(&more).is_err(), "a byte too many");
    }
}

/// A schema with one method that returns `result`.
fn returning(result: TypeRef, types: Vec<Definition>) -> Schema {
    let method = Method { name: "get".into(), docs: String::new(), since: 0, arguments: vec![], result };
    Schema { name: "test.hostile".into(), major: 1, minor: 0, docs: String::new(), methods: vec![method], types }
}

fn record(name: &str, types: &[TypeRef]) -> Definition {
    let fields = types.iter().enumerate().map(|(i, ty)| field(&format!("f{i}"), ty.clone())).collect();
    Definition { name: name.into(), docs: String::new(), shape: schema::Shape::Record(fields) }
}

fn field(name: &str, ty: TypeRef) -> Field {
    Field::new(name, "", ty)
}

fn case(name: &str, fields: Vec<Field>) -> Case {
    Case::new(name, "", fields)
}

fn boxed(ty: TypeRef) -> Box<TypeRef> {
    Box::new(ty)
}

#[track_caller]
fn refused(schema: &Schema, reason: &str) {
    let error = Schema::decode(&schema.encode()).expect_err(reason).to_string();
    assert_eq!(error, format!("not a schema: {reason}"));
}

#[test]
fn schemas_that_make_no_sense_are_refused() {
    use TypeRef::{Box, List, Map, Named, Option, Result, String, Tuple, Unit};
    const BOOL: TypeRef = TypeRef::Bool;
    const U8: TypeRef = TypeRef::U8;
    const I32: TypeRef = TypeRef::I32;
    const F64: TypeRef = TypeRef::F64;

    refused(&returning(Named(0), vec![]), "type 0 is not defined");
    refused(&returning(List(boxed(Named(7))), vec![record("R", &[U8])]), "type 7 is not defined");
    refused(&returning(Map(boxed(F64), boxed(U8)), vec![]), "a map whose keys cannot be keys");
    refused(&returning(Map(boxed(List(boxed(U8))), boxed(U8)), vec![]), "a map whose keys cannot be keys");
    refused(&returning(Tuple(vec![]), vec![]), "a tuple of nothing");
    refused(&returning(U8, vec![record("R", &[])]), "the record `R` is empty");
    refused(&returning(U8, vec![record("R", &[Unit])]), "the record `R` is empty");
    let (one, other) = (record("One", &[Tuple(vec![Named(1), Unit])]), record("Other", &[Unit]));
    refused(&returning(U8, vec![one, other]), "the record `One` is empty");

    // Lists of nothing, however it is called: any number of elements would fit into no memory.
    refused(&returning(List(boxed(Unit)), vec![]), "a list of nothing");
    refused(&returning(List(boxed(Tuple(vec![Unit, Unit]))), vec![]), "a list of nothing");
    refused(&returning(U8, vec![record("R", &[U8, List(boxed(Tuple(vec![Unit])))])]), "a list of nothing");
    Schema::decode(&returning(List(boxed(Option(boxed(Unit)))), vec![]).encode()).unwrap();
    Schema::decode(&returning(Map(boxed(BOOL), boxed(Unit)), vec![]).encode()).unwrap();

    // Types of infinite size.
    refused(&returning(U8, vec![record("R", &[Named(0)])]), "`R` contains itself");
    refused(&returning(U8, vec![record("R", &[Option(boxed(Named(0)))])]), "`R` contains itself");
    refused(&returning(U8, vec![record("R", &[U8, Result(boxed(U8), boxed(Named(0)))])]), "`R` contains itself");
    let (one, other) = (record("One", &[Tuple(vec![U8, Named(1)])]), record("Other", &[Named(0)]));
    refused(&returning(U8, vec![one, other]), "`One` contains itself");
    let variant = schema::Shape::Variant(vec![case("End", vec![]), case("More", vec![field("0", Named(0))])]);
    let variant = Definition { name: "V".into(), docs: "".into(), shape: variant };
    refused(&returning(U8, vec![variant]), "`V` contains itself");
    for pointer in [List(boxed(Named(0))), Map(boxed(String), boxed(Named(0))), Box(boxed(Named(0)))] {
        Schema::decode(&returning(U8, vec![record("R", &[pointer])]).encode()).unwrap();
    }

    // Parts that cannot be told apart.
    let shape = |shape| vec![Definition { name: "T".into(), docs: "".into(), shape }];
    let twice = vec![field("x", U8), field("y", U8), field("x", I32)];
    refused(&returning(U8, shape(schema::Shape::Record(twice.clone()))), "two fields of `T` are called `x`");
    let cases = vec![case("A", vec![]), case("A", vec![])];
    refused(&returning(U8, shape(schema::Shape::Enum(cases.clone()))), "two cases of `T` are called `A`");
    refused(&returning(U8, shape(schema::Shape::Variant(cases))), "two cases of `T` are called `A`");
    refused(&returning(U8, shape(schema::Shape::Variant(vec![case("A", twice)]))), "two fields of `A` are called `x`");
    let mut schema = returning(U8, vec![]);
    schema.methods.push(schema.methods[0].clone());
    refused(&schema, "two methods of `test.hostile` are called `get`");
    schema.methods.pop();
    schema.methods[0].arguments = vec![field("a", U8), field("a", U8)];
    refused(&schema, "two arguments of `get` are called `a`");

    refused(&returning(U8, shape(schema::Shape::Enum(vec![]))), "the enum `T` is empty");
    refused(&returning(U8, shape(schema::Shape::Variant(vec![]))), "the enum `T` is empty");
    let cases = vec![case("A", vec![field("0", U8)])];
    refused(&returning(U8, shape(schema::Shape::Enum(cases))), "a case of the enum `T` has fields");
}

#[test]
fn schemas_of_huge_types_are_refused_at_once() {
    // Each twice the one before: the last would be larger than memory.
    let doubling: Vec<_> = (0..70u32)
        .map(|i| match i {
            0 => record("R0", &[TypeRef::U64]),
            i => record(&format!("R{i}"), &[TypeRef::Named(i - 1), TypeRef::Named(i - 1)]),
        })
        .collect();
    refused(&returning(TypeRef::U8, doubling.clone()), "`R18` takes up more than 1048576 bytes");
    Schema::decode(&returning(TypeRef::Named(17), doubling[..18].to_vec()).encode()).unwrap();

    // Nor may what has no size at all become ever more.
    let mut nothing = doubling.clone();
    nothing[0] = record("R0", &[TypeRef::Unit]);
    refused(&returning(TypeRef::U8, nothing), "the record `R0` is empty");

    let mebibyte = doubling[..18].to_vec();
    let two = TypeRef::Tuple(vec![TypeRef::Named(17), TypeRef::U8]);
    refused(&returning(two.clone(), mebibyte.clone()), "a type takes up more than 1048576 bytes");
    refused(&returning(TypeRef::List(boxed(two)), mebibyte.clone()), "a type takes up more than 1048576 bytes");
    let mut schema = returning(TypeRef::Unit, mebibyte);
    schema.methods[0].arguments = vec![field("a", TypeRef::Named(17)), field("b", TypeRef::Bool)];
    refused(&schema, "the arguments of `get`: a type takes up more than 1048576 bytes");
}

#[test]
fn schemas_of_deep_types_are_refused_or_harmless() {
    let deep = |levels| (0..levels).fold(TypeRef::U8, |ty, _| TypeRef::Option(boxed(ty)));
    refused(&returning(deep(200), vec![]), "types are nested deeper than 128");
    refused(&returning(deep(1000), vec![]), "types are nested deeper than 128");
    Schema::decode(&returning(deep(127), vec![]).encode()).unwrap();

    // By value, from either end.
    let chain = |forwards: bool, count: u32| {
        (0..count).map(move |i| match if forwards { i + 1 } else { i.wrapping_sub(1) } {
            next if next < count => record(&format!("R{i}"), &[TypeRef::Named(next)]),
            _ => record(&format!("R{i}"), &[TypeRef::U8]),
        })
    };
    for forwards in [true, false] {
        let schema = returning(TypeRef::U8, chain(forwards, 10_000).collect());
        refused(&schema, "types contain one another more than 128 levels deep");
        Schema::decode(&returning(TypeRef::U8, chain(forwards, 120).collect()).encode()).unwrap();
    }
    let tower = |levels: u32| {
        let tuple = |ty| TypeRef::Tuple(vec![ty]);
        (0..levels).map(move |i| {
            record(
                &format!("R{i}"),
                &[(0..50).fold(if i == 0 { TypeRef::U8 } else { TypeRef::Named(i - 1) }, |ty, _| tuple(ty))],
            )
        })
    };
    refused(&returning(TypeRef::U8, tower(100).collect()), "types contain one another more than 128 levels deep");

    // Behind pointers there is no limit, nor any need for one.
    let next = |number| TypeRef::Option(boxed(TypeRef::Box(boxed(TypeRef::Named(number)))));
    let mut long: Vec<_> = (1..30_000).map(|i| record("Long", &[next(i)])).collect();
    long.push(record("End", &[TypeRef::U8]));
    let long = returning(TypeRef::Named(0), long);
    assert_eq!(Schema::decode(&long.encode()).as_ref(), Ok(&long));
    let plan = Plan::new(&long);
    assert_eq!(plan.node(plan.method(0).result).size, 8);

    // Nor when a type that contains itself is held against a long chain of types.
    let short = returning(TypeRef::Named(0), vec![record("Short", &[next(0)])]);
    let found = short.differences(&long);
    assert_eq!(found.len(), 1);
    let text = found[0].to_string();
    let end = ".f0: the host has option<box<Short>>, the plugin u8";
    assert!(text.starts_with("get: result: ...: Short.f0: ") && text.ends_with(end) && text.len() < 400, "{text}");
}

#[test]
fn schemas_of_many_parts_are_refused() {
    let mut schema = returning(TypeRef::U8, vec![]);
    schema.docs = "x".repeat(SIZE_LIMIT);
    let error = Schema::decode(&schema.encode()).unwrap_err().to_string();
    assert!(error.starts_with("not a schema: ") && error.ends_with("bytes are too many (at most 1048576)"), "{error}");
    schema.docs.truncate(SIZE_LIMIT - 100);
    assert_eq!(Schema::decode(&schema.encode()), Ok(schema));
}

#[test]
fn a_schema_of_another_version_of_the_form_is_refused() {
    let mut bytes = returning(TypeRef::U8, vec![]).encode();
    assert!(bytes.starts_with(b"polyplug schema\x01"));
    bytes[15] = 3;
    assert_eq!(
        Schema::decode(&bytes).unwrap_err().to_string(),
        "not a schema: it does not begin like one of version 1 or 2"
    );
}
