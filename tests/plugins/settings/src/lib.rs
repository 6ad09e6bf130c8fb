//! A plugin that reads its settings.

use polyplug::PluginContext;
use serde::Deserialize;
use test_contracts::settings::Settings;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Typed {
    prefix: String,
    limits: Limits,
    since: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    max_lines: u32,
    #[serde(default)]
    words: Vec<String>,
}

struct Reads(PluginContext);

impl Reads {
    /// Refuses to start if the settings say so.
    fn new(context: &PluginContext) -> Result<Self, String> {
        if context.config_text().contains("\"refuse\":true") {
            context.config::<Typed>().map_err(|error| error.to_string())?;
        }
        Ok(Self(context.clone()))
    }
}

#[polyplug::plugin(create = Reads::new, singleton)]
impl Settings for Reads {
    fn text(&self) -> String {
        self.0.config_text()
    }

    fn typed(&self) -> Result<Vec<String>, String> {
        let Typed { prefix, limits, since } = self.0.config().map_err(|error| error.to_string())?;
        Ok(vec![prefix, limits.max_lines.to_string(), limits.words.join(" "), since.unwrap_or_default()])
    }

    fn bundle(&self) -> String {
        self.0.bundle_name()
    }
}
