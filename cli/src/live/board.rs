//! What has happened in a runtime so far.

use std::collections::{BTreeMap, VecDeque};

use polyplug::runtime::Operation;
use polyplug::{Event, EventKind};

/// The events that are kept.
const KEPT: usize = 200;

/// What has happened so far.
#[derive(Debug, Default)]
pub(super) struct Board {
    /// The last events, the newest first; with each, whether it is a failure.
    pub(super) events: VecDeque<(String, bool)>,
    /// The number of reloads of each bundle.
    pub(super) reloads: BTreeMap<String, u64>,
    /// The bundles that could not be loaded or reloaded, with the error.
    pub(super) failed: BTreeMap<String, String>,
}

impl Board {
    /// Adds an event.
    pub(super) fn add(&mut self, event: &Event) {
        let name = &event.bundle.name;
        match &event.kind {
            EventKind::Failed(error) => {
                self.failed.insert(name.clone(), error.to_string());
            }
            EventKind::Loaded => {
                self.failed.remove(name);
            }
            EventKind::Reloaded(_) => {
                self.failed.remove(name);
                *self.reloads.entry(name.clone()).or_default() += 1;
            }
            EventKind::FolderVanished { .. } if event.operation() == Operation::Load => {
                self.failed.remove(name);
            }
            EventKind::Unloaded(_) => {
                self.failed.remove(name);
                self.reloads.remove(name);
            }
            _ => {}
        }
        self.events.push_front((event.to_string(), matches!(event.kind, EventKind::Failed(_))));
        self.events.truncate(KEPT);
    }
}
