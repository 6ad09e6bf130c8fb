//! Loads polyplug bundles written in JavaScript, and runs them with QuickJS.

// Used by the loader that is to come.
#[allow(dead_code, unused_imports)]
mod source_map;
#[allow(dead_code, unused_imports)]
mod web;
