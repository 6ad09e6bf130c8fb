//! The places of functions.

use crate::js::Value;
use crate::state::State;

impl State {
    /// Returns the file and the line where a function begins, or `None` for a function that is not the guest's.
    pub(crate) fn place_of_function(&self, function: &Value) -> Option<String> {
        let js = self.js();
        let read = |name| js.get_named(function, name).inspect_err(|_| self.forget_exception()).ok();
        let file = read(c"fileName").filter(Value::is_string)?.shown().ok()?;
        let line = read(c"lineNumber")?.as_int()?;
        let column = read(c"columnNumber").and_then(|column| column.as_int()).unwrap_or(1);
        let number = |number: i32| u32::try_from(number).unwrap_or(1);
        let (file, line, _) =
            self.sources.place(&file, number(line), number(column)).unwrap_or((file, number(line), 1));
        Some(format!("{file}:{line}"))
    }
}
