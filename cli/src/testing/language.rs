//! The languages of test files.

use std::path::Path;

/// A language of test files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Lua,
    Python,
    JavaScript,
}

/// The endings of test files.
const ENDINGS: [(&str, Language); 4] =
    [("lua", Language::Lua), ("py", Language::Python), ("js", Language::JavaScript), ("mjs", Language::JavaScript)];

impl Language {
    /// Returns the language of a file, by the ending of its name.
    pub(crate) fn of(file: &Path) -> Option<Self> {
        let ending = file.extension()?;
        ENDINGS.iter().find(|(known, _)| ending == *known).map(|(_, language)| *language)
    }

    /// Returns the name of the loader.
    pub(crate) fn loader(self) -> &'static str {
        match self {
            Self::Lua => "lua",
            Self::Python => "python",
            Self::JavaScript => "js",
        }
    }

    /// Returns whether this program has the loader.
    pub(crate) fn has_loader(self) -> bool {
        match self {
            Self::Lua => cfg!(feature = "lua"),
            Self::Python => cfg!(feature = "python"),
            Self::JavaScript => cfg!(feature = "js"),
        }
    }

    /// Returns the files of the module `polyplug.test`, each with its path in the test bundle.
    pub(crate) fn module(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Lua => &[("polyplug/test.lua", include_str!("modules/test.lua"))],
            Self::Python => &[
                ("polyplug/__init__.py", ""),
                ("polyplug/test.py", include_str!("modules/test.py")),
                ("polyplug/comparing.py", include_str!("modules/comparing.py")),
            ],
            Self::JavaScript => &[
                ("polyplug/test.js", include_str!("modules/test.js")),
                ("polyplug/values.js", include_str!("modules/values.js")),
            ],
        }
    }

    /// Returns the main file of the test bundle for a test file, and the file's text unless it is the test file itself.
    pub(crate) fn main_file(self, test_file: &str) -> (String, Option<String>) {
        match self {
            // A file of pytest's kind need not import the module, so another file runs it.
            Self::Python => {
                let text = format!("from polyplug.test import _run_file\n\n_run_file({})\n", quoted(test_file));
                ("_polyplug_main.py".to_owned(), Some(text))
            }
            Self::Lua | Self::JavaScript => (test_file.to_owned(), None),
        }
    }

    /// Returns how a test file of the language declares a stand-in for a contract.
    pub(crate) fn stand_in(self, contract: &str) -> String {
        match self {
            Self::Lua => format!("stand_in(\"{contract}\", {{ .. }})"),
            Self::Python => format!("stand_in(\"{contract}\", ..)"),
            Self::JavaScript => format!("standIn(\"{contract}\", {{ .. }})"),
        }
    }

    /// Returns how a test file of the language declares a test.
    pub(crate) fn declaration(self) -> &'static str {
        match self {
            Self::Lua => "test(\"name\", function() .. end) of require(\"polyplug.test\")",
            Self::Python => "functions whose names begin with `test_`",
            Self::JavaScript => "test(\"name\", () => { .. }) of \"polyplug/test\"",
        }
    }
}

/// Returns a text as one of Python: JSON's texts are texts of Python as well.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
