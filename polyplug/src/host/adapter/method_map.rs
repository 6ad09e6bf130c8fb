//! The methods of a callee, as its caller numbers them.

use std::sync::Arc;

use super::compile::Side;
use super::method_lists::{MethodLists, Target};
use crate::host::abi::dispatch::CallFrame;
use crate::host::abi::object_tokens::{ObjectMethods, ObjectTokens};
use crate::schema::plan::Plan;
use crate::schema::{Difference, Schema};

/// The methods of a callee, in the order of the caller's contract. A method that the callee lacks has no target.
#[derive(Debug)]
pub(crate) struct MethodMap {
    lists: Arc<MethodLists>,
    /// The number of the list that is called.
    number: usize,
}

impl MethodMap {
    /// Compiles the map. Returns `None` if all methods have the same numbers and layouts on both sides.
    ///
    /// # Errors
    ///
    /// The differences between the schemas that prevent calls.
    pub(crate) fn new(caller: &Schema, callee: &Schema) -> Result<Option<Arc<Self>>, Vec<Difference>> {
        let differences = caller.differences(callee);
        if !differences.is_empty() {
            return Err(differences);
        }
        let numbers: Vec<_> =
            caller.methods.iter().map(|method| callee.method(&method.name).map(|(number, _)| number)).collect();
        let lists = if caller.has_grown() || callee.has_grown() {
            let (our_plan, their_plan) = (Plan::new(caller), Plan::new(callee));
            let ours = Side { schema: caller, plan: &our_plan };
            MethodLists::compile(ours, Side { schema: callee, plan: &their_plan }, &numbers)
        } else {
            MethodLists::of_numbers(&numbers)
        };
        let is_same = lists.is_identity(0);
        Ok((!is_same).then(|| Arc::new(Self { lists: Arc::new(lists), number: 0 })))
    }

    /// Makes the map of the objects whose methods are list `number`.
    fn of_objects(&self, number: usize) -> Arc<dyn ObjectMethods> {
        Arc::new(Self { lists: Arc::clone(&self.lists), number })
    }

    /// Returns the numbers of the methods at the callee.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = Option<usize>> {
        self.lists.targets(self.number).iter().map(|target| target.as_ref().map(|target| target.number as usize))
    }

    /// Returns the numbers, in the caller's order, of the methods that pass an adapter.
    pub(crate) fn adapted(&self) -> impl Iterator<Item = usize> {
        let targets = self.lists.targets(self.number).iter().enumerate();
        targets.filter(|(_, target)| target.as_ref().is_some_and(|target| target.adapter.is_some())).map(|(i, _)| i)
    }

    /// Calls the method with the caller's number `fn_id`, with `call`, which calls the callee's method of a number.
    /// Returns whether the callee has the method. `tokens` are those of the runtime.
    ///
    /// # Safety
    ///
    /// `frame` must be what the method's entry expects on the caller's side, with an error whose code is 0. `call` must
    /// accept a frame that is what the entry of the number expects on the callee's side.
    #[inline]
    pub(crate) unsafe fn call(
        &self,
        fn_id: u32,
        frame: CallFrame,
        tokens: &dyn ObjectTokens,
        call: impl FnOnce(u32, CallFrame) -> bool,
    ) -> bool {
        match self.lists.targets(self.number).get(fn_id as usize) {
            Some(Some(Target { number, adapter: None })) => call(*number, frame),
            // SAFETY: the caller promises the frame, and `call`.
            Some(Some(Target { number, adapter: Some(adapter) })) => unsafe {
                adapter.call(frame, (tokens, &|list| self.of_objects(list)), |frame| call(*number, frame))
            },
            _ => false,
        }
    }
}

impl ObjectMethods for MethodMap {
    unsafe fn call(
        &self,
        fn_id: u32,
        frame: CallFrame,
        tokens: &dyn ObjectTokens,
        call: &mut dyn FnMut(u32, CallFrame) -> bool,
    ) -> bool {
        // SAFETY: the caller promises the same.
        unsafe { Self::call(self, fn_id, frame, tokens, call) }
    }
}
