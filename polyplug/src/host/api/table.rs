//! The host's table.

use polyplug_abi::HostApi;

use super::{bundle_info, bundles, calls, lookup, memory, messages, proxies, registration, threads};

/// The functions of the host's table. Each version of a bundle has a copy of the table, whose `runtime` leads to the
/// version's context.
pub(crate) const FUNCTIONS: HostApi = HostApi {
    runtime: std::ptr::null_mut(),
    register_guest_contract: registration::register_guest_contract,
    alloc: memory::alloc,
    free: memory::free,
    find_guest_contract: lookup::find_guest_contract,
    find_all_guest_contracts: lookup::find_all_guest_contracts,
    resolve_guest_contract: lookup::resolve_guest_contract,
    get_host_contract: lookup::get_host_contract,
    resolve_host_contract_interface: lookup::resolve_host_contract_interface,
    list_bundles: lookup::list_bundles,
    get_dependencies: lookup::get_dependencies,
    load_bundle: bundles::load_bundle,
    reload_bundle: bundles::reload_bundle,
    register_host_contract: registration::register_host_contract,
    register_loader: registration::register_loader,
    get_last_error: messages::get_last_error,
    get_error_len: messages::get_error_len,
    struct_size: size_of::<HostApi>(),
    call_guest_method: calls::call_guest_method,
    create_guest_instance: calls::create_guest_instance,
    destroy_guest_instance: calls::destroy_guest_instance,
    unload_bundle: bundles::unload_bundle,
    log: messages::log,
    register_plugin: registration::register_plugin,
    error_text: memory::error_text,
    enter_arena: memory::enter_arena,
    leave_arena: memory::leave_arena,
    retain_host: memory::retain_host,
    release_host: memory::release_host,
    lease: lookup::lease,
    release: lookup::release,
    spawn: threads::spawn,
    wait_retired: threads::wait_retired,
    prefer: lookup::prefer,
    find_guest_contract_in: lookup::find_guest_contract_in,
    unload_bundle_cascade: bundles::unload_bundle_cascade,
    quiesce: bundles::quiesce,
    open_proxy: proxies::open_proxy,
    call_proxy: proxies::call_proxy,
    close_proxy: proxies::close_proxy,
    offer_object: proxies::offer_object,
    share_object: proxies::share_object,
    config: bundle_info::config,
    bundle_name: bundle_info::bundle_name,
};
