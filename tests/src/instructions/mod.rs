//! The instructions of calls, counted by callgrind: the program that makes the calls, and the counts that are kept.
//!
//! Other programs do not disturb the counts, but compilers, the C library and interpreters decide them. So they are
//! compared with the kept ones where these are the same.

mod baseline;
mod callgrind;
mod tools;

pub use self::baseline::{Baseline, Difference, path as baseline_path};
pub use self::callgrind::{Count, Counts, build, counts};
pub use self::tools::{GROUPS, Tools};
