//! The language-neutral description of contracts and their types, for code that knows a contract without its Rust
//! trait: the check at load, dynamic calls, loaders of other languages.
//!
//! - [`Schema`]: the description of one contract
//! - [`Method`], [`Field`], [`Definition`], [`Shape`], [`Case`], [`Interface`]: the parts of a schema
//! - [`TypeRef`]: the use of a type
//! - [`Scalar`]: a number type, `bool` or `char`
//! - [`BodyOf`]: the fields of one record or case
//! - [`Types`]: the definitions that a contract's methods use, while they are collected
//! - [`plan`]: a schema compiled into offsets in canonical memory
//! - [`Difference`]: a difference between the contracts of a host and of a plugin
//! - [`compare`], [`Change`], [`Verdict`]: the changes between two versions of a contract, and what each means for hosts and
//!   plugins that exist
//! - [`DecodeError`]: the reason for which bytes are not an encoded schema
//!
//! Invariant: in a schema that was decoded or made by the macros, every reference leads to a definition, and every type
//! has a bounded size.
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
pub(crate) mod canonical;
mod changes;
mod check;
mod codec;
mod compare;
mod compile;
pub(crate) mod fit;
mod layout;
mod names;
pub mod plan;
mod scalar;
mod schema;
pub(crate) mod stored;
mod types;
pub(crate) mod value_codec;
mod wit;

#[doc(hidden)]
pub use build::MethodsBuilder;
pub use changes::{Change, Verdict, compare};
pub use codec::{DecodeError, SIZE_LIMIT};
pub use compare::Difference;
pub use scalar::Scalar;
pub use schema::{BodyOf, Case, Definition, Field, Interface, Method, Schema, Shape, TypeRef};
pub use types::Types;
