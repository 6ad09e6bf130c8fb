//! Calls by name, with values whose types are known at run time only.
//!
//! - [`DynamicProxy`]: an instance whose methods are called by name, with values or with JSON.
//! - [`DynamicMethod`]: a method of such an instance that was found once.
//! - `Values`, `ValueReader`: the engine of dynamic values: makes and reads [`Value`](crate::Value)s.
//! - `Lowered`: one value in canonical memory, for tests.
//!
//! Invariant: each value is checked against the plugin's own schema when it is lowered or lifted.

#[cfg(feature = "json")]
mod json;
mod lowered;
mod method;
mod proxy;
pub(crate) mod values;

#[doc(hidden)]
pub use lowered::Lowered;
pub use method::DynamicMethod;
pub use proxy::DynamicProxy;
