//! What the book promises: its examples run, its tables of the ABI are true, its quickstart works as written.

#[cfg(doctest)]
mod examples {
    #[doc = include_str!("../../docs/src/contracts.md")]
    struct Contracts;

    #[doc = include_str!("../../docs/src/rust.md")]
    struct Rust;

    #[doc = include_str!("../../docs/src/lifecycle.md")]
    struct LifeCycle;

    #[doc = include_str!("../../docs/src/errors.md")]
    struct Errors;

    #[doc = include_str!("../../docs/src/abi.md")]
    struct Abi;

    #[doc = include_str!("../../docs/src/quickstart.md")]
    struct Quickstart;

    #[doc = include_str!("../../docs/src/design.md")]
    struct Design;
}

#[cfg(test)]
mod tests {
    use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
    use std::ffi::OsStr;
    use std::fmt::Write as _;
    use std::fs;
    use std::mem::offset_of;
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use crate::{Bundle, manifest, runtime};

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is one folder up").to_owned()
    }

    fn page(name: &str) -> String {
        let path = root().join("docs/src").join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The contents of the first block in `language` after the first `mark` in `text`.
    fn block<'a>(text: &'a str, mark: &str, language: &str) -> &'a str {
        let after = text.find(mark).unwrap_or_else(|| panic!("the page does not mention {mark}"));
        let fence = format!("\n```{language}");
        let start = after + text[after..].find(&fence).unwrap_or_else(|| panic!("{mark}: no {language} block follows"));
        let body = start + 1 + text[start + 1..].find('\n').expect("a fence is a line of its own") + 1;
        let end = body + text[body..].find("\n```").unwrap_or_else(|| panic!("{mark}: the block does not end"));
        &text[body..=end]
    }

    // ---- the tables of abi.md ----

    /// The table of one structure: offsets and sizes as this compiler sees them.
    macro_rules! table {
        ($ty:ty { $($field:ident: $c:literal,)* }) => {{
            fn size<T, F>(_: impl Fn(&T) -> &F) -> usize {
                size_of::<F>()
            }
            let mut table = String::from("| offset | size | field | type |\n|---:|---:|---|---|\n");
            $(
                // SAFETY: only the type of the closure's result is used; it is never called.
                let bytes = size::<$ty, _>(|it| &it.$field);
                writeln!(table, "| {} | {} | `{}` | `{}` |", offset_of!($ty, $field), bytes, stringify!($field), $c).unwrap();
            )*
            (stringify!($ty), size_of::<$ty>(), align_of::<$ty>(), table)
        }};
    }

    #[test]
    fn the_tables_of_the_abi_page_are_true() {
        use polyplug_abi::*;
        type AnyArray = Array<u64>;
        let tables = [
            table!(StringView { ptr: "const uint8_t *", len: "size_t", }),
            table!(Version { major: "uint32_t", minor: "uint32_t", patch: "uint32_t", }),
            table!(AnyArray { items: "T *", len: "size_t", align: "size_t", }),
            table!(DependencyInfo { contract_id: "uint64_t", min_version: "uint32_t", bundle_id: "uint64_t", }),
            table!(AbiError { code: "uint32_t", message: "StringView", }),
            table!(GuestContractHandle { index: "uint32_t", generation: "uint32_t", }),
            table!(GuestContractInstance { data: "void *", contract_id: "uint64_t", }),
            table!(HostContractInstance { data: "void *", }),
            table!(VmLoaderData { data: "void *", }),
            table!(NativeDispatch { function_count: "uint32_t", functions: "const Entry *", }),
            table!(VmDispatch { call: "VmCall", loader_data: "VmLoaderData", }),
            table!(GuestContractInterface {
                contract_id: "uint64_t",
                contract_version: "Version",
                dispatch_type: "uint32_t",
                create_instance: "CreateInstance",
                destroy_instance: "DestroyInstance",
                dispatch: "union { NativeDispatch native; VmDispatch vm; }",
            }),
            table!(HostContractInterface {
                contract_id: "uint64_t",
                contract_version: "Version",
                singleton: "uint8_t",
                dispatch_type: "uint32_t",
                user_data: "void *",
                create_instance: "void (*)(const HostContractInterface *, const void *args, HostContractInstance *out)",
                destroy_instance: "void (*)(const HostContractInterface *, HostContractInstance)",
                dispatch: "union { NativeDispatch native; VmDispatch vm; }",
            }),
            table!(BundleInitContext { bundle_id: "uint64_t", bundle_path: "StringView", }),
            table!(PluginDescriptor { name: "StringView", contract_name: "StringView", version: "Version", }),
            table!(PluginRegistration {
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
            table!(ReloadPhase {
                phase_type: "uint32_t",
                bundle_id: "uint64_t",
                bundle_name: "StringView",
                reason: "StringView",
            }),
            table!(RuntimeConfig {
                struct_size: "size_t",
                compatibility: "uint32_t",
                hot_reload_enabled: "uint8_t",
                on_reload: "void (*)(void *user_data, const ReloadPhase *), or null",
                on_reload_user_data: "void *",
            }),
        ];
        let page = page("abi.md");
        let mut wrong = String::new();
        for (name, size, align, table) in tables {
            let name = name.replace("AnyArray", "Array<T>");
            let expected = format!("`{name}`: {size} bytes, aligned to {align}.\n\n{table}");
            if !page.contains(&expected) {
                write!(wrong, "{expected}\n").unwrap();
            }
        }
        assert!(wrong.is_empty(), "docs/src/abi.md should say:\n\n{wrong}");
    }

    /// The functions of the host's table: their places, in order, as abi.md lists them.
    #[test]
    fn the_host_table_of_the_abi_page_is_complete() {
        let page = page("abi.md");
        let mut wrong = String::new();
        let mut next = 0;
        macro_rules! fields {
            ($($field:ident)*) => {$(
                let offset = offset_of!(polyplug_abi::HostApi, $field);
                assert_eq!(offset, next, "the fields lie one after the other");
                next += 8;
                let row = format!("| {offset} | `{}` |", stringify!($field));
                if !page.contains(&row) {
                    writeln!(wrong, "{row}").unwrap();
                }
            )*};
        }
        fields! {
            runtime register_guest_contract alloc free find_guest_contract find_all_guest_contracts
            resolve_guest_contract get_host_contract resolve_host_contract_interface list_bundles get_dependencies
            load_bundle reload_bundle register_host_contract register_loader get_last_error get_error_len struct_size
            call_guest_method create_guest_instance destroy_guest_instance unload_bundle log register_plugin error_text
            enter_arena leave_arena retain release
        }
        assert!(wrong.is_empty(), "docs/src/abi.md should have these rows:\n\n{wrong}");
        assert_eq!(next, size_of::<polyplug_abi::HostApi>(), "a field is not listed here");
        assert!(page.contains(&format!("`HostApi`: {next} bytes")), "docs/src/abi.md: `HostApi` has {next} bytes");
    }
}
