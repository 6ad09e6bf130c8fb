//! Values of Python's, made and read.

mod build;
mod converter;
mod read;
mod remote;

pub(crate) use converter::{Values, describe};
pub(crate) use remote::{Method, Other, wrap};
