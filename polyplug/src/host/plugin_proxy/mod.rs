//! Proxies that plugins have for others.

pub(crate) mod depth;
pub(crate) mod host_object;
pub(crate) mod object;
pub(crate) mod peer;
pub(crate) mod request;
pub(crate) mod table;
