//! Contracts whose plugins tell how many of them there are.

/// For a plugin that gives each proxy an instance of its own.
#[polyplug::contract(name = "test.stateful", version = "1.0")]
pub trait Stateful {
    /// How often this instance has been asked, with this time.
    fn count(&self) -> u32;
    /// How many instances there are.
    fn alive(&self) -> u32;
}

/// For a plugin of which a bundle has one instance.
#[polyplug::contract(name = "test.singleton", version = "1.0")]
pub trait Singleton {
    /// How often this instance has been asked, with this time.
    fn count(&self) -> u32;
    /// How many instances there have ever been.
    fn made(&self) -> u32;
}

/// For a plugin without data.
#[polyplug::contract(name = "test.stateless", version = "1.0")]
pub trait Stateless {
    /// How many instances there have ever been.
    fn made(&self) -> u32;
}
