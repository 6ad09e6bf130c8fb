//! Places in the source text that a bundle's JavaScript was made of, by source maps of version 3.
//!
//! - [`SourceMaps`]: the maps of a bundle's files. A map is read and decoded when an error needs the map.
//!
//! A map that is missing, malformed, too long or wrong changes nothing: the place in the JavaScript is shown then.

// Lowest first.
mod path;
// 1
mod map;
mod reference;
// 2
mod source_maps;

#[cfg(test)]
mod tests;

pub(crate) use source_maps::SourceMaps;
