//! The key `workers` of a manifest: the number of VMs that a bundle asks for.

use std::fmt;
use std::thread::available_parallelism;

/// The most workers that a bundle may have.
const LIMIT: u32 = 256;

/// The number of workers that a manifest asks for: VMs in which calls of stateless plugins run side by side. By default
/// one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Workers {
    /// This many, from 1 to 256.
    Count(u32),
    /// As many as the processor has cores for this process, at most 256.
    Cores,
}

impl Default for Workers {
    fn default() -> Self {
        Self::Count(1)
    }
}

impl Workers {
    /// Reads the value of the key, which the manifest has as `written`.
    pub(crate) fn read(value: &toml::Value, written: &str) -> Result<Self, String> {
        let remedy = format!("write the number of workers, from 1 to {LIMIT}, or \"cores\" for one a processor core");
        match value {
            toml::Value::Integer(count) => match u32::try_from(*count) {
                Ok(count) if (1..=LIMIT).contains(&count) => Ok(Self::Count(count)),
                _ => Err(format!("{count} is out of range: {remedy}")),
            },
            toml::Value::String(text) if text == "cores" => Ok(Self::Cores),
            _ => Err(format!("{written} is no number of workers: {remedy}")),
        }
    }

    /// Returns the number of workers on this machine, from 1 to 256.
    #[must_use]
    pub fn count(self) -> usize {
        let count = match self {
            Self::Count(count) => count as usize,
            // Where the system does not tell, one worker serves.
            Self::Cores => available_parallelism().map_or(1, Into::into),
        };
        count.clamp(1, LIMIT as usize)
    }
}

/// Shows the value as a manifest has it: `4` or `"cores"`.
impl fmt::Display for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => count.fmt(f),
            Self::Cores => f.write_str("\"cores\""),
        }
    }
}
