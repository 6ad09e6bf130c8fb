//! Numbers with the width that a contract gives them.

/// An integer of a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // each case has the name of its type
pub enum Integer {
    I8(i8),
    I16(i16),
    I32(i32),
    I64(i64),
    U8(u8),
    U16(u16),
    U32(u32),
    U64(u64),
}

impl Integer {
    /// Returns the number, or `None` if only a `u64` holds it.
    #[inline]
    #[must_use]
    pub fn to_i64(self) -> Option<i64> {
        Some(match self {
            Self::I8(n) => n.into(),
            Self::I16(n) => n.into(),
            Self::I32(n) => n.into(),
            Self::I64(n) => n,
            Self::U8(n) => n.into(),
            Self::U16(n) => n.into(),
            Self::U32(n) => n.into(),
            Self::U64(n) => return i64::try_from(n).ok(),
        })
    }
}

/// A floating-point number of a contract.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs)] // each case has the name of its type
pub enum Float {
    F32(f32),
    F64(f64),
}

impl Float {
    /// Returns the number as an `f64`, which loses nothing.
    #[inline]
    #[must_use]
    pub fn to_f64(self) -> f64 {
        match self {
            Self::F32(n) => n.into(),
            Self::F64(n) => n,
        }
    }
}
