//! The guard around a loader's code.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::guest::describe_panic;
use crate::host::error::loader::LoaderError;
use crate::host::error::runtime::RuntimeError;

/// Runs a loader's code, and turns a panic into an error.
pub(crate) fn guarded<T>(bundle: &str, body: impl FnOnce() -> Result<T, LoaderError>) -> Result<T, RuntimeError> {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(outcome) => Ok(outcome?),
        Err(payload) => {
            let error = format!("the loader panicked: {}", describe_panic(payload));
            Err(LoaderError::init_failed(bundle, error).into())
        }
    }
}
