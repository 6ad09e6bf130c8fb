//! The settings of a plugin, read into a type of its own.

use serde::de::DeserializeOwned;

use crate::guest::context::PluginContext;

/// The error of settings that do not have the type that a plugin expects.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
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
    /// The fault, and what the plugin expects instead.
    pub message: String,
}

crate::debug_text::debug_as_display!(ConfigError);

fn place(key: &str) -> String {
    if key.is_empty() { String::new() } else { format!("{key}: ") }
}

impl PluginContext {
    /// Reads the bundle's settings: the `[config]` of its manifest, overridden by the settings that the host gives. The
    /// settings do not change during the lifetime of this version of the bundle.
    ///
    /// # Errors
    ///
    /// Fails with [`ConfigError`], which names the bundle and the key. A factory that returns the error passes it on to
    /// the caller that asked for an instance.
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
        // Through a `Value`, so that messages name keys instead of positions in JSON text, which no author wrote.
        let value: serde_json::Value =
            serde_json::from_str(&self.config_text()).map_err(|error| failed(String::new(), error.to_string()))?;
        serde_path_to_error::deserialize(value).map_err(|error| {
            let key = error.path().to_string();
            let key = if key == "." { String::new() } else { key };
            failed(key, error.into_inner().to_string())
        })
    }
}
