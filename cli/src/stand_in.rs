//! A stand-in for the host contracts that a bundle needs, so that the bundle loads without its host.

use std::any::Any;

use polyplug::host_bridge::{BridgeError, RuntimeLanguageBridge};
use polyplug_abi::{AbiError, AbiErrorCode, StringView, SupportedLanguage};

/// The text of the error of each call, for bundles that are loaded to be looked at.
pub(crate) const NOT_THE_HOST: &str = "this host contract is there so that the bundle can be looked at, and cannot be called: the program \
                    `polyplug` is not the bundle's host";

/// A provider of every host contract, whose calls fail with this text.
pub(crate) struct StandIn(pub(crate) &'static str);

impl RuntimeLanguageBridge for StandIn {
    fn runtime_type(&self) -> SupportedLanguage {
        SupportedLanguage::Rust
    }

    fn register_host_contract(&mut self, contract_id: u64, _: Box<dyn Any>) -> Result<(), BridgeError> {
        Err(BridgeError::DuplicateContract { contract_id })
    }

    unsafe fn call_host_contract(&self, _: u64, _: u32, _: *const (), _: *mut ()) -> AbiError {
        AbiError::new(AbiErrorCode::HostContractNotFound, StringView::from_static(self.0.as_bytes()))
    }
}
