//! The errors of calls.

use std::fmt;

use polyplug_abi::{AbiError, AbiErrorCode, Version};

use crate::error_text::{Parts, bounded};

/// The reason for which a call did not return the guest's answer.
///
/// The text of each error begins with the callee and the method: ``bundle `metrics`, demo.metrics.record: ..``.
///
/// A *declared* error of a method is an answer, not a `CallError`: a method that returns `Result<T, E>` returns
/// `Result<Result<T, E>, CallError>` through a proxy.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The callee panicked. The panic did not leave the plugin; the plugin stays loaded.
    #[error("{}panicked: {}{}", .0.whom(), .0.message, .0.at())]
    Panic(Box<Failure>),

    /// The plugin's language raised an exception.
    #[error("{}{}{}{}", .0.whom(), .0.message, .0.at(), .0.trace())]
    Exception(Box<Failure>),

    /// A failure that the plugin reported with a code of its own, or with a code that this host does not know.
    #[error("{}failed with code {code}: {}{}", .failure.whom(), .failure.message, .failure.at())]
    Failed {
        /// The code as the plugin gave it.
        code: u32,
        /// The plugin's account of the failure.
        failure: Box<Failure>,
    },

    /// An argument is not a value of its type. Happens to dynamic calls, and to canonical memory written by hand.
    #[error("{}an argument is no value of its type: {}{}", .0.whom(), .0.message, .0.at())]
    InvalidArgument(Box<Failure>),

    /// The callee returned something that is not a value of the result's type. Where the callee is a script, the
    /// location is that of the function that returned the value.
    #[error("{}the {} returned something that is no value of its type: {}{}", .0.whom(), .0.kind_of_callee(), .0.message, .0.at())]
    InvalidResult(Box<Failure>),

    /// A value is too large for the memory offered, or nested too deeply to cross.
    #[error("{}{}{}", .0.whom(), .0.message, .0.at())]
    TooLarge(Box<Failure>),

    /// The callee was built against an older version of the contract, one that lacks the method.
    #[error("{}the method exists since version {}.{} of the contract, and {}", .failure.whom(), .since.major, .since.minor, .failure.older())]
    MethodNotAvailable {
        /// The version of the contract that introduced the method.
        since: Version,
        /// The callee and the method.
        failure: Box<Failure>,
    },

    /// The bundle was unloaded, or the runtime has ended, as the message says.
    #[error("{}{}", .0.whom(), .0.message)]
    Unloaded(Box<Failure>),

    /// No such contract or method exists. Happens to dynamic calls only.
    #[error("{}{}", .0.whom(), .0.message)]
    NotFound(Box<Failure>),

    /// The call took more time or memory than its bundle may use. The bundle continues to serve.
    #[error("{}{}{}", .0.whom(), .0.message, .0.at())]
    LimitReached(Box<Failure>),

    /// The call would wait for its callee for ever.
    #[error("{}{}", .0.whom(), .0.message)]
    Deadlock(Box<Failure>),
}

crate::debug_text::debug_as_display!(CallError);

/// The callee of a call that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Callee {
    /// A plugin or an object of the bundle with this name.
    Bundle(String),
    /// A host contract, or an object of the host's own.
    Host,
    /// The callee is not known, for example because no bundle provides the contract.
    Unknown,
}

impl Callee {
    /// Reads a name as the host's table gives it: that of a bundle, or the empty name of the host.
    pub(crate) fn from_name(name: String) -> Self {
        if name.is_empty() { Self::Host } else { Self::Bundle(name) }
    }

    /// Returns the bundle's name, or `host`, or an empty name if the callee is not known.
    pub(crate) fn into_name(self) -> String {
        match self {
            Self::Bundle(name) => name,
            Self::Host => "host".to_owned(),
            Self::Unknown => String::new(),
        }
    }
}

impl fmt::Display for Callee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundle(name) => write!(f, "bundle `{name}`"),
            Self::Host => f.write_str("the host"),
            Self::Unknown => f.write_str("an unknown callee"),
        }
    }
}

/// The details of a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The bundle that was called, or the host.
    pub callee: Callee,
    /// The method that was called, with its contract: `demo.calculator.add`. The contract alone if no proxy for it
    /// could be made.
    pub method: String,
    /// The message of the code that failed.
    pub message: String,
    /// The file and line of the failure. A file of a script is named by its bundle and its path in the bundle's
    /// directory: `metrics/main.lua:14`.
    pub location: Option<String>,
    /// The calls that an exception passed through, as the guest's language prints them.
    pub traceback: Option<String>,
}

impl Failure {
    pub(crate) fn new(callee: Callee, method: String, message: impl Into<String>) -> Box<Self> {
        Box::new(Self { callee, method, message: message.into(), location: None, traceback: None })
    }

    fn from_text(callee: Callee, method: String, text: &str) -> Box<Self> {
        let Parts { message, location, traceback } = Parts::of(text);
        let owned = |part: Option<&str>| part.map(str::to_owned);
        let (location, traceback) = (owned(location), owned(traceback));
        Box::new(Self { callee, method, message: message.to_owned(), location, traceback })
    }

    /// Returns the name of the bundle that was called, or `None` if the callee is the host or not known.
    #[must_use]
    pub fn bundle(&self) -> Option<&str> {
        match &self.callee {
            Callee::Bundle(name) => Some(name),
            _ => None,
        }
    }

    /// Returns the beginning of an error's text: the callee and the method, as far as they are known.
    fn whom(&self) -> String {
        match (&self.callee, self.method.as_str()) {
            (Callee::Unknown, "") => String::new(),
            (Callee::Unknown, method) => format!("{method}: "),
            (callee, "") => format!("{callee}: "),
            (callee, method) => format!("{callee}, {method}: "),
        }
    }

    fn kind_of_callee(&self) -> &'static str {
        if self.callee == Callee::Host { "host" } else { "plugin" }
    }

    /// Returns the end of the text of [`CallError::MethodNotAvailable`].
    fn older(&self) -> &'static str {
        match self.callee {
            Callee::Host => "the host implements an older one: update the host",
            _ => {
                "the plugin implements an older one: update the plugin, or look for a provider with at least that version"
            }
        }
    }

    fn at(&self) -> String {
        self.location.as_ref().map(|location| format!(" (at {location})")).unwrap_or_default()
    }

    fn trace(&self) -> String {
        self.traceback.as_ref().map(|traceback| format!("\n{traceback}")).unwrap_or_default()
    }
}

/// Returns the details of an error, borrowed as the error is.
macro_rules! failure_of {
    ($error:expr) => {
        match $error {
            CallError::Panic(failure)
            | CallError::Exception(failure)
            | CallError::Failed { failure, .. }
            | CallError::InvalidArgument(failure)
            | CallError::InvalidResult(failure)
            | CallError::TooLarge(failure)
            | CallError::MethodNotAvailable { failure, .. }
            | CallError::Unloaded(failure)
            | CallError::NotFound(failure)
            | CallError::LimitReached(failure)
            | CallError::Deadlock(failure) => failure,
        }
    };
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
            Self::Unloaded(_) => "unloaded",
            Self::NotFound(_) => "not_found",
            Self::LimitReached(_) => "limit_reached",
            Self::Deadlock(_) => "deadlock",
            Self::Failed { .. } => "failed",
        }
    }

    /// Returns the details, which every error has.
    #[must_use]
    pub fn failure(&self) -> &Failure {
        failure_of!(self)
    }

    fn failure_mut(&mut self) -> &mut Failure {
        failure_of!(self)
    }

    /// Returns the bundle that was called, or the host.
    #[must_use]
    pub fn callee(&self) -> &Callee {
        &self.failure().callee
    }

    /// Returns the name of the bundle that was called, or `None` if the callee is the host or not known.
    #[must_use]
    pub fn bundle(&self) -> Option<&str> {
        self.failure().bundle()
    }

    /// Returns the method that was called, with its contract, such as `demo.calculator.add`, or `None` if no method was
    /// called.
    #[must_use]
    pub fn method(&self) -> Option<&str> {
        Some(self.failure().method.as_str()).filter(|method| !method.is_empty())
    }

    /// Returns the name of the contract that was called, without a version, such as `demo.calculator`, or `None` if the
    /// error is not about a contract.
    #[must_use]
    pub fn contract(&self) -> Option<&str> {
        let method = self.method()?;
        match method.split_once('@') {
            // No proxy could be made, so the text is that of the contract.
            Some((contract, _)) => Some(contract),
            None => method.rsplit_once('.').map(|(contract, _)| contract),
        }
    }

    /// Makes the error of a call whose callee's bundle is unloaded. The caller, which knows the method, adds it.
    #[doc(hidden)]
    #[cold]
    #[must_use]
    pub fn unloaded(bundle: &str) -> Self {
        let callee = Callee::Bundle(bundle.to_owned());
        Self::Unloaded(Failure::new(callee, String::new(), format!("the bundle is unloaded{NEW_PROXY}")))
    }

    /// Returns the error as one of a call of `method`, if the error does not have a method.
    #[cold]
    pub(crate) fn of_method(mut self, method: String) -> Self {
        let failure = self.failure_mut();
        if failure.method.is_empty() {
            failure.method = method;
        }
        self
    }

    /// Makes the error that a callee reported for `method`, which exists since `since`.
    ///
    /// `callee` is asked after the message is copied, as it may use the buffer that the message lies in.
    ///
    /// # Safety
    ///
    /// The error's message must be empty or readable.
    #[cold]
    pub(crate) unsafe fn reported(
        callee: impl FnOnce() -> Callee,
        method: String,
        since: Version,
        error: &AbiError,
    ) -> Self {
        // SAFETY: the message is empty or readable (the caller's promise).
        let text = unsafe { message_text(error) };
        let callee = callee();
        let code = AbiErrorCode::from_u32(error.code);
        if code == AbiErrorCode::Unloaded {
            return Self::Unloaded(unloaded_failure(callee, method, &text));
        }
        let failure = Failure::from_text(callee, method, &text);
        match code {
            AbiErrorCode::Panic => Self::Panic(failure),
            AbiErrorCode::Exception => Self::Exception(failure),
            AbiErrorCode::InvalidArgument => Self::InvalidArgument(failure),
            AbiErrorCode::InvalidResult => Self::InvalidResult(failure),
            AbiErrorCode::LimitReached => Self::LimitReached(failure),
            AbiErrorCode::BufferTooSmall | AbiErrorCode::TooDeep => Self::TooLarge(failure),
            AbiErrorCode::FunctionNotAvailable => Self::MethodNotAvailable { since, failure },
            AbiErrorCode::Deadlock => Self::Deadlock(failure),
            _ => Self::Failed { code: error.code, failure },
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
        matches!(self, Self::Unloaded(_))
    }
}

/// The remedy for a proxy whose bundle is unloaded, as the end of a sentence.
pub(crate) const NEW_PROXY: &str = ": make a new proxy after loading it again";

/// Makes the details of a call that was refused with the code `Unloaded`. The text that the host gives may name the
/// bundle, as the callee does.
fn unloaded_failure(callee: Callee, method: String, text: &str) -> Box<Failure> {
    let message = match text.strip_prefix(&format!("{callee} is unloaded")) {
        Some(rest) => format!("the bundle is unloaded{rest}"),
        None => text.to_owned(),
    };
    Failure::new(callee, method, message)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn error(callee: Callee, method: &str, code: AbiErrorCode, text: &'static str) -> CallError {
        let message = polyplug_abi::StringView::from_static(text.as_bytes());
        let error = AbiError { code: code as u32, message };
        // SAFETY: the message is a static text.
        unsafe { CallError::reported(|| callee, method.to_owned(), Version::new(1, 2, 0), &error) }
    }

    #[test]
    fn each_text_begins_with_callee_and_method() {
        let codes = [
            AbiErrorCode::Panic,
            AbiErrorCode::Exception,
            AbiErrorCode::Generic,
            AbiErrorCode::InvalidArgument,
            AbiErrorCode::InvalidResult,
            AbiErrorCode::LimitReached,
            AbiErrorCode::TooDeep,
            AbiErrorCode::FunctionNotAvailable,
            AbiErrorCode::Unloaded,
            AbiErrorCode::Deadlock,
        ];
        for code in codes {
            let of_bundle = error(Callee::Bundle("calc".to_owned()), "demo.calculator.add", code, "no");
            assert!(of_bundle.to_string().starts_with("bundle `calc`, demo.calculator.add: "), "{of_bundle}");
            assert_eq!((of_bundle.bundle(), of_bundle.method()), (Some("calc"), Some("demo.calculator.add")));
            assert_eq!(of_bundle.contract(), Some("demo.calculator"));
            let of_host = error(Callee::Host, "demo.logger.log", code, "no");
            assert!(of_host.to_string().starts_with("the host, demo.logger.log: "), "{of_host}");
            assert_eq!((of_host.bundle(), of_host.callee()), (None, &Callee::Host));
            let of_nobody = error(Callee::Unknown, "demo.logger@1", code, "no");
            assert!(of_nobody.to_string().starts_with("demo.logger@1: "), "{of_nobody}");
            assert_eq!(of_nobody.contract(), Some("demo.logger"));
        }
    }

    #[test]
    fn an_unloaded_bundle_is_named_once() {
        let callee = || Callee::Bundle("calc".to_owned());
        let text = "bundle `calc` is unloaded: make a new proxy after loading it again";
        let reported = error(callee(), "demo.calculator.add", AbiErrorCode::Unloaded, text);
        assert_eq!(reported, CallError::unloaded("calc").of_method("demo.calculator.add".to_owned()));
        assert_eq!(
            reported.to_string(),
            "bundle `calc`, demo.calculator.add: the bundle is unloaded: make a new proxy after loading it again"
        );
        let ended = error(callee(), "demo.calculator.add", AbiErrorCode::Unloaded, "the runtime has ended");
        assert_eq!(ended.to_string(), "bundle `calc`, demo.calculator.add: the runtime has ended");
    }
}
