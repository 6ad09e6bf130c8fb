//! The keys of a map, each of which must be unique.

use std::collections::HashSet;

use crate::schema::Scalar;
use crate::schema::plan::{Kind, NodeId, Plan};
use crate::truncate::Truncated;
use crate::types::{LiftError, RawList, lift_str};

/// The keys that a map has so far, read from canonical memory.
pub(crate) enum Keys<'a> {
    Text(HashSet<&'a str>),
    Scalar(HashSet<u64>, Scalar),
}

impl<'a> Keys<'a> {
    /// Makes the empty set for a map whose keys have the type of node `key`.
    ///
    /// # Errors
    ///
    /// The type is neither a text nor a scalar. A schema from bytes has no such map, but a contract in Rust has one if it
    /// implements [`MapKey`](crate::MapKey) for a type of its own.
    pub(crate) fn new(plan: &'a Plan, key: NodeId) -> Result<Self, LiftError> {
        match &plan.node(key).kind {
            Kind::String => Ok(Self::Text(HashSet::new())),
            Kind::Scalar(scalar) => Ok(Self::Scalar(HashSet::new(), *scalar)),
            _ => Err(LiftError::new("the keys of the map are neither texts nor scalars")),
        }
    }

    /// Adds the key at `at`.
    ///
    /// # Errors
    ///
    /// The map has the key already.
    ///
    /// # Safety
    ///
    /// `at` must point to a key of the map's type whose value was found valid. Its text must stay valid for as long as
    /// `self` exists.
    pub(crate) unsafe fn insert(&mut self, at: *const u8) -> Result<(), LiftError> {
        match self {
            Self::Text(seen) => {
                // SAFETY: `at` points to a list of bytes that stays valid (guaranteed by the caller).
                let text = unsafe { lift_str(at.cast::<RawList<u8>>().read()) }?;
                if seen.insert(text) { Ok(()) } else { Err(twice(&format!("{text:?}"))) }
            }
            Self::Scalar(seen, scalar) => {
                let mut bytes = [0; size_of::<u64>()];
                // SAFETY: `at` points to a scalar of this size (guaranteed by the caller), which is eight at most.
                unsafe { at.copy_to_nonoverlapping(bytes.as_mut_ptr(), scalar.size()) };
                let bits = u64::from_le_bytes(bytes);
                if seen.insert(bits) { Ok(()) } else { Err(twice(&spell(*scalar, bits))) }
            }
        }
    }
}

fn twice(key: &str) -> LiftError {
    LiftError::new(format_args!("the key {} comes twice", Truncated(key)))
}

/// Returns the text of a scalar, given by its bits.
#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)] // the bits are those of the smaller type
fn spell(scalar: Scalar, bits: u64) -> String {
    match scalar {
        Scalar::Bool => (bits != 0).to_string(),
        Scalar::I8 => (bits as i8).to_string(),
        Scalar::I16 => (bits as i16).to_string(),
        Scalar::I32 => (bits as i32).to_string(),
        Scalar::I64 => (bits as i64).to_string(),
        Scalar::Char => char::from_u32(bits as u32).map_or_else(|| bits.to_string(), |letter| format!("{letter:?}")),
        _ => bits.to_string(),
    }
}
