//! The errors of calls.

use core::fmt;

use crate::types::StringView;

/// The outcome of a call: a code, and a text for people if the code is not Ok.
///
/// The caller sets `code` to 0 before the call; the callee writes only on failure. The text is in the call's arena or,
/// for a call without an arena, in a buffer that the host keeps for the thread until that thread's next call.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct AbiError {
    /// An [`AbiErrorCode`] as a number, or 256 and above for a code of the plugin's own.
    pub code: u32,
    /// The text in UTF-8; empty if the code needs no explanation.
    pub message: StringView,
}

const _: () = assert!(size_of::<AbiError>() == 24);

impl AbiError {
    /// Returns the outcome of a call that succeeded.
    #[must_use]
    pub const fn ok() -> Self {
        Self { code: AbiErrorCode::Ok as u32, message: StringView::null() }
    }

    /// Makes an error with `code` and `message`.
    #[must_use]
    pub const fn new(code: AbiErrorCode, message: StringView) -> Self {
        Self { code: code as u32, message }
    }

    /// Returns whether the call succeeded.
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

/// The kinds of failure that both sides know.
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
    /// The result did not fit into the memory that the caller offered.
    BufferTooSmall = 2,
    /// Rust code panicked.
    Panic = 3,
    /// The requested item does not exist.
    NotFound = 4,
    /// The handle or instance token refers to an item that does not exist any more.
    StaleHandle = 5,
    /// The provider has no function with this number.
    FunctionNotAvailable = 6,
    /// The bundle registers the contract a second time.
    DuplicateProvider = 7,
    /// A pointer that must not be null is null, or is not aligned.
    InvalidPointer = 8,
    /// The call may not be made from inside the call that is running.
    ReentrantCall = 9,
    /// The callee found an argument that is not a value of its type.
    InvalidArgument = 10,
    /// The bundle that contained the code is unloaded.
    Unloaded = 11,
    /// Waiting would close a cycle of engine locks.
    Deadlock = 12,
    /// A guest's language raised an exception.
    Exception = 13,
    /// The plugin's factory could not make an instance.
    FactoryFailed = 14,
    /// A value is nested deeper than the limit.
    TooDeep = 15,
    /// A table that was passed to the host is malformed.
    InvalidInterface = 16,
    /// The operation is not allowed for the caller.
    NotAllowed = 17,
    /// Host and plugin have different contracts of the same name and version.
    IncompatibleContract = 18,
    /// The callee's code returned something that is not a value of the result's type.
    InvalidResult = 19,
    /// The call took more time or memory than the callee may use.
    LimitReached = 20,
    /// The host does not provide this host contract.
    HostContractNotFound = 100,
    /// The host provides another version of this host contract.
    HostContractVersionMismatch = 101,
    /// The host's implementation failed.
    HostContractCallFailed = 102,
}

/// Defines the texts of the codes, and the conversion from a number. The enum is defined outside of the macro, because
/// the generator of the C header does not expand macros.
macro_rules! texts {
    ($($name:ident: $text:literal,)*) => {
        impl AbiErrorCode {
            /// Returns the code with this number, or [`AbiErrorCode::Generic`] for an unknown number.
            #[must_use]
            pub const fn from_u32(code: u32) -> Self {
                $(
                    if code == Self::$name as u32 {
                        return Self::$name;
                    }
                )*
                Self::Generic
            }

            /// Returns a short text for people.
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
