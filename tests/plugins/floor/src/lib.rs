//! What a careful author exports by hand: the floor that benchmarks compare with.

pub mod by_hand;

/// The sum.
// SAFETY: the name is this fixture's own.
#[unsafe(no_mangle)]
pub extern "C" fn floor_add(a: i32, b: i32) -> i32 {
    a.wrapping_add(b)
}

/// Greets `name`, as a direct call between Rust crates would. Not by `format!`, whose own cost would hide that of a call.
#[inline(never)]
#[must_use]
pub fn greet(name: &str) -> String {
    let mut text = String::with_capacity("Hello, !".len() + name.len());
    text.push_str("Hello, ");
    text.push_str(name);
    text.push('!');
    text
}

/// The sum of all bytes.
#[inline(never)]
#[must_use]
pub fn sum(data: &[u8]) -> u64 {
    data.iter().map(|byte| u64::from(*byte)).sum()
}
