//! The callbacks for phases of reloads and unloads, in C and in Rust, as a subscriber of events.

use std::ffi::c_void;

use polyplug_abi::{ReloadPhase, ReloadPhaseType, RuntimeConfig, StringView};

use super::event::{Event, EventKind};
use super::events::OnEvent;

/// The callback that a host sets with
/// [`RuntimeBuilder::on_reload`](crate::runtime::RuntimeBuilder::on_reload).
pub(crate) type OnReload = dyn Fn(*mut c_void, ReloadPhase) + Send + Sync;

/// Returns a subscriber that calls the callback of `config`, or `None` if it has none.
pub(crate) fn c_callback(config: &RuntimeConfig) -> Option<Box<OnEvent>> {
    let callback = config.on_reload?;
    let config = config.clone(); // the user data may be sent as part of the configuration
    Some(Box::new(move |event| {
        let config = &config;
        with_phase(event, |phase| {
            // SAFETY: the callback is that of the configuration, called with its user data and a phase that is valid
            // during the call, as `RuntimeConfig` documents.
            unsafe { callback(config.on_reload_user_data, &raw const phase) };
        });
    }))
}

/// Returns a subscriber that calls `callback` with the user data of `config`.
pub(crate) fn rust_callback(config: &RuntimeConfig, callback: Box<OnReload>) -> Box<OnEvent> {
    let config = config.clone();
    Box::new(move |event| {
        let config = &config;
        with_phase(event, |phase| callback(config.on_reload_user_data, phase));
    })
}

/// Calls `callback` with the phase of an event, if the event is one.
fn with_phase(event: &Event, callback: impl FnOnce(ReloadPhase)) {
    let Some((phase_type, reason)) = phase_of(event) else { return };
    callback(ReloadPhase {
        phase_type,
        bundle_id: event.bundle.id,
        bundle_name: StringView::lend(event.bundle.name.as_bytes()),
        reason: StringView::lend(reason.as_bytes()),
    });
}

/// Returns the phase that an event is, with its reason.
fn phase_of(event: &Event) -> Option<(ReloadPhaseType, String)> {
    Some(match &event.kind {
        EventKind::Reloading => (ReloadPhaseType::Preparing, String::new()),
        EventKind::Reloaded(report) if report.restarted > 0 => {
            let lost = report.restarted;
            (ReloadPhaseType::Reloaded, format!("{lost} instances were made afresh and lost their state"))
        }
        EventKind::Reloaded(_) => (ReloadPhaseType::Reloaded, String::new()),
        EventKind::Failed(error) if event.is_failed_reload() => (ReloadPhaseType::Failed, error.to_string()),
        EventKind::Unloading => (ReloadPhaseType::Unloading, String::new()),
        EventKind::Reclaimed => (ReloadPhaseType::Quiesced, String::new()),
        EventKind::StillMapped { reason, reclaimed: true, .. } => (ReloadPhaseType::Quiesced, reason.clone()),
        _ => return None,
    })
}
