//! The objects of a guest that others call.

use std::sync::{Arc, Weak};

use polyplug_abi::{AbiError, CallArena, GuestContractId, GuestContractInstance, VmDispatch, VmLoaderData};

use super::engine::Engine;
use super::fault::Fault;
use super::guest::Guest;
use super::incoming_call::IncomingCall;
use super::known_contract::KnownContract;
use super::plugin::run;
use super::vm::Vm;
use crate::guest::{catch, describe_panic};
use crate::host::abi::dispatch::CallFrame;
use crate::host::abi::log::report;
use crate::host::plugin_proxy::object::Object;
use crate::host::runtime::context::HostContext;
use crate::schema::Shape;
use crate::schema::plan::Kind;

/// An object, with the engine that runs its code.
struct VmObject<E: Engine> {
    vm: Arc<Vm<E>>,
    /// The object, or `None` after it has ended.
    object: Option<E::Object>,
    contract: KnownContract,
    definition: u32,
}

impl<E: Engine> Drop for VmObject<E> {
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            self.vm.end(object);
        }
    }
}

impl Guest {
    /// Hands over an object of the guest, which implements the contract of the definition with this number. Returns the
    /// lowered object, whose token the caller closes.
    ///
    /// # Errors
    ///
    /// The runtime has ended.
    ///
    /// # Panics
    ///
    /// If the engine that was started is not of type `E`.
    pub fn offer<E: Engine>(
        &self,
        object: E::Object,
        of: &KnownContract,
        definition: u32,
    ) -> Result<GuestContractInstance, Fault> {
        let vm = self.vm.get().and_then(Weak::upgrade).ok_or_else(|| Fault::new("the bundle is not started yet"))?;
        let vm = vm.downcast::<Vm<E>>().unwrap_or_else(|_| panic!("the engine that was started"));
        offer(&self.context, vm, object, of, definition)
    }
}

/// Hands an object over. Returns the lowered object, whose token the caller closes.
fn offer<E: Engine>(
    context: &HostContext,
    vm: Arc<Vm<E>>,
    object: E::Object,
    of: &KnownContract,
    definition: u32,
) -> Result<GuestContractInstance, Fault> {
    let Shape::Object(interface) = &of.schema.definition(definition).shape else { unreachable!() };
    let runtime = context.runtime().ok_or_else(|| Fault::new("the runtime has ended"))?;
    let contract_id = GuestContractId::new(&interface.contract, interface.major);
    let boxed = Box::new(VmObject { vm, object: Some(object), contract: of.clone(), definition });
    let instance = GuestContractInstance { data: Box::into_raw(boxed).cast(), contract_id };
    let count = u32::try_from(interface.methods.len()).unwrap_or(u32::MAX);
    let dispatch = VmDispatch { call: call::<E>, loader_data: VmLoaderData::null() };
    // SAFETY: `call` and `end` take an instance whose data is a `VmObject<E>`, and no other code has its address.
    let object = unsafe { Object::of_vm(instance, dispatch, count, end::<E>, context.version()) };
    Ok(GuestContractInstance { data: runtime.plugin_proxies().offer(&object), contract_id })
}

unsafe extern "C" fn end<E: Engine>(instance: GuestContractInstance) {
    // SAFETY: `offer` made the instance of a box of this type. The runtime calls `end` once, and does not use it again.
    let object = unsafe { Box::from_raw(instance.data.cast::<VmObject<E>>()) };
    // The object may have been the last owner of the engine, which is then dropped too.
    let bundle = object.vm.places().bundle().to_owned();
    if let Err(payload) = catch(|| drop(object)) {
        report!(ERROR, bundle = &bundle, "an engine panicked at its end: {}", describe_panic(payload));
    }
}

unsafe extern "C" fn call<E: Engine>(
    _: VmLoaderData,
    instance: GuestContractInstance,
    fn_id: u32,
    args: *const (),
    out: *mut (),
    arena: *mut CallArena,
    out_err: *mut AbiError,
) {
    // SAFETY: `offer` made the instance, and the runtime does not call it after `end`.
    let this = unsafe { &*instance.data.cast::<VmObject<E>>() };
    let (contract, definition, number) = (&this.contract, this.definition, fn_id as usize);
    let Kind::Object { methods, .. } = &contract.plan.definition(definition).kind else { unreachable!() };
    let Shape::Object(interface) = &contract.schema.definition(definition).shape else { unreachable!() };
    let object = this.object.as_ref().expect("an object that is called has not ended");
    let frame = CallFrame { args, out, arena, out_err };
    // SAFETY: `method` and `plan` have the same number. The runtime calls only functions with a number that the object
    // has, and the caller follows the protocol of `VmCall`.
    unsafe {
        let call = IncomingCall::new(contract, &interface.methods[number], &methods[number], number, frame);
        run(frame, this.vm.places(), || {
            let engine = this.vm.enter()?;
            let outcome = engine.call_object(definition, object, contract, &call);
            outcome.map_err(|fault| fault.returned_at(|| engine.object_place(object, &call)))
        });
    }
}
