//! What a plugin asks for, and how its methods are numbered at the callee.

use std::sync::Arc;

use polyplug_abi::{ProxyRequest, ProxyTarget};

use crate::host::abi::interface::checked_name;
use crate::host::error::proxy::ProxyError;
use crate::schema::Schema;

/// What a plugin asks for.
pub(crate) struct ProxySpec {
    pub(crate) target: ProxyTarget,
    pub(crate) name: String,
    pub(crate) major: u32,
    /// The least minor version that serves.
    pub(crate) minor: u32,
    /// The contract as the plugin knows it.
    pub(crate) schema: Option<Schema>,
}

impl ProxySpec {
    /// A request of a guest, whose engine knows the contract.
    pub(crate) fn new(target: ProxyTarget, name: String, major: u32, minor: u32, schema: Schema) -> Self {
        Self { target, name, major, minor, schema: Some(schema) }
    }

    /// Reads a request.
    ///
    /// # Safety
    ///
    /// It must be readable, for the size that it states, and so must be its views.
    pub(crate) unsafe fn read(request: *const ProxyRequest) -> Result<Self, String> {
        if !request.is_aligned() {
            return Err("the request is not aligned".to_owned());
        }
        // SAFETY: the caller's promise; a request begins with its size.
        let size = unsafe { (&raw const (*request).struct_size).read() };
        if size < size_of::<ProxyRequest>() {
            return Err(format!(
                "the request has {size} bytes, and version 1 of the ABI has {}",
                size_of::<ProxyRequest>()
            ));
        }
        // SAFETY: large enough; every bit pattern is valid.
        let request = unsafe { request.read() };
        // SAFETY: the caller's promise.
        let name = unsafe { checked_name(request.contract_name, "contract's name") }?;
        // SAFETY: the caller's promise.
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

    pub(crate) fn contract(&self) -> String {
        format!("{}@{}.{}", self.name, self.major, self.minor)
    }

    /// For each method as the plugin numbers them, the number in `target`'s table. `None`: the same.
    pub(crate) fn method_map(&self, target: Option<&Schema>, who: &str) -> Result<Option<MethodMap>, ProxyError> {
        let (Some(ours), Some(theirs)) = (&self.schema, target) else { return Ok(None) };
        let differences = ours.differences(theirs);
        if !differences.is_empty() {
            let (contract, callee) = (self.contract(), who.to_owned());
            return Err(ProxyError::Incompatible { contract, callee, differences });
        }
        let index = |name: &str| theirs.method(name).and_then(|(index, _)| u32::try_from(index).ok());
        let methods: Vec<_> = ours.methods.iter().map(|method| index(&method.name)).collect();
        let same = (0u32..).zip(&methods).all(|(i, index)| *index == Some(i));
        Ok((!same).then(|| methods.into()))
    }
}

pub(crate) type MethodMap = Arc<[Option<u32>]>;

/// The number of a method at the callee.
pub(crate) fn method_index(methods: Option<&MethodMap>, fn_id: u32) -> Option<u32> {
    match methods {
        None => Some(fn_id),
        Some(methods) => methods.get(fn_id as usize).copied().flatten(),
    }
}
