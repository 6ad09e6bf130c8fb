//! The languages in which plugins and hosts are written.

use core::fmt;

/// A programming language, as a number.
///
/// The type is a transparent integer instead of an enum, so that an unknown number is an unknown language and not
/// undefined behaviour.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SupportedLanguage(pub u32);

#[allow(non_upper_case_globals)] // the constants are used like the variants of an enum
impl SupportedLanguage {
    /// Rust.
    pub const Rust: Self = Self(0);
    /// C and C++.
    pub const Cpp: Self = Self(1);
    /// The languages of .NET.
    pub const Dotnet: Self = Self(2);
    /// Python.
    pub const Python: Self = Self(3);
    /// Lua.
    pub const Lua: Self = Self(4);
    /// JavaScript.
    pub const JavaScript: Self = Self(5);
}

impl fmt::Display for SupportedLanguage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            Self::Rust => "Rust",
            Self::Cpp => "C++",
            Self::Dotnet => ".NET",
            Self::Python => "Python",
            Self::Lua => "Lua",
            Self::JavaScript => "JavaScript",
            Self(other) => return write!(f, "language {other}"),
        })
    }
}

impl fmt::Debug for SupportedLanguage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
