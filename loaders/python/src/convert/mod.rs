//! Conversion of values between Python and canonical memory.
//!
//! - `describe`: [`describe_value`] shows a value in errors.
//! - `converter`: [`ValueConverter`], the classes and the bundle with which one contract's values are converted.
//! - `remote_object`: `RemoteObject`, a Python object that stands for a host contract, a peer or an object.
//! - `remote_method`: `RemoteMethod`, a method of a remote object.
//! - `raised_by`: `RaisedBy`, the account of a declared error that a call has raised.
//! - `remote_class`: [`wrap_remote`] makes a remote object of the class with its contract's methods.
//! - `build`: from canonical memory to Python.
//! - `fields`: the fields of records and cases, in objects, mappings and tuples.
//! - `read`: from Python to canonical memory.
//!
//! Invariant: a converter follows the plan of its contract, whose classes and names are made before. Python's own
//! integers, floats, strings and lists are read and built without calling Python code.

mod build;
mod converter;
mod describe;
mod fields;
mod raised_by;
mod read;
mod remote_class;
mod remote_method;
mod remote_object;

pub(crate) use converter::ValueConverter;
pub(crate) use describe::describe_value;
pub(crate) use remote_class::wrap_remote;
