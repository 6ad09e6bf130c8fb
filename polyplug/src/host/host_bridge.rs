//! Host contracts implemented in a scripting language that the host embeds.
//!
//! A *bridge* holds functions of that language, one for each contract. After a runtime has been given the bridge,
//! plugins call the functions like any other host contract, through typed proxies.

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

/// A bridge to host contracts implemented in one language. [`Runtime::provide_bridge`] gives a bridge to a runtime.
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
    /// Returns the language.
    fn runtime_type(&self) -> SupportedLanguage;

    /// Adds the implementation of the contract with this id. The type of an implementation is up to the language.
    ///
    /// # Errors
    ///
    /// Any [`BridgeError`].
    fn register_host_contract(&mut self, contract_id: u64, implementation: Box<dyn Any>) -> Result<(), BridgeError>;

    /// Returns whether a contract is implemented. By default a bridge claims all contracts that have no other provider;
    /// its calls then fail with [`HostContractNotFound`](AbiErrorCode::HostContractNotFound).
    fn provides(&self, contract_id: u64) -> bool {
        let _ = contract_id;
        true
    }

    /// Calls function `fn_id` of a contract. The text of the error has to stay valid until this thread's next call of
    /// the bridge.
    ///
    /// # Safety
    ///
    /// `args` must lead to the arguments of the function in their canonical layout, and `out` to memory for its result
    /// in that layout.
    unsafe fn call_host_contract(&self, contract_id: u64, fn_id: u32, args: *const (), out: *mut ()) -> AbiError;
}

/// A bridge's reason not to take an implementation.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BridgeError {
    /// A second implementation of a contract.
    #[error("the host contract {contract_id:#018x} is registered already: register each once")]
    DuplicateContract {
        /// The contract.
        contract_id: u64,
    },

    /// An implementation that the language cannot call.
    #[error("the implementation of the host contract {contract_id:#018x} is {got}, and has to be {expected}")]
    TypeMismatch {
        /// The contract.
        contract_id: u64,
        /// The type that the bridge takes.
        expected: String,
        /// The type that the bridge was given.
        got: String,
    },

    /// A failure of the language's engine.
    #[error("the host contract {contract_id:#018x} could not be registered: {reason}")]
    VmRegistrationFailed {
        /// The contract.
        contract_id: u64,
        /// The reason that the engine gives.
        reason: String,
    },
}

crate::debug_text::debug_as_display!(BridgeError);

/// A bridge as the runtime keeps it.
type Bridge = Arc<dyn RuntimeLanguageBridge + Send + Sync>;

impl Runtime {
    /// Provides all contracts that a bridge implements, now or later. Contracts that are provided in another way, and
    /// bridges that were given earlier, have precedence.
    ///
    /// The bridge gets arguments and writes results in their canonical layout.
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

/// Makes the host contract `id` that `bridge` implements.
fn provided(bridge: Bridge, id: HostContractId) -> Provided {
    let bridged = Box::into_raw(Box::new(Bridged { bridge, contract_id: id.id() }));
    let interface = HostContractInterface {
        contract_id: id,
        // The bridge decides which methods there are, so no minor version is too new.
        contract_version: Version::new(0, u32::MAX, 0),
        singleton: 1,
        dispatch_type: DispatchType::VirtualMachine,
        user_data: bridged.cast(),
        create_instance,
        destroy_instance,
        dispatch: DispatchMechanisms { vm: VmDispatch { call, loader_data: VmLoaderData { data: bridged.cast() } } },
    };
    // SAFETY: the interface's functions take a `Bridged` as their data, and `drop_bridged` frees it.
    unsafe { Provided::of_owned(interface, drop_bridged, None) }
}

unsafe fn drop_bridged(data: *mut c_void) {
    // SAFETY: `provided` made `data` from a box of this type; the runtime calls this function once.
    drop(unsafe { Box::from_raw(data.cast::<Bridged>()) });
}

unsafe extern "C" fn create_instance(
    this: *const HostContractInterface,
    _: *const (),
    out_instance: *mut HostContractInstance,
) {
    // Any address that is not null will do: `call` finds the bridge by the table's data.
    // SAFETY: by the protocol, `this` is the caller's valid table and `out_instance` is writable.
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
    // SAFETY: `provided` put a `Bridged` there, which stays valid as long as its table.
    let Bridged { bridge, contract_id } = unsafe { &*loader_data.data.cast::<Bridged>() };
    // SAFETY: the caller promises arguments, and memory for the result, in the canonical layout of the method.
    let called = catch(|| unsafe { bridge.call_host_contract(*contract_id, fn_id, args, out) });
    let (code, text) = match called {
        Ok(error) if error.is_ok() => return,
        Ok(error) => {
            // SAFETY: the bridge keeps the text valid until its next call on this thread.
            let text = unsafe { error.message.bytes() }.unwrap_or_default();
            (error.code, String::from_utf8_lossy(text).into_owned())
        }
        Err(payload) => (AbiErrorCode::Panic as u32, describe_panic(payload)),
    };
    // The text is copied: the bridge keeps it only until its next call.
    // SAFETY: the caller follows the protocol of `VmCall`: `out_err` is writable or null, `arena` valid or null.
    unsafe { CallFrame { args, out, arena, out_err }.fail(code, &text) };
}
