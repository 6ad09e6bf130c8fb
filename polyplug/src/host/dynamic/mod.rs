//! Calls by name, with values whose types are known at run time only.

#[cfg(feature = "json")]
mod json;
mod lift;
mod lower;

use std::mem::MaybeUninit;
use std::panic::Location;
use std::sync::Arc;

use polyplug_abi::{AbiError, BundleId, GuestContractId, Version};

use super::arena::CallArenaGuard;
use super::error::RuntimeError;
use super::instances::Held;
use super::runtime::Runtime;
use crate::call_error::{CallError, Failure};
use crate::schema::Schema;
use crate::schema::plan::Plan;
use crate::types::LiftError;
use crate::value::Value;

/// An instance of a plugin that is called by method names, from [`Runtime::dynamic`].
///
/// Calls cost more than a typed proxy's, for every value is boxed and checked against the schema.
#[derive(Clone)]
pub struct DynamicProxy {
    held: Arc<Held>,
    plan: Arc<Plan>,
}

impl DynamicProxy {
    /// What the plugin implements.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        let described = self.held.incarnation().provider().plugin.schema.as_ref();
        described.expect("made for a plugin with a schema").schema()
    }

    /// Calls `method`.
    ///
    /// A declared error is an answer: [`Value::Result`] with the error in it.
    ///
    /// # Errors
    ///
    /// [`CallError::NotFound`] for an unknown method, with the nearest known one; [`CallError::InvalidArgument`] for
    /// arguments of the wrong number or type, with the place; and whatever can befall any call.
    pub fn call(&self, method: &str, arguments: &[Value]) -> Result<Value, CallError> {
        let provider = self.held.incarnation().provider();
        if provider.is_current() {
            return self.call_here(method, arguments);
        }
        let held = Arc::new(self.held.latest()?);
        let plan = held.incarnation().provider().plan().map_err(|_| provider.unloaded())?;
        Self { held, plan }.call_here(method, arguments)
    }

    fn call_here(&self, method: &str, arguments: &[Value]) -> Result<Value, CallError> {
        let schema = self.schema();
        let path = || format!("{}.{method}", schema.name);
        let (number, described) = schema.method(method).ok_or_else(|| {
            let known: Vec<_> = schema.methods.iter().map(|method| method.name.as_str()).collect();
            CallError::NotFound(Failure::new(path(), unknown(method, &known)))
        })?;
        let wrong = |error: String| CallError::InvalidArgument(Failure::new(path(), error));
        if arguments.len() != described.arguments.len() {
            let (expected, found) = (described.arguments.len(), arguments.len());
            return Err(wrong(format!("{expected} arguments are expected, and {found} given")));
        }
        let entry = u32::try_from(number).ok().and_then(|number| self.held.incarnation().entry(number));
        let entry =
            entry.ok_or_else(|| CallError::NotFound(Failure::new(path(), "the provider lacks the function")))?;

        let plan = self.plan.method(number);
        let arena = CallArenaGuard::enter();
        let lower = lower::Lowering { schema, plan: &self.plan, arena: arena.get() };
        let args = Room::new(plan.size, plan.align);
        for (place, (field, value)) in plan.arguments.iter().zip(described.arguments.iter().zip(arguments)) {
            // SAFETY: the room has the size of all arguments, and the place lies within.
            unsafe { lower.value(place.node, value, args.start().add(place.at)) }
                .map_err(|error| wrong(error.within(field.name.clone()).to_string()))?;
        }
        let result = self.plan.node(plan.result);
        let out = Room::new(result.size, result.align);
        let mut error = AbiError::ok();
        let start = |room: &Room, size: usize| if size == 0 { std::ptr::null_mut() } else { room.start().cast::<()>() };
        entry(start(&args, plan.size), start(&out, result.size), arena.get(), &raw mut error);
        if !error.is_ok() {
            let since = Version::new(schema.major, described.since, 0);
            let bundle = || self.held.incarnation().provider().bundle_name().to_owned();
            // SAFETY: the callee wrote the message into the arena, the thread's buffer or its own image, all there.
            return Err(unsafe { CallError::reported(path(), since, &error, bundle) });
        }
        let lift = lift::Lifting { schema, plan: &self.plan };
        // SAFETY: the room has the result's form, zeroed before the callee filled it; its pointers lead into the arena.
        unsafe { lift.value(plan.result, out.start(), crate::types::Depth::ROOT) }
            .map_err(|error: LiftError| CallError::InvalidResult(Failure::new(path(), format!("result: {error}"))))
    }
}

impl std::fmt::Debug for DynamicProxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DynamicProxy({} of bundle `{}`)", self.schema(), self.held.incarnation().provider().bundle_name())
    }
}

impl Runtime {
    /// An instance of the first provider of `contract`, `"name@major"` or `"name@major.minor"`, to be called by
    /// method names.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::NoProvider`], [`RuntimeError::NoSchema`], or [`RuntimeError::Factory`].
    #[track_caller]
    pub fn dynamic(&self, contract: &str) -> Result<DynamicProxy, RuntimeError> {
        self.dynamic_where(contract, |_| true)
    }

    /// As [`dynamic`](Self::dynamic), for the provider in one bundle.
    ///
    /// # Errors
    ///
    /// As for [`dynamic`](Self::dynamic).
    #[track_caller]
    pub fn dynamic_from(&self, contract: &str, bundle: BundleId) -> Result<DynamicProxy, RuntimeError> {
        self.dynamic_where(contract, |of| of == bundle)
    }

    #[track_caller]
    fn dynamic_where(&self, contract: &str, wanted: impl Fn(BundleId) -> bool) -> Result<DynamicProxy, RuntimeError> {
        let none = || RuntimeError::NoProvider { contract: contract.to_owned(), bundle: None, offered: Vec::new() };
        let (name, major, minor) = parse(contract).ok_or_else(none)?;
        let all = self.store().providers(GuestContractId::new(name, major));
        let (_, provider) = all
            .into_iter()
            .find(|(_, provider)| {
                wanted(provider.plugin.bundle) && provider.plugin.interface.contract_version.minor >= minor
            })
            .ok_or_else(none)?;
        let plan = provider.plan()?;
        Ok(DynamicProxy { held: Held::new(provider, Location::caller())?, plan })
    }

    /// Calls `method` of the first provider of `contract`, `"name@major"`.
    ///
    /// Makes an instance for this one call, unless the plugin shares one; hold a [`dynamic`](Self::dynamic) proxy to
    /// keep an instance's state.
    ///
    /// # Errors
    ///
    /// [`CallError::NotFound`] when there is no provider, and as for [`DynamicProxy::call`].
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
        let failed =
            |error: RuntimeError| CallError::NotFound(Failure::new(format!("{contract}.{method}"), error.to_string()));
        self.dynamic(contract).map_err(failed)?.call(method, arguments)
    }
}

/// `name@major`, `name@major.minor`.
pub(super) fn parse(contract: &str) -> Option<(&str, u32, u32)> {
    let (name, version) = contract.split_once('@')?;
    let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
    Some((name, major.parse().ok()?, minor.parse().ok()?))
}

fn unknown(method: &str, known: &[&str]) -> String {
    format!("the contract has no method `{method}`: it has {}", known.join(", "))
}

/// Zeroed memory for arguments or a result.
struct Room {
    words: Vec<MaybeUninit<u128>>,
}

impl Room {
    fn new(size: usize, align: usize) -> Self {
        debug_assert!(align <= align_of::<u128>());
        Self { words: vec![MaybeUninit::zeroed(); size.div_ceil(size_of::<u128>())] }
    }

    fn start(&self) -> *mut u8 {
        // The memory is only ever reached through this pointer.
        self.words.as_ptr().cast_mut().cast()
    }
}
