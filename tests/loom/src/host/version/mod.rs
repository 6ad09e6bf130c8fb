//! The checked part of polyplug's `host::version`.

#[allow(dead_code)]
#[path = "../../../../../polyplug/src/host/version/followers.rs"]
pub(crate) mod followers;
#[allow(dead_code)]
#[path = "../../../../../polyplug/src/host/version/lineage.rs"]
pub(crate) mod lineage;
#[allow(unreachable_pub)]
#[allow(dead_code)]
#[path = "../../../../../polyplug/src/host/version/module.rs"]
pub(crate) mod module;
#[allow(dead_code)]
#[path = "../../../../../polyplug/src/host/version/reclaim.rs"]
pub(crate) mod reclaim;
pub(crate) mod scope;
pub(crate) mod threads;
pub(crate) mod unload;
#[allow(dead_code)]
#[path = "../../../../../polyplug/src/host/version/version.rs"]
pub(crate) mod version;
