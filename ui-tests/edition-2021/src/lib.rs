//! What the macros of polyplug accept, in edition 2021.
