//! The configuration file.

use anyhow::{Context, ensure};
use serde::Deserialize;
use std::collections::HashSet;
use std::num::{NonZeroU64, NonZeroUsize};
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
    /// After how many records a stage's progress is shown. Never, if absent.
    pub progress: Option<NonZeroU64>,
    /// Bundles that stages call, beside those of other stages.
    #[serde(default)]
    pub peers: Vec<String>,
    /// The stages in order.
    #[serde(rename = "stage", default)]
    pub stages: Vec<StageConfig>,
    /// The bundle that makes the report, if one is wanted.
    pub report: Option<StageConfig>,
}

/// A bundle that the host calls: a stage, or what makes the report.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageConfig {
    /// The name of the bundle that has it, which is also its folder's.
    pub bundle: String,
    /// Settings for the bundle, over those of its manifest.
    pub config: Option<toml::Table>,
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

    /// Leaves out the stages of a bundle.
    ///
    /// # Errors
    ///
    /// The bundle has no stage, or no stage would be left.
    pub fn leave_out(&mut self, bundle: &str) -> anyhow::Result<()> {
        let has = |stage: &StageConfig| stage.bundle == bundle;
        let names = self.stages.iter().map(|stage| stage.bundle.as_str()).collect::<Vec<_>>().join(", ");
        ensure!(self.stages.iter().any(has), "`--without {bundle}`: the configuration has only the stages {names}");
        self.stages.retain(|stage| !has(stage));
        ensure!(!self.stages.is_empty(), "`--without {bundle}`: no stage is left");
        Ok(())
    }

    fn parse(text: &str, folder: &Path) -> anyhow::Result<Self> {
        let mut config: Self = toml::from_str(text)?;
        ensure!(!config.stages.is_empty(), "there is no stage: add a `[[stage]]` with `bundle = \"..\"`");
        let called = config.stages.iter().chain(&config.report);
        for bundle in config.peers.iter().chain(called.clone().map(|called| &called.bundle)) {
            let is_folder_name = Path::new(bundle).file_name().is_some_and(|name| name == bundle.as_str());
            ensure!(is_folder_name, "{bundle:?} is no bundle: give the name of a folder in `bundles`, not a path");
        }
        let mut configured = HashSet::new();
        for StageConfig { bundle, .. } in called.filter(|called| called.config.is_some()) {
            ensure!(
                configured.insert(bundle),
                "bundle `{bundle}` has settings twice: all stages of a bundle share them"
            );
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
        let twice = "[[stage]]\nbundle = 'x'\nconfig.a = 1\n".repeat(2);
        assert!(error(&format!("bundles = 'b'\n{twice}")).contains("bundle `x` has settings twice"));
        assert!(error("bundles = 'b'\npeers = ['../x']\n[[stage]]\nbundle = 'x'").contains("\"../x\" is no bundle"));
        assert!(error("bundles = 'b'\nprogress = 0\n[[stage]]\nbundle = 'x'").contains("nonzero"));
        let stage = "bundles = 'b'\n[[stage]]\nbundle = 'x'\nconfig.a = 1\n";
        assert!(error(&format!("{stage}[report]\nbundle = '../x'")).contains("\"../x\" is no bundle"));
        assert!(
            error(&format!("{stage}[report]\nbundle = 'x'\nconfig.a = 1")).contains("bundle `x` has settings twice")
        );
        for bundle in ["", "..", "../x", "/x", "x/y", "x/"] {
            assert!(error(&format!("bundles = 'b'\n[[stage]]\nbundle = '{bundle}'")).contains("no bundle"), "{bundle}");
        }
    }

    #[test]
    fn stages_can_be_left_out_but_one() {
        let stages = ["a", "b", "a"].map(|name| format!("[[stage]]\nbundle = '{name}'\n")).concat();
        let mut config = parse(&format!("bundles = 'b'\n{stages}")).unwrap();
        let error = config.leave_out("c").unwrap_err().to_string();
        assert_eq!(error, "`--without c`: the configuration has only the stages a, b, a");
        config.leave_out("a").unwrap();
        assert_eq!(config.stages.iter().map(|stage| &stage.bundle).collect::<Vec<_>>(), ["b"]);
        assert_eq!(config.leave_out("b").unwrap_err().to_string(), "`--without b`: no stage is left");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Config::read(Path::new("/nowhere/pipeline.toml")).unwrap_err();
        assert!(format!("{error:#}").contains("/nowhere/pipeline.toml"));
    }
}
