//! Providing host contracts from Rust.

use std::sync::Arc;

use crate::contract::{Contract, Provides};
use crate::guest::{Callback, PluginContext};
use crate::host::error::runtime::RuntimeError;
use crate::host::host_contract::provided::Provided;
use crate::host::runtime::runtime::Runtime;

impl Runtime {
    /// Provides contract `C` to plugins, through one object that serves them all. They reach it with
    /// [`PluginContext::host`](crate::PluginContext::host).
    ///
    /// The object lives as long as the runtime, which owns it. So one that needs the runtime has to hold it weakly
    /// ([`Arc::downgrade`](std::sync::Arc::downgrade)), or neither ever ends.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::AlreadyProvided`].
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
        // Now, so that it is ended with the runtime whether anybody has asked for it or not.
        if let Err(reason) = provided.instance("") {
            return Err(RuntimeError::HostContract { contract: contract::<C>(), reason });
        }
        self.add_host_contract::<C>(provided)
    }

    /// Provides contract `C` to plugins, through an object of its own for each proxy that they make. `make` is given the
    /// name of the bundle that asks. The object goes when the proxy does.
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

    /// Makes an object that is given to plugins as an argument, to be called back: see [`Callback`].
    ///
    /// # Errors
    ///
    /// None that a host need expect: the runtime is there.
    pub fn callback<C: Contract + ?Sized>(&self, object: impl Provides<C>) -> Result<Callback<C>, crate::CallError> {
        // SAFETY: the table is valid while the runtime is, and retained afterwards.
        Callback::new(&unsafe { PluginContext::retain(self.host_abi()) }, object)
    }

    fn add_host_contract<C: Contract + ?Sized>(&self, provided: Provided) -> Result<(), RuntimeError> {
        if self.host_contracts().add(Arc::new(provided)) {
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
    // SAFETY: the functions are those of `C` for `T`.
    unsafe { Provided::of_rust::<C, T>(runtime.host_abi(), T::FUNCTIONS, is_shared, Box::new(make)) }
}
