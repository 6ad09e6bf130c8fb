//! A plugin in C.

use anyhow::Result;
use polyplug::schema::{Field, Method, Scalar, Schema, Shape, TypeRef};

use super::files::Files;
use super::plugin::{Plugin, docs};
use super::script_test;
use crate::languages::names::{module, space};
use crate::languages::{Language, type_name};

pub(super) fn files(plugin: &Plugin<'_>) -> Result<Files> {
    let mut files = Files::default();
    files.add("manifest.toml", plugin.manifest("native", &library(plugin)));
    plugin.add_schema(&mut files, "");
    plugin.add_stubs(&mut files, Language::C, "")?;
    files.add("polyplug.h", polyplug_loaders::HEADER);
    files.add("plugin.c", code(plugin));
    files.add("Makefile", makefile(plugin));
    files.add(".gitignore", "/build\n/bundles\n");
    script_test::add(&mut files, plugin, |method| answer(plugin, method).is_some());
    plugin.add_readme(&mut files, "polyplug test .\npolyplug build\n");
    Ok(files)
}

/// Returns the name of the library, without what systems put around it.
fn library(plugin: &Plugin<'_>) -> String {
    plugin.name.replace('-', "_")
}

fn makefile(plugin: &Plugin<'_>) -> String {
    let header = module(&plugin.schema.name, plugin.schema.major);
    format!(
        "CC ?= cc\nCFLAGS ?= -std=c11 -O2 -Wall -Wextra -Wpedantic\n\nifeq ($(OS),Windows_NT)\n    LIBRARY = {name}.dll\nelse \
         ifeq ($(shell uname -s),Darwin)\n    LIBRARY = lib{name}.dylib\nelse\n    LIBRARY = \
         lib{name}.so\nendif\n\nbuild/$(LIBRARY): plugin.c {header}.h polyplug.h Makefile\n\tmkdir -p build\n\t$(CC) $(CFLAGS) \
         -shared -fPIC -o $@ plugin.c\n\nclean:\n\trm -rf build\n\n.PHONY: clean\n",
        name = library(plugin)
    )
}

fn code(plugin: &Plugin<'_>) -> String {
    let schema = plugin.schema;
    let (of, upper) = (space(&schema.name, schema.major), module(&schema.name, schema.major).to_uppercase());
    let mut out = format!(
        "#include <string.h>\n\n#include \"{}.h\"\n\n/* ---- Methods: nothing that comes from the host is trusted ---- */\n",
        module(&schema.name, schema.major)
    );
    for method in &schema.methods {
        out += &of_method(plugin, method, &of);
    }
    out += &format!(
        r#"
/* ---- Instances: there is nothing in them ---- */

static void create(PolyplugVmLoaderData loader_data, const PolyplugHostApi *host, const void *args,
                   PolyplugGuestContractInstance *out) {{
    (void)loader_data, (void)host, (void)args;
    out->data = NULL;
    out->contract_id = {upper}_ID;
}}

static void destroy(PolyplugVmLoaderData loader_data, const PolyplugHostApi *host,
                    PolyplugGuestContractInstance instance) {{
    (void)loader_data, (void)host, (void)instance;
}}

/* ---- What the library exports ---- */

uint32_t polyplug_abi_version(void) {{
    return POLYPLUG_ABI_VERSION;
}}

void polyplug_init(const PolyplugHostApi *host, const PolyplugBundleInitContext *context, PolyplugAbiError *out_err) {{
    (void)context;
    static const PolyplugEntry methods[{upper}_METHODS] = {{
"#
    );
    for method in &schema.methods {
        out += &format!("        [{upper}_METHOD_{}] = method_{},\n", method.name.to_uppercase(), method.name);
    }
    out += &format!(
        r#"    }};
    const PolyplugPluginDescriptor descriptor = {{
        .name = polyplug_text("{name}"),
        .contract_name = polyplug_text({upper}_NAME),
        .version = {{0, 1, 0}},
    }};
    /* The host copies the interface. What it points at, `methods`, has to stay. */
    const PolyplugGuestContractInterface interface = {{
        .contract_id = {upper}_ID,
        .contract_version = {{{upper}_MAJOR, {upper}_MINOR, 0}},
        .dispatch_type = POLYPLUG_DISPATCH_TYPE_NATIVE,
        .create_instance = create,
        .destroy_instance = destroy,
        .dispatch = {{.native = {{{upper}_METHODS, methods}}}},
    }};
    host->register_guest_contract(host, &descriptor, &interface, out_err);
}}
"#,
        name = plugin.name
    );
    out
}

fn of_method(plugin: &Plugin<'_>, method: &Method, of: &str) -> String {
    let name = &method.name;
    let comment = docs(method, " *").replace("*/", "* /");
    let is_one_line = comment.lines().count() == 1;
    let comment = match comment.trim_start_matches(" *").trim_end() {
        "" => String::new(),
        text if is_one_line => format!("/*{text} */\n"),
        text => format!("/*{text}\n */\n"),
    };
    let has_arguments = method.arguments.iter().any(|argument| argument.ty != TypeRef::Unit);
    let has_result = method.result != TypeRef::Unit;
    let mut checks = Vec::new();
    let mut body = "    (void)instance, (void)arena;\n".to_owned();
    if has_arguments {
        body += &format!("    const {of}_{name}_args *in = args;\n");
        checks.push("!in");
    } else {
        body += "    (void)args;\n";
    }
    if has_result {
        checks.push("!out");
    } else {
        body += "    (void)out;\n";
    }
    if checks.is_empty() {
        body += "    (void)out_err;\n";
    } else {
        body += &format!(
            "    if ({}) {{\n        polyplug_fail(out_err, POLYPLUG_ERROR_INVALID_POINTER, \"{name}: a pointer is \
             null\");\n        return;\n    }}\n",
            checks.join(" || ")
        );
    }
    if has_result {
        body += &answer(plugin, method).unwrap_or_else(|| {
            format!("    polyplug_fail(out_err, POLYPLUG_ERROR_GENERIC, \"{name} is not written yet\");\n")
        });
    } else {
        body += "    /* Write it here. */\n";
    }
    format!(
        "\n{comment}static void method_{name}(PolyplugGuestContractInstance instance, const void *args, void *out,\n    \
         PolyplugCallArena *arena, PolyplugAbiError *out_err) {{\n{body}}}\n"
    )
}

/// Returns the lines that write the result, or `None` if the method fails.
fn answer(plugin: &Plugin<'_>, method: &Method) -> Option<String> {
    let ty = type_name(Language::C, plugin.schema, &method.result);
    Some(match &method.result {
        TypeRef::String => {
            let answer = plugin.answer(method);
            format!(
                "    /* A text that is made during the call lies in the arena: polyplug_arena_alloc. */\n    *({ty} *)out = \
                     polyplug_text(\"{answer}\");\n"
            )
        }
        TypeRef::Scalar(Scalar::Char) => format!("    *({ty} *)out = 'a';\n"),
        TypeRef::Scalar(_) => format!("    *({ty} *)out = 0;\n"),
        result if is_zero(plugin.schema, result) => format!("    memset(out, 0, sizeof({ty}));\n"),
        _ => return None,
    })
}

/// Returns whether memory of zeroes is the value that [`values::value`](super::values::value) spells.
fn is_zero(schema: &Schema, ty: &TypeRef) -> bool {
    let all = |fields: &[Field]| fields.iter().all(|field| is_zero(schema, &field.ty));
    match ty {
        TypeRef::Unit | TypeRef::Option(_) | TypeRef::List(_) | TypeRef::Map(..) => true,
        TypeRef::Scalar(scalar) => *scalar != Scalar::Char,
        TypeRef::String | TypeRef::Box(_) => false,
        TypeRef::Result(ok, _) => is_zero(schema, ok),
        TypeRef::Tuple(parts) => parts.iter().all(|part| is_zero(schema, part)),
        TypeRef::Named(number) => match &schema.definition(*number).shape {
            Shape::Record(fields) => all(fields),
            Shape::Enum(_) => true,
            Shape::Variant(cases) => {
                let first =
                    cases.first().filter(|first| cases.iter().all(|case| case.fields.len() >= first.fields.len()));
                first.is_some_and(|first| all(&first.fields))
            }
            Shape::Object(_) => false,
        },
    }
}
