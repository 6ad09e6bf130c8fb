//! Which host contracts a bundle may use: what its manifest lists, of what the host has granted.

use std::collections::{HashMap, HashSet};
use std::sync::{PoisonError, RwLock};

use polyplug_abi::{BundleId, HostContractId};

use crate::host::bundle::manifest::parse_contract;
use crate::host::error::RuntimeError;
use crate::host::plugin_proxy::error::ProxyError;
use crate::host::runtime::context::BundleScope;
use crate::host::runtime::runtime::Runtime;

/// What is granted to the bundles of one runtime. A bundle that is not in here may use everything.
#[derive(Default)]
pub(crate) struct Grants(RwLock<HashMap<BundleId, HashSet<HostContractId>>>);

impl Grants {
    /// Whether the host lets a bundle use a contract.
    pub(crate) fn allow(&self, bundle: BundleId, contract: HostContractId) -> bool {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(&bundle).is_none_or(|granted| granted.contains(&contract))
    }

    fn set(&self, bundle: BundleId, granted: Option<HashSet<HostContractId>>) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match granted {
            Some(granted) => all.insert(bundle, granted),
            None => all.remove(&bundle),
        };
    }
}

impl Runtime {
    /// Restricts a bundle to these host contracts, `"name@major"`: others do not resolve for it. Best done before the
    /// bundle is loaded; a bundle whose manifest lists another one as needed is then refused.
    ///
    /// Each call replaces what an earlier one granted to the bundle, and counts from its next look-up; proxies that it
    /// has stay. Without any call a bundle may use all host contracts, of those that its manifest lists if it lists any.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::InvalidContract`]; then nothing changes.
    ///
    /// ```
    /// # fn main() -> Result<(), polyplug::error::RuntimeError> {
    /// # let runtime = polyplug::Runtime::builder().build()?;
    /// runtime.grant("thumbnails", ["demo.logger@1", "demo.files@2"])?;
    /// runtime.grant("statistics", [] as [&str; 0])?; // none at all
    /// # Ok(())
    /// # }
    /// ```
    pub fn grant(
        &self,
        bundle: &str,
        contracts: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<(), RuntimeError> {
        let id = |text: &str| match parse_contract(text) {
            Ok((name, major, _)) => Ok(HostContractId::new(&name, major)),
            Err(_) => Err(RuntimeError::InvalidContract { contract: text.to_owned() }),
        };
        let granted = contracts.into_iter().map(|text| id(text.as_ref())).collect::<Result<_, _>>()?;
        self.grants().set(BundleId::new(bundle), Some(granted));
        Ok(())
    }

    /// Takes the restriction of [`grant`](Self::grant) back.
    pub fn grant_all(&self, bundle: &str) {
        self.grants().set(BundleId::new(bundle), None);
    }

    /// The least minor version of a host contract that the code of `scope` may use. `name` is for the error.
    pub(crate) fn least_of_host(
        &self,
        scope: &BundleScope,
        id: HostContractId,
        name: impl FnOnce() -> String,
    ) -> Result<u32, ProxyError> {
        let Some(least) = scope.least_of_host(id) else {
            return Err(ProxyError::Unlisted { contract: name(), bundle: scope.name.clone() });
        };
        if !self.grants().allow(scope.id, id) {
            return Err(ProxyError::NotGranted { contract: name(), bundle: scope.name.clone() });
        }
        Ok(least)
    }
}
