//! The names of a bundle's files in the errors of its code.
//!
//! Many bundles have a `main.lua` or a `main.py`, and the directory that a bundle's code runs from may be a private
//! copy. So errors name a file by its bundle and by its path in the bundle's directory: `metrics/main.lua:14`.

use std::borrow::Cow;
use std::path::{MAIN_SEPARATOR, Path};

/// The beginning of a call in a traceback of JavaScript.
const CALL: &str = "at ";

/// The beginning of a path that an engine has cut, as LuaJIT does with long ones.
const CUT: &str = "...";

/// The names of a bundle's files.
#[derive(Debug, Default)]
pub(crate) struct Places {
    bundle: String,
    /// The directories that the bundle's files are known in, each with a separator at its end.
    directories: Vec<String>,
    /// The directory of the private copy, and the bundle's own directory, if there is a copy.
    copy: Option<(String, String)>,
}

impl Places {
    /// Makes the names of the files of a bundle that runs from `directory`. `own` is the bundle's own directory, which
    /// is another one if `directory` is that of a private copy. A bundle in memory has no directory.
    pub(crate) fn new(bundle: &str, directory: Option<&Path>, own: Option<&Path>) -> Self {
        let mut directories = Vec::new();
        let real = |path: &Path| std::fs::canonicalize(path).ok();
        let mut add = |path: &Path| {
            let text = path.to_string_lossy();
            let text = format!("{}{MAIN_SEPARATOR}", text.trim_end_matches(MAIN_SEPARATOR));
            if !directories.contains(&text) {
                directories.push(text);
            }
        };
        for path in [directory, own.filter(|own| directory != Some(*own))].into_iter().flatten() {
            add(path);
            if let Some(real) = real(path) {
                add(&real);
            }
        }
        // A directory within another one is found first.
        directories.sort_by_key(|directory| std::cmp::Reverse(directory.len()));
        let copy = match (directory, own) {
            (Some(copy), Some(own)) if copy != own => {
                Some((copy.to_string_lossy().into_owned(), own.to_string_lossy().into_owned()))
            }
            _ => None,
        };
        Self { bundle: bundle.to_owned(), directories, copy }
    }

    /// Returns the bundle's name.
    pub(crate) fn bundle(&self) -> &str {
        &self.bundle
    }

    /// Returns the name of a file: `metrics/main.lua` for a file of the bundle, whose path is absolute, relative to the
    /// bundle's directory, or cut at its beginning. Returns other paths, and names that are no paths, as they are.
    pub(crate) fn file(&self, path: &str) -> String {
        if let Some(inside) = self.directories.iter().find_map(|directory| path.strip_prefix(directory.as_str())) {
            return self.inside(inside);
        }
        if let Some(end) = path.strip_prefix(CUT) {
            return match self.directories.iter().find_map(|directory| after_end_of(directory, end)) {
                Some(inside) => self.inside(inside),
                None => self.inside(path),
            };
        }
        // Engines give code without a file names such as `<string>`, `[string "x"]`, `=stdin` and `?`.
        let is_name = path.is_empty() || path.starts_with(['<', '[', '=', '?', '(']);
        if is_name || Path::new(path).is_absolute() { path.to_owned() } else { self.inside(path) }
    }

    /// Returns the name of a place: a file and a line, `main.lua:14`, or a file, a line and a column.
    pub(crate) fn place(&self, place: &str) -> String {
        match split_line(place) {
            Some((file, rest)) => format!("{}{rest}", self.file(file)),
            None => place.to_owned(),
        }
    }

    /// Returns a traceback with the names of files: in a line that begins with a place, as Lua and others write them,
    /// and where a line has the path of a file, as Python writes them.
    pub(crate) fn traceback(&self, text: &str) -> String {
        let lines = text.split('\n').map(|line| {
            let start = line.len() - line.trim_start().len();
            if let Some(call) = line[start..].strip_prefix(CALL) {
                return format!("{}{CALL}{}", &line[..start], self.call(call));
            }
            match split_line(&line[start..]) {
                Some((file, rest)) if is_frame(file, rest) => {
                    let rest = match rest.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
                        // A function without a name: `main.lua:3: in function <main.lua:2>`.
                        Some((before, function)) => format!("{before}<{}>", self.place(function)),
                        None => rest.to_owned(),
                    };
                    format!("{}{}{rest}", &line[..start], self.file(file))
                }
                _ => self.directories.iter().fold(line.to_owned(), |line, directory| {
                    if line.contains(directory.as_str()) { line.replace(directory, &self.inside("")) } else { line }
                }),
            }
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Returns a call as JavaScript writes it, `add (main.js:3:5)` or `main.js:3:5`, with the name of the file.
    fn call(&self, call: &str) -> String {
        match call.strip_suffix(')').and_then(|call| call.rsplit_once('(')) {
            Some((function, place)) => format!("{function}({})", self.place(place)),
            None => self.place(call),
        }
    }

    /// Returns a message, in which paths of the private copy are those of the bundle's own directory.
    pub(crate) fn message<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match &self.copy {
            Some((copy, own)) if text.contains(copy) => Cow::Owned(text.replace(copy, own)),
            _ => Cow::Borrowed(text),
        }
    }

    fn inside(&self, path: &str) -> String {
        format!("{}/{}", self.bundle, path.replace(MAIN_SEPARATOR, "/"))
    }
}

/// Splits a place into its file, and the rest with the line: `:14` of `main.lua:14`.
fn split_line(text: &str) -> Option<(&str, &str)> {
    // A path of Windows has a colon after the drive.
    text.char_indices().filter(|(at, letter)| *letter == ':' && *at > 0).find_map(|(at, _)| {
        let is_line = text[at + 1..].starts_with(|letter: char| letter.is_ascii_digit());
        is_line.then(|| text.split_at(at))
    })
}

/// Returns whether a line of a traceback is a call in a file, `main.lua:3: in function 'f'`, and not a line of code.
fn is_frame(file: &str, rest: &str) -> bool {
    let is_path = !file.contains(|letter: char| letter.is_whitespace() || "()[]{}\"'=,;".contains(letter));
    let numbers = |letter: char| letter.is_ascii_digit() || letter == ':';
    is_path
        && rest.trim_start_matches(numbers).starts_with(' ')
        && rest.split_once(' ').is_some_and(|(line, _)| line.ends_with(':'))
}

/// Returns the part of `end` that follows the directory, where `end` is the end of a path whose beginning was cut
/// within `directory`.
fn after_end_of<'a>(directory: &str, end: &'a str) -> Option<&'a str> {
    let starts = directory.char_indices().map(|(at, _)| at);
    // The separator alone does not show that the path leads into this directory.
    let mut starts = starts.filter(|at| at + 1 < directory.len());
    starts.find_map(|at| end.strip_prefix(&directory[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns `text` with its paths as this system writes them.
    fn native(text: &str) -> String {
        if !cfg!(windows) {
            return text.to_owned();
        }
        let roots = ["/tmp/", "/plugins/", "/usr/"];
        let text = roots.iter().fold(text.to_owned(), |text, root| text.replace(root, &format!("C:{root}")));
        text.replace('/', "\\")
    }

    fn places() -> Places {
        let (copy, own) = (native("/tmp/polyplug/17"), native("/plugins/metrics-lua"));
        Places::new("metrics", Some(copy.as_ref()), Some(own.as_ref()))
    }

    #[test]
    fn a_file_has_its_bundle_before_it() {
        for path in [
            "main.lua",
            "/tmp/polyplug/17/main.lua",
            "/plugins/metrics-lua/main.lua",
            "...ns/metrics-lua/main.lua",
            "...polyplug/17/main.lua",
        ]
        .map(native)
        {
            let path = &*path;
            assert_eq!(places().file(path), "metrics/main.lua", "{path}");
            assert_eq!(places().place(&format!("{path}:14:3")), "metrics/main.lua:14:3", "{path}");
        }
        assert_eq!(places().file(&native("lib/a.lua")), "metrics/lib/a.lua");
        assert_eq!(places().file(&native(".../b/c.lua")), "metrics/.../b/c.lua");
        for other in ["/usr/lib/python3/json.py", "<string>", "[string \"x\"]", "=stdin", "", "/plugins/metrics-lua2/x"]
        {
            let other = native(other);
            assert_eq!(places().file(&other), other);
        }
        assert_eq!(Places::new("mem", None, None).place("main.py:3"), "mem/main.py:3");
        assert_eq!(places().place("somewhere"), "somewhere");
    }

    #[test]
    fn a_traceback_names_files_in_each_line() {
        let lua = "stack traceback:\n\tmain.lua:3: in function 'f'\n\t[C]: in function 'pcall'\n\t...ics-lua/a.lua:7: in function <...ics-lua/a.lua:2>";
        let shown = "stack traceback:\n\tmetrics/main.lua:3: in function 'f'\n\t[C]: in function 'pcall'\n\tmetrics/a.lua:7: in function <metrics/a.lua:2>";
        assert_eq!(places().traceback(&native(lua)), shown);
        let python = "  File \"/tmp/polyplug/17/main.py\", line 7, in f\n    x=y[1:2:3]; {1:2}\nValueError: 3:4";
        let shown = "  File \"metrics/main.py\", line 7, in f\n    x=y[1:2:3]; {1:2}\nValueError: 3:4";
        assert_eq!(places().traceback(&native(python)), shown);
        let js =
            "    at fail (lib/a.js:3:5)\n    at map (native)\n    at <anonymous> (main.js:9:2)\n    at main.js:1:1";
        let shown = "    at fail (metrics/lib/a.js:3:5)\n    at map (native)\n    at <anonymous> (metrics/main.js:9:2)\n    at metrics/main.js:1:1";
        assert_eq!(places().traceback(&native(js)), shown);
    }

    #[test]
    fn a_message_has_the_bundles_own_directory() {
        let text = native("no file /tmp/polyplug/17/data.txt");
        assert_eq!(places().message(&text), native("no file /plugins/metrics-lua/data.txt"));
        assert_eq!(places().message("no file x"), "no file x");
    }
}
