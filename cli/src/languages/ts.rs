//! TypeScript: the declarations of the module `polyplug`.

use std::fmt::Write as _;

use polyplug::schema::{Case, Definition, Field, Method, Scalar, Schema, Shape, TypeRef};

use super::language::Language;
use super::names::{Part, interface, space};
use super::parts::Way;
use super::template::fill;
use super::{docs, names, parts};
use crate::bundle::Contracts;

/// The module without contracts.
const MODULE: &str = include_str!("module.d.ts");
const TEST_MODULE: &str = include_str!("test_module.d.ts");

/// Returns the spelling of a type as a plugin gets it, from outside of the contract's namespace: `DemoStore1.Point`.
pub(crate) fn type_name(schema: &Schema, ty: &TypeRef) -> String {
    spell(schema, ty, Way::Received)
}

/// Returns the file with the module, all contracts and the module of tests.
pub(crate) fn stubs(contracts: &Contracts) -> Vec<(String, String)> {
    let (mut known, mut spaces) = (String::new(), String::new());
    for schema in contracts.values() {
        let of = space(&schema.name, schema.major);
        let methods = interface(schema);
        let entry = |out: &mut String, key: &str, plugin: &str| {
            let _ = writeln!(out, "    {key}: {{ plugin: {plugin}; proxy: {of}.{methods}Proxy; types: {of}.Types }};");
        };
        docs_comment(&mut known, "    ", &docs::lines(&schema.docs));
        entry(&mut known, &parts::key(schema), &format!("{of}.{methods}"));
        let older = parts::older_minors(schema);
        for minor in parts::minors(schema) {
            let missing = schema.methods.iter().filter(|method| method.since > minor);
            let missing: Vec<_> =
                missing.map(|method| format!("\"{}\"", Language::Ts.spell(Part::Method, &method.name))).collect();
            let plugin = if older.contains(&minor) {
                format!("Omit<{of}.{methods}, {}>", missing.join(" | "))
            } else {
                format!("{of}.{methods}")
            };
            entry(&mut known, &format!("\"{}@{}.{minor}\"", schema.name, schema.major), &plugin);
        }
        spaces.push('\n');
        namespace(&mut spaces, schema);
    }
    for (name, parameters) in GLOBALS {
        if contracts.values().any(|schema| global(schema, name) != name) {
            let _ = write!(spaces, "\n  type ${name}{parameters} = {name}{parameters};\n");
        }
    }
    let text = fill(MODULE, &[("@contracts@", known.trim_end()), ("@spaces@", spaces.trim_end())]) + TEST_MODULE;
    vec![("polyplug.d.ts".to_owned(), text)]
}

fn spell(schema: &Schema, ty: &TypeRef, way: Way) -> String {
    let inner = |ty: &TypeRef| spell(schema, ty, Way::Received);
    match ty {
        TypeRef::Unit => "undefined".to_owned(),
        TypeRef::Scalar(Scalar::Bool) => "boolean".to_owned(),
        TypeRef::Scalar(Scalar::I64 | Scalar::U64) => "bigint".to_owned(),
        TypeRef::String | TypeRef::Scalar(Scalar::Char) => "string".to_owned(),
        TypeRef::Scalar(_) => "number".to_owned(),
        TypeRef::List(of) if **of == TypeRef::U8 => match way {
            Way::Received => global(schema, "Uint8Array"),
            Way::Given => format!("{}<number>", global(schema, "Iterable")),
        },
        TypeRef::List(of) => match (way, &**of) {
            (Way::Received, _) => format!("{}<{}>", global(schema, "Array"), inner(of)),
            // A text can be iterated as well, and is refused.
            (Way::Given, TypeRef::String | TypeRef::Scalar(Scalar::Char)) => {
                format!("readonly string[] | {}<string>", global(schema, "ReadonlySet"))
            }
            (Way::Given, of) => format!("{}<{}>", global(schema, "Iterable"), inner(of)),
        },
        TypeRef::Option(of) => {
            let value = match parts::may_be_none(of) {
                true => format!("{{ tag: \"some\"; {} }}", val(schema, of)),
                false => spell(schema, of, way),
            };
            let value = if value.contains("=>") { format!("({value})") } else { value };
            format!("{value} | null{}", if way == Way::Given { " | undefined" } else { "" })
        }
        TypeRef::Box(of) => spell(schema, of, way),
        TypeRef::Map(key, value) => match (way, &**key) {
            (Way::Received, _) => format!("{}<{}, {}>", global(schema, "Map"), inner(key), inner(value)),
            (Way::Given, TypeRef::String) => {
                let value = inner(value);
                format!("{}<string, {value}> | {{ readonly [key: string]: {value} }}", global(schema, "ReadonlyMap"))
            }
            (Way::Given, _) => {
                format!("{}<{}, {}>", global(schema, "ReadonlyMap"), inner(key), inner(value))
            }
        },
        TypeRef::Tuple(of) => format!("[{}]", of.iter().map(inner).collect::<Vec<_>>().join(", ")),
        TypeRef::Result(ok, err) => {
            format!("{{ tag: \"ok\"; {} }} | {{ tag: \"err\"; {} }}", val(schema, ok), val(schema, err))
        }
        TypeRef::Named(number) => {
            let Definition { name, shape, .. } = schema.definition(*number);
            let of = space(&schema.name, schema.major);
            match (shape, way) {
                (Shape::Object(object), Way::Received) => format!("{of}.{}Proxy", names::object(schema, object)),
                (Shape::Object(object), Way::Given) if object.methods.len() != 1 => {
                    format!("{of}.{}", names::object(schema, object))
                }
                (Shape::Object(object), Way::Given) => {
                    let name = names::object(schema, object);
                    let method = Language::Ts.spell(Part::Method, &object.methods[0].name);
                    format!("{of}.{name} | {of}.{name}[\"{method}\"]")
                }
                _ => format!("{of}.{name}"),
            }
        }
    }
}

/// Returns the name of a type of the language: an alias outside of the contract's namespace if the contract has a type
/// of the same name.
fn global(schema: &Schema, name: &str) -> String {
    let is_taken = schema.types.iter().any(|definition| definition.name == name);
    if is_taken { format!("${name}") } else { name.to_owned() }
}

/// The types of the language that [`global`] names, with their parameters.
const GLOBALS: [(&str, &str); 6] = [
    ("Array", "<T>"),
    ("Iterable", "<T>"),
    ("Map", "<K, V>"),
    ("ReadonlyMap", "<K, V>"),
    ("ReadonlySet", "<T>"),
    ("Uint8Array", ""),
];

/// Returns the property with the value of a case.
fn val(schema: &Schema, ty: &TypeRef) -> String {
    match ty {
        TypeRef::Unit => "val?: undefined".to_owned(),
        ty => format!("val: {}", spell(schema, ty, Way::Received)),
    }
}

/// Writes the namespace of a contract. It has types alone, so that no code is made of it.
fn namespace(out: &mut String, schema: &Schema) {
    docs_comment(out, "  ", &docs::lines(&schema.docs));
    let _ = writeln!(out, "  export namespace {} {{", space(&schema.name, schema.major));
    for definition in &schema.types {
        define(out, schema, definition);
    }
    for (name, definition, object) in parts::objects(schema) {
        methods(out, schema, &name, &definition.docs, &object.methods);
    }
    methods(out, schema, &interface(schema), &schema.docs, &schema.methods);
    makers(out, schema);
    out.push_str("  }\n");
}

fn define(out: &mut String, schema: &Schema, definition: &Definition) {
    let name = &definition.name;
    if !matches!(definition.shape, Shape::Object(_)) {
        docs_comment(out, "    ", &docs::lines(&definition.docs));
    }
    match &definition.shape {
        Shape::Record(fields) if parts::are_numbered(fields) => {
            let _ = writeln!(out, "    type {name} = {};\n", tuple(schema, fields));
        }
        Shape::Record(fields) => {
            let _ = writeln!(out, "    interface {name} {{");
            out.push_str(&properties(schema, fields, "      "));
            out.push_str("    }\n\n");
        }
        Shape::Enum(cases) => {
            let _ = write!(out, "    type {name} =");
            for case in cases {
                out.push('\n');
                docs_comment(out, "      ", &docs::with_notes(&case.docs, schema.major, case.since, case.other));
                let _ = write!(out, "      | \"{}\"", case.name);
            }
            out.push_str(";\n\n");
        }
        Shape::Variant(cases) => {
            let _ = write!(out, "    type {name} =");
            for case in cases {
                out.push('\n');
                docs_comment(out, "      ", &docs::with_notes(&case.docs, schema.major, case.since, case.other));
                let _ = write!(out, "      | {}", object_of_case(schema, case));
            }
            out.push_str(";\n\n");
        }
        Shape::Object(_) => {}
    }
}

fn tuple(schema: &Schema, fields: &[Field]) -> String {
    let fields: Vec<_> = fields.iter().map(|field| spell(schema, &field.ty, Way::Received)).collect();
    format!("[{}]", fields.join(", "))
}

/// Returns fields as properties, a line each. An option may be left out.
fn properties(schema: &Schema, fields: &[Field], indent: &str) -> String {
    let mut out = String::new();
    for field in fields {
        docs_comment(&mut out, indent, &docs::with_notes(&field.docs, schema.major, field.since, false));
        let name = Language::Ts.spell(Part::Field, &field.name);
        let _ = writeln!(out, "{indent}{name}: {};", spell(schema, &field.ty, Way::Received));
    }
    out
}

/// Returns the type of a case's `val`; `None` for a case without fields.
fn payload(schema: &Schema, case: &Case) -> Option<String> {
    match &case.fields[..] {
        [] => None,
        [only] if only.name == "0" => Some(spell(schema, &only.ty, Way::Received)),
        fields if parts::are_numbered(fields) => Some(tuple(schema, fields)),
        fields => Some(format!("{{\n{}      }}", properties(schema, fields, "        "))),
    }
}

fn object_of_case(schema: &Schema, case: &Case) -> String {
    match payload(schema, case) {
        None => format!("{{ tag: \"{}\"; val?: undefined }}", case.name),
        Some(payload) => format!("{{ tag: \"{}\"; val: {payload} }}", case.name),
    }
}

/// Writes the interface of what a plugin implements, and that of what it calls.
fn methods(out: &mut String, schema: &Schema, name: &str, about: &str, methods: &[Method]) {
    for (name, way, use_of_it) in [
        (name.to_owned(), Way::Received, "For a plugin to implement."),
        (format!("{name}Proxy"), Way::Given, "For a plugin to call."),
    ] {
        let mut lines = docs::lines(about);
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(use_of_it.to_owned());
        docs_comment(out, "    ", &lines);
        let _ = writeln!(out, "    interface {name} {{");
        for method in methods {
            let mut lines = docs::with_notes(&method.docs, schema.major, method.since, false);
            for argument in &method.arguments {
                let about = docs::lines(&argument.docs).join(" ");
                if !about.is_empty() {
                    lines.push(format!("\u{0}param {} {about}", Language::Ts.spell(Part::Argument, &argument.name)));
                }
            }
            if let Some((_, error)) = parts::declared(method) {
                lines.push(format!("\u{0}throws {{{}}}", spell(schema, error, Way::Received)));
            }
            docs_comment(out, "      ", &lines);
            let arguments = method.arguments.iter().map(|argument| {
                format!("{}: {}", Language::Ts.spell(Part::Argument, &argument.name), spell(schema, &argument.ty, way))
            });
            let arguments = arguments.collect::<Vec<_>>().join(", ");
            let result = match parts::answer(method) {
                TypeRef::Unit => "void".to_owned(),
                ty => spell(schema, ty, way.back()),
            };
            let name = Language::Ts.spell(Part::Method, &method.name);
            let _ = writeln!(out, "      {name}({arguments}): {result};");
        }
        out.push_str("    }\n\n");
    }
}

/// Writes the type of what `types` returns.
fn makers(out: &mut String, schema: &Schema) {
    out.push_str("    /** Makers of the values of the contract's types. */\n    interface Types {\n");
    let of = space(&schema.name, schema.major);
    let errors = parts::errors(schema);
    for (number, definition) in (0..).zip(&schema.types) {
        let name = &definition.name;
        let cases: &[Case] = match &definition.shape {
            Shape::Object(_) => continue,
            Shape::Record(_) => &[],
            Shape::Enum(cases) | Shape::Variant(cases) => cases,
        };
        docs_comment(out, "      ", &docs::lines(&definition.docs));
        let is_error = errors.contains(&number);
        if !is_error && matches!(definition.shape, Shape::Record(_)) {
            let _ = writeln!(out, "      readonly {name}: (fields: {of}.{name}) => {of}.{name};");
            continue;
        }
        let _ = writeln!(out, "      readonly {name}: {{");
        if is_error {
            let _ = writeln!(out, "        new (value: {of}.{name}): DeclaredError<{of}.{name}>;");
            let _ = writeln!(out, "        readonly prototype: DeclaredError<{of}.{name}>;");
        }
        for case in cases {
            docs_comment(out, "        ", &docs::with_notes(&case.docs, schema.major, case.since, case.other));
            let case_name = &case.name;
            let _ = match &case.fields[..] {
                [] if matches!(definition.shape, Shape::Enum(_)) => {
                    writeln!(out, "        readonly {case_name}: \"{case_name}\";")
                }
                [] => writeln!(out, "        readonly {case_name}: {{ readonly tag: \"{case_name}\" }};"),
                [_, _, ..] if parts::are_numbered(&case.fields) => {
                    writeln!(
                        out,
                        "        {case_name}(...val: {}): {of}.{name};",
                        payload(schema, case).unwrap_or_default()
                    )
                }
                _ => writeln!(
                    out,
                    "        {case_name}(val: {}): {of}.{name};",
                    payload(schema, case).unwrap_or_default()
                ),
            };
        }
        out.push_str("      };\n");
    }
    out.push_str("    }\n");
}

/// Writes a comment. In the lines, a zero stands for the `@` of a tag.
fn docs_comment(out: &mut String, indent: &str, lines: &[String]) {
    let lines: Vec<_> =
        lines.iter().map(|line| docs::without_tags(line).replace("*/", "*\\/").replace('\u{0}', "@")).collect();
    match &lines[..] {
        [] => {}
        [line] => {
            let _ = writeln!(out, "{indent}/** {line} */");
        }
        lines => {
            let _ = writeln!(out, "{indent}/**");
            for line in lines {
                let _ = writeln!(out, "{}", format!("{indent} * {line}").trim_end());
            }
            let _ = writeln!(out, "{indent} */");
        }
    }
}
