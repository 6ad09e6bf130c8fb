//! How a runtime is set up, and what it reports.

use core::ffi::c_void;
use core::fmt;

use crate::ids::BundleId;
use crate::types::StringView;

/// How strictly versions are held to.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Compatibility(pub u32);

#[allow(non_upper_case_globals)] // they read like the variants of an enum, which is what they stand for
impl Compatibility {
    /// A bundle whose dependencies are missing or too old is refused. The default.
    pub const Strict: Self = Self(0);
    /// Such a bundle is loaded with a warning; only the calls that need what is missing fail.
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

/// A step in the life of a bundle.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReloadPhaseType(pub u32);

#[allow(non_upper_case_globals)] // they read like the variants of an enum, which is what they stand for
impl ReloadPhaseType {
    /// A new version is about to be loaded beside the old one.
    pub const Preparing: Self = Self(0);
    /// The new version serves.
    pub const Reloaded: Self = Self(1);
    /// The new version was refused; the old one serves on.
    pub const Failed: Self = Self(2);
    /// The bundle is being unloaded.
    pub const Unloading: Self = Self(3);
    /// Nothing can run the old version's code any more.
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

/// What a runtime tells about a bundle's life. The views are valid during the callback.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ReloadPhase {
    /// Which step.
    pub phase_type: ReloadPhaseType,
    /// Which bundle.
    pub bundle_id: BundleId,
    /// The bundle's name.
    pub bundle_name: StringView,
    /// Why it failed, for [`ReloadPhaseType::Failed`]; else empty.
    pub reason: StringView,
}

const _: () = assert!(size_of::<ReloadPhase>() == 48);

/// The callback for [`ReloadPhase`] events.
pub type OnReload = unsafe extern "C" fn(user_data: *mut c_void, phase: *const ReloadPhase);

/// How a runtime is set up through the C ABI.
#[repr(C)]
#[derive(Debug, Clone)]
pub struct RuntimeConfig {
    /// `size_of::<RuntimeConfig>()` as the caller was built; fields beyond it take their defaults.
    pub struct_size: usize,
    /// How strictly versions are held to.
    pub compatibility: Compatibility,
    /// Whether bundles may be reloaded. Costs a private copy of each artifact.
    pub hot_reload_enabled: bool,
    /// Told about every step in the life of a bundle.
    pub on_reload: Option<OnReload>,
    /// Handed to `on_reload`. Must be usable from any thread.
    pub on_reload_user_data: *mut c_void,
}

const _: () = assert!(size_of::<RuntimeConfig>() == 32);

impl Default for RuntimeConfig {
    fn default() -> Self {
        Self {
            struct_size: size_of::<Self>(),
            compatibility: Compatibility::Strict,
            hot_reload_enabled: false,
            on_reload: None,
            on_reload_user_data: core::ptr::null_mut(),
        }
    }
}

// SAFETY: the callback and its user data must be usable from any thread, as `on_reload_user_data` documents.
unsafe impl Send for RuntimeConfig {}
// SAFETY: as for `Send`.
unsafe impl Sync for RuntimeConfig {}
