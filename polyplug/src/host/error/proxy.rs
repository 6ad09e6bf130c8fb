//! The errors of the proxies that plugins hold.

use polyplug_abi::{AbiErrorCode, Version};

use super::text::lines;
use crate::call_error::{CallError, Callee, Failure, NEW_PROXY};
use crate::schema::Difference;

/// The failure to make a plugin's proxy, or to call through one. The plugin receives the error as a code and a text.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum ProxyError {
    #[error(
        "the host does not provide the host contract {contract}{hint}: the host's program has to, with `Runtime::provide`"
    )]
    NotProvided { contract: String, hint: String },

    #[error(
        "the host provides {}.{} of the host contract, and {contract} is wanted: update the host",
        .provided.major, .provided.minor
    )]
    HostIsOlder { contract: String, provided: Version },

    #[error(
        "{callee} has another {contract} than this plugin calls:{}\nbuild both against the same version of the \
         contract, or give the changed one a new major version",
        lines(.differences)
    )]
    Incompatible { contract: String, callee: String, differences: Vec<Difference> },

    #[error("bundle `{bundle}` provides {contract} without a schema, which a typed proxy needs: it has to ship one")]
    NoSchema { contract: String, bundle: String },

    #[error("bundle `{bundle}` may not look up {contract}, for its manifest does not declare it{hint}")]
    Undeclared { contract: String, bundle: String, hint: String },

    #[error(
        "bundle `{bundle}` may not use the host contract {contract}, for its manifest lists others only: add `[[host]]` \
         with `contract = \"{contract}\"`"
    )]
    Unlisted { contract: String, bundle: String },

    #[error(
        "bundle `{bundle}` may not use the host contract {contract}, for the host has not granted it: the host's program \
         does, with `Runtime::grant`"
    )]
    NotGranted { contract: String, bundle: String },

    #[error("no other loaded bundle provides {contract}{hint}")]
    NoPeer { contract: String, hint: String },

    #[error("no instance of {contract} could be made: {reason}")]
    Factory { contract: String, reason: String },

    #[error("bundle `{bundle}` is unloaded{NEW_PROXY}")]
    Unloaded { bundle: String },

    #[error("the callee has no method {number}")]
    MissingMethod { number: u32 },

    #[error("the call that this object was lent for has returned: keep a `Callback` instead")]
    Returned,

    #[error("this is no object that may be kept")]
    NotKept,

    #[error("the proxy is closed, or never was one")]
    Closed,

    #[error("{limit} calls by way of the host are nested on this thread: do plugins call each other without end?")]
    TooDeep { limit: u32 },

    #[error(
        "{depth} calls by way of the host are nested on this thread, whose stack has {left} bytes left, and a call needs \
         {needed}: do plugins call each other without end? If not, make the calls on a thread with a larger stack"
    )]
    StackTooSmall { depth: u32, left: usize, needed: usize },

    #[error("only the code of bundles has proxies of this kind: a host calls `Runtime::proxy`")]
    NoBundle,

    #[error("{target} is no kind of callee: 0 is the host, 1 another bundle")]
    UnknownTarget { target: u32 },
}

impl ProxyError {
    pub(crate) fn code(&self) -> AbiErrorCode {
        match self {
            Self::NotProvided { .. } => AbiErrorCode::HostContractNotFound,
            Self::HostIsOlder { .. } => AbiErrorCode::HostContractVersionMismatch,
            Self::Incompatible { .. } | Self::NoSchema { .. } => AbiErrorCode::IncompatibleContract,
            Self::Undeclared { .. } | Self::Unlisted { .. } | Self::NotGranted { .. } | Self::NoBundle => {
                AbiErrorCode::NotAllowed
            }
            Self::NoPeer { .. } => AbiErrorCode::NotFound,
            Self::Factory { .. } => AbiErrorCode::FactoryFailed,
            Self::Unloaded { .. } => AbiErrorCode::Unloaded,
            Self::MissingMethod { .. } => AbiErrorCode::FunctionNotAvailable,
            Self::Closed | Self::Returned => AbiErrorCode::StaleHandle,
            Self::TooDeep { .. } | Self::StackTooSmall { .. } => AbiErrorCode::ReentrantCall,
            Self::NotKept | Self::UnknownTarget { .. } => AbiErrorCode::InvalidArgument,
        }
    }

    /// Converts the error to that of a call of `method`, which exists since `since`.
    #[cold]
    pub(crate) fn into_call_error(self, callee: Callee, method: String, since: Version) -> CallError {
        match self {
            Self::Unloaded { bundle } => CallError::unloaded(&bundle).of_method(method),
            other => {
                let (code, failure) = (other.code(), Failure::new(callee, method, other.to_string()));
                match code {
                    AbiErrorCode::FunctionNotAvailable => CallError::MethodNotAvailable { since, failure },
                    code => CallError::Failed { code: code as u32, failure },
                }
            }
        }
    }
}
