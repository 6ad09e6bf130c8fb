//! The counts that are kept, and the comparison with new ones.

use std::fmt;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::callgrind::{Count, Counts};
use super::tools::Tools;

/// The share by which a count may grow.
const TOLERANCE: f64 = 0.03;

/// Returns the file of the kept counts.
#[must_use]
pub fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions.toml")
}

/// The counts that are kept, and the tools that they were counted with.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    /// The tools.
    pub tools: Tools,
    /// The counts.
    pub counts: Counts,
}

/// What is amiss with one call.
#[derive(Debug, Clone, PartialEq)]
pub enum Difference {
    /// The call takes more instructions than are kept, by more than 3 %.
    Grown {
        /// The call.
        call: String,
        /// The kept count.
        before: f64,
        /// The new one.
        now: f64,
    },
    /// There is no kept count.
    New {
        /// The call.
        call: String,
        /// Its count.
        now: f64,
    },
    /// There is a kept count, but the call is not counted any more.
    Gone {
        /// The call.
        call: String,
    },
    /// The kept count is of other tools, so it is not compared.
    OtherTools {
        /// The call.
        call: String,
        /// The tools, with both versions.
        tools: Vec<String>,
    },
}

impl Difference {
    /// Returns whether the test fails by it.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        !matches!(self, Self::OtherTools { .. })
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grown { call, before, now } => {
                let percent = (now / before - 1.0) * 100.0;
                write!(f, "`{call}` takes {now:.1} instructions, {before:.1} before: {percent:.1} % more")
            }
            Self::New { call, now } => write!(f, "`{call}` takes {now:.1} instructions, and no count of it is kept"),
            Self::Gone { call } => write!(f, "`{call}` has a kept count, but is not counted any more"),
            Self::OtherTools { call, tools } => write!(f, "`{call}` is not compared: {}", tools.join(", ")),
        }
    }
}

impl Baseline {
    /// Reads a file that [`to_toml`](Self::to_toml) has made.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Self, String> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
        let section = |name: &str| {
            let section = table.get(name).and_then(Value::as_table);
            section.ok_or_else(|| format!("the table `{name}` is missing"))
        };
        let tools = section("tools")?.iter().map(|(tool, version)| {
            let version = version.as_str().ok_or_else(|| format!("`tools.{tool}` is no text"))?;
            Ok((tool.clone(), version.to_owned()))
        });
        let counts = section("instructions")?.iter().map(|(call, count)| {
            let number = |key: &str| count.get(key).and_then(Value::as_float);
            let ours = number("ours").filter(|ours| *ours > 0.0);
            let ours = ours.ok_or_else(|| format!("`instructions.\"{call}\".ours` is no number above 0"))?;
            Ok((call.clone(), Count { ours, floor: number("floor") }))
        });
        Ok(Self { tools: Tools(tools.collect::<Result<_, String>>()?), counts: counts.collect::<Result<_, String>>()? })
    }

    /// Returns the text of the file.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut text = String::from(
            "# The instructions of one call, counted by callgrind. To count anew, and keep the new counts:\n\
             # INSTRUCTIONS=accept cargo nextest run --workspace --test instructions\n\n[tools]\n",
        );
        for (tool, version) in &self.tools.0 {
            let _ = writeln!(text, "{tool} = {version:?}");
        }
        text.push_str("\n[instructions]\n");
        for (call, count) in &self.counts {
            let _ = write!(text, "{call:?} = {{ ours = {:.1}", count.ours);
            if let Some(floor) = count.floor {
                let _ = write!(text, ", floor = {floor:.1}");
            }
            text.push_str(" }\n");
        }
        text
    }

    /// Compares these counts with new ones, made by `tools`.
    #[must_use]
    pub fn differences(&self, counts: &Counts, tools: &Tools) -> Vec<Difference> {
        let gone = self.counts.keys().filter(|call| !counts.contains_key(*call));
        let gone = gone.map(|call| Difference::Gone { call: call.clone() });
        let others = counts.iter().filter_map(|(call, count)| {
            let (call, now) = (call.clone(), count.ours);
            let Some(kept) = self.counts.get(&call) else { return Some(Difference::New { call, now }) };
            let other_tools = self.tools.differences(tools, &call);
            if !other_tools.is_empty() {
                return Some(Difference::OtherTools { call, tools: other_tools });
            }
            let before = kept.ours;
            (now > before * (1.0 + TOLERANCE)).then_some(Difference::Grown { call, before, now })
        });
        gone.chain(others).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tools(python: &str) -> Tools {
        let all = [("rustc", "rustc 1"), ("libc", "glibc 2"), ("cc", "cc 3"), ("python", python)];
        Tools(all.map(|(tool, version)| (tool.to_owned(), version.to_owned())).into())
    }

    fn counts(all: &[(&str, f64)]) -> Counts {
        all.iter().map(|(call, ours)| ((*call).to_owned(), Count { ours: *ours, floor: None })).collect()
    }

    fn baseline() -> Baseline {
        let counts = counts(&[("native add", 100.0), ("python add", 1000.0), ("lua add", 500.0)]);
        Baseline { tools: tools("3.11"), counts }
    }

    fn texts(new: &[(&str, f64)], python: &str) -> Vec<(bool, String)> {
        let differences = baseline().differences(&counts(new), &tools(python));
        differences.iter().map(|each| (each.is_failure(), each.to_string())).collect()
    }

    #[test]
    fn the_file_is_read_as_it_is_written() {
        let mut baseline = baseline();
        baseline.counts.insert("js add".to_owned(), Count { ours: 12.5, floor: Some(10.0) });
        assert_eq!(Baseline::read(&baseline.to_toml()).unwrap(), baseline);
    }

    #[test]
    fn a_damaged_file_says_what_is_wrong() {
        for (text, says) in [
            ("", "`tools` is missing"),
            ("[tools]", "`instructions` is missing"),
            ("[tools]\nrustc = 1\n[instructions]", "`tools.rustc` is no text"),
            ("[tools]\n[instructions]\n\"a b\" = { floor = 1.0 }", "`instructions.\"a b\".ours` is no number above 0"),
            ("[tools", "TOML"),
        ] {
            let error = Baseline::read(text).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn three_percent_are_allowed() {
        assert_eq!(texts(&[("native add", 103.0), ("python add", 900.0), ("lua add", 500.0)], "3.11"), []);
        let grown = texts(&[("native add", 103.2), ("python add", 900.0), ("lua add", 500.0)], "3.11");
        assert_eq!(grown, [(true, "`native add` takes 103.2 instructions, 100.0 before: 3.2 % more".to_owned())]);
    }

    #[test]
    fn calls_that_come_and_go_are_told() {
        let told = texts(&[("native add", 100.0), ("python add", 1000.0), ("lua sum", 7.0)], "3.11");
        let gone = "`lua add` has a kept count, but is not counted any more".to_owned();
        let new = "`lua sum` takes 7.0 instructions, and no count of it is kept".to_owned();
        assert_eq!(told, [(true, gone), (true, new)]);
    }

    #[test]
    fn a_count_is_compared_if_the_tools_that_decide_it_are_the_same() {
        let told = texts(&[("native add", 200.0), ("python add", 2000.0), ("lua add", 500.0)], "3.12");
        let grown = "`native add` takes 200.0 instructions, 100.0 before: 100.0 % more".to_owned();
        let other = "`python add` is not compared: python: `3.11` there, `3.12` here".to_owned();
        assert_eq!(told, [(true, grown), (false, other)]);
    }
}
