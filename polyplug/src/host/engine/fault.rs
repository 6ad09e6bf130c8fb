//! The faults of guests, in one type for all engines.

use std::borrow::Cow;
use std::fmt;

use polyplug_abi::AbiErrorCode;

use super::places::Places;
use crate::call_error::{CallError, Callee, Failure};
use crate::error_text::Parts;
use crate::guest::catch;
use crate::host::marshal::located::Located;
use crate::host::waits::WouldDeadlock;
use crate::types::LiftError;

/// A reason why an engine could not do what it was asked to.
// Boxed, so that a result without a fault stays small.
#[derive(Debug)]
pub struct Fault(Box<Kind>);

#[derive(Debug)]
enum Kind {
    /// A value that does not have its type.
    Value { error: LiftError, is_result: bool, location: Option<String> },
    /// An exception that the guest's language raised.
    Exception(Exception),
    /// The error of a call that the guest made.
    Call(CallError),
    /// A limit of time or memory that was reached.
    Limit(String),
    /// A wait that would never end.
    Deadlock(WouldDeadlock),
    /// A failure that the guest's own start-up reports, with a code.
    Reported(u32, String),
}

/// An exception of a guest's language.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exception {
    /// The message, with the type of the exception if the language has types of exceptions, such as
    /// `ZeroDivisionError: division by zero`.
    pub message: String,
    /// The file and line, if known.
    pub location: Option<String>,
    /// The calls that the exception passed through, if known.
    pub traceback: Option<String>,
}

impl Fault {
    /// Makes an exception with nothing but a message.
    #[cold]
    #[must_use]
    pub fn new(message: impl fmt::Display) -> Self {
        Exception { message: message.to_string(), ..Exception::default() }.into()
    }

    /// Makes the fault of a limit that was reached. The message says what the limit is, and what would exceed it.
    #[cold]
    #[must_use]
    pub fn limit(message: impl fmt::Display) -> Self {
        Self(Box::new(Kind::Limit(message.to_string())))
    }

    /// Makes the fault of a start-up that reports a code, for loaders of bundles that have a `polyplug_init`.
    #[cold]
    #[must_use]
    pub fn reported(code: u32, message: impl fmt::Display) -> Self {
        Self(Box::new(Kind::Reported(code, message.to_string())))
    }

    /// Returns the code that the start-up reported, or the code `Generic` for other faults.
    pub(crate) fn reported_code(&self) -> u32 {
        match &*self.0 {
            Kind::Reported(code, _) => *code,
            _ => AbiErrorCode::Generic as u32,
        }
    }

    /// Returns the error of a call that the guest made.
    ///
    /// # Errors
    ///
    /// The fault itself, if it is not the error of a call.
    pub fn into_call_error(self) -> Result<CallError, Self> {
        match *self.0 {
            Kind::Call(error) => Ok(error),
            other => Err(Self(Box::new(other))),
        }
    }

    /// Marks a fault about a value as a fault about the guest's result. Returns other faults unchanged.
    #[must_use]
    pub(crate) fn of_result(mut self) -> Self {
        if let Kind::Value { is_result, .. } = &mut *self.0 {
            *is_result = true;
        }
        self
    }

    /// Adds the place of the function that returned the value to a fault about a result. Returns other faults
    /// unchanged.
    #[cold]
    #[must_use]
    pub(crate) fn returned_at(mut self, place: impl FnOnce() -> Option<String>) -> Self {
        if let Kind::Value { is_result: true, location, .. } = &mut *self.0 {
            // The fault is worth more than its place.
            *location = catch(place).unwrap_or_default();
        }
        self
    }

    /// Turns a fault about a value into the error of a call that the guest made, for the guest's own method is not at
    /// fault. `wrong` makes the error of that call. Returns other faults unchanged.
    #[must_use]
    pub(crate) fn of_call(self, callee: Callee, method: String, wrong: fn(Box<Failure>) -> CallError) -> Self {
        let Kind::Value { error, .. } = *self.0 else { return self };
        let failure = Failure::new(callee, method, error.to_string());
        if error.is_limit() { CallError::TooLarge(failure) } else { wrong(failure) }.into()
    }

    /// Returns the code with which a call reports the fault.
    pub(crate) fn code(&self) -> AbiErrorCode {
        match &*self.0 {
            Kind::Value { error, .. } if error.is_limit() => AbiErrorCode::TooDeep,
            Kind::Value { is_result: true, .. } => AbiErrorCode::InvalidResult,
            Kind::Value { .. } => AbiErrorCode::InvalidArgument,
            Kind::Exception(_) => AbiErrorCode::Exception,
            Kind::Call(error) => match error.code() {
                AbiErrorCode::Generic => AbiErrorCode::Exception,
                code => code,
            },
            Kind::Limit(_) => AbiErrorCode::LimitReached,
            Kind::Deadlock(_) => AbiErrorCode::Deadlock,
            Kind::Reported(code, _) => AbiErrorCode::from_u32(*code),
        }
    }

    /// Returns the text that goes with the code. Location and traceback follow after marks, with the names that
    /// `places` gives to files. The text is bounded.
    pub(crate) fn text(&self, places: &Places) -> String {
        let Exception { message, location, traceback } = self.named(places);
        Parts { message: &message, location: location.as_deref(), traceback: traceback.as_deref() }.join()
    }

    /// Returns the text of a fault for readers, with the names that `places` gives to files.
    pub(crate) fn describe(&self, places: &Places) -> String {
        let Exception { message, location, traceback } = self.named(places);
        // Cuts each part by itself, so that the location stays.
        let text = Parts { message: &message, location: location.as_deref(), traceback: traceback.as_deref() }.join();
        let Parts { message, location, traceback } = Parts::of(&text);
        let owned = |part: Option<&str>| part.map(str::to_owned);
        let (location, traceback) = (owned(location), owned(traceback));
        Self::from(Exception { message: message.to_owned(), location, traceback }).to_string()
    }

    /// Returns message, location and traceback, with the names that `places` gives to files.
    fn named(&self, places: &Places) -> Exception {
        match &*self.0 {
            Kind::Exception(Exception { message, location, traceback }) => Exception {
                message: places.message(message).into_owned(),
                location: location.as_deref().map(|location| places.place(location)),
                traceback: traceback.as_deref().map(|traceback| places.traceback(traceback)),
            },
            Kind::Value { error, location, .. } => Exception {
                message: error.to_string(),
                location: location.as_deref().map(|location| places.place(location)),
                traceback: None,
            },
            _ => Exception { message: places.message(&self.to_string()).into_owned(), ..Exception::default() },
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Value { error, location: None, .. } => write!(f, "{error}"),
            Kind::Value { error, location: Some(location), .. } => write!(f, "{error} (at {location})"),
            Kind::Call(error) => write!(f, "{error}"),
            Kind::Limit(message) | Kind::Reported(_, message) => f.write_str(message),
            Kind::Deadlock(error) => write!(f, "{error}"),
            Kind::Exception(exception) => {
                f.write_str(&exception.message)?;
                if let Some(location) = &exception.location {
                    write!(f, " (at {location})")?;
                }
                if let Some(traceback) = &exception.traceback {
                    write!(f, "\n{traceback}")?;
                }
                Ok(())
            }
        }
    }
}

impl Located for Fault {
    fn within(mut self, name: Cow<'static, str>) -> Self {
        self.0 = Box::new(match *self.0 {
            Kind::Value { error, is_result, location } => {
                Kind::Value { error: error.within(name), is_result, location }
            }
            other => other,
        });
        self
    }

    fn at(mut self, index: usize) -> Self {
        self.0 = Box::new(match *self.0 {
            Kind::Value { error, is_result, location } => Kind::Value { error: error.at(index), is_result, location },
            other => other,
        });
        self
    }
}

impl From<LiftError> for Fault {
    #[cold]
    fn from(error: LiftError) -> Self {
        Self(Box::new(Kind::Value { error, is_result: false, location: None }))
    }
}

impl From<Exception> for Fault {
    #[cold]
    fn from(exception: Exception) -> Self {
        Self(Box::new(Kind::Exception(exception)))
    }
}

impl From<CallError> for Fault {
    #[cold]
    fn from(error: CallError) -> Self {
        Self(Box::new(Kind::Call(error)))
    }
}

impl From<WouldDeadlock> for Fault {
    #[cold]
    fn from(error: WouldDeadlock) -> Self {
        Self(Box::new(Kind::Deadlock(error)))
    }
}
