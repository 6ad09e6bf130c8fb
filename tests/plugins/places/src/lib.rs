//! A plugin that tells where its bundle and its data are, and writes to the log.

use std::path::PathBuf;

use polyplug::{LogLevel, PluginContext};
use test_contracts::places::Places;

struct Tells(PluginContext);

impl Tells {
    fn new(context: &PluginContext) -> Result<Self, String> {
        Ok(Self(context.clone()))
    }
}

fn text(path: PathBuf) -> String {
    path.into_os_string().into_string().expect("the tests use UTF-8")
}

#[polyplug::plugin(create = Tells::new)]
impl Places for Tells {
    fn directory(&self) -> Option<String> {
        self.0.directory().map(text)
    }

    fn data_directory(&self) -> Result<String, String> {
        self.0.data_directory().map(text).map_err(|error| format!("{:?}: {error}", error.kind()))
    }

    fn log(&self, level: u32, message: &str) {
        self.0.log(LogLevel(level), message);
    }

    fn panic(&self, message: &str) {
        panic!("{message}");
    }
}
