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

use crate::stack::EXACT;

/// Host contracts implemented in Lua. Given to a runtime with [`Runtime::provide_bridge`](polyplug::Runtime::provide_bridge).
///
/// A contract is implemented by one Lua function, registered as a `Box<mlua::Function>`. It is called as
/// `f(fn_id, args_address, out_address)`: the number of the contract's method, from 0, the address of the struct with the
/// method's arguments, and that of the room for its result, both in the forms that docs/abi.md describes. What it returns
/// is ignored; an error that it raises fails the call with
/// [`HostContractCallFailed`](AbiErrorCode::HostContractCallFailed) and the error's message.
///
/// An address is a number, or, from 2<sup>53</sup> on, where numbers are not exact, a `uint64_t` of LuaJIT's.
/// `ffi.cast("int32_t*", address)` takes either.
///
/// The functions live in a LuaJIT machine of the bridge's own, with the whole standard library, `ffi` among it: scripts
/// of the host are trusted as the host itself is. One thread at a time is in the machine, and others wait. The thread
/// that is in may enter again: a function may call a plugin that calls the bridge. A function that waits for another
/// thread, which needs the bridge, waits forever.
pub struct LuaHostBridge {
    functions: HashMap<u64, Function>,
    /// Calls a function with addresses that no number holds, each as two halves.
    call_far: Function,
    lua: Lua,
}

/// The halves are below 2^32, and their sum is computed with integers.
const CALL_FAR: &str = r#"
local ffi = require("ffi")
local function address(high, low)
  return ffi.cast("uint64_t", high) * 0x100000000ULL + ffi.cast("uint64_t", low)
end
return function(f, fn_id, args_high, args_low, out_high, out_low)
  f(fn_id, address(args_high, args_low), address(out_high, out_low))
end
"#;

impl LuaHostBridge {
    /// A bridge that implements nothing yet.
    ///
    /// # Panics
    ///
    /// If there is no memory for a machine.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(0)
    }

    /// A bridge with room for this many contracts. It grows where there are more.
    ///
    /// # Panics
    ///
    /// If there is no memory for a machine.
    #[must_use]
    pub fn with_capacity(contracts: usize) -> Self {
        // SAFETY: what the library lets scripts do, they are trusted with: they are the host's own.
        let lua = unsafe { Lua::unsafe_new() };
        let call_far = lua.load(CALL_FAR).set_name("=polyplug").eval().expect("a constant program, and memory for it");
        Self { functions: HashMap::with_capacity(contracts), call_far, lua }
    }

    /// The machine, to load scripts in.
    #[must_use]
    pub fn lua(&self) -> &Lua {
        &self.lua
    }

    fn call(&self, function: &Function, fn_id: u32, args: u64, out: u64) -> mlua::Result<()> {
        if let (Some(args), Some(out)) = (near(args), near(out)) {
            return function.call((fn_id, args, out));
        }
        let halves = |address: u64| (address >> 32, address & 0xFFFF_FFFF);
        let ((args_high, args_low), (out_high, out_low)) = (halves(args), halves(out));
        let arguments: MultiValue =
            (function, fn_id, args_high, args_low, out_high, out_low).into_lua_multi(&self.lua)?;
        self.call_far.call(arguments)
    }
}

/// An address as a number, if it is one.
fn near(address: u64) -> Option<f64> {
    #[allow(clippy::cast_precision_loss)] // exact up to here
    (address <= EXACT).then_some(address as f64)
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
    /// The text of the last error of this thread, which stays until its next one.
    static LAST: RefCell<String> = const { RefCell::new(String::new()) };
}

fn failed(code: AbiErrorCode, text: String) -> AbiError {
    LAST.with_borrow_mut(|last| {
        *last = text;
        AbiError::new(code, StringView::lend(last.as_bytes()))
    })
}

/// What the script says, without what mlua puts around it.
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

    /// Adds a contract. The implementation is a `Box<mlua::Function>` from [`lua`](LuaHostBridge::lua).
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
        // The script makes pointers of them.
        let (args, out) = (args.expose_provenance() as u64, out.expose_provenance() as u64);
        match self.call(function, fn_id, args, out) {
            Ok(()) => AbiError::ok(),
            Err(error) => failed(AbiErrorCode::HostContractCallFailed, message(error)),
        }
    }
}

/// What a value is that is no function.
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
