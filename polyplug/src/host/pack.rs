//! Packs: bundles in one file.
//!
//! A pack is a file `NAME.polyplug`: a ZIP archive that has the files of a bundle's folder, with `manifest.toml` at its
//! root. [`write()`] makes one, the same bytes of the same files. [`Runtime::load_bundle`](crate::Runtime::load_bundle),
//! `load_dir`, `watch_dir` and `reload_bundle` take a pack wherever they take a bundle's folder.
//!
//! Scripts run from the pack, which is read into memory: its file may be replaced at any time. Libraries have to be files, so
//! a bundle whose loader does not [run from packs](crate::loader::BundleLoader::runs_from_packs) is unpacked into a private
//! copy, which is removed when the bundle's version ends.
//!
//! A pack may come from anybody. It is refused before anything of it is unpacked if one of its entries leads out of the
//! bundle, has a name that is another file or none on some system, is a link, is encrypted, or is there twice, or if its
//! files exceed [`BundleLimits`](crate::runtime::BundleLimits). No file unpacks to more than the archive says.
//!
//! [`PackError`] is the fault of a pack.

pub use crate::host::bundle::pack_writer::write;
pub use crate::host::error::pack::PackError;
