//! `cargo xtask demo`: the log pipeline, from sources to a report, in one command.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::steps::Steps;
use crate::workspace::{self, Profile};
use crate::{bundle, bundles, dotnet, process, python};

const PIPELINE: &str = "examples/pipeline/pipeline.toml";
const LOG: &str = "examples/pipeline/data/access.log";
const HOST: &str = "pipeline";

/// Where the report is written, below the target directory.
const REPORT: &str = "demo/report.html";

pub(crate) fn run(log: Option<&Path>) -> Result<()> {
    let root = workspace::root();
    let log = log_file(log, &root)?;
    eprintln!(
        "This builds a host that reads a web server's log and the plugins it reads it with, puts each plugin into a\n\
         bundle, and runs the host. The plugins are shared libraries, an assembly of .NET, and scripts in Lua, Python and\n\
         JavaScript; the host knows them only by their contracts.\n"
    );

    let stages = workspace::stages()?;
    let mut steps = Steps::new(6);
    steps.step("Looking for what is needed", check_tools)?;
    let title = format!("Building {} plugins, optimized", stages.len());
    steps.step(&title, || process::build(&stages, Profile::Release))?;
    let dotnet = steps.step("Compiling the plugins in C#", dotnet::build_stages)?;
    steps.step("Building the host, optimized", || process::build_named(&[HOST], Profile::Release))?;
    let out = bundles::default_out();
    steps.step("Assembling the bundles", || {
        for folder in bundles::assemble(&stages, Profile::Release, dotnet.as_ref(), &out)? {
            eprintln!("      {}", folder.display());
        }
        Ok(())
    })?;
    let title = format!("Running the pipeline over {}", log.display());
    let report = workspace::target_dir().join(REPORT);
    let mut host = host(&root, &log, &out, &report);
    match &dotnet {
        Some(dotnet) => with_dotnet(&mut host, &dotnet.root),
        None => without(&mut host, &workspace::dotnet_stages()?)?,
    }
    steps.step(&title, || process::run(&mut host))?;
    steps.finish();
    eprintln!("Open {} in a browser: it shows the same with charts.", report.display());
    eprintln!(
        "Change a plugin in examples/pipeline/stages and run this again, or give it a log of yours with --log FILE."
    );
    Ok(())
}

/// Returns the host's command line.
fn host(root: &Path, log: &Path, bundles: &Path, report: &Path) -> Command {
    let program = format!("{HOST}{}", env::consts::EXE_SUFFIX);
    let mut command = process::program(workspace::target_dir().join(Profile::Release.folder()).join(program));
    command.arg(root.join(PIPELINE)).arg("--log").arg(log).arg("--bundles").arg(bundles).arg("--report").arg(report);
    command
}

/// Has the host run plugins in C# with the .NET in `root`.
fn with_dotnet(host: &mut Command, root: &Path) {
    host.env("DOTNET_ROOT", root);
}

/// Has the host leave out the stages in these folders.
fn without(host: &mut Command, folders: &[PathBuf]) -> Result<()> {
    for folder in folders {
        host.arg("--without").arg(bundle::name_of(folder)?);
    }
    Ok(())
}

/// Returns the path of the log to read, checked before anything is built.
fn log_file(given: Option<&Path>, root: &Path) -> Result<PathBuf> {
    let Some(given) = given else { return Ok(root.join(LOG)) };
    // The host reads standard input.
    if given == Path::new("-") {
        return Ok(given.to_owned());
    }
    let path = std::path::absolute(given).with_context(|| format!("cannot find {}", given.display()))?;
    if !path.exists() {
        bail!("there is no file {}: give --log the path of a log to read", path.display());
    }
    Ok(path)
}

/// Checks that the other programs that the demo needs are installed; the error says how to get them.
fn check_tools() -> Result<()> {
    let mut missing = Vec::new();
    if !process::succeeds(process::cargo().arg("--version")) {
        missing.push("cargo, which comes with Rust: install it from https://rustup.rs");
    }
    // On Windows the linker comes with the toolchain's own installer.
    if cfg!(unix) && !process::succeeds(process::program("cc").arg("--version")) {
        missing.push(C_COMPILER);
    }
    if cfg!(unix) && !process::succeeds(process::program(MAKE).arg("--version")) {
        missing.push(NO_MAKE);
    }
    let python = python::described();
    missing.extend(python.as_ref().err());
    if missing.is_empty() {
        eprintln!("      cargo, a C compiler and make are here, and a Python to build with");
        eprintln!("      {}", python.unwrap_or_default());
        return Ok(());
    }
    bail!("this machine lacks:\n  - {}", missing.join("\n  - "));
}

const C_COMPILER: &str = "a C compiler `cc`, which Rust links with:\n      \
     Debian, Ubuntu   sudo apt-get install gcc libc6-dev\n      \
     Fedora           sudo dnf install gcc\n      \
     Arch             sudo pacman -S gcc\n      \
     Alpine           sudo apk add gcc musl-dev\n      \
     macOS            xcode-select --install";

/// Returns the name by which LuaJIT's build calls GNU make.
const MAKE: &str = if cfg!(any(target_os = "freebsd", target_os = "dragonfly")) { "gmake" } else { "make" };

const NO_MAKE: &str = "make, which builds LuaJIT:\n      \
     Debian, Ubuntu   sudo apt-get install make\n      \
     Fedora           sudo dnf install make\n      \
     Arch             sudo pacman -S make\n      \
     Alpine           sudo apk add make\n      \
     FreeBSD          sudo pkg install gmake\n      \
     macOS            xcode-select --install";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_in_csharp_are_left_out_where_there_is_no_dotnet() {
        let [root, out] = ["/repository", "/bundles"].map(Path::new);
        let mut host = host(root, &root.join(LOG), out, &out.join("report.html"));
        let before = host.get_args().count();
        with_dotnet(&mut host, Path::new("/dotnet"));
        assert!(host.get_envs().any(|each| each == ("DOTNET_ROOT".as_ref(), Some("/dotnet".as_ref()))));
        assert_eq!(host.get_args().count(), before);

        without(&mut host, &workspace::dotnet_stages().unwrap()).unwrap();
        assert_eq!(host.get_args().skip(before).collect::<Vec<_>>(), ["--without", "validate"]);
    }

    #[test]
    fn the_shipped_log_is_read_unless_another_is_given() {
        let root = Path::new("/repository");
        assert_eq!(log_file(None, root).unwrap(), root.join(LOG));

        let temp = tempfile::tempdir().unwrap();
        let log = temp.path().join("mine.log");
        std::fs::write(&log, "").unwrap();
        assert_eq!(log_file(Some(&log), root).unwrap(), log);

        assert_eq!(log_file(Some(Path::new("-")), root).unwrap(), Path::new("-"));

        let error = log_file(Some(&temp.path().join("gone.log")), root).unwrap_err().to_string();
        assert!(error.contains("gone.log"), "{error}");
    }
}
