//! `polyplug doctor`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use polyplug::Runtime;
use polyplug::schema::{Method, Schema, TypeRef};
use serde_json::json;

use crate::args::Output;
use crate::bundle::with_stand_in;
use crate::exit::Exit;
use crate::text::{BOLD, GREEN, RED, YELLOW, causes, styled};

/// The contract by which the engines tell their versions.
const CONTRACT: &str = "polyplug.doctor";

const LUA: &str = "local plugin = require(\"polyplug\").plugin(\"polyplug.doctor@1\")\nfunction plugin:version() return \"LuaJIT, \" .. _VERSION end\n";

const PYTHON: &str = "import sys\nfrom polyplug import plugin\n\n@plugin(\"polyplug.doctor@1\")\nclass Doctor:\n    def version(self):\n        \
                      return f\"CPython {sys.version.split()[0]} from {sys.base_prefix}\"\n";

const JS: &str = "import { plugin } from \"polyplug\";\n\nplugin(\"polyplug.doctor@1\", class { version() { return \"QuickJS\"; } });\n";

/// An engine or a tool.
struct Finding {
    name: &'static str,
    /// The version that was found, or what is missing and how to get it.
    state: std::result::Result<String, String>,
    /// True for what authors need, and hosts do without.
    is_tool: bool,
}

pub(crate) fn run(output: Output) -> Result<Exit> {
    let mut findings = Vec::new();
    for (name, loader, file, code) in
        [("Lua", "lua", "main.lua", LUA), ("Python", "python", "main.py", PYTHON), ("JavaScript", "js", "main.js", JS)]
    {
        findings.push(Finding { name, state: engine(loader, file, code), is_tool: false });
    }
    findings.push(Finding { name: ".NET", state: dotnet(), is_tool: false });
    for (name, program, option, remedy) in [
        ("Rust plugins", "cargo", "--version", "get Rust from https://rustup.rs"),
        ("C plugins", "cc", "--version", "install a C compiler: on Debian, apt-get install gcc"),
        ("TypeScript plugins", "node", "--version", "install Node.js, whose npm has the compiler of TypeScript"),
        ("C# plugins", "dotnet", "--version", "install the SDK of .NET"),
    ] {
        findings.push(Finding { name, state: tool(program, option, remedy), is_tool: true });
    }
    let is_fine = findings.iter().filter(|finding| !finding.is_tool).all(|finding| finding.state.is_ok());
    if output.json {
        let all = findings.iter().map(|finding| {
            json!({
                "name": finding.name,
                "found": finding.state.is_ok(),
                "version": finding.state.as_ref().ok(),
                "missing": finding.state.as_ref().err(),
            })
        });
        anstream::println!("{:#}", serde_json::Value::Array(all.collect()));
        return Ok(Exit::of(is_fine));
    }
    for (title, is_tool) in [("engines of bundles", false), ("tools of authors", true)] {
        anstream::println!("{}", styled(BOLD, title));
        for finding in findings.iter().filter(|finding| finding.is_tool == is_tool) {
            match &finding.state {
                Ok(version) => anstream::println!("  {} {}: {version}", styled(GREEN, "found  "), finding.name),
                Err(reason) => {
                    let style = if is_tool { YELLOW } else { RED };
                    anstream::println!("  {} {}: {reason}", styled(style, "missing"), finding.name);
                }
            }
        }
    }
    Ok(Exit::of(is_fine))
}

/// Starts an engine by a bundle that tells the engine's version.
fn engine(loader: &str, file: &str, code: &str) -> std::result::Result<String, String> {
    let version = || -> Result<String> {
        let folder = tempfile::tempdir().context("cannot make a folder for a bundle")?;
        write_bundle(folder.path(), loader, file)?;
        std::fs::write(folder.path().join(file), code)?;
        let runtime = with_stand_in(Runtime::builder())?;
        runtime.load_bundle(folder.path())?;
        let version = runtime.call_json("polyplug.doctor@1", "version", &[])?;
        Ok(version.as_str().unwrap_or_default().to_owned())
    };
    version().map_err(|error| causes(&error))
}

fn write_bundle(folder: &Path, loader: &str, file: &str) -> Result<()> {
    let manifest = format!("name = \"doctor\"\nversion = \"1.0.0\"\nloader = \"{loader}\"\nfile = \"{file}\"\n");
    std::fs::write(folder.join("manifest.toml"), manifest)?;
    let version = Method {
        name: "version".to_owned(),
        docs: String::new(),
        since: 0,
        arguments: Vec::new(),
        result: TypeRef::String,
    };
    let schema = Schema {
        name: CONTRACT.to_owned(),
        major: 1,
        minor: 0,
        docs: String::new(),
        methods: vec![version],
        types: Vec::new(),
    };
    std::fs::write(folder.join("polyplug.doctor@1.schema"), schema.encode())?;
    Ok(())
}

#[cfg(not(feature = "dotnet"))]
fn dotnet() -> std::result::Result<String, String> {
    Err("this program was built without the loader for .NET".to_owned())
}

/// Starts .NET by a bundle whose assembly is none, which is found out by the engine.
#[cfg(feature = "dotnet")]
fn dotnet() -> std::result::Result<String, String> {
    let started = || -> Result<()> {
        let folder = tempfile::tempdir().context("cannot make a folder for a bundle")?;
        write_bundle(folder.path(), "dotnet", "Doctor.dll")?;
        std::fs::write(folder.path().join("Doctor.dll"), polyplug_dotnet::assembly())?;
        with_stand_in(Runtime::builder())?.load_bundle(folder.path())?;
        Ok(())
    };
    match started() {
        Ok(()) => Ok("the runtime starts".to_owned()),
        Err(error) if is_started(&error) => Ok("the runtime starts".to_owned()),
        Err(error) => Err(causes(&error)),
    }
}

/// Returns whether an engine has run a bundle's code, which has registered nothing.
#[cfg(feature = "dotnet")]
fn is_started(error: &anyhow::Error) -> bool {
    use polyplug::error::{LoaderError, RuntimeError};
    matches!(error.downcast_ref(), Some(RuntimeError::Loader(LoaderError::NothingRegistered { .. })))
}

fn tool(program: &str, option: &str, remedy: &str) -> std::result::Result<String, String> {
    match Command::new(program).arg(option).output() {
        Ok(output) if output.status.success() => {
            let text = String::from_utf8_lossy(&output.stdout);
            let version = text.lines().next().unwrap_or_default();
            Ok(if version.starts_with(|letter: char| letter.is_ascii_digit() || letter == 'v') {
                format!("{program} {version}")
            } else {
                version.to_owned()
            })
        }
        _ => Err(format!("`{program}` cannot be started: {remedy}")),
    }
}
