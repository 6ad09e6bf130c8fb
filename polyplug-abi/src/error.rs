//! How a call that failed says so.

use core::fmt;

use crate::types::StringView;

/// What a call reports: a code, and text for a person when the code is not Ok.
///
/// The caller sets `code` to 0 before the call; the callee writes only when it fails. The text lives in the call's
/// arena, or, where a call has none, in a buffer that the host keeps for the thread until that thread's next call.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct AbiError {
    /// An [`AbiErrorCode`] as a number, or 256 and above for a code of the plugin's own.
    pub code: u32,
    /// UTF-8 text; empty when the code says all.
    pub message: StringView,
}

const _: () = assert!(size_of::<AbiError>() == 24);

impl AbiError {
    /// No error.
    #[must_use]
    pub const fn ok() -> Self {
        Self { code: AbiErrorCode::Ok as u32, message: StringView::null() }
    }

    /// An error with `code` and `message`.
    #[must_use]
    pub const fn new(code: AbiErrorCode, message: StringView) -> Self {
        Self { code: code as u32, message }
    }

    /// Whether the call succeeded.
    #[must_use]
    pub const fn is_ok(&self) -> bool {
        self.code == AbiErrorCode::Ok as u32
    }
}

impl Default for AbiError {
    fn default() -> Self {
        Self::ok()
    }
}

/// What went wrong, as far as both sides agree on it.
///
/// Codes cross as plain numbers ([`AbiError::code`]); this enum is for writing and comparing them.
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AbiErrorCode {
    /// The call succeeded.
    Ok = 0,
    /// A failure that no other code describes.
    Generic = 1,
    /// The result did not fit into the memory the caller offered.
    BufferTooSmall = 2,
    /// Rust code panicked.
    Panic = 3,
    /// What was asked for does not exist.
    NotFound = 4,
    /// The handle or instance token names something that is gone.
    StaleHandle = 5,
    /// The provider has no function with this number.
    FunctionNotAvailable = 6,
    /// The bundle registers the contract a second time.
    DuplicateProvider = 7,
    /// A pointer that must not be null is null, or is not aligned.
    InvalidPointer = 8,
    /// The call may not be made from inside the call that is running.
    ReentrantCall = 9,
    /// The callee found an argument that is no value of its type.
    InvalidArgument = 10,
    /// The bundle that held the code is unloaded.
    Unloaded = 11,
    /// Waiting would close a cycle of engine locks.
    Deadlock = 12,
    /// A guest's language raised an exception.
    Exception = 13,
    /// The plugin's factory could not make an instance.
    FactoryFailed = 14,
    /// A value is nested deeper than the limit.
    TooDeep = 15,
    /// A table handed over is malformed.
    InvalidInterface = 16,
    /// The operation is not allowed for the caller.
    NotAllowed = 17,
    /// Host and plugin disagree on what the contract is.
    IncompatibleContract = 18,
    /// What the callee's code returned is no value of the result's type.
    InvalidResult = 19,
    /// The call took more time or memory than the callee may have.
    LimitReached = 20,
    /// The host does not provide this host contract.
    HostContractNotFound = 100,
    /// The host provides another version of this host contract.
    HostContractVersionMismatch = 101,
    /// The host's implementation failed.
    HostContractCallFailed = 102,
}

/// The texts of the codes, and the way back from a number. The enum stands outside: the generator of the C header does not
/// look into macros.
macro_rules! texts {
    ($($name:ident: $text:literal,)*) => {
        impl AbiErrorCode {
            /// The code with this number; [`AbiErrorCode::Generic`] for one that is not known.
            #[must_use]
            pub const fn from_u32(code: u32) -> Self {
                $(
                    if code == Self::$name as u32 {
                        return Self::$name;
                    }
                )*
                Self::Generic
            }

            /// A short text for people.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

texts! {
    Ok: "ok",
    Generic: "failed",
    BufferTooSmall: "the result does not fit into the memory offered for it",
    Panic: "panicked",
    NotFound: "not found",
    StaleHandle: "the handle is stale",
    FunctionNotAvailable: "the provider does not have this function",
    DuplicateProvider: "the bundle provides this contract already",
    InvalidPointer: "a pointer is null or not aligned",
    ReentrantCall: "the call may not be nested here",
    InvalidArgument: "an argument is no value of its type",
    Unloaded: "the bundle is unloaded",
    Deadlock: "waiting would never end",
    Exception: "an exception was raised",
    FactoryFailed: "the factory failed",
    TooDeep: "the value is nested too deeply",
    InvalidInterface: "the interface is malformed",
    NotAllowed: "not allowed",
    IncompatibleContract: "the contract differs",
    InvalidResult: "the result is no value of its type",
    LimitReached: "a limit of time or memory was reached",
    HostContractNotFound: "the host does not provide this contract",
    HostContractVersionMismatch: "the host provides another version of this contract",
    HostContractCallFailed: "the host's implementation failed",
}

impl fmt::Display for AbiErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl From<u32> for AbiErrorCode {
    fn from(code: u32) -> Self {
        Self::from_u32(code)
    }
}
