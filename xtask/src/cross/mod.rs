//! Compilers and tools for other targets, unpacked from Debian's packages below the target directory.
//!
//! Nothing is installed, and no rights are needed. rustup's toolchains may lack the other targets and the source of the
//! standard library; Debian's `rustc-web` with that source builds the library along for each target.

mod apt;
mod compiler;
mod exports;
mod group;
mod target;

use std::env;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::lock::Lock;
use crate::{process, workspace};
use apt::Apt;
use compiler::Compiler;
pub(crate) use target::Target;

/// `cargo xtask cross`: sets up the compiler, and what `targets` need beside it. Prints the lines for a shell that select
/// them.
pub(crate) fn run(targets: &[Target]) -> Result<()> {
    let place = workspace::target_dir().join("cross");
    set_up(&place, targets).context(REMEDY).map(|compiler| {
        for line in exports::lines(&place, &compiler, targets) {
            println!("{line}");
        }
    })
}

const REMEDY: &str = "cannot set up the compiler for other targets. The packages come from Debian 12 (bookworm) with its \
    security archive, on x86-64; where the archive is configured, `apt-get update` reads its index. Elsewhere use \
    `rustup target add TARGET`, `rustup component add rust-src`, and the C compiler for the target that the system has";

fn set_up(place: &Path, targets: &[Target]) -> Result<Compiler> {
    if (env::consts::OS, env::consts::ARCH) != ("linux", "x86_64") {
        bail!("this is {} on {}, and the packages are for Linux on x86_64", env::consts::OS, env::consts::ARCH);
    }
    for (tool, package) in [("apt-get", "apt"), ("dpkg", "dpkg")] {
        if !process::succeeds(Command::new(tool).arg("--version")) {
            bail!("this machine lacks `{tool}`, of Debian's package {package}");
        }
    }
    let _lock = Lock::take(place)?;
    let apt = Apt::new(place);
    let compiler = Compiler::set_up(&apt)?;
    for target in targets {
        if let Some(group) = target.group(compiler.llvm) {
            group.set_up(&apt)?;
        }
    }
    Ok(compiler)
}
