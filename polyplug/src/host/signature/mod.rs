//! Signatures: who made a bundle, and whether it is still what they made.
//!
//! Whoever makes a bundle signs it with [`sign_bundle`], which puts the file `bundle.sig` into it. A host says which keys
//! it trusts and what becomes of bundles that none of them signed:
//!
//! ```
//! use polyplug::Runtime;
//! use polyplug::signature::{PublicKey, SignaturePolicy};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let maker = PublicKey::from_hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")?;
//! let runtime = Runtime::builder().signatures(SignaturePolicy::Require).trust(maker).build()?;
//! # drop(runtime);
//! # Ok(())
//! # }
//! ```
//!
//! A signature says who made a bundle. It does not say that the bundle is harmless, nor that it is the newest one.
//!
//! What is checked is the private copy from which the bundle is then loaded, so that nothing can be exchanged in
//! between. It has the files that links within the bundle lead to in place of the links. It leaves out, apart from the
//! artifact, directories that say of themselves that they are caches (`CACHEDIR.TAG`): these are not signed either.

mod digest;
mod file;
mod keys;
pub(crate) mod policy;
pub(crate) mod verifier;
mod verify;

pub use keys::{KeyError, PublicKey, SecretKey};
pub use policy::SignaturePolicy;
pub use verify::{sign_bundle, verify_bundle};

pub use crate::host::error::signature::SignatureError;
