//! The texts by which QuickJS shows the calls on the stack.

use crate::builtin::BUILTIN;

/// A place in a file, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    pub(crate) file: &'a str,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// Returns the place of a call, as in `at add (main.js:3:11)` or `at main.js:3:11`.
pub(crate) fn place(call: &str) -> Option<Place<'_>> {
    let call = call.trim().strip_prefix("at ")?;
    let text = match call.strip_suffix(')') {
        Some(call) => &call[call.rfind('(')? + 1..],
        None => call,
    };
    let (rest, column) = text.rsplit_once(':')?;
    let (file, line) = rest.rsplit_once(':')?;
    Some(Place { file, line: line.parse().ok()?, column: column.parse().ok()? })
}

/// Returns the calls without those of the loader's own programs, or `None` if there are no others.
pub(crate) fn of_guest(stack: &str) -> Option<String> {
    let lines: Vec<_> = stack.lines().filter(|line| !line.trim().is_empty() && !is_builtin(line)).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Returns the place of the innermost call in a file of the guest.
pub(crate) fn innermost(stack: &str) -> Option<Place<'_>> {
    stack.lines().filter(|line| !is_builtin(line)).find_map(place)
}

fn is_builtin(line: &str) -> bool {
    place(line).is_some_and(|place| place.file.starts_with(BUILTIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STACK: &str =
        "    at here (<polyplug>:3:1)\n    at map (native)\n    at add (lib/a.js:3:11)\n    at main.js:9:2\n";

    #[test]
    fn the_place_of_a_call_is_found() {
        let found = |file, line, column| Some(Place { file, line, column });
        assert_eq!(place("    at add (lib/a.js:3:11)"), found("lib/a.js", 3, 11));
        assert_eq!(place("at main.js:9:2"), found("main.js", 9, 2));
        assert_eq!(place("at C:/x/main.js:9:2"), found("C:/x/main.js", 9, 2));
        assert_eq!(place("at map (native)"), None);
        assert_eq!(place("no call"), None);
    }

    #[test]
    fn the_loaders_own_calls_are_left_out() {
        assert_eq!(innermost(STACK).map(|place| place.line), Some(3));
        let shown = of_guest(STACK).unwrap();
        assert!(!shown.contains("polyplug") && shown.contains("at map (native)"), "{shown}");
        assert_eq!(of_guest("\n    at here (<polyplug>:3:1)\n"), None);
    }
}
