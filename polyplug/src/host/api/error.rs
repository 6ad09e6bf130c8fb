//! The failure of a function of the host's table.

use polyplug_abi::AbiErrorCode;

use crate::host::error::dependency::Unavailable;
use crate::host::error::loader::LoaderError;
use crate::host::error::proxy::ProxyError;
use crate::host::error::registry::RegistryError;
use crate::host::error::runtime::RuntimeError;

/// A failure, as a function of the host's table reports it.
pub(crate) struct ApiError {
    /// An [`AbiErrorCode`], or a code of a plugin's own.
    pub(crate) code: u32,
    pub(crate) text: String,
}

impl ApiError {
    pub(crate) fn new(code: AbiErrorCode, text: impl Into<String>) -> Self {
        Self { code: code as u32, text: text.into() }
    }

    pub(crate) fn null(what: &str) -> Self {
        Self::new(AbiErrorCode::InvalidPointer, format!("{what} is null"))
    }
}

impl From<RegistryError> for ApiError {
    fn from(error: RegistryError) -> Self {
        let code = match error {
            RegistryError::StaleHandle { .. } | RegistryError::InvalidHandle { .. } => AbiErrorCode::StaleHandle,
            RegistryError::NotFound { .. } => AbiErrorCode::NotFound,
            RegistryError::DuplicateProvider { .. } => AbiErrorCode::DuplicateProvider,
            RegistryError::InvalidInterface { .. } => AbiErrorCode::InvalidInterface,
        };
        Self::new(code, error.to_string())
    }
}

impl From<ProxyError> for ApiError {
    fn from(error: ProxyError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<RuntimeError> for ApiError {
    fn from(error: RuntimeError) -> Self {
        let code = match &error {
            RuntimeError::Registry(inner) => return inner.clone().into(),
            RuntimeError::Loader(LoaderError::InitFailed { code, .. }) => {
                return Self { code: *code, text: error.to_string() };
            }
            RuntimeError::NoProvider { .. }
            | RuntimeError::BundleNotLoaded { .. }
            | RuntimeError::ReloadOfUnloaded { .. }
            | RuntimeError::Manifest(crate::host::error::manifest::ManifestError::Missing { .. })
            | RuntimeError::Loader(LoaderError::ArtifactMissing { .. }) => AbiErrorCode::NotFound,
            RuntimeError::Busy { .. } => AbiErrorCode::ReentrantCall,
            RuntimeError::Factory { .. } => AbiErrorCode::FactoryFailed,
            RuntimeError::Incompatible { .. } | RuntimeError::NoSchema { .. } => AbiErrorCode::IncompatibleContract,
            RuntimeError::DependencyMissing { .. } => AbiErrorCode::NotFound,
            RuntimeError::HostContractMissing(missing) => match missing.reason {
                Unavailable::NotProvided => AbiErrorCode::HostContractNotFound,
                Unavailable::TooOld(_) => AbiErrorCode::HostContractVersionMismatch,
                Unavailable::NotGranted => AbiErrorCode::NotAllowed,
            },
            RuntimeError::HotReloadDisabled { .. }
            | RuntimeError::DependencyInUse { .. }
            | RuntimeError::DependencyLowered { .. } => AbiErrorCode::NotAllowed,
            _ => AbiErrorCode::Generic,
        };
        Self::new(code, error.to_string())
    }
}
