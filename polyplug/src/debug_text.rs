//! The `Debug` text of public errors.

/// Implements `Debug` for an error with the text of its `Display`.
///
/// A `main` that returns an error prints its `Debug` text, and so do `unwrap` and `expect`: what they print must name the
/// thing that failed and the remedy, as `Display` does.
macro_rules! debug_as_display {
    ($error:ty) => {
        impl std::fmt::Debug for $error {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }
    };
}

pub(crate) use debug_as_display;
