//! The low-level protocol of bundles in Python, to the letter: what `polyplug_init` is given and may return, how functions
//! are called, what becomes of instances, and what is refused.

use std::ffi::c_void;
use std::mem::offset_of;
use std::ptr::{null, null_mut};
use std::sync::Arc;
use std::time::Duration;

use polyplug::error::{LoaderError, RuntimeError};
use polyplug::schema::Schema;
use polyplug::{BundleId, CallError, Runtime};
use polyplug_abi::{
    AbiError, AbiErrorCode, BundleInitContext, CallArena, DispatchType, GuestContractHandle, GuestContractId,
    GuestContractInstance, GuestContractInterface, HostApi, StringView, Version,
};
use polyplug_python::PythonLoader;
use polyplug_tests::python::{ask, load_error, load_python, python_bundle, python_runtime, try_load_python};
use polyplug_tests::{Bundle, eventually, last_error, manifest, reported};

/// The contract of [`MAIN`].
const CONTRACT: &str = "test.raw";

/// A bundle whose function 0 runs code, given as text, that sees the function's own arguments. What it assigns to `result`
/// goes to `out`, as a `u64`. Function 1 counts.
const MAIN: &str = r#"
import ctypes
import sys
import threading

from polyplug import AbiError, AbiErrorCode

made, ended = [], []
go = threading.Event()


class Text(ctypes.Structure):
    _fields_ = [("address", ctypes.c_size_t), ("length", ctypes.c_size_t)]


class Impl:
    def __init__(self, host):
        self.host, self.count, self.values = host, 0, {}
        made.append(host)

    def __del__(self):
        ended.append(threading.get_ident())


def run(impl, args, out, arena, arena_alloc):
    text = Text.from_address(args)
    names = dict(globals(), impl=impl, args=args, out=out, arena=arena, arena_alloc=arena_alloc, result=None)
    exec(compile(ctypes.string_at(text.address, text.length).decode(), "code", "exec"), names)
    if names["result"] is not None:
        ctypes.c_uint64.from_address(out).value = names["result"]
    return "whatever"


def count(impl, args, out, arena, arena_alloc):
    impl.count += 1
    ctypes.c_uint64.from_address(out).value = impl.count


def polyplug_init(host_address, context_address):
    global host, context
    host, context = host_address, context_address
    raw = {"contract": "test.raw@3.7", "plugin_name": "raw", "factory": Impl, "functions": [run, count]}
    return [raw], AbiError(AbiErrorCode.Ok)
"#;

/// A main file in which `polyplug_init` returns this.
fn returning(expression: &str) -> String {
    format!(
        "from polyplug import AbiError, AbiErrorCode\n\
         def f(impl, args, out, arena, arena_alloc): pass\n\
         one = {{'contract': 'test.raw@3', 'factory': lambda host: object(), 'functions': [f]}}\n\
         def polyplug_init(host, context):\n return {expression}\n"
    )
}

/// A contract, as a program calls it that has nothing but the ABI.
struct Raw {
    runtime: Arc<Runtime>,
    handle: GuestContractHandle,
}

fn id() -> GuestContractId {
    GuestContractId::new(CONTRACT, 3)
}

/// The default instance.
fn default() -> GuestContractInstance {
    GuestContractInstance { data: null_mut(), contract_id: id() }
}

impl Raw {
    fn of(runtime: Arc<Runtime>) -> Self {
        let handle = runtime.find_guest_contract(id().id(), 0).unwrap();
        Self { runtime, handle }
    }

    fn loaded() -> Self {
        Self::loaded_by(PythonLoader::new())
    }

    fn loaded_by(loader: PythonLoader) -> Self {
        let runtime = python_runtime(loader);
        load_python(&runtime, "python", MAIN);
        Self::of(runtime)
    }

    fn host(&self) -> *const HostApi {
        self.runtime.host_abi()
    }

    /// The table, which is valid as long as the lease.
    fn with_interface<R>(&self, body: impl FnOnce(&GuestContractInterface) -> R) -> R {
        let lease = self.runtime.lease(self.handle).unwrap();
        assert_eq!(self.runtime.resolve_guest_contract(self.handle).unwrap(), lease.interface());
        // SAFETY: valid while leased.
        body(unsafe { &*lease.interface() })
    }

    fn create(&self) -> GuestContractInstance {
        let mut instance = GuestContractInstance::null();
        // SAFETY: the loader data is the table's own, and the room writable.
        self.with_interface(|table| unsafe {
            (table.create_instance)(table.dispatch.vm.loader_data, self.host(), null(), &raw mut instance);
        });
        instance
    }

    fn destroy(&self, instance: GuestContractInstance) {
        // SAFETY: the loader data is the table's own, and `create` made the instance with this table.
        self.with_interface(|table| unsafe {
            (table.destroy_instance)(table.dispatch.vm.loader_data, self.host(), instance);
        });
    }

    /// Calls a function through the table.
    fn call(
        &self,
        instance: GuestContractInstance,
        function: u32,
        args: *const (),
        out: *mut (),
        arena: *mut CallArena,
    ) -> (u32, String) {
        // SAFETY: the loader data is the table's own, and the arguments are those of the test's functions.
        self.with_interface(|table| unsafe {
            let vm = table.dispatch.vm;
            reported(|error| (vm.call)(vm.loader_data, instance, function, args, out, arena, error))
        })
    }

    /// Runs code with an instance; what it assigns to `result`.
    fn run_in(&self, instance: GuestContractInstance, code: &str, arena: *mut CallArena) -> Result<u64, (u32, String)> {
        let (args, mut out) = (StringView::lend(code.as_bytes()), u64::MAX);
        match self.call(instance, 0, (&raw const args).cast(), (&raw mut out).cast(), arena) {
            (0, text) => {
                assert_eq!(text, "");
                Ok(out)
            }
            failed => Err(failed),
        }
    }

    #[track_caller]
    fn run(&self, code: &str) -> u64 {
        self.run_in(default(), code, null_mut()).unwrap_or_else(|(code, text)| panic!("code {code}: {text}"))
    }

    /// Counts with an instance.
    fn count(&self, instance: GuestContractInstance) -> Result<u64, (u32, String)> {
        let mut out = 0_u64;
        match self.call(instance, 1, null(), (&raw mut out).cast(), null_mut()) {
            (0, _) => Ok(out),
            failed => Err(failed),
        }
    }

    /// An instance behind a token of the host's.
    fn token(&self) -> (GuestContractInstance, (u32, String)) {
        let mut token = GuestContractInstance::null();
        // SAFETY: the runtime is alive, and the room is writable.
        let said = reported(|error| unsafe {
            ((*self.host()).create_guest_instance)(self.host(), self.handle, null(), &raw mut token, error);
        });
        (token, said)
    }

    /// Counts with the instance of a token.
    fn count_by(&self, token: GuestContractInstance) -> Result<u64, (u32, String)> {
        let mut out = 0_u64;
        // SAFETY: the runtime is alive, and the room is writable.
        let said = reported(|error| unsafe {
            let out = (&raw mut out).cast();
            ((*self.host()).call_guest_method)(self.host(), token, 1, null(), out, null_mut(), error);
        });
        if said.0 == 0 { Ok(out) } else { Err(said) }
    }
}

#[test]
fn the_table_is_that_of_a_vm() {
    let raw = Raw::loaded();
    raw.with_interface(|table| {
        assert_eq!((table.contract_id, table.contract_version), (id(), Version::new(3, 0, 0)));
        assert_eq!(table.dispatch_type, DispatchType::VirtualMachine);
    });
    assert!(raw.runtime.find_guest_contract(id().id(), 1).is_err(), "the minor version does not count");
    assert!(raw.runtime.find_guest_contract(GuestContractId::new(CONTRACT, 1).id(), 0).is_err());
}

#[test]
fn polyplug_init_is_given_the_addresses_of_its_own_table_and_context() {
    let bundle = python_bundle("python", "", &[("main.py", MAIN)]);
    let runtime = python_runtime(PythonLoader::new());
    runtime.load_bundle(bundle.path()).unwrap();
    let raw = Raw::of(runtime);
    let table = raw.run("result = host") as usize;
    assert_ne!(table, raw.host().addr(), "a bundle has a table of its own");
    let table: *const HostApi = std::ptr::with_exposed_provenance(table);
    // SAFETY: the table lives as long as the bundle.
    let size = unsafe { (*table).struct_size };
    assert_eq!(size, size_of::<HostApi>());
    let context: *const BundleInitContext = std::ptr::with_exposed_provenance(raw.run("result = context") as usize);
    // SAFETY: the context lives as long as the bundle.
    let (id, path) = unsafe { ((*context).bundle_id, (*context).bundle_path.bytes().unwrap()) };
    assert_eq!(id, BundleId::new("python").id());
    assert_eq!(path, bundle.path().as_os_str().as_encoded_bytes());
    assert_eq!(raw.run("result = impl.host == host"), 1);
}

#[test]
fn a_function_gets_what_the_factory_returned_and_the_addresses() {
    let raw = Raw::loaded();
    let (args, mut out) = (StringView::lend(b"result = args ^ out ^ arena"), 0_u64);
    let mut room = [0_u8; 64];
    // SAFETY: `room` outlives the arena, and nothing else touches it meanwhile.
    let mut arena = unsafe { CallArena::fixed(room.as_mut_ptr(), room.len()) };
    let (args_at, out_at, arena_at) = ((&raw const args).cast(), (&raw mut out).cast::<()>(), &raw mut arena);
    assert_eq!(raw.call(default(), 0, args_at, out_at, arena_at), (0, String::new()));
    assert_eq!(out as usize, args_at.addr() ^ out_at.addr() ^ arena_at.addr());
    assert_eq!(raw.run("result = arena"), 0);
    assert_eq!(raw.run("result = type(impl) is Impl and args != 0"), 1);
    let ids = "result = len({id(arena_alloc), impl.values.setdefault('alloc', id(arena_alloc))})";
    assert_eq!((raw.run(ids), raw.run(ids)), (1, 1), "the same each time");
    let mut other = [7_u64; 1];
    assert_eq!(raw.call(default(), 1, null(), (&raw mut other).cast(), null_mut()), (0, String::new()));
    assert_eq!(other, [1]);
}

#[test]
fn the_factory_makes_one_instance_at_load_and_one_for_each_that_is_asked_for() {
    let raw = Raw::loaded();
    assert_eq!(raw.run("result = len(made)"), 1, "the default instance");
    let (first, second) = (raw.create(), raw.create());
    assert!(!first.data.is_null() && !second.data.is_null() && first.data != second.data);
    assert_eq!((first.contract_id, second.contract_id), (id(), id()));
    assert_eq!(raw.run("result = len(made)"), 3);
    assert_eq!(raw.run("result = set(made) == {host}"), 1);
    assert_eq!((raw.count(first), raw.count(first), raw.count(second)), (Ok(1), Ok(2), Ok(1)));
    assert_eq!((raw.count(default()), raw.count(GuestContractInstance::null())), (Ok(1), Ok(2)));
    raw.destroy(first);
    assert_eq!((raw.count(second), raw.count(default())), (Ok(2), Ok(3)));
    raw.destroy(second);
    raw.destroy(default());
    assert_eq!(raw.count(default()), Ok(4), "the default instance stays");
    assert_eq!(raw.run("result = len(ended)"), 2);
}

#[test]
fn instances_that_have_ended_or_never_were_are_unknown() {
    let raw = Raw::loaded();
    let gone = raw.create();
    raw.destroy(gone);
    raw.destroy(gone);
    assert_eq!(raw.run("result = len(ended)"), 1, "once");
    let other = raw.create();
    for data in [gone.data.addr(), 1, 8, usize::MAX, other.data.addr() ^ 1] {
        let data: *mut c_void = std::ptr::without_provenance_mut(data);
        let (code, text) = raw.count(GuestContractInstance { data, contract_id: id() }).unwrap_err();
        assert_eq!(code, AbiErrorCode::StaleHandle as u32, "{text}");
        assert!(text.contains(&format!("no instance {:#x}", data.addr())), "{text}");
        raw.destroy(GuestContractInstance { data, contract_id: id() });
    }
    assert_eq!(raw.count(other), Ok(1), "the others are not touched");
    let mut seen = vec![gone.data, other.data];
    for _ in 0..1000 {
        let instance = raw.create();
        assert!(!instance.data.is_null() && !seen.contains(&instance.data), "no id comes again");
        seen.push(instance.data);
        raw.destroy(instance);
    }
}

#[test]
fn an_instance_ends_under_the_lock_on_a_thread_that_python_has_never_seen() {
    let raw = Raw::loaded();
    let instance = raw.create();
    assert_eq!(raw.run("result = len(ended)"), 0);
    std::thread::scope(|scope| scope.spawn(|| raw.destroy(instance)).join().unwrap());
    assert_eq!(raw.run("result = len(ended) == 1 and ended[0] != threading.get_ident()"), 1);
}

#[test]
fn an_instance_that_is_destroyed_during_its_call_ends_after_it() {
    let raw = Raw::loaded();
    let instance = raw.create();
    let code = "made.append('busy')\ngo.wait()\nresult = len(ended)";
    std::thread::scope(|scope| {
        let busy = scope.spawn(|| raw.run_in(instance, code, null_mut()));
        eventually("it is in the call", || raw.run("result = 'busy' in made") == 1);
        raw.destroy(instance);
        let (code, _) = raw.count(instance).unwrap_err();
        assert_eq!(code, AbiErrorCode::StaleHandle as u32);
        raw.run("go.set()");
        assert_eq!(busy.join().unwrap(), Ok(0), "nothing had ended by then");
    });
    assert_eq!(raw.run("result = len(ended)"), 1);
}

#[test]
fn tokens_of_the_host_lead_to_instances_of_their_own() {
    let raw = Raw::loaded();
    let ((first, said), (second, _)) = (raw.token(), raw.token());
    assert_eq!(said, (0, String::new()));
    assert_eq!((raw.count_by(first), raw.count_by(first), raw.count_by(second)), (Ok(1), Ok(2), Ok(1)));
    assert_eq!(raw.count(default()), Ok(1));
    // SAFETY: the runtime is alive.
    unsafe { ((*raw.host()).destroy_guest_instance)(raw.host(), first) };
    eventually("the instance ends", || raw.run("result = len(ended)") == 1);
    assert_eq!(raw.count_by(first).unwrap_err().0, AbiErrorCode::StaleHandle as u32);
    assert_eq!(raw.count_by(second), Ok(2));
}

#[test]
fn a_factory_that_fails_gives_no_instance_and_says_why() {
    let raw = Raw::loaded();
    raw.run("def no(self, host): raise LookupError('sold out')\nImpl.__init__ = no");
    assert!(raw.create().is_null());
    // SAFETY: the runtime is alive.
    let text = unsafe { last_error(raw.host()) };
    assert!(text.starts_with("LookupError: sold out"), "{text}");
    let (token, (code, text)) = raw.token();
    assert_eq!((token.is_null(), code), (true, AbiErrorCode::FactoryFailed as u32));
    assert!(text.contains("plugin `raw` could not be started: LookupError: sold out"), "{text}");
    assert_eq!(raw.count(default()), Ok(1), "it is there still");
}

#[test]
fn an_exception_is_generic_with_type_message_and_traceback() {
    let raw = Raw::loaded();
    let failing = "def inner():\n raise ValueError('füll: voll')\ninner()";
    let (code, text) = raw.run_in(default(), failing, null_mut()).unwrap_err();
    assert_eq!(code, AbiErrorCode::Generic as u32);
    for part in ["ValueError: füll: voll", "Traceback (most recent call last)", "main.py\", line ", "line 2, in inner"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    // In the arena, where there is one.
    let mut room = [0_u8; 4096];
    // SAFETY: `room` outlives the arena, and nothing else touches it meanwhile.
    let mut arena = unsafe { CallArena::fixed(room.as_mut_ptr(), room.len()) };
    let args = StringView::lend(failing.as_bytes());
    let mut error = AbiError::ok();
    // SAFETY: the loader data is the table's own, and the arguments are those of the function.
    raw.with_interface(|table| unsafe {
        let vm = table.dispatch.vm;
        let args = (&raw const args).cast();
        (vm.call)(vm.loader_data, default(), 0, args, null_mut(), &raw mut arena, &raw mut error);
        assert_eq!(error.code, AbiErrorCode::Generic as u32);
        assert!(room.as_ptr_range().contains(&error.message.ptr));
        // Nobody need ask.
        (vm.call)(vm.loader_data, default(), 0, args, null_mut(), null_mut(), null_mut());
    });
    // SAFETY: `room` outlives the arena, and nothing else touches it meanwhile.
    let mut small = unsafe { CallArena::fixed(room.as_mut_ptr(), 3) };
    let (_, text) = raw.run_in(default(), failing, &raw mut small).unwrap_err();
    assert!(text.contains("ValueError: füll: voll"), "{text}");
}

#[test]
fn whatever_is_raised_is_an_error_and_no_end() {
    let raw = Raw::loaded();
    for (code, expected) in [
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("sys.exit('bye')", "SystemExit: bye"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("raise Exception", "Exception"),
        ("class E(BaseException):\n def __str__(self): raise self\nraise E", "E: "),
        ("raise ValueError('\\ud800')", "ValueError: "),
        ("def f(): f()\nf()", "RecursionError: "),
        ("syntax error", "SyntaxError: "),
    ] {
        let (number, text) = raw.run_in(default(), code, null_mut()).unwrap_err();
        assert_eq!(number, AbiErrorCode::Generic as u32, "{code}: {text}");
        assert!(text.contains(expected), "{code}: {text}");
        assert_eq!(raw.run("result = 5"), 5, "after {code}");
    }
}

#[test]
fn functions_that_do_not_exist_are_not_available() {
    let raw = Raw::loaded();
    for function in [2, 3, 256, u32::MAX] {
        let (code, text) = raw.call(default(), function, null(), null_mut(), null_mut());
        assert_eq!(code, AbiErrorCode::FunctionNotAvailable as u32);
        assert!(text.contains(&format!("no function {function}: the plugin has 2")), "{text}");
    }
    let (token, _) = raw.token();
    // SAFETY: the runtime is alive.
    let (code, _) = reported(|error| unsafe {
        ((*raw.host()).call_guest_method)(raw.host(), token, 2, null(), null_mut(), null_mut(), error);
    });
    assert_eq!(code, AbiErrorCode::FunctionNotAvailable as u32);
}

#[test]
fn an_error_is_written_only_where_there_is_one() {
    let raw = Raw::loaded();
    let mut error = AbiError { code: 77, message: StringView::null() };
    let mut out = 0_u64;
    // SAFETY: the loader data is the table's own, and the room writable.
    raw.with_interface(|table| unsafe {
        let vm = table.dispatch.vm;
        let out = (&raw mut out).cast();
        (vm.call)(vm.loader_data, default(), 1, null(), out, null_mut(), &raw mut error);
        (vm.call)(vm.loader_data, default(), 9, null(), out, null_mut(), null_mut());
    });
    assert_eq!((error.code, out), (77, 1));
}

#[test]
fn memory_of_an_arena_is_aligned_and_the_callers() {
    let raw = Raw::loaded();
    let host = raw.host();
    // SAFETY: the runtime is alive, and the arena is left below.
    let arena = unsafe { ((*host).enter_arena)(host) };
    let code = "places = [arena_alloc(size, arena) for size in (1, 3, 16, 100, 70000)]\n\
                assert all(place % 16 == 0 and place for place in places), places\n\
                assert len(set(places)) == 5\n\
                for place, size in zip(places, (1, 3, 16, 100, 70000)): ctypes.memset(place, 7, size)\n\
                assert arena_alloc(0, arena) != 0\n\
                ctypes.memmove(places[2], b'0123456789abcdef', 16)\nresult = places[2]";
    let place = raw.run_in(default(), code, arena).unwrap();
    let place: *const [u8; 16] = std::ptr::with_exposed_provenance(place as usize);
    // SAFETY: it lies in the arena, which has not been left.
    assert_eq!(unsafe { &*place }, b"0123456789abcdef");
    // SAFETY: the innermost.
    unsafe { ((*host).leave_arena)(host, arena) };

    #[repr(align(16))]
    struct Room([u8; 64]);
    let mut room = Room([0; 64]);
    // SAFETY: `room` outlives the arena, and nothing else touches it meanwhile.
    let mut fixed = unsafe { CallArena::fixed(room.0.as_mut_ptr().wrapping_add(8), 56) };
    let start = room.0.as_ptr().addr() as u64;
    let fixed = &raw mut fixed;
    assert_eq!(raw.run_in(default(), "result = arena_alloc(5, arena)", fixed), Ok(start + 16));
    assert_eq!(raw.run_in(default(), "result = arena_alloc(40, arena)", fixed), Ok(start + 24), "as it needs");
    let (code, text) = raw.run_in(default(), "arena_alloc(1, arena)", fixed).unwrap_err();
    assert_eq!(code, AbiErrorCode::Generic as u32);
    assert!(text.contains("MemoryError: arena_alloc: the arena has no room for 1 bytes"), "{text}");
}

#[test]
fn memory_of_the_hosts_is_freed_by_the_host() {
    let raw = Raw::loaded();
    let place = raw.run("place = arena_alloc(24, 0)\nctypes.memset(place, 9, 24)\nresult = place") as usize;
    assert_eq!(place % 16, 0);
    let place: *mut [u8; 24] = std::ptr::with_exposed_provenance_mut(place);
    // SAFETY: the host's, with this size and alignment.
    unsafe {
        assert_eq!(*place, [9; 24]);
        ((*raw.host()).free)(raw.host(), place.cast(), 24, 16);
    }
    let free = format!(
        "free = ctypes.CFUNCTYPE(None, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_size_t)\n\
         free = free(ctypes.c_size_t.from_address(host + {}).value)\n\
         for size in (1, 100, 1 << 20): free(host, arena_alloc(size, 0), size, 16)\nresult = arena_alloc(0, 0) != 0",
        offset_of!(HostApi, free)
    );
    assert_eq!(raw.run(&free), 1);
}

#[test]
fn memory_that_cannot_be_had_is_an_exception() {
    let raw = Raw::loaded();
    for (call, expected) in [
        ("arena_alloc(-1, 0)", "OverflowError"),
        ("arena_alloc(1 << 63, 0)", "OverflowError: arena_alloc: 9223372036854775808 bytes are more than there can be"),
        ("arena_alloc(1 << 64, 0)", "OverflowError"),
        ("arena_alloc(1 << 62, 0)", "MemoryError: arena_alloc: the host has no room"),
        ("arena_alloc(8, -1)", "OverflowError"),
        ("arena_alloc(8, 3)", "ValueError: arena_alloc: 0x3 is the address of no arena"),
        ("arena_alloc(8)", "TypeError"),
        ("arena_alloc('8', 0)", "TypeError"),
        ("arena_alloc(8.0, 0)", "TypeError"),
    ] {
        let (code, text) = raw.run_in(default(), call, null_mut()).unwrap_err();
        assert_eq!(code, AbiErrorCode::Generic as u32);
        assert!(text.starts_with(expected), "{call}: {text}");
    }
}

#[test]
fn calls_nest_by_way_of_the_host() {
    let raw = Raw::loaded();
    let (token, _) = raw.token();
    let call = format!(
        "class Instance(ctypes.Structure): _fields_ = [('data', ctypes.c_size_t), ('contract', ctypes.c_uint64)]\n\
         call = ctypes.CFUNCTYPE(None, ctypes.c_size_t, Instance, ctypes.c_uint32, *[ctypes.c_size_t] * 4)\n\
         call = call(ctypes.c_size_t.from_address(host + {}).value)\n\
         room, error = ctypes.c_uint64(), (ctypes.c_uint64 * 3)()\n\
         inner = b'result = len(made)'\n\
         text = Text(ctypes.cast(inner, ctypes.c_void_p).value, len(inner))\n\
         token = Instance({}, {})\n\
         for function, args in ((1, 0), (1, 0), (0, ctypes.addressof(text))):\n \
         call(host, token, function, args, ctypes.addressof(room), 0, ctypes.addressof(error))\n \
         assert error[0] & 0xffffffff == 0\n \
         result = (result or 0) * 10 + room.value\n\
         call(host, token, 9, 0, 0, 0, ctypes.addressof(error))\n\
         assert error[0] & 0xffffffff == 6\n",
        offset_of!(HostApi, call_guest_method),
        token.data.addr(),
        token.contract_id.id(),
    );
    assert_eq!(raw.run(&call), 122);
    assert_eq!(raw.count_by(token), Ok(3));
}

#[test]
fn many_threads_call_at_the_same_time() {
    let raw = Raw::loaded();
    let shared = raw.create();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for round in 1..=50 {
                    let own = raw.create();
                    assert_eq!((raw.count(own), raw.count(own)), (Ok(1), Ok(2)));
                    assert_eq!(raw.run_in(own, "impl.count += 5\nresult = impl.count", null_mut()), Ok(7));
                    raw.destroy(own);
                    assert_eq!(raw.count(own).unwrap_err().0, AbiErrorCode::StaleHandle as u32);
                    let value = raw.run_in(
                        shared,
                        "impl.values[threading.get_ident()] = impl.values.get(\
                        threading.get_ident(), 0) + 1\nresult = impl.values[threading.get_ident()]",
                        null_mut(),
                    );
                    assert_eq!(value, Ok(round));
                    assert!(raw.run_in(shared, "raise ValueError", null_mut()).is_err());
                }
            });
        }
    });
    assert_eq!(raw.run_in(shared, "result = sum(impl.values.values())", null_mut()), Ok(400));
    assert_eq!(raw.run("result = len(ended)"), 400);
}

#[test]
fn a_thread_that_waits_in_python_does_not_block_others() {
    let raw = Raw::loaded();
    let instance = raw.create();
    std::thread::scope(|scope| {
        let waits =
            scope.spawn(|| raw.run_in(instance, "impl.values['waits'] = True\ngo.wait()\nresult = 1", null_mut()));
        let is_in = || raw.run_in(instance, "result = 'waits' in impl.values", null_mut()) == Ok(1);
        eventually("it waits", is_in);
        assert_eq!(raw.count(instance), Ok(1));
        raw.destroy(raw.create());
        raw.destroy(instance);
        assert_eq!(raw.run("result = len(ended)"), 1);
        raw.run("go.set()");
        assert_eq!(waits.join().unwrap(), Ok(1));
    });
    assert_eq!(raw.run("result = len(ended)"), 2);
}

#[test]
fn a_call_that_takes_too_long_reaches_the_limit() {
    // What the bundle imports takes its time, once.
    drop(Raw::loaded());
    let raw = Raw::loaded_by(PythonLoader::new().with_time_limit(Duration::from_millis(500)));
    let (code, text) = raw.run_in(default(), "while True: pass", null_mut()).unwrap_err();
    assert_eq!(code, AbiErrorCode::LimitReached as u32, "{text}");
    assert!(text.contains("the call of bundle `python` takes longer than its 500ms"), "{text}");
    assert_eq!(raw.run("result = 5"), 5);
    raw.run("def never(self, host):\n while True: pass\nImpl.__init__ = never");
    let (_, (code, text)) = raw.token();
    assert_eq!(code, AbiErrorCode::FactoryFailed as u32);
    assert!(text.contains("takes longer than its 500ms"), "{text}");
    let main = "def polyplug_init(host, context):\n while True: pass\n";
    let text = try_load_python(&raw.runtime, "slow", main).unwrap_err();
    assert!(text.contains("the call of bundle `slow` takes longer"), "{text}");
}

#[test]
fn abi_error_codes_have_their_names() {
    let known: Vec<_> = (0..256).filter(|code| AbiErrorCode::from_u32(*code) as u32 == *code).collect();
    let names: Vec<_> = known.iter().map(|code| format!("'{:?}': {code}", AbiErrorCode::from_u32(*code))).collect();
    let main = format!(
        "{MAIN}\nassert {{code.name: code.value for code in AbiErrorCode}} == {{{}}}\n\
         import enum\nassert issubclass(AbiErrorCode, enum.IntEnum)\n\
         assert (AbiError().code, AbiError().message) == (0, '')\n\
         assert AbiError(code=5, message='text') == AbiError(5, 'text')\n",
        names.join(", ")
    );
    load_python(&python_runtime(PythonLoader::new()), "python", &main);
}

/// Why a bundle is refused whose `polyplug_init` returns this.
#[track_caller]
fn refused(expression: &str) -> String {
    let text = load_error(&returning(expression));
    let start = "bundle `python`: could not be started: polyplug_init";
    text.strip_prefix(start).unwrap_or_else(|| panic!("`{start}` is in front of `{text}`")).to_owned()
}

#[test]
fn an_error_that_is_returned_fails_the_load_with_its_code() {
    for (error, expected) in [
        ("AbiError(7)", " failed with code 7 (the bundle provides this contract already)"),
        ("AbiError(AbiErrorCode.NotFound)", " failed with code 4 (not found)"),
        ("AbiError(300, 'no licence')", " failed with code 300: no licence"),
        ("AbiError(code=300)", " failed with code 300 (failed)"),
        ("AbiError(-1)", " failed with code -1 (failed)"),
        ("AbiError(1 << 40)", " failed with code 1099511627776 (failed)"),
        ("type('E', (), {'code': 9, 'message': 5})", " failed with code 9 (the call may not be nested here)"),
    ] {
        for registrations in ["[one]", "None", "[]", "[5]"] {
            assert_eq!(refused(&format!("{registrations}, {error}")), expected);
        }
    }
    let text = load_error(&returning("[one], AbiError(300, 'no licence')"));
    assert_eq!(text, "bundle `python`: could not be started: polyplug_init failed with code 300: no licence");
}

#[test]
fn the_code_of_a_failed_start_reaches_hosts_in_other_languages() {
    for (expression, expected) in [("([], AbiError(300, 'no licence'))", 300), ("([], AbiError(0))", 1), ("5", 1)] {
        let bundle = Bundle::empty();
        bundle.write("manifest.toml", manifest("python", "python", "main.py"));
        bundle.write("main.py", returning(expression));
        let runtime = python_runtime(PythonLoader::new());
        let path = bundle.path().to_str().expect("a name").to_owned();
        let (host, mut error) = (runtime.host_abi(), AbiError::ok());
        // SAFETY: the runtime's own table, and a path that is readable.
        unsafe { ((*host).load_bundle)(host, path.as_ptr(), path.len(), &raw mut error) };
        assert_eq!(error.code, expected, "{expression}");
        let failed = runtime.load_bundle(bundle.path()).unwrap_err();
        let RuntimeError::Loader(LoaderError::InitFailed { code, .. }) = &failed else { panic!("{failed:?}") };
        assert_eq!(*code, expected);
    }
}

#[test]
fn anything_with_an_integer_code_is_an_error() {
    for error in ["AbiError()", "type('E', (), {'code': 0})", "type('E', (), {'code': AbiErrorCode.Ok})()"] {
        load_python(&python_runtime(PythonLoader::new()), "python", &returning(&format!("[one], {error}")));
    }
    for (error, shown) in [
        ("0", "int 0"),
        ("None", "None"),
        ("AbiError('0')", "AbiError AbiError(code='0'"),
        ("AbiError(0.0)", "AbiError "),
    ] {
        let text = refused(&format!("[one], {error}"));
        assert!(text.starts_with(&format!(": the second value it returned is {shown}")), "{text}");
        assert!(text.ends_with(", and no AbiError: it has no integer `code`"), "{text}");
    }
}

#[test]
fn what_is_no_pair_or_list_is_refused() {
    let pair = ", and not a tuple of two: the registrations and an AbiError";
    for (returned, what) in [
        ("None", "None"),
        ("5", "int 5"),
        ("[one]", "list [{"),
        ("[[one], AbiError()]", "list [[{"),
        ("([one],)", "a tuple of 1"),
        ("([one], AbiError(), 5)", "a tuple of 3"),
        ("()", "a tuple of 0"),
    ] {
        let text = refused(returned);
        assert!(text.starts_with(&format!(" returned {what}")) && text.ends_with(pair), "{text}");
    }
    for (registrations, what) in
        [("None", "None"), ("one", "dict {"), ("(one,)", "tuple ({"), ("iter([one])", "list_iterator")]
    {
        let text = refused(&format!("{registrations}, AbiError()"));
        assert!(text.starts_with(&format!(": the first value it returned is {what}")), "{text}");
        assert!(text.ends_with(", and not the list of registrations"), "{text}");
    }
    assert_eq!(refused("[], AbiError()"), " registered no contract: the list that it returned is empty");
}

#[test]
fn what_is_wrong_with_a_registration_is_named() {
    let no_contract = "names no contract: write \"name@major\" or \"name@major.minor\"";
    for (entry, expected) in [
        ("5", "a dict is expected, not int 5"),
        ("None", "a dict is expected, not None"),
        ("{k: v for k, v in one.items() if k != 'contract'}", "the key `contract` is missing"),
        ("{k: v for k, v in one.items() if k != 'factory'}", "the key `factory` is missing"),
        ("{k: v for k, v in one.items() if k != 'functions'}", "the key `functions` is missing"),
        ("{**one, 'contract': 5}", "`contract`: a str is expected, not int 5"),
        ("{**one, 'contract': ''}", "`contract` is empty"),
        ("{**one, 'contract': 'test.raw'}", &format!("\"test.raw\" {no_contract}")),
        ("{**one, 'contract': '@1'}", &format!("\"@1\" {no_contract}")),
        ("{**one, 'contract': 'test.raw@'}", &format!("\"test.raw@\" {no_contract}")),
        ("{**one, 'contract': 'test.raw@x'}", &format!("\"test.raw@x\" {no_contract}")),
        ("{**one, 'contract': 'test.raw@1.2.3'}", &format!("\"test.raw@1.2.3\" {no_contract}")),
        ("{**one, 'contract': 'test.raw@-1'}", &format!("\"test.raw@-1\" {no_contract}")),
        ("{**one, 'plugin_name': 5}", "`plugin_name`: a str is expected, not int 5"),
        ("{**one, 'plugin_name': ''}", "`plugin_name` is empty"),
        ("{**one, 'factory': None}", "`factory` cannot be called: it is None"),
        ("{**one, 'factory': 'make'}", "`factory` cannot be called: it is str \"make\""),
        ("{**one, 'functions': f}", "`functions`: a list is expected, not function <function f"),
        ("{**one, 'functions': {0: f}}", "`functions`: a list is expected, not dict {0:"),
        ("{**one, 'functions': [f, f, 5]}", "`functions[2]` cannot be called: it is int 5"),
        ("{**one, 'functions': [None]}", "`functions[0]` cannot be called: it is None"),
    ] {
        let text = refused(&format!("[{entry}], AbiError()"));
        assert!(text.starts_with(&format!(": registrations[0]: {expected}")), "{entry}: {text}");
    }
    let text = refused("[one, {**one, 'contract': 'test.other'}], AbiError()");
    assert!(text.starts_with(": registrations[1]: \"test.other\" names no contract"), "{text}");
    let text = refused("[one, {**one, 'contract': 'test.raw@3.9'}], AbiError()");
    assert!(text.starts_with(": registrations[1]: `test.raw` is provided by this bundle already"), "{text}");
    let text = refused("[{**one, 'factory': lambda host: 1 / 0}], AbiError()");
    assert!(text.starts_with(": registrations[0]: ZeroDivisionError: division by zero"), "{text}");
    assert!(text.contains("main.py"), "{text}");
    let text = refused("[{**one, 'factory': lambda: 1}], AbiError()");
    assert!(text.starts_with(": registrations[0]: TypeError: "), "{text}");
}

#[test]
fn no_factory_is_called_for_a_list_that_is_refused() {
    let main = returning("[{**one, 'factory': lambda host: 1 / 0}, {**one, 'contract': 'x'}], AbiError()");
    let text = load_error(&main);
    assert!(text.contains("registrations[1]: \"x\" names no contract"), "{text}");
}

#[test]
fn what_may_be_is_accepted() {
    for entry in [
        "{**one, 'plugin_name': None}",
        "{**one, 'plugin_name': 'a name'}",
        "{**one, 'functions': (f,)}",
        "{**one, 'functions': []}",
        "{**one, 'functions': [print, type]}",
        "{**one, 'factory': lambda host: None}",
        "{**one, 'contract': 'test.raw@3.12'}",
        "{**one, 'unknown': 5}",
        "type('D', (dict,), {})(one)",
    ] {
        let runtime = python_runtime(PythonLoader::new());
        load_python(&runtime, "python", &returning(&format!("[{entry}], AbiError()")));
        assert!(runtime.find_guest_contract(id().id(), 0).is_ok(), "{entry}");
    }
    let runtime = python_runtime(PythonLoader::new());
    load_python(&runtime, "two", &returning("[one, {**one, 'contract': 'test.raw@4'}], AbiError()"));
    assert!(runtime.find_guest_contract(GuestContractId::new(CONTRACT, 4).id(), 0).is_ok());
}

#[test]
fn polyplug_init_itself_may_be_wrong() {
    let failing = |code: &str| load_error(&format!("from polyplug import *\n{code}"));
    for (code, expected) in [
        ("polyplug_init = 5", "polyplug_init is no function, but int 5"),
        ("def polyplug_init(): pass", "TypeError: polyplug_init() takes 0 positional arguments but 2 were given"),
        ("def polyplug_init(host, context): raise KeyError('a key')", "KeyError: 'a key'"),
        ("def polyplug_init(host, context): raise SystemExit", "SystemExit"),
        ("async def polyplug_init(host, context): return [], AbiError()", "polyplug_init returned coroutine "),
    ] {
        let text = failing(code);
        let told = text.strip_prefix("bundle `python`: could not be started: ").expect("its start fails");
        assert!(told.starts_with(expected), "{code}: {text}");
    }
    let text = failing("def polyplug_init(host, context): raise KeyError('a key')");
    assert!(text.contains("(at python/main.py:2)") && text.contains("in polyplug_init"), "{text}");
}

#[test]
fn a_bundle_does_one_or_the_other() {
    let text = load_error(&format!(
        "{MAIN}\nfrom polyplug import plugin\n@plugin('demo.calculator@1')\nclass Calculator: pass\n"
    ));
    assert!(text.contains("declares a plugin with @plugin, and its main file defines polyplug_init as well"), "{text}");
    assert!(text.contains("main.py:"), "where: {text}");
}

#[test]
fn only_what_is_returned_counts() {
    let main = format!("{MAIN}\nregistrations = 5\npolyplug_registrations = [5]\n");
    let runtime = python_runtime(PythonLoader::new());
    load_python(&runtime, "python", &main);
    assert_eq!(Raw::of(Arc::clone(&runtime)).count(default()), Ok(1));
    // The function may come from another module.
    let files = [("main.py", "from inner import polyplug_init"), ("inner.py", MAIN)];
    let bundle = python_bundle("imported", "", &files);
    runtime.unload_bundle(BundleId::new("python")).unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    assert_eq!(Raw::of(runtime).count(default()), Ok(1));
}

#[test]
fn a_load_that_fails_leaves_nothing() {
    let runtime = python_runtime(PythonLoader::new());
    let before = modules(&runtime);
    for main in [returning("[one], AbiError(5)"), returning("[one, 5], AbiError()"), returning("1 / 0")] {
        try_load_python(&runtime, "python", &main).unwrap_err();
        assert_eq!(runtime.bundle_ids(), []);
        eventually("the modules go", || modules(&runtime) == before);
    }
    load_python(&runtime, "python", MAIN);
    assert_eq!(Raw::of(runtime).count(default()), Ok(1));
}

/// The names of all modules that there are; the interpreter is started if it is not.
fn modules(runtime: &Runtime) -> String {
    if !runtime.bundle_ids().is_empty() {
        return ask("sorted(sys.modules)");
    }
    // Whatever a bundle of this protocol imports stays: it is Python's own.
    load_python(runtime, "first", MAIN);
    runtime.unload_bundle(BundleId::new("first")).unwrap();
    eventually("the first one goes", || !ask("sorted(sys.modules)").contains("_polyplug_first"));
    ask("sorted(sys.modules)")
}

#[test]
fn unloading_ends_everything() {
    let runtime = python_runtime(PythonLoader::new());
    let before = modules(&runtime);
    load_python(&runtime, "python", MAIN);
    let raw = Raw::of(Arc::clone(&runtime));
    let (kept, (token, _)) = (raw.create(), raw.token());
    assert_eq!((raw.count(kept), raw.count_by(token)), (Ok(1), Ok(1)));
    // Outlives the bundle: a list of Python's own.
    raw.run("import gc\nsys.ended_raw = ended\nsys.alive_raw = __import__('weakref').ref(Impl)");
    runtime.unload_bundle(BundleId::new("python")).unwrap();
    assert!(runtime.lease(raw.handle).is_err());
    assert_eq!(raw.count_by(token).unwrap_err().0, AbiErrorCode::StaleHandle as u32);
    // SAFETY: the runtime is alive.
    unsafe { ((*raw.host()).destroy_guest_instance)(raw.host(), token) };
    eventually("the modules go", || modules_now() == before);
    eventually("all instances end", || ask("len(sys.ended_raw)") == "3");
    eventually("the class goes", || ask("sys.alive_raw() is None") == "True");
}

fn modules_now() -> String {
    ask("sorted(sys.modules)")
}

#[test]
fn a_reload_puts_a_new_generation_beside_the_old() {
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", manifest("python", "python", "main.py"));
    bundle.write("main.py", MAIN);
    let builder = Runtime::builder().loader(PythonLoader::new()).hot_reload(true);
    let runtime = builder.build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    let raw = Raw::of(Arc::clone(&runtime));
    let (token, _) = raw.token();
    let lease = runtime.lease(raw.handle).unwrap();
    // SAFETY: valid while leased.
    let old = unsafe { &*lease.interface() };
    assert_eq!((raw.count_by(token), raw.count_by(token)), (Ok(1), Ok(2)));

    bundle.write("main.py", MAIN.replace("impl.count += 1", "impl.count += 100"));
    runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!(raw.count_by(token), Ok(100), "made afresh");
    assert_eq!(raw.count(default()), Ok(100));
    let mut out = 0_u64;
    // SAFETY: leased still; the room is writable.
    let said = unsafe {
        let (vm, out) = (old.dispatch.vm, (&raw mut out).cast());
        reported(|error| (vm.call)(vm.loader_data, default(), 1, null(), out, null_mut(), error))
    };
    assert_eq!((said, out), ((0, String::new()), 1), "the old one serves who holds it");
    drop(lease);

    bundle.write("main.py", returning("[one], AbiError(300)"));
    let error = runtime.reload_bundle(bundle.path()).unwrap_err();
    assert!(matches!(error, RuntimeError::Loader(LoaderError::InitFailed { .. })), "{error:?}");
    assert!(error.to_string().contains("code 300"), "{error}");
    assert_eq!(raw.count(default()), Ok(200), "it serves on");

    // SAFETY: the runtime is alive.
    unsafe { ((*raw.host()).destroy_guest_instance)(raw.host(), token) };
    runtime.unload_bundle(BundleId::new("python")).unwrap();
    eventually("the modules go", || !modules_now().contains("_polyplug_python"));
}

/// What the bundle of the next test implements.
#[polyplug::contract(name = "test.typed", version = "1.0")]
trait Typed {
    fn add(&self, a: i32, b: i32) -> i32;
    fn fail(&self, text: &str) -> String;
}

#[test]
fn with_a_schema_beside_it_it_is_a_plugin_like_any_other() {
    let main = "import ctypes\nfrom polyplug import AbiError\n\
        def add(impl, args, out, arena, arena_alloc):\n \
        a, b = (ctypes.c_int32 * 2).from_address(args)\n ctypes.c_int32.from_address(out).value = a + b\n\
        def fail(impl, args, out, arena, arena_alloc): raise LookupError('none')\n\
        def polyplug_init(host, context):\n \
        return [{'contract': 'test.typed@1', 'factory': lambda host: 0, 'functions': [add, fail]}], AbiError()\n";
    let bundle = python_bundle("typed", "", &[("main.py", main)]);
    bundle.write("test.typed@1.schema", Schema::of::<dyn Typed>().encode());
    let runtime = python_runtime(PythonLoader::new());
    runtime.load_bundle(bundle.path()).unwrap();
    let proxy = runtime.proxy::<dyn Typed>().unwrap();
    assert_eq!(proxy.add(2, 3), Ok(5));
    let error = proxy.fail("").unwrap_err();
    assert!(matches!(&error, CallError::Failed { code: 1, .. }), "{error:?}");
    assert!(error.to_string().contains("LookupError: none"), "{error}");
}

#[test]
fn failing_calls_and_instances_keep_memory_flat() {
    let raw = Raw::loaded();
    let fail = || {
        for _ in 0..polyplug_tests::rounds(2_000) {
            assert!(raw.run_in(default(), "raise ValueError('x' * 1000)", null_mut()).is_err());
            let instance = raw.create();
            raw.destroy(instance);
        }
        raw.run("import gc\nmade.clear()\nended.clear()\ngc.collect()");
        ask("sys.getallocatedblocks()").parse::<usize>().unwrap()
    };
    let before = fail();
    let after = fail();
    assert!(after < before + 2_000, "{before} blocks, then {after}");
}
