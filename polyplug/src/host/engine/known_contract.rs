//! A contract that a guest names, with the layout of its values.

use std::sync::Arc;

use crate::schema::Schema;
use crate::schema::plan::Plan;

/// A contract that a guest names, with the layout of its values.
#[derive(Clone)]
pub struct KnownContract {
    /// The description of the contract.
    pub schema: Arc<Schema>,
    /// The layout of its values.
    pub plan: Arc<Plan>,
}

impl KnownContract {
    pub(crate) fn new(schema: Arc<Schema>) -> Self {
        let plan = Arc::new(Plan::new(&schema));
        Self { schema, plan }
    }
}
