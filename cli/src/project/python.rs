//! A plugin in Python.

use anyhow::Result;
use polyplug::schema::{Case, Field, Scalar, TypeRef};

use super::files::Files;
use super::plugin::Plugin;
use super::values::{self, Spelling};
use crate::languages::Language;
use crate::languages::names::Part;

struct Python;

impl Spelling for Python {
    const FALSE: &'static str = "False";

    fn number(&self, scalar: Scalar) -> String {
        if matches!(scalar, Scalar::F32 | Scalar::F64) { "0.0".to_owned() } else { "0".to_owned() }
    }

    fn text(&self, text: &str) -> String {
        format!("\"{text}\"")
    }

    fn bytes(&self) -> String {
        "b\"\"".to_owned()
    }

    fn empty_list(&self) -> String {
        "[]".to_owned()
    }

    fn nothing(&self) -> String {
        "None".to_owned()
    }

    fn empty_map(&self) -> String {
        "{}".to_owned()
    }

    fn tuple(&self, parts: &[String]) -> String {
        if parts.len() == 1 { format!("({},)", parts[0]) } else { format!("({})", parts.join(", ")) }
    }

    fn record(&self, name: &str, fields: &[(&Field, String)]) -> String {
        format!("TYPES.{name}({})", of_fields(fields))
    }

    fn case(&self, name: &str, case: &Case, fields: &[(&Field, String)], is_enum: bool) -> String {
        let name = format!("TYPES.{name}.{}", Language::Python.spell(Part::Case, &case.name));
        if is_enum { name } else { format!("{name}({})", of_fields(fields)) }
    }
}

fn of_fields(fields: &[(&Field, String)]) -> String {
    let fields =
        fields.iter().map(|(field, value)| match field.name.starts_with(|first: char| first.is_ascii_digit()) {
            true => value.clone(),
            false => format!("{}={value}", Language::Python.spell(Part::Field, &field.name)),
        });
    fields.collect::<Vec<_>>().join(", ")
}

pub(super) fn files(plugin: &Plugin<'_>) -> Result<Files> {
    let mut files = Files::default();
    files.add("manifest.toml", plugin.manifest("python", "main.py"));
    files.add("main.py", code(plugin));
    plugin.add_schema(&mut files, "");
    files.add(format!("tests/test_{}.py", plugin.name.replace('-', "_")), test(plugin));
    plugin.add_stubs(&mut files, Language::Python, "typings/")?;
    files.add(
        "pyproject.toml",
        "# What checkers and editors are told: the types of the contract are in `typings`.\n[tool.mypy]\nmypy_path = \
         \"typings\"\n\n[tool.pyright]\nstubPath = \"typings\"\n",
    );
    plugin.add_readme(&mut files, "polyplug test .\npolyplug check .\n");
    Ok(files)
}

fn test(plugin: &Plugin<'_>) -> String {
    let instance = format!("instance(\"{}\")", plugin.contract());
    let (name, body) = match plugin.probe(&Python, |_| true, |value| !value.contains("TYPES.")) {
        Some(probe) => {
            let (method, arguments) =
                (Language::Python.spell(Part::Method, &probe.method.name), probe.arguments.join(", "));
            let compared = match probe.result.as_str() {
                "None" | "False" => format!("is {}", probe.result),
                result => format!("== {result}"),
            };
            (format!("{method}_answers"), format!("assert {instance}.{method}({arguments}) {compared}"))
        }
        None => ("the_plugin_starts".to_owned(), format!("assert {instance}")),
    };
    format!("from polyplug.test import instance\n\n\ndef test_{name}():\n    {body}\n")
}

fn code(plugin: &Plugin<'_>) -> String {
    let mut methods = String::new();
    for method in &plugin.schema.methods {
        let arguments: Vec<_> = method
            .arguments
            .iter()
            .map(|argument| format!(", {}", Language::Python.spell(Part::Argument, &argument.name)))
            .collect();
        methods +=
            &format!("\n    def {}(self{}):\n", Language::Python.spell(Part::Method, &method.name), arguments.concat());
        if !method.docs.is_empty() {
            let docs = method.docs.replace('\\', "\\\\").replace("\"\"\"", "'''");
            let lines: Vec<_> = docs.lines().collect();
            match lines.as_slice() {
                [line] => methods += &format!("        \"\"\"{line}\"\"\"\n"),
                lines => methods += &format!("        \"\"\"{}\n        \"\"\"\n", lines.join("\n        ")),
            }
        }
        match values::value(&Python, plugin.schema, &method.result, &plugin.answer(method)) {
            _ if method.result == TypeRef::Unit => methods += "        return None\n",
            Some(value) => methods += &format!("        return {value}\n"),
            None => methods += &format!("        raise NotImplementedError(\"{} is not written yet\")\n", method.name),
        }
    }
    let contract = plugin.contract();
    let (import, types) = if methods.contains("TYPES.") {
        ("from polyplug import plugin, types\n", format!("\nTYPES = types(\"{contract}\")\n"))
    } else {
        ("from polyplug import plugin\n", String::new())
    };
    format!("{import}{types}\n\n@plugin(\"{contract}\")\nclass {}:{methods}", plugin.type_name())
}
