//! `arena_alloc`: where functions get the memory from in which their results lie.

use std::sync::Arc;

use polyplug::engine::Guest;
use polyplug_abi::CallArena;
use pyo3::exceptions::{PyMemoryError, PyOverflowError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;

/// How memory is aligned: as any value needs it.
const ALIGN: usize = 16;

/// A bundle's way to memory. Its one method is what functions are given.
#[pyclass(frozen)]
pub(super) struct Memory {
    guest: Arc<Guest>,
}

impl Memory {
    /// The function for a bundle's functions.
    pub(super) fn function(py: Python<'_>, guest: &Arc<Guest>) -> PyResult<Py<PyAny>> {
        let memory = Bound::new(py, Self { guest: Arc::clone(guest) })?;
        Ok(memory.getattr(intern!(py, "arena_alloc"))?.unbind())
    }

    fn of_host(&self, size: usize) -> *mut u8 {
        let host = self.guest.host_abi();
        // SAFETY: the table is there as long as the guest.
        unsafe { ((*host).alloc)(host, size, ALIGN) }
    }
}

#[pymethods]
impl Memory {
    /// The address of so many bytes in the arena at an address, or in memory of the host's where that is 0.
    #[pyo3(signature = (size, arena, /))]
    fn arena_alloc(&self, size: usize, arena: usize) -> PyResult<usize> {
        if isize::try_from(size).is_err() {
            return Err(PyOverflowError::new_err(format!("arena_alloc: {size} bytes are more than there can be")));
        }
        if !arena.is_multiple_of(align_of::<CallArena>()) {
            return Err(PyValueError::new_err(format!("arena_alloc: {arena:#x} is the address of no arena")));
        }
        if size == 0 {
            return Ok(ALIGN);
        }
        let place = match arena {
            0 => self.of_host(size),
            // SAFETY: the bundle passes on the address that its function was given, of an arena that is valid during the
            // call and used by nobody else.
            arena => unsafe { in_arena(&mut *std::ptr::with_exposed_provenance_mut(arena), size) },
        };
        if place.is_null() {
            let whose = if arena == 0 { "the host" } else { "the arena" };
            return Err(PyMemoryError::new_err(format!("arena_alloc: {whose} has no room for {size} bytes")));
        }
        Ok(place.expose_provenance())
    }
}

/// Memory of an arena; where it is nearly full, aligned only as values of the size can need it.
fn in_arena(arena: &mut CallArena, size: usize) -> *mut u8 {
    let place = arena.alloc(size, ALIGN);
    if !place.is_null() {
        return place;
    }
    arena.alloc(size, 1 << size.trailing_zeros().min(ALIGN.trailing_zeros()))
}
