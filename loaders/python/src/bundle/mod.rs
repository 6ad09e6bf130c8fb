//! One version of a bundle in the interpreter.
//!
//! - `modules`: [`BundleModules`], the Python modules of the bundle, which runs its code within the limits.
//! - `method`: [`PluginMethod`], a method of a plugin's class, and [`call_method`].
//! - `plugin`: [`Plugin`], a class that the bundle has declared with `@plugin`, and [`PluginMethods`].
//! - `python_engine`: [`PythonEngine`], the modules and plugins together, which the runtime keeps.
//!
//! Invariant: objects of a bundle end before its modules do.

mod method;
mod modules;
mod plugin;
mod python_engine;

pub(crate) use method::{PluginMethod, call_method};
pub(crate) use modules::BundleModules;
pub(crate) use plugin::{Plugin, PluginMethods};
pub(crate) use python_engine::PythonEngine;
