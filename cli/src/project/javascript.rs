//! A plugin in JavaScript or TypeScript.

use anyhow::Result;
use polyplug::schema::{Case, Field, Scalar, TypeRef};

use super::files::Files;
use super::plugin::Plugin;
use super::values::{self, Spelling};
use crate::languages::Language;
use crate::languages::names::{Part, interface, space};

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
    let fields: Vec<_> = fields
        .iter()
        .map(|(field, value)| format!("{}: {value}", Language::Ts.spell(Part::Field, &field.name)))
        .collect();
    format!("{{ {} }}", fields.join(", "))
}

pub(super) fn files(plugin: &Plugin<'_>, is_typed: bool) -> Result<Files> {
    let mut files = Files::default();
    files.add("manifest.toml", plugin.manifest("js", "main.js"));
    plugin.add_schema(&mut files, "");
    plugin.add_stubs(&mut files, Language::Ts, "")?;
    if is_typed {
        files.add("src/main.ts", code(plugin, true));
        files.add("tsconfig.json", TSCONFIG);
        files.add("package.json", package(plugin.name));
        files.add(".gitignore", "/build\n/bundles\n/node_modules\n");
    } else {
        files.add("main.js", code(plugin, false));
        files.add("jsconfig.json", JSCONFIG);
    }
    files.add(format!("tests/{}.js", plugin.name), test(plugin));
    plugin.add_readme(
        &mut files,
        if is_typed { "npm install\npolyplug test .\npolyplug build\n" } else { "polyplug test .\npolyplug check .\n" },
    );
    Ok(files)
}

fn test(plugin: &Plugin<'_>) -> String {
    let (name, body) = match plugin.probe(&JavaScript, |_| true, |_| true) {
        Some(probe) => {
            let (method, arguments) =
                (Language::Ts.spell(Part::Method, &probe.method.name), probe.arguments.join(", "));
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

/// For editors, which check a plugin in JavaScript by the types of its contract.
const JSCONFIG: &str = r#"{
  "compilerOptions": {
    "target": "es2022",
    "module": "esnext",
    "lib": ["es2022"],
    "types": [],
    "checkJs": true,
    "strict": true
  },
  "include": ["main.js", "tests", "polyplug.d.ts"]
}
"#;

const TSCONFIG: &str = r#"{
  "compilerOptions": {
    "target": "es2022",
    "module": "esnext",
    "moduleResolution": "bundler",
    "lib": ["es2022"],
    "types": [],
    "strict": true,
    "sourceMap": true,
    "rootDir": "src",
    "outDir": "build"
  },
  "include": ["src", "polyplug.d.ts"]
}
"#;

fn package(name: &str) -> String {
    format!(
        "{{\n  \"name\": \"{name}\",\n  \"version\": \"0.1.0\",\n  \"private\": true,\n  \"type\": \"module\",\n  \"scripts\": \
         {{\n    \"build\": \"tsc\"\n  }},\n  \"devDependencies\": {{\n    \"typescript\": \"^5.0.0\"\n  }}\n}}\n"
    )
}

/// Returns the module of the plugin: an object, whose methods have the types of the contract where types are checked.
fn code(plugin: &Plugin<'_>, is_typed: bool) -> String {
    let mut methods = Vec::new();
    for method in &plugin.schema.methods {
        let arguments: Vec<_> =
            method.arguments.iter().map(|argument| Language::Ts.spell(Part::Argument, &argument.name)).collect();
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
        let name = Language::Ts.spell(Part::Method, &method.name);
        methods.push(format!("{docs}  {name}({}) {{\n{body}  }},\n", arguments.join(", ")));
    }
    let (contract, schema) = (plugin.contract(), plugin.schema);
    let type_name = format!("{}.{}", space(&schema.name, schema.major), interface(schema));
    let methods = methods.join("\n");
    if is_typed {
        let name = space(&schema.name, schema.major);
        return format!(
            "import {{ plugin, type {name} }} from \"polyplug\";\n\nconst methods: {type_name} = {{\n{methods}}};\n\n\
             plugin(\"{contract}\", methods);\n"
        );
    }
    format!(
        "import {{ plugin }} from \"polyplug\";\n\n/** @type {{import(\"polyplug\").{type_name}}} */\nconst methods = \
         {{\n{methods}}};\n\nplugin(\"{contract}\", methods);\n"
    )
}
