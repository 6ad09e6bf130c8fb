//! Host contracts implemented in a scripting language that the host embeds.
//!
//! A *bridge* holds functions of that language, one a contract. Once it is given to a runtime, plugins reach them like
//! any other host contract, through their typed proxies.

use std::any::Any;
use std::ffi::c_void;
use std::sync::Arc;

use polyplug_abi::{
    AbiError, AbiErrorCode, CallArena, DispatchMechanisms, DispatchType, GuestContractInstance, HostContractId,
    HostContractInstance, HostContractInterface, SupportedLanguage, Version, VmDispatch, VmLoaderData,
};

use crate::guest::{catch, describe_panic};
use crate::host::abi::dispatch::CallFrame;
use crate::host::host_contract::provided::Provided;
use crate::host::runtime::runtime::Runtime;

/// Host contracts implemented in one language. Given to a runtime with [`Runtime::provide_bridge`].
///
/// ```
/// use std::any::Any;
/// use std::collections::HashMap;
///
/// use polyplug::host_bridge::{BridgeError, RuntimeLanguageBridge};
/// use polyplug_abi::{AbiError, AbiErrorCode, StringView, SupportedLanguage};
///
/// type Function = fn(fn_id: u32, args: *const (), out: *mut ());
///
/// #[derive(Default)]
/// struct Functions(HashMap<u64, Function>);
///
/// impl RuntimeLanguageBridge for Functions {
///     fn runtime_type(&self) -> SupportedLanguage {
///         SupportedLanguage::Rust
///     }
///
///     fn register_host_contract(&mut self, contract_id: u64, function: Box<dyn Any>) -> Result<(), BridgeError> {
///         if self.0.contains_key(&contract_id) {
///             return Err(BridgeError::DuplicateContract { contract_id });
///         }
///         let function = function.downcast::<Function>().map_err(|_| BridgeError::TypeMismatch {
///             contract_id,
///             expected: "Function".to_owned(),
///             got: "something else".to_owned(),
///         })?;
///         self.0.insert(contract_id, *function);
///         Ok(())
///     }
///
///     fn provides(&self, contract_id: u64) -> bool {
///         self.0.contains_key(&contract_id)
///     }
///
///     unsafe fn call_host_contract(&self, contract_id: u64, fn_id: u32, args: *const (), out: *mut ()) -> AbiError {
///         match self.0.get(&contract_id) {
///             Some(function) => function(fn_id, args, out),
///             None => return AbiError::new(AbiErrorCode::HostContractNotFound, StringView::null()),
///         }
///         AbiError::ok()
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut functions = Functions::default();
/// let one: Function = |_, _, out| unsafe { out.cast::<u64>().write(1) };
/// functions.register_host_contract(polyplug::HostContractId::new("demo.clock", 1).id(), Box::new(one))?;
/// let runtime = polyplug::Runtime::builder().build()?;
/// runtime.provide_bridge(functions);
/// # Ok(())
/// # }
/// ```
pub trait RuntimeLanguageBridge {
    /// The language.
    fn runtime_type(&self) -> SupportedLanguage;

    /// Adds the implementation of a contract, which is known by its id. What it has to be is up to the language.
    ///
    /// # Errors
    ///
    /// Any [`BridgeError`].
    fn register_host_contract(&mut self, contract_id: u64, implementation: Box<dyn Any>) -> Result<(), BridgeError>;

    /// Whether a contract is implemented. A bridge that does not say is asked for all contracts that nobody else
    /// provides, and its calls then say [`HostContractNotFound`](AbiErrorCode::HostContractNotFound).
    fn provides(&self, contract_id: u64) -> bool {
        let _ = contract_id;
        true
    }

    /// Calls function `fn_id` of a contract. The text of the error has to stay until this thread's next call of the
    /// bridge.
    ///
    /// # Safety
    ///
    /// `args` and `out` must be what the function expects: the canonical forms of its arguments, and room for that of
    /// its result.
    unsafe fn call_host_contract(&self, contract_id: u64, fn_id: u32, args: *const (), out: *mut ()) -> AbiError;
}

/// Why a bridge did not take an implementation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BridgeError {
    /// It has one for the contract.
    #[error("the host contract {contract_id:#018x} is registered already: register each once")]
    DuplicateContract {
        /// The contract.
        contract_id: u64,
    },

    /// It is nothing that the language can call.
    #[error("the implementation of the host contract {contract_id:#018x} is {got}, and has to be {expected}")]
    TypeMismatch {
        /// The contract.
        contract_id: u64,
        /// What the bridge takes.
        expected: String,
        /// What it was given.
        got: String,
    },

    /// The language's engine failed.
    #[error("the host contract {contract_id:#018x} could not be registered: {reason}")]
    VmRegistrationFailed {
        /// The contract.
        contract_id: u64,
        /// What the engine says.
        reason: String,
    },
}

/// A bridge as the runtime keeps it.
type Bridge = Arc<dyn RuntimeLanguageBridge + Send + Sync>;

impl Runtime {
    /// Provides all contracts that a bridge implements, now or later. What is provided in another way comes first, and
    /// so do bridges that were given earlier.
    ///
    /// Calls pass through as they are: arguments and results in their canonical forms.
    pub fn provide_bridge(&self, bridge: impl RuntimeLanguageBridge + Send + Sync + 'static) {
        let bridge: Bridge = Arc::new(bridge);
        self.host_contracts().add_source(move |id| bridge.provides(id.id()).then(|| provided(Arc::clone(&bridge), id)));
    }
}

/// One contract of a bridge.
struct Bridged {
    bridge: Bridge,
    contract_id: u64,
}

/// A contract as `bridge` implements it.
fn provided(bridge: Bridge, id: HostContractId) -> Provided {
    let bridged = Box::into_raw(Box::new(Bridged { bridge, contract_id: id.id() }));
    let interface = HostContractInterface {
        contract_id: id,
        // Which methods there are is up to the functions.
        contract_version: Version::new(0, u32::MAX, 0),
        singleton: 1,
        dispatch_type: DispatchType::VirtualMachine,
        user_data: bridged.cast(),
        create_instance,
        destroy_instance,
        dispatch: DispatchMechanisms { vm: VmDispatch { call, loader_data: VmLoaderData { data: bridged.cast() } } },
    };
    // SAFETY: the interface's functions are made for what its data leads to, which this function ends.
    unsafe { Provided::of_owned(interface, drop_bridged, None) }
}

unsafe fn drop_bridged(data: *mut c_void) {
    // SAFETY: made from a box of this type by `provided`.
    drop(unsafe { Box::from_raw(data.cast::<Bridged>()) });
}

unsafe extern "C" fn create_instance(
    this: *const HostContractInterface,
    _: *const (),
    out_instance: *mut HostContractInstance,
) {
    // Any address that is not null: what is called is found by the table.
    // SAFETY: the caller's table and room.
    unsafe { out_instance.write(HostContractInstance { data: (*this).user_data }) };
}

unsafe extern "C" fn destroy_instance(_: *const HostContractInterface, _: HostContractInstance) {}

unsafe extern "C" fn call(
    loader_data: VmLoaderData,
    _: GuestContractInstance,
    fn_id: u32,
    args: *const (),
    out: *mut (),
    arena: *mut CallArena,
    out_err: *mut AbiError,
) {
    // SAFETY: `provided` puts one there, which lives as long as its table.
    let Bridged { bridge, contract_id } = unsafe { &*loader_data.data.cast::<Bridged>() };
    // SAFETY: the caller promises arguments and room of the method's forms.
    let called = catch(|| unsafe { bridge.call_host_contract(*contract_id, fn_id, args, out) });
    let (code, text) = match called {
        Ok(error) if error.is_ok() => return,
        Ok(error) => {
            // SAFETY: the bridge's text stays until its next call on this thread.
            let text = unsafe { error.message.bytes() }.unwrap_or_default();
            (error.code, String::from_utf8_lossy(text).into_owned())
        }
        Err(payload) => (AbiErrorCode::Panic as u32, describe_panic(payload)),
    };
    // The text is copied: the bridge keeps it only until its next call.
    // SAFETY: the caller follows the protocol of `VmCall`: `out_err` is writable or null, `arena` valid or null.
    unsafe { CallFrame { args, out, arena, out_err }.fail(code, &text) };
}
