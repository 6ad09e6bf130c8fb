//! The faults that the bridge sends.

use polyplug::CallError;
use polyplug::engine::{Exception, Fault, IncomingCall};
use polyplug::types::LiftError;

use crate::wire::{Reader, Writer};

/// An exception of the bundle's code.
const EXCEPTION: u8 = 1;
/// A value that does not have its type.
const VALUE: u8 = 2;
/// The error of a call that the bundle's code made.
const CALL: u8 = 3;

/// Reads the fault of a call, or of something else.
pub(crate) fn read(sent: &[u8], call: Option<&IncomingCall<'_>>) -> Fault {
    decode(sent, call).unwrap_or_else(|fault| fault)
}

fn decode(sent: &[u8], call: Option<&IncomingCall<'_>>) -> Result<Fault, Fault> {
    let mut from = Reader::new(sent);
    Ok(match from.byte()? {
        EXCEPTION => {
            let (message, location) = (from.text()?, from.optional_text()?);
            Exception { message, location, traceback: from.optional_text()? }.into()
        }
        VALUE => {
            let stage = from.i32()?;
            let fault = Fault::from(value(&mut from)?);
            match (call, usize::try_from(stage)) {
                (Some(call), Ok(argument)) => call.wrong_argument(argument, fault),
                (Some(call), Err(_)) => call.wrong_result(fault),
                (None, _) => fault,
            }
        }
        CALL => {
            let address = from.i64()? as *const CallError;
            // SAFETY: `call_error` made the address, and the bridge keeps the error until it has sent the fault, on the
            // stack of whose call this runs.
            unsafe { CallError::clone(&*address) }.into()
        }
        other => Fault::new(format_args!("the bridge sent a fault of the unknown kind {other}")),
    })
}

/// Reads the fault of a value: the steps to it, innermost first, and the reason.
pub(crate) fn value(from: &mut Reader<'_>) -> Result<LiftError, Fault> {
    enum Step {
        Name(String),
        Index(usize),
    }
    let is_limit = from.bool()?;
    let count = from.count()?;
    let steps = (0..count)
        .map(|_| Ok(if from.bool()? { Step::Name(from.text()?) } else { Step::Index(from.count()?) }))
        .collect::<Result<Vec<_>, Fault>>()?;
    let reason = from.text()?;
    let error = if is_limit { LiftError::limit(reason) } else { LiftError::new(reason) };
    Ok(steps.into_iter().fold(error, |error, step| match step {
        Step::Name(name) => error.within(name),
        Step::Index(index) => error.at(index),
    }))
}

/// Returns the description of an error that a call of the bundle's code got. The bridge owns the error, and releases it
/// with `drop_error`.
pub(crate) fn call_error(error: CallError) -> Vec<u8> {
    let mut to = Writer::default();
    to.text(&error.to_string());
    let failure = error.failure();
    let (kind, bundle, location) = (error.kind(), error.bundle(), failure.location.as_deref());
    let own = Box::into_raw(Box::new(error.clone()));
    to.i64(own as i64);
    to.text(kind);
    to.optional_text(bundle);
    to.optional_text(error.contract());
    to.optional_text(error.method());
    to.optional_text(location);
    to.into_bytes()
}
