//! The emission of events, and the subscription to them.

use std::path::Path;
use std::sync::Arc;

use polyplug_abi::BundleId;

use super::bundles::Loaded;
use super::event::{Event, EventKind, Operation};
use super::events::EventSubscription;
use super::info::BundleInfo;
use super::runtime::Runtime;
use crate::host::bundle::manifest::ManifestData;
use crate::host::error::runtime::RuntimeError;

impl Runtime {
    /// Calls `subscriber` for each event of a bundle from now on: each load, reload and unload, each failure of one, the
    /// end of each version's code, and what a watcher sees. The subscription ends when the returned value is dropped;
    /// [`EventSubscription::detach`] keeps it for the runtime's life.
    ///
    /// The thread that makes the change calls the subscribers, in the order of their subscriptions. The thread that
    /// reclaims a version calls them for the end of the version's code, and the thread of a watcher for what the watcher
    /// sees. Events of different bundles may come from several threads at once.
    ///
    /// The events of one bundle come in the order of the bundle's changes: no other thread changes the bundle until the
    /// subscribers have returned. [`Reclaimed`](EventKind::Reclaimed) and [`StillMapped`](EventKind::StillMapped) come
    /// after the event that retired their version, and may come between the events of a later change. So may the
    /// failure of a change that never began, and what a watcher sees.
    ///
    /// No lock of the runtime is held during a call. A subscriber may call the runtime: it may load, reload and unload
    /// other bundles, subscribe, and end its own subscription. A change of the bundle of the event fails with
    /// [`RuntimeError::Busy`], except at `Reclaimed` and `StillMapped`. A failure with `Busy` is no event. A panic of a
    /// subscriber is logged, and has no effect on the change or on other subscribers.
    ///
    /// The runtime keeps its subscribers. A subscriber that keeps the runtime in turn, as an `Arc`, keeps both for ever:
    /// let it keep a `Weak`.
    ///
    /// ```
    /// # fn main() -> Result<(), polyplug::error::RuntimeError> {
    /// # let runtime = polyplug::Runtime::builder().build()?;
    /// let (send, events) = std::sync::mpsc::channel();
    /// let subscription = runtime.on_event(move |event| drop(send.send(event.clone())));
    /// runtime.load_bundle("plugins/missing").unwrap_err();
    /// let event = events.recv().unwrap();
    /// assert!(matches!(event.kind, polyplug::EventKind::Failed(_)));
    /// assert_eq!(event.bundle.name, "missing");
    /// drop(subscription);
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_event(&self, subscriber: impl Fn(&Event) + Send + Sync + 'static) -> EventSubscription {
        let events = &self.parts().events;
        EventSubscription::new(events, events.subscribe(Box::new(subscriber)))
    }

    /// Emits an event that is not a failure. Does not make `bundle` if there is no subscriber.
    pub(crate) fn emit(&self, operation: Operation, bundle: impl FnOnce() -> BundleInfo, kind: EventKind) {
        if !self.parts().events.is_empty() {
            self.parts().events.emit(&Event::new(bundle(), kind, operation, true));
        }
    }

    /// Emits the event of a failure. Does nothing for [`RuntimeError::Busy`]: the caller's thread is within a change of
    /// the bundle, and that change continues.
    pub(crate) fn emit_failed(&self, operation: Operation, bundle: impl FnOnce() -> BundleInfo, error: &RuntimeError) {
        if self.parts().events.is_empty() || matches!(error, RuntimeError::Busy { .. }) {
            return;
        }
        let bundle = bundle();
        let serves = self.bundle_table().name(bundle.id).is_some();
        let kind = EventKind::Failed(Arc::new(error.clone()));
        self.parts().events.emit(&Event::new(bundle, kind, operation, serves));
    }

    /// Emits the event of a reload that failed before it began. `bundle` is a bundle that serves. Waits until no other
    /// thread changes the bundle.
    pub(crate) fn emit_failed_to_begin(&self, bundle: BundleId, error: &RuntimeError) {
        if self.parts().events.is_empty() {
            return;
        }
        let describe = |loaded: &Loaded| self.describe(loaded);
        match self.bundle_table().begin_change(bundle) {
            Ok((_, loaded)) => {
                self.emit_failed(Operation::Reload, || describe(&loaded), error);
                self.bundle_table().finish_change(bundle, Some(loaded));
            }
            // This call is part of a change of the bundle, so no other event can come in between.
            Err(RuntimeError::Busy { .. }) => {
                if let Some(info) = self.bundle(bundle) {
                    self.emit_failed(Operation::Reload, || info, error);
                }
            }
            // The bundle was unloaded meanwhile, so there is no reload that failed.
            Err(_) => {}
        }
    }

    /// Returns the description of the bundle that is to be loaded from `path`, as far as it can be known without a load.
    pub(crate) fn describe_path(&self, path: &Path) -> BundleInfo {
        match ManifestData::read(path) {
            Ok(manifest) => self.describe_manifest(&manifest),
            Err(_) => BundleInfo::of_path(path),
        }
    }

    /// Returns the description of a bundle that is to be loaded.
    pub(crate) fn describe_manifest(&self, manifest: &ManifestData) -> BundleInfo {
        let loader = self.loader(&manifest.loader).ok().map(|loader| loader.loader_name());
        BundleInfo::of_manifest(manifest, loader)
    }
}
