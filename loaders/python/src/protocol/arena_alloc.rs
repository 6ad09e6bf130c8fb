//! `arena_alloc`, the function that gives the bundle's functions memory for their results.

use std::sync::Arc;

use polyplug::engine::Guest;
use polyplug_abi::CallArena;
use pyo3::exceptions::{PyMemoryError, PyOverflowError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;

/// The alignment of the memory, which suffices for every canonical value.
const ALIGN: usize = 16;

/// The object whose only method is the function `arena_alloc` of a bundle.
#[pyclass(frozen)]
struct ArenaAllocator {
    guest: Arc<Guest>,
}

/// Returns the function `arena_alloc` for a bundle.
pub(super) fn arena_alloc(py: Python<'_>, guest: &Arc<Guest>) -> PyResult<Py<PyAny>> {
    let allocator = Bound::new(py, ArenaAllocator { guest: Arc::clone(guest) })?;
    Ok(allocator.getattr(intern!(py, "arena_alloc"))?.unbind())
}

#[pymethods]
impl ArenaAllocator {
    /// Returns the address of `size` bytes in the arena at an address; from the host's allocator if that address is 0.
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
        let address = match arena {
            0 => self.alloc_from_host(size),
            // SAFETY: the protocol obliges the bundle to pass on the address that its function was given. That is an
            // arena which is valid during the call, and which only this call uses.
            arena => unsafe { alloc_from_arena(&mut *std::ptr::with_exposed_provenance_mut(arena), size) },
        };
        if address.is_null() {
            let whose = if arena == 0 { "the host" } else { "the arena" };
            return Err(PyMemoryError::new_err(format!("arena_alloc: {whose} has no room for {size} bytes")));
        }
        Ok(address.expose_provenance())
    }
}

impl ArenaAllocator {
    fn alloc_from_host(&self, size: usize) -> *mut u8 {
        let host = self.guest.host_abi();
        // SAFETY: the guest keeps its host's table, and `self` keeps the guest.
        unsafe { ((*host).alloc)(host, size, ALIGN) }
    }
}

/// Allocates from an arena. In an arena that is nearly full, memory is aligned only as a value of the size can need it.
fn alloc_from_arena(arena: &mut CallArena, size: usize) -> *mut u8 {
    let address = arena.alloc(size, ALIGN);
    if !address.is_null() {
        return address;
    }
    arena.alloc(size, 1 << size.trailing_zeros().min(ALIGN.trailing_zeros()))
}
