//! What a bundle is told of itself.

use polyplug_abi::{HostApi, StringView};

use crate::host::runtime::context::HostContext;
use crate::host::version::scope::BundleScope;

/// A text of the calling bundle's, or else `otherwise`.
///
/// # Safety
///
/// `host` must be null or a valid table of ours. The text is valid as long as that is.
unsafe fn text(host: *const HostApi, of: fn(&BundleScope) -> &str, otherwise: &'static str) -> StringView {
    // SAFETY: the caller's promise.
    let scope = unsafe { HostContext::of(host) }.and_then(|context| context.bundle.as_deref());
    StringView::lend(scope.map_or(otherwise, of).as_bytes())
}

pub(crate) unsafe extern "C" fn config(host: *const HostApi) -> StringView {
    // SAFETY: called through the table as `HostApi` documents, so `host` is null or a valid table of ours.
    unsafe { text(host, |scope| &scope.config, "{}") }
}

pub(crate) unsafe extern "C" fn bundle_name(host: *const HostApi) -> StringView {
    // SAFETY: as above.
    unsafe { text(host, |scope| &scope.name, "") }
}
