//! The texts that the host keeps about the calling bundle.

use polyplug_abi::{HostApi, StringView};

use crate::host::runtime::context::HostContext;
use crate::host::version::scope::BundleScope;

/// Returns a text of the calling bundle, or `otherwise` if the host itself calls.
///
/// # Safety
///
/// `host` must be null or a valid table of this library. The text is valid as long as the table.
unsafe fn text(host: *const HostApi, of: fn(&BundleScope) -> &str, otherwise: &'static str) -> StringView {
    // SAFETY: the caller promises that `host` is null or a valid table.
    let scope = unsafe { HostContext::of(host) }.and_then(|context| context.bundle.as_deref());
    StringView::lend(scope.map_or(otherwise, of).as_bytes())
}

pub(crate) unsafe extern "C" fn config(host: *const HostApi) -> StringView {
    // SAFETY: called through the table as `HostApi` documents, so `host` is null or a valid table.
    unsafe { text(host, |scope| &scope.config, "{}") }
}

pub(crate) unsafe extern "C" fn bundle_name(host: *const HostApi) -> StringView {
    // SAFETY: called through the table as `HostApi` documents, so `host` is null or a valid table.
    unsafe { text(host, |scope| &scope.name, "") }
}
