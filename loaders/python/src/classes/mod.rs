//! Python classes for the types of contracts.
//!
//! - `descriptor`: describes definitions and types to the prelude, as tuples; [`type_descriptor`].
//! - `contract_classes`: [`ContractClasses`], the classes and attribute names of one contract, and [`BodyClass`],
//!   [`DefinitionClass`].
//! - `cache`: [`classes_of`], which makes them once for each contract.
//!
//! Invariant: the numbers of bodies and definitions are those of the contract's schema and plan, so that values are
//! converted by index and no name is looked up.

mod cache;
mod contract_classes;
mod descriptor;

pub(crate) use cache::classes_of;
pub(crate) use contract_classes::{BodyClass, ContractClasses, DefinitionClass};
pub(crate) use descriptor::type_descriptor;
