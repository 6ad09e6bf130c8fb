//! The errors of the store.

/// The failure of the store to find, register or change a provider.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The handle's slot is empty, or holds another provider.
    #[error("the handle of slot {index} is stale: the provider is gone; look it up again")]
    StaleHandle {
        /// The index of the slot.
        index: u32,
    },

    /// The handle does not name a slot.
    #[error("slot {index} does not exist: the handle is null or foreign")]
    InvalidHandle {
        /// The index of the slot.
        index: u32,
    },

    /// No provider of the contract is loaded.
    #[error("no provider of contract {contract_id:#018x} with a minor version of at least {min_version}")]
    NotFound {
        /// The contract's id.
        contract_id: u64,
        /// The least minor version requested.
        min_version: u32,
    },

    /// The bundle provides the contract already.
    #[error(
        "`{contract}` is provided by this bundle already, by plugin `{existing}`: a bundle provides a contract once"
    )]
    DuplicateProvider {
        /// The contract's name.
        contract: String,
        /// The plugin that was registered first.
        existing: String,
    },

    /// The interface is malformed.
    #[error("plugin `{plugin}`: {reason}")]
    InvalidInterface {
        /// The plugin's name.
        plugin: String,
        /// The fault of the interface.
        reason: String,
    },
}

crate::debug_text::debug_as_display!(RegistryError);
