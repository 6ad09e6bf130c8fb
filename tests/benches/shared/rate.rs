//! The rate of calls by several threads at once.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The number of measurements, of which the best one counts: on a busy machine the others have waited.
pub(crate) const BEST_OF: usize = 7;

/// Returns the number of calls a second that `threads` threads make together. Each passes its number to `call`.
pub(crate) fn rate(threads: usize, call: &(dyn Fn(usize) + Sync)) -> f64 {
    let measure = || {
        let (stop, barrier) = (AtomicBool::new(false), Barrier::new(threads + 1));
        thread::scope(|scope| {
            let callers: Vec<_> = (0..threads)
                .map(|number| {
                    let (stop, barrier) = (&stop, &barrier);
                    scope.spawn(move || {
                        barrier.wait();
                        let mut count = 0u64;
                        while !stop.load(Ordering::Relaxed) {
                            for _ in 0..16 {
                                call(number);
                            }
                            count += 16;
                        }
                        count
                    })
                })
                .collect();
            barrier.wait();
            let start = Instant::now();
            thread::sleep(Duration::from_millis(200));
            stop.store(true, Ordering::Relaxed);
            let count: u64 = callers.into_iter().map(|caller| caller.join().expect("no call panics")).sum();
            count as f64 / start.elapsed().as_secs_f64()
        })
    };
    (0..BEST_OF).map(|_| measure()).fold(0.0, f64::max)
}
