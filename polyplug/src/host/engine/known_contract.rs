//! A contract that a guest names, ready for its values to be moved.

use std::sync::Arc;

use crate::schema::Schema;
use crate::schema::plan::Plan;

/// A contract that a guest names.
#[derive(Clone)]
pub struct KnownContract {
    /// What it says.
    pub schema: Arc<Schema>,
    /// Where its values lie.
    pub plan: Arc<Plan>,
}

impl KnownContract {
    pub(crate) fn new(schema: Arc<Schema>) -> Self {
        let plan = Arc::new(Plan::new(&schema));
        Self { schema, plan }
    }
}
