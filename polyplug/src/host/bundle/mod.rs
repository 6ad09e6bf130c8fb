//! A bundle as files and text.

pub(crate) mod config_json;
pub(crate) mod config_overrides;
pub(crate) mod fingerprint;
pub(crate) mod manifest;
pub(crate) mod private_copy;
pub(crate) mod shared_dirs;
pub(crate) mod source;
