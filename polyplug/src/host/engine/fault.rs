//! What goes wrong in a guest, in one form for all engines.

use std::borrow::Cow;
use std::fmt;

use polyplug_abi::AbiErrorCode;

use super::lock::WouldDeadlock;
use crate::call_error::{CallError, Failure, LOCATION_MARK, TRACEBACK_MARK};
use crate::host::marshal::located::Located;
use crate::types::LiftError;

/// Why an engine could not do what it was asked to.
// Boxed: the ways on which nothing goes wrong should not pay for its size.
#[derive(Debug)]
pub struct Fault(Box<Kind>);

#[derive(Debug)]
enum Kind {
    /// A value is none of its type.
    Value { error: LiftError, is_result: bool },
    /// The guest's language raised an exception.
    Exception(Exception),
    /// The guest called somebody, and that failed.
    Call(CallError),
    /// A limit of time or memory was reached.
    Limit(String),
    /// Waiting would never end.
    Deadlock(WouldDeadlock),
    /// The guest's own start-up says so, with a code.
    Reported(u32, String),
}

/// An exception of a guest's language.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exception {
    /// What it says, with its type where the language has types of exceptions: `ZeroDivisionError: division by zero`.
    pub message: String,
    /// File and line, where known.
    pub location: Option<String>,
    /// The calls it came through, where known.
    pub traceback: Option<String>,
}

impl Fault {
    /// An exception without more than a message.
    #[cold]
    #[must_use]
    pub fn new(message: impl fmt::Display) -> Self {
        Exception { message: message.to_string(), ..Exception::default() }.into()
    }

    /// A limit was reached: what the bundle may have, and what it would need.
    #[cold]
    #[must_use]
    pub fn limit(message: impl fmt::Display) -> Self {
        Self(Box::new(Kind::Limit(message.to_string())))
    }

    /// A bundle's own start-up failed, and says so by a code: for loaders of bundles that have a `polyplug_init`.
    #[cold]
    #[must_use]
    pub fn reported(code: u32, message: impl fmt::Display) -> Self {
        Self(Box::new(Kind::Reported(code, message.to_string())))
    }

    /// The code that was reported, if one was.
    pub(crate) fn reported_code(&self) -> u32 {
        match &*self.0 {
            Kind::Reported(code, _) => *code,
            _ => AbiErrorCode::Generic as u32,
        }
    }

    /// The error of a call that the guest made, where it is one.
    ///
    /// # Errors
    ///
    /// It is none, and is returned as it is.
    pub fn into_call_error(self) -> Result<CallError, Self> {
        match *self.0 {
            Kind::Call(error) => Ok(error),
            other => Err(Self(Box::new(other))),
        }
    }

    /// The fault as one of what the guest returned, where it is about a value.
    #[must_use]
    pub(crate) fn of_result(mut self) -> Self {
        if let Kind::Value { is_result, .. } = &mut *self.0 {
            *is_result = true;
        }
        self
    }

    /// The fault as one of a call that the guest made, where it is about a value: of the guest's own method it says
    /// nothing. `wrong` is what the call's error is.
    #[must_use]
    pub(crate) fn of_call(self, method: String, wrong: fn(Box<Failure>) -> CallError) -> Self {
        let Kind::Value { error, .. } = *self.0 else { return self };
        let failure = Failure::new(method, error.to_string());
        if error.is_limit() { CallError::TooLarge(failure) } else { wrong(failure) }.into()
    }

    /// How a call says so.
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

    /// The text that goes with the code. Where it happened stands behind marks.
    pub(crate) fn text(&self) -> String {
        let Kind::Exception(exception) = &*self.0 else { return self.to_string() };
        let mut text = exception.message.clone();
        for (mark, part) in [(LOCATION_MARK, &exception.location), (TRACEBACK_MARK, &exception.traceback)] {
            if let Some(part) = part {
                text.push_str(mark);
                text.push_str(part);
            }
        }
        text
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Value { error, .. } => write!(f, "{error}"),
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
            Kind::Value { error, is_result } => Kind::Value { error: error.within(name), is_result },
            other => other,
        });
        self
    }

    fn at(mut self, index: usize) -> Self {
        self.0 = Box::new(match *self.0 {
            Kind::Value { error, is_result } => Kind::Value { error: error.at(index), is_result },
            other => other,
        });
        self
    }
}

impl From<LiftError> for Fault {
    #[cold]
    fn from(error: LiftError) -> Self {
        Self(Box::new(Kind::Value { error, is_result: false }))
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
