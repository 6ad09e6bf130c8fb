//! The clock of deadlines: nanoseconds since a moment of no meaning.

use std::num::NonZero;

/// What the system's coarse clock may be behind by: a tick of the system, of which there are a hundred a second or more.
#[cfg(any(target_os = "linux", target_os = "android"))]
const TICK: u64 = 10_000_000;

/// Returns the time.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn now() -> NonZero<u64> {
    read(libc::CLOCK_MONOTONIC)
}

/// Returns a time that is not before the time, and up to a tick after it. A look at the coarse clock takes a sixth of one at the
/// exact clock.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn coarse() -> NonZero<u64> {
    read(libc::CLOCK_MONOTONIC_COARSE).saturating_add(TICK)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn read(clock: libc::clockid_t) -> NonZero<u64> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the system writes the time to the address, which is valid. Linux has had both clocks since version 2.6.32.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    #[allow(clippy::cast_sign_loss)] // this clock begins at zero
    let (seconds, nanoseconds) = (time.tv_sec as u64, time.tv_nsec as u64);
    NonZero::<u64>::MIN.saturating_add(seconds * 1_000_000_000 + nanoseconds)
}

/// Returns the time.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn now() -> NonZero<u64> {
    use std::sync::LazyLock;
    use std::time::Instant;

    static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let elapsed = BEGIN.elapsed().as_nanos();
    NonZero::<u64>::MIN.saturating_add(u64::try_from(elapsed).unwrap_or(u64::MAX))
}

/// Returns the time. Other systems have no clock that costs less.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn coarse() -> NonZero<u64> {
    now()
}
