//! The path to a part of a value, as errors show it.

/// The number of outermost steps that errors show of a long path.
const OUTER: usize = 12;

/// The number of innermost steps that errors show of a long path.
const INNER: usize = 4;

/// Returns the path of these steps, the outermost first: names are joined with dots, and the middle of a path of more
/// than 16 steps is left out. An index is a step such as `[3]`.
#[must_use]
pub fn error_path(steps: &[impl AsRef<str>]) -> String {
    let mut path = String::new();
    for (i, step) in steps.iter().map(AsRef::as_ref).enumerate() {
        if steps.len() > OUTER + INNER && (OUTER..steps.len() - INNER).contains(&i) {
            path.push_str(if i == OUTER { "..." } else { "" });
            continue;
        }
        if i > 0 && !step.starts_with('[') {
            path.push('.');
        }
        path.push_str(step);
    }
    path
}
