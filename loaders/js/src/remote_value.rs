//! What objects with the methods of a contract own.

use std::rc::Weak;

use polyplug::engine::ImportedObject;

use crate::prepared::Prepared;

/// What an object with the methods of a contract owns.
pub(crate) struct RemoteValue {
    pub(crate) object: ImportedObject,
    /// The contract that defines the types of the methods. The VM keeps it: what objects own is dropped after the VM's
    /// values.
    pub(crate) prepared: Weak<Prepared>,
}
