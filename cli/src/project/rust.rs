//! A plugin in Rust.

use anyhow::{Result, anyhow};

use super::files::Files;
use super::plugin::Plugin;
use crate::cargo::{Package, path_of};
use crate::rust_traits::{self, ContractTrait, For, Method};

pub(super) fn files(plugin: &Plugin<'_>) -> Result<Files> {
    let folder = plugin.contracts_crate.ok_or_else(|| {
        anyhow!(
            "a plugin in Rust implements the trait of a contract: give the folder of the Rust crate that has it by `--contracts`"
        )
    })?;
    let contracts = Package::read(folder)?;
    contracts.check_other_name(plugin.name)?;
    let found = rust_traits::find(&contracts.folder, Some(&plugin.contract()))?;
    let mut files = Files::default();
    files.add("Cargo.toml", manifest(plugin, &contracts)?);
    files.add("src/lib.rs", code(plugin, &found, &contracts));
    files.add(".gitignore", "/target\n/bundles\n");
    plugin.add_readme(&mut files, "cargo test\npolyplug build --release\npolyplug check bundles/*\n");
    Ok(files)
}

fn manifest(plugin: &Plugin<'_>, contracts: &Package) -> Result<String> {
    let (name, polyplug) = (plugin.name, contracts.polyplug()?);
    Ok(format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[lib]\ncrate-type = [\"cdylib\"]\n\n\
         [dependencies]\n{} = {{ {} }}\npolyplug = {{ {of}, default-features = false }}\n\n\
         # A host for the tests.\n[dev-dependencies]\npolyplug = {{ {of}, features = [\"host\"] }}\n\n\
         # What the manifest of the bundle has beside the name, the version and the file.\n[package.metadata.polyplug]\n\n\
         # A project of its own, wherever it lies. Leave this out in a workspace.\n[workspace]\n",
        contracts.library()?,
        path_of(&contracts.folder, plugin.folder),
        of = polyplug.of("polyplug", plugin.folder),
    ))
}

/// Returns the lines that bring the trait and its types into scope.
pub(super) fn imports(found: &ContractTrait, contracts: &Package) -> String {
    let path: String = found.module.iter().map(|part| format!("::{part}")).collect();
    format!("use {}{path}::*;\n", contracts.crate_name())
}

fn code(plugin: &Plugin<'_>, found: &ContractTrait, contracts: &Package) -> String {
    let name = plugin.type_name();
    // A plugin may have the name of its trait, or of a type in the trait's methods.
    let is_word = |text: &str| rust_traits::names(text).any(|word| word == name);
    let is_taken = name == found.name
        || plugin.schema.types.iter().any(|definition| definition.name == name)
        || found.methods.iter().any(|method| is_word(&method.signature))
        || ["Ok", "Err", "Some", "None", "Vec", "Box"].contains(&name.as_str());
    let name = if is_taken { format!("{name}Plugin") } else { name };
    // What the module of the trait has imported for itself does not come with it.
    let crate_name = contracts.crate_name();
    let mut out: String = found
        .imports
        .iter()
        .map(|path| format!("use {};\n", path.replacen("crate::", &format!("{crate_name}::"), 1)))
        .collect();
    if !out.is_empty() {
        out.push('\n');
    }
    out += &imports(found, contracts);
    out += &format!("\n#[derive(Default)]\nstruct {name};\n\n#[polyplug::plugin]\nimpl {} for {name} {{\n", found.name);
    let methods: Vec<_> = found.methods.iter().map(|method| of_method(plugin, method)).collect();
    out += &methods.join("\n");
    out += "}\n\n#[cfg(test)]\nmod tests {\n    use polyplug::testing::Host;\n\n    use super::*;\n\n";
    out += &test(plugin, found);
    out + "}\n"
}

fn of_method(plugin: &Plugin<'_>, method: &Method) -> String {
    let mut out = format!("    {} {{\n", method.signature);
    match method.arguments.as_slice() {
        [] => {}
        [(name, _)] => out += &format!("        let _ = {name};\n"),
        several => {
            let names: Vec<_> = several.iter().map(|(name, _)| name.as_str()).collect();
            out += &format!("        let _ = ({});\n", names.join(", "));
        }
    }
    let answer = format!("{} of {}", method.name, plugin.name);
    if let Some(ty) = &method.result {
        match rust_traits::value(ty, For::Result(&answer)) {
            Some(value) => out += &format!("        {value}\n"),
            None => out += &format!("        unimplemented!(\"{} is not written yet\")\n", method.name),
        }
    }
    out + "    }\n"
}

/// Returns a test that calls the first method whose arguments and result have obvious values, or makes a proxy.
fn test(plugin: &Plugin<'_>, found: &ContractTrait) -> String {
    let trait_name = &found.name;
    let call = found.methods.iter().find_map(|method| {
        let arguments: Option<Vec<_>> =
            method.arguments.iter().map(|(_, ty)| rust_traits::value(ty, For::Argument)).collect();
        let result = match &method.result {
            Some(ty) => rust_traits::value(ty, For::Result(&format!("{} of {}", method.name, plugin.name)))?,
            None => "()".to_owned(),
        };
        Some((method.name.as_str(), arguments?.join(", "), result))
    });
    let Some((method, arguments, result)) = call else {
        return format!(
            "    #[test]\n    fn the_plugin_starts() {{\n        Host::new().proxy::<dyn {trait_name}>().unwrap();\n    }}\n"
        );
    };
    let checked = match result.as_str() {
        "()" => format!("        plugin.{method}({arguments}).unwrap();\n"),
        result => format!(
            "        assert_eq!(plugin.{method}({arguments}).unwrap(), {});\n",
            result.strip_suffix(".to_owned()").unwrap_or(result)
        ),
    };
    format!(
        "    #[test]\n    fn {method}_answers() {{\n        let host = Host::new();\n        let plugin = host.proxy::<dyn \
         {trait_name}>().unwrap();\n{checked}    }}\n"
    )
}
