//! A call of a guest, as its engine carries it out.

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

/// The memory of a call, laid out by the plan of the contract.
#[derive(Debug, Clone, Copy)]
pub struct CallMemory {
    /// The arguments. Readable until the call returns.
    pub args: *const u8,
    /// The place of the result, writable.
    pub out: *mut u8,
    /// The arena for the memory that the result points to. Null, or valid and not used by others until the call returns.
    pub arena: *mut CallArena,
}

/// A call of one method, with its arguments and the memory for its result.
///
/// An engine makes each argument with [`argument`](Self::argument) and calls its own function. The engine passes the
/// value that the function returned to [`set_result`](Self::set_result), or the error that it raised to
/// [`set_error`](Self::set_error).
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
    /// Makes the call of method `number` of a contract.
    ///
    /// # Safety
    ///
    /// `plan` must be the plan of `method`. The pointers of `frame` must have the layouts that the plan describes; its
    /// arena must be null, or valid and not used by others during the call.
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

    /// Returns the number of the method in its contract.
    #[inline]
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }

    /// Returns the method.
    #[must_use]
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// Returns the number of arguments.
    #[inline]
    #[must_use]
    pub fn arguments(&self) -> usize {
        self.plan.arguments.len()
    }

    /// Returns whether the arguments are small, for engines with a faster path for small arguments. Arguments are small
    /// if texts and bytes have at most `len` bytes together, and 64-bit integers lie at most `magnitude` from 0. Values
    /// within other arguments do not count.
    #[inline]
    #[must_use]
    pub fn is_small(&self, len: usize, magnitude: u64) -> bool {
        let mut remaining = len;
        self.plan.arguments.iter().all(|place| {
            // SAFETY: the caller of `new` promised the layout of the arguments, and `place` lies within.
            unsafe {
                let at = self.args.add(place.at);
                match &self.contract.plan.node(place.node).kind {
                    Kind::Scalar(Scalar::I64) => at.cast::<i64>().read().unsigned_abs() <= magnitude,
                    Kind::Scalar(Scalar::U64) => at.cast::<u64>().read() <= magnitude,
                    Kind::String | Kind::Bytes => match remaining.checked_sub(at.cast::<RawList<u8>>().read().len) {
                        Some(rest) => {
                            remaining = rest;
                            true
                        }
                        None => false,
                    },
                    _ => true,
                }
            }
        })
    }

    /// Returns argument `index`, counted from 0, as a value of the engine.
    ///
    /// # Errors
    ///
    /// The caller's memory does not hold a value of the argument's type, or the engine cannot make the value.
    ///
    /// # Panics
    ///
    /// If `index` is not less than [`arguments`](Self::arguments).
    #[inline]
    pub fn argument<E: Build<Error = Fault>>(&self, engine: &mut E, index: usize) -> Result<E::Value, Fault> {
        let place = &self.plan.arguments[index];
        // SAFETY: the caller of `new` promised the layout of the arguments, and `place` lies within.
        unsafe { self.lifting().value(engine, place.node, self.args.add(place.at)) }
            .map_err(|fault| self.of_argument(index, fault))
    }

    /// Makes each argument a value of the engine, and passes the value to `put` before the next one is made.
    ///
    /// # Errors
    ///
    /// The error of [`argument`](Self::argument) for the first argument that has one.
    #[inline(always)]
    pub fn each_argument<E: Build<Error = Fault>>(
        &self,
        engine: &mut E,
        mut put: impl FnMut(E::Value),
    ) -> Result<(), Fault> {
        let lifting = self.lifting();
        for (index, place) in self.plan.arguments.iter().enumerate() {
            // SAFETY: the caller of `new` promised the layout of the arguments, and `place` lies within.
            let value = unsafe { lifting.value(engine, place.node, self.args.add(place.at)) };
            put(value.map_err(|fault| self.of_argument(index, fault))?);
        }
        Ok(())
    }

    /// Sets the result of the call to the value that the guest returned.
    ///
    /// # Errors
    ///
    /// The value does not have the result's type.
    #[inline]
    pub fn set_result<E: Read<Error = Fault>>(&self, engine: &mut E, value: &E::Value) -> Result<(), Fault> {
        let result = self.plan.result;
        // Scalars take the shortest path.
        let Kind::Scalar(scalar) = self.contract.plan.node(result).kind else {
            return self.set_other_result(engine, value);
        };
        // SAFETY: the caller of `new` promised that `out` has the layout of the result, which is this scalar.
        unsafe { self.lowering().scalar(engine, result, scalar, value, self.out) }
            .map_err(|fault| self.of_result(fault))
    }

    /// Sets a result that is not a scalar.
    #[inline(never)]
    fn set_other_result<E: Read<Error = Fault>>(&self, engine: &mut E, value: &E::Value) -> Result<(), Fault> {
        let result = self.plan.result;
        let written = match &self.contract.plan.node(result).kind {
            Kind::Unit if engine.is_unit(value) => return Ok(()),
            Kind::Result { ok, at, .. } => {
                // SAFETY: the caller of `new` promised that `out` has the layout of the result, which begins with a
                // tag. The value lies within.
                unsafe {
                    self.out.cast::<u32>().write(0);
                    self.lowering().value(engine, *ok, value, self.out.add(*at))
                }
            }
            // SAFETY: the caller of `new` promised that `out` has the layout of the result.
            _ => unsafe { self.lowering().value(engine, result, value, self.out) },
        };
        written.map_err(|fault| self.of_result(fault))
    }

    /// Sets the result of the call to the error that the guest raised, which the method declares.
    ///
    /// # Errors
    ///
    /// The value does not have the error's type, or the method does not declare an error.
    pub fn set_error<E: Read<Error = Fault>>(&self, engine: &mut E, error: &E::Value) -> Result<(), Fault> {
        let Kind::Result { err, at, .. } = &self.contract.plan.node(self.plan.result).kind else {
            return Err(Fault::new(format_args!(
                "the method declares no error, and raised {}",
                engine.describe(error)
            )));
        };
        // SAFETY: the caller of `new` promised that `out` has the layout of the result, which begins with a tag. The
        // error lies within.
        let written = unsafe {
            self.out.cast::<u32>().write(1);
            self.lowering().value(engine, *err, error, self.out.add(*at))
        };
        written.map_err(|fault| self.of_result(fault.within("error".into())))
    }

    /// Returns `None` if the method does not declare an error. Otherwise returns the number of the error's definition,
    /// or `None` within if the error's type has no name.
    #[must_use]
    pub fn declares(&self) -> Option<Option<u32>> {
        let Kind::Result { err, .. } = &self.contract.plan.node(self.plan.result).kind else { return None };
        Some(match &self.contract.plan.node(*err).kind {
            Kind::Record(number, _) | Kind::Enum(number, _) | Kind::Variant { definition: number, .. } => Some(*number),
            _ => None,
        })
    }

    /// Returns the memory of the call, for engines that move the values themselves, by the plan of the contract.
    #[inline]
    #[must_use]
    pub fn memory(&self) -> CallMemory {
        CallMemory { args: self.args, out: self.out, arena: self.arena }
    }

    /// Returns the fault of an argument that the engine has moved itself. `fault` is about the argument's value.
    #[cold]
    #[must_use]
    pub fn wrong_argument(&self, index: usize, fault: Fault) -> Fault {
        self.of_argument(index, fault)
    }

    /// Returns the fault of a result that the engine has moved itself. `fault` is about the result's value.
    #[cold]
    #[must_use]
    pub fn wrong_result(&self, fault: Fault) -> Fault {
        self.of_result(fault)
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
