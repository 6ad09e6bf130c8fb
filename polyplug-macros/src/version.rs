//! Versions of contracts, as attributes write them.

use syn::LitStr;

use crate::errors::Errors;

/// The version of a contract, written `major.minor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ContractVersion {
    pub(crate) major: u32,
    pub(crate) minor: u32,
}

impl ContractVersion {
    /// The value for a version that is missing or malformed, which is reported already.
    pub(crate) const UNKNOWN: Self = Self { major: u32::MAX, minor: u32::MAX };

    /// Returns the version as one number: the major version in the upper half.
    pub(crate) const fn number(self) -> u64 {
        (self.major as u64) << 32 | self.minor as u64
    }

    /// Reads a version.
    pub(crate) fn parse(text: &LitStr, errors: &mut Errors) -> Self {
        let value = text.value();
        let numbers: Vec<Option<u32>> = value
            .split('.')
            .map(|part| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok()).flatten())
            .collect();
        match numbers[..] {
            [Some(major), Some(minor)] => Self { major, minor },
            _ => {
                errors.at(
                    text,
                    format_args!("\"{value}\" is no version of a contract: write \"major.minor\", such as \"1.0\""),
                );
                Self::UNKNOWN
            }
        }
    }
}
