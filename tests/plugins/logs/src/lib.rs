//! A plugin that writes to its host's log with the crates `tracing` and `log`.

use std::sync::atomic::{AtomicU32, Ordering};

use test_contracts::logs::Logs;

static EVALUATED: AtomicU32 = AtomicU32::new(0);

/// Counts how often the arguments of messages are evaluated.
fn counted() -> u32 {
    EVALUATED.fetch_add(1, Ordering::Relaxed) + 1
}

#[derive(Default)]
struct Writes;

#[polyplug::plugin]
impl Logs for Writes {
    fn event(&self, user: &str) {
        tracing::info!(user, count = 3, "logged in");
        tracing::error!(target: "plugin_logs::special", ready = true);
    }

    fn record(&self, user: &str) {
        log::warn!("{user} is late");
    }

    fn events_on_a_thread(&self, user: &str) {
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                self.event(user);
                self.record(user);
            });
            thread.join().expect("nothing panics here");
        });
    }

    fn in_a_span(&self, user: &str) {
        let _entered = tracing::info_span!("session", user).entered();
        tracing::info!("inside");
    }

    fn evaluated_at_debug(&self) -> u32 {
        EVALUATED.store(0, Ordering::Relaxed);
        tracing::debug!("event {}", counted());
        log::debug!("record");
        EVALUATED.load(Ordering::Relaxed)
    }
}

#[polyplug::on_unload]
fn last() {
    tracing::info!("goodbye");
}
