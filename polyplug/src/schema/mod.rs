//! The language-neutral description of contracts and their types.
//!
//! Everything that must know a contract without its Rust trait works from here: the check at load, dynamic calls,
//! loaders of other languages, people.
//!
//! ```
//! use polyplug::Contract;
//! use polyplug::schema::{Schema, TypeRef};
//!
//! /// Tells the time.
//! #[polyplug::contract(name = "demo.clock", version = "1.0")]
//! trait Clock {
//!     fn now(&self) -> u64;
//! }
//!
//! let schema = Schema::of::<dyn Clock>();
//! assert_eq!(schema.docs, "Tells the time.");
//! assert_eq!(schema.methods[0].result, TypeRef::U64);
//! assert_eq!(Schema::decode(&schema.encode()).unwrap(), schema);
//! ```

mod build;
mod check;
mod codec;
mod compare;
mod layout;
mod names;
pub mod plan;
mod scalar;
mod schema;
mod types;
mod wit;

#[doc(hidden)]
pub use build::MethodsBuilder;
pub use codec::{DecodeError, SIZE_LIMIT};
pub use compare::Difference;
pub use scalar::Scalar;
pub use schema::{BodyOf, Case, Definition, Field, Interface, Method, Schema, Shape, TypeRef};
pub use types::Types;
