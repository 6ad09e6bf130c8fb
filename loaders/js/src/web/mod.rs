//! What a plugin may expect of its surroundings beyond the language: `console`, `TextEncoder`, `TextDecoder`,
//! `structuredClone`, timers, `URL` and `URLSearchParams`. The engine itself has `queueMicrotask`, `performance`,
//! `DOMException`, `atob` and `btoa`.
//!
//! - [`Web`]: the globals of one context
//! - [`Log`]: the function that gets the lines of `console`
//! - [`explain_absent`]: advice on globals of other surroundings
//!
//! Nothing here calls a function that code of a bundle can replace: functions of the language are read once, before such
//! code runs (`intrinsics`), and the programs in JavaScript use syntax and native functions only.

// Lowest first. A module uses modules of the layers above its own line only.
mod absent;
mod value;
// 1
mod bytes;
mod intrinsics;
mod program;
mod timers;
// 2
mod state;
// 3
mod encoding;
mod inspect;
mod url;
// 4
mod clone;
mod console;
// 5
mod web;

#[cfg(test)]
mod tests;

pub(crate) use absent::explain_absent;
pub(crate) use state::Log;
pub(crate) use web::Web;
