//! The sizes of the ABI's types, which only the compiler knows, as parts of the header.

use std::fmt::Write as _;

use polyplug_abi::{
    AbiError, Array, BundleId, BundleInitContext, CallArena, DependencyInfo, DispatchMechanisms, GuestContractHandle,
    GuestContractInstance, GuestContractInterface, HostApi, HostContractInstance, HostContractInterface,
    NativeDispatch, ObjectOffer, POLYPLUG_ABI_VERSION, PluginDescriptor, PluginRegistration, ProxyRequest, ReloadPhase,
    RuntimeConfig, StringView, Version, VmDispatch, VmLoaderData,
};

macro_rules! sizes {
    ($($name:ident: $ty:ty,)*) => {
        [$((stringify!($name), size_of::<$ty>()),)*]
    };
}

/// Returns assertions of the sizes of all structures that `header` defines.
pub(crate) fn assertions(header: &str) -> String {
    let sizes = sizes! {
        PolyplugAbiError: AbiError,
        PolyplugArrayBundleId: Array<BundleId>,
        PolyplugArrayDependencyInfo: Array<DependencyInfo>,
        PolyplugArrayGuestContractHandle: Array<GuestContractHandle>,
        PolyplugBundleInitContext: BundleInitContext,
        PolyplugCallArena: CallArena,
        PolyplugDependencyInfo: DependencyInfo,
        PolyplugDispatchMechanisms: DispatchMechanisms,
        PolyplugGuestContractHandle: GuestContractHandle,
        PolyplugGuestContractInstance: GuestContractInstance,
        PolyplugGuestContractInterface: GuestContractInterface,
        PolyplugHostApi: HostApi,
        PolyplugHostContractInstance: HostContractInstance,
        PolyplugHostContractInterface: HostContractInterface,
        PolyplugNativeDispatch: NativeDispatch,
        PolyplugObjectOffer: ObjectOffer,
        PolyplugPluginDescriptor: PluginDescriptor,
        PolyplugPluginRegistration: PluginRegistration,
        PolyplugProxyRequest: ProxyRequest,
        PolyplugReloadPhase: ReloadPhase,
        PolyplugRuntimeConfig: RuntimeConfig,
        PolyplugStringView: StringView,
        PolyplugVersion: Version,
        PolyplugVmDispatch: VmDispatch,
        PolyplugVmLoaderData: VmLoaderData,
    };
    let mut text = String::from("/* ---- Sizes, as polyplug was built ---- */\n\n");
    for definition in header.lines().filter_map(|line| line.strip_prefix("typedef ")) {
        let Some(("struct" | "union", rest)) = definition.split_once(' ') else { continue };
        let name = rest.split(' ').next().expect("split gives one at least");
        let (_, size) = sizes
            .iter()
            .find(|(known, _)| *known == name)
            .unwrap_or_else(|| panic!("the size of {name} is asserted nowhere: add it to {}", file!()));
        writeln!(text, "POLYPLUG_ASSERT(sizeof({name}) == {size}, \"{name}\");").expect("a String takes all");
    }
    text
}

/// Returns the ABI's version as an expression of C.
pub(crate) fn version() -> String {
    format!("((UINT32_C({}) << 16) | {})", POLYPLUG_ABI_VERSION >> 16, POLYPLUG_ABI_VERSION & 0xffff)
}
