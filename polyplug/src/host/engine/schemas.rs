//! The search for the schema of a contract that a guest names. Guests in scripting languages do not bring schemas.

use std::sync::Arc;

use polyplug_abi::GuestContractId;

use crate::host::bundle::files::Files;
use crate::host::bundle::manifest::parse_contract;
use crate::host::error::suggest::did_you_mean_contract;
use crate::host::plugin::schema;
use crate::host::plugin::schema::PluginSchema;
use crate::schema::Schema;

/// A contract, as a guest names it: `"name@major"` or `"name@major.minor"`.
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) major: u32,
    /// The minor version, if the guest gives one.
    pub(crate) minor: Option<u32>,
}

impl Named {
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let (name, major, minor) = parse_contract(text)?;
        let has_minor = text.rsplit('@').next().is_some_and(|version| version.contains('.'));
        Ok(Self { name, major, minor: has_minor.then_some(minor) })
    }
}

/// Finds the schema of a contract that is linked into this program, or that is one of the bundle's `files`.
/// If the guest names a minor version, returns the contract of that version.
pub(crate) fn find(named: &Named, files: Option<&Files>) -> Result<PluginSchema, String> {
    let Named { name, major, minor } = named;
    let id = GuestContractId::new(name, *major);
    let found = match schema::newest_linked(id) {
        Some(linked) => linked,
        None => schema::shipped(name, *major, files)?.ok_or_else(|| {
            format!(
                "the contract {name}@{major} is not known{}: link the crate that defines it into the host, or put its \
                 schema into the bundle as `{}`, which `polyplug schema` writes",
                did_you_mean_contract(name, &schema::known(files)),
                schema::schema_file(name, *major)
            )
        })?,
    };
    let known = found.schema();
    match minor {
        Some(minor) if *minor > known.minor => {
            Err(format!("{name}@{major}.{minor} is asked for, and {known} is what is known: update the host"))
        }
        Some(minor) if *minor < known.minor => Ok(PluginSchema::Own(Arc::new(before(known, *minor)))),
        _ => Ok(found),
    }
}

/// Returns the contract as it was in an earlier minor version.
fn before(schema: &Schema, minor: u32) -> Schema {
    let mut schema = schema.clone();
    schema.minor = minor;
    schema.methods.retain(|method| method.since <= minor);
    schema
}
