//! The schema of the contract that a plugin implements: linked into the program, registered, or shipped as a file.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use polyplug_abi::GuestContractId;

use crate::contract_info::{ContractEntry, ContractInfo};
use crate::host::bundle::files::Files;
use crate::host::error::file::FileError;
use crate::schema::{SIZE_LIMIT, Schema};

/// The schema of the contract that a plugin implements.
#[derive(Clone)]
pub(crate) enum PluginSchema {
    /// The schema of a contract that is linked into this program, with the same bytes.
    Linked(&'static Linked),
    /// A schema of the plugin's own.
    Own(Arc<Schema>),
}

impl PluginSchema {
    pub(crate) fn schema(&self) -> &Schema {
        match self {
            Self::Linked(linked) => &linked.schema,
            Self::Own(schema) => schema,
        }
    }

    pub(crate) fn shared(&self) -> Arc<Schema> {
        Arc::clone(match self {
            Self::Linked(linked) => &linked.schema,
            Self::Own(schema) => schema,
        })
    }
}

/// A contract that is linked into this program.
pub(crate) struct Linked {
    pub(crate) info: &'static ContractInfo,
    pub(crate) schema: Arc<Schema>,
    pub(crate) encoded: Vec<u8>,
}

/// Returns the builds of a contract that are linked into this program: usually one.
pub(crate) fn linked(contract: GuestContractId) -> &'static [Linked] {
    static ALL: OnceLock<HashMap<GuestContractId, Vec<Linked>>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let mut all: HashMap<_, Vec<Linked>> = HashMap::new();
        for entry in inventory::iter::<ContractEntry> {
            let info = (entry.0)();
            let schema = (info.schema)();
            let encoded = schema.encode();
            let id = GuestContractId::new(info.name, info.major);
            all.entry(id).or_default().push(Linked { info, schema: Arc::new(schema), encoded });
        }
        all
    });
    all.get(&contract).map_or(&[], Vec::as_slice)
}

/// Returns the newest build of a contract that is linked into this program.
pub(crate) fn newest_linked(contract: GuestContractId) -> Option<PluginSchema> {
    linked(contract).iter().max_by_key(|linked| linked.schema.minor).map(PluginSchema::Linked)
}

/// Returns the contracts that are linked into this program or that a bundle ships, each with its version.
#[cold]
pub(crate) fn known(files: Option<&Files>) -> Vec<String> {
    let linked = inventory::iter::<ContractEntry>.into_iter().map(|entry| {
        let info = (entry.0)();
        format!("{}@{}.{}", info.name, info.major, info.minor)
    });
    let names = files.map(Files::names).unwrap_or_default().into_iter();
    let shipped = names.filter_map(|name| name.strip_suffix(".schema").map(str::to_owned));
    linked.chain(shipped).collect()
}

/// Reads the schema of a contract that a bundle ships as a file.
pub(crate) fn shipped(name: &str, major: u32, files: Option<&Files>) -> Result<Option<PluginSchema>, String> {
    let Some(files) = files else { return Ok(None) };
    let file = schema_file(name, major);
    let at = |reason: String| format!("{}: {reason}", files.root().join(&file).display());
    let Some(bytes) = read_shipped(files, &file).map_err(|error| error.to_string())? else { return Ok(None) };
    let schema = Schema::decode(&bytes).map_err(|error| at(error.to_string()))?;
    if schema.name != name || schema.major != major {
        return Err(at(format!("the schema is of {schema}")));
    }
    Ok(Some(PluginSchema::Own(Arc::new(schema))))
}

/// Returns the name of the file in which a bundle ships the schema of a contract.
pub(crate) fn schema_file(name: &str, major: u32) -> String {
    format!("{name}@{major}.schema")
}

/// Reads the file of a schema of a bundle, or returns `None` if the file does not exist.
pub(crate) fn read_shipped(files: &Files, file: &str) -> Result<Option<Vec<u8>>, FileError> {
    match files.read(file, "a schema", SIZE_LIMIT as u64) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error),
    }
}
