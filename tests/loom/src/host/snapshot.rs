//! In place of `snapshot.rs`: its look-ups are those of the view.

use super::runtime_store::View;
use crate::sync::Arc;

pub(super) struct Snapshot {
    pub(super) view: Arc<View>,
}

impl Snapshot {
    pub(super) fn new(view: Arc<View>) -> Self {
        Self { view }
    }
}
