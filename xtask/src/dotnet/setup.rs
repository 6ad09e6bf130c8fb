//! The toolchain and everything that is compiled with it, at once.

use anyhow::Result;

use super::guests::Guests;
use super::stages;
use super::toolchain::{Toolchain, WITHOUT, place};

/// `cargo xtask dotnet`: sets the toolchain up, compiles the guests if they are wanted, and prints the toolchain's roots.
pub(crate) fn run(guests: bool) -> Result<()> {
    let toolchain = Toolchain::set_up()?;
    eprintln!("      {}", toolchain.described());
    if guests {
        compile_all(&toolchain)?;
    }
    for root in toolchain.roots() {
        println!("{}", root.display());
    }
    Ok(())
}

/// Sets the toolchain up, and compiles the guests and the stages of the example that have changed. Where that is not
/// possible, it says so.
pub(crate) fn build() -> Result<()> {
    let remedies = format!("    to make them run:    cargo xtask dotnet\n    to do without them:  {WITHOUT}=dotnet");
    match Toolchain::set_up_or_skip("tests that need .NET cannot run", &remedies)? {
        Some(toolchain) => compile_all(&toolchain),
        None => Ok(()),
    }
}

/// Compiles the guests and the stages that have changed.
fn compile_all(toolchain: &Toolchain) -> Result<()> {
    Guests::all()?.build(toolchain, &place().join("guests"))?;
    stages::build_with(toolchain).map(drop)
}
