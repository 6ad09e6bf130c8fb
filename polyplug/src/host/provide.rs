//! The methods of the runtime that provide host contracts from Rust.

use std::sync::Arc;

use crate::contract::{Contract, Provides};
use crate::guest::{Callback, PluginContext};
use crate::host::error::runtime::RuntimeError;
use crate::host::host_contract::provided::Provided;
use crate::host::runtime::runtime::Runtime;

impl Runtime {
    /// Provides contract `C` to plugins, through one object that serves all of them. Plugins call the object with
    /// [`PluginContext::host`](crate::PluginContext::host).
    ///
    /// The runtime owns the object and drops it at its end. An object that needs the runtime has to hold the runtime
    /// weakly ([`Arc::downgrade`](std::sync::Arc::downgrade)); otherwise neither is ever dropped.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::AlreadyProvided`], and [`RuntimeError::HostContract`] if the object cannot be given out.
    ///
    /// ```
    /// #[polyplug::contract(name = "demo.logger", version = "1.0")]
    /// trait Logger {
    ///     fn log(&self, text: &str);
    /// }
    ///
    /// struct Console;
    ///
    /// impl Logger for Console {
    ///     fn log(&self, text: &str) {
    ///         println!("{text}");
    ///     }
    /// }
    ///
    /// # fn main() -> Result<(), polyplug::error::RuntimeError> {
    /// let runtime = polyplug::Runtime::builder().build()?;
    /// runtime.provide::<dyn Logger>(Console)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn provide<C: Contract + ?Sized>(&self, object: impl Provides<C>) -> Result<(), RuntimeError> {
        let object = std::sync::Mutex::new(Some(object));
        let take =
            move |_: &str| object.lock().ok().and_then(|mut object| object.take()).expect("it is asked for once");
        let provided = provided::<C, _>(self, true, take);
        // The object is taken now, so that it ends with the runtime also if no plugin asks for it.
        if let Err(reason) = provided.instance("") {
            return Err(RuntimeError::HostContract { contract: contract::<C>(), reason });
        }
        self.add_host_contract::<C>(provided)
    }

    /// Provides contract `C` to plugins, through an object of its own for each proxy that they make. `make` gets the
    /// name of the bundle that makes the proxy. The object is dropped with the proxy.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::AlreadyProvided`].
    ///
    /// ```
    /// # #[polyplug::contract(name = "demo.logger", version = "1.0")]
    /// # trait Logger { fn log(&self, text: &str); }
    /// struct Prefixed(String);
    ///
    /// impl Logger for Prefixed {
    ///     fn log(&self, text: &str) {
    ///         println!("{}: {text}", self.0);
    ///     }
    /// }
    ///
    /// # fn main() -> Result<(), polyplug::error::RuntimeError> {
    /// # let runtime = polyplug::Runtime::builder().build()?;
    /// runtime.provide_each::<dyn Logger, _>(|bundle| Prefixed(bundle.to_owned()))?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn provide_each<C: Contract + ?Sized, T: Provides<C>>(
        &self,
        make: impl Fn(&str) -> T + Send + Sync + 'static,
    ) -> Result<(), RuntimeError> {
        self.add_host_contract::<C>(provided::<C, T>(self, false, make))
    }

    /// Makes an object that plugins get as an argument and call back: see [`Callback`].
    ///
    /// # Errors
    ///
    /// An error if the runtime has ended, which cannot happen while the runtime is borrowed.
    pub fn callback<C: Contract + ?Sized>(&self, object: impl Provides<C>) -> Result<Callback<C>, crate::CallError> {
        // SAFETY: `self` keeps the table valid during the call, and `retain` counts a reference to it.
        Callback::new(&unsafe { PluginContext::retain(self.host_abi()) }, object)
    }

    fn add_host_contract<C: Contract + ?Sized>(&self, provided: Provided) -> Result<(), RuntimeError> {
        if self.host_contracts().add(Arc::new(provided)) {
            self.bundle_table().observers.notify(); // bundles that need the contract can be loaded now
            return Ok(());
        }
        Err(RuntimeError::AlreadyProvided { contract: contract::<C>() })
    }
}

fn contract<C: Contract + ?Sized>() -> String {
    format!("{}@{}.{}", C::NAME, C::MAJOR, C::MINOR)
}

fn provided<C: Contract + ?Sized, T: Provides<C>>(
    runtime: &Runtime,
    is_shared: bool,
    make: impl Fn(&str) -> T + Send + Sync + 'static,
) -> Provided {
    // SAFETY: `T::FUNCTIONS` are the functions of contract `C` for type `T`, by `Provides`.
    unsafe { Provided::of_rust::<C, T>(runtime.host_abi(), T::FUNCTIONS, is_shared, Box::new(make)) }
}
