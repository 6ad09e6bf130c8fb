//! The start of a bundle: loads the assembly and finds the plugins that it declares.

use std::sync::Arc;

use polyplug::engine::{Fault, Guest, PluginDecl, StartError};
use polyplug::loader::{Files, ManifestData};

use crate::bridge;
use crate::bundle::Bundle;
use crate::check;
use crate::clr::ClrConfig;
use crate::describe;
use crate::engine::DotnetEngine;
use crate::host::HOST;
use crate::wire::{Reader, Writer};

/// Loads the assembly of a bundle: the file that the manifest names, or `bytes`.
///
/// # Errors
///
/// The CLR does not start, or the assembly cannot be loaded.
pub(crate) fn start(
    guest: &Arc<Guest>,
    manifest: &ManifestData,
    bytes: Option<&[u8]>,
    config: &ClrConfig,
) -> Result<(DotnetEngine, Vec<PluginDecl>), StartError<DotnetEngine>> {
    match (bytes, guest.files().and_then(Files::folder)) {
        (Some(bytes), _) => check::assembly(bytes, &manifest.file).map_err(Fault::new)?,
        (None, Some(files)) => check::file(guest, files, &manifest.file)?,
        (None, None) => return Err(Fault::new("a bundle in memory has no files").into()),
    }
    let bridge = bridge::start(config, &HOST)?;
    let bundle = Arc::new(Bundle::new(guest));
    let request = request(guest, manifest, bytes);
    // The bridge owns one count, and gives it back when no code of the bundle is left.
    let address = Arc::into_raw(Arc::clone(&bundle));
    let (loaded, described) = bridge.load(address, &request)?;
    let declared = declared(&described);
    let count = declared.as_ref().map_or(0, Vec::len);
    let engine = DotnetEngine::new(bridge, bundle, loaded, count);
    match declared {
        Ok(declared) => Ok((engine, declared)),
        Err(fault) => Err(StartError::with_engine(fault, engine)),
    }
}

/// Returns what the bridge's `LoadRequest` reads.
fn request(guest: &Guest, manifest: &ManifestData, bytes: Option<&[u8]>) -> Vec<u8> {
    let mut to = Writer::default();
    let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
    let (directory, files) = (guest.directory(), guest.files().and_then(Files::folder));
    to.text(guest.bundle());
    to.optional_text(directory.map(text).as_deref());
    to.optional_text(files.map(text).as_deref());
    to.bool(files.is_some() && files != directory);
    to.text(&manifest.file);
    to.bool(bytes.is_some());
    if let Some(bytes) = bytes {
        to.bytes(bytes);
    }
    describe::table(&mut to, guest.config());
    to.into_bytes()
}

/// Reads the plugins that the bridge has found.
fn declared(described: &[u8]) -> Result<Vec<PluginDecl>, Fault> {
    let mut from = Reader::new(described);
    let count = from.count()?;
    (0..count)
        .map(|_| {
            let (contract, name) = (from.text()?, from.optional_text()?);
            let (is_singleton, is_stateless, keeps_state) = (from.bool()?, from.bool()?, from.bool()?);
            let place = Some(from.text()?);
            let mut names = || (0..from.count()?).map(|_| from.text()).collect::<Result<Vec<_>, Fault>>();
            let (methods, hidden_methods) = (names()?, names()?);
            Ok(PluginDecl { contract, name, methods, hidden_methods, is_singleton, is_stateless, keeps_state, place })
        })
        .collect()
}
