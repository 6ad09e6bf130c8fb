//! A plugin that reads its settings as it starts.

use polyplug::PluginContext;
use serde::Deserialize;
use test_contracts::conformance::Reading;

#[derive(Deserialize)]
struct Settings {
    title: String,
    limits: Limits,
    words: Vec<String>,
    verbose: Option<bool>,
}

#[derive(Deserialize)]
struct Limits {
    lines: i64,
    share: f64,
}

struct Reads {
    settings: Settings,
    bundle: String,
}

impl Reads {
    fn new(context: &PluginContext) -> Result<Self, String> {
        let settings: Settings = context.config().map_err(|error| error.to_string())?;
        if settings.title.is_empty() {
            return Err("a title is needed".to_owned());
        }
        Ok(Self { settings, bundle: context.bundle_name() })
    }
}

#[polyplug::plugin(create = Reads::new)]
impl Reading for Reads {
    fn title(&self) -> String {
        self.settings.title.clone()
    }

    fn limits(&self) -> (i64, f64) {
        (self.settings.limits.lines, self.settings.limits.share)
    }

    fn words(&self) -> Vec<String> {
        self.settings.words.clone()
    }

    fn verbose(&self) -> bool {
        self.settings.verbose.unwrap_or(false)
    }

    fn bundle(&self) -> String {
        self.bundle.clone()
    }
}
