//! A test in a script, of a plugin whose own language has none in this program.

use super::files::Files;
use super::lua;
use super::plugin::Plugin;

/// Adds a test in Lua.
pub(super) fn add(files: &mut Files, plugin: &Plugin<'_>) {
    files.add(format!("tests/{}.lua", plugin.name), lua::test(plugin));
}
