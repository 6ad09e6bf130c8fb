//! The contract between this program and the module `polyplug.test` of each language.

/// The tests of a test file.
#[polyplug::contract(name = "polyplug.tests", version = "1.0")]
pub(crate) trait Tests {
    /// Returns the tests, in the order in which they run.
    fn cases(&self) -> Vec<Case>;

    /// Returns the settings for the bundle under test, as JSON, if the file has any.
    fn settings(&self) -> Option<String>;

    /// Runs the test with this number.
    fn run(&self, number: u32) -> Outcome;
}

/// A test.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub(crate) struct Case {
    /// The name, with those of the groups that the test is in.
    pub name: String,
    /// The place of the declaration.
    pub place: Option<Place>,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub(crate) struct Place {
    /// The file, relative to the folder of the test files.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

/// The outcome of a test. A test with neither field has passed.
#[derive(Debug, Clone, Default, PartialEq, polyplug::Type)]
pub(crate) struct Outcome {
    /// The reason why the test was not run to its end.
    pub skipped: Option<String>,
    /// The failure.
    pub failure: Option<Failure>,
}

/// The failure of a test.
#[derive(Debug, Clone, Default, PartialEq, polyplug::Type)]
pub(crate) struct Failure {
    /// The message.
    pub message: String,
    /// The line of the test file at which the test failed.
    pub place: Option<Place>,
    /// The expected value and the actual one, each as text of several lines, if the failure is about two values.
    pub values: Option<Values>,
    /// The calls that led to the failure, as text.
    pub trace: Option<String>,
}

/// Two values that should be equal.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub(crate) struct Values {
    /// The expected value.
    pub expected: String,
    /// The actual value.
    pub actual: String,
}
