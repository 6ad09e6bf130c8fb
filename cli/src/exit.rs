//! The exit codes of the program.

use std::process::ExitCode;

/// The outcome of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The command did what it was asked for, and found nothing wrong.
    Fine,
    /// The command did what it was asked for, and found something wrong.
    Wrong,
    /// The arguments are wrong.
    Usage,
    /// The command could not be carried out.
    Failed,
}

impl Exit {
    /// Returns [`Fine`](Self::Fine) or [`Wrong`](Self::Wrong).
    pub(crate) fn of(is_fine: bool) -> Self {
        if is_fine { Self::Fine } else { Self::Wrong }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::Wrong => 1,
            Exit::Usage => 2,
            Exit::Failed => 3,
        })
    }
}
