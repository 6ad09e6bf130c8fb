//! `cargo xtask soak`: calls and changes of bundles in all languages at once, for as long as is wanted, and a chart of what the
//! process occupied meanwhile.

mod run;

pub(crate) use run::run;
