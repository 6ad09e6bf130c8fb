//! Lua: annotations for the Lua language server.

use std::fmt::Write as _;

use polyplug::schema::{Case, Definition, Field, Method, Scalar, Schema, Shape, TypeRef};

use super::language::Language;
use super::names::{Part, interface, space};
use super::parts::Way;
use super::template::fill;
use super::{docs, names, parts};
use crate::bundle::Contracts;

/// The module without contracts.
const MODULE: &str = include_str!("module.lua");
const TEST_MODULE: &str = include_str!("test_module.lua");

/// Returns the spelling of a type as a plugin gets it.
pub(crate) fn type_name(schema: &Schema, ty: &TypeRef) -> String {
    spell(schema, ty, Way::Received, Place::Whole)
}

/// Returns the module with all contracts, and the module of tests.
pub(crate) fn stubs(contracts: &Contracts) -> Vec<(String, String)> {
    let (mut names, mut types) = (String::new(), String::new());
    let mut overloads = [const { String::new() }; 3];
    for (key, schema) in contracts {
        let of = space(&schema.name, schema.major);
        let minors = parts::minors(schema);
        let minors = minors.iter().map(|minor| format!("|\"{key}.{minor}\""));
        let texts = format!("\"{key}\"{}", minors.collect::<String>());
        let _ = writeln!(names, "---| {}", texts.replace('|', "\n---| "));
        let methods = format!("{of}.{}", interface(schema));
        let made = [
            format!("fun(contract: {texts}, options?: polyplug.Options): {methods}"),
            format!("fun(contract: {texts}): {methods}Proxy"),
            format!("fun(contract: {texts}): {of}.Types"),
        ];
        for (overloads, made) in overloads.iter_mut().zip(made) {
            let _ = writeln!(overloads, "---@overload {made}");
        }
        of_contract(&mut types, schema);
    }
    let [plugin, remote, of_types] = overloads;
    let texts: [(&str, &str); 5] = [
        ("--@names@\n", &names),
        ("--@plugin@\n", &plugin),
        ("--@remote@\n", &remote),
        ("--@types@\n", &of_types),
        ("--@contracts@\n", &types),
    ];
    let files = [("polyplug.lua", MODULE), ("polyplug/test.lua", TEST_MODULE)];
    files.map(|(file, template)| (file.to_owned(), fill(template, &texts))).to_vec()
}

/// Where a value is, which decides what stands for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// An argument, a result or a field: `nil`.
    Whole,
    /// An item of a list, a tuple or a map: `polyplug.null`.
    Item,
}

fn spell(schema: &Schema, ty: &TypeRef, way: Way, place: Place) -> String {
    let whole = |ty: &TypeRef| spell(schema, ty, way, Place::Whole);
    let item = |ty: &TypeRef| spell(schema, ty, way, Place::Item);
    match ty {
        TypeRef::Unit => if place == Place::Item { "polyplug.Null" } else { "nil" }.to_owned(),
        TypeRef::Scalar(Scalar::Bool) => "boolean".to_owned(),
        TypeRef::Scalar(Scalar::F32 | Scalar::F64) => "number".to_owned(),
        TypeRef::Scalar(Scalar::I64 | Scalar::U64) => "polyplug.Integer64".to_owned(),
        TypeRef::String | TypeRef::Scalar(Scalar::Char) => "string".to_owned(),
        TypeRef::Scalar(_) => "integer".to_owned(),
        TypeRef::List(of) if **of == TypeRef::U8 => "string".to_owned(),
        TypeRef::List(of) => {
            let of = item(of);
            if of.contains(['|', '?']) || of.starts_with("fun") { format!("({of})[]") } else { format!("{of}[]") }
        }
        TypeRef::Option(of) => {
            let value = match parts::may_be_none(of) {
                true => format!("{{ tag: \"some\"{} }}", val(schema, of, way)),
                false => whole(of),
            };
            format!("{value}|{}", if place == Place::Item { "polyplug.Null" } else { "nil" })
        }
        TypeRef::Box(of) => spell(schema, of, way, place),
        TypeRef::Map(key, value) => format!("table<{}, {}>", item(key), item(value)),
        TypeRef::Tuple(of) => format!("[{}]", of.iter().map(item).collect::<Vec<_>>().join(", ")),
        TypeRef::Result(ok, err) => {
            format!("{{ tag: \"ok\"{} }}|{{ tag: \"err\"{} }}", val(schema, ok, way), val(schema, err, way))
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
                    format!("{of}.{name}|{}", function(schema, &object.methods[0], None, way.back()))
                }
                _ => format!("{of}.{name}"),
            }
        }
    }
}

/// Returns the field with the value of a case, after a comma.
fn val(schema: &Schema, ty: &TypeRef, way: Way) -> String {
    match ty {
        TypeRef::Unit => String::new(),
        ty => format!(", val: {}", spell(schema, ty, way, Place::Whole)),
    }
}

/// Returns the type of a method. `this` is the type of `self`, which a function in place of an object does not get.
fn function(schema: &Schema, method: &Method, this: Option<&str>, way: Way) -> String {
    let arguments = method.arguments.iter().map(|argument| {
        let name = Language::Lua.spell(Part::Argument, &argument.name);
        format!("{name}: {}", spell(schema, &argument.ty, way, Place::Whole))
    });
    let this = this.map(|this| format!("self: {this}"));
    let arguments = this.into_iter().chain(arguments).collect::<Vec<_>>().join(", ");
    let result = match parts::answer(method) {
        TypeRef::Unit => String::new(),
        ty => {
            let ty = spell(schema, ty, way.back(), Place::Whole);
            if ty.contains('|') { format!(": ({ty})") } else { format!(": {ty}") }
        }
    };
    format!("fun({arguments}){result}")
}

fn of_contract(out: &mut String, schema: &Schema) {
    let of = space(&schema.name, schema.major);
    for definition in &schema.types {
        define(out, schema, &of, definition);
    }
    for (name, definition, object) in parts::objects(schema) {
        methods(out, schema, &format!("{of}.{name}"), &definition.docs, &object.methods, false);
    }
    methods(out, schema, &format!("{of}.{}", interface(schema)), &schema.docs, &schema.methods, true);
    makers(out, schema, &of);
}

fn define(out: &mut String, schema: &Schema, of: &str, definition: &Definition) {
    let name = format!("{of}.{}", definition.name);
    if !matches!(definition.shape, Shape::Object(_)) {
        comment(out, &docs::lines(&definition.docs));
    }
    match &definition.shape {
        Shape::Record(described) if parts::are_numbered(described) => {
            let _ = writeln!(out, "---@alias {name} {}\n", tuple(schema, described));
        }
        Shape::Record(described) => {
            let _ = writeln!(out, "---@class {name}");
            fields(out, schema, described);
            out.push('\n');
        }
        Shape::Enum(cases) => {
            let _ = writeln!(out, "---@alias {name}");
            for case in cases {
                let about = docs::with_notes(&case.docs, schema.major, case.since, case.other);
                let _ = writeln!(out, "---| \"{}\"{}", case.name, at_end(&about));
            }
            out.push('\n');
        }
        Shape::Variant(cases) => {
            // Each case with names has a class, so that the fields have their documentation.
            for case in cases.iter().filter(|case| is_named(case)) {
                let _ = writeln!(out, "---@class {name}.{}", case.name);
                fields(out, schema, &case.fields);
                out.push('\n');
            }
            let _ = writeln!(out, "---@alias {name}");
            for case in cases {
                let about = docs::with_notes(&case.docs, schema.major, case.since, case.other);
                let val = payload(schema, &name, case).map_or_else(String::new, |payload| format!(", val: {payload}"));
                let _ = writeln!(out, "---| {{ tag: \"{}\"{val} }}{}", case.name, at_end(&about));
                if case.fields.is_empty() {
                    let _ = writeln!(out, "---| \"{}\"{}", case.name, at_end(&about));
                }
            }
            out.push('\n');
        }
        Shape::Object(_) => {}
    }
}

fn is_named(case: &Case) -> bool {
    !case.fields.is_empty() && !parts::are_numbered(&case.fields)
}

/// Returns the type of a case's `val`; `None` for a case without fields.
fn payload(schema: &Schema, name: &str, case: &Case) -> Option<String> {
    match &case.fields[..] {
        [] => None,
        [only] if only.name == "0" => Some(spell(schema, &only.ty, Way::Received, Place::Whole)),
        fields if parts::are_numbered(fields) => Some(tuple(schema, fields)),
        _ => Some(format!("{name}.{}", case.name)),
    }
}

fn tuple(schema: &Schema, fields: &[Field]) -> String {
    let fields: Vec<_> = fields.iter().map(|field| spell(schema, &field.ty, Way::Received, Place::Item)).collect();
    format!("[{}]", fields.join(", "))
}

fn fields(out: &mut String, schema: &Schema, fields: &[Field]) {
    for field in fields {
        comment(out, &docs::with_notes(&field.docs, schema.major, field.since, false));
        let optional = if field.default.is_some() { "?" } else { "" };
        let ty = spell(schema, &field.ty, Way::Received, Place::Whole);
        let _ = writeln!(out, "---@field {}{optional} {ty}", member(&field.name));
    }
}

/// Returns the name of a member as an annotation has it. A keyword is a text in brackets.
fn member(name: &str) -> String {
    if Language::Lua.is_keyword(name) { format!("[\"{name}\"]") } else { name.to_owned() }
}

/// Writes the class of what a plugin implements, and that of what it calls.
fn methods(out: &mut String, schema: &Schema, name: &str, about: &str, methods: &[Method], is_plugin: bool) {
    for (class, way, use_of_it) in [
        (name.to_owned(), Way::Received, "For a plugin to implement."),
        (format!("{name}Proxy"), Way::Given, "For a plugin to call."),
    ] {
        let mut lines = docs::lines(about);
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(use_of_it.to_owned());
        comment(out, &lines);
        let _ = writeln!(out, "---@class {class}");
        for method in methods {
            let mut lines = docs::with_notes(&method.docs, schema.major, method.since, false);
            if let Some((_, error)) = parts::declared(method) {
                lines.push(format!("Raises `{}`.", spell(schema, error, Way::Received, Place::Whole)));
            }
            comment(out, &lines);
            let this = if is_plugin || way == Way::Given { class.as_str() } else { "table" };
            let _ = writeln!(out, "---@field {} {}", member(&method.name), function(schema, method, Some(this), way));
        }
        if is_plugin && way == Way::Received {
            let has = |name: &str| methods.iter().any(|method| method.name == name);
            for (name, text) in [
                ("init", format!("fun(self: {class}, ctx: polyplug)")),
                ("save", format!("fun(self: {class}): string")),
                ("restore", format!("fun(self: {class}, snapshot: string, version: string)")),
            ] {
                if !has(name) {
                    let _ = writeln!(out, "---@field {name}? {text}");
                }
            }
        }
        out.push('\n');
    }
}

/// Writes the class of what `types` returns.
fn makers(out: &mut String, schema: &Schema, of: &str) {
    let mut all = String::from("---Makers of the values of the contract's types.\n");
    let _ = writeln!(all, "---@class {of}.Types");
    for definition in &schema.types {
        let name = format!("{of}.{}", definition.name);
        let cases = match &definition.shape {
            Shape::Object(_) => continue,
            Shape::Record(_) => {
                let _ = writeln!(all, "---@field {} fun(fields: {name}): {name}", definition.name);
                continue;
            }
            Shape::Enum(cases) | Shape::Variant(cases) => cases,
        };
        let _ = writeln!(all, "---@field {0} {of}.Types.{0}", definition.name);
        let _ = writeln!(out, "---@class {of}.Types.{}", definition.name);
        for case in cases {
            comment(out, &docs::with_notes(&case.docs, schema.major, case.since, case.other));
            let made = match &case.fields[..] {
                [] if matches!(definition.shape, Shape::Enum(_)) => format!("\"{}\"", case.name),
                [] => format!("fun(): {name}"),
                [_, _, ..] if parts::are_numbered(&case.fields) => {
                    let fields = case.fields.iter().map(|field| {
                        format!("_{}: {}", field.name, spell(schema, &field.ty, Way::Received, Place::Whole))
                    });
                    format!("fun({}): {name}", fields.collect::<Vec<_>>().join(", "))
                }
                _ => format!("fun(val: {}): {name}", payload(schema, &name, case).unwrap_or_default()),
            };
            let _ = writeln!(out, "---@field {} {made}", member(&case.name));
        }
        out.push('\n');
    }
    out.push_str(&all);
    out.push('\n');
}

fn comment(out: &mut String, lines: &[String]) {
    for line in lines {
        let _ = writeln!(out, "{}", format!("--- {}", annotated(line)).trim_end());
    }
}

/// Returns the documentation of a case behind its name, on one line.
fn at_end(lines: &[String]) -> String {
    let text = lines.iter().filter(|line| !line.is_empty()).cloned().collect::<Vec<_>>().join(" ");
    if text.is_empty() { text } else { format!(" # {}", annotated(&text)) }
}

/// Returns a line that is no annotation.
fn annotated(line: &str) -> String {
    let line = docs::without_tags(line);
    if line.trim_start().starts_with('|') { format!("\\{}", line.trim_start()) } else { line }
}
