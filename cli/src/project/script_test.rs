//! A test in a script, of a plugin whose own language has none in this program.

use polyplug::schema::Method;

use super::files::Files;
use super::lua;
use super::plugin::Plugin;

/// Adds a test in Lua, of a method that `answers` as the project is made.
pub(super) fn add(files: &mut Files, plugin: &Plugin<'_>, answers: impl Fn(&Method) -> bool) {
    files.add(format!("tests/{}.lua", plugin.name), lua::test(plugin, answers));
}
