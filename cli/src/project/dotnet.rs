//! A plugin in C#.

use anyhow::Result;
use polyplug::schema::{Case, Field, Method, Scalar, Schema, TypeRef};

use super::files::Files;
use super::plugin::Plugin;
use super::script_test;
use super::values::{self, Spelling};
use crate::languages::names::{Part, interface, space};
use crate::languages::{Language, type_name};

struct CSharp<'a> {
    schema: &'a Schema,
}

impl Spelling for CSharp<'_> {
    const FALSE: &'static str = "false";

    fn number(&self, _: Scalar) -> String {
        "0".to_owned()
    }

    fn text(&self, text: &str) -> String {
        format!("\"{text}\"")
    }

    fn letter(&self) -> String {
        "new Rune('a')".to_owned()
    }

    fn bytes(&self) -> String {
        "new byte[0]".to_owned()
    }

    // What has no literal of its own is not made here. A result is, as its type is known.
    fn empty_list(&self) -> String {
        UNKNOWN.to_owned()
    }

    fn nothing(&self) -> String {
        UNKNOWN.to_owned()
    }

    fn empty_map(&self) -> String {
        UNKNOWN.to_owned()
    }

    fn tuple(&self, parts: &[String]) -> String {
        if parts.iter().any(|part| part == UNKNOWN) || parts.len() < 2 {
            return UNKNOWN.to_owned();
        }
        format!("({})", parts.join(", "))
    }

    fn record(&self, _: &str, _: &[(&Field, String)]) -> String {
        UNKNOWN.to_owned()
    }

    fn case(&self, name: &str, case: &Case, _: &[(&Field, String)], is_enum: bool) -> String {
        if !is_enum {
            return UNKNOWN.to_owned();
        }
        // In a class with a method of the enum's name, that name alone is the method's.
        let space = if has_method(self.schema, name) {
            format!("global::{}.", space(&self.schema.name, self.schema.major))
        } else {
            String::new()
        };
        format!("{space}{name}.{}", Language::Csharp.spell(Part::Case, &case.name))
    }
}

/// A value that is not spelled.
const UNKNOWN: &str = "?";

/// The namespaces and types that a class of a plugin would hide.
const TAKEN: [&str; 16] = [
    "Attribute",
    "Exception",
    "Host",
    "List",
    "Log",
    "Microsoft",
    "Mono",
    "Object",
    "Option",
    "Peer",
    "Plugin",
    "Polyplug",
    "Result",
    "String",
    "System",
    "Type",
];

/// Returns whether a method is called `name` in C#.
fn has_method(schema: &Schema, name: &str) -> bool {
    schema.methods.iter().any(|method| Language::Csharp.spell(Part::Method, &method.name) == name)
}

/// Returns the name of the assembly and of its files.
fn assembly(plugin: &Plugin<'_>) -> String {
    let name = plugin.type_name();
    let is_taken = TAKEN.contains(&name.as_str()) || name == space(&plugin.schema.name, plugin.schema.major);
    if is_taken { format!("{name}Plugin") } else { name }
}

/// Returns the name of the class.
fn class(plugin: &Plugin<'_>) -> String {
    let (schema, name) = (plugin.schema, assembly(plugin));
    let is_taken = name == interface(schema)
        || schema.types.iter().any(|definition| definition.name == name)
        || has_method(schema, &name);
    if is_taken { format!("{name}Plugin") } else { name }
}

pub(super) fn files(plugin: &Plugin<'_>) -> Result<Files> {
    let name = assembly(plugin);
    let mut files = Files::default();
    files.add("manifest.toml", plugin.manifest("dotnet", &format!("{name}.dll")));
    plugin.add_schema(&mut files, "");
    plugin.add_stubs(&mut files, Language::Csharp, "")?;
    files.add(format!("{name}.cs"), code(plugin));
    files.add(format!("{name}.csproj"), project(&name));
    add_bridge(&mut files);
    files.add(".gitignore", "/bin\n/build\n/bundles\n/obj\n");
    script_test::add(&mut files, plugin, |method| answer(plugin, method).is_some());
    plugin.add_readme(&mut files, "polyplug test .\npolyplug build\n");
    Ok(files)
}

/// Adds the assembly that plugins refer to, and its documentation.
fn add_bridge(files: &mut Files) {
    #[cfg(feature = "dotnet")]
    {
        files.add("lib/Polyplug.dll", polyplug_dotnet::assembly());
        files.add("lib/Polyplug.xml", polyplug_dotnet::assembly_docs());
    }
    #[cfg(not(feature = "dotnet"))]
    let _ = files;
}

fn project(name: &str) -> String {
    format!(
        r#"<Project Sdk="Microsoft.NET.Sdk">

  <PropertyGroup>
    <TargetFramework>net8.0</TargetFramework>
    <AssemblyName>{name}</AssemblyName>
    <EnableDynamicLoading>true</EnableDynamicLoading>
  </PropertyGroup>

  <ItemGroup>
    <Reference Include="Polyplug">
      <HintPath>lib/Polyplug.dll</HintPath>
      <Private>false</Private>
    </Reference>
  </ItemGroup>

</Project>
"#
    )
}

fn code(plugin: &Plugin<'_>) -> String {
    let schema = plugin.schema;
    let methods: Vec<_> = schema.methods.iter().map(|method| of_method(plugin, method)).collect();
    format!(
        "using System;\nusing System.Collections.Generic;\nusing System.Text;\nusing Polyplug;\nusing {space};\n\n[Plugin(\"{contract}\")]\npublic sealed class {class} : \
         {space}.I{interface}\n{{\n{methods}}}\n",
        space = space(&schema.name, schema.major),
        contract = plugin.contract(),
        class = class(plugin),
        interface = interface(schema),
        methods = methods.join("\n"),
    )
}

/// Returns the type that a method returns. A declared error is thrown.
fn result(method: &Method) -> &TypeRef {
    match &method.result {
        TypeRef::Result(ok, _) => ok,
        result => result,
    }
}

/// Returns what a method returns as it is made, or `None` if the method throws.
fn answer(plugin: &Plugin<'_>, method: &Method) -> Option<String> {
    let (schema, result) = (plugin.schema, result(method));
    let ty = type_name(Language::Csharp, schema, result);
    match result {
        TypeRef::Option(_) if ty.starts_with("Option<") || ty.starts_with("global::Polyplug.Option<") => {
            Some(format!("{ty}.None"))
        }
        TypeRef::Option(_) => Some("null".to_owned()),
        TypeRef::List(item) if **item != TypeRef::U8 => {
            Some(format!("new {}()", ty.replacen("IReadOnlyList", "List", 1)))
        }
        TypeRef::Map(..) => Some(format!("new {}()", ty.replacen("IReadOnlyDictionary", "Dictionary", 1))),
        _ => values::value(&CSharp { schema }, schema, result, &plugin.answer(method)).filter(|value| value != UNKNOWN),
    }
}

fn of_method(plugin: &Plugin<'_>, method: &Method) -> String {
    let schema = plugin.schema;
    let named = |ty: &TypeRef| type_name(Language::Csharp, schema, ty);
    let arguments: Vec<_> = method
        .arguments
        .iter()
        .map(|argument| {
            let ty = named(&argument.ty);
            format!("{ty} {}", Language::Csharp.spell(Part::Argument, &argument.name))
        })
        .collect();
    let result = result(method);
    let ty = if *result == TypeRef::Unit { "void".to_owned() } else { named(result) };
    let body = match answer(plugin, method) {
        _ if *result == TypeRef::Unit => "    {\n    }\n".to_owned(),
        Some(value) => format!("    {{\n        return {value};\n    }}\n"),
        None => format!(
            "    {{\n        throw new NotImplementedException(\"{} is not written yet\");\n    }}\n",
            method.name
        ),
    };
    let method = Language::Csharp.spell(Part::Method, &method.name);
    format!("    public {ty} {method}({})\n{body}", arguments.join(", "))
}
