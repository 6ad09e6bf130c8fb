//! Moving values between canonical memory and an engine: the world of dynamic values, or a language's virtual machine.
//!
//! The way is the same for all: a contract's [`Plan`](crate::schema::plan::Plan) is followed, number by number, and
//! [`lift`] asks the engine to [`Build`] a value of its own for each node, or [`lower`] to [`Read`] one. What differs is
//! only how an engine makes and looks at single values. No more is looked up, boxed or allocated on the way than a value
//! itself needs: names were turned into numbers when the plan was compiled, and an engine turns those numbers into
//! whatever it finds fields and cases by.

pub(crate) mod build;
pub(crate) mod keys;
pub(crate) mod lift;
pub(crate) mod located;
pub(crate) mod lower;
pub(crate) mod number;
pub(crate) mod read;
