//! The end of the interpreter, as the threads that call guests see it.

use std::time::Duration;

use pyo3::prelude::*;

use super::interrupt::interrupt;
use super::record;

/// The time between two looks at the threads that are inside.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// The number of looks between two interrupts of the same thread.
const POLLS_PER_INTERRUPT: u32 = 20;

/// Lets no thread into the interpreter any more, and waits until all threads have left. Threads that run Python code
/// are interrupted with `exception`; other code is waited for.
///
/// The interpreter calls the function twice when it shuts down: first of all, and, with `is_last`, when it has waited
/// for those of its own threads that it waits for. Calls into the host that other threads of its own make after that
/// are not waited for; such threads stay attached.
pub(crate) fn shut_down(py: Python<'_>, exception: &Bound<'_, PyAny>, is_last: bool) {
    record::close(is_last);
    let mut polls = 0_u32;
    loop {
        let idents = record::idents_inside();
        if idents.is_empty() {
            return;
        }
        if polls.is_multiple_of(POLLS_PER_INTERRUPT) {
            idents.into_iter().for_each(|ident| interrupt(ident, exception));
        }
        polls = polls.wrapping_add(1);
        py.detach(|| std::thread::sleep(POLL_INTERVAL));
    }
}
