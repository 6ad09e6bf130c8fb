//! Requests for proxies, and the numbers of the methods at the callee.

use std::sync::Arc;

use polyplug_abi::{ProxyRequest, ProxyTarget};

use crate::host::abi::interface::checked_name;
use crate::host::adapter::method_map::MethodMap;
use crate::host::error::proxy::ProxyError;
use crate::schema::Schema;

/// A plugin's request for a proxy.
pub(crate) struct ProxySpec {
    pub(crate) target: ProxyTarget,
    pub(crate) name: String,
    pub(crate) major: u32,
    /// The least minor version that suffices.
    pub(crate) minor: u32,
    /// The contract's schema as the plugin knows it.
    pub(crate) schema: Option<Schema>,
}

impl ProxySpec {
    /// Makes a request of a guest, whose engine knows the contract.
    pub(crate) fn new(target: ProxyTarget, name: String, major: u32, minor: u32, schema: Schema) -> Self {
        Self { target, name, major, minor, schema: Some(schema) }
    }

    /// Reads a request.
    ///
    /// # Safety
    ///
    /// The request must be readable for the size that it states, and its views must be readable.
    pub(crate) unsafe fn read(request: *const ProxyRequest) -> Result<Self, String> {
        if !request.is_aligned() {
            return Err("the request is not aligned".to_owned());
        }
        // SAFETY: a request begins with its size, which is readable (the caller's promise).
        let size = unsafe { (&raw const (*request).struct_size).read() };
        if size < size_of::<ProxyRequest>() {
            return Err(format!(
                "the request has {size} bytes, and version 1 of the ABI has {}",
                size_of::<ProxyRequest>()
            ));
        }
        // SAFETY: the request is readable for its size, which is large enough, and every bit pattern is valid.
        let request = unsafe { request.read() };
        // SAFETY: the caller promises that the request's views are readable.
        let name = unsafe { checked_name(request.contract_name, "contract's name") }?;
        // SAFETY: the caller promises that the request's views are readable.
        let schema = unsafe { request.schema.bytes() }.ok_or("the schema is null")?;
        let schema = match schema {
            [] => None,
            bytes => Some(Schema::decode(bytes).map_err(|error| error.to_string())?),
        };
        if schema.as_ref().is_some_and(|schema| schema.name != name || schema.major != request.major) {
            return Err(format!("the schema is not that of {name}@{}", request.major));
        }
        Ok(Self { target: request.target, name, major: request.major, minor: request.minor, schema })
    }

    /// Returns the contract's name and version, for messages.
    pub(crate) fn contract(&self) -> String {
        format!("{}@{}.{}", self.name, self.major, self.minor)
    }

    /// Returns the callee's methods in the plugin's order. `target` is the callee's schema. Returns `None` if both have
    /// the same.
    ///
    /// # Errors
    ///
    /// [`ProxyError::Incompatible`] if the schemas differ. `who` names the callee in the error.
    pub(crate) fn method_map(&self, target: Option<&Schema>, who: &str) -> Result<Option<Arc<MethodMap>>, ProxyError> {
        let (Some(ours), Some(theirs)) = (&self.schema, target) else { return Ok(None) };
        MethodMap::new(ours, theirs).map_err(|differences| {
            let (contract, callee) = (self.contract(), who.to_owned());
            ProxyError::Incompatible { contract, callee, differences }
        })
    }
}
