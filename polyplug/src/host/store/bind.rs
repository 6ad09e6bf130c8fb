//! Typed proxies for providers, and the error if no provider is found.

use std::panic::Location;
use std::sync::Arc;

use super::instances;
use super::provider::Provider;
use super::view::View;
use crate::contract::Contract;
use crate::host::error::runtime::RuntimeError;

/// Makes a typed proxy for an instance of `provider`.
#[inline]
pub(crate) fn bind<C: Contract + ?Sized>(
    provider: Arc<Provider>,
    site: &'static Location<'static>,
) -> Result<C::Proxy, RuntimeError> {
    instances::proxy(provider, C::info(), site).map(C::Proxy::from)
}

/// Returns the error of a look-up that finds no provider, in `bundle` if that is given.
///
/// `by_host` says whether the host provides the contract.
#[cold]
pub(crate) fn no_provider<C: Contract + ?Sized>(view: &View, bundle: Option<String>, by_host: bool) -> RuntimeError {
    RuntimeError::NoProvider {
        contract: format!("{}@{}.{}", C::NAME, C::MAJOR, C::MINOR),
        provided: view.contracts(bundle.as_deref()),
        by_host,
        bundle,
        offered: view.versions(C::NAME).filter(|version| version.major != C::MAJOR).collect(),
    }
}
