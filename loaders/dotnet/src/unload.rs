//! The end of a bundle's code: whether it is gone, and what keeps it.

use polyplug::loader::Remains;

use crate::bridge::{Bridge, DotnetObject};

/// The number of collections after which code that is still there counts as kept. The code itself needs three: its objects,
/// its load context, and its types. Objects with finalisers need one more each.
const COLLECTIONS: usize = 8;

/// Collects garbage until code that was ended is gone. Returns what remains of it otherwise.
pub(crate) fn measure(bridge: &'static Bridge, ended: DotnetObject) -> Option<Remains> {
    if (0..COLLECTIONS).any(|_| bridge.is_gone(&ended)) {
        return None;
    }
    let remains = Remains::from(bridge.remains(&ended));
    Some(remains.measured_by(move || !bridge.is_gone(&ended)))
}
