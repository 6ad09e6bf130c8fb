//! A stand-in for the host's log, which drops all messages.

macro_rules! report {
    ($level:ident, bundle = $bundle:expr, $($message:tt)+) => {{
        let _ = ($bundle, format_args!($($message)+));
    }};
    ($level:ident, $($message:tt)+) => {{
        let _ = format_args!($($message)+);
    }};
}
pub(crate) use report;
