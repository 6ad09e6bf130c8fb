//! What lifting needs to know, and how it says what is wrong.

use std::borrow::Cow;
use std::fmt;

/// How many lists, maps and boxes may lie in one another. Empty lists and maps count, text and bytes do not.
pub const NESTING_LIMIT: u8 = 128;

/// How many lists, maps and boxes the value being lifted lies in.
#[derive(Debug, Clone, Copy)]
pub struct Depth(u8);

impl Depth {
    /// The argument or result itself.
    pub const ROOT: Self = Self(0);

    /// One level further in.
    ///
    /// # Errors
    ///
    /// The limit is reached.
    #[inline]
    pub fn enter(self) -> Result<Self, LiftError> {
        if self.0 == NESTING_LIMIT {
            return Err(LiftError::limit(format_args!("nested deeper than {NESTING_LIMIT} levels")));
        }
        Ok(Self(self.0 + 1))
    }
}

/// Why canonical memory is no value of the expected type, and where in the value.
// Boxed: lifting a scalar cannot fail, and lifting anything else should not pay for the error's size.
pub struct LiftError(Box<Fault>);

struct Fault {
    /// Outermost step last: steps are added on the way out.
    path: Vec<Step>,
    reason: String,
    /// Whether the value is a good one that a limit keeps from crossing.
    limit: bool,
}

enum Step {
    Name(Cow<'static, str>),
    Index(usize),
}

impl LiftError {
    /// An error at the place being lifted.
    #[cold]
    #[must_use]
    pub fn new(reason: impl fmt::Display) -> Self {
        Self(Box::new(Fault { path: Vec::new(), reason: reason.to_string(), limit: false }))
    }

    /// The error of a value that is too large or too deep.
    #[cold]
    #[must_use]
    pub fn limit(reason: impl fmt::Display) -> Self {
        Self(Box::new(Fault { path: Vec::new(), reason: reason.to_string(), limit: true }))
    }

    /// Whether the value is a good one that a limit keeps from crossing.
    #[must_use]
    pub fn is_limit(&self) -> bool {
        self.0.limit
    }

    /// The error as seen from the record, variant or argument list that holds the place as `name`.
    #[cold]
    #[must_use]
    pub fn within(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.0.path.push(Step::Name(name.into()));
        self
    }

    /// The error as seen from the list that holds the place as element `index`.
    #[cold]
    #[must_use]
    pub fn at(mut self, index: usize) -> Self {
        self.0.path.push(Step::Index(index));
        self
    }

    /// The error of a null or misaligned pointer.
    #[cold]
    #[must_use]
    pub fn pointer(what: &str) -> Self {
        Self::new(format_args!("{what}: the pointer is null or not aligned"))
    }

    /// The error of a tag that names no case.
    #[cold]
    #[must_use]
    pub fn tag(of: &str, tag: u32, cases: u32) -> Self {
        Self::new(format_args!("{tag} is no case of {of}, which has {cases}"))
    }
}

/// How many steps of a long path are shown: the outermost and the innermost.
const OUTER: usize = 12;
const INNER: usize = 4;

impl fmt::Display for LiftError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = self.0.path.len();
        for (i, step) in self.0.path.iter().rev().enumerate() {
            if steps > OUTER + INNER && (OUTER..steps - INNER).contains(&i) {
                f.write_str(if i == OUTER { "..." } else { "" })?;
                continue;
            }
            match step {
                Step::Name(name) if i == 0 => f.write_str(name)?,
                Step::Name(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        if !self.0.path.is_empty() {
            f.write_str(": ")?;
        }
        f.write_str(&self.0.reason)
    }
}

impl fmt::Debug for LiftError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LiftError({self})")
    }
}
