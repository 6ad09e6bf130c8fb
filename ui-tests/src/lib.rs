//! What the macros must reject.
