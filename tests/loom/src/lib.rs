//! The concurrent parts of polyplug under the model checker [loom], and mutants of them that have to fail.
//!
//! The checked files are the sources that polyplug is built from: this crate includes them unchanged, with loom's
//! atomics, locks and threads in place of the standard library's ([`sync`]) and a collector in place of crossbeam's
//! (`crossbeam_epoch`, in `epoch/`). The files around them are stand-ins, each of which says what it leaves out.
//!
//! `mutants.rs` lists mistakes, each a change of one place, and the model that has to find each of them: a model that
//! finds no mistake proves nothing.
//!
//! [loom]: https://docs.rs/loom

mod explore;
mod host;
mod proxy;
#[allow(unreachable_pub)]
#[path = "../../../polyplug/src/revision.rs"]
mod revision;
pub mod sync;

/// The mutants, each a copy of all checked files.
#[doc(hidden)]
#[allow(missing_docs)]
pub mod mutants {
    include!(concat!(env!("OUT_DIR"), "/mutants.rs"));
}

pub use explore::must_fail;
pub use host::models;

// Items that the checked files import by these paths, and that loom need not see.
mod call_error {
    pub(crate) use polyplug::{CallError, Callee};
}
mod contract_info {
    /// The contract. There is only one, and nothing about it is needed.
    pub(crate) struct ContractInfo;
}

mod guest {
    //! Panics are not caught: in a model a panic is the finding.

    pub(crate) fn catch<R>(body: impl FnOnce() -> R) -> Result<R, String> {
        Ok(body())
    }

    pub(crate) fn describe_panic(panic: String) -> String {
        panic
    }
}
