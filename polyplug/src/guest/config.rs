//! Settings, read into a plugin's own types.

use serde::de::DeserializeOwned;

use crate::guest::context::PluginContext;

/// Settings are not what a plugin expects.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "bundle `{bundle}`: settings: {}{message}: correct `[config]` in its manifest.toml, or what the host gives to \
     `Runtime::configure`",
    place(.key)
)]
#[non_exhaustive]
pub struct ConfigError {
    /// The bundle's name.
    pub bundle: String,
    /// The key, such as `limits.max_lines`; empty for the settings as a whole.
    pub key: String,
    /// What is wrong, and what is expected.
    pub message: String,
}

fn place(key: &str) -> String {
    if key.is_empty() { String::new() } else { format!("{key}: ") }
}

impl PluginContext {
    /// The bundle's settings: what its manifest says under `[config]`, with what the host says instead. They stay as they
    /// are for as long as this version of the bundle.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the bundle and the key. Return it from the factory, and whoever makes an instance is
    /// told.
    ///
    /// ```
    /// use polyplug::{ConfigError, PluginContext};
    ///
    /// #[derive(serde::Deserialize)]
    /// #[serde(deny_unknown_fields)]
    /// struct Settings {
    ///     max_lines: u32,
    ///     #[serde(default)]
    ///     prefix: String,
    /// }
    ///
    /// struct Journal(Settings);
    ///
    /// impl Journal {
    ///     fn new(context: &PluginContext) -> Result<Self, ConfigError> {
    ///         context.config().map(Self)
    ///     }
    /// }
    /// ```
    pub fn config<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        let failed = |key: String, message: String| ConfigError { bundle: self.bundle_name(), key, message };
        // By way of a value, so that messages speak of keys and not of places in a text that nobody wrote.
        let value: serde_json::Value =
            serde_json::from_str(&self.config_text()).map_err(|error| failed(String::new(), error.to_string()))?;
        serde_path_to_error::deserialize(value).map_err(|error| {
            let key = error.path().to_string();
            let key = if key == "." { String::new() } else { key };
            failed(key, error.into_inner().to_string())
        })
    }
}
