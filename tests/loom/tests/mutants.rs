//! The models find mistakes: each mutant makes its model fail, with the expected message.

include!(concat!(env!("OUT_DIR"), "/tests.rs"));
