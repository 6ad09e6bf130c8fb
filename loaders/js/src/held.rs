//! Values of the host that errors of a guest hold, for the case that the guest does not catch the error.

use std::rc::Weak;

use polyplug::CallError;
use polyplug::engine::DeclaredCall;

use crate::prepared::Prepared;

/// A value that an error holds.
pub(crate) enum Held {
    /// The failure of a call.
    Call(CallError),
    /// The call that has returned the declared error, and the contract that defines the error's type, which the VM keeps.
    Declared(DeclaredCall, Weak<Prepared>),
}
