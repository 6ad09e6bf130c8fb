//! The checked part of polyplug's `host::abi`.

#[allow(dead_code)]
#[path = "../../../../../polyplug/src/host/abi/dispatch.rs"]
pub(crate) mod dispatch;
#[allow(dead_code)]
#[path = "../../../../../polyplug/src/host/abi/interface.rs"]
pub(crate) mod interface;
pub(crate) mod log;
#[allow(dead_code)]
#[path = "../../../../../polyplug/src/host/abi/object_tokens.rs"]
pub(crate) mod object_tokens;
#[allow(dead_code)]
#[path = "../../../../../polyplug/src/host/abi/slot_map.rs"]
pub(crate) mod slot_map;
#[allow(dead_code)]
#[path = "../../../../../polyplug/src/host/abi/table.rs"]
pub(crate) mod table;
