//! What a plugin asks for when it wants to call others.

use core::fmt;

use crate::dispatch::Entry;
use crate::guest::GuestContractInstance;
use crate::types::StringView;

/// Where the callee of a plugin's proxy lives.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProxyTarget(pub u32);

#[allow(non_upper_case_globals)] // they read like the variants of an enum, which is what they stand for
impl ProxyTarget {
    /// In the host: a host contract.
    pub const Host: Self = Self(0);
    /// In another bundle: a guest contract.
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

/// What `open_proxy` of the host's table is asked for. The views are valid during that call.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ProxyRequest {
    /// `size_of::<ProxyRequest>()` as the sender was built.
    pub struct_size: usize,
    /// Where the callee lives.
    pub target: ProxyTarget,
    /// The contract's major version.
    pub major: u32,
    /// The least minor version that serves.
    pub minor: u32,
    /// Reserved for the sender; 0.
    pub reserved: u32,
    /// The contract's name.
    pub contract_name: StringView,
    /// The contract as the caller knows it, encoded: methods are then numbered as there. Empty: as the callee numbers
    /// them.
    pub schema: StringView,
}

const _: () = assert!(size_of::<ProxyRequest>() == 56);

/// Ends an object that was offered to be kept.
pub type DropObject = unsafe extern "C" fn(instance: GuestContractInstance);

/// An object of a contract that a caller gives to its callee. What is handed over in a call is a
/// [`GuestContractInstance`] whose `data` is the token that `offer_object` of the host's table returns for this.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ObjectOffer {
    /// `size_of::<ObjectOffer>()` as the sender was built.
    pub struct_size: usize,
    /// The object, as its functions take it.
    pub instance: GuestContractInstance,
    /// One entry for each method of the contract.
    pub functions: *const Entry,
    /// How many there are.
    pub function_count: u32,
    /// Reserved for the sender; 0.
    pub reserved: u32,
    /// Absent for an object that is lent for a call: closing its token waits until nobody calls it. Present for one that
    /// may be kept: it is then called when the last token is closed, or the bundle that offered it is reloaded or
    /// unloaded.
    pub drop: Option<DropObject>,
}

const _: () = assert!(size_of::<ObjectOffer>() == 48);
