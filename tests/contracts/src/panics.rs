//! Contracts whose plugins panic.

/// For a plugin whose methods panic.
#[polyplug::contract(name = "test.panics", version = "1.0")]
pub trait Panics {
    /// With a literal.
    fn literal(&self);
    /// With a formatted text.
    fn formatted(&self, what: &str) -> String;
    /// With something that is no text.
    fn payload(&self) -> u64;
    /// With something that is no text and panics again when dropped.
    fn hostile_payload(&self);
    /// On a thread of the plugin's own; whether that thread panicked.
    fn elsewhere(&self) -> bool;
    /// Not at all.
    fn calm(&self) -> u32;
}

/// For a plugin that panics when it is dropped.
#[polyplug::contract(name = "test.fragile", version = "1.0")]
pub trait Fragile {
    /// Does nothing.
    fn touch(&self);
}

/// For a plugin whose factory refuses.
#[polyplug::contract(name = "test.refusing", version = "1.0")]
pub trait Refusing {
    /// Is never called.
    fn touch(&self);
}

/// For a plugin whose factory panics.
#[polyplug::contract(name = "test.exploding", version = "1.0")]
pub trait Exploding {
    /// Is never called.
    fn touch(&self);
}
