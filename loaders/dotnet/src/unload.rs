//! The end of a bundle's code: whether it is gone, and what keeps it.

use polyplug::loader::Remains;

use crate::bridge::Bridge;
use crate::engine::DotnetObject;

/// The number of collections after which code that is still there counts as kept. Objects with finalisers need two.
const COLLECTIONS: usize = 4;

/// Collects garbage until code that was ended is gone. Returns what remains of it otherwise.
pub(crate) fn measure(bridge: &Bridge, ended: &DotnetObject) -> Option<Remains> {
    if (0..COLLECTIONS).any(|_| bridge.is_gone(ended)) {
        return None;
    }
    Some(bridge.remains(ended).into())
}
