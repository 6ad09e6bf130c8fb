//! The depth and the errors of lifting.

use std::borrow::Cow;
use std::fmt;

/// The most levels of lists, maps and boxes that may nest in a value. Empty lists and maps count, text and bytes do
/// not.
pub const NESTING_LIMIT: u8 = 128;

/// The number of lists, maps and boxes that enclose the value being lifted.
#[derive(Debug, Clone, Copy)]
pub struct Depth(u8);

impl Depth {
    /// The depth of the argument or result itself.
    pub const ROOT: Self = Self(0);

    /// Returns the depth one level further in.
    ///
    /// # Errors
    ///
    /// Fails at [`NESTING_LIMIT`].
    #[inline]
    pub fn enter(self) -> Result<Self, LiftError> {
        if self.0 == NESTING_LIMIT {
            return Err(LiftError::limit(format_args!("nested deeper than {NESTING_LIMIT} levels")));
        }
        Ok(Self(self.0 + 1))
    }
}

/// The reason for which canonical memory is not a value of the expected type, with the path to the fault in the value.
// Boxed, so that the size of the error does not slow down lifting that succeeds.
pub struct LiftError(Box<Fault>);

struct Fault {
    /// The steps to the fault, innermost first: steps are added on the way out.
    path: Vec<Step>,
    reason: String,
    /// True if the value is well-formed but exceeds a limit.
    limit: bool,
}

enum Step {
    Name(Cow<'static, str>),
    Index(usize),
}

impl LiftError {
    /// Makes an error at the part being lifted.
    #[cold]
    #[must_use]
    pub fn new(reason: impl fmt::Display) -> Self {
        Self(Box::new(Fault { path: Vec::new(), reason: reason.to_string(), limit: false }))
    }

    /// Makes the error of a value that is too large or too deep.
    #[cold]
    #[must_use]
    pub fn limit(reason: impl fmt::Display) -> Self {
        Self(Box::new(Fault { path: Vec::new(), reason: reason.to_string(), limit: true }))
    }

    /// Returns whether the value is well-formed but exceeds a limit.
    #[must_use]
    pub fn is_limit(&self) -> bool {
        self.0.limit
    }

    /// Extends the path by a part called `name` of a record, variant or argument list.
    #[cold]
    #[must_use]
    pub fn within(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.0.path.push(Step::Name(name.into()));
        self
    }

    /// Extends the path by element `index` of a list.
    #[cold]
    #[must_use]
    pub fn at(mut self, index: usize) -> Self {
        self.0.path.push(Step::Index(index));
        self
    }

    /// Makes the error of a null or misaligned pointer.
    #[cold]
    #[must_use]
    pub fn pointer(what: &str) -> Self {
        Self::new(format_args!("{what}: the pointer is null or not aligned"))
    }

    /// Makes the error of a tag that does not name a case.
    #[cold]
    #[must_use]
    pub fn tag(of: &str, tag: u32, cases: u32) -> Self {
        Self::new(format_args!("{tag} is no case of {of}, which has {cases}"))
    }
}

/// The number of outermost steps that are shown of a long path.
const OUTER: usize = 12;

/// The number of innermost steps that are shown of a long path.
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
