//! Loads polyplug bundles written in JavaScript, and runs them with QuickJS.
