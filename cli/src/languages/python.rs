//! Python: a package of stubs for the module `polyplug`, with a module for each contract.

use std::fmt::Write as _;

use polyplug::schema::{Case, Definition, Field, Method, Scalar, Schema, Shape, TypeRef};

use super::language::Language;
use super::names::{Part, interface, module, space};
use super::parts::Way;
use super::template::fill;
use super::{docs, names, parts};
use crate::bundle::Contracts;

/// The module without contracts.
const MODULE: &str = include_str!("module.pyi");
const TEST_MODULE: &str = include_str!("test_module.pyi");

/// What the stub of a contract imports. The names begin with underscores, so that they are not those of the contract's
/// types.
const IMPORTS: &str = "\
import builtins
import dataclasses as _dataclasses
import enum as _enum
from abc import abstractmethod as _abstractmethod
from collections.abc import Callable as _Callable, Iterable as _Iterable, Iterator as _Iterator, Mapping as _Mapping
from typing import Protocol as _Protocol
from typing_extensions import TypeAlias as _TypeAlias

from . import Err as _Err, Ok as _Ok, Some as _Some
";

/// The attributes of exceptions, which fields of exceptions are not called by.
const OF_EXCEPTIONS: [&str; 3] = ["add_note", "args", "with_traceback"];

/// Returns the spelling of a type as a plugin gets it.
pub(crate) fn type_name(schema: &Schema, ty: &TypeRef) -> String {
    spell(schema, ty, Way::Received)
}

/// Returns the package: the module, the module of tests, and a module for each contract.
pub(crate) fn stubs(contracts: &Contracts) -> Vec<(String, String)> {
    let modules = contracts
        .values()
        .map(|schema| (format!("polyplug/{}.pyi", module(&schema.name, schema.major)), of_contract(schema)));
    let package = [("polyplug/__init__.pyi", package(contracts)), ("polyplug/test.pyi", test_module(contracts))];
    package.map(|(file, text)| (file.to_owned(), text)).into_iter().chain(modules).collect()
}

/// Returns the statements that import the modules of the contracts.
fn imports(contracts: &Contracts) -> String {
    let modules = contracts.values().map(|schema| module(&schema.name, schema.major));
    modules.map(|of| format!("from . import {of} as {of}\n")).collect()
}

/// Returns definitions of the function `name`, which takes the name of a contract.
fn by_contract(
    contracts: &Contracts,
    (indent, this): (&str, &str),
    name: &str,
    about: &str,
    result: impl Fn(&Schema, &str) -> String,
) -> String {
    let each = contracts.values().map(|schema| {
        let of = module(&schema.name, schema.major);
        let minors = parts::minors(schema);
        let minors = minors.iter().map(|minor| format!(", \"{}@{}.{minor}\"", schema.name, schema.major));
        let texts = parts::key(schema) + &minors.collect::<String>();
        format!("def {name}({this}contract: _Literal[{texts}], /) -> {}: ...", result(schema, &of))
    });
    overloads(indent, about, each.collect())
}

/// Returns the type of what is called by a contract whose module is `of`.
fn proxy(schema: &Schema, of: &str) -> String {
    format!("{of}.{}Proxy", interface(schema))
}

fn test_module(contracts: &Contracts) -> String {
    let about = "Returns a new instance of a plugin of the bundle under test.";
    let instance = by_contract(contracts, ("", ""), "instance", about, proxy);
    fill(TEST_MODULE, &[("@imports@", &imports(contracts)), ("@instance@\n", &instance)])
}

fn package(contracts: &Contracts) -> String {
    let mut variables = String::new();
    // The implementations of contracts: the texts for the contract, and the protocol.
    let mut plugins = Vec::new();
    for schema in contracts.values() {
        let of = module(&schema.name, schema.major);
        let older = parts::older_minors(schema);
        let variable = |minor: u32| {
            let name = format!("{}Plugin", space(&schema.name, schema.major));
            if older.contains(&minor) { format!("{name}_{minor}") } else { name }
        };
        // The versions of one protocol, which follow each other.
        let minors = parts::minors(schema);
        for same in minors.chunk_by(|a, b| protocol(schema, &older, *a) == protocol(schema, &older, *b)) {
            let texts = same.iter().map(|minor| format!("\"{}@{}.{minor}\"", schema.name, schema.major));
            let mut texts: Vec<_> = texts.collect();
            if same.contains(&schema.minor) {
                texts.insert(0, parts::key(schema));
            }
            let (variable, protocol) = (variable(same[0]), protocol(schema, &older, same[0]));
            let _ = writeln!(variables, "{variable} = _TypeVar(\"{variable}\", bound={of}.{protocol})");
            plugins.push((texts.join(", "), variable));
        }
    }
    let plugins = plugins.into_iter().map(|(texts, variable)| {
        format!(
            "def plugin(contract: _Literal[{texts}], /, *, name: str = ..., singleton: bool = ...) -> \
             _Callable[[type[{variable}]], type[{variable}]]: ..."
        )
    });
    let plugins =
        overloads("", "Declares a plugin: decorates the class with the contract's methods.", plugins.collect());
    let looking_up = |place: (&str, &str)| {
        let host = "Returns a contract of the host, which the manifest declares under `[[host]]`.";
        let peer = "Returns a plugin of another bundle, which the manifest declares under `[[dependency]]`.";
        let types = "Returns the classes of a contract's types, by their names.";
        [
            by_contract(contracts, place, "host", host, proxy),
            by_contract(contracts, place, "peer", peer, proxy),
            by_contract(contracts, place, "types", types, |_, of| format!("type[{of}.Types]")),
        ]
        .concat()
    };
    let texts: [(&str, &str); 4] = [
        ("@imports@", &imports(contracts)),
        ("@variables@", &variables),
        ("@context@", &looking_up(("    ", "self, "))),
        ("@functions@\n", &(plugins + &looking_up(("", "")))),
    ];
    fill(MODULE, &texts)
}

/// Returns definitions of one function with a documentation, indented. Only one of several is an overload.
fn overloads(indent: &str, about: &str, definitions: Vec<String>) -> String {
    let several = definitions.len() > 1;
    let mut out = String::new();
    for definition in definitions {
        if several {
            let _ = writeln!(out, "{indent}@_overload");
        }
        let head = definition.strip_suffix(" ...").unwrap_or(&definition);
        let _ = writeln!(out, "{indent}{head}\n{indent}    \"\"\"{about}\"\"\"");
    }
    if indent.is_empty() {
        out.push('\n');
    }
    out
}

/// Returns the name of the protocol of a contract's minor version.
fn protocol(schema: &Schema, older: &[u32], minor: u32) -> String {
    let name = interface(schema);
    if older.contains(&minor) { format!("{name}_{}_{minor}", schema.major) } else { name }
}

fn spell(schema: &Schema, ty: &TypeRef, way: Way) -> String {
    let inner = |ty: &TypeRef| spell(schema, ty, way);
    let builtin = |name: &str| builtin(schema, name);
    match ty {
        TypeRef::Unit => "None".to_owned(),
        TypeRef::Scalar(Scalar::Bool) => builtin("bool"),
        TypeRef::Scalar(Scalar::F32 | Scalar::F64) => builtin("float"),
        TypeRef::String | TypeRef::Scalar(Scalar::Char) => builtin("str"),
        TypeRef::Scalar(_) => builtin("int"),
        TypeRef::List(of) if **of == TypeRef::U8 => match way {
            Way::Received => builtin("bytes"),
            Way::Given => [
                builtin("bytes"),
                builtin("bytearray"),
                builtin("memoryview"),
                format!("_Iterable[{}]", builtin("int")),
            ]
            .join(" | "),
        },
        TypeRef::List(of) => match (way, &**of) {
            (Way::Received, _) => format!("{}[{}]", builtin("list"), inner(of)),
            // A text can be iterated as well, and is refused.
            (Way::Given, TypeRef::String | TypeRef::Scalar(Scalar::Char)) => {
                let text = builtin("str");
                let list = ["list", "set", "frozenset"].map(|list| format!("{}[{text}]", builtin(list))).join(" | ");
                format!("{list} | {}[{text}, ...] | _Iterator[{text}]", builtin("tuple"))
            }
            (Way::Given, of) => format!("_Iterable[{}]", inner(of)),
        },
        TypeRef::Option(of) if parts::may_be_none(of) => format!("_Some[{}] | None", inner(of)),
        TypeRef::Option(of) => format!("{} | None", inner(of)),
        TypeRef::Box(of) => inner(of),
        TypeRef::Map(key, value) => match way {
            Way::Received => format!("{}[{}, {}]", builtin("dict"), inner(key), inner(value)),
            Way::Given => format!("_Mapping[{}, {}]", inner(key), inner(value)),
        },
        TypeRef::Tuple(of) => format!("{}[{}]", builtin("tuple"), of.iter().map(inner).collect::<Vec<_>>().join(", ")),
        TypeRef::Result(ok, err) => format!("_Ok[{}] | _Err[{}]", inner(ok), inner(err)),
        TypeRef::Named(number) => {
            let Definition { name, shape, .. } = schema.definition(*number);
            match (shape, way) {
                (Shape::Object(object), Way::Received) => format!("{}Proxy", names::object(schema, object)),
                (Shape::Object(object), Way::Given) if object.methods.len() != 1 => names::object(schema, object),
                (Shape::Object(object), Way::Given) => {
                    let name = names::object(schema, object);
                    let method = &object.methods[0];
                    let arguments = method.arguments.iter().map(|argument| spell(schema, &argument.ty, way.back()));
                    let result = spell(schema, parts::answer(method), way);
                    format!("{name} | _Callable[[{}], {result}]", arguments.collect::<Vec<_>>().join(", "))
                }
                _ => name.clone(),
            }
        }
    }
}

/// Returns the name of a type of Python, with its module if the contract has a method, a field or a type of that name.
fn builtin(schema: &Schema, name: &str) -> String {
    let methods = parts::all_methods(schema).any(|method| method.name == name);
    let fields = schema.bodies().any(|body| body.fields.iter().any(|field| field.name == name));
    let types = schema.types.iter().any(|definition| definition.name == name);
    if methods || fields || types { format!("builtins.{name}") } else { name.to_owned() }
}

fn of_contract(schema: &Schema) -> String {
    let mut out = String::new();
    let mut about = docs::lines(&schema.docs);
    if about.is_empty() {
        about.push(format!("The contract {schema}."));
    }
    about.extend([
        String::new(),
        "This module is for type checkers alone: a plugin imports it under `if TYPE_CHECKING`.".to_owned(),
    ]);
    docstring(&mut out, "", &about);
    let _ = writeln!(out, "\n{IMPORTS}");
    let errors = parts::errors(schema);
    for (number, definition) in (0..).zip(&schema.types) {
        define(&mut out, schema, definition, errors.contains(&number));
    }
    for (name, definition, object) in parts::objects(schema) {
        let methods: Vec<_> = object.methods.iter().collect();
        protocols(&mut out, schema, &name, &definition.docs, &methods);
    }
    let older = parts::older_minors(schema);
    for minor in &older {
        let methods: Vec<_> = schema.methods.iter().filter(|method| method.since <= *minor).collect();
        let about = format!("Version {}.{minor} of the contract.", schema.major);
        one_protocol(
            &mut out,
            schema,
            &protocol(schema, &older, *minor),
            &docs::lines(&about),
            &methods,
            Way::Received,
        );
    }
    protocols(&mut out, schema, &interface(schema), &schema.docs, &schema.methods.iter().collect::<Vec<_>>());
    out.push_str("class Types:\n    \"\"\"The classes of the contract's types.\"\"\"\n\n");
    for definition in schema.types.iter().filter(|definition| !matches!(definition.shape, Shape::Object(_))) {
        let _ = writeln!(out, "    {0}: _TypeAlias = {0}", definition.name);
    }
    out
}

fn define(out: &mut String, schema: &Schema, definition: &Definition, is_error: bool) {
    let name = &definition.name;
    let about = docs::lines(&definition.docs);
    match &definition.shape {
        Shape::Record(fields) => {
            let bases = if is_error { "(Exception)" } else { "" };
            body(out, schema, "", &format!("{name}{bases}"), &about, fields, is_error);
            out.push('\n');
        }
        Shape::Enum(cases) => {
            let bases = if is_error { "Exception, _enum.Enum" } else { "_enum.Enum" };
            let _ = writeln!(out, "class {name}({bases}):");
            docstring(out, "    ", &about);
            for (number, case) in cases.iter().enumerate() {
                let _ = writeln!(out, "    {} = {number}", Language::Python.spell(Part::Case, &case.name));
                docstring(out, "    ", &docs::with_notes(&case.docs, schema.major, case.since, case.other));
            }
            out.push('\n');
        }
        Shape::Variant(cases) => variant(out, schema, name, &about, cases, is_error),
        Shape::Object(_) => {}
    }
}

fn variant(out: &mut String, schema: &Schema, name: &str, about: &[String], cases: &[Case], is_error: bool) {
    let _ = writeln!(out, "class {name}{}:", if is_error { "(Exception)" } else { "" });
    docstring(out, "    ", about);
    let mut base = name.to_owned();
    if cases.iter().any(|case| case.name == name) {
        base.insert(0, '_');
    }
    for case in cases {
        let about = docs::with_notes(&case.docs, schema.major, case.since, case.other);
        let head = format!("{}({base})", Language::Python.spell(Part::Case, &case.name));
        out.push('\n');
        body(out, schema, "    ", &head, &about, &case.fields, is_error);
    }
    out.push('\n');
    if base != name {
        let _ = writeln!(out, "{base}: _TypeAlias = {name}\n");
    }
}

/// Writes the class of a record or of a case.
fn body(
    out: &mut String,
    schema: &Schema,
    indent: &str,
    head: &str,
    about: &[String],
    fields: &[Field],
    is_error: bool,
) {
    let _ = writeln!(out, "{indent}@_dataclasses.dataclass\n{indent}class {head}:");
    let inner = format!("{indent}    ");
    docstring(out, &inner, about);
    if fields.is_empty() && about.is_empty() {
        let _ = writeln!(out, "{inner}...");
    }
    let may_be_left_out = |field: &Field| matches!(field.ty, TypeRef::Option(_)) || field.default.is_some();
    for (at, field) in fields.iter().enumerate() {
        let mut name = Language::Python.spell(Part::Field, &field.name);
        if let [only] = fields
            && only.name == "0"
        {
            "value".clone_into(&mut name);
        }
        if is_error && OF_EXCEPTIONS.contains(&name.as_str()) {
            name.push('_');
        }
        let default = if fields[at..].iter().all(may_be_left_out) { " = ..." } else { "" };
        let _ = writeln!(out, "{inner}{name}: {}{default}", spell(schema, &field.ty, Way::Received));
        docstring(out, &inner, &docs::with_notes(&field.docs, schema.major, field.since, false));
    }
}

/// Writes the protocol of what a plugin implements, and that of what it calls.
fn protocols(out: &mut String, schema: &Schema, name: &str, about: &str, methods: &[&Method]) {
    let about = |text: &str| {
        let mut lines = docs::lines(about);
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(text.to_owned());
        lines
    };
    one_protocol(out, schema, name, &about("For a plugin to implement."), methods, Way::Received);
    one_protocol(out, schema, &format!("{name}Proxy"), &about("For a plugin to call."), methods, Way::Given);
}

/// Writes a protocol. `way` is that of the arguments.
fn one_protocol(out: &mut String, schema: &Schema, name: &str, about: &[String], methods: &[&Method], way: Way) {
    let _ = writeln!(out, "class {name}(_Protocol):");
    docstring(out, "    ", about);
    for method in methods {
        let arguments = method.arguments.iter().map(|argument| {
            format!(
                ", {}: {}",
                Language::Python.spell(Part::Argument, &argument.name),
                spell(schema, &argument.ty, way)
            )
        });
        let arguments: String = arguments.collect();
        // Plugins get their arguments by position, so that they may give them other names.
        let end = if way == Way::Received && !arguments.is_empty() { ", /" } else { "" };
        let result = spell(schema, parts::answer(method), way.back());
        let name = Language::Python.spell(Part::Method, &method.name);
        let mut about = docs::with_notes(&method.docs, schema.major, method.since, false);
        let blank = !about.is_empty();
        let documented = about.len();
        if let Some((_, error)) = parts::declared(method) {
            about.push(format!("Raises `{}`.", raised(schema, error)));
        }
        for argument in &method.arguments {
            let lines = docs::lines(&argument.docs);
            if !lines.is_empty() {
                about.push(format!(
                    "`{}`: {}",
                    Language::Python.spell(Part::Argument, &argument.name),
                    lines.join(" ")
                ));
            }
        }
        if blank && about.len() > documented {
            about.insert(documented, String::new());
        }
        // A class that derives from a protocol of stubs is told of the methods that it lacks only if they are abstract.
        if way == Way::Received {
            out.push_str("    @_abstractmethod\n");
        }
        if about.is_empty() {
            let _ = writeln!(out, "    def {name}(self{arguments}{end}) -> {result}: ...");
        } else {
            let _ = writeln!(out, "    def {name}(self{arguments}{end}) -> {result}:");
            docstring(out, "        ", &about);
        }
    }
    out.push('\n');
}

/// Returns the exception that stands for a declared error.
fn raised(schema: &Schema, error: &TypeRef) -> String {
    match error {
        TypeRef::Named(number) => schema.definition(*number).name.clone(),
        other => format!("Declared({})", schema.type_name(other)),
    }
}

fn docstring(out: &mut String, indent: &str, lines: &[String]) {
    let lines: Vec<_> = lines.iter().map(|line| line.replace('\\', "\\\\").replace('"', "\\\"")).collect();
    match &lines[..] {
        [] => {}
        [line] => {
            let _ = writeln!(out, "{indent}\"\"\"{line}\"\"\"");
        }
        [first, rest @ ..] => {
            let _ = writeln!(out, "{indent}\"\"\"{first}");
            for line in rest {
                let _ = writeln!(out, "{}", format!("{indent}{line}").trim_end());
            }
            let _ = writeln!(out, "{indent}\"\"\"");
        }
    }
}
