//! The static descriptions of contracts that the macro emits.

use polyplug_abi::{Entry, Version};

use crate::schema::{Method, Schema, Types};

/// The description of a contract that the macro emits.
#[doc(hidden)]
#[derive(Debug)]
pub struct ContractInfo {
    /// The name without a version.
    pub name: &'static str,
    /// The major version.
    pub major: u32,
    /// The minor version.
    pub minor: u32,
    /// The methods in the order of their function ids.
    pub methods: &'static [MethodInfo],
    /// The entries that call through a trampoline, one for each method.
    pub via: &'static [Entry],
    /// A function that makes the schema.
    pub schema: fn() -> Schema,
    /// A function that describes the methods and defines their types among those of another contract.
    pub methods_in: fn(&mut Types) -> Vec<Method>,
}

/// The description of a method that the macro emits.
#[doc(hidden)]
#[derive(Debug)]
pub struct MethodInfo {
    /// The name.
    pub name: &'static str,
    /// The minor version that introduced it.
    pub since: u32,
}

/// The entry of a contract in the list of all contracts of a program.
#[doc(hidden)]
pub struct ContractEntry(pub fn() -> &'static ContractInfo);

inventory::collect!(ContractEntry);

impl ContractInfo {
    /// Returns the version, for errors.
    #[must_use]
    pub const fn version(&self) -> Version {
        Version::new(self.major, self.minor, 0)
    }

    /// Returns a method's name with that of its contract, such as `demo.calculator.add`, for errors.
    #[must_use]
    pub fn method_path(&self, index: usize) -> String {
        match self.methods.get(index) {
            Some(method) => format!("{}.{}", self.name, method.name),
            None => format!("{}.#{index}", self.name),
        }
    }
}
