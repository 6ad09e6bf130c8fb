//! The configuration of a runtime, and the events that it reports.

use core::ffi::c_void;
use core::fmt;

use crate::ids::BundleId;
use crate::types::StringView;

/// The strictness with which versions are checked.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Compatibility(pub u32);

#[allow(non_upper_case_globals)] // the constants are used like the variants of an enum
impl Compatibility {
    /// The default: a bundle whose dependencies are missing or too old is rejected.
    pub const Strict: Self = Self(0);
    /// A bundle whose dependencies are missing or too old is loaded with a warning. Only the calls that need the
    /// missing dependency fail.
    pub const Relaxed: Self = Self(1);
}

impl fmt::Debug for Compatibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Strict => f.write_str("Strict"),
            Self::Relaxed => f.write_str("Relaxed"),
            Self(other) => write!(f, "Compatibility({other})"),
        }
    }
}

/// A step of a reload or unload of a bundle.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReloadPhaseType(pub u32);

#[allow(non_upper_case_globals)] // the constants are used like the variants of an enum
impl ReloadPhaseType {
    /// A new version is about to be loaded beside the old one.
    pub const Preparing: Self = Self(0);
    /// The new version serves.
    pub const Reloaded: Self = Self(1);
    /// The new version was rejected; the old one continues to serve.
    pub const Failed: Self = Self(2);
    /// The bundle is being unloaded.
    pub const Unloading: Self = Self(3);
    /// The old version's code cannot run any more.
    pub const Quiesced: Self = Self(4);
}

impl fmt::Debug for ReloadPhaseType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Preparing => f.write_str("Preparing"),
            Self::Reloaded => f.write_str("Reloaded"),
            Self::Failed => f.write_str("Failed"),
            Self::Unloading => f.write_str("Unloading"),
            Self::Quiesced => f.write_str("Quiesced"),
            Self(other) => write!(f, "ReloadPhaseType({other})"),
        }
    }
}

/// The event with which a runtime reports a step of a reload or unload. The views are valid during the callback.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ReloadPhase {
    /// The step.
    pub phase_type: ReloadPhaseType,
    /// The bundle's id.
    pub bundle_id: BundleId,
    /// The bundle's name.
    pub bundle_name: StringView,
    /// The reason of the failure for [`ReloadPhaseType::Failed`]; otherwise empty.
    pub reason: StringView,
}

const _: () = assert!(size_of::<ReloadPhase>() == 48);

/// The callback for [`ReloadPhase`] events.
pub type OnReload = unsafe extern "C" fn(user_data: *mut c_void, phase: *const ReloadPhase);

/// The configuration of a runtime that is made through the C ABI.
#[repr(C)]
#[derive(Debug, Clone)]
pub struct RuntimeConfig {
    /// The value of `size_of::<RuntimeConfig>()` in the caller's build. Fields beyond that size take their defaults.
    pub struct_size: usize,
    /// The strictness with which versions are checked.
    pub compatibility: Compatibility,
    /// True if bundles may be reloaded. The host then makes a private copy of each artifact.
    pub hot_reload_enabled: bool,
    /// The callback for every step of a reload or unload.
    pub on_reload: Option<OnReload>,
    /// The data that `on_reload` receives. It must be usable from any thread.
    pub on_reload_user_data: *mut c_void,
    /// The folder in which bundles keep their data, a path in UTF-8: each bundle gets a folder in it. Null if bundles get
    /// none. Read by `polyplug_runtime_create` only, and not kept.
    pub data_directory: StringView,
}

const _: () = assert!(size_of::<RuntimeConfig>() == 48);

impl Default for RuntimeConfig {
    fn default() -> Self {
        Self {
            struct_size: size_of::<Self>(),
            compatibility: Compatibility::Strict,
            hot_reload_enabled: false,
            on_reload: None,
            on_reload_user_data: core::ptr::null_mut(),
            data_directory: StringView::null(),
        }
    }
}

// SAFETY: the callback and its user data must be usable from any thread, as `on_reload_user_data` documents.
unsafe impl Send for RuntimeConfig {}
// SAFETY: a shared configuration is only read, and the callback may be called from several threads at a time.
unsafe impl Sync for RuntimeConfig {}
