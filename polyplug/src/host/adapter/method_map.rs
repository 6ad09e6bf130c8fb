//! The methods of a callee, as its caller numbers them.

use std::sync::Arc;

use super::call::Adapter;
use super::compile::Side;
use crate::host::abi::dispatch::CallFrame;
use crate::schema::plan::Plan;
use crate::schema::{Difference, Schema};

/// The methods of a callee, in the order of the caller's contract. A method that the callee lacks has no target.
#[derive(Debug)]
pub(crate) struct MethodMap {
    targets: Box<[Option<Target>]>,
}

#[derive(Debug)]
struct Target {
    /// The number in the callee's table.
    number: u32,
    adapter: Option<Box<Adapter>>,
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
        let numbers = caller.methods.iter().map(|method| callee.method(&method.name).map(|(number, _)| number));
        let adapters = if caller.has_grown() || callee.has_grown() {
            adapters(caller, callee, numbers.clone())?
        } else {
            caller.methods.iter().map(|_| None).collect()
        };
        let target = |(number, adapter): (Option<usize>, Option<Adapter>)| {
            Some(Target { number: u32::try_from(number?).ok()?, adapter: adapter.map(Box::new) })
        };
        let targets: Box<[_]> = numbers.zip(adapters).map(target).collect();
        let same = (0u32..)
            .zip(&targets)
            .all(|(i, target)| target.as_ref().is_some_and(|target| target.number == i && target.adapter.is_none()));
        Ok((!same).then(|| Arc::new(Self { targets })))
    }

    /// Returns the numbers of the methods at the callee.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = Option<usize>> {
        self.targets.iter().map(|target| target.as_ref().map(|target| target.number as usize))
    }

    /// Returns the numbers, in the caller's order, of the methods that pass an adapter.
    pub(crate) fn adapted(&self) -> impl Iterator<Item = usize> {
        let targets = self.targets.iter().enumerate();
        targets.filter(|(_, target)| target.as_ref().is_some_and(|target| target.adapter.is_some())).map(|(i, _)| i)
    }

    /// Calls the method with the caller's number `fn_id`, with `call`, which calls the callee's method of a number.
    /// Returns whether the callee has the method.
    ///
    /// # Safety
    ///
    /// `frame` must be what the method's entry expects on the caller's side, with an error whose code is 0. `call` must
    /// accept a frame that is what the entry of the number expects on the callee's side.
    #[inline]
    pub(crate) unsafe fn call(&self, fn_id: u32, frame: CallFrame, call: impl FnOnce(u32, CallFrame) -> bool) -> bool {
        match self.targets.get(fn_id as usize) {
            Some(Some(Target { number, adapter: None })) => call(*number, frame),
            // SAFETY: the caller promises the frame, and `call`.
            Some(Some(Target { number, adapter: Some(adapter) })) => unsafe {
                adapter.call(frame, |frame| call(*number, frame))
            },
            _ => false,
        }
    }
}

fn adapters(
    caller: &Schema,
    callee: &Schema,
    numbers: impl Iterator<Item = Option<usize>>,
) -> Result<Vec<Option<Adapter>>, Vec<Difference>> {
    let (our_plan, their_plan) = (Plan::new(caller), Plan::new(callee));
    let ours = Side { schema: caller, plan: &our_plan };
    let theirs = Side { schema: callee, plan: &their_plan };
    let mut differences = Vec::new();
    let adapters = numbers.enumerate().map(|(number, called)| {
        let adapter = called.map_or(Ok(None), |called| Adapter::new(ours, number, theirs, called));
        adapter.unwrap_or_else(|object| {
            differences.push(Difference {
                place: format!("{}: the object's method {object}", caller.methods[number].name),
                host: format!("the types of version {}.{}", caller.major, caller.minor),
                plugin: format!("those of version {}.{}", callee.major, callee.minor),
            });
            None
        })
    });
    let adapters: Vec<_> = adapters.collect();
    if differences.is_empty() { Ok(adapters) } else { Err(differences) }
}
