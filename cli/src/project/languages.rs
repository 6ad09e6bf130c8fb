//! The languages of plugins.

use anyhow::Result;

use super::files::Files;
use super::plugin::Plugin;
use super::{c, dotnet, javascript, lua, python, rust};
use crate::args::PluginLanguage;

/// Returns the files of a plugin in a language.
pub(crate) fn files_of(plugin: &Plugin<'_>, language: PluginLanguage) -> Result<Files> {
    Ok(match language {
        PluginLanguage::Rust => rust::files(plugin)?,
        PluginLanguage::Lua => lua::files(plugin)?,
        PluginLanguage::Python => python::files(plugin)?,
        PluginLanguage::Js => javascript::files(plugin, false)?,
        PluginLanguage::Ts => javascript::files(plugin, true)?,
        PluginLanguage::Dotnet => dotnet::files(plugin)?,
        PluginLanguage::C => c::files(plugin)?,
    })
}
