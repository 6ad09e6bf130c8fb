//! A contract for reading a plugin's settings.

/// Implemented by a plugin.
#[polyplug::contract(name = "test.settings", version = "1.0")]
pub trait Settings {
    /// The settings as JSON.
    fn text(&self) -> String;
    /// `prefix`, `limits.max_lines`, `limits.words` and `since`, each as it was read; or what is wrong with them.
    fn typed(&self) -> Result<Vec<String>, String>;
    /// What the plugin calls its bundle.
    fn bundle(&self) -> String;
}
