//! Ids: FNV-1a 64 hashes of names, which both sides compute independently.

/// Computes the 64-bit FNV-1a hash of `bytes`, which all ids use.
///
/// ```
/// assert_eq!(polyplug_abi::fnv1a_64(b""), 0xcbf2_9ce4_8422_2325);
/// assert_eq!(polyplug_abi::fnv1a_64(b"a"), 0xaf63_dc4c_8601_ec8c);
/// ```
#[must_use]
pub const fn fnv1a_64(bytes: &[u8]) -> u64 {
    continue_fnv1a(0xcbf2_9ce4_8422_2325, bytes)
}

const fn continue_fnv1a(mut hash: u64, bytes: &[u8]) -> u64 {
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        i += 1;
    }
    hash
}

/// Computes the hash of `<prefix><name>@<major>`, piece by piece, so that no buffer is needed.
const fn contract_hash(prefix: &str, name: &str, major: u32) -> u64 {
    let mut hash = continue_fnv1a(continue_fnv1a(fnv1a_64(prefix.as_bytes()), name.as_bytes()), b"@");
    let mut divisor = 1_000_000_000;
    while divisor > 1 && major / divisor == 0 {
        divisor /= 10;
    }
    while divisor > 0 {
        hash = continue_fnv1a(hash, &[b'0' + (major / divisor % 10) as u8]);
        divisor /= 10;
    }
    hash
}

/// The id of a bundle: the hash of its name.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct BundleId(u64);

/// The id of one major version of a guest contract, the kind that plugins implement.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct GuestContractId(u64);

/// The id of one major version of a host contract, the kind that the host implements for its plugins.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct HostContractId(u64);

/// Defines the functions that all ids have. The types are defined outside of the macro, because the generator of the C
/// header does not expand macros.
macro_rules! id {
    ($name:ident) => {
        impl $name {
            /// Wraps a number that is already an id, for example one received through the C ABI.
            #[must_use]
            pub const fn from_u64(id: u64) -> Self {
                Self(id)
            }

            /// Returns the id as a number.
            #[must_use]
            pub const fn id(self) -> u64 {
                self.0
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, concat!(stringify!($name), "({:#018x})"), self.0)
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, "{:#018x}", self.0)
            }
        }
    };
}

id!(BundleId);
id!(GuestContractId);
id!(HostContractId);

impl BundleId {
    /// Computes the id of the bundle called `name`.
    ///
    /// ```
    /// use polyplug_abi::{BundleId, fnv1a_64};
    /// assert_eq!(BundleId::new("calc").id(), fnv1a_64(b"calc"));
    /// ```
    #[must_use]
    pub const fn new(name: &str) -> Self {
        Self(fnv1a_64(name.as_bytes()))
    }
}

impl GuestContractId {
    /// Computes the id of version `major` of the guest contract `name`.
    ///
    /// ```
    /// use polyplug_abi::{GuestContractId, fnv1a_64};
    /// assert_eq!(GuestContractId::new("demo.calc", 12).id(), fnv1a_64(b"guest_contract:demo.calc@12"));
    /// ```
    #[must_use]
    pub const fn new(name: &str, major: u32) -> Self {
        Self(contract_hash("guest_contract:", name, major))
    }
}

impl HostContractId {
    /// Computes the id of version `major` of the host contract `name`.
    #[must_use]
    pub const fn new(name: &str, major: u32) -> Self {
        Self(contract_hash("host_contract:", name, major))
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::format;

    use super::*;

    #[test]
    fn the_number_is_hashed_in_decimal() {
        for major in [0, 1, 9, 10, 11, 99, 100, 65_536, 999_999_999, 1_000_000_000, u32::MAX] {
            let text = format!("host_contract:demo.logger@{major}");
            assert_eq!(HostContractId::new("demo.logger", major).id(), fnv1a_64(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn kinds_never_share_an_id() {
        assert_ne!(GuestContractId::new("a", 1).id(), HostContractId::new("a", 1).id());
        assert_ne!(GuestContractId::new("a", 1), GuestContractId::new("a", 2));
    }
}
