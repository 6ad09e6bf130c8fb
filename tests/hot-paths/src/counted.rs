//! The measurement: a call is made some times, and then twice as many times, between marks that callgrind sees.

use std::hint::black_box;

/// The number of calls before the first mark: caches of interpreters are filled, and memory is allocated once.
const WARM_UP: u32 = 64;

/// The side that a call is on.
#[derive(Clone, Copy)]
pub(crate) enum Side {
    /// A call through polyplug.
    Ours,
    /// The same by hand.
    Floor,
}

/// Makes `call` `calls` times and then `2 * calls` times. The difference of what the two cost is the cost of `calls`
/// calls, without that of the marks and the loop's start.
pub(crate) fn count<R>(name: &str, side: Side, calls: u32, mut call: impl FnMut() -> R) {
    let side = match side {
        Side::Ours => "ours",
        Side::Floor => "floor",
    };
    println!("{name}\t{side}\t{calls}");
    repeat(WARM_UP.min(calls), &mut call);
    hot_paths_mark();
    repeat(calls, &mut call);
    hot_paths_mark();
    repeat(2 * calls, &mut call);
    hot_paths_mark();
}

/// Repeats a call. A function of its own for each call, which both rounds use.
#[inline(never)]
fn repeat<R>(calls: u32, call: &mut impl FnMut() -> R) {
    for _ in 0..calls {
        black_box(call());
    }
}

/// Ends what callgrind has counted so far: its option `--dump-before` names this function.
// SAFETY: no other library has a function of this name.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn hot_paths_mark() {
    black_box(());
}
