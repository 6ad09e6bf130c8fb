//! The languages of plugins: how each spells the names and types of contracts, and stubs for its tools.
//!
//! - [`Language`]: the languages
//! - [`type_name`]: the spelling of a type
//! - [`stubs`]: the stubs of contracts
//! - `keywords`: the keywords of each language
//! - `names`: names in the manner of each language
//! - `docs`: documentation that cannot leave its comment
//! - `parts`: what the generators ask of a schema
//! - `template`: texts with places for others
//! - `check`: what keeps a contract from being spelled in a language
//! - `python`, `lua`, `ts`, `csharp`, `c`: the spelling of types, and stubs; `c_types`: the spelling of types in C

mod c;
mod c_types;
mod check;
mod csharp;
mod docs;
mod keywords;
mod language;
mod lua;
pub(crate) mod names;
mod parts;
mod python;
mod template;
mod ts;

use anyhow::Result;
use polyplug::schema::{Schema, TypeRef};

use crate::bundle::Contracts;

pub(crate) use language::Language;

/// Returns the spelling of a type as the type of an argument that a plugin gets.
pub(crate) fn type_name(language: Language, schema: &Schema, ty: &TypeRef) -> String {
    match language {
        Language::Python => python::type_name(schema, ty),
        Language::Lua => lua::type_name(schema, ty),
        Language::Ts => ts::type_name(schema, ty),
        Language::Csharp => csharp::type_name(schema, ty),
        Language::C => c_types::type_name(schema, ty),
    }
}

/// Returns the stubs of contracts: the paths of files, with `/` between folders, and their texts.
///
/// # Errors
///
/// The language has no spelling for a name of a contract, or the same one for two names.
pub(crate) fn stubs(language: Language, contracts: &Contracts) -> Result<Vec<(String, String)>> {
    check::check(language, contracts)?;
    Ok(match language {
        Language::Python => python::stubs(contracts),
        Language::Lua => lua::stubs(contracts),
        Language::Ts => ts::stubs(contracts),
        Language::Csharp => csharp::stubs(contracts),
        Language::C => c::stubs(contracts),
    })
}
