//! The report of a run: the bundle that makes it, and the file.

use crate::config::StageConfig;
use crate::stages::load_bundle;
use anyhow::{Context, ensure};
use pipeline_contracts::{RendererProxy, SessionCounts, Sessions, Summary};
use polyplug::Runtime;
use std::fs;
use std::path::Path;

/// What makes the report.
pub struct Renderer {
    bundle: String,
    proxy: RendererProxy,
}

impl Renderer {
    /// Gets the renderer of the configured bundle, and loads the bundle unless it is loaded as a stage's.
    ///
    /// # Errors
    ///
    /// The bundle cannot be loaded, or has no renderer.
    pub fn load(
        runtime: &Runtime,
        StageConfig { bundle, config }: &StageConfig,
        bundles: &Path,
    ) -> anyhow::Result<Self> {
        if runtime.bundle(bundle).is_none() {
            if let Some(config) = config {
                runtime.configure(bundle, config)?;
            }
            load_bundle(runtime, &bundles.join(bundle))?;
        } else {
            ensure!(
                config.is_none(),
                "bundle `{bundle}` has a stage as well: its settings belong to that, `[[stage]]`"
            );
        }
        let proxy = runtime
            .proxy_from::<dyn pipeline_contracts::Renderer>(bundle)
            .context("it makes no reports: one of its plugins must implement `pipeline.renderer@1`")
            .with_context(|| format!("in bundle `{bundle}`"))?;
        Ok(Self { bundle: bundle.clone(), proxy })
    }

    /// Has the report made, and writes it to `file`. Returns its size in bytes.
    ///
    /// # Errors
    ///
    /// The bundle fails, or the file cannot be written.
    pub fn write(&self, summary: &Summary, file: &Path) -> anyhow::Result<u64> {
        let report = self
            .proxy
            .render(summary)
            .map_err(anyhow::Error::from)
            .and_then(|report| Ok(report?))
            .with_context(|| format!("bundle `{}` cannot make the report", self.bundle))?;
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        fs::write(file, &report).with_context(|| format!("cannot write the report {}", file.display()))?;
        Ok(report.len() as u64)
    }
}

/// Returns what each loaded bundle that knows sessions has counted.
///
/// # Errors
///
/// A bundle fails.
pub fn sessions(runtime: &Runtime) -> anyhow::Result<Vec<SessionCounts>> {
    let counters = runtime.proxies::<dyn Sessions>().context("cannot ask for the sessions")?;
    let counts = counters.iter().map(pipeline_contracts::SessionsProxy::counts).collect::<Result<_, _>>();
    counts.context("cannot ask for the sessions")
}
