//! Signatures of bundles: proof of the key that a bundle was signed with, and that the bundle has not changed since.
//!
//! The maker of a bundle signs the bundle with [`sign_bundle`], which puts the file `bundle.sig` into its directory. A
//! host sets the keys that it trusts, and the policy for bundles without a signature of one of these keys:
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
//! A signature proves who signed a bundle. It does not prove that the bundle is harmless, nor that it is the newest
//! one.
//!
//! The runtime checks the private copy from which it then loads the bundle, so no file can be exchanged in between. In
//! the copy, the files that links within the bundle lead to take the place of the links. The copy leaves out
//! directories that are marked as caches (`CACHEDIR.TAG`), except for the artifact. These directories are not signed
//! either.
//!
//! - [`PublicKey`], [`SecretKey`]: the two halves of a key.
//! - [`SignaturePolicy`]: the policy for bundles that are not signed by a trusted key.
//! - [`SignatureError`]: a reason why a signature does not hold.
//! - [`KeyError`]: the reason why a key cannot be made or read.
//! - `FileDigests`: the files of a bundle, with their sizes and hashes.
//! - `SignatureFile`: the contents of `bundle.sig`.
//! - `Verifier`: the policy and the trusted keys of a runtime.
//!
//! Invariant: where signatures are checked, a bundle is loaded from the private copy that was checked, and none of its
//! code runs before the check.

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
