//! What is known of one plugin.

pub(crate) mod contract_check;
