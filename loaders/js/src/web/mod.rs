//! The globals that a plugin may expect beyond the language: `console`, `TextEncoder`, `TextDecoder`,
//! `structuredClone`, timers, `URL` and `URLSearchParams`. The engine itself has `queueMicrotask`, `performance`,
//! `DOMException`, `atob` and `btoa`.
//!
//! - [`Web`]: the globals of one context
//! - [`Log`]: the function that gets the lines of `console`
//! - [`explain_absent`]: advice on globals of other surroundings
//!
//! The modules call no function of the language that code of a bundle can replace: such functions are read once, before
//! code of a bundle runs (`intrinsics`), and the programs in JavaScript use syntax and native functions only. Accessors
//! of a bundle run where the standards say so, and for the texts of errors and regular expressions.

// Lowest first. A module uses modules of the lines before its own number only.
mod absent;
mod quote;
mod value;
// 1
mod bytes;
mod intrinsics;
mod timers;
// 2
mod state;
// 3
mod encoding;
mod url;
// 4
mod inspect;
// 5
mod clone;
mod console;
// 6
mod web;

#[cfg(test)]
mod tests;

pub(crate) use absent::explain_absent;

pub(crate) use web::Web;
