//! The checked part of polyplug's `host::store`.

pub(crate) mod call_target;
#[allow(dead_code)]
#[path = "../../../../../polyplug/src/host/store/instances.rs"]
pub(crate) mod instances;
pub(crate) mod provider;
#[allow(dead_code)]
#[path = "../../../../../polyplug/src/host/store/publish.rs"]
pub(crate) mod publish;
#[allow(unreachable_pub)]
#[allow(dead_code)]
#[path = "../../../../../polyplug/src/host/store/runtime_store.rs"]
pub(crate) mod runtime_store;
pub(crate) mod snapshot;
#[allow(dead_code)]
#[path = "../../../../../polyplug/src/host/store/view.rs"]
pub(crate) mod view;
