//! Proxies whose methods are called by name.

use std::borrow::Cow;
use std::mem::MaybeUninit;
use std::panic::Location;
use std::sync::Arc;

use polyplug_abi::{AbiError, GuestContractId, Version};

use super::values::{ValueReader, ValueRef, Values};
use crate::call_error::{CallError, Callee, Failure};
use crate::frame_arena::FrameArena;
use crate::host::abi::arena;
use crate::host::abi::buffer::AlignedBuffer;
use crate::host::abi::dispatch::CallFrame;
use crate::host::bundle::reference::{BundleRef, Named};
use crate::host::error::runtime::RuntimeError;
use crate::host::error::suggest::did_you_mean;
use crate::host::marshal::lift::Lifting;
use crate::host::marshal::lower::Lowering;
use crate::host::plugin::plugin::Plugin;
use crate::host::runtime::runtime::Runtime;
use crate::host::store::instances::InstanceLease;
use crate::schema::Schema;
use crate::schema::plan::Plan;
use crate::types::LiftError;
use crate::value::Value;

/// An instance of a plugin that is called by method names, from [`Runtime::dynamic`].
///
/// Calls cost more than those of a typed proxy, for every value is boxed and checked against the schema.
#[derive(Clone)]
pub struct DynamicProxy {
    pub(crate) held: Arc<InstanceLease>,
    pub(crate) plan: Arc<Plan>,
}

impl DynamicProxy {
    /// Returns the schema of the contract that the plugin implements.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        let described = self.held.versioned().provider().plugin.schema.as_ref();
        described.expect("made for a plugin with a schema").schema()
    }

    /// Calls `method`.
    ///
    /// An error that the method declares is returned as a value: a [`Value::Result`] that holds the error.
    ///
    /// # Errors
    ///
    /// [`CallError::NotFound`] for an unknown method, with the known methods. [`CallError::InvalidArgument`] for
    /// arguments of the wrong number or type, with the path of the argument. Any other [`CallError`] of a typed call.
    pub fn call(&self, method: &str, arguments: &[Value]) -> Result<Value, CallError> {
        self.current_for(method)?.call_here(method, arguments)
    }

    /// Returns the proxy for a call of `method`: see [`current`](Self::current).
    pub(crate) fn current_for(&self, method: &str) -> Result<Cow<'_, Self>, CallError> {
        self.current().map_err(|error| error.of_method(self.path(method)))
    }

    /// Returns a method with its contract, for errors: `demo.calculator.add`.
    #[cold]
    pub(crate) fn path(&self, method: &str) -> String {
        format!("{}.{method}", self.schema().name)
    }

    /// Returns the callee, for errors.
    #[cold]
    pub(crate) fn callee(&self) -> Callee {
        self.held.versioned().provider().callee()
    }

    /// Returns the proxy itself, or, after a reload, a proxy for the version that serves.
    pub(crate) fn current(&self) -> Result<Cow<'_, Self>, CallError> {
        let provider = self.held.versioned().provider();
        if provider.is_current() {
            return Ok(Cow::Borrowed(self));
        }
        let Some(held) = self.held.current_lease()? else { return Ok(Cow::Borrowed(self)) };
        let held = Arc::new(held);
        let plan = held.versioned().provider().plan().map_err(|_| provider.unloaded())?;
        Ok(Cow::Owned(Self { held, plan }))
    }

    /// Returns the number of `method`.
    pub(crate) fn number_of(&self, method: &str) -> Result<usize, CallError> {
        let schema = self.schema();
        schema.method(method).map(|(number, _)| number).ok_or_else(|| {
            let known: Vec<_> = schema.methods.iter().map(|method| method.name.as_str()).collect();
            CallError::NotFound(Failure::new(self.callee(), self.path(method), unknown(method, &known)))
        })
    }

    pub(crate) fn call_here(&self, method: &str, arguments: &[Value]) -> Result<Value, CallError> {
        self.call_number(self.number_of(method)?, arguments)
    }

    /// Calls the method with a number of this plugin's own schema.
    pub(crate) fn call_number(&self, number: usize, arguments: &[Value]) -> Result<Value, CallError> {
        let schema = self.schema();
        let described = &schema.methods[number];
        let method = described.name.as_str();
        let failure = |text: String| Failure::new(self.callee(), self.path(method), text);
        let wrong = |error: String| CallError::InvalidArgument(failure(error));
        if arguments.len() != described.arguments.len() {
            return Err(wrong(schema.wrong_number(described, arguments.len())));
        }

        let plan = self.plan.method(number);
        let source = arena::source(self.held.versioned().provider().table().api());
        let mut frame = MaybeUninit::uninit();
        let arena = FrameArena::new(&mut frame, &source);
        let lowering = Lowering { schema, plan: &self.plan, arena: arena.get(), offered: None };
        let mut given = ValueReader::new(schema);
        let args = AlignedBuffer::new(plan.size, plan.align);
        for (place, (field, value)) in plan.arguments.iter().zip(described.arguments.iter().zip(arguments)) {
            // SAFETY: the buffer has the size of all arguments, and `place` lies within.
            unsafe { lowering.value(&mut given, place.node, &ValueRef::Whole(value), args.start().add(place.at)) }
                .map_err(|error| self.refused(method, error.within(field.name.clone())))?;
        }
        let result = self.plan.node(plan.result);
        let out = AlignedBuffer::new(result.size, result.align);
        let mut error = AbiError::ok();
        let start = |buffer: &AlignedBuffer, size: usize| {
            if size == 0 { std::ptr::null_mut() } else { buffer.start().cast::<()>() }
        };
        let (args, out_start) = (start(&args, plan.size), start(&out, result.size));
        let frame = CallFrame { args, out: out_start, arena: arena.get(), out_err: &raw mut error };
        // SAFETY: `args` and `out` have the canonical layouts that the provider's own schema gives the method.
        let is_called = u32::try_from(number).is_ok_and(|number| unsafe { self.held.versioned().call(number, frame) });
        if !is_called {
            return Err(CallError::NotFound(failure("the provider lacks the function".to_owned())));
        }
        if !error.is_ok() {
            let since = Version::new(schema.major, described.since, 0);
            // SAFETY: the callee wrote the message into the arena, the thread's buffer or its own image. The guard
            // keeps the arena, and the lease keeps the image.
            return Err(unsafe { CallError::reported(|| self.callee(), self.path(method), since, &error) });
        }
        let lifting = Lifting { schema, plan: &self.plan };
        // SAFETY: the buffer has the layout of the result, and was zeroed before the callee wrote to it; by the
        // protocol of calls, pointers of the result lead into the arena.
        unsafe { lifting.value(&mut Values::new(schema), plan.result, out.start()) }
            .map_err(|error: LiftError| CallError::InvalidResult(failure(format!("result: {error}"))))
    }

    /// Returns the error of an argument that cannot be lowered.
    #[cold]
    pub(crate) fn refused(&self, method: &str, error: LiftError) -> CallError {
        let failure = Failure::new(self.callee(), self.path(method), error.to_string());
        if error.is_limit() { CallError::TooLarge(failure) } else { CallError::InvalidArgument(failure) }
    }
}

impl std::fmt::Debug for DynamicProxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DynamicProxy({} of bundle `{}`)", self.schema(), self.held.versioned().provider().bundle_name())
    }
}

impl Runtime {
    /// Makes an instance of the first provider of `contract`, which is `"name@major"` or `"name@major.minor"`. Its
    /// methods are called by name.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::InvalidContract`], [`RuntimeError::NoProvider`], [`RuntimeError::NoSchema`], or
    /// [`RuntimeError::Factory`].
    #[track_caller]
    pub fn dynamic(&self, contract: &str) -> Result<DynamicProxy, RuntimeError> {
        self.dynamic_where(contract, None)
    }

    /// Makes an instance like [`dynamic`](Self::dynamic), of the provider in one bundle, given by its id or its name.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::BundleNotLoaded`], and the errors of [`dynamic`](Self::dynamic).
    #[track_caller]
    pub fn dynamic_from(&self, contract: &str, bundle: impl BundleRef) -> Result<DynamicProxy, RuntimeError> {
        self.dynamic_where(contract, Some(Named::of(&bundle)))
    }

    #[track_caller]
    fn dynamic_where(&self, contract: &str, bundle: Option<Named<'_>>) -> Result<DynamicProxy, RuntimeError> {
        let invalid = || RuntimeError::InvalidContract { contract: contract.to_owned() };
        let (name, major, minor) = parse(contract).ok_or_else(invalid)?;
        let bundle_name = match bundle {
            Some(named) => Some(self.loaded_name(named)?),
            None => None,
        };
        let serves = |plugin: &Plugin| {
            bundle.is_none_or(|bundle| plugin.bundle == bundle.id) && plugin.interface.contract_version.minor >= minor
        };
        let all = self.store().providers(GuestContractId::new(name, major));
        let Some((_, provider)) = all.into_iter().find(|(_, provider)| serves(&provider.plugin)) else {
            let snapshot = self.snapshot();
            return Err(RuntimeError::NoProvider {
                contract: contract.to_owned(),
                offered: snapshot.view().versions(name).collect(),
                provided: snapshot.view().contracts(bundle_name.as_deref()),
                by_host: self.provides(name, major),
                bundle: bundle_name,
            });
        };
        let plan = provider.plan()?;
        Ok(DynamicProxy { held: InstanceLease::new(provider, Location::caller())?, plan })
    }

    /// Calls `method` of the first provider of `contract`, which is `"name@major"`.
    ///
    /// Makes an instance for this one call, unless the plugin shares one instance. Hold a [`dynamic`](Self::dynamic)
    /// proxy to keep the state of an instance.
    ///
    /// # Errors
    ///
    /// [`CallError::NotFound`] if there is no provider, and the errors of [`DynamicProxy::call`].
    ///
    /// ```no_run
    /// # use polyplug::{Runtime, Value};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let runtime = Runtime::builder().build()?;
    /// let sum = runtime.call("demo.calculator@1", "add", &[Value::from(2), Value::from(3)])?;
    /// assert_eq!(sum, Value::from(5));
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn call(&self, contract: &str, method: &str, arguments: &[Value]) -> Result<Value, CallError> {
        self.dynamic(contract).map_err(|error| no_proxy(contract, method, &error))?.call(method, arguments)
    }
}

/// Splits `name@major` or `name@major.minor` into name, major and minor version.
pub(crate) fn parse(contract: &str) -> Option<(&str, u32, u32)> {
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    let (name, version) = contract.split_once('@')?;
    let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
    if name.is_empty() { None } else { Some((name, number(major)?, number(minor)?)) }
}

/// Returns the error of a call for which no proxy could be made.
#[cold]
pub(crate) fn no_proxy(contract: &str, method: &str, error: &RuntimeError) -> CallError {
    let name = contract.split_once('@').map_or(contract, |(name, _)| name);
    let callee = match error {
        RuntimeError::Factory { bundle, .. } => Callee::Bundle(bundle.clone()),
        _ => Callee::Unknown,
    };
    CallError::NotFound(Failure::new(callee, format!("{name}.{method}"), error.to_string()))
}

fn unknown(method: &str, known: &[&str]) -> String {
    format!("the contract has no method `{method}`: it has {}{}", known.join(", "), did_you_mean(method, known))
}
