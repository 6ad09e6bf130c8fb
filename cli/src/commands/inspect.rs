//! `polyplug inspect`.

use anyhow::{Context, Result};
use object::Object;
use polyplug::error::RuntimeError;
use polyplug::loader::Files;
use polyplug::runtime::PluginInfo;
use polyplug::schema::Schema;
use serde_json::{Value as Json, json};

use crate::args::Inspect;
use crate::bundle::{Opened, Signature, signature};
use crate::contracts;
use crate::exit::Exit;
use crate::text::{BOLD, DIM, RED, YELLOW, bytes, indented, styled};

pub(crate) fn run(args: &Inspect) -> Result<Exit> {
    let opened = Opened::load_alone(&args.bundle, &contracts::read_all(&args.needs.contracts)?)?;
    let about = About::read(&opened)?;
    if args.output.json {
        anstream::println!("{:#}", about.json(&opened));
    } else {
        anstream::print!("{}", about.text(&opened));
    }
    Ok(Exit::Fine)
}

struct About {
    /// The files, with their sizes.
    files: Vec<(String, u64)>,
    contracts: Vec<Result<Schema, RuntimeError>>,
    /// The exported symbols of a shared library.
    symbols: Vec<String>,
    signature: Signature,
}

impl About {
    fn read(opened: &Opened) -> Result<Self> {
        let bundle = &opened.manifest.origin;
        let files = opened
            .manifest
            .files()
            .list()?
            .into_iter()
            .map(|(path, size)| (path.display().to_string(), size))
            .collect();
        Ok(Self { files, contracts: opened.contracts(), symbols: symbols(opened)?, signature: signature(bundle) })
    }

    fn text(&self, opened: &Opened) -> String {
        let (info, manifest) = (&opened.info, &opened.manifest);
        let size: u64 = self.files.iter().map(|(_, size)| size).sum();
        let mut out = format!(
            "{} {} ({}, {}, {})\n",
            styled(BOLD, &info.name),
            info.version,
            manifest.loader,
            if self.files.len() == 1 { "1 file".to_owned() } else { format!("{} files", self.files.len()) },
            bytes(size)
        );
        let signed = match &self.signature {
            Signature::Holds => "signed: `polyplug verify` tells by whom".to_owned(),
            Signature::Missing => styled(YELLOW, "not signed"),
            Signature::Broken(error) => styled(RED, &error.to_string()),
        };
        out += &format!("  {signed}\n");
        for need in &manifest.dependencies {
            out += &format!("  needs {}@{}.{} of another bundle\n", need.contract, need.major, need.minor);
        }
        for need in &manifest.host_contracts {
            let optional = if need.optional { ", optionally" } else { "" };
            out += &format!("  needs {}@{}.{} of the host{optional}\n", need.contract, need.major, need.minor);
        }
        for (plugin, contract) in info.plugins.iter().zip(&self.contracts) {
            let version = plugin.contract_version;
            let contract_name = format!("{}@{}.{}", plugin.contract, version.major, version.minor);
            out += &format!("\n{} implements {}\n", styled(BOLD, &plugin.name), styled(BOLD, &contract_name));
            match contract {
                Ok(schema) => out += &methods(schema),
                Err(error) => out += &format!("  its methods are not known: {error}\n"),
            }
        }
        out += "\nfiles\n";
        for (file, size) in &self.files {
            out += &format!("  {file} {}\n", styled(DIM, &bytes(*size)));
        }
        if !self.symbols.is_empty() {
            out += &format!("\nexported symbols\n  {}\n", self.symbols.join("\n  "));
        }
        out
    }

    fn json(&self, opened: &Opened) -> Json {
        let (info, manifest) = (&opened.info, &opened.manifest);
        let plugins = info.plugins.iter().zip(&self.contracts);
        let plugins: Vec<_> = plugins.map(|(plugin, contract)| plugin_json(plugin, contract)).collect();
        let need = |contract: &str, major: u32, minor: u32| format!("{contract}@{major}.{minor}");
        let dependencies = manifest.dependencies.iter().map(|of| need(&of.contract, of.major, of.minor));
        let hosts = manifest
            .host_contracts
            .iter()
            .map(|of| json!({ "contract": need(&of.contract, of.major, of.minor), "optional": of.optional }));
        let files = self.files.iter().map(|(path, size)| json!({ "path": path, "size": size }));
        json!({
            "name": info.name,
            "version": info.version.to_string(),
            "loader": manifest.loader,
            "file": manifest.file,
            "signed": !matches!(self.signature, Signature::Missing),
            "signature_holds": matches!(self.signature, Signature::Holds),
            "dependencies": dependencies.collect::<Vec<_>>(),
            "host_contracts": hosts.collect::<Vec<_>>(),
            "plugins": plugins,
            "files": files.collect::<Vec<_>>(),
            "symbols": self.symbols,
        })
    }
}

fn plugin_json(plugin: &PluginInfo, contract: &Result<Schema, RuntimeError>) -> Json {
    json!({
        "name": plugin.name,
        "version": plugin.version.to_string(),
        "contract": plugin.contract,
        "contract_version": plugin.contract_version.to_string(),
        "schema": contract.as_ref().map(Schema::to_json).unwrap_or_default(),
    })
}

/// Returns the methods of a contract, each with its documentation.
fn methods(schema: &Schema) -> String {
    let mut out = indented(&schema.docs, 2);
    for method in &schema.methods {
        let since = if method.since > 0 { format!(" since {}.{}", schema.major, method.since) } else { String::new() };
        out += &format!("  {}{}\n", styled(BOLD, &schema.signature(method)), styled(DIM, &since));
        out += &indented(&method.docs, 6);
    }
    out
}

/// Returns the symbols that the bundle's library exports, or none for other bundles.
fn symbols(opened: &Opened) -> Result<Vec<String>> {
    if opened.manifest.loader != "native" {
        return Ok(Vec::new());
    }
    let files = opened.manifest.files();
    let library = library(&files, &opened.manifest.file);
    let bytes = files.read(&library, "a library", u64::MAX)?;
    let shown = || files.root().join(&library).display().to_string();
    let file = object::File::parse(&*bytes).with_context(shown)?;
    let exports = file.exports().with_context(shown)?;
    let mut names: Vec<_> = exports.iter().map(|export| String::from_utf8_lossy(export.name()).into_owned()).collect();
    names.sort();
    Ok(names)
}

/// Returns the path of a library that a manifest names with or without the system's prefix and suffix.
fn library(files: &Files, file: &str) -> String {
    use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
    if files.is_file(file) { file.to_owned() } else { format!("{DLL_PREFIX}{file}{DLL_SUFFIX}") }
}
