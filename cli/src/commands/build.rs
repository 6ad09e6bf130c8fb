//! `polyplug build`.

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use notify::{EventKind, RecursiveMode, Watcher};
use polyplug::loader::ManifestData;

use crate::args::Build;
use crate::assemble::{is_output, write};
use crate::build::artifacts;
use crate::bundle::{environment_left_out, files};
use crate::exit::Exit;
use crate::text::{BOLD, YELLOW, bytes, error, styled};

pub(crate) fn run(args: &Build) -> Result<Exit> {
    if !args.project.is_dir() {
        bail!("{}: there is no such folder", args.project.display());
    }
    if args.watch {
        return watch(args);
    }
    build(args)?;
    Ok(Exit::Fine)
}

/// Builds once, and prints what the bundle is.
fn build(args: &Build) -> Result<()> {
    let out = args.out.clone().unwrap_or_else(|| args.project.join("bundles"));
    let artifacts = artifacts(args)?;
    let folder = write(&artifacts, &out)?;
    let manifest = ManifestData::read(&folder)?;
    if let Some(reason) = environment_left_out(&manifest) {
        anstream::eprintln!("{} {}: {reason}", styled(YELLOW, "warning:"), folder.display());
    }
    let files = files(&folder)?;
    let size = files.iter().map(|(_, size)| size).sum();
    let name = styled(BOLD, &manifest.name);
    anstream::println!(
        "{}: {name} {} ({}, {} files, {})",
        folder.display(),
        manifest.version,
        manifest.loader,
        files.len(),
        bytes(size)
    );
    Ok(())
}

/// Builds whenever a file of the project changes.
fn watch(args: &Build) -> Result<Exit> {
    const QUIET: Duration = Duration::from_millis(150);

    let project = args.project.canonicalize().with_context(|| format!("cannot read {}", args.project.display()))?;
    // What a build writes is no reason to build. The folders exist from now on, so that their paths are known.
    let mut outputs = Vec::new();
    for folder in [&args.out, &args.target_dir].into_iter().flatten() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        outputs.push(folder.canonicalize().with_context(|| format!("cannot use {}", folder.display()))?);
    }
    let (sender, changes) = mpsc::channel();
    let root = project.clone();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let Ok(event) = event else { return };
        let is_source = |path: &PathBuf| {
            let is_out = outputs.iter().any(|out| path.starts_with(out));
            let relative = path.strip_prefix(&root).unwrap_or(path);
            !is_out && !is_output(relative)
        };
        if !matches!(event.kind, EventKind::Access(_)) && event.paths.iter().any(is_source) {
            let _ = sender.send(());
        }
    })?;
    watcher.watch(&project, RecursiveMode::Recursive).with_context(|| format!("cannot watch {}", project.display()))?;
    loop {
        report(build(args));
        anstream::eprintln!("waiting for changes in {}", args.project.display());
        changes.recv().context("the watch of the project ended")?;
        // An editor writes several files, and several times.
        while changes.recv_timeout(QUIET).is_ok() {}
    }
}

/// Prints an error: the next change of a file may mend what is wrong.
fn report(result: Result<()>) {
    if let Err(failure) = result {
        anstream::eprintln!("{}", error(&format!("{failure:#}")));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn output_is_no_source() {
        for path in ["target/debug/x", "bundles/a/main.lua", "node_modules/x", ".git/HEAD", "build/x.so"] {
            assert!(is_output(Path::new(path)), "{path}");
        }
        for path in ["main.lua", "src/lib.rs", "lib/build.lua"] {
            assert!(!is_output(Path::new(path)), "{path}");
        }
    }
}
