//! A thread that counts as ended when it has been joined.

use std::io;
use std::thread;

/// Runs `work` on a new thread called `name`. Calls `then` with the outcome, on another thread, once the first one has
/// ended with all of its thread-locals.
///
/// Until a thread has ended, destructors of a library's thread-locals may run on it and keep the library mapped. A join
/// waits for them without a limit, so the caller, which has a limit, leaves the join to another thread. That thread runs
/// no code of libraries but `then`.
///
/// # Errors
///
/// The system has no more threads. `work` has not begun then, and is dropped, as is `then`.
pub(crate) fn spawn_joined<R: Send + 'static>(
    name: &'static str,
    work: impl FnOnce() -> R + Send + 'static,
    then: impl FnOnce(thread::Result<R>) + Send + 'static,
) -> io::Result<()> {
    let (begin, begun) = std::sync::mpsc::sync_channel::<thread::JoinHandle<R>>(1);
    thread::Builder::new().name("polyplug-join".to_owned()).spawn(move || {
        // An error if the other thread could not be started.
        if let Ok(worker) = begun.recv() {
            then(worker.join());
        }
    })?;
    let worker = thread::Builder::new().name(name.to_owned()).spawn(work)?;
    let _ = begin.send(worker); // the receiver waits for it
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    thread_local! {
        static LOCAL: std::cell::RefCell<Option<Last>> = const { std::cell::RefCell::new(None) };
    }

    /// Sends a word when it is dropped, after a while.
    struct Last(mpsc::Sender<&'static str>);

    impl Drop for Last {
        fn drop(&mut self) {
            thread::sleep(Duration::from_millis(50));
            let _ = self.0.send("thread-local");
        }
    }

    #[test]
    fn the_outcome_comes_after_the_thread_locals() {
        let (send, seen) = mpsc::channel();
        let (local, then) = (Last(send.clone()), send);
        let work = move || {
            LOCAL.set(Some(local));
            5
        };
        spawn_joined("worker", work, move |outcome| {
            then.send(if outcome.unwrap() == 5 { "outcome" } else { "" }).unwrap()
        })
        .unwrap();
        assert_eq!(seen.iter().collect::<Vec<_>>(), ["thread-local", "outcome"]);
    }

    #[test]
    fn a_panic_is_an_outcome() {
        let (send, seen) = mpsc::channel();
        let work = || -> u32 { std::panic::resume_unwind(Box::new("no")) };
        spawn_joined("worker", work, move |outcome| send.send(outcome.is_err()).unwrap()).unwrap();
        assert_eq!(seen.recv(), Ok(true));
    }
}
