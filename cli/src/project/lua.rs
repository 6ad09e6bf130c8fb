//! A plugin in Lua.

use anyhow::Result;
use polyplug::schema::{Case, Field, Method, Scalar, TypeRef};

use super::files::Files;
use super::plugin::{Plugin, docs};
use super::values::{self, Spelling};
use crate::languages::Language;
use crate::languages::names::Part;

struct Lua;

impl Spelling for Lua {
    const FALSE: &'static str = "false";

    fn number(&self, _: Scalar) -> String {
        "0".to_owned()
    }

    fn text(&self, text: &str) -> String {
        format!("\"{text}\"")
    }

    fn bytes(&self) -> String {
        "\"\"".to_owned()
    }

    fn empty_list(&self) -> String {
        "{}".to_owned()
    }

    fn nothing(&self) -> String {
        "nil".to_owned()
    }

    fn empty_map(&self) -> String {
        "{}".to_owned()
    }

    fn tuple(&self, parts: &[String]) -> String {
        // In a table `nil` would be a hole.
        let parts: Vec<_> =
            parts.iter().map(|part| if part == "nil" { "polyplug.null" } else { part.as_str() }).collect();
        format!("{{ {} }}", parts.join(", "))
    }

    fn record(&self, _: &str, fields: &[(&Field, String)]) -> String {
        format!("{{ {} }}", of_fields(fields))
    }

    fn case(&self, _: &str, case: &Case, fields: &[(&Field, String)], _: bool) -> String {
        match fields {
            [] => self.text(&case.name),
            [(field, value)] if is_numbered(field) => format!("{{ tag = \"{}\", val = {value} }}", case.name),
            fields => format!("{{ tag = \"{}\", val = {{ {} }} }}", case.name, of_fields(fields)),
        }
    }
}

fn is_numbered(field: &Field) -> bool {
    field.name.starts_with(|first: char| first.is_ascii_digit())
}

fn of_fields(fields: &[(&Field, String)]) -> String {
    let written = fields.iter().filter(|(_, value)| value != "nil");
    let written = written.map(|(field, value)| match is_numbered(field) {
        true => value.clone(),
        false => format!("[\"{}\"] = {value}", field.name),
    });
    written.collect::<Vec<_>>().join(", ")
}

pub(super) fn files(plugin: &Plugin<'_>) -> Result<Files> {
    let mut files = Files::default();
    files.add("manifest.toml", plugin.manifest("lua", "main.lua"));
    files.add("main.lua", code(plugin));
    plugin.add_schema(&mut files, "");
    files.add(format!("tests/{}.lua", plugin.name), test(plugin, |_| true));
    plugin.add_stubs(&mut files, Language::Lua, "types/")?;
    files.add(
        ".luarc.json",
        "{\n  \"runtime.version\": \"LuaJIT\",\n  \"workspace.library\": [\"types\"],\n  \"workspace.checkThirdParty\": false\n}\n",
    );
    files.add(
        ".luacheckrc",
        "std = \"luajit\"\nunused_args = false\nself = false\nexclude_files = { \"bundles\", \"types\" }\n",
    );
    plugin.add_readme(&mut files, "polyplug test .\npolyplug check .\n");
    Ok(files)
}

/// Returns a test of a method that `answers` as the project is made.
pub(super) fn test(plugin: &Plugin<'_>, answers: impl Fn(&Method) -> bool) -> String {
    let contract = plugin.contract();
    let is_simple = |value: &str| value != "nil" && !value.contains("polyplug.null");
    let (name, body) = match plugin.probe(&Lua, answers, is_simple) {
        Some(probe) => {
            let (method, arguments) = (&probe.method.name, probe.arguments.join(", "));
            (format!("{method} answers"), format!("  t.equals(plugin:{method}({arguments}), {})\n", probe.result))
        }
        None => ("it starts".to_owned(), "  t.differs(plugin, nil)\n".to_owned()),
    };
    format!(
        "local t = require(\"polyplug.test\")\n\nt.test(\"{name}\", function()\n  local plugin = \
         t.instance(\"{contract}\")\n{body}end)\n"
    )
}

fn code(plugin: &Plugin<'_>) -> String {
    let name = plugin.type_name();
    let mut out = format!(
        "local polyplug = require(\"polyplug\")\n\nlocal {name} = polyplug.plugin(\"{}\")\n",
        plugin.contract()
    );
    for method in &plugin.schema.methods {
        let arguments: Vec<_> =
            method.arguments.iter().map(|argument| Language::Lua.spell(Part::Argument, &argument.name)).collect();
        out += &format!("\n{}", docs(method, "---"));
        out += &format!("function {name}:{}({})\n", method.name, arguments.join(", "));
        let answer = plugin.answer(method);
        match values::value(&Lua, plugin.schema, &method.result, &answer) {
            _ if method.result == TypeRef::Unit => out += "  -- Write it here.\n",
            Some(value) => out += &format!("  return {value}\n"),
            None => out += &format!("  error(\"{} is not written yet\")\n", method.name),
        }
        out += "end\n";
    }
    out
}
