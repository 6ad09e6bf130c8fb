//! Classes for the types of contracts.

mod contract;

pub(crate) use contract::{Definition, Fields, Prepared, describe, prepared, spelled};
