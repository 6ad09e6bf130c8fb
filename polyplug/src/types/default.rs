//! Defaults of fields, which a newer side reads where an older side has sent none.

use crate::schema::Types;
use crate::schema::canonical;
use crate::types::checked::Crosses;
use crate::types::lower::Give;
use crate::types::own_arena::with_arena;

impl Types {
    /// Describes the default of field `field` of the definition that is being described, or of its case `case`.
    #[doc(hidden)]
    pub fn default_of<T: Crosses<CROSSES> + 'static, const CROSSES: bool>(
        &mut self,
        case: Option<usize>,
        field: usize,
        make: fn() -> T,
    ) {
        let make = Box::new(move |schema: &_, plan: &_, node| {
            let value = make();
            with_arena(|arena| {
                // SAFETY: nothing else uses the arena.
                let mut to = unsafe { Give::new(arena) };
                let canon = value.lower(&mut to);
                if let Err(error) = to.finish() {
                    panic!("the default of a field cannot be lowered: {error}");
                }
                // SAFETY: the value was lowered above, and the node is that of its type in the contract's plan.
                unsafe { canonical::read(schema, plan, node, (&raw const canon).cast()) }
            })
        });
        self.add_default(case, field, make);
    }
}
