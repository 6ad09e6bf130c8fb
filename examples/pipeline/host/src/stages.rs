//! Turns the configuration into stages that can be called.

use crate::config::StageConfig;
use crate::run::{Stage, Step};
use anyhow::{Context, ensure};
use pipeline_contracts::{Batch, Flush, Record, StageProxy};
use polyplug::{BundleId, Runtime};
use std::collections::HashMap;
use std::path::Path;

/// Loads each bundle once, those that are only called by others first. Makes one proxy, so one instance, a stage: a
/// bundle may serve two stages.
///
/// # Errors
///
/// The first bundle that cannot be loaded, or has no stage.
pub fn load(runtime: &Runtime, peers: &[String], stages: &[StageConfig], bundles: &Path) -> anyhow::Result<Vec<Stage>> {
    for StageConfig { bundle, config } in stages {
        if let Some(config) = config {
            runtime.configure(bundle, config)?;
        }
    }
    let mut loaded = HashMap::new();
    for peer in peers {
        loaded.insert(peer.as_str(), load_bundle(runtime, &bundles.join(peer))?);
    }
    stages
        .iter()
        .map(|StageConfig { bundle, .. }| {
            let folder = bundles.join(bundle);
            let id = match loaded.get(bundle.as_str()) {
                Some(id) => *id,
                None => *loaded.entry(bundle.as_str()).or_insert(load_bundle(runtime, &folder)?),
            };
            stage(runtime, bundle, id).with_context(|| format!("in bundle `{bundle}`"))
        })
        .collect()
}

pub(crate) fn load_bundle(runtime: &Runtime, folder: &Path) -> anyhow::Result<BundleId> {
    ensure!(
        folder.join("manifest.toml").is_file(),
        "there is no bundle in {}: build the bundles with `cargo xtask demo`, or name their folder with `--bundles`",
        folder.display()
    );
    runtime.load_bundle(folder).with_context(|| format!("cannot load the bundle in {}", folder.display()))
}

fn stage(runtime: &Runtime, bundle: &str, id: BundleId) -> anyhow::Result<Stage> {
    let proxy = runtime
        .proxy_from::<dyn pipeline_contracts::Stage>(id)
        .context("it has no stage: one of its plugins must implement `pipeline.stage@1`")?;
    let language = runtime.bundle(id).and_then(|bundle| bundle.loader).context("it is not loaded any more")?;
    let info = proxy.describe().context("it cannot describe itself")?;
    Ok(Stage {
        name: info.name,
        summary: info.summary,
        language: language.to_owned(),
        bundle: bundle.into(),
        step: Box::new(proxy),
    })
}

impl Step for StageProxy {
    fn process(&self, records: Vec<Record>) -> anyhow::Result<Batch> {
        Ok(StageProxy::process(self, records)??)
    }

    fn flush(&self) -> anyhow::Result<Flush> {
        Ok(StageProxy::flush(self)??)
    }
}
