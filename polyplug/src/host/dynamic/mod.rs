//! Calls by name, with values whose types are known at run time only.

#[cfg(feature = "json")]
mod json;
mod lowered;
mod proxy;
mod values;

#[doc(hidden)]
pub use lowered::Lowered;
pub use proxy::DynamicProxy;
