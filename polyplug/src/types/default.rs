//! Defaults of fields, which a newer side reads where an older side has sent none.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use polyplug_abi::CallArena;

use crate::schema::Types;
use crate::schema::canonical;
use crate::types::checked::Crosses;
use crate::types::lower::Give;

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
            let (value, mut blocks) = (make(), Blocks::new());
            // SAFETY: `grow` follows the protocol for arenas whose context is a `Blocks`, which outlives the arena.
            let mut arena = unsafe { CallArena::growing(grow, (&raw mut blocks).cast::<c_void>()) };
            // SAFETY: nothing else uses the arena.
            let mut to = unsafe { Give::new(&raw mut arena) };
            let canon = value.lower(&mut to);
            if let Err(error) = to.finish() {
                panic!("the default of a field cannot be lowered: {error}");
            }
            // SAFETY: the value was lowered above, and the node is that of its type in the contract's plan.
            unsafe { canonical::read(schema, plan, node, (&raw const canon).cast()) }
        });
        self.add_default(case, field, make);
    }
}

/// The memory of an arena that is used once.
type Blocks = Vec<Box<[MaybeUninit<u128>]>>;

/// Gives an arena memory for one allocation, as [`polyplug_abi::GrowFn`] demands.
///
/// # Safety
///
/// The arena's context must be a [`Blocks`] that nothing else uses.
unsafe extern "C" fn grow(arena: *mut CallArena, size: usize, align: usize) -> *mut u8 {
    // SAFETY: the caller guarantees the arena and its context.
    let blocks = unsafe { &mut *(*arena).context().cast::<Blocks>() };
    if align > align_of::<u128>() {
        return std::ptr::null_mut();
    }
    blocks.push(vec![MaybeUninit::uninit(); size.div_ceil(size_of::<u128>())].into_boxed_slice());
    blocks.last_mut().map_or(std::ptr::null_mut(), |block| block.as_mut_ptr().cast())
}
