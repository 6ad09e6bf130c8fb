//! The models find mistakes: each mutant makes its model fail, and as expected.

include!(concat!(env!("OUT_DIR"), "/tests.rs"));
