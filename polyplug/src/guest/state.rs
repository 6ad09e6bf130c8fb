//! State as a value of a type, in a form that older and newer versions of the type read.
//!
//! The bytes have the names of fields and cases. So [`restore`] fills in the defaults of fields that the saved value
//! lacks, leaves out fields that the type lacks, and reads unknown cases as the one that stands for others, as calls
//! between versions of a contract do.

use std::mem::MaybeUninit;

use crate::schema::canonical;
use crate::schema::fit::fit;
use crate::schema::plan::Plan;
use crate::schema::value_codec::{decode_value, encode_value};
use crate::schema::{Method, Schema, Types};
use crate::types::own_arena::with_arena;
use crate::types::{Depth, Give, Type};

/// The first bytes of every saved value, with the version of the form.
const MAGIC: &[u8] = b"polyplug state\x01";

/// The reason for which bytes cannot be restored as a value.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("the state cannot be restored as `{ty}`: {reason}")]
pub struct StateError {
    ty: &'static str,
    reason: String,
}

crate::debug_text::debug_as_display!(StateError);

/// Returns a value as bytes, for [`Migrate::save`](crate::Migrate::save).
///
/// # Panics
///
/// Panics if a text or a list of the value has more than four billion elements.
///
/// ```
/// use polyplug::{Type, state};
///
/// mod old {
///     #[derive(polyplug::Type)]
///     pub struct Settings { pub name: String }
/// }
///
/// #[derive(Debug, PartialEq, Type)]
/// struct Settings {
///     name: String,
///     #[contract(since = "1.1", default = 3)]
///     tries: u32,
/// }
///
/// let bytes = state::save(&old::Settings { name: "a".to_owned() });
/// assert_eq!(state::restore(&bytes), Ok(Settings { name: "a".to_owned(), tries: 3 }));
/// ```
#[must_use]
pub fn save<T: Type>(value: &T) -> Vec<u8> {
    let (schema, plan) = described::<T>();
    let value = with_arena(|arena| {
        // SAFETY: nothing else uses the arena.
        let mut to = unsafe { Give::new(arena) };
        let canon = value.lower(&mut to);
        if let Err(error) = to.finish() {
            panic!("the state cannot be saved: {error}");
        }
        // SAFETY: the value was lowered above, and the node is that of its type.
        unsafe { canonical::read(&schema, &plan, plan.method(0).result, (&raw const canon).cast()) }
    });
    encode_value(MAGIC, &value)
}

/// Returns the value that [`save`] has made bytes of, for [`Migrate::restore`](crate::Migrate::restore). The saved value may
/// be of an older or newer version of the type: see [`save`] for an example.
///
/// # Errors
///
/// The bytes are none that [`save`] makes, or the value is not of the type: a field that has no default is missing, a field
/// has another type, or a case is unknown and none stands for others.
pub fn restore<T: Type>(state: &[u8]) -> Result<T, StateError> {
    let failed = |reason: String| StateError { ty: std::any::type_name::<T>(), reason };
    let value = decode_value(MAGIC, state).map_err(failed)?;
    let (schema, plan) = described::<T>();
    let value = fit(&schema, &schema.methods[0].result, value).map_err(failed)?;
    let stored = canonical::store(&schema, &plan, plan.method(0).result, &value).map_err(failed)?;
    with_arena(|arena| {
        let mut canon = MaybeUninit::<T::Canon>::uninit();
        // SAFETY: the room has the size of the type's canonical layout, which is the node's. Nothing else uses the arena.
        if !unsafe { stored.place(canon.as_mut_ptr().cast(), arena) } {
            return Err(failed("there is not enough memory".to_owned()));
        }
        // SAFETY: `place` has written all of the value, and its pointers lead to memory of the arena.
        let lifted = unsafe { T::lift(canon.assume_init_ref(), Depth::ROOT) };
        lifted.map_err(|error| failed(error.to_string()))
    })
}

/// Returns a schema whose first method returns values of the type, and its plan.
fn described<T: Type>() -> (Schema, Plan) {
    let methods = |types: &mut Types| {
        let result = T::describe(types);
        vec![Method { name: "state".to_owned(), docs: String::new(), since: 0, arguments: Vec::new(), result }]
    };
    // Of the first major version: in a later one, parts that an earlier one has introduced were always there, and have no
    // defaults. State has no version, so all parts that were ever added may be missing.
    let schema = Schema::describe("state", 0, 0, "", methods);
    let plan = Plan::new(&schema);
    (schema, plan)
}
