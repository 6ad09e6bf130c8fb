//! A value in canonical memory without a call, for tests of lowering and lifting.

use super::values::{ValueReader, ValueRef, Values};
use crate::host::abi::arena::CallArenaGuard;
use crate::host::abi::buffer::AlignedBuffer;
use crate::host::adapter::call::convert;
use crate::host::adapter::compile::Side;
use crate::host::marshal::lift::Lifting;
use crate::host::marshal::lower::Lowering;
use crate::schema::Schema;
use crate::schema::plan::{NodeId, Plan};
use crate::types::LiftError;
use crate::value::Value;

/// A lowered value. Its text and bytes lie in the value that was lowered, the rest in an arena of this thread.
pub struct Lowered<'a> {
    schema: &'a Schema,
    plan: &'a Plan,
    node: NodeId,
    buffer: AlignedBuffer,
    _arena: CallArenaGuard,
}

impl<'a> Lowered<'a> {
    /// Lowers `value` as `node`, which must be a node of `plan`. Lowered values must be dropped in reverse order.
    ///
    /// # Errors
    ///
    /// `value` is not a value of the node's type.
    pub fn lower(schema: &'a Schema, plan: &'a Plan, node: NodeId, value: &'a Value) -> Result<Self, LiftError> {
        let described = plan.node(node);
        let buffer = AlignedBuffer::new(described.size, described.align);
        let arena = CallArenaGuard::enter();
        let lowering = Lowering { schema, plan, arena: arena.get(), offered: None };
        // SAFETY: the buffer has the node's size; the guard keeps the arena until it is dropped.
        unsafe { lowering.value(&mut ValueReader::new(schema), node, &ValueRef::Whole(value), buffer.start()) }?;
        Ok(Self { schema, plan, node, buffer, _arena: arena })
    }

    /// Converts the current content of the memory to the form of another version of the contract, as an adapter does.
    ///
    /// # Errors
    ///
    /// The memory cannot be followed, or the value has a case that the other version does not know.
    ///
    /// # Safety
    ///
    /// As of [`lift`](Self::lift).
    pub unsafe fn convert(&self, schema: &'a Schema, plan: &'a Plan, node: NodeId) -> Result<Self, LiftError> {
        let described = plan.node(node);
        let buffer = AlignedBuffer::new(described.size, described.align);
        let arena = CallArenaGuard::enter();
        let sender = Side { schema: self.schema, plan: self.plan };
        let from = (sender, self.node, self.buffer.start().cast_const());
        // SAFETY: the buffers have the nodes' sizes; the guard keeps the arena until it is dropped; the caller promises
        // readable pointers.
        unsafe { convert(from, (Side { schema, plan }, node, buffer.start()), arena.get()) }?;
        Ok(Self { schema, plan, node, buffer, _arena: arena })
    }

    /// Returns the start of the lowered value.
    #[must_use]
    pub fn start(&self) -> *mut u8 {
        self.buffer.start()
    }

    /// Lifts the current content of the memory.
    ///
    /// # Errors
    ///
    /// The memory does not hold a value of the node's type.
    ///
    /// # Safety
    ///
    /// Each pointer in the memory must be null, misaligned, or lead to readable memory of the length beside it.
    pub unsafe fn lift(&self) -> Result<Value, LiftError> {
        let lifting = Lifting { schema: self.schema, plan: self.plan };
        // SAFETY: the buffer has the node's size and is initialised; the caller promises readable pointers.
        unsafe { lifting.value(&mut Values::new(self.schema), self.node, self.buffer.start()) }
    }
}
