//! The languages of plugins: how each spells the names and types of contracts, and stubs for its tools.
//!
//! - [`Language`]: the languages
//! - `names`: names in the manner of each language
//! - `check`: what keeps a contract from being spelled in a language
//! - `docs`: documentation that cannot leave its comment
//! - `parts`: what the generators ask of a schema
//! - `python`, `lua`, `ts`, `csharp`, `c`: the spelling of types, and stubs

mod c;
mod check;
mod csharp;
mod docs;
mod lua;
pub(crate) mod names;
mod parts;
mod python;
mod ts;

use anyhow::Result;
use clap::ValueEnum;
use polyplug::schema::{Schema, TypeRef};

use crate::bundle::Contracts;

/// A language that plugins are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// A package of stubs (.pyi) for mypy and pyright
    Python,
    /// Annotations for the Lua language server
    Lua,
    /// Declarations (.d.ts) for TypeScript
    Ts,
    /// Interfaces and types in C#
    Csharp,
    /// A header for C and C++
    C,
}

impl Language {
    /// Returns the language's name, for messages.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Python => "Python",
            Self::Lua => "Lua",
            Self::Ts => "TypeScript",
            Self::Csharp => "C#",
            Self::C => "C",
        }
    }

    /// Returns the spelling of a type as the type of an argument that a plugin gets.
    // Stubs spell types by the languages' own functions; this is for code that is made from a contract.
    #[allow(dead_code)]
    pub(crate) fn type_name(self, schema: &Schema, ty: &TypeRef) -> String {
        match self {
            Self::Python => python::type_name(schema, ty),
            Self::Lua => lua::type_name(schema, ty),
            Self::Ts => ts::type_name(schema, ty),
            Self::Csharp => csharp::type_name(schema, ty),
            Self::C => c::type_name(schema, ty),
        }
    }

    /// Returns the stubs of contracts: the paths of files, with `/` between folders, and their texts.
    ///
    /// # Errors
    ///
    /// The language has no spelling for a name of a contract, or the same one for two names.
    pub(crate) fn stubs(self, contracts: &Contracts) -> Result<Vec<(String, String)>> {
        check::check(self, contracts)?;
        Ok(match self {
            Self::Python => python::stubs(contracts),
            Self::Lua => lua::stubs(contracts),
            Self::Ts => ts::stubs(contracts),
            Self::Csharp => csharp::stubs(contracts),
            Self::C => c::stubs(contracts),
        })
    }
}
