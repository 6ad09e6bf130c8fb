//! The crates of contracts and of hosts.

use std::path::Path;

use anyhow::Result;

use super::files::{Files, type_name};
use super::rust::imports;
use crate::cargo::{Package, Source, path_of};
use crate::rust_traits::{self, ContractTrait, For, Method};

/// Returns the files of a crate with a contract, in `folder`.
pub(crate) fn contract(name: &str, folder: &Path, polyplug: &Source) -> Files {
    let trait_name = type_name(name);
    let contract = format!("example.{}", name.replace('-', "_"));
    let mut files = Files::default();
    files.add(
        "Cargo.toml",
        format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\npolyplug = {{ {of}, \
             default-features = false }}\n\n[dev-dependencies]\npolyplug = {{ {of}, features = [\"host\"] }}\n\n\
             # A project of its own, wherever it lies. Leave this out in a workspace.\n[workspace]\n",
            of = polyplug.of("polyplug", folder),
        ),
    );
    files.add(
        "src/lib.rs",
        format!(
            "//! What a host and its plugins agree on.\n\n/// Greets people.\n#[polyplug::contract(name = \"{contract}\", \
             version = \"1.0\")]\npub trait {trait_name} {{\n    /// Returns a greeting.\n    fn greet(&self, name: &str) -> \
             String;\n\n    /// Returns the sum of two numbers.\n    fn add(&self, a: i32, b: i32) -> i32;\n}}\n\n\
             #[cfg(test)]\nmod tests {{\n    use polyplug::schema::Schema;\n\n    use super::*;\n\n    #[test]\n    fn \
             the_contract_is_described() {{\n        let schema = Schema::of::<dyn {trait_name}>();\n        \
             assert_eq!(schema.to_string(), \"{contract}@1.0\");\n        assert!(schema.method(\"greet\").is_some());\n    \
             }}\n}}\n"
        ),
    );
    files.add(".gitignore", "/target\n");
    files.add(
        "README.md",
        format!(
            "# {name}\n\nThe contract `{contract}@1`: what a host and its plugins agree on.\n\n```sh\ncargo test\npolyplug new \
             host my-host --contracts .\npolyplug new plugin my-plugin --lang lua --contracts .\n```\n"
        ),
    );
    files
}

/// Returns the files of a host in `folder` that calls the plugins in its folder `plugins`.
pub(crate) fn host(name: &str, folder: &Path, contracts: &Path, contract: Option<&str>) -> Result<Files> {
    let contracts = Package::read(contracts)?;
    contracts.check_other_name(name)?;
    let polyplug = contracts.polyplug()?;
    let found = rust_traits::find(&contracts.folder, contract)?;
    let mut files = Files::default();
    files.add(
        "Cargo.toml",
        format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n{} = {{ {} }}\n\
             polyplug = {{ {}, features = [\"host\", \"watch\"] }}\n\n# The languages whose plugins are loaded. Python needs its \
             headers and library, .NET its runtime.\n[dependencies.polyplug-loaders]\n{}\ndefault-features = false\nfeatures = \
             [\"native\", \"lua\", \"python\", \"js\", \"dotnet\"]\n\n# A project of its own, wherever it lies. Leave this out \
             in a workspace.\n[workspace]\n",
            contracts.library()?,
            path_of(&contracts.folder, folder),
            polyplug.of("polyplug", folder),
            polyplug.of("polyplug-loaders", folder),
        ),
    );
    files.add("src/main.rs", program(&found, &contracts));
    files.add("plugins/README.md", "Each folder here with a `manifest.toml` is a plugin, which the host loads.\n");
    files.add(".gitignore", "/target\n");
    files.add(
        "README.md",
        format!(
            "# {name}\n\nA host for plugins of the contract `{}`. It loads what is in `plugins`, calls it, and follows \
             changes.\n\n```sh\ncargo test\ncargo run            # until Ctrl-C\ncargo run -- --once  # one round\n```\n",
            found.contract
        ),
    );
    Ok(files)
}

fn program(found: &ContractTrait, contracts: &Package) -> String {
    let trait_name = &found.name;
    let imports = imports(found, contracts);
    let (call, using) = match found.methods.iter().find_map(call) {
        Some(call) => (call, "plugin"),
        None => ("Ok::<_, polyplug::CallError>(\"is there: call its methods here\")".to_owned(), "_plugin"),
    };
    format!(
        r#"//! A host that keeps the plugins of the folder `plugins` loaded, and calls each of them.

use std::error::Error;
use std::thread::sleep;
use std::time::Duration;

{imports}use polyplug::Runtime;

fn main() -> Result<(), Box<dyn Error>> {{
    let runtime = polyplug_loaders::register(Runtime::builder().hot_reload(true)).build()?;
    if std::env::args().any(|argument| argument == "--once") {{
        println!("{{}}", runtime.load_dir("plugins"));
        call_all(&runtime);
        return Ok(());
    }}
    runtime.on_event(|event| println!("{{event}}")).detach();
    let _watcher = runtime.watch_dir("plugins")?;
    loop {{
        call_all(&runtime);
        sleep(Duration::from_secs(1));
    }}
}}

/// Calls each plugin, and prints its answer. Each proxy has an instance of its own: a host whose plugins remember something
/// keeps the proxy.
fn call_all(runtime: &Runtime) {{
    for bundle in runtime.bundles() {{
        let {using} = match runtime.proxy_from::<dyn {trait_name}>(bundle.id) {{
            Ok(plugin) => plugin,
            Err(error) => {{
                println!("{{error}}");
                continue;
            }}
        }};
        match {call} {{
            Ok(answer) => println!("{{}}: {{answer:?}}", bundle.name),
            Err(error) => println!("{{error}}"),
        }}
    }}
}}

#[cfg(test)]
mod tests {{
    use super::*;

    #[test]
    fn all_plugins_load_and_answer() {{
        let runtime = polyplug_loaders::register(Runtime::builder()).build().unwrap();
        let report = runtime.load_dir("plugins").into_result().unwrap();
        println!("{{report}}");
        call_all(&runtime);
    }}
}}
"#
    )
}

/// Returns a call of a method whose arguments have obvious values.
fn call(method: &Method) -> Option<String> {
    let arguments: Option<Vec<_>> =
        method.arguments.iter().map(|(_, ty)| rust_traits::value(ty, For::Argument)).collect();
    Some(format!("plugin.{}({})", method.name, arguments?.join(", ")))
}
