//! A plugin in JavaScript or TypeScript.

use anyhow::Result;
use polyplug::schema::{Case, Field, Scalar, TypeRef};

use super::files::Files;
use super::plugin::Plugin;
use super::values::{self, Spelling};

struct JavaScript;

impl Spelling for JavaScript {
    const FALSE: &'static str = "false";

    fn number(&self, scalar: Scalar) -> String {
        if matches!(scalar, Scalar::I64 | Scalar::U64) { "0n".to_owned() } else { "0".to_owned() }
    }

    fn text(&self, text: &str) -> String {
        format!("\"{text}\"")
    }

    fn bytes(&self) -> String {
        "new Uint8Array()".to_owned()
    }

    fn empty_list(&self) -> String {
        "[]".to_owned()
    }

    fn nothing(&self) -> String {
        "null".to_owned()
    }

    fn empty_map(&self) -> String {
        "new Map()".to_owned()
    }

    fn tuple(&self, parts: &[String]) -> String {
        format!("[{}]", parts.join(", "))
    }

    fn record(&self, _: &str, fields: &[(&Field, String)]) -> String {
        of_fields(fields)
    }

    fn case(&self, _: &str, case: &Case, fields: &[(&Field, String)], is_enum: bool) -> String {
        match fields {
            [] if is_enum => self.text(&case.name),
            [] => format!("{{ tag: \"{}\" }}", case.name),
            [(field, value)] if is_numbered(field) => format!("{{ tag: \"{}\", val: {value} }}", case.name),
            fields => format!("{{ tag: \"{}\", val: {} }}", case.name, of_fields(fields)),
        }
    }
}

fn is_numbered(field: &Field) -> bool {
    field.name.starts_with(|first: char| first.is_ascii_digit())
}

fn of_fields(fields: &[(&Field, String)]) -> String {
    if fields.first().is_some_and(|(field, _)| is_numbered(field)) {
        let values: Vec<_> = fields.iter().map(|(_, value)| value.as_str()).collect();
        return format!("[{}]", values.join(", "));
    }
    let fields: Vec<_> = fields.iter().map(|(field, value)| format!("{}: {value}", camel(&field.name))).collect();
    format!("{{ {} }}", fields.join(", "))
}

/// Spells `first_name` as `firstName`.
fn camel(name: &str) -> String {
    let mut parts = name.split('_').filter(|part| !part.is_empty());
    let first = parts.next().unwrap_or(name).to_owned();
    parts.fold(first, |all, part| all + &part[..1].to_uppercase() + &part[1..])
}

/// Returns the name of an argument, which may be a keyword of JavaScript.
fn local_name(name: &str) -> String {
    const KEYWORDS: [&str; 41] = [
        "arguments",
        "await",
        "break",
        "case",
        "catch",
        "class",
        "const",
        "continue",
        "debugger",
        "default",
        "delete",
        "do",
        "else",
        "enum",
        "eval",
        "export",
        "extends",
        "false",
        "finally",
        "for",
        "function",
        "if",
        "implements",
        "import",
        "in",
        "instanceof",
        "interface",
        "let",
        "new",
        "null",
        "package",
        "return",
        "static",
        "super",
        "switch",
        "this",
        "throw",
        "true",
        "try",
        "typeof",
        "var",
    ];
    let name = camel(name);
    if KEYWORDS.contains(&name.as_str()) || matches!(name.as_str(), "void" | "while" | "with" | "yield") {
        name + "_"
    } else {
        name
    }
}

pub(super) fn files(plugin: &Plugin<'_>, is_typed: bool) -> Result<Files> {
    let mut files = Files::default();
    files.add("manifest.toml", plugin.manifest("js", "main.js"));
    plugin.add_schema(&mut files, "");
    if is_typed {
        anyhow::bail!("not there yet");
    }
    files.add("main.js", code(plugin));
    files.add(format!("tests/{}.js", plugin.name), test(plugin));
    plugin.add_readme(&mut files, "polyplug test .\npolyplug check .\n");
    Ok(files)
}

fn test(plugin: &Plugin<'_>) -> String {
    let (name, body) = match plugin.probe(&JavaScript, |_| true) {
        Some(probe) => {
            let (method, arguments) = (camel(&probe.method.name), probe.arguments.join(", "));
            let body = format!("  assert.deepEqual(plugin.{method}({arguments}), {});\n", probe.result);
            (format!("{method} answers"), body)
        }
        None => ("the plugin starts".to_owned(), "  assert.ok(plugin);\n".to_owned()),
    };
    format!(
        "import {{ assert, instance, test }} from \"polyplug/test\";\n\ntest(\"{name}\", () => {{\n  const plugin = \
         instance(\"{}\");\n{body}}});\n",
        plugin.contract()
    )
}

fn code(plugin: &Plugin<'_>) -> String {
    let name = plugin.type_name();
    let mut methods = Vec::new();
    for method in &plugin.schema.methods {
        let arguments: Vec<_> = method.arguments.iter().map(|argument| local_name(&argument.name)).collect();
        let docs = match method.docs.lines().count() {
            0 => String::new(),
            1 => format!("  /** {} */\n", method.docs.trim().replace("*/", "* /")),
            _ => {
                let lines = method.docs.replace("*/", "* /");
                let lines = lines.lines().map(|line| format!("   * {line}").trim_end().to_owned() + "\n");
                format!("  /**\n{}   */\n", lines.collect::<String>())
            }
        };
        let body = match values::value(&JavaScript, plugin.schema, &method.result, &plugin.answer(method)) {
            _ if method.result == TypeRef::Unit => "    // Write it here.\n".to_owned(),
            Some(value) => format!("    return {value};\n"),
            None => format!("    throw new Error(\"{} is not written yet\");\n", method.name),
        };
        methods.push(format!("{docs}  {}({}) {{\n{body}  }}\n", camel(&method.name), arguments.join(", ")));
    }
    let contract = plugin.contract();
    format!(
        "import {{ plugin }} from \"polyplug\";\n\nclass {name} {{\n{}}}\n\nplugin(\"{contract}\", {name});\n",
        methods.join("\n")
    )
}
