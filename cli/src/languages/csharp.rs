//! C#: an interface and types for each contract, in C# 7.3.

use std::fmt::Write as _;

use polyplug::schema::{Case, Definition, Field, Method, Scalar, Schema, Shape, TypeRef};

use super::language::Language;
use super::names::{Part, interface, pascal, space};
use super::{docs, names, parts};
use crate::bundle::Contracts;

/// Returns the spelling of a type. The namespaces that a file of a contract uses have to be used.
pub(crate) fn type_name(schema: &Schema, ty: &TypeRef) -> String {
    let inner = |ty: &TypeRef| type_name(schema, ty);
    match ty {
        TypeRef::Unit => global(schema, "System", "ValueTuple"),
        TypeRef::Scalar(scalar) => match scalar {
            Scalar::Bool => "bool",
            Scalar::I8 => "sbyte",
            Scalar::I16 => "short",
            Scalar::I32 => "int",
            Scalar::I64 => "long",
            Scalar::U8 => "byte",
            Scalar::U16 => "ushort",
            Scalar::U32 => "uint",
            Scalar::U64 => "ulong",
            Scalar::F32 => "float",
            Scalar::F64 => "double",
            Scalar::Char => return global(schema, "System.Text", "Rune"),
        }
        .to_owned(),
        TypeRef::String => "string".to_owned(),
        TypeRef::List(of) if **of == TypeRef::U8 => "byte[]".to_owned(),
        TypeRef::List(of) => {
            format!("{}<{}>", global(schema, "System.Collections.Generic", "IReadOnlyList"), inner(of))
        }
        TypeRef::Option(of) if parts::may_be_none(of) => {
            let option = global(schema, "Polyplug", "Option");
            match unboxed(of) {
                // An option within an option is one that has no other form.
                TypeRef::Option(within) if !parts::may_be_none(within) => {
                    format!("{option}<{option}<{}>>", inner(within))
                }
                of => format!("{option}<{}>", inner(of)),
            }
        }
        TypeRef::Option(of) if is_value(schema, of) => format!("{}?", inner(of)),
        TypeRef::Option(of) | TypeRef::Box(of) => inner(of),
        TypeRef::Map(key, value) => {
            let map = global(schema, "System.Collections.Generic", "IReadOnlyDictionary");
            format!("{map}<{}, {}>", inner(key), inner(value))
        }
        TypeRef::Tuple(of) if of.len() == 1 => {
            format!("{}<{}>", global(schema, "System", "ValueTuple"), inner(&of[0]))
        }
        TypeRef::Tuple(of) if of.len() >= 8 => {
            // Mono's compiler does not know the short form for so many.
            let first = of[..7].iter().map(inner).collect::<Vec<_>>().join(", ");
            let tuple = global(schema, "System", "ValueTuple");
            let rest = inner(&TypeRef::Tuple(of[7..].to_vec()));
            format!("{tuple}<{first}, {rest}>")
        }
        TypeRef::Tuple(of) => format!("({})", of.iter().map(inner).collect::<Vec<_>>().join(", ")),
        TypeRef::Result(ok, err) => {
            format!("{}<{}, {}>", global(schema, "Polyplug", "Result"), inner(ok), inner(err))
        }
        TypeRef::Named(number) => {
            let Definition { name, shape, .. } = schema.definition(*number);
            if let Shape::Object(object) = shape {
                return format!("I{}", names::object(schema, object));
            }
            // A class within a variant's class hides the type.
            let is_case = schema.bodies().any(|body| body.case.is_some_and(|case| case.name == *name));
            if is_case { format!("global::{}.{name}", space(&schema.name, schema.major)) } else { name.clone() }
        }
    }
}

/// Returns the name of a type from elsewhere, in full if the contract has a type or a case of that name.
fn global(schema: &Schema, namespace: &str, name: &str) -> String {
    let types = schema.types.iter().any(|definition| definition.name == name);
    let cases = schema.bodies().any(|body| body.case.is_some_and(|case| case.name == name));
    if types || cases { format!("global::{namespace}.{name}") } else { name.to_owned() }
}

fn unboxed(ty: &TypeRef) -> &TypeRef {
    match ty {
        TypeRef::Box(of) => unboxed(of),
        ty => ty,
    }
}

/// Returns whether the type in C# is a value type, whose option is `T?`.
fn is_value(schema: &Schema, ty: &TypeRef) -> bool {
    match ty {
        TypeRef::Unit | TypeRef::Scalar(_) | TypeRef::Tuple(_) | TypeRef::Result(..) | TypeRef::Option(_) => true,
        TypeRef::Box(of) => is_value(schema, of),
        TypeRef::Named(number) => matches!(schema.definition(*number).shape, Shape::Enum(_)),
        _ => false,
    }
}

/// Returns a file for each contract.
pub(crate) fn stubs(contracts: &Contracts) -> Vec<(String, String)> {
    contracts
        .values()
        .map(|schema| (format!("{}.cs", space(&schema.name, schema.major)), of_contract(schema)))
        .collect()
}

fn of_contract(schema: &Schema) -> String {
    let mut out = format!(
        "// The contract {schema}. Made by `polyplug stubs --lang csharp`.\n\n\
         // What the contract does not document has no comment.\n\
         #pragma warning disable 1591\n\nusing System;\nusing System.Collections.Generic;\n\
         using System.Text;\nusing Polyplug;\n\nnamespace {}\n{{\n",
        space(&schema.name, schema.major)
    );
    for definition in &schema.types {
        define(&mut out, schema, definition);
    }
    for (name, definition, object) in parts::objects(schema) {
        let mut about = docs::lines(&definition.docs);
        if about.is_empty() {
            about.push(format!("An object of the contract {}@{}.", object.contract, object.major));
        }
        methods(&mut out, schema, &name, &about, &object.methods);
    }
    let mut about = docs::lines(&schema.docs);
    if about.is_empty() {
        about.push(format!("The contract {schema}."));
    }
    methods(&mut out, schema, &interface(schema), &about, &schema.methods);
    out.truncate(out.trim_end().len());
    out.push_str("\n}\n");
    out
}

fn define(out: &mut String, schema: &Schema, definition: &Definition) {
    let name = &definition.name;
    let about = docs::lines(&definition.docs);
    match &definition.shape {
        Shape::Record(fields) => {
            summary(out, "    ", &about);
            let _ = writeln!(out, "    public sealed class {name}\n    {{");
            body(out, schema, "        ", name, fields);
            out.push_str("    }\n\n");
        }
        Shape::Enum(cases) => {
            summary(out, "    ", &about);
            let _ = writeln!(out, "    public enum {name}\n    {{");
            for case in cases {
                summary(out, "        ", &docs::with_notes(&case.docs, schema.major, case.since, case.other));
                let _ = writeln!(out, "        {},", Language::Csharp.spell(Part::Case, &case.name));
            }
            out.push_str("    }\n\n");
        }
        Shape::Variant(cases) => {
            summary(out, "    ", &about);
            let _ = writeln!(out, "    public abstract class {name}\n    {{");
            // A member of a class cannot have the class's name: such a case stands beside the class.
            let (beside, within): (Vec<&Case>, Vec<&Case>) = cases.iter().partition(|case| case.name == *name);
            for case in within {
                of_case(out, schema, "        ", name, &Language::Csharp.spell(Part::Case, &case.name), case);
            }
            out.truncate(out.trim_end().len());
            out.push_str("\n    }\n\n");
            for case in beside {
                of_case(out, schema, "    ", name, &format!("{name}{}", case.name), case);
            }
        }
        Shape::Object(_) => {}
    }
}

fn of_case(out: &mut String, schema: &Schema, indent: &str, variant: &str, class: &str, case: &Case) {
    summary(out, indent, &docs::with_notes(&case.docs, schema.major, case.since, case.other));
    let _ = writeln!(out, "{indent}public sealed class {class} : {variant}\n{indent}{{");
    body(out, schema, &format!("{indent}    "), class, &case.fields);
    let _ = writeln!(out, "{indent}}}\n");
}

/// Writes the members of the class of a record or of a case.
fn body(out: &mut String, schema: &Schema, indent: &str, class: &str, fields: &[Field]) {
    let numbered = parts::are_numbered(fields);
    if numbered {
        let argument = |field: &Field| Language::Csharp.spell(Part::Field, &field.name).replace("Item", "item");
        let arguments = fields.iter().map(|field| format!("{} {}", type_name(schema, &field.ty), argument(field)));
        let _ = writeln!(out, "{indent}public {class}({})\n{indent}{{", arguments.collect::<Vec<_>>().join(", "));
        for field in fields {
            let _ = writeln!(
                out,
                "{indent}    {} = {};",
                Language::Csharp.spell(Part::Field, &field.name),
                argument(field)
            );
        }
        let _ = writeln!(out, "{indent}}}\n");
    }
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        summary(out, indent, &docs::with_notes(&field.docs, schema.major, field.since, false));
        let mut name = Language::Csharp.spell(Part::Field, &field.name);
        // The loader compares names without underscores.
        if name == class || OF_OBJECTS.contains(&name.as_str()) {
            name.push('_');
        }
        let access = if numbered { "{ get; }" } else { "{ get; set; }" };
        let _ = writeln!(out, "{indent}public {} {name} {access}", type_name(schema, &field.ty));
    }
}

/// The members that every class has.
const OF_OBJECTS: [&str; 6] = ["Equals", "GetHashCode", "GetType", "MemberwiseClone", "ReferenceEquals", "ToString"];

fn methods(out: &mut String, schema: &Schema, name: &str, about: &[String], methods: &[Method]) {
    summary(out, "    ", about);
    let _ = writeln!(out, "    public interface I{name}\n    {{");
    for (at, method) in methods.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        summary(out, "        ", &docs::with_notes(&method.docs, schema.major, method.since, false));
        for argument in &method.arguments {
            let lines = docs::lines(&argument.docs);
            if !lines.is_empty() {
                let name = Language::Csharp.spell(Part::Argument, &argument.name);
                let _ = writeln!(
                    out,
                    "        /// <param name=\"{}\">{}</param>",
                    name.trim_start_matches('@'),
                    xml(&lines.join(" "))
                );
            }
        }
        if let Some((_, error)) = parts::declared(method) {
            let error = type_name(schema, error);
            let _ = writeln!(
                out,
                "        /// <exception cref=\"DeclaredException{{E}}\">With a value of <c>{}</c>.</exception>",
                xml(&error)
            );
            let throws = global(schema, "Polyplug", "Throws");
            let _ = writeln!(out, "        [{throws}(typeof({}))]", plain(&error));
        }
        let arguments = method.arguments.iter().map(|argument| {
            format!("{} {}", type_name(schema, &argument.ty), Language::Csharp.spell(Part::Argument, &argument.name))
        });
        let result = match parts::answer(method) {
            TypeRef::Unit => "void".to_owned(),
            ty => type_name(schema, ty),
        };
        let arguments = arguments.collect::<Vec<_>>().join(", ");
        let _ = writeln!(out, "        {result} {}({arguments});", pascal(&method.name));
    }
    out.push_str("    }\n\n");
}

/// Returns a type as `typeof` takes it, which has no form for tuples in parentheses before C# 8 in every compiler.
fn plain(ty: &str) -> String {
    match ty.strip_prefix('(').and_then(|ty| ty.strip_suffix(')')) {
        Some(parts) => format!("ValueTuple<{parts}>"),
        None => ty.to_owned(),
    }
}

fn summary(out: &mut String, indent: &str, lines: &[String]) {
    match lines {
        [] => {}
        [line] => {
            let _ = writeln!(out, "{indent}/// <summary>{}</summary>", xml(line));
        }
        lines => {
            let _ = writeln!(out, "{indent}/// <summary>");
            for line in lines {
                let _ = writeln!(out, "{}", format!("{indent}/// {}", xml(line)).trim_end());
            }
            let _ = writeln!(out, "{indent}/// </summary>");
        }
    }
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}
