//! What guests call: host contracts, peers, and objects that they were given.

use std::cell::RefCell;
use std::ffi::c_void;
use std::sync::Arc;

use polyplug_abi::{AbiError, GuestContractInstance, ProxyTarget, Version};

use super::fault::Fault;
use super::guest::Guest;
use super::known_contract::KnownContract;
use super::schemas;
use super::schemas::Named;
use crate::call_error::{CallError, Failure};
use crate::host::abi::arena::CallArenaGuard;
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

/// Somebody whose methods a guest may call. It keeps nobody loaded.
pub struct ImportedObject {
    context: Arc<HostContext>,
    token: *mut c_void,
    /// Whether the token is closed with this. That of an object which is lent is its owner's.
    is_own: bool,
    schema: Arc<Schema>,
    plan: Arc<Plan>,
    /// Whose methods: those of the schema's contract, or of an object that it defines.
    object: Option<u32>,
    bundle: String,
}

// SAFETY: the token is a number to everybody but the runtime, which accepts calls from any thread.
unsafe impl Send for ImportedObject {}
// SAFETY: as for `Send`.
unsafe impl Sync for ImportedObject {}

/// What a call of somebody else gave.
#[derive(Debug)]
pub enum CallOutcome<V> {
    /// What the method returned.
    Returned(V),
    /// The error that it declares.
    Declared(V),
}

/// An engine whose guests call others.
pub trait Caller: Build<Error = Fault> + Read<Value = <Self as Build>::Value, Error = Fault> {
    /// Makes the call, which may take its time. An engine with a lock of its own lets others in meanwhile.
    fn without_lock<R>(&mut self, call: impl FnOnce() -> R) -> R {
        call()
    }
}

impl Guest {
    /// A contract of the host's.
    ///
    /// # Errors
    ///
    /// The host does not provide it, in that version, or to this bundle.
    pub fn host(&self, contract: &str) -> Result<ImportedObject, Fault> {
        ImportedObject::open(self, ProxyTarget::Host, contract)
    }

    /// A contract that another bundle provides.
    ///
    /// # Errors
    ///
    /// The bundle's manifest does not declare it, or nobody provides it.
    pub fn peer(&self, contract: &str) -> Result<ImportedObject, Fault> {
        ImportedObject::open(self, ProxyTarget::Peer, contract)
    }

    /// The object that came as an argument of a call: `form`, of the definition with this number.
    ///
    /// # Errors
    ///
    /// It is null, of another contract, or gone.
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
    /// A host contract, or one of another bundle.
    pub(crate) fn open(guest: &Guest, target: ProxyTarget, contract: &str) -> Result<Self, Fault> {
        let named = Named::read(contract).map_err(Fault::new)?;
        let runtime = guest.context.runtime().ok_or_else(|| Fault::new("the runtime has ended"))?;
        let scope = guest.context.bundle.as_deref();
        let schema = match schemas::find(&named, guest.directory.as_deref()) {
            Ok(known) => known,
            // Nobody here knows the contract: the callee may.
            Err(reason) => runtime
                .callees()
                .schema_of_callee(target, &named.name, named.major)
                .map(PluginSchema::Own)
                .ok_or_else(|| Fault::new(reason))?,
        };
        let schema = schema.shared();
        let minor = named.minor.unwrap_or(0);
        let spec = ProxySpec::new(target, named.name, named.major, minor, Schema::clone(&schema));
        let (token, bundle) = runtime.plugin_proxies().open(runtime.callees(), scope, spec).map_err(Fault::new)?;
        let plan = Arc::new(Plan::new(&schema));
        Ok(Self { context: Arc::clone(&guest.context), token, is_own: true, schema, plan, object: None, bundle })
    }

    /// An object that came as an argument.
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
        let (mut token, mut bundle) = (form.data, String::new());
        if interface.kept {
            let runtime = guest.context.runtime().ok_or_else(|| Fault::new("the runtime has ended"))?;
            (token, bundle) = runtime.plugin_proxies().share(form.data).map_err(Fault::new)?;
        }
        let (schema, plan, context) = (Arc::clone(schema), Arc::clone(plan), Arc::clone(&guest.context));
        Ok(Self { context, token, is_own: interface.kept, schema, plan, object: Some(definition), bundle })
    }

    /// The number of the definition that describes it, if it is an object.
    #[must_use]
    pub fn definition(&self) -> Option<u32> {
        self.object
    }

    /// The object, to be handed on as an argument of another call. Its token is that call's to close.
    ///
    /// # Errors
    ///
    /// It is no object, or gone.
    pub fn share(&self) -> Result<GuestContractInstance, Fault> {
        let Some(interface) = self.interface() else {
            return Err(Fault::new(format_args!("{} is no object that may be handed on", self.contract())));
        };
        let runtime = self.context.runtime().ok_or_else(|| Fault::new("the runtime has ended"))?;
        let data = runtime.plugin_proxies().pass_on(self.token).map_err(|error| Fault::new(self.gone(error)))?;
        let contract_id = polyplug_abi::GuestContractId::new(&interface.contract, interface.major);
        Ok(GuestContractInstance { data, contract_id })
    }

    /// The name of the contract, with its major version.
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

    /// The contract that the methods' types are defined in.
    #[must_use]
    pub fn schema_and_plan(&self) -> KnownContract {
        KnownContract { schema: Arc::clone(&self.schema), plan: Arc::clone(&self.plan) }
    }

    /// The methods, in the order of their numbers.
    #[must_use]
    pub fn methods(&self) -> &[Method] {
        self.interface().map_or(&self.schema.methods, |interface| &interface.methods)
    }

    /// The token of an object that is lent is closed by its owner, when the call it was lent for returns.
    #[cold]
    fn gone(&self, error: ProxyError) -> ProxyError {
        if !self.is_own && matches!(error, ProxyError::Closed) { ProxyError::Returned } else { error }
    }

    fn method_plan(&self, number: usize) -> &MethodPlan {
        let Some(definition) = self.object else { return self.plan.method(number) };
        match &self.plan.definition(definition).kind {
            Kind::Object { methods, .. } => &methods[number],
            _ => unreachable!("made for an object"),
        }
    }

    /// Calls a method. The arguments stay the caller's.
    ///
    /// # Errors
    ///
    /// An argument is none of its type, or there are too many or too few; the callee is gone, or fails.
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
        let path = || format!("{}.{}", self.contract(), method.name);
        if arguments.len() != method.arguments.len() {
            let (expected, found) = (method.arguments.len(), arguments.len());
            let reason = format!("{expected} arguments are expected, and {found} given");
            return Err(CallError::InvalidArgument(Failure::new(path(), reason)).into());
        }
        let Some(runtime) = self.context.runtime() else {
            return Err(CallError::Unloaded { bundle: self.bundle.clone() }.into());
        };
        let arena = CallArenaGuard::enter();
        let offered = Offered { runtime: &runtime, tokens: RefCell::default() };
        let lowering =
            Lowering { schema: &self.schema, plan: &self.plan, arena: arena.get(), offered: Some(&offered.tokens) };
        let result = self.plan.node(plan.result);
        // SAFETY: the arena is ours until the guard goes.
        let (args, out) = unsafe {
            let room = |size: usize, align: usize| {
                if size == 0 { std::ptr::null_mut() } else { (*arena.get()).alloc(size, align) }
            };
            (room(plan.size, plan.align), room(result.size, result.align))
        };
        if (plan.size > 0 && args.is_null()) || (result.size > 0 && out.is_null()) {
            return Err(Fault::new("there is no memory for the arguments"));
        }
        for (place, (field, value)) in plan.arguments.iter().zip(method.arguments.iter().zip(arguments)) {
            // SAFETY: the room has the size of all arguments, and the place lies within.
            unsafe { lowering.value(engine, place.node, value, args.add(place.at)) }
                .map_err(|fault| fault.within(field.name.clone().into()).of_call(path(), CallError::InvalidArgument))?;
        }
        if result.size > 0 {
            // SAFETY: room for the result. Zeroed, so that a callee that claims success without writing does no harm.
            unsafe { out.write_bytes(0, result.size) };
        }
        let mut error = AbiError::ok();
        let fn_id = u32::try_from(number).unwrap_or(u32::MAX);
        let called = engine.without_lock(|| {
            // SAFETY: arguments and room have the forms of the method, by the plan of the contract that the callee was
            // held against when the proxy was opened.
            unsafe {
                let (args, out, arena) = (args.cast_const().cast(), out.cast(), arena.get());
                runtime.plugin_proxies().call(
                    self.token,
                    fn_id,
                    CallFrame { args, out, arena, out_err: &raw mut error },
                )
            }
        });
        drop(offered);
        if let Err(refused) = called {
            return Err(self.gone(refused).into_call_error(path(), &self.bundle).into());
        }
        if !error.is_ok() {
            let since = Version::new(self.schema.major, method.since, 0);
            // SAFETY: the callee wrote the message into the arena, the thread's buffer or its own image, all there.
            return Err(unsafe { CallError::reported(path(), since, &error, || self.bundle.clone()) }.into());
        }
        let lifting = Lifting { schema: &self.schema, plan: &self.plan };
        // SAFETY: the room has the result's form, zeroed before the callee filled it; its pointers lead into the arena.
        let lift = |engine: &mut E, node, at| unsafe { lifting.value(engine, node, out.add(at)) };
        let answer = match &result.kind {
            Kind::Result { ok, err, at } => {
                // SAFETY: the result begins with its tag.
                match unsafe { out.cast::<u32>().read() } {
                    0 => lift(engine, *ok, *at).map(CallOutcome::Returned),
                    1 => lift(engine, *err, *at).map(CallOutcome::Declared),
                    tag => Err(crate::types::LiftError::tag("result", tag, 2).into()),
                }
            }
            Kind::Unit => engine.unit().map(CallOutcome::Returned),
            _ => lift(engine, plan.result, 0).map(CallOutcome::Returned),
        };
        answer.map_err(|fault| fault.within("result".into()).of_call(path(), CallError::InvalidResult))
    }
}

impl Drop for ImportedObject {
    fn drop(&mut self) {
        if self.is_own
            && let Some(runtime) = self.context.runtime()
        {
            runtime.plugin_proxies().close(self.token);
        }
    }
}

/// The objects that a call hands over. Their tokens end with it: who keeps an object has a token of its own.
struct Offered<'a> {
    runtime: &'a crate::Runtime,
    tokens: RefCell<Vec<*mut c_void>>,
}

impl Drop for Offered<'_> {
    fn drop(&mut self) {
        for token in self.tokens.get_mut().drain(..) {
            self.runtime.plugin_proxies().close(token);
        }
    }
}
