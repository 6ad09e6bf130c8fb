//! Requests for proxies, and offers of objects, by plugins.

use core::fmt;

use crate::dispatch::Entry;
use crate::guest::GuestContractInstance;
use crate::types::StringView;

/// The kind of callee of a plugin's proxy.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProxyTarget(pub u32);

#[allow(non_upper_case_globals)] // the constants are used like the variants of an enum
impl ProxyTarget {
    /// A host contract.
    pub const Host: Self = Self(0);
    /// A guest contract of another bundle.
    pub const Peer: Self = Self(1);
}

impl fmt::Debug for ProxyTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Host => f.write_str("Host"),
            Self::Peer => f.write_str("Peer"),
            Self(other) => write!(f, "ProxyTarget({other})"),
        }
    }
}

/// The request for a proxy that `open_proxy` of the host's table takes. The views are valid during that call.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ProxyRequest {
    /// The value of `size_of::<ProxyRequest>()` in the sender's build.
    pub struct_size: usize,
    /// The kind of callee.
    pub target: ProxyTarget,
    /// The contract's major version.
    pub major: u32,
    /// The least minor version that suffices.
    pub minor: u32,
    /// Reserved for the sender; 0.
    pub reserved: u32,
    /// The contract's name.
    pub contract_name: StringView,
    /// The encoded schema of the contract in the caller's build, by whose numbers methods are called. If empty, methods
    /// are called by the callee's numbers.
    pub schema: StringView,
}

const _: () = assert!(size_of::<ProxyRequest>() == 56);

/// Drops an object that was offered to be kept.
pub type DropObject = unsafe extern "C" fn(instance: GuestContractInstance);

/// An object of a contract that a caller passes to its callee. The argument of the call is a [`GuestContractInstance`]
/// whose `data` is the token that `offer_object` of the host's table returns for the offer.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ObjectOffer {
    /// The value of `size_of::<ObjectOffer>()` in the sender's build.
    pub struct_size: usize,
    /// The instance that the object's functions take.
    pub instance: GuestContractInstance,
    /// The entries, one for each method of the contract.
    pub functions: *const Entry,
    /// The number of entries.
    pub function_count: u32,
    /// 1 if the object is the host's own, which it may offer through the table of the bundle that it calls; 0 for an
    /// object of a plugin. Errors of calls of the object say who offered it.
    pub by_host: u32,
    /// The function that drops an object that may be kept. The host calls it when the last token is closed, or when the
    /// bundle that offered the object is reloaded or unloaded. Absent for an object that is lent for a call: closing
    /// the token of such an object waits until no call of the object is running.
    pub drop: Option<DropObject>,
}

const _: () = assert!(size_of::<ObjectOffer>() == 48);
