//! The errors of calls.

use polyplug_abi::{AbiError, AbiErrorCode, Version};

use crate::error_text::{Parts, bounded};

/// The reason for which a call did not return the guest's answer.
///
/// A *declared* error of a method is an answer, not a `CallError`: a method that returns `Result<T, E>` returns
/// `Result<Result<T, E>, CallError>` through a proxy.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The plugin panicked. The panic did not leave the plugin; the plugin stays loaded.
    #[error("{} panicked: {}{}", .0.method, .0.message, .0.at())]
    Panic(Box<Failure>),

    /// The plugin's language raised an exception.
    #[error("{}: {}{}{}", .0.method, .0.message, .0.at(), .0.trace())]
    Exception(Box<Failure>),

    /// A failure that the plugin reported with a code of its own, or with a code that this host does not know.
    #[error("{} failed with code {code}: {}", .failure.method, .failure.message)]
    Failed {
        /// The code as the plugin gave it.
        code: u32,
        /// The plugin's account of the failure.
        failure: Box<Failure>,
    },

    /// An argument is not a value of its type. Happens to dynamic calls, and to canonical memory written by hand.
    #[error("{}: an argument is no value of its type: {}", .0.method, .0.message)]
    InvalidArgument(Box<Failure>),

    /// The plugin returned something that is not a value of the result's type.
    #[error("{}: the plugin returned something that is no value of its type: {}", .0.method, .0.message)]
    InvalidResult(Box<Failure>),

    /// A value is too large for the memory offered, or nested too deeply to cross.
    #[error("{}: {}", .0.method, .0.message)]
    TooLarge(Box<Failure>),

    /// The plugin was built against an older version of the contract, one that lacks the method.
    #[error("{method} exists since version {}.{} of the contract, and the plugin implements an older one: update the plugin, or look for a provider with at least that version", .since.major, .since.minor)]
    MethodNotAvailable {
        /// The method, with its contract.
        method: String,
        /// The version of the contract that introduced it.
        since: Version,
    },

    /// The bundle was unloaded.
    #[error("bundle `{bundle}` is unloaded: make a new proxy after loading it again")]
    Unloaded {
        /// The bundle's name.
        bundle: String,
    },

    /// No such contract or method exists. Happens to dynamic calls only.
    #[error("{}: {}", .0.method, .0.message)]
    NotFound(Box<Failure>),

    /// The call took more time or memory than its bundle may use. The bundle continues to serve.
    #[error("{}: {}", .0.method, .0.message)]
    LimitReached(Box<Failure>),

    /// The call would wait for its callee for ever.
    #[error("{}: {}", .0.method, .0.message)]
    Deadlock(Box<Failure>),
}

crate::debug_text::debug_as_display!(CallError);

/// The details of a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The method that was called, with its contract: `demo.calculator.add`.
    pub method: String,
    /// The message of the code that failed.
    pub message: String,
    /// The file and line of the failure.
    pub location: Option<String>,
    /// The calls that an exception passed through, as the guest's language prints them.
    pub traceback: Option<String>,
}

impl Failure {
    pub(crate) fn new(method: String, message: impl Into<String>) -> Box<Self> {
        Box::new(Self { method, message: message.into(), location: None, traceback: None })
    }

    fn from_text(method: String, text: &str) -> Box<Self> {
        let Parts { message, location, traceback } = Parts::of(text);
        let owned = |part: Option<&str>| part.map(str::to_owned);
        Box::new(Self { method, message: message.to_owned(), location: owned(location), traceback: owned(traceback) })
    }

    fn at(&self) -> String {
        self.location.as_ref().map(|location| format!(" (at {location})")).unwrap_or_default()
    }

    fn trace(&self) -> String {
        self.traceback.as_ref().map(|traceback| format!("\n{traceback}")).unwrap_or_default()
    }
}

impl CallError {
    /// Returns the name of the error's kind: `panic`, `exception`, `invalid_argument`, `invalid_result`, `too_large`,
    /// `method_not_available`, `unloaded`, `not_found`, `limit_reached` or `deadlock`; `failed` for anything else. For
    /// guests in languages that distinguish errors by name.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Panic(_) => "panic",
            Self::Exception(_) => "exception",
            Self::InvalidArgument(_) => "invalid_argument",
            Self::InvalidResult(_) => "invalid_result",
            Self::TooLarge(_) => "too_large",
            Self::MethodNotAvailable { .. } => "method_not_available",
            Self::Unloaded { .. } => "unloaded",
            Self::NotFound(_) => "not_found",
            Self::LimitReached(_) => "limit_reached",
            Self::Deadlock(_) => "deadlock",
            _ => "failed",
        }
    }

    /// Returns the method that was called, or `None` if the error does not carry a method.
    #[must_use]
    pub fn method(&self) -> Option<&str> {
        match self {
            Self::Panic(failure)
            | Self::Exception(failure)
            | Self::Failed { failure, .. }
            | Self::InvalidArgument(failure)
            | Self::InvalidResult(failure)
            | Self::TooLarge(failure)
            | Self::NotFound(failure)
            | Self::LimitReached(failure)
            | Self::Deadlock(failure) => Some(&failure.method),
            Self::MethodNotAvailable { method, .. } => Some(method),
            _ => None,
        }
    }

    /// Makes the error that a callee reported for `method`, which exists since `since`.
    ///
    /// # Safety
    ///
    /// The error's message must be empty or readable.
    #[cold]
    pub(crate) unsafe fn reported(
        method: String,
        since: Version,
        error: &AbiError,
        bundle: impl FnOnce() -> String,
    ) -> Self {
        // SAFETY: the message is empty or readable (the caller's promise).
        let text = unsafe { message_text(error) };
        let failure = |method| Failure::from_text(method, &text);
        match AbiErrorCode::from_u32(error.code) {
            AbiErrorCode::Panic => Self::Panic(failure(method)),
            AbiErrorCode::Exception => Self::Exception(failure(method)),
            AbiErrorCode::InvalidArgument => Self::InvalidArgument(failure(method)),
            AbiErrorCode::InvalidResult => Self::InvalidResult(failure(method)),
            AbiErrorCode::LimitReached => Self::LimitReached(failure(method)),
            AbiErrorCode::BufferTooSmall | AbiErrorCode::TooDeep => Self::TooLarge(failure(method)),
            AbiErrorCode::FunctionNotAvailable => Self::MethodNotAvailable { method, since },
            AbiErrorCode::Unloaded => Self::Unloaded { bundle: bundle() },
            AbiErrorCode::Deadlock => Self::Deadlock(failure(method)),
            _ => Self::Failed { code: error.code, failure: failure(method) },
        }
    }

    /// Returns the code under which a plugin passes this error on to its own caller.
    pub(crate) const fn code(&self) -> AbiErrorCode {
        match self {
            Self::Panic(_) => AbiErrorCode::Panic,
            Self::Exception(_) => AbiErrorCode::Exception,
            Self::Deadlock(_) => AbiErrorCode::Deadlock,
            // The other codes would describe the plugin's own method instead of the call that it made.
            _ => AbiErrorCode::Generic,
        }
    }

    /// Returns whether the call may succeed when it is made again through a new proxy.
    #[must_use]
    pub const fn is_unloaded(&self) -> bool {
        matches!(self, Self::Unloaded { .. })
    }
}

/// Returns the text of an error: its message, or the meaning of its code if the message is empty. The text is bounded.
///
/// # Safety
///
/// The message must be empty or readable.
pub(crate) unsafe fn message_text(error: &AbiError) -> String {
    // SAFETY: the message is empty or readable (the caller's promise).
    match unsafe { error.message.bytes() } {
        Some(bytes) if !bytes.is_empty() => bounded(&String::from_utf8_lossy(bytes)).into_owned(),
        _ => AbiErrorCode::from_u32(error.code).text().to_owned(),
    }
}
