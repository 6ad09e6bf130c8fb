//! Batches of calls in turns, and their times. Also compiled into tests/comparison.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// The number of batches of each side.
pub const ROUNDS: usize = 61;

/// The duration of a batch: long enough for the clock, short enough for many rounds.
const BATCH: Duration = Duration::from_millis(2);

/// Does what is measured so many times.
pub type Batch<'a> = Box<dyn FnMut(u32) + 'a>;

/// Makes a batch that calls `body`. The loop is a function of its own, so that other values in registers cost nothing.
pub fn repeated<'a, R>(mut body: impl FnMut() -> R + 'a) -> Batch<'a> {
    Box::new(move |count| {
        for _ in 0..count {
            black_box(body());
        }
    })
}

/// Runs the batches in turns, one of each after the other, so that a machine that changes its speed does so for all. Returns
/// the median time of one call of each, in nanoseconds.
pub fn medians<'a, 'b: 'a>(batches: impl IntoIterator<Item = &'a mut Batch<'b>>) -> Vec<f64> {
    let mut batches: Vec<_> = batches.into_iter().map(|batch| (calibrate(batch), batch, Vec::new())).collect();
    for _ in 0..ROUNDS {
        for (count, batch, times) in &mut batches {
            times.push(time(batch, *count).as_secs_f64() * 1e9 / f64::from(*count));
        }
    }
    batches.into_iter().map(|(.., times)| median(times)).collect()
}

/// Returns the number of calls that fill a batch; one, where one takes longer.
fn calibrate(batch: &mut Batch<'_>) -> u32 {
    let mut count = 1u32;
    loop {
        let taken = time(batch, count);
        if taken * 4 >= BATCH || count >= 1 << 24 {
            let scale = BATCH.as_secs_f64() / taken.as_secs_f64().max(1e-9);
            return ((f64::from(count) * scale) as u32).max(1);
        }
        count *= 2;
    }
}

fn time(batch: &mut Batch<'_>, count: u32) -> Duration {
    let start = Instant::now();
    batch(count);
    start.elapsed()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
