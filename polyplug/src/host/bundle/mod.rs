//! A bundle as files and text: its manifest, its settings, and the directory that a version runs from.
//!
//! - [`ManifestData`](manifest::ManifestData): a bundle's manifest, checked.
//! - [`Dependency`](manifest::Dependency), [`HostDependency`](manifest::HostDependency): a contract that the manifest
//!   lists.
//! - [`Workers`](workers::Workers): the number of VMs that the manifest asks for.
//! - [`BundleRef`](reference::BundleRef): the ways to name a bundle.
//! - [`BundleSource`](source::BundleSource): the source of a bundle's artifact.
//! - [`ConfigOverrides`](config_overrides::ConfigOverrides): the settings that the host has set for bundles.
//! - [`read_file`](file::read_file), [`open_file`](file::open_file): the one way in which files are opened.
//! - [`Files`](files::Files): the files of a bundle, in a folder or in a pack.
//! - `Pack`: a bundle in one file, with the feature `packs`; `write` makes one, `settled_pack` waits for one.
//! - [`found_instead`](diagnose::found_instead): the look at a path where no bundle is found.
//! - [`BundleLimits`](limits::BundleLimits): the most that a bundle's directory may hold.
//! - [`Tree`](tree::Tree): the files of a bundle, found by one walk.
//! - [`Fingerprint`](fingerprint::Fingerprint): the metadata of a bundle's files, which shows that one has changed.
//! - [`SharedDirs`](shared_dirs::SharedDirs): the folders of a bundle that its loader uses in place.
//! - [`DataDirectory`](data_directory::DataDirectory): the folder in which a bundle keeps its data.
//! - [`Original`](original::Original): the directory of a bundle that is about to be loaded.
//! - [`SettledFiles`](settled_files::SettledFiles): the files of a bundle that is loaded from its own directory.
//! - [`PrivateCopy`](private_copy::PrivateCopy): a private copy of a bundle's directory.
//!
//! Invariant: nothing here runs code of a bundle, or writes to a bundle's own directory.

#[cfg(feature = "packs")]
mod archive;
pub(crate) mod artifact;
pub(crate) mod config_json;
pub(crate) mod config_overrides;
pub(crate) mod copy_tree;
pub(crate) mod data_directory;
pub(crate) mod diagnose;
#[cfg(feature = "packs")]
pub(crate) mod entry_name;
pub(crate) mod file;
pub(crate) mod files;
pub(crate) mod fingerprint;
pub(crate) mod limits;
pub(crate) mod manifest;
pub(crate) mod names;
pub(crate) mod original;
#[cfg(feature = "packs")]
pub(crate) mod pack;
#[cfg(feature = "packs")]
pub(crate) mod pack_writer;
pub(crate) mod private_copy;
pub(crate) mod process_dir;
pub(crate) mod reference;
pub(crate) mod settled_files;
#[cfg(feature = "packs")]
pub(crate) mod settled_pack;
pub(crate) mod settling;
pub(crate) mod shared_dirs;
pub(crate) mod source;
pub(crate) mod tree;
pub(crate) mod workers;
