//! Stub.

use polyplug::schema::{Schema, TypeRef};

use crate::bundle::Contracts;

pub(crate) fn type_name(_schema: &Schema, _ty: &TypeRef) -> String {
    String::new()
}

pub(crate) fn stubs(_contracts: &Contracts) -> Vec<(String, String)> {
    Vec::new()
}
