//! Python: shutdown.
