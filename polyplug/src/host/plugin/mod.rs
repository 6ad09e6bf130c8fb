//! What is known of one plugin.

pub(crate) mod contract_check;
pub(crate) mod instance;
pub(crate) mod plugin;
pub(crate) mod read;
pub(crate) mod registrations;
pub(crate) mod schema;
