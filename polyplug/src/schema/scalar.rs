//! The scalars: numbers, truth values and characters.

/// A type whose values have no parts and one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names of the scalars describe them
pub enum Scalar {
    Bool,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F32,
    F64,
    Char,
}

impl Scalar {
    /// All scalars, in the order of their codes in an encoded schema.
    pub(super) const ALL: [Self; 12] = [
        Self::Bool,
        Self::I8,
        Self::I16,
        Self::I32,
        Self::I64,
        Self::U8,
        Self::U16,
        Self::U32,
        Self::U64,
        Self::F32,
        Self::F64,
        Self::Char,
    ];

    /// Returns the size in bytes, which is the alignment as well.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Self::Bool | Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 | Self::Char => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }

    /// Returns the name of the scalar in Rust.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::I8 => "i8",
            Self::I16 => "i16",
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::U8 => "u8",
            Self::U16 => "u16",
            Self::U32 => "u32",
            Self::U64 => "u64",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::Char => "char",
        }
    }
}

/// Defines a constant for each scalar on an enum that has the case `Scalar(Scalar)`, such as `TypeRef::I32`.
macro_rules! name_scalars {
    ($of:ident) => {
        #[allow(non_upper_case_globals, missing_docs)] // the constants are used like cases of the enum
        impl $of {
            pub const Bool: Self = Self::Scalar(Scalar::Bool);
            pub const I8: Self = Self::Scalar(Scalar::I8);
            pub const I16: Self = Self::Scalar(Scalar::I16);
            pub const I32: Self = Self::Scalar(Scalar::I32);
            pub const I64: Self = Self::Scalar(Scalar::I64);
            pub const U8: Self = Self::Scalar(Scalar::U8);
            pub const U16: Self = Self::Scalar(Scalar::U16);
            pub const U32: Self = Self::Scalar(Scalar::U32);
            pub const U64: Self = Self::Scalar(Scalar::U64);
            pub const F32: Self = Self::Scalar(Scalar::F32);
            pub const F64: Self = Self::Scalar(Scalar::F64);
            pub const Char: Self = Self::Scalar(Scalar::Char);
        }
    };
}
pub(super) use name_scalars;
