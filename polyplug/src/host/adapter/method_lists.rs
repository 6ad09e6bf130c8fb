//! The methods of a contract and of the objects that its methods take, between two versions of the contract.
//!
//! A method may take an object, which the callee calls, so the roles of both sides change there. The methods of such an
//! object may take objects in turn, also of the contract itself. So lists of methods refer to each other by number.

use std::collections::HashMap;

use super::call::Adapter;
use super::compile::Side;
use crate::schema::plan::{Kind, MethodPlan, NodeId};
use crate::schema::{Interface, Method, Shape};

/// The methods of a callee (list 0) and of the objects that they take (the others), each as its caller numbers them.
#[derive(Debug)]
pub(super) struct MethodLists(Vec<Box<[Option<Target>]>>);

/// The target of a method's calls.
#[derive(Debug)]
pub(super) struct Target {
    /// The number in the callee's table.
    pub(super) number: u32,
    pub(super) adapter: Option<Box<Adapter>>,
}

impl MethodLists {
    /// Makes the list of a contract whose types have not grown.
    pub(super) fn of_numbers(numbers: &[Option<usize>]) -> Self {
        let target = |number: &Option<usize>| Target::new((*number)?, None);
        Self(vec![numbers.iter().map(target).collect()])
    }

    /// Compiles the lists. `numbers` has the callee's numbers of the caller's methods.
    pub(super) fn compile(caller: Side<'_>, callee: Side<'_>, numbers: &[Option<usize>]) -> Self {
        let mut compiler = ListCompiler { caller, callee, known: HashMap::new(), wanted: Vec::new() };
        let mut lists = Vec::new();
        let contract = numbers.iter().enumerate().map(|(number, theirs)| {
            let theirs = (*theirs)?;
            let method = &caller.schema.methods[number];
            let plans = (caller.plan.method(number), callee.plan.method(theirs));
            Target::new(theirs, Some(compiler.adapter(false, method, plans)))
        });
        lists.push(contract.collect());
        while let Some(object) = compiler.wanted.get(lists.len() - 1).copied() {
            lists.push(compiler.object(object));
        }
        let mut lists = Self(lists);
        lists.leave_out_adapters();
        lists
    }

    /// Removes the adapters of methods whose forms are the same on both sides, and objects whose methods are.
    fn leave_out_adapters(&mut self) {
        // Lists may refer to each other, so each counts as the same until a difference is found.
        let mut is_same = vec![true; self.0.len()];
        loop {
            let before = is_same.clone();
            for (number, list) in self.0.iter().enumerate() {
                is_same[number] = list.iter().zip(0..).all(|(target, own)| {
                    let target = target.as_ref().filter(|target| target.number == own);
                    target.is_some_and(|target| {
                        target.adapter.as_ref().is_none_or(|adapter| adapter.is_same(|list| before[list]))
                    })
                });
            }
            if is_same == before {
                break;
            }
        }
        for target in self.0.iter_mut().flat_map(|list| list.iter_mut()).flatten() {
            target.adapter =
                target.adapter.take().and_then(|adapter| adapter.reduced(|list| is_same[list]).map(Box::new));
        }
    }

    /// Returns the targets of a list, in the caller's order.
    pub(super) fn targets(&self, list: usize) -> &[Option<Target>] {
        &self.0[list]
    }

    /// Returns whether all methods of a list have the same numbers and forms on both sides.
    pub(super) fn is_identity(&self, list: usize) -> bool {
        (0u32..)
            .zip(self.targets(list))
            .all(|(i, target)| target.as_ref().is_some_and(|target| target.number == i && target.adapter.is_none()))
    }
}

impl Target {
    fn new(number: usize, adapter: Option<Adapter>) -> Option<Self> {
        Some(Self { number: u32::try_from(number).ok()?, adapter: adapter.map(Box::new) })
    }
}

/// The objects that one side passes to the other: the definitions on the side that calls them and on the side that owns
/// them. `of_callee` is true for objects that the contract's callee owns.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Objects {
    of_callee: bool,
    caller: u32,
    owner: u32,
}

struct ListCompiler<'a> {
    caller: Side<'a>,
    callee: Side<'a>,
    known: HashMap<Objects, usize>,
    /// The objects whose methods are listed, or still to be listed, in the order of their lists.
    wanted: Vec<Objects>,
}

impl<'a> ListCompiler<'a> {
    /// Returns the caller and the callee of methods: those of the contract, or the other way round.
    fn sides(&self, turned: bool) -> (Side<'a>, Side<'a>) {
        if turned { (self.callee, self.caller) } else { (self.caller, self.callee) }
    }

    /// Compiles the adapter of a method. If `turned`, the contract's callee calls it.
    fn adapter(&mut self, turned: bool, method: &Method, (ours, theirs): (&MethodPlan, &MethodPlan)) -> Adapter {
        let (caller, callee) = self.sides(turned);
        Adapter::new((caller, ours, method), (callee, theirs), |passed, received| {
            let (owner, _) = object(caller, passed)?;
            let (definition, _) = object(callee, received)?;
            Some(self.list(Objects { of_callee: turned, caller: definition, owner }))
        })
    }

    fn list(&mut self, objects: Objects) -> usize {
        let next = self.wanted.len() + 1;
        let number = *self.known.entry(objects).or_insert(next);
        if number == next {
            self.wanted.push(objects);
        }
        number
    }

    /// Compiles the list of the methods of objects. Both sides have the same methods, in the same order, up to those that
    /// one side lacks.
    fn object(&mut self, objects: Objects) -> Box<[Option<Target>]> {
        // Objects of the contract's callee are called by the contract's caller.
        let turned = !objects.of_callee;
        let (caller, owner) = self.sides(turned);
        let Some((interface, ours)) = methods(caller, objects.caller) else { return Box::default() };
        let Some((_, theirs)) = methods(owner, objects.owner) else { return Box::default() };
        let list = interface.methods.iter().zip(ours).enumerate().map(|(number, (method, plan))| {
            let adapter = self.adapter(turned, method, (plan, theirs.get(number)?));
            Target::new(number, Some(adapter))
        });
        list.collect()
    }
}

/// Returns the definition of a node that is an object, and the plans of its methods.
fn object<'a>(side: Side<'a>, node: NodeId) -> Option<(u32, &'a [MethodPlan])> {
    match &side.plan.node(node).kind {
        Kind::Object { definition, methods } => Some((*definition, methods)),
        _ => None,
    }
}

fn methods<'a>(side: Side<'a>, definition: u32) -> Option<(&'a Interface, &'a [MethodPlan])> {
    let Shape::Object(interface) = &side.schema.definition(definition).shape else { return None };
    let Kind::Object { methods, .. } = &side.plan.definition(definition).kind else { return None };
    Some((interface, methods))
}
