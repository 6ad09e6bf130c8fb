//! The report of the tests as JUnit XML, which services for continuous integration read.

use std::fmt::Write as _;

use super::contract::Failure;
use super::report::{FileReport, Status, TestReport, shown};

/// Returns the report. Each test file is a test suite.
pub(crate) fn xml(bundle: &str, files: &[FileReport]) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let total: Counts = files.iter().map(Counts::of).fold(Counts::default(), Counts::plus);
    let _ = writeln!(xml, "<testsuites name=\"{}\" {}>", escaped(bundle), total.attributes());
    for file in files {
        let _ = writeln!(xml, "  <testsuite name=\"{}\" {}>", escaped(&file.file), Counts::of(file).attributes());
        for test in &file.tests {
            case(&mut xml, &file.file, test);
        }
        if let Some(error) = &file.error {
            let name = escaped(&file.file);
            let _ = writeln!(xml, "    <testcase name=\"{name}\" classname=\"{name}\" time=\"0\">");
            let message = escaped(error.lines().next().unwrap_or_default());
            let _ = writeln!(xml, "      <error message=\"{message}\">{}</error>", escaped(error));
            xml += "    </testcase>\n";
        }
        xml += "  </testsuite>\n";
    }
    xml + "</testsuites>\n"
}

/// Writes the element of a test.
fn case(xml: &mut String, file: &str, test: &TestReport) {
    let (name, class, time) = (escaped(&test.name), escaped(file), test.time.as_secs_f64());
    let _ = write!(xml, "    <testcase name=\"{name}\" classname=\"{class}\" file=\"{class}\"");
    if let Some(place) = &test.place {
        let _ = write!(xml, " line=\"{}\"", place.line);
    }
    let _ = write!(xml, " time=\"{time:.6}\"");
    match &test.status {
        Status::Passed => *xml += "/>\n",
        Status::Skipped(reason) => {
            let _ = writeln!(xml, ">\n      <skipped message=\"{}\"/>\n    </testcase>", escaped(reason));
        }
        Status::Failed(failure) => {
            let message = escaped(failure.message.lines().next().unwrap_or_default());
            let details = escaped(&details(failure));
            let _ = writeln!(xml, ">\n      <failure message=\"{message}\">{details}</failure>");
            if !test.log.is_empty() {
                let _ = writeln!(xml, "      <system-out>{}</system-out>", escaped(&test.log.join("\n")));
            }
            *xml += "    </testcase>\n";
        }
    }
}

/// Returns the text of a failure.
fn details(failure: &Failure) -> String {
    let mut text = failure.message.clone();
    if let Some(place) = &failure.place {
        text += &format!("\nat {}", shown(place));
    }
    if let Some(values) = &failure.values {
        text += &format!("\nexpected: {}\nactual: {}", values.expected, values.actual);
    }
    if let Some(trace) = &failure.trace {
        text += &format!("\n{trace}");
    }
    text
}

/// The numbers in the attributes of a test suite.
#[derive(Default)]
struct Counts {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
    seconds: f64,
}

impl Counts {
    fn of(file: &FileReport) -> Self {
        let count = |matches: fn(&Status) -> bool| file.tests.iter().filter(|test| matches(&test.status)).count();
        let errors = usize::from(file.error.is_some());
        Self {
            tests: file.tests.len() + errors,
            failures: count(|status| matches!(status, Status::Failed(_))),
            errors,
            skipped: count(|status| matches!(status, Status::Skipped(_))),
            seconds: file.tests.iter().map(|test| test.time.as_secs_f64()).sum(),
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            tests: self.tests + other.tests,
            failures: self.failures + other.failures,
            errors: self.errors + other.errors,
            skipped: self.skipped + other.skipped,
            seconds: self.seconds + other.seconds,
        }
    }

    fn attributes(&self) -> String {
        let Self { tests, failures, errors, skipped, seconds } = self;
        format!(
            "tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\" time=\"{seconds:.6}\""
        )
    }
}

/// Escapes a text for an element or an attribute. Characters that XML 1.0 does not have become U+FFFD.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '&' => escaped += "&amp;",
            '"' => escaped += "&quot;",
            '\n' => escaped += "&#10;",
            '\t' => escaped += "&#9;",
            '\r' => escaped += "&#13;",
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped() {
        assert_eq!(escaped("a<b> & \"c\"\n\u{1b}[0m"), "a&lt;b&gt; &amp; &quot;c&quot;&#10;\u{fffd}[0m");
    }
}
