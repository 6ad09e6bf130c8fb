//! The schema of the contract that a plugin implements: linked into the program, registered, or shipped as a file.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use polyplug_abi::GuestContractId;

use crate::contract_info::{ContractEntry, ContractInfo};
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

/// Reads the schema of a contract that a bundle ships as a file.
pub(crate) fn shipped(name: &str, major: u32, directory: Option<&Path>) -> Result<Option<PluginSchema>, String> {
    let Some(directory) = directory else { return Ok(None) };
    let path = directory.join(schema_file(name, major));
    let at = |reason: String| format!("{}: {reason}", path.display());
    let Some(bytes) = read_file(&path).map_err(|error| at(error.to_string()))? else { return Ok(None) };
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

/// Reads a schema's file, or returns `None` if the file does not exist.
pub(crate) fn read_file(path: &Path) -> std::io::Result<Option<Vec<u8>>> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(SIZE_LIMIT as u64 + 1).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}
