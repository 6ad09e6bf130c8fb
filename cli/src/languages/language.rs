//! The languages of plugins.

use clap::ValueEnum;

/// A language that plugins are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// A package of stubs (.pyi) for mypy and pyright
    Python,
    /// Annotations for the Lua language server
    Lua,
    /// Declarations (.d.ts) for TypeScript
    #[value(aliases = ["typescript", "js", "javascript"])]
    Ts,
    /// Interfaces and types in C#
    #[value(aliases = ["dotnet", "cs", "c#"])]
    Csharp,
    /// A header for C and C++
    C,
}

impl Language {
    /// Returns the language's name, for messages.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Python => "Python",
            Self::Lua => "Lua",
            Self::Ts => "TypeScript",
            Self::Csharp => "C#",
            Self::C => "C",
        }
    }
}
