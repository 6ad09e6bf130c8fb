//! Loads polyplug bundles written for .NET.
//!
//! A plugin is a class with the attribute `Plugin` and the contract's methods. The loader binds the methods when the bundle
//! is loaded, and converts values according to the contract's types.
//!
//! ```no_run
//! use polyplug::Runtime;
//! use polyplug_dotnet::DotnetLoader;
//!
//! # fn main() -> Result<(), polyplug::error::RuntimeError> {
//! let runtime = Runtime::builder().loader(DotnetLoader::new()).build()?;
//! runtime.load_bundle("plugins/calculator-dotnet")?;
//! # Ok(())
//! # }
//! ```
//!
//! The bundle has an assembly, which a project of the .NET SDK compiles:
//!
//! ```text
//! [Plugin("demo.calculator@1")]
//! public class Calculator
//! {
//!     public int Add(int a, int b) => a + b;
//! }
//! ```
//!
//! The project refers to the assembly `Polyplug.dll`, which has the attribute and the other types for plugins. [`assembly()`]
//! returns the contents of that file.
//!
//! All bundles of a process run in one CLR, the virtual machine of .NET. The CLR is that of an installation of .NET Core
//! 3.1 or later, which is found when the first bundle is loaded; building needs no .NET. Each version of a bundle has a load
//! context of its own, which can be unloaded.
//!
//! docs/src/dotnet.md describes how plugins are written, and which types of .NET stand for the types of contracts.

// docs/src/design.md lists the modules by their layers.

mod bridge;
mod bundle;
mod check;
mod clr;
mod describe;
mod engine;
mod fault;
mod host;
mod loader;
mod names;
mod reference;
mod start;
mod unload;
mod wire;

pub use loader::DotnetLoader;
pub use reference::{assembly, assembly_docs};
