//! What the macros of polyplug refuse, with the message, and what they accept.
//!
//! - `ui/` has one small file for each mistake an author can make, and beside it what the compiler says.
//! - `pass/` has programs that must compile without a warning, and run.
//! - `renamed/` is a crate that depends on polyplug under another name.
//! - `edition-2021/` compiles and runs `pass/` in that edition.
//!
//! A new case is a new file in `ui/`. After a change to a message, or with a new compiler, record the messages again
//! and read what changed:
//!
//! ```text
//! TRYBUILD=overwrite cargo test --package ui-tests && git diff ui-tests
//! ```
