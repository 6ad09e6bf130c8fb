//! The traits of contracts, for code that is generic over contracts.

use polyplug_abi::{Entry, GuestContractId};

use crate::contract_info::{ContractEntry, ContractInfo};
use crate::proxy::{Proxy, RawProxy};
use crate::schema::Schema;

/// A contract. `#[polyplug::contract]` on a trait implements it for `dyn Trait`.
///
/// Code that is generic over contracts takes `C: Contract + ?Sized`, and callers name a contract as `dyn Calculator`.
///
/// # Safety
///
/// The description must agree with the entries that `#[polyplug::plugin]` makes. Leave it to the macro.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no contract",
    label = "not a contract",
    note = "write `#[polyplug::contract(name = \"..\", version = \"1.0\")]` on the trait"
)]
pub unsafe trait Contract: 'static {
    /// The typed proxy that calls implementations.
    type Proxy: Proxy + From<RawProxy>;

    /// The name without a version, for example `demo.calculator`.
    const NAME: &'static str;

    /// The major version.
    const MAJOR: u32;

    /// The minor version.
    const MINOR: u32;

    /// The id of the contract as implemented by plugins.
    const ID: GuestContractId = GuestContractId::new(Self::NAME, Self::MAJOR);

    /// Returns the description of the contract: one per contract, always at the same address.
    #[doc(hidden)]
    fn info() -> &'static ContractInfo;
}

/// The dispatch table of a plugin type.
///
/// # Safety
///
/// The table must hold one entry for each method, in the order of the description. Leave it to the macro.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no contract",
    label = "not a contract",
    note = "write `#[polyplug::contract(name = \"..\", version = \"1.0\")]` on the trait"
)]
pub unsafe trait Dispatch<T>: Contract {
    /// The table.
    const FUNCTIONS: &'static [Entry];
    /// The id of the contract. A plugin's code names the contract by this trait alone, so that the compiler reports once
    /// that there is none.
    const CONTRACT_ID: GuestContractId = Self::ID;
    /// The major version of the contract.
    const CONTRACT_MAJOR: u32 = Self::MAJOR;
    /// The minor version of the contract.
    const CONTRACT_MINOR: u32 = Self::MINOR;

    /// Returns the description of the contract.
    #[must_use]
    fn contract_info() -> &'static ContractInfo {
        Self::info()
    }
}

/// An object that can be offered as contract `C`, because it implements the contract's trait.
pub trait Provides<C: ?Sized>: Send + Sync + Sized + 'static {
    #[doc(hidden)]
    const FUNCTIONS: &'static [Entry];
}

impl<C: Dispatch<T> + ?Sized, T: Send + Sync + 'static> Provides<C> for T {
    const FUNCTIONS: &'static [Entry] = C::FUNCTIONS;
}

impl Schema {
    /// Returns the description of contract `C`.
    #[must_use]
    pub fn of<C: Contract + ?Sized>() -> Self {
        (C::info().schema)()
    }

    /// Returns the descriptions of all contracts that are linked into this program, in the order of names and versions. The
    /// linker leaves out crates of which nothing is used: `use contracts as _;` keeps one.
    ///
    /// ```
    /// use polyplug::schema::Schema;
    ///
    /// #[polyplug::contract(name = "demo.clock", version = "1.0")]
    /// trait Clock {
    ///     fn now(&self) -> u64;
    /// }
    ///
    /// assert!(Schema::linked().iter().any(|schema| schema.name == "demo.clock"));
    /// ```
    #[must_use]
    pub fn linked() -> Vec<Self> {
        let mut all: Vec<_> =
            inventory::iter::<ContractEntry>.into_iter().map(|entry| ((entry.0)().schema)()).collect();
        all.sort_by(|one, other| (&one.name, one.major, one.minor).cmp(&(&other.name, other.major, other.minor)));
        all
    }
}
