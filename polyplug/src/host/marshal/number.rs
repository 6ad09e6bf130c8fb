//! Numbers with the width that a contract gives them.

/// An integer of a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the cases are what they are called
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
    /// The number; `None` for what only a `u64` holds.
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
#[allow(missing_docs)] // the cases are what they are called
pub enum Float {
    F32(f32),
    F64(f64),
}

impl Float {
    /// The number, which an `f64` always holds.
    #[inline]
    #[must_use]
    pub fn to_f64(self) -> f64 {
        match self {
            Self::F32(n) => n.into(),
            Self::F64(n) => n,
        }
    }
}
