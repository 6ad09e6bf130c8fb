//! What the book promises: its examples run, its tables of the ABI are true, its quickstart works as written.

#[cfg(doctest)]
mod examples {
    #[doc = include_str!("../../docs/src/contracts.md")]
    struct Contracts;

    #[doc = include_str!("../../docs/src/rust.md")]
    struct Rust;

    #[doc = include_str!("../../docs/src/lifecycle.md")]
    struct LifeCycle;

    #[doc = include_str!("../../docs/src/errors.md")]
    struct Errors;

    #[doc = include_str!("../../docs/src/abi.md")]
    struct Abi;

    #[doc = include_str!("../../docs/src/quickstart.md")]
    struct Quickstart;

    #[doc = include_str!("../../docs/src/design.md")]
    struct Design;
}
