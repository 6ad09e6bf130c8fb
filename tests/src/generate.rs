//! Schemas, and values that fit them, made of arbitrary bytes: the same bytes always make the same schema or value, and
//! fewer or smaller bytes a simpler one.

use std::collections::HashSet;

use polyplug::Value;
use polyplug::schema::{Case, Definition, Field, Method, Scalar, Schema, Shape, TypeRef};

/// The bytes that decide each choice. After the last one come zeroes.
pub struct Source<'a>(&'a [u8]);

impl<'a> Source<'a> {
    /// Makes a source of these bytes.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    /// Returns a number less than `end`, which is at most 256.
    pub fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }
}

const NAMES: [&str; 12] =
    ["a", "b", "value", "größe", "名前", "_x", "type", "SomeName", "x1", "🦀", "with space", "veryLongName"];

fn name(source: &mut Source<'_>, number: usize) -> String {
    format!("{}{number}", NAMES[source.below(NAMES.len())])
}

fn docs(source: &mut Source<'_>) -> String {
    ["", "Says what it is.", "Two\nlines."][source.below(3)].to_owned()
}

/// The simplest types first.
const SIMPLE: [TypeRef; 14] = [
    TypeRef::Bool,
    TypeRef::U8,
    TypeRef::I32,
    TypeRef::String,
    TypeRef::Char,
    TypeRef::F64,
    TypeRef::U64,
    TypeRef::I64,
    TypeRef::I8,
    TypeRef::I16,
    TypeRef::U16,
    TypeRef::U32,
    TypeRef::F32,
    TypeRef::Unit,
];

/// The depth to which generated types nest.
const NESTING: usize = 4;

/// Makes a schema that a contract could have.
#[must_use]
pub fn schema(source: &mut Source<'_>) -> Schema {
    let mut schema = Schema {
        name: format!("test.generated{}", source.below(3)),
        major: source.below(3) as u32,
        minor: source.below(200) as u32 * 1000,
        docs: docs(source),
        methods: Vec::new(),
        types: Vec::new(),
    };
    let definitions = source.below(7);
    for number in 0..definitions {
        schema.types.push(definition(source, number, definitions));
    }
    for number in 0..1 + source.below(4) {
        let arguments = (0..source.below(4)).map(|i| field(source, i, definitions, definitions)).collect();
        let result = ty(source, NESTING, definitions, definitions);
        let (name, docs) = (name(source, number), docs(source));
        schema.methods.push(Method { name, docs, since: number as u32 * 300, arguments, result });
    }
    without_nothing(schema)
}

/// Returns the schema without lists and records of size 0, which do not exist.
fn without_nothing(mut schema: Schema) -> Schema {
    fn mend(whole: &Schema, ty: &mut TypeRef) {
        match ty {
            TypeRef::List(of) if is_nothing(whole, of) => **of = TypeRef::U8,
            TypeRef::List(of) | TypeRef::Option(of) | TypeRef::Box(of) => mend(whole, of),
            TypeRef::Map(one, other) | TypeRef::Result(one, other) => {
                mend(whole, one);
                mend(whole, other);
            }
            TypeRef::Tuple(parts) => parts.iter_mut().for_each(|part| mend(whole, part)),
            _ => {}
        }
    }
    for number in 0..schema.types.len() {
        let nothing = is_nothing(&schema, &TypeRef::Named(number as u32));
        if let (true, Shape::Record(fields)) = (nothing, &mut schema.types[number].shape) {
            fields[0].ty = TypeRef::Bool;
        }
    }
    let whole = schema.clone();
    for method in &mut schema.methods {
        method.arguments.iter_mut().for_each(|field| mend(&whole, &mut field.ty));
        mend(&whole, &mut method.result);
    }
    for definition in &mut schema.types {
        match &mut definition.shape {
            Shape::Record(fields) => fields.iter_mut().for_each(|field| mend(&whole, &mut field.ty)),
            Shape::Enum(cases) | Shape::Variant(cases) => {
                cases.iter_mut().flat_map(|case| &mut case.fields).for_each(|field| mend(&whole, &mut field.ty));
            }
            Shape::Object(_) => unreachable!("none is made here"),
        }
    }
    schema
}

/// Makes definition `number` of `definitions`; by value it contains only those before it.
fn definition(source: &mut Source<'_>, number: usize, definitions: usize) -> Definition {
    let fields = |source: &mut Source<'_>, least: usize| -> Vec<Field> {
        (0..least + source.below(4)).map(|i| field(source, i, number, definitions)).collect()
    };
    let shape = match source.below(3) {
        0 => Shape::Record(fields(source, 1)),
        1 => {
            let case = |source: &mut Source<'_>, i| Case {
                name: name(source, i),
                docs: docs(source),
                fields: vec![],
                since: 0,
                other: false,
            };
            Shape::Enum((0..1 + source.below(5)).map(|i| case(source, i)).collect())
        }
        _ => {
            // The first case ends every recursion.
            let mut cases =
                vec![Case { name: name(source, 0), docs: docs(source), fields: vec![], since: 0, other: false }];
            for i in 1..2 + source.below(3) {
                cases.push(Case {
                    name: name(source, i),
                    docs: docs(source),
                    fields: fields(source, 1),
                    since: 0,
                    other: false,
                });
            }
            Shape::Variant(cases)
        }
    };
    Definition { name: name(source, number), docs: docs(source), shape }
}

fn field(source: &mut Source<'_>, number: usize, by_value: usize, definitions: usize) -> Field {
    let ty = ty(source, NESTING, by_value, definitions);
    Field { name: name(source, number), docs: docs(source), ty, since: 0, default: None }
}

/// Makes a type that contains only the first `by_value` definitions by value, and any of `all` behind pointers.
fn ty(source: &mut Source<'_>, nesting: usize, by_value: usize, all: usize) -> TypeRef {
    let choice = source.below(if nesting == 0 { 14 } else { 30 });
    if let Some(simple) = SIMPLE.get(choice) {
        return simple.clone();
    }
    let mut inner = |by_value: usize| Box::new(ty(source, nesting - 1, by_value, all));
    match choice {
        14 | 15 => TypeRef::List(inner(all)),
        16 => TypeRef::List(Box::new(TypeRef::U8)),
        17 | 18 => TypeRef::Option(inner(by_value)),
        19 | 20 => TypeRef::Option(Box::new(TypeRef::Box(inner(all)))),
        // As if by value: otherwise a value might have no end.
        21 => TypeRef::Box(inner(by_value)),
        22 | 23 => {
            let of = inner(all);
            TypeRef::Map(Box::new(SIMPLE.into_iter().filter(TypeRef::can_be_key).nth(source.below(11)).unwrap()), of)
        }
        24 | 25 => {
            let first = *inner(by_value);
            let more = source.below(4);
            let more = (0..more).map(|_| ty(source, nesting - 1, by_value, all));
            TypeRef::Tuple(std::iter::once(first).chain(more).collect())
        }
        26 => TypeRef::Result(inner(by_value), Box::new(ty(source, nesting - 1, by_value, all))),
        _ if by_value > 0 => TypeRef::Named(source.below(by_value) as u32),
        _ => TypeRef::Bool,
    }
}

/// Returns whether a type has size 0.
fn is_nothing(schema: &Schema, ty: &TypeRef) -> bool {
    match ty {
        TypeRef::Unit => true,
        TypeRef::Tuple(parts) => parts.iter().all(|part| is_nothing(schema, part)),
        TypeRef::Named(number) => match &schema.definition(*number).shape {
            Shape::Record(fields) => fields.iter().all(|field| is_nothing(schema, &field.ty)),
            _ => false,
        },
        _ => false,
    }
}

/// Makes a value of type `ty`, whose lists, maps and boxes are `nesting` deep at most.
#[must_use]
pub fn value(source: &mut Source<'_>, schema: &Schema, ty: &TypeRef, nesting: usize) -> Value {
    let count = |source: &mut Source<'_>| if nesting == 0 { 0 } else { source.below(4) };
    let deeper = |source: &mut Source<'_>, ty: &TypeRef| value(source, schema, ty, nesting.saturating_sub(1));
    match ty {
        TypeRef::Unit => Value::Unit,
        TypeRef::Scalar(Scalar::Bool) => Value::Bool(source.below(2) == 1),
        TypeRef::Scalar(Scalar::I8) => Value::I8(i8::from_le_bytes(source.bytes())),
        TypeRef::Scalar(Scalar::I16) => Value::I16(i16::from_le_bytes(source.bytes())),
        TypeRef::Scalar(Scalar::I32) => Value::I32(i32::from_le_bytes(source.bytes())),
        TypeRef::Scalar(Scalar::I64) => Value::I64(i64::from_le_bytes(source.bytes())),
        TypeRef::Scalar(Scalar::U8) => Value::U8(source.byte()),
        TypeRef::Scalar(Scalar::U16) => Value::U16(u16::from_le_bytes(source.bytes())),
        TypeRef::Scalar(Scalar::U32) => Value::U32(u32::from_le_bytes(source.bytes())),
        TypeRef::Scalar(Scalar::U64) => Value::U64(u64::from_le_bytes(source.bytes())),
        TypeRef::Scalar(Scalar::F32) => Value::F32(f32::from_le_bytes(source.bytes())),
        TypeRef::Scalar(Scalar::F64) => Value::F64(f64::from_le_bytes(source.bytes())),
        TypeRef::Scalar(Scalar::Char) => Value::Char(letter(source)),
        TypeRef::String => Value::String((0..source.below(6)).map(|_| letter(source)).collect()),
        TypeRef::List(of) if **of == TypeRef::U8 => Value::Bytes((0..source.below(6)).map(|_| source.byte()).collect()),
        TypeRef::List(of) => Value::List((0..count(source)).map(|_| deeper(source, of)).collect()),
        TypeRef::Box(of) => deeper(source, of),
        TypeRef::Option(of) => {
            let is_some = (nesting > 0 || !matches!(**of, TypeRef::Box(_))) && source.below(3) > 0;
            // An option by value does not count as a level of nesting.
            let inner = is_some.then(|| match &**of {
                TypeRef::Box(of) => deeper(source, of),
                of => value(source, schema, of, nesting),
            });
            Value::Option(inner.map(Box::new))
        }
        TypeRef::Map(key, of) => {
            let mut seen = HashSet::new();
            let mut entries = Vec::new();
            for _ in 0..count(source) {
                let (name, value) = (deeper(source, key), deeper(source, of));
                if seen.insert(name.to_string()) {
                    entries.push((name, value));
                }
            }
            Value::Map(entries)
        }
        TypeRef::Tuple(parts) => Value::Tuple(parts.iter().map(|part| value(source, schema, part, nesting)).collect()),
        TypeRef::Result(ok, err) => Value::Result(match source.below(2) {
            0 => Ok(Box::new(value(source, schema, ok, nesting))),
            _ => Err(Box::new(value(source, schema, err, nesting))),
        }),
        TypeRef::Named(number) => {
            let fields = |source: &mut Source<'_>, fields: &[Field]| {
                fields.iter().map(|field| (field.name.clone(), value(source, schema, &field.ty, nesting))).collect()
            };
            match &schema.definition(*number).shape {
                Shape::Record(described) => Value::Record(fields(source, described)),
                Shape::Enum(cases) => Value::Enum(cases[source.below(cases.len())].name.clone()),
                Shape::Variant(cases) => {
                    let case = &cases[source.below(cases.len())];
                    Value::Variant { case: case.name.clone(), fields: fields(source, &case.fields) }
                }
                Shape::Object(_) => unreachable!("none is made here"),
            }
        }
    }
}

fn letter(source: &mut Source<'_>) -> char {
    let letters = ['a', '\0', 'ß', '€', '🦀', char::MAX, '\u{d7ff}', '"'];
    letters[source.below(letters.len())]
}
