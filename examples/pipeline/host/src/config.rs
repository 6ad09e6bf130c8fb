//! The configuration file.

use anyhow::{Context, ensure};
use serde::Deserialize;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// What the configuration file says, with its paths made independent of the current folder.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The folder with one folder a bundle.
    pub bundles: PathBuf,
    /// The log to read unless the command line names one.
    pub log: Option<PathBuf>,
    /// Records that go through a stage at a time.
    #[serde(default = "default_batch")]
    pub batch: NonZeroUsize,
    /// The stages in order.
    #[serde(rename = "stage", default)]
    pub stages: Vec<StageConfig>,
}

/// One stage.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageConfig {
    /// The name of the bundle that has it, which is also its folder's.
    pub bundle: String,
}

fn default_batch() -> NonZeroUsize {
    const { NonZeroUsize::new(256).unwrap() }
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or says something that makes no sense.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the configuration {}", path.display()))?;
        Self::parse(&text, path.parent().unwrap_or(Path::new("")))
            .with_context(|| format!("in the configuration {}", path.display()))
    }

    fn parse(text: &str, folder: &Path) -> anyhow::Result<Self> {
        let mut config: Self = toml::from_str(text)?;
        ensure!(!config.stages.is_empty(), "there is no stage: add a `[[stage]]` with `bundle = \"..\"`");
        for StageConfig { bundle } in &config.stages {
            let is_folder_name = Path::new(bundle).file_name().is_some_and(|name| name == bundle.as_str());
            ensure!(is_folder_name, "{bundle:?} is no bundle: give the name of a folder in `bundles`, not a path");
        }
        config.bundles = folder.join(config.bundles);
        config.log = config.log.map(|log| folder.join(log));
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("/etc/pipeline")).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let config = parse("bundles = 'b'\nlog = '/var/log/access.log'\n[[stage]]\nbundle = 'parse'").unwrap();
        assert_eq!(config.bundles, Path::new("/etc/pipeline/b"));
        assert_eq!(config.log.unwrap(), Path::new("/var/log/access.log"));
        assert_eq!(config.batch.get(), 256);
    }

    #[test]
    fn mistakes_are_named() {
        let error = |text: &str| parse(text).unwrap_err();
        assert!(error("bundles = 'b'").contains("no stage"));
        assert!(error("bundles = 'b'\nbatch = 0\n[[stage]]\nbundle = 'x'").contains("nonzero"));
        assert!(error("bundles = 'b'\nbatches = 1\n[[stage]]\nbundle = 'x'").contains("batches"));
        assert!(error("[[stage]]\nbundle = 'x'").contains("bundles"));
        for bundle in ["", "..", "../x", "/x", "x/y", "x/"] {
            assert!(error(&format!("bundles = 'b'\n[[stage]]\nbundle = '{bundle}'")).contains("no bundle"), "{bundle}");
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Config::read(Path::new("/nowhere/pipeline.toml")).unwrap_err();
        assert!(format!("{error:#}").contains("/nowhere/pipeline.toml"));
    }
}
