//! The objects that guests call: host contracts, contracts of other bundles, and arguments that are objects.

use std::cell::RefCell;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use polyplug_abi::{AbiError, CallArena, GuestContractInstance, ProxyTarget, Version};

use super::fault::Fault;
use super::guest::Guest;
use super::known_contract::KnownContract;
use super::schemas::Named;
use crate::call_error::{CallError, Callee, Failure};
use crate::frame_arena::FrameArena;
use crate::host::abi::arena::{self, CallArenaGuard};
use crate::host::abi::dispatch::CallFrame;
use crate::host::error::proxy::ProxyError;
use crate::host::marshal::build::Build;
use crate::host::marshal::lift::Lifting;
use crate::host::marshal::located::Located;
use crate::host::marshal::lower::Lowering;
use crate::host::marshal::read::Read;
use crate::host::plugin::schema::PluginSchema;
use crate::host::plugin_proxy::request::ProxySpec;
use crate::host::runtime::context::HostContext;
use crate::schema::plan::{Kind, MethodPlan, Plan};
use crate::schema::{Method, Schema, Shape};
use crate::types::LiftError;

/// An object whose methods a guest may call. An imported object does not keep the bundle of its callee loaded.
pub struct ImportedObject {
    context: Arc<HostContext>,
    token: *mut c_void,
    /// True if the token is closed when this value is dropped. The owner of a lent object closes the token itself, and
    /// an object that was closed owns none any more.
    is_own: AtomicBool,
    schema: Arc<Schema>,
    plan: Arc<Plan>,
    /// The definition of the object in the schema, or `None` for the contract itself.
    object: Option<u32>,
    /// The callee, if it was known when the object was imported. Otherwise the runtime knows it.
    callee: Option<Arc<Callee>>,
}

// SAFETY: `token` is not dereferenced. Only the runtime interprets it, and accepts it from any thread.
unsafe impl Send for ImportedObject {}
// SAFETY: `token` is not dereferenced and does not change. The runtime accepts it from several threads at a time.
unsafe impl Sync for ImportedObject {}

/// The outcome of a call that a guest made.
#[derive(Debug)]
pub enum CallOutcome<V> {
    /// The value that the method returned.
    Returned(V),
    /// The error that the method declares.
    Declared(V),
}

/// An engine whose guests call others.
pub trait Caller: Build<Error = Fault> + Read<Value = <Self as Build>::Value, Error = Fault> {
    /// Makes a call that may take long. An engine with a lock of its own releases the lock during `call`.
    fn without_lock<R>(&mut self, call: impl FnOnce() -> R) -> R {
        call()
    }
}

impl Guest {
    /// Opens a host contract.
    ///
    /// # Errors
    ///
    /// The host does not provide the contract, its version, or access for this bundle.
    pub fn host(&self, contract: &str) -> Result<ImportedObject, Fault> {
        ImportedObject::open(self, ProxyTarget::Host, contract)
    }

    /// Opens a contract that another bundle provides.
    ///
    /// # Errors
    ///
    /// The bundle's manifest does not declare the contract, or no bundle provides it.
    pub fn peer(&self, contract: &str) -> Result<ImportedObject, Fault> {
        ImportedObject::open(self, ProxyTarget::Peer, contract)
    }

    /// Imports an object that is an argument of a call. `form` is the lowered object, of the definition with this
    /// number.
    ///
    /// # Errors
    ///
    /// The object is null, belongs to another contract, or is closed.
    pub fn object(
        &self,
        of: &KnownContract,
        definition: u32,
        form: GuestContractInstance,
    ) -> Result<ImportedObject, Fault> {
        ImportedObject::object(self, &of.schema, &of.plan, definition, form)
    }
}

impl ImportedObject {
    /// Opens a host contract, or a contract of another bundle.
    pub(crate) fn open(guest: &Guest, target: ProxyTarget, contract: &str) -> Result<Self, Fault> {
        let named = Named::read(contract).map_err(Fault::new)?;
        let runtime = guest.context.runtime().ok_or_else(|| Fault::new("the runtime has ended"))?;
        let scope = guest.context.bundle.as_deref();
        let schema = match guest.find_schema(&named) {
            Ok(known) => known,
            // Neither this program nor the bundle knows the contract, but the callee may.
            Err(reason) => runtime
                .callees()
                .schema_of_callee(target, &named.name, named.major)
                .map(PluginSchema::Own)
                .ok_or_else(|| Fault::new(reason))?,
        };
        let schema = schema.shared();
        let minor = named.minor.unwrap_or(0);
        let spec = ProxySpec::new(target, named.name, named.major, minor, Schema::clone(&schema));
        let (token, callee) = runtime.plugin_proxies().open(runtime.callees(), scope, spec).map_err(Fault::new)?;
        let plan = Arc::new(Plan::new(&schema));
        Ok(Self {
            context: Arc::clone(&guest.context),
            token,
            is_own: AtomicBool::new(true),
            schema,
            plan,
            object: None,
            callee: Some(Arc::new(callee)),
        })
    }

    /// Imports an object that is an argument of a call. `form` is the lowered object.
    pub(crate) fn object(
        guest: &Guest,
        schema: &Arc<Schema>,
        plan: &Arc<Plan>,
        definition: u32,
        form: GuestContractInstance,
    ) -> Result<Self, Fault> {
        let Shape::Object(interface) = &schema.definition(definition).shape else { unreachable!() };
        let id = polyplug_abi::GuestContractId::new(&interface.contract, interface.major);
        if form.data.is_null() || form.contract_id != id {
            return Err(crate::types::LiftError::new("the object is null or of another contract").into());
        }
        let (mut token, mut callee) = (form.data, None);
        if interface.kept {
            let runtime = guest.context.runtime().ok_or_else(|| Fault::new("the runtime has ended"))?;
            let (shared, offered_by) = runtime.plugin_proxies().share(form.data).map_err(Fault::new)?;
            (token, callee) = (shared, Some(Arc::new(offered_by)));
        }
        let (schema, plan, context) = (Arc::clone(schema), Arc::clone(plan), Arc::clone(&guest.context));
        Ok(Self {
            context,
            token,
            is_own: AtomicBool::new(interface.kept),
            schema,
            plan,
            object: Some(definition),
            callee,
        })
    }

    /// Returns the number of the object's definition, or `None` for a contract.
    #[must_use]
    pub fn definition(&self) -> Option<u32> {
        self.object
    }

    /// Returns the lowered object, as an argument of another call. That call closes the token.
    ///
    /// # Errors
    ///
    /// This is a contract and not an object, or the object is closed.
    pub fn share(&self) -> Result<GuestContractInstance, Fault> {
        let Some(interface) = self.interface() else {
            return Err(Fault::new(format_args!("{} is no object that may be handed on", self.contract())));
        };
        let runtime = self.context.runtime().ok_or_else(|| Fault::new("the runtime has ended"))?;
        let data = runtime.plugin_proxies().pass_on(self.token, None).map_err(|error| Fault::new(self.gone(error)))?;
        let contract_id = polyplug_abi::GuestContractId::new(&interface.contract, interface.major);
        Ok(GuestContractInstance { data, contract_id })
    }

    /// Returns the name of the contract, with its major version.
    #[must_use]
    pub fn contract(&self) -> String {
        match self.interface() {
            Some(interface) => format!("{}@{}", interface.contract, interface.major),
            None => format!("{}@{}", self.schema.name, self.schema.major),
        }
    }

    fn interface(&self) -> Option<&crate::schema::Interface> {
        match &self.schema.definition(self.object?).shape {
            Shape::Object(interface) => Some(interface),
            _ => None,
        }
    }

    /// Returns the contract that defines the types of the methods.
    #[must_use]
    pub fn schema_and_plan(&self) -> KnownContract {
        KnownContract { schema: Arc::clone(&self.schema), plan: Arc::clone(&self.plan) }
    }

    /// Returns the methods, in the order of their numbers.
    #[must_use]
    pub fn methods(&self) -> &[Method] {
        self.interface().map_or(&self.schema.methods, |interface| &interface.methods)
    }

    /// Returns whether the object is lent for the time of a call.
    fn is_lent(&self) -> bool {
        self.interface().is_some_and(|interface| !interface.kept)
    }

    /// Replaces `Closed` by `Returned` for a lent object: its owner closes the token when the call that lends it
    /// returns.
    #[cold]
    fn gone(&self, error: ProxyError) -> ProxyError {
        if self.is_lent() && matches!(error, ProxyError::Closed) { ProxyError::Returned } else { error }
    }

    /// Returns the callee, for errors.
    #[cold]
    pub(super) fn callee(&self) -> Callee {
        match &self.callee {
            Some(known) => Callee::clone(known),
            None => {
                self.context.runtime().map_or(Callee::Unknown, |runtime| runtime.plugin_proxies().callee(self.token))
            }
        }
    }

    /// Returns the same object without ownership of its token, for errors.
    pub(super) fn borrowed(&self) -> Self {
        let Self { token, object, .. } = *self;
        let (context, schema, plan) = (Arc::clone(&self.context), Arc::clone(&self.schema), Arc::clone(&self.plan));
        Self { context, token, is_own: AtomicBool::new(false), schema, plan, object, callee: self.callee.clone() }
    }

    pub(super) fn schema(&self) -> &Schema {
        &self.schema
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Returns a method with its contract, for errors: `demo.calculator.add`.
    #[cold]
    pub(super) fn method_path(&self, method: &Method) -> String {
        let contract = self.interface().map_or(&self.schema.name, |interface| &interface.contract);
        format!("{contract}.{}", method.name)
    }

    pub(super) fn method_plan(&self, number: usize) -> &MethodPlan {
        let Some(definition) = self.object else { return self.plan.method(number) };
        match &self.plan.definition(definition).kind {
            Kind::Object { methods, .. } => &methods[number],
            _ => unreachable!("made for an object"),
        }
    }

    /// Calls a method. The caller keeps the arguments.
    ///
    /// # Errors
    ///
    /// An argument does not have its type, the number of arguments is wrong, the callee is closed or unloaded, or the
    /// callee fails.
    ///
    /// # Panics
    ///
    /// If there is no method with this number.
    pub fn call<E: Caller>(
        &self,
        engine: &mut E,
        number: usize,
        arguments: &[<E as Build>::Value],
    ) -> Result<CallOutcome<<E as Build>::Value>, Fault> {
        let (method, plan) = (&self.methods()[number], self.method_plan(number));
        let path = || self.method_path(method);
        if arguments.len() != method.arguments.len() {
            let reason = self.schema.wrong_number(method, arguments.len());
            return Err(CallError::InvalidArgument(Failure::new(self.callee(), path(), reason)).into());
        }
        let Some(runtime) = self.context.runtime() else {
            let failure = Failure::new(self.callee(), path(), "the runtime has ended");
            return Err(CallError::Unloaded(failure).into());
        };
        let source = arena::source(self.context.api());
        let mut frame = MaybeUninit::uninit();
        let arena = FrameArena::new(&mut frame, &source);
        let offered = Offered { runtime: &runtime, tokens: RefCell::default() };
        let lowering =
            Lowering { schema: &self.schema, plan: &self.plan, arena: arena.get(), offered: Some(&offered.tokens) };
        let result = self.plan.node(plan.result);
        // SAFETY: the guard keeps the arena for this thread until it is dropped.
        let (args, out) = unsafe {
            let buffer = |size: usize, align: usize| {
                if size == 0 { std::ptr::null_mut() } else { (*arena.get()).alloc(size, align) }
            };
            (buffer(plan.size, plan.align), buffer(result.size, result.align))
        };
        if (plan.size > 0 && args.is_null()) || (result.size > 0 && out.is_null()) {
            return Err(Fault::new("there is no memory for the arguments"));
        }
        for (place, (field, value)) in plan.arguments.iter().zip(method.arguments.iter().zip(arguments)) {
            // SAFETY: `args` has the size of all arguments, and `place` lies within.
            unsafe { lowering.value(engine, place.node, value, args.add(place.at)) }.map_err(|fault| {
                let fault = fault.within(field.name.clone().into());
                fault.of_call(self.callee(), path(), CallError::InvalidArgument)
            })?;
        }
        if result.size > 0 {
            // SAFETY: `out` has the size of the result. Zeroed, so that the result can be lifted even if a callee
            // returns success without a write.
            unsafe { out.write_bytes(0, result.size) };
        }
        let mut error = AbiError::ok();
        let fn_id = u32::try_from(number).unwrap_or(u32::MAX);
        let called = engine.without_lock(|| {
            // SAFETY: `args` and `out` have the canonical layouts of the method, by the plan of the contract. The
            // runtime compared the callee with that contract when it opened the proxy.
            unsafe {
                let (args, out, arena) = (args.cast_const().cast(), out.cast(), arena.get());
                runtime.plugin_proxies().call(
                    self.context.bundle_id(),
                    self.token,
                    fn_id,
                    CallFrame { args, out, arena, out_err: &raw mut error },
                )
            }
        });
        drop(offered);
        // SAFETY: the callee reported the error. Its message is readable until this thread calls again.
        unsafe { self.outcome(number, called, &error) }?;
        let lifting = Lifting { schema: &self.schema, plan: &self.plan };
        // SAFETY: `out` has the layout of the result, and was zeroed before the callee wrote to it; by the protocol of
        // calls, pointers of the result lead into the arena.
        let lift = |engine: &mut E, node, at| unsafe { lifting.value(engine, node, out.add(at)) };
        let outcome = match &result.kind {
            Kind::Result { ok, err, at } => {
                // SAFETY: `out` has the layout of the result, which begins with a tag.
                match unsafe { out.cast::<u32>().read() } {
                    0 => lift(engine, *ok, *at).map(CallOutcome::Returned),
                    1 => lift(engine, *err, *at).map(CallOutcome::Declared),
                    tag => Err(crate::types::LiftError::tag("result", tag, 2).into()),
                }
            }
            Kind::Unit => engine.unit().map(CallOutcome::Returned),
            _ => lift(engine, plan.result, 0).map(CallOutcome::Returned),
        };
        outcome.map_err(|fault| fault.within("result".into()).of_call(self.callee(), path(), CallError::InvalidResult))
    }
}

impl ImportedObject {
    /// Calls a method whose arguments the engine has lowered itself, to the memory of `memory`. The arguments' objects
    /// were handed over in `outgoing`, whose arena the result is lowered to.
    ///
    /// # Errors
    ///
    /// The callee is closed or unloaded, or the callee fails.
    ///
    /// # Panics
    ///
    /// If there is no method with this number.
    ///
    /// # Safety
    ///
    /// `args` and `out` must have the canonical layouts of the method's arguments and result, by the plan of the
    /// contract. `out` must be writable and zeroed.
    pub unsafe fn call_lowered(
        &self,
        outgoing: &mut OutgoingCall,
        number: usize,
        args: *const u8,
        out: *mut u8,
    ) -> Result<(), CallError> {
        let Some(runtime) = self.context.runtime() else {
            let path = self.method_path(&self.methods()[number]);
            return Err(CallError::Unloaded(Failure::new(self.callee(), path, "the runtime has ended")));
        };
        let mut error = AbiError::ok();
        let fn_id = u32::try_from(number).unwrap_or(u32::MAX);
        let frame = CallFrame { args: args.cast(), out: out.cast(), arena: outgoing.arena(), out_err: &raw mut error };
        // SAFETY: the caller promises the layouts. The runtime compared the callee with the contract when it opened the
        // proxy. The guard of `outgoing` keeps the arena.
        let called = unsafe { runtime.plugin_proxies().call(self.context.bundle_id(), self.token, fn_id, frame) };
        outgoing.close_offered();
        // SAFETY: the callee reported the error. Its message is readable until this thread calls again.
        unsafe { self.outcome(number, called, &error) }
    }

    /// Returns the error of a call whose argument or result is no value of its type, for engines that move the values
    /// themselves. `wrong` has the path to the value, beginning with the argument's name or with `result`.
    ///
    /// # Panics
    ///
    /// If there is no method with this number.
    #[cold]
    #[must_use]
    pub fn wrong_value(&self, number: usize, wrong: &LiftError, is_result: bool) -> CallError {
        let failure = Failure::new(self.callee(), self.method_path(&self.methods()[number]), wrong.to_string());
        match (wrong.is_limit(), is_result) {
            (true, _) => CallError::TooLarge(failure),
            (false, true) => CallError::InvalidResult(failure),
            (false, false) => CallError::InvalidArgument(failure),
        }
    }

    /// Gives up the right to call the object. Later calls fail. Any thread may call this, also during a call.
    pub fn close(&self) {
        if self.is_own.swap(false, Ordering::Relaxed)
            && let Some(runtime) = self.context.runtime()
        {
            runtime.plugin_proxies().close(self.context.bundle_id(), self.token);
        }
    }

    /// Turns the outcome of a call into its error.
    ///
    /// # Safety
    ///
    /// The message of `error` must be empty or readable.
    unsafe fn outcome(&self, number: usize, called: Result<(), ProxyError>, error: &AbiError) -> Result<(), CallError> {
        if called.is_ok() && error.is_ok() {
            return Ok(());
        }
        let method = &self.methods()[number];
        let major = self.interface().map_or(self.schema.major, |interface| interface.major);
        let since = Version::new(major, method.since, 0);
        let path = self.method_path(method);
        match called {
            Err(refused) => Err(self.gone(refused).into_call_error(self.callee(), path, since)),
            // SAFETY: the caller promises that the message is empty or readable. It lies in the arena, which a guard
            // keeps, in the thread's buffer, or in the host's own code: the message of a callee whose code may be
            // unloaded is a copy.
            Ok(()) => Err(unsafe { CallError::reported(|| self.callee(), path, since, error) }),
        }
    }
}

/// A call that a guest makes, for engines that lower the arguments themselves: the arena of the call, and the objects
/// that the call hands over. The objects' tokens are closed when the call has returned, or when the value is dropped.
pub struct OutgoingCall {
    arena: CallArenaGuard,
    runtime: Option<Arc<crate::Runtime>>,
    tokens: Vec<*mut c_void>,
}

impl OutgoingCall {
    /// Enters the arena of a call. Calls of a thread are nested: the call that was entered last is dropped first.
    #[must_use]
    pub fn enter() -> Self {
        Self { arena: CallArenaGuard::enter(), runtime: None, tokens: Vec::new() }
    }

    /// Returns the arena for lowered arguments, valid until the value is dropped.
    #[must_use]
    pub fn arena(&self) -> *mut CallArena {
        self.arena.get()
    }

    /// Adds an object that the call hands over, which `guest` has lowered.
    pub fn hand_over(&mut self, guest: &Guest, object: GuestContractInstance) {
        if self.runtime.is_none() {
            self.runtime = guest.context.runtime();
        }
        self.tokens.push(object.data);
    }

    fn close_offered(&mut self) {
        if let Some(runtime) = &self.runtime {
            for token in self.tokens.drain(..) {
                runtime.plugin_proxies().close(None, token);
            }
        }
    }
}

impl Drop for OutgoingCall {
    fn drop(&mut self) {
        self.close_offered();
    }
}

impl std::fmt::Debug for OutgoingCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OutgoingCall({} objects)", self.tokens.len())
    }
}

impl Drop for ImportedObject {
    fn drop(&mut self) {
        self.close();
    }
}

/// The objects that a call hands over. Their tokens are closed when the call has returned. A callee that keeps an
/// object has a token of its own.
struct Offered<'a> {
    runtime: &'a crate::Runtime,
    tokens: RefCell<Vec<*mut c_void>>,
}

impl Drop for Offered<'_> {
    fn drop(&mut self) {
        for token in self.tokens.get_mut().drain(..) {
            self.runtime.plugin_proxies().close(None, token);
        }
    }
}
