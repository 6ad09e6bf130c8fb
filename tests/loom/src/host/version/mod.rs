//! Polyplug's `host::version`, as far as it is checked.

#[allow(dead_code)]
#[path = "../../../../../polyplug/src/host/version/reclaim.rs"]
pub(crate) mod reclaim;
pub(crate) mod threads;
#[allow(dead_code)]
#[path = "../../../../../polyplug/src/host/version/version.rs"]
pub(crate) mod version;
