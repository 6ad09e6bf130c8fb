//! The end of a bundle's code: whether it is gone, and what keeps it.

use polyplug::loader::Remains;

use crate::bridge::Bridge;
use crate::engine::DotnetObject;

/// The number of collections after which code that is still there counts as kept. The code needs two, and objects with finalisers one more each.
const COLLECTIONS: usize = 80;

/// Collects garbage until code that was ended is gone. Returns what remains of it otherwise.
pub(crate) fn measure(bridge: &Bridge, ended: &DotnetObject) -> Option<Remains> {
    for i in 0..COLLECTIONS {
        if bridge.is_gone(ended) { eprintln!("gone after {i}"); return None; }
    }
    Some(bridge.remains(ended).into())
}
