//! The choice of the standard library's part that bundles get.

/// A part of Lua's standard library that bundles get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum StdLib {
    /// The functions that only compute: the basic functions, `string`, `table`, `math`, `bit`, `coroutine`, and of `os`
    /// the clock and the calendar. No files, no other programs, no memory addresses, no byte code. `package`, `io` and
    /// `debug` exist for the libraries that expect them, and reach nothing outside of the bundle. The default.
    #[default]
    Safe,
    /// Everything, including `io`, `os`, `debug` and `ffi`. For bundles that are trusted as the host itself is.
    Full,
}
