//! Host contracts implemented behind a bridge reach plugins through their ordinary proxies.
//!
//! The bridge here runs closures. What an engine's bridge does is told where the engine's loader is tested.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;

use polyplug::HostContractId;
use polyplug::host_bridge::{BridgeError, RuntimeLanguageBridge};
use polyplug_abi::{AbiError, AbiErrorCode, StringView, SupportedLanguage};
use polyplug_tests::{Bundle, runtime};
use test_contracts::calling::{Caller, CallerProxy, Logger};

/// What implements a contract: gets the function's number and two addresses.
type Function = Box<dyn Fn(u32, usize, usize) -> Result<(), String> + Send + Sync>;

#[derive(Default)]
struct Closures(HashMap<u64, Function>);

thread_local! {
    static LAST: RefCell<String> = const { RefCell::new(String::new()) };
}

impl RuntimeLanguageBridge for Closures {
    fn runtime_type(&self) -> SupportedLanguage {
        SupportedLanguage::Rust
    }

    fn register_host_contract(&mut self, contract_id: u64, implementation: Box<dyn Any>) -> Result<(), BridgeError> {
        if self.0.contains_key(&contract_id) {
            return Err(BridgeError::DuplicateContract { contract_id });
        }
        let (expected, got) = ("a closure".to_owned(), "something else".to_owned());
        let function = implementation.downcast::<Function>();
        self.0.insert(contract_id, *function.map_err(|_| BridgeError::TypeMismatch { contract_id, expected, got })?);
        Ok(())
    }

    fn provides(&self, contract_id: u64) -> bool {
        self.0.contains_key(&contract_id)
    }

    unsafe fn call_host_contract(&self, contract_id: u64, fn_id: u32, args: *const (), out: *mut ()) -> AbiError {
        let Some(function) = self.0.get(&contract_id) else {
            return AbiError::new(AbiErrorCode::HostContractNotFound, StringView::null());
        };
        match function(fn_id, args.addr(), out.addr()) {
            Ok(()) => AbiError::ok(),
            Err(text) => LAST.with_borrow_mut(|last| {
                *last = text;
                AbiError::new(AbiErrorCode::HostContractCallFailed, StringView::lend(last.as_bytes()))
            }),
        }
    }
}

const LOGGER: u64 = HostContractId::new("test.logger", 1).id();

/// A logger: `log` counts letters, `panics` fails with the words or panics, and there is nothing else.
fn logger() -> Function {
    Box::new(|fn_id, args, out| {
        if fn_id > 1 {
            return Err(format!("there is no function {fn_id}"));
        }
        let text = std::ptr::with_exposed_provenance::<StringView>(args);
        // SAFETY: both methods take a text.
        let text = unsafe { (*text).bytes() }.map(String::from_utf8_lossy).unwrap_or_default();
        match fn_id {
            // SAFETY: `log` returns a number.
            0 => unsafe { std::ptr::with_exposed_provenance_mut::<u32>(out).write(u32::try_from(text.len()).unwrap()) },
            _ if text == "really" => panic!("in the bridge"),
            _ => return Err(format!("the script says {text}")),
        }
        Ok(())
    })
}

fn bridge() -> Closures {
    let mut bridge = Closures::default();
    bridge.register_host_contract(LOGGER, Box::new(logger())).unwrap();
    bridge
}

fn caller(runtime: &polyplug::Runtime) -> (Bundle, CallerProxy) {
    let bundle = Bundle::native("caller", "plugin-caller");
    runtime.load_bundle(bundle.path()).unwrap();
    (bundle, runtime.proxy::<dyn Caller>().unwrap())
}

#[test]
fn plugins_call_through_a_bridge() {
    let runtime = runtime();
    runtime.provide_bridge(bridge());
    let (_bundle, caller) = caller(&runtime);
    assert_eq!(caller.log("four"), Ok(Ok(4)));
    let error = caller.host_panics("no").unwrap().unwrap_err();
    assert!(error.starts_with("the host, test.logger.panics: failed with code 102: the script says no"), "{error}");
    let error = caller.host_panics("really").unwrap().unwrap_err();
    assert!(error.starts_with("the host, test.logger.panics: panicked: in the bridge"), "{error}");
    assert!(caller.lines().unwrap().unwrap_err().contains("there is no function 2"));
}

#[test]
fn what_is_provided_otherwise_comes_first() {
    struct Fixed;
    impl Logger for Fixed {
        fn log(&self, _: &str) -> u32 {
            77
        }

        fn panics(&self, _: &str) {}

        fn lines(&self) -> Vec<String> {
            Vec::new()
        }
    }
    let runtime = runtime();
    runtime.provide_bridge(Closures::default());
    runtime.provide_bridge(bridge());
    runtime.provide::<dyn Logger>(Fixed).unwrap();
    let (_bundle, caller) = caller(&runtime);
    assert_eq!(caller.log("four"), Ok(Ok(77)));
}

#[test]
fn a_contract_that_no_bridge_has_is_not_provided() {
    let runtime = runtime();
    runtime.provide_bridge(Closures::default());
    let (_bundle, caller) = caller(&runtime);
    assert!(caller.log("x").unwrap().unwrap_err().contains("the host does not provide"));
}

#[test]
fn bridges_say_what_they_do_not_take() {
    let mut bridge = bridge();
    let again = bridge.register_host_contract(LOGGER, Box::new(logger())).unwrap_err();
    assert_eq!(again, BridgeError::DuplicateContract { contract_id: LOGGER });
    let wrong = bridge.register_host_contract(1, Box::new(7)).unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "the implementation of the host contract 0x0000000000000001 is something else, and has to be a closure"
    );
}
