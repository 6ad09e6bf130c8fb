//! In place of `snapshot.rs`: its look-ups are those of the view.

use super::view::View;
use crate::sync::Arc;

pub(crate) struct Snapshot {
    pub(crate) view: Arc<View>,
}

impl Snapshot {
    pub(crate) fn new(view: Arc<View>) -> Self {
        Self { view }
    }
}
