//! A log pipeline whose stages are plugins: a configuration names them, the log flows through them in order, and at the
//! end each tells what it found out.
//!
//! Nothing in here knows a stage by name, nor the language it is written in.

pub mod config;
pub mod distribution;
pub mod input;
pub mod loaders;
pub mod output;
pub mod report;
pub mod run;
pub mod services;
pub mod stages;
pub mod statistics;
pub mod table;
pub mod traffic;
