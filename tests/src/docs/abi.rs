//! The tables of the page on the ABI.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::mem::offset_of;

use polyplug_abi::{
    AbiError, Array, BundleInitContext, DependencyInfo, GuestContractHandle, GuestContractInstance,
    GuestContractInterface, HostApi, HostContractInstance, HostContractInterface, NativeDispatch, ObjectOffer,
    PluginDescriptor, PluginRegistration, ProxyRequest, ReloadPhase, RuntimeConfig, StringView, Version, VmDispatch,
    VmLoaderData,
};

use super::page;
use crate::{Bundle, compile, compiler};

/// The table of one structure, with the offsets and sizes of the compiler.
macro_rules! table {
    ($ty:ty as $name:literal { $($field:ident: $c:literal),* $(,)? }) => {{
        fn size<T, F>(_: impl Fn(&T) -> &F) -> usize {
            size_of::<F>()
        }
        let mut table = format!(
            "`{}`: {} bytes, aligned to {}.\n\n| offset | size | field | type |\n|---:|---:|---|---|\n",
            $name, size_of::<$ty>(), align_of::<$ty>(),
        );
        $(
            let (offset, bytes) = (offset_of!($ty, $field), size::<$ty, _>(|it| &it.$field));
            writeln!(table, "| {offset} | {bytes} | `{}` | `{}` |", stringify!($field), $c).expect("a String takes all");
        )*
        table
    }};
}

#[test]
fn its_tables_are_true() {
    let tables = [
        table!(StringView as "StringView" { ptr: "const uint8_t *", len: "size_t" }),
        table!(Version as "Version" { major: "uint32_t", minor: "uint32_t", patch: "uint32_t" }),
        table!(Array<u64> as "Array<T>" { items: "T *", len: "size_t", align: "size_t" }),
        table!(DependencyInfo as "DependencyInfo" {
            contract_id: "uint64_t",
            min_version: "uint32_t",
            bundle_id: "uint64_t",
        }),
        table!(AbiError as "AbiError" { code: "uint32_t", message: "StringView" }),
        table!(GuestContractHandle as "GuestContractHandle" { index: "uint32_t", generation: "uint32_t" }),
        table!(GuestContractInstance as "GuestContractInstance" { data: "void *", contract_id: "uint64_t" }),
        table!(HostContractInstance as "HostContractInstance" { data: "void *" }),
        table!(VmLoaderData as "VmLoaderData" { data: "void *" }),
        table!(NativeDispatch as "NativeDispatch" { function_count: "uint32_t", functions: "const Entry *" }),
        table!(VmDispatch as "VmDispatch" { call: "VmCall", loader_data: "VmLoaderData" }),
        table!(GuestContractInterface as "GuestContractInterface" {
            contract_id: "uint64_t",
            contract_version: "Version",
            dispatch_type: "uint32_t",
            create_instance: "CreateInstance",
            destroy_instance: "DestroyInstance",
            dispatch: "union { NativeDispatch native; VmDispatch vm; }",
        }),
        table!(HostContractInterface as "HostContractInterface" {
            contract_id: "uint64_t",
            contract_version: "Version",
            singleton: "uint8_t",
            dispatch_type: "uint32_t",
            user_data: "void *",
            create_instance: "void (*)(const HostContractInterface *, const void *args, HostContractInstance *out)",
            destroy_instance: "void (*)(const HostContractInterface *, HostContractInstance)",
            dispatch: "union { NativeDispatch native; VmDispatch vm; }",
        }),
        table!(BundleInitContext as "BundleInitContext" { bundle_id: "uint64_t", bundle_path: "StringView" }),
        table!(PluginDescriptor as "PluginDescriptor" {
            name: "StringView",
            contract_name: "StringView",
            version: "Version",
        }),
        table!(PluginRegistration as "PluginRegistration" {
            struct_size: "size_t",
            descriptor: "PluginDescriptor",
            interface: "const GuestContractInterface *",
            flags: "uint32_t",
            create: "CreateWithError, or null",
            save: "SaveInstance, or null",
            restore: "RestoreInstance, or null",
            health: "CheckHealth, or null",
            schema: "StringView",
            reserved: "void *",
        }),
        table!(ProxyRequest as "ProxyRequest" {
            struct_size: "size_t",
            target: "uint32_t",
            major: "uint32_t",
            minor: "uint32_t",
            reserved: "uint32_t",
            contract_name: "StringView",
            schema: "StringView",
        }),
        table!(ObjectOffer as "ObjectOffer" {
            struct_size: "size_t",
            instance: "GuestContractInstance",
            functions: "const Entry *",
            function_count: "uint32_t",
            by_host: "uint32_t",
            drop: "void (*)(GuestContractInstance), or null",
        }),
        table!(ReloadPhase as "ReloadPhase" {
            phase_type: "uint32_t",
            bundle_id: "uint64_t",
            bundle_name: "StringView",
            reason: "StringView",
        }),
        table!(RuntimeConfig as "RuntimeConfig" {
            struct_size: "size_t",
            compatibility: "uint32_t",
            hot_reload_enabled: "uint8_t",
            on_reload: "void (*)(void *user_data, const ReloadPhase *), or null",
            on_reload_user_data: "void *",
            data_directory: "StringView",
        }),
    ];
    let page = page("abi.md");
    let wrong: Vec<_> = tables.into_iter().filter(|table| !page.contains(table.as_str())).collect();
    assert!(wrong.is_empty(), "docs/src/abi.md should say:\n\n{}", wrong.join("\n"));
}

#[test]
fn it_lists_the_whole_table_of_the_host() {
    let mut offset = 0;
    let mut rows = vec![format!("`HostApi`: {} bytes", size_of::<HostApi>())];
    macro_rules! fields {
        ($($field:ident)*) => {$(
            assert_eq!(offset_of!(HostApi, $field), offset, "the fields lie one behind the other");
            rows.push(format!("| {offset} | `{}` |", stringify!($field)));
            offset += 8;
        )*};
    }
    fields! {
        runtime register_guest_contract alloc free find_guest_contract find_all_guest_contracts resolve_guest_contract
        get_host_contract resolve_host_contract_interface list_bundles get_dependencies load_bundle reload_bundle
        register_host_contract register_loader get_last_error get_error_len struct_size call_guest_method
        create_guest_instance destroy_guest_instance unload_bundle log register_plugin error_text enter_arena
        leave_arena retain_host release_host lease release spawn wait_retired prefer find_guest_contract_in
        unload_bundle_cascade quiesce open_proxy call_proxy close_proxy offer_object share_object config bundle_name
        on_unload log_level proxy_bundle log_as directory data_directory
    }
    assert_eq!(offset, size_of::<HostApi>(), "this test lacks a field");

    let page = page("abi.md");
    let missing: Vec<_> = rows.into_iter().filter(|row| !page.contains(row.as_str())).collect();
    assert!(missing.is_empty(), "docs/src/abi.md should have:\n\n{}", missing.join("\n"));
}

/// The page leaves out the prefix of the names. A declaration that differs from the header's is an error in C.
#[test]
fn its_c_is_that_of_the_header() {
    let (page, include) = (page("abi.md"), super::root().join("loaders/all/include"));
    let header = std::fs::read_to_string(include.join("polyplug.h")).unwrap();
    let names: BTreeSet<&str> = header
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .filter_map(|word| word.strip_prefix("Polyplug"))
        .collect();
    let mut source = "#include <stddef.h>\n#include \"polyplug.h\"\n".to_owned();
    for name in names
        .into_iter()
        .filter(|name| header.contains(&format!(" Polyplug{name};")) || header.contains(&format!("(*Polyplug{name})")))
    {
        source += &format!("typedef Polyplug{name} {name};\n");
    }
    let blocks: Vec<_> = page.split("\n```c\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(blocks.len(), 5);
    source += &blocks.concat();
    source += "static const PolyplugEntry its_entry = entry;\n\
               _Static_assert(sizeof(struct CallArena) == sizeof(PolyplugCallArena), \"size\");\n";
    for field in ["cur", "end", "grow", "ctx"] {
        source += &format!(
            "_Static_assert(offsetof(struct CallArena, {field}) == offsetof(PolyplugCallArena, {field}), \"{field}\");\n"
        );
    }
    let folder = Bundle::empty();
    folder.write("page.c", source);
    let mut command = compiler();
    command.args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-Wno-unused", "-fsyntax-only", "-I"]);
    compile(command.arg(include).arg(folder.path().join("page.c")));
}
