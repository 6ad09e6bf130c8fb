//! Why the store could not find, register or change a provider.

/// Why the store could not find, register or change a provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The handle's slot has no tenant, or another one.
    #[error("the handle of slot {index} is stale: the provider is gone; look it up again")]
    StaleHandle {
        /// The slot.
        index: u32,
    },

    /// The handle names no slot.
    #[error("slot {index} does not exist: the handle is null or foreign")]
    InvalidHandle {
        /// The slot.
        index: u32,
    },

    /// No provider is there.
    #[error("no provider of contract {contract_id:#018x} with a minor version of at least {min_version}")]
    NotFound {
        /// The contract.
        contract_id: u64,
        /// The least minor version that was asked for.
        min_version: u32,
    },

    /// The bundle provides the contract already.
    #[error(
        "`{contract}` is provided by this bundle already, by plugin `{existing}`: a bundle provides a contract once"
    )]
    DuplicateProvider {
        /// The contract's name.
        contract: String,
        /// The plugin that was first.
        existing: String,
    },

    /// The interface is malformed.
    #[error("plugin `{plugin}`: {reason}")]
    InvalidInterface {
        /// The plugin's name.
        plugin: String,
        /// What is wrong.
        reason: String,
    },
}
