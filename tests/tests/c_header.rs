//! The generated C header is clean C11 and C++17, and says what polyplug-abi says: sizes, offsets, constants, ids, arenas.
#![cfg(unix)]

use std::fmt::Write as _;
use std::mem::offset_of;
use std::path::{Path, PathBuf};
use std::process::Command;

use polyplug_abi::{
    AbiError, AbiErrorCode, Array, BundleId, BundleInitContext, CallArena, Compatibility, DependencyInfo,
    DispatchMechanisms, DispatchType, GuestContractHandle, GuestContractId, GuestContractInstance,
    GuestContractInterface, HostApi, HostContractId, HostContractInstance, HostContractInterface, LogLevel,
    NativeDispatch, ObjectOffer, POLYPLUG_ABI_VERSION, PluginDescriptor, PluginFlags, PluginRegistration, ProxyRequest,
    ProxyTarget, ReloadPhase, ReloadPhaseType, RuntimeConfig, StringView, SupportedLanguage, Version, VmDispatch,
    VmLoaderData,
};
use polyplug_tests::{Bundle, compile, compiler, without};

fn include() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("loaders/all/include")
}

/// The header's languages, as the compiler knows them.
const C: [&str; 2] = ["c", "-std=c11"];
const CPP: [&str; 2] = ["c++", "-std=c++17"];

/// A strict compiler of a language. For C++ it takes more than a C compiler.
fn strict([language, standard]: [&str; 2]) -> Command {
    let mut command = compiler();
    command.args(["-x", language, standard, "-Wall", "-Wextra", "-Wpedantic", "-Werror"]).arg("-I").arg(include());
    command
}

/// Whether C++ is to be left out. Where it is not, there has to be a compiler for it.
fn without_cpp() -> bool {
    if without("c++") {
        return true;
    }
    let mut command = strict(CPP);
    let output = command.args(["-fsyntax-only", "/dev/null"]).output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}The C compiler has no C++ with it. Install it (on Debian: apt install g++), or do without what \
         it finds: POLYPLUG_TESTS_WITHOUT=c++",
        String::from_utf8_lossy(&output.stderr)
    );
    false
}

#[test]
fn it_is_clean_c() {
    // By itself, and twice.
    let source = Bundle::empty();
    source.write("alone.c", "#include \"polyplug.h\"\n#include \"polyplug.h\"\n");
    for standard in ["-std=c11", "-std=c17"] {
        let mut command = strict(["c", standard]);
        compile(
            command
                .args(["-fsyntax-only", "-Wshadow", "-Wstrict-prototypes", "-Wconversion"])
                .arg(source.path().join("alone.c")),
        );
    }
}

#[test]
fn it_is_clean_cpp() {
    if without_cpp() {
        return;
    }
    let source = Bundle::empty();
    source.write("alone.cpp", "#include \"polyplug.h\"\n#include \"polyplug.h\"\n");
    for standard in ["-std=c++17", "-std=c++20"] {
        let mut command = strict(["c++", standard]);
        compile(command.args(["-fsyntax-only", "-Wshadow", "-Wconversion"]).arg(source.path().join("alone.cpp")));
    }
}

/// Expressions of C, and the numbers they should have.
type Facts = Vec<(String, u64)>;

#[test]
fn it_says_what_the_crate_says_in_c() {
    hold(C);
}

#[test]
fn it_says_what_the_crate_says_in_cpp() {
    if !without_cpp() {
        hold(CPP);
    }
}

/// Compares the facts with those of a program in `language`.
fn hold(language: [&str; 2]) {
    let facts = [layouts(), constants(), ids(), arenas()].concat();
    let mut source = String::from(ABOVE);
    for (expression, _) in &facts {
        writeln!(source, "    printf(\"%llu\\n\", (unsigned long long)({expression}));").unwrap();
    }
    source.push_str("    return 0;\n}\n");
    let folder = Bundle::empty();
    folder.write("facts.c", source);
    let program = folder.path().join("facts");
    compile(strict(language).arg("-o").arg(&program).arg(folder.path().join("facts.c")));
    let output = Command::new(&program).output().unwrap();
    assert!(output.status.success());
    let numbers = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<u64> = numbers.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(numbers.len(), facts.len());
    let compared = facts.iter().zip(numbers);
    let wrong: Vec<_> = compared
        .filter(|((_, rust), c)| rust != c)
        .map(|((what, rust), c)| format!("{what} is {c} in C, {rust} in Rust"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const ABOVE: &str = r#"
#include <stdalign.h>
#include <stdio.h>
#include "polyplug.h"

alignas(16) static uint8_t room[128];
static PolyplugCallArena arena = {room, room + sizeof room, NULL, room};

/* Where the next `size` bytes lie in the arena; UINT64_MAX if there is no room. */
static uint64_t place(size_t size, size_t align) {
    uint8_t *start = (uint8_t *)polyplug_arena_alloc(&arena, size, align);
    return start ? (uint64_t)(start - room) : UINT64_MAX;
}

static const PolyplugGuestContractHandle no_handle = {UINT32_MAX, 0}, first_handle = {0, 0};

/* The types of the two symbols are those that the loader expects. */
PolyplugAbiVersion version_symbol;
PolyplugInit init_symbol;
uint32_t polyplug_abi_version(void) { return POLYPLUG_ABI_VERSION; }
void polyplug_init(const PolyplugHostApi *host, const PolyplugBundleInitContext *context, PolyplugAbiError *out_err) {
    (void)host, (void)context, (void)out_err;
}

int main(void) {
    version_symbol = polyplug_abi_version;
    init_symbol = polyplug_init;
"#;

/// Size and alignment of a type, and place and size of each field, which together have to reach its end.
macro_rules! layout {
    ($facts:ident, $c:literal, $ty:ty { $($field:ident)* }) => {{
        fn size<T, F>(_: impl Fn(&T) -> &F) -> usize {
            size_of::<F>()
        }
        $facts.push((concat!("sizeof(", $c, ")").to_owned(), size_of::<$ty>() as u64));
        $facts.push((concat!("alignof(", $c, ")").to_owned(), align_of::<$ty>() as u64));
        let mut end = 0;
        $(
            let (at, bytes) = (offset_of!($ty, $field), size::<$ty, _>(|it| &it.$field));
            assert!(at < end + 8 && at >= end, "a field is missing before {}.{}", $c, stringify!($field));
            end = at + bytes;
            let field = concat!($c, ", ", stringify!($field));
            $facts.push((format!("offsetof({field})"), at as u64));
            $facts.push((concat!("sizeof(((", $c, " *)0)->", stringify!($field), ")").to_owned(), bytes as u64));
        )*
        assert!(end + align_of::<$ty>() > size_of::<$ty>(), "a field is missing at the end of {}", $c);
    }};
}

fn layouts() -> Facts {
    let mut facts = Facts::new();
    layout!(facts, "PolyplugStringView", StringView { ptr len });
    layout!(facts, "PolyplugVersion", Version { major minor patch });
    layout!(facts, "PolyplugArrayBundleId", Array<BundleId> { items len align });
    layout!(facts, "PolyplugArrayDependencyInfo", Array<DependencyInfo> { items len align });
    layout!(facts, "PolyplugArrayGuestContractHandle", Array<GuestContractHandle> { items len align });
    layout!(facts, "PolyplugDependencyInfo", DependencyInfo { contract_id min_version bundle_id });
    layout!(facts, "PolyplugAbiError", AbiError { code message });
    layout!(facts, "PolyplugGuestContractHandle", GuestContractHandle { index generation });
    layout!(facts, "PolyplugGuestContractInstance", GuestContractInstance { data contract_id });
    layout!(facts, "PolyplugHostContractInstance", HostContractInstance { data });
    layout!(facts, "PolyplugVmLoaderData", VmLoaderData { data });
    layout!(facts, "PolyplugNativeDispatch", NativeDispatch { function_count functions });
    layout!(facts, "PolyplugVmDispatch", VmDispatch { call loader_data });
    layout!(facts, "PolyplugGuestContractInterface", GuestContractInterface {
        contract_id contract_version dispatch_type create_instance destroy_instance dispatch
    });
    layout!(facts, "PolyplugHostContractInterface", HostContractInterface {
        contract_id contract_version singleton dispatch_type user_data create_instance destroy_instance dispatch
    });
    layout!(facts, "PolyplugBundleInitContext", BundleInitContext { bundle_id bundle_path });
    layout!(facts, "PolyplugPluginDescriptor", PluginDescriptor { name contract_name version });
    layout!(facts, "PolyplugPluginRegistration", PluginRegistration {
        struct_size descriptor interface flags create save restore health schema reserved
    });
    layout!(facts, "PolyplugProxyRequest", ProxyRequest {
        struct_size target major minor reserved contract_name schema
    });
    layout!(facts, "PolyplugObjectOffer", ObjectOffer {
        struct_size instance functions function_count by_host drop
    });
    layout!(facts, "PolyplugReloadPhase", ReloadPhase { phase_type bundle_id bundle_name reason });
    layout!(facts, "PolyplugRuntimeConfig", RuntimeConfig {
        struct_size compatibility hot_reload_enabled on_reload on_reload_user_data data_directory
    });
    layout!(facts, "PolyplugHostApi", HostApi {
        runtime register_guest_contract alloc free find_guest_contract find_all_guest_contracts resolve_guest_contract
        get_host_contract resolve_host_contract_interface list_bundles get_dependencies load_bundle reload_bundle
        register_host_contract register_loader get_last_error get_error_len struct_size call_guest_method
        create_guest_instance destroy_guest_instance unload_bundle log register_plugin error_text enter_arena
        leave_arena retain_host release_host lease release spawn wait_retired prefer find_guest_contract_in
        unload_bundle_cascade quiesce open_proxy call_proxy close_proxy offer_object share_object config
        bundle_name on_unload log_level proxy_bundle log_as directory data_directory
    });
    // A union's members lie at its start, and an arena's fields are private in Rust.
    facts.push(("sizeof(PolyplugDispatchMechanisms)".to_owned(), size_of::<DispatchMechanisms>() as u64));
    facts.push(("sizeof(PolyplugCallArena)".to_owned(), size_of::<CallArena>() as u64));
    for (place, field) in ["cur", "end", "grow", "ctx"].into_iter().enumerate() {
        facts.push((format!("offsetof(PolyplugCallArena, {field})"), place as u64 * 8));
    }
    facts
}

fn constants() -> Facts {
    let mut facts = Facts::new();
    macro_rules! constants {
        ($($c:literal = $rust:expr,)*) => {
            $(facts.push(($c.to_owned(), u64::from($rust)));)*
        };
    }
    constants! {
        "POLYPLUG_ABI_VERSION" = POLYPLUG_ABI_VERSION,
        "POLYPLUG_DISPATCH_TYPE_NATIVE" = DispatchType::Native.0,
        "POLYPLUG_DISPATCH_TYPE_VIRTUAL_MACHINE" = DispatchType::VirtualMachine.0,
        "POLYPLUG_COMPATIBILITY_STRICT" = Compatibility::Strict.0,
        "POLYPLUG_COMPATIBILITY_RELAXED" = Compatibility::Relaxed.0,
        "POLYPLUG_LOG_LEVEL_ERROR" = LogLevel::Error.0,
        "POLYPLUG_LOG_LEVEL_WARN" = LogLevel::Warn.0,
        "POLYPLUG_LOG_LEVEL_INFO" = LogLevel::Info.0,
        "POLYPLUG_LOG_LEVEL_DEBUG" = LogLevel::Debug.0,
        "POLYPLUG_LOG_LEVEL_TRACE" = LogLevel::Trace.0,
        "POLYPLUG_PLUGIN_FLAGS_STATELESS" = PluginFlags::STATELESS.0,
        "POLYPLUG_PLUGIN_FLAGS_SINGLETON" = PluginFlags::SINGLETON.0,
        "POLYPLUG_PROXY_TARGET_HOST" = ProxyTarget::Host.0,
        "POLYPLUG_PROXY_TARGET_PEER" = ProxyTarget::Peer.0,
        "POLYPLUG_RELOAD_PHASE_TYPE_PREPARING" = ReloadPhaseType::Preparing.0,
        "POLYPLUG_RELOAD_PHASE_TYPE_RELOADED" = ReloadPhaseType::Reloaded.0,
        "POLYPLUG_RELOAD_PHASE_TYPE_FAILED" = ReloadPhaseType::Failed.0,
        "POLYPLUG_RELOAD_PHASE_TYPE_UNLOADING" = ReloadPhaseType::Unloading.0,
        "POLYPLUG_RELOAD_PHASE_TYPE_QUIESCED" = ReloadPhaseType::Quiesced.0,
        "POLYPLUG_SUPPORTED_LANGUAGE_RUST" = SupportedLanguage::Rust.0,
        "POLYPLUG_SUPPORTED_LANGUAGE_CPP" = SupportedLanguage::Cpp.0,
        "POLYPLUG_OK" = AbiErrorCode::Ok as u32,
        "polyplug_handle_is_null(no_handle)" = GuestContractHandle::null().is_null(),
        "polyplug_handle_is_null(first_handle)" = GuestContractHandle { index: 0, generation: 0 }.is_null(),
    }
    for code in (1..1000).map(AbiErrorCode::from_u32).filter(|code| *code != AbiErrorCode::Generic) {
        facts.push((format!("POLYPLUG_ERROR_{}", screaming(&format!("{code:?}"))), code as u64));
    }
    facts
}

/// `NotFound` as `NOT_FOUND`.
fn screaming(name: &str) -> String {
    let mut result = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !result.is_empty() {
            result.push('_');
        }
        result.extend(letter.to_uppercase());
    }
    result
}

fn ids() -> Facts {
    let mut facts = Facts::new();
    for name in ["", "calc", "größe"] {
        facts.push((format!("polyplug_bundle_id(\"{name}\")"), BundleId::new(name).id()));
    }
    for major in [0, 1, 9, 10, 999_999_999, 1_000_000_000, u32::MAX] {
        let (guest, host) = (GuestContractId::new("demo.calc", major), HostContractId::new("demo.calc", major));
        facts.push((format!("polyplug_guest_contract_id(\"demo.calc\", {major}u)"), guest.id()));
        facts.push((format!("polyplug_host_contract_id(\"demo.calc\", {major}u)"), host.id()));
    }
    facts
}

/// What an arena gives out, in the order it is asked.
fn arenas() -> Facts {
    #[repr(align(16))]
    struct Room([u8; 128]);
    let mut room = Room([0; 128]);
    let start = room.0.as_mut_ptr();
    // SAFETY: `room` outlives the arena, and nothing else uses it meanwhile.
    let mut arena = unsafe { CallArena::fixed(start, 128) };
    let mut facts = Facts::new();
    for (size, align) in
        [(1, 1), (8, 8), (3, 1), (16, 16), (usize::MAX, 1), (usize::MAX - 7, 8), (97, 1), (79, 1), (1, 1)]
    {
        let place = arena.alloc(size, align);
        let place = if place.is_null() { u64::MAX } else { (place.addr() - start.addr()) as u64 };
        facts.push((format!("place({size}u, {align})"), place));
    }
    facts
}
