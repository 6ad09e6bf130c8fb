//! A value in canonical memory by itself, without a call around it: what the tests of lowering and lifting work on.

use super::values::{ValueReader, ValueRef, Values};
use crate::host::abi::arena::CallArenaGuard;
use crate::host::abi::buffer::AlignedBuffer;
use crate::host::marshal::lift::Lifting;
use crate::host::marshal::lower::Lowering;
use crate::schema::Schema;
use crate::schema::plan::{NodeId, Plan};
use crate::types::LiftError;
use crate::value::Value;

/// A lowered value. Its text and bytes lie in the value, the rest in an arena of this thread.
pub struct Lowered<'a> {
    schema: &'a Schema,
    plan: &'a Plan,
    node: NodeId,
    room: AlignedBuffer,
    _arena: CallArenaGuard,
}

impl<'a> Lowered<'a> {
    /// Lowers `value` as `node`, one of the plan's. Forms must be dropped in reverse order.
    ///
    /// # Errors
    ///
    /// The value is none of the node's type.
    pub fn lower(schema: &'a Schema, plan: &'a Plan, node: NodeId, value: &'a Value) -> Result<Self, LiftError> {
        let described = plan.node(node);
        let room = AlignedBuffer::new(described.size, described.align);
        let arena = CallArenaGuard::enter();
        let lowering = Lowering { schema, plan, arena: arena.get(), offered: None };
        // SAFETY: the room has the node's size; the arena is ours until the guard goes.
        unsafe { lowering.value(&mut ValueReader::new(schema), node, &ValueRef::Whole(value), room.start()) }?;
        Ok(Self { schema, plan, node, room, _arena: arena })
    }

    /// Where the form begins.
    #[must_use]
    pub fn start(&self) -> *mut u8 {
        self.room.start()
    }

    /// Lifts whatever the memory holds by now.
    ///
    /// # Errors
    ///
    /// It is no value of the node's type.
    ///
    /// # Safety
    ///
    /// Whoever wrote to the memory must have left pointers that are null, misaligned, or lead to readable memory of the
    /// lengths beside them.
    pub unsafe fn lift(&self) -> Result<Value, LiftError> {
        let lifting = Lifting { schema: self.schema, plan: self.plan };
        // SAFETY: the room has the node's size and is initialised; the rest is the caller's promise.
        unsafe { lifting.value(&mut Values::new(self.schema), self.node, self.room.start()) }
    }
}
