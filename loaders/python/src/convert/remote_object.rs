//! Host contracts, peers and objects of other bundles or the host, as Python objects.

use std::mem::ManuallyDrop;
use std::sync::{Arc, Mutex};

use polyplug::engine::{DeclaredCall, Guest, ImportedObject};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::classes::ContractClasses;
use crate::lock::lock;
use crate::suspended_exception::suspend_exception;
use crate::thread;

/// A Python object that stands for a host contract, a peer or an object of the other side of a call. Each contract has
/// a class of its own that inherits from this one and has the contract's methods.
#[pyclass(subclass, frozen)]
pub(super) struct RemoteObject {
    state: RemoteState,
}

/// The fields of a [`RemoteObject`].
pub(super) struct RemoteState {
    pub(super) guest: Arc<Guest>,
    pub(super) classes: Arc<ContractClasses>,
    /// The remote, which the destructor drops on a detached thread.
    remote: ManuallyDrop<ImportedObject>,
    /// The calls that have raised a declared error, by the numbers of their methods.
    declared: Mutex<Vec<(usize, Arc<DeclaredCall>)>>,
}

impl RemoteState {
    pub(super) fn new(guest: &Arc<Guest>, classes: &Arc<ContractClasses>, remote: ImportedObject) -> Self {
        Self {
            guest: Arc::clone(guest),
            classes: Arc::clone(classes),
            remote: ManuallyDrop::new(remote),
            declared: Mutex::default(),
        }
    }

    pub(super) fn remote(&self) -> &ImportedObject {
        &self.remote
    }

    /// Returns the call of the method with this number, which has raised a declared error.
    pub(super) fn declared(&self, method: usize) -> Arc<DeclaredCall> {
        let mut declared = lock(&self.declared);
        if let Some((_, call)) = declared.iter().find(|(known, _)| *known == method) {
            return Arc::clone(call);
        }
        let call = Arc::new(self.remote.declared(method));
        declared.push((method, Arc::clone(&call)));
        call
    }
}

impl Drop for RemoteState {
    fn drop(&mut self) {
        // SAFETY: the field is taken here only, and not used after `drop`.
        let remote = unsafe { ManuallyDrop::take(&mut self.remote) };
        // The remote may own an instance or a bundle whose end takes time and calls others, so the thread is detached.
        // An exception that is being raised here has nothing to do with that end.
        Python::attach(|py| {
            let _suspended = suspend_exception(py);
            thread::detach(py, || drop(remote));
        });
    }
}

/// The argument of a [`RemoteObject`]'s class. Python code cannot make one, so that it cannot make remote objects.
#[pyclass]
pub(super) struct RemoteInit(Option<RemoteState>);

impl RemoteInit {
    pub(super) fn new(state: RemoteState) -> Self {
        Self(Some(state))
    }
}

#[pymethods]
impl RemoteObject {
    #[new]
    fn new(init: &Bound<'_, PyAny>) -> PyResult<Self> {
        let state = init.cast::<RemoteInit>().ok().and_then(|init| init.borrow_mut().0.take());
        let state =
            state.ok_or_else(|| PyTypeError::new_err("these objects come from `host`, `peer` or as arguments"))?;
        Ok(Self { state })
    }

    fn __repr__(&self) -> String {
        format!("<object of {}>", self.state.remote.contract())
    }
}

impl RemoteObject {
    pub(super) fn state(&self) -> &RemoteState {
        &self.state
    }
}

/// Returns the remote for which a value stands; `None` if the value is not a [`RemoteObject`].
pub(super) fn as_remote<'a>(value: &'a Bound<'_, PyAny>) -> Option<&'a ImportedObject> {
    Some(value.cast::<RemoteObject>().ok()?.get().state.remote())
}
