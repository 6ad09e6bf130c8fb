//! The concurrent parts of polyplug under the model checker [loom], and mutants of them that have to fail.
//!
//! What is checked is the source that polyplug is built from: this crate includes those files as they are, with loom's
//! atomics, locks and threads in place of the standard library's ([`sync`]) and a collector in place of crossbeam's
//! (`crossbeam_epoch`, in `epoch/`). What surrounds them is made of stand-ins, each of which says what it leaves out.
//!
//! `mutants.rs` lists changes of one place each, and the model that has to find each of them: a model that no change
//! can fail proves nothing.
//!
//! [loom]: https://docs.rs/loom

mod explore;
mod host;
mod proxy;
#[allow(unreachable_pub)]
#[path = "../../../polyplug/src/revision.rs"]
mod revision;
pub mod sync;

/// The mutants, each a copy of everything that is checked.
#[doc(hidden)]
#[allow(missing_docs)]
pub mod mutants {
    include!(concat!(env!("OUT_DIR"), "/mutants.rs"));
}

pub use explore::must_fail;
pub use host::models;

// What the files name by these paths, and loom has no part in.
mod call_error {
    pub(crate) use polyplug::CallError;
}
mod contract_info {
    /// There is one contract, of which nothing is asked.
    pub(crate) struct ContractInfo;
}

mod guest {
    //! Panics go through: here they are what was found.

    pub(crate) fn catch<R>(body: impl FnOnce() -> R) -> Result<R, String> {
        Ok(body())
    }

    pub(crate) fn describe_panic(panic: String) -> String {
        panic
    }
}
