//! One call of a guest, as its engine carries it out.

use polyplug_abi::CallArena;

use super::fault::Fault;
use super::known_contract::KnownContract;
use crate::host::abi::dispatch::CallFrame;
use crate::host::marshal::build::Build;
use crate::host::marshal::lift::Lifting;
use crate::host::marshal::located::Located;
use crate::host::marshal::lower::Lowering;
use crate::host::marshal::read::Read;
use crate::schema::plan::{Kind, MethodPlan};
use crate::schema::{Method, Scalar};
use crate::types::RawList;

/// A call of one method: where its arguments are, and where its result goes.
///
/// An engine makes each argument with [`argument`](Self::argument), calls its own function, and hands over what that
/// returned with [`give`](Self::give), or what it raised with [`declare`](Self::declare).
pub struct IncomingCall<'a> {
    contract: &'a KnownContract,
    method: &'a Method,
    plan: &'a MethodPlan,
    number: usize,
    args: *const u8,
    out: *mut u8,
    arena: *mut CallArena,
}

impl<'a> IncomingCall<'a> {
    /// # Safety
    ///
    /// The plan must be the method's; the frame must be what its entry expects, with an arena that is valid and unused
    /// or null.
    pub(crate) unsafe fn new(
        contract: &'a KnownContract,
        method: &'a Method,
        plan: &'a MethodPlan,
        number: usize,
        frame: CallFrame,
    ) -> Self {
        let CallFrame { args, out, arena, .. } = frame;
        Self { contract, method, plan, number, args: args.cast(), out: out.cast(), arena }
    }

    /// The method's place in its contract.
    #[inline]
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// How many arguments there are.
    #[inline]
    #[must_use]
    pub fn arguments(&self) -> usize {
        self.plan.arguments.len()
    }

    /// Whether text and bytes that are arguments have at most `len` bytes together, and integers among them lie at most
    /// `magnitude` from 0: for engines with a shorter way for what is small. What is within other arguments is not
    /// looked at.
    #[inline]
    #[must_use]
    pub fn is_small(&self, len: usize, magnitude: u64) -> bool {
        let mut left = len;
        self.plan.arguments.iter().all(|place| {
            // SAFETY: the arguments are those of the method (promised to `new`), and the place lies within.
            unsafe {
                let at = self.args.add(place.at);
                match &self.contract.plan.node(place.node).kind {
                    Kind::Scalar(Scalar::I64) => at.cast::<i64>().read().unsigned_abs() <= magnitude,
                    Kind::Scalar(Scalar::U64) => at.cast::<u64>().read() <= magnitude,
                    Kind::String | Kind::Bytes => match left.checked_sub(at.cast::<RawList<u8>>().read().len) {
                        Some(rest) => {
                            left = rest;
                            true
                        }
                        None => false,
                    },
                    _ => true,
                }
            }
        })
    }

    /// Argument `index`, counted from 0, as a value of the engine.
    ///
    /// # Errors
    ///
    /// The caller's memory holds none, or the engine cannot make one.
    ///
    /// # Panics
    ///
    /// If there is no such argument.
    #[inline]
    pub fn argument<E: Build<Error = Fault>>(&self, engine: &mut E, index: usize) -> Result<E::Value, Fault> {
        let place = &self.plan.arguments[index];
        // SAFETY: the arguments are those of the method (promised to `new`), and the place lies within.
        unsafe { self.lifting().value(engine, place.node, self.args.add(place.at)) }
            .map_err(|fault| self.of_argument(index, fault))
    }

    /// Makes each argument a value of the engine, and hands it to `put` before the next is made.
    ///
    /// # Errors
    ///
    /// As for [`argument`](Self::argument), of the first that is none.
    #[inline(always)]
    pub fn each_argument<E: Build<Error = Fault>>(
        &self,
        engine: &mut E,
        mut put: impl FnMut(E::Value),
    ) -> Result<(), Fault> {
        let lifting = self.lifting();
        for (index, place) in self.plan.arguments.iter().enumerate() {
            // SAFETY: as in `argument`.
            let value = unsafe { lifting.value(engine, place.node, self.args.add(place.at)) };
            put(value.map_err(|fault| self.of_argument(index, fault))?);
        }
        Ok(())
    }

    /// Hands over what the guest returned.
    ///
    /// # Errors
    ///
    /// It is no value of the result's type.
    #[inline]
    pub fn set_result<E: Read<Error = Fault>>(&self, engine: &mut E, value: &E::Value) -> Result<(), Fault> {
        let result = self.plan.result;
        let written = match &self.contract.plan.node(result).kind {
            Kind::Unit if engine.is_unit(value) => return Ok(()),
            Kind::Result { ok, at, .. } => {
                // SAFETY: `out` is room for the result (promised to `new`), which begins with the tag; the answer lies
                // within.
                unsafe {
                    self.out.cast::<u32>().write(0);
                    self.lowering().value(engine, *ok, value, self.out.add(*at))
                }
            }
            // SAFETY: `out` is room for the result (promised to `new`).
            _ => unsafe { self.lowering().value(engine, result, value, self.out) },
        };
        written.map_err(|fault| self.of_result(fault))
    }

    /// Hands over what the guest raised, which is the error that the method declares.
    ///
    /// # Errors
    ///
    /// It is no value of the error's type, or the method declares none.
    pub fn set_error<E: Read<Error = Fault>>(&self, engine: &mut E, error: &E::Value) -> Result<(), Fault> {
        let Kind::Result { err, at, .. } = &self.contract.plan.node(self.plan.result).kind else {
            return Err(Fault::new(format_args!(
                "the method declares no error, and raised {}",
                engine.describe(error)
            )));
        };
        // SAFETY: as in `give`; the error lies within.
        let written = unsafe {
            self.out.cast::<u32>().write(1);
            self.lowering().value(engine, *err, error, self.out.add(*at))
        };
        written.map_err(|fault| self.of_result(fault.within("error".into())))
    }

    /// Whether the method declares an error, and the number of its definition if it is a type with a name.
    #[must_use]
    pub fn declares(&self) -> Option<Option<u32>> {
        let Kind::Result { err, .. } = &self.contract.plan.node(self.plan.result).kind else { return None };
        Some(match &self.contract.plan.node(*err).kind {
            Kind::Record(number, _) | Kind::Enum(number, _) | Kind::Variant { definition: number, .. } => Some(*number),
            _ => None,
        })
    }

    fn lifting(&self) -> Lifting<'a> {
        Lifting { schema: &self.contract.schema, plan: &self.contract.plan }
    }

    fn lowering(&self) -> Lowering<'a> {
        Lowering { schema: &self.contract.schema, plan: &self.contract.plan, arena: self.arena, offered: None }
    }

    #[cold]
    fn of_argument(&self, index: usize, fault: Fault) -> Fault {
        fault.within(format!("argument `{}`", self.method().arguments[index].name).into())
    }

    #[cold]
    fn of_result(&self, fault: Fault) -> Fault {
        fault.within("result".into()).of_result()
    }
}
