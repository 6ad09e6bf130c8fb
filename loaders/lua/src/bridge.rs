//! Host contracts implemented in Lua, for hosts that embed it.
//!
//! ```
//! use polyplug::host_bridge::RuntimeLanguageBridge;
//! use polyplug::{HostContractId, Runtime};
//! use polyplug_lua::bridge::LuaHostBridge;
//! use polyplug_lua::mlua::Function;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut bridge = LuaHostBridge::new();
//! // The first function of the contract takes nothing and returns a `u64`.
//! let clock: Function = bridge.lua().load(r#"
//!     local ffi = require("ffi")
//!     return function(fn_id, args, out)
//!       ffi.cast("uint64_t*", out)[0] = os.time()
//!     end
//! "#).eval()?;
//! bridge.register_host_contract(HostContractId::new("demo.clock", 1).id(), Box::new(clock))?;
//!
//! let runtime = Runtime::builder().build()?;
//! runtime.provide_bridge(bridge);
//! # Ok(())
//! # }
//! ```

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;

use mlua::{Function, IntoLuaMulti, Lua, MultiValue};
use polyplug::host_bridge::{BridgeError, RuntimeLanguageBridge};
use polyplug_abi::{AbiError, AbiErrorCode, HostContractId, StringView, SupportedLanguage};

use crate::int64::MAX_EXACT;

/// A bridge to host contracts that are implemented in Lua. A host gives the bridge to a runtime with
/// [`Runtime::provide_bridge`](polyplug::Runtime::provide_bridge).
///
/// One Lua function implements a contract. The host registers the function as a `Box<mlua::Function>`. The runtime
/// calls `f(fn_id, args_address, out_address)`. The arguments are:
///
/// - the number of the contract's method, from 0
/// - the address of the struct with the method's arguments
/// - the address of the memory for the method's result
///
/// docs/abi.md describes how arguments and result lie in memory. Results of the Lua function are ignored. An error that
/// the function raises fails the call with [`HostContractCallFailed`](AbiErrorCode::HostContractCallFailed) and the
/// error's message.
///
/// An address is a number up to 2<sup>53</sup>. Above, numbers are not exact, and the address is a `uint64_t` of
/// LuaJIT's. `ffi.cast("int32_t*", address)` takes either.
///
/// The bridge has a LuaJIT VM of its own, with the whole standard library, including `ffi`: scripts of the host are
/// trusted as the host itself is. One thread at a time may use the VM, and other threads wait. The thread that uses the
/// VM may enter again, so a function may call a plugin that calls the bridge. A function that waits for another thread,
/// which needs the bridge, waits forever.
pub struct LuaHostBridge {
    /// The function of each contract, by the contract's id.
    functions: HashMap<u64, Function>,
    /// The function that [`CALL_WITH_HALVES`] returns.
    call_with_halves: Function,
    lua: Lua,
}

/// A program that returns a function. The function calls another one with addresses that are not exact as numbers, and
/// gets each address as two halves of 32 bits.
const CALL_WITH_HALVES: &str = r#"
local ffi = require("ffi")
local function address(high, low)
  return ffi.cast("uint64_t", high) * 0x100000000ULL + ffi.cast("uint64_t", low)
end
return function(f, fn_id, args_high, args_low, out_high, out_low)
  f(fn_id, address(args_high, args_low), address(out_high, out_low))
end
"#;

impl LuaHostBridge {
    /// Makes a bridge without contracts.
    ///
    /// # Panics
    ///
    /// Panics if there is no memory for a VM.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(0)
    }

    /// Makes a bridge without contracts, with memory reserved for this many.
    ///
    /// # Panics
    ///
    /// Panics if there is no memory for a VM.
    #[must_use]
    pub fn with_capacity(contracts: usize) -> Self {
        // SAFETY: only scripts of the host run in the VM. The documentation of `LuaHostBridge` says that they are
        // trusted with everything that the whole standard library allows.
        let lua = unsafe { Lua::unsafe_new() };
        let call_with_halves =
            lua.load(CALL_WITH_HALVES).set_name("=polyplug").eval().expect("a constant program, and memory for it");
        Self { functions: HashMap::with_capacity(contracts), call_with_halves, lua }
    }

    /// Returns the VM, in which the host loads its scripts.
    #[must_use]
    pub fn lua(&self) -> &Lua {
        &self.lua
    }

    /// Calls the function of a contract.
    fn call(&self, function: &Function, fn_id: u32, args: u64, out: u64) -> mlua::Result<()> {
        if let (Some(args), Some(out)) = (exact(args), exact(out)) {
            return function.call((fn_id, args, out));
        }
        let halves = |address: u64| (address >> 32, address & 0xFFFF_FFFF);
        let ((args_high, args_low), (out_high, out_low)) = (halves(args), halves(out));
        let arguments: MultiValue =
            (function, fn_id, args_high, args_low, out_high, out_low).into_lua_multi(&self.lua)?;
        self.call_with_halves.call(arguments)
    }
}

/// Returns an address as a number, or `None` if a number cannot hold the address.
fn exact(address: u64) -> Option<f64> {
    #[allow(clippy::cast_precision_loss)] // the condition says that it is exact
    (address <= MAX_EXACT).then_some(address as f64)
}

impl Default for LuaHostBridge {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for LuaHostBridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let contracts: Vec<_> = self.functions.keys().map(|id| HostContractId::from_u64(*id)).collect();
        f.debug_struct("LuaHostBridge").field("contracts", &contracts).finish_non_exhaustive()
    }
}

thread_local! {
    /// The text of the thread's last error. Errors lend the text to the runtime until the thread's next error.
    static LAST_ERROR: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Makes an error with a text that stays valid until the thread's next error.
fn failed(code: AbiErrorCode, text: String) -> AbiError {
    LAST_ERROR.with_borrow_mut(|last| {
        *last = text;
        AbiError::new(code, StringView::lend(last.as_bytes()))
    })
}

/// Returns the message of the script, without the text that mlua adds.
fn message(error: mlua::Error) -> String {
    match error {
        mlua::Error::RuntimeError(text) if text.starts_with("table: 0x") || text.starts_with("<table ") => {
            "the function raised an error that is a table: raise text, `error(\"..\")`".to_owned()
        }
        mlua::Error::RuntimeError(text) => text,
        other => other.to_string(),
    }
}

impl RuntimeLanguageBridge for LuaHostBridge {
    fn runtime_type(&self) -> SupportedLanguage {
        SupportedLanguage::Lua
    }

    /// Registers a contract. The implementation must be a `Box<mlua::Function>` from [`lua`](LuaHostBridge::lua).
    fn register_host_contract(&mut self, contract_id: u64, implementation: Box<dyn Any>) -> Result<(), BridgeError> {
        if self.functions.contains_key(&contract_id) {
            return Err(BridgeError::DuplicateContract { contract_id });
        }
        let function = implementation.downcast::<Function>().map_err(|other| BridgeError::TypeMismatch {
            contract_id,
            expected: "an mlua::Function".to_owned(),
            got: describe(&*other).to_owned(),
        })?;
        self.functions.insert(contract_id, *function);
        Ok(())
    }

    fn provides(&self, contract_id: u64) -> bool {
        self.functions.contains_key(&contract_id)
    }

    unsafe fn call_host_contract(&self, contract_id: u64, fn_id: u32, args: *const (), out: *mut ()) -> AbiError {
        let Some(function) = self.functions.get(&contract_id) else {
            let text = format!("no function is registered for the host contract {contract_id:#018x}");
            return failed(AbiErrorCode::HostContractNotFound, text);
        };
        // The script makes pointers of the addresses, so their provenance is exposed.
        let (args, out) = (args.expose_provenance() as u64, out.expose_provenance() as u64);
        match self.call(function, fn_id, args, out) {
            Ok(()) => AbiError::ok(),
            Err(error) => failed(AbiErrorCode::HostContractCallFailed, message(error)),
        }
    }
}

/// Describes a value that is not a function.
fn describe(value: &dyn Any) -> &'static str {
    if value.is::<mlua::Value>() {
        "an mlua::Value"
    } else if value.is::<mlua::Table>() {
        "an mlua::Table"
    } else if value.is::<String>() || value.is::<&'static str>() {
        "text"
    } else {
        "something else"
    }
}
