//! `polyplug check`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use object::{Object, ObjectSection};
use polyplug::error::{ManifestError, RuntimeError};
use polyplug::loader::ManifestData;
use polyplug::schema::{Schema, compare};
use serde_json::Value as Json;

use crate::args::Check;
use crate::build::is_project;
use crate::bundle::{Contracts, Opened, Signature, signature};
use crate::contracts;
use crate::diagnostics::{Part, Problem, Severity};
use crate::exit::Exit;
use crate::text::{BOLD, GREEN, styled};

pub(crate) fn run(args: &Check) -> Result<Exit> {
    let wanted = contracts::read_all(&args.needs.contracts)?;
    let problems = problems(args, &wanted);
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    let warnings = problems.len() - errors;
    if args.output.json {
        let all: Vec<_> = problems.iter().map(Problem::json).collect();
        anstream::println!("{:#}", Json::Array(all));
        return Ok(Exit::of(errors == 0));
    }
    for problem in &problems {
        anstream::println!("{}", problem.text());
    }
    let count = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    if problems.is_empty() {
        anstream::println!("{}: nothing wrong was found in {}", styled(GREEN, "fine"), args.bundle.display());
    } else {
        let text = format!("{}, {} in {}", count(errors, "error"), count(warnings, "warning"), args.bundle.display());
        anstream::println!("{}", styled(BOLD, &text));
    }
    Ok(Exit::of(errors == 0))
}

/// Returns all problems of a bundle.
fn problems(args: &Check, wanted: &Contracts) -> Vec<Problem> {
    let manifest = match ManifestData::read(&args.bundle) {
        Ok(manifest) => manifest,
        Err(error) => return vec![of_manifest(&error)],
    };
    let folder = manifest.origin.clone();
    let mut problems = Vec::new();
    let files = match manifest.files().list() {
        Ok(files) => files,
        Err(error) => return vec![Problem::new(Severity::Error, "unreadable", error.to_string())],
    };
    unused(&manifest, &files, &mut problems);
    leftovers(&folder, &files, &mut problems);
    if manifest.loader == "native" {
        libraries(&manifest, &files, &mut problems);
    }
    missing_artifacts(&manifest, &files, &mut problems);
    match signature(&args.bundle) {
        Signature::Missing => {
            let message = format!("bundle `{}` is not signed", manifest.name);
            let problem = Problem::new(Severity::Warning, "unsigned", message);
            problems.push(
                problem.help("hosts that require signatures refuse the bundle: `polyplug keygen`, `polyplug sign`"),
            );
        }
        Signature::Broken(error) => problems.push(Problem::new(Severity::Error, "signature", error.to_string())),
        Signature::Holds => {}
    }
    if !args.no_run {
        loaded(args, wanted, &manifest, &files, &mut problems);
    }
    problems.sort_by_key(|problem| problem.severity == Severity::Warning);
    problems
}

fn of_manifest(error: &ManifestError) -> Problem {
    let problem = |message: String| Problem::new(Severity::Error, "manifest", message);
    match error {
        ManifestError::Syntax { path, line, column, message, .. } => {
            problem(message.clone()).at(path, Part::Line(*line, *column))
        }
        ManifestError::Invalid { path, key, message, .. } => {
            // `dependency.contract` is written `contract` in a table of its own.
            let name = key.rsplit('.').next().unwrap_or(key);
            let line = fs::read_to_string(path).ok().and_then(|text| {
                let is_key = |line: &str| {
                    line.trim_start().strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('='))
                };
                text.lines().position(is_key)
            });
            let part = line.map_or(Part::Whole, |line| Part::Line(line + 1, 0));
            problem(format!("`{key}`: {message}")).at(path, part)
        }
        other => problem(other.to_string()),
    }
}

/// Reads a file of the bundle. A file that cannot be read is not looked at.
fn read(manifest: &ManifestData, path: &Path, size: u64) -> Option<Vec<u8>> {
    manifest.files().read(path, "a file of the bundle", size).ok()
}

/// Finds needs that no file of the bundle mentions.
fn unused(manifest: &ManifestData, files: &[(PathBuf, u64)], problems: &mut Vec<Problem>) {
    let texts: Vec<_> = files
        .iter()
        .filter(|(path, _)| path != Path::new("manifest.toml") && path.extension().is_none_or(|of| of != "schema"))
        .filter_map(|(path, size)| read(manifest, path, *size))
        .collect();
    let is_mentioned = |contract: &str| {
        let name = contract.as_bytes();
        // Assemblies have texts in UTF-16.
        let wide: Vec<u8> = contract.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let has = |text: &[u8], part: &[u8]| text.windows(part.len()).any(|window| window == part);
        texts.iter().any(|text| has(text, name) || has(text, &wide))
    };
    let dependencies = manifest.dependencies.iter().map(|need| (&need.contract, need.line, "dependency"));
    let hosts = manifest.host_contracts.iter().map(|need| (&need.contract, need.line, "host"));
    for (contract, line, table) in dependencies.chain(hosts) {
        if !is_mentioned(contract) {
            let message =
                format!("no file of the bundle mentions `{contract}`, which `[[{table}]]` says that the bundle needs");
            let problem = Problem::new(Severity::Warning, "unused-need", message);
            let problem = problem.at(manifest.origin.join("manifest.toml"), Part::Line(line, 0));
            problems.push(problem.help("leave the entry out, or correct the contract's name"));
        }
    }
}

/// Finds files that tools have left behind.
fn leftovers(folder: &Path, files: &[(PathBuf, u64)], problems: &mut Vec<Problem>) {
    const FOLDERS: [&str; 5] = ["__pycache__", ".git", "node_modules/.cache", "target", "obj"];
    for name in FOLDERS {
        let inside = files.iter().filter(|(path, _)| path.starts_with(name));
        let size: u64 = inside.clone().map(|(_, size)| size).sum();
        let count = inside.count();
        if count > 0 {
            let message =
                format!("the bundle has the folder `{name}` of a tool: {count} files, {}", crate::text::bytes(size));
            let problem = Problem::new(Severity::Warning, "leftover", message).at(folder.join(name), Part::Whole);
            problems.push(problem.help("leave the folder out of the bundle"));
        }
    }
}

/// Looks at the libraries of a native bundle.
fn libraries(manifest: &ManifestData, files: &[(PathBuf, u64)], problems: &mut Vec<Problem>) {
    let mut systems = Vec::new();
    for (path, size) in files {
        let is_library = path.extension().is_some_and(|of| of == "so" || of == "dll" || of == "dylib");
        let Some(bytes) = is_library.then(|| read(manifest, path, *size)).flatten() else { continue };
        let Ok(file) = object::File::parse(&*bytes) else { continue };
        let system = match path.extension().and_then(|of| of.to_str()) {
            Some("dll") => "windows",
            Some("dylib") => "macos",
            _ => "linux",
        };
        systems.push(format!("{system} on {:?}", file.architecture()).to_lowercase());
        let debug: u64 = file
            .sections()
            .filter(|section| {
                section.name().is_ok_and(|name| name.starts_with(".debug") || name.starts_with("__debug"))
            })
            .map(|section| section.size())
            .sum();
        if debug > 1 << 20 {
            let message = format!(
                "{} of {} are debugging information of `{}`",
                crate::text::bytes(debug),
                crate::text::bytes(*size),
                path.display()
            );
            let problem = Problem::new(Severity::Warning, "debug-info", message);
            problems.push(problem.help("`polyplug build --release` leaves it out"));
        }
    }
    if systems.len() == 1 {
        let message = format!("the bundle has a library for {} alone", systems[0]);
        let problem = Problem::new(Severity::Warning, "one-platform", message);
        let problem = problem.at(manifest.origin.join("manifest.toml"), Part::Text("file".to_owned()));
        problems.push(problem.help(
            "for others, build the plugin there and name each library: `file = { linux = \"..\", macos = \"..\", windows = \
             \"..\" }`",
        ));
    }
}

/// Finds the artifacts that the manifest names for other platforms, and that are not there.
fn missing_artifacts(manifest: &ManifestData, files: &[(PathBuf, u64)], problems: &mut Vec<Problem>) {
    let text = read(manifest, Path::new("manifest.toml"), u64::MAX).and_then(|bytes| String::from_utf8(bytes).ok());
    let Some(table) = text.and_then(|text| text.parse::<toml::Table>().ok()) else { return };
    let Some(toml::Value::Table(platforms)) = table.get("file") else { return };
    let named = platforms.iter().flat_map(|(platform, named)| match named {
        toml::Value::Table(machines) => machines
            .iter()
            .filter_map(|(machine, file)| Some((format!("{platform}.{machine}"), file.as_str()?)))
            .collect::<Vec<_>>(),
        file => file.as_str().map(|file| (platform.clone(), file)).into_iter().collect(),
    });
    for (platform, file) in named {
        if file != manifest.file && !files.iter().any(|(path, _)| path == Path::new(file)) {
            let message = format!("there is no `{file}`, which the manifest names for {platform}");
            let problem = Problem::new(Severity::Warning, "missing-artifact", message);
            let problem = problem.at(manifest.origin.join("manifest.toml"), Part::Text(file.to_owned()));
            problems.push(problem.help("build it, and put it into the bundle, or leave the entry out"));
        }
    }
}

/// Loads the bundle, and finds what a host refuses. A bundle that needs what is not there is loaded without that as well, so that
/// what is wrong with its code is found in the same run.
fn loaded(
    args: &Check,
    wanted: &Contracts,
    manifest: &ManifestData,
    files: &[(PathBuf, u64)],
    problems: &mut Vec<Problem>,
) {
    if manifest.origin.is_dir() && !manifest.artifact().is_file() && is_project(&manifest.origin) {
        let message = format!("there is no `{}`: this is a project, whose bundle is made by a build", manifest.file);
        let problem = Problem::new(Severity::Error, "not-built", message);
        problems.push(problem.help(format!(
            "`polyplug build {}`, and check the bundle that the command names",
            manifest.origin.display()
        )));
        return;
    }
    let error = match Opened::load(&args.bundle, &args.needs.with, wanted, None) {
        Ok(opened) => return problems.extend(compared(&opened, wanted, files)),
        Err(error) => error,
    };
    let Some(RuntimeError::DependencyMissing { missing }) = error.downcast_ref() else {
        problems.extend(of_load(&format!("{error:#}"), &manifest.origin, files));
        return;
    };
    for missing in missing {
        let problem = Problem::new(Severity::Error, "load", missing.to_string());
        problems.push(problem.at(manifest.origin.join("manifest.toml"), Part::Line(missing.declared.line, 0)));
    }
    let found = match Opened::load_alone(&args.bundle, wanted) {
        Ok(opened) => compared(&opened, wanted, files),
        Err(error) => of_load(&format!("{error:#}"), &manifest.origin, files),
    };
    // That a contract is not there was said above.
    let is_said = |problem: &Problem| {
        let mut names = missing.iter().filter_map(|missing| missing.declared.contract.split('@').next());
        matches!(problem.code, "load" | "start") && names.any(|name| problem.message.contains(name))
    };
    problems.extend(found.into_iter().filter(|problem| !is_said(problem)));
}

/// Makes the problems of an error of a load, which lists several plugins in a line each.
fn of_load(error: &str, folder: &Path, files: &[(PathBuf, u64)]) -> Vec<Problem> {
    match error.split_once("\n- ") {
        Some((_, listed)) => listed.split("\n- ").map(|error| with_place(error, folder, files)).collect(),
        None => vec![with_place(error, folder, files)],
    }
}

/// Makes a problem of an error, at the place that the error names in a file of the bundle.
fn with_place(error: &str, folder: &Path, files: &[(PathBuf, u64)]) -> Problem {
    let problem = Problem::new(Severity::Error, "load", error);
    for (path, _) in files {
        let name = path.display().to_string();
        let mut rest = error;
        while let Some(at) = rest.find(&name) {
            rest = &rest[at + name.len()..];
            let digits: String =
                rest.strip_prefix(':').unwrap_or_default().chars().take_while(char::is_ascii_digit).collect();
            if let Ok(line) = digits.parse() {
                return problem.at(folder.join(path), Part::Line(line, 0));
            }
        }
    }
    problem
}

/// Finds a contract of a later minor version in which nothing says that it was added later.
fn without_since(schema: &Schema, problems: &mut Vec<Problem>) {
    if schema.minor == 0 || schema.has_grown() || schema.methods.iter().any(|method| method.since > 0) {
        return;
    }
    let message = format!("{schema} has no `since`: all of it counts as part of {}@{}.0", schema.name, schema.major);
    let problem = Problem::new(Severity::Warning, "no-since", message);
    problems.push(problem.help(format!(
        "write `#[contract(since = \"{}.{}\")]` before what this version has added: plugins of an older version are refused \
         otherwise",
        schema.major, schema.minor
    )));
}

/// Compares the contracts that the bundle implements with those that hosts have. Returns the problems.
fn compared(opened: &Opened, wanted: &Contracts, files: &[(PathBuf, u64)]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for schema in opened.contracts() {
        let schema = match schema {
            Ok(schema) => schema,
            Err(error) => {
                problems.push(match error {
                    RuntimeError::Factory { .. } => Problem {
                        code: "start",
                        severity: Severity::Warning,
                        ..with_place(&error.to_string(), &opened.manifest.origin, files)
                    }
                    .help(
                        "a host makes an instance before it calls the plugin. Here each call of a host contract fails, so a \
                         plugin that calls one as it starts may start in a host",
                    ),
                    _ => Problem::new(Severity::Warning, "no-schema", error.to_string()),
                });
                continue;
            }
        };
        without_since(&schema, &mut problems);
        let Some(host) = wanted.get(&contracts::key(&schema)) else { continue };
        let (older, newer) = if host.minor <= schema.minor { (host, &schema) } else { (&schema, host) };
        for change in compare(older, newer) {
            let is_refused =
                if std::ptr::eq(host, older) { change.verdict.breaks_hosts() } else { change.verdict.breaks_plugins() };
            if is_refused {
                problems.push(Problem::new(
                    Severity::Error,
                    "incompatible",
                    format!("{}: {change}", contracts::key(host)),
                ));
            }
        }
    }
    problems
}
