//! Which part of Lua's standard library bundles get.

/// Which part of Lua's standard library bundles get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum StdLib {
    /// What computes: the basic functions, `string`, `table`, `math`, `bit`, `coroutine`, and of `os` the clock and the
    /// calendar. No files, no other programs, no memory addresses, no byte code. The default.
    #[default]
    Safe,
    /// Everything, `io`, `os`, `debug` and `ffi` among it. For bundles that are trusted as the host itself is.
    Full,
}
