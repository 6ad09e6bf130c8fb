//! The contracts that a bundle needs and does not find.

use std::fmt;
use std::path::PathBuf;

use polyplug_abi::Version;

use super::suggest::did_you_mean_contract;

/// A contract under a manifest's `[[dependency]]` that no loaded bundle provides.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MissingDependency {
    /// The declaration in the manifest.
    pub declared: Declared,
    /// The versions of the contract that loaded bundles provide.
    pub offered: Vec<Offer>,
    /// The contracts that loaded bundles provide, each with its version.
    pub provided: Vec<String>,
}

/// The line of a manifest that declares a contract as needed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Declared {
    /// The bundle's name.
    pub bundle: String,
    /// The bundle's manifest.
    pub manifest: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The contract, with the least version that suffices.
    pub contract: String,
}

/// A bundle that provides a contract in a version that does not suffice.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Offer {
    /// The bundle's name.
    pub bundle: String,
    /// The contract's version.
    pub version: Version,
}

/// A bundle that needs a newer minor version of a contract than a reload would provide.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dependent {
    /// The bundle's name.
    pub bundle: String,
    /// The least version of the contract that suffices for the bundle.
    pub needed: Version,
}

/// A contract under a manifest's `[[host]]` that the bundle cannot have.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MissingHostContract {
    /// The declaration in the manifest.
    pub declared: Declared,
    /// The reason why the bundle cannot have the contract.
    pub reason: Unavailable,
    /// The contracts that the host provides, each with its version.
    pub provided: Vec<String>,
}

/// The reason why a bundle cannot have a host contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unavailable {
    /// The host does not provide the contract.
    NotProvided,
    /// The host provides the contract in this older version only.
    TooOld(Version),
    /// The host has granted the bundle other contracts only: see [`Runtime::grant`](crate::Runtime::grant).
    NotGranted,
}

/// A bundle of a cycle, with the contract that it needs of the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CycleStep {
    /// The declaration in the manifest.
    pub declared: Declared,
    /// The bundle that provides the contract.
    pub provider: String,
}

impl fmt::Display for Declared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: bundle `{}` needs ", self.manifest.display(), self.line, self.bundle)
    }
}

impl fmt::Display for MissingDependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}, which no other loaded bundle provides", self.declared, self.declared.contract)?;
        let offers: Vec<_> = self.offered.iter().map(ToString::to_string).collect();
        if !offers.is_empty() {
            write!(f, " (there is {})", offers.join(", "))?;
        } else {
            f.write_str(&did_you_mean_contract(&self.declared.contract, &self.provided))?;
        }
        f.write_str(": load one that does before it")
    }
}

impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} in bundle `{}`", self.version.major, self.version.minor, self.bundle)
    }
}

impl fmt::Display for Dependent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` needs at least {}.{}", self.bundle, self.needed.major, self.needed.minor)
    }
}

impl fmt::Display for MissingHostContract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}the host contract {}, which the host ", self.declared, self.declared.contract)?;
        match self.reason {
            Unavailable::NotProvided => {
                let near = did_you_mean_contract(&self.declared.contract, &self.provided);
                write!(f, "does not provide{near}: provide it before the bundle is loaded, with `Runtime::provide`")
            }
            Unavailable::TooOld(version) => {
                write!(f, "provides in version {}.{} only: update the host", version.major, version.minor)
            }
            Unavailable::NotGranted => f.write_str("has not granted to it: name it in `Runtime::grant`"),
        }?;
        f.write_str(", or write `optional = true` if the bundle can do without")
    }
}

impl fmt::Display for CycleStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{} of bundle `{}`", self.declared, self.declared.contract, self.provider)
    }
}

/// Returns the missing contracts as text, one a line.
pub(crate) fn one_per_line(missing: &[MissingDependency]) -> String {
    missing.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Returns the least version that each dependent needs, as text.
pub(crate) fn needs_of(dependents: &[Dependent]) -> String {
    dependents.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

/// Returns the names of the dependents, as text.
pub(crate) fn bundles_of(dependents: &[Dependent]) -> String {
    dependents.iter().map(|dependent| format!("`{}`", dependent.bundle)).collect::<Vec<_>>().join(", ")
}

/// Returns a cycle as text: `a -> b -> a`, then what each bundle needs of the next one.
pub(crate) fn cycle(steps: &[CycleStep]) -> String {
    let names: Vec<_> = steps.iter().map(|step| step.declared.bundle.as_str()).collect();
    let needs: String = steps.iter().map(|step| format!("\n  {step}")).collect();
    format!("{} -> {}:{needs}", names.join(" -> "), names.first().unwrap_or(&""))
}

/// Returns each failure on a line of its own, its further lines indented below.
pub(crate) fn each(failures: &[impl fmt::Display]) -> String {
    failures.iter().map(|failure| format!("\n  {}", failure.to_string().replace('\n', "\n  "))).collect()
}
