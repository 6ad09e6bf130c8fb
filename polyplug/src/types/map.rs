//! Maps, which cross as lists of pairs without equal keys.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};

use crate::schema::{TypeRef, Types};
use crate::truncate::Truncated;
use crate::types::forms::{RawList, RawOption};
use crate::types::lift::{Depth, LiftError};
use crate::types::lower::Lower;
use crate::types::ty::Type;

/// A type whose values can be the keys of a map: an integer, `bool`, `char` or `String`.
///
/// Keys must be equal in every language or in none. So floating-point numbers and compound values cannot be keys.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the key of a map that crosses",
    label = "not a key in every language",
    note = "use an integer, `bool`, `char` or `String` as the key, or a `Vec` of pairs instead of the map"
)]
pub trait MapKey: Type + Eq + Hash + Ord + std::fmt::Debug {}

macro_rules! key {
    ($($ty:ty),*) => { $(impl MapKey for $ty {})* };
}

key!(bool, i8, i16, i32, i64, u8, u16, u32, u64, char, String);

/// The canonical layout of one entry of a map.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawPair<K: Copy, V: Copy> {
    /// The key.
    pub key: K,
    /// The value.
    pub value: V,
}

type RawMap<K, V> = RawList<RawPair<<K as Type>::Canon, <V as Type>::Canon>>;

fn lower_pairs<'a, K: MapKey, V: Type, const COPY: bool>(
    entries: impl ExactSizeIterator<Item = (&'a K, &'a V)>,
    to: &mut Lower<COPY>,
) -> RawMap<K, V> {
    let len = entries.len();
    // A level of nesting even if empty, because the receiver counts it.
    if len == 0 {
        to.nested(|_| {});
        return RawList::empty();
    }
    let Some(start) = to.room::<RawPair<K::Canon, V::Canon>>(len) else { return RawList::empty() };
    let complete = to.nested(|to| {
        for (i, (key, value)) in entries.enumerate() {
            let pair = RawPair { key: key.lower(to), value: value.lower(to) };
            // SAFETY: `room` returned memory for `len` pairs. The iterators of std's maps yield exactly `len`.
            unsafe { start.add(i).write(pair) };
        }
    });
    if complete { RawList { ptr: start, len } } else { RawList::empty() }
}

/// Lifts the entries one by one. `insert` returns the key as an error if the map has the key already.
///
/// # Safety
///
/// Pointers in `canon` that are not null must point at readable memory of the length that goes with them.
unsafe fn lift_pairs<K: MapKey, V: Type>(
    canon: &RawMap<K, V>,
    depth: Depth,
    mut insert: impl FnMut(K, V) -> Result<(), K>,
) -> Result<(), LiftError> {
    let depth = depth.enter()?;
    // SAFETY: the list of pairs is readable (the caller's promise).
    let pairs = unsafe { canon.items() }?;
    for (i, pair) in pairs.iter().enumerate() {
        // SAFETY: the memory that keys and values point at is readable (the caller's promise).
        let (key, value) = unsafe {
            let key = K::lift(&pair.key, depth).map_err(|error| error.within("key").at(i))?;
            (key, V::lift(&pair.value, depth).map_err(|error| error.within("value").at(i))?)
        };
        if let Err(key) = insert(key, value) {
            let key = format!("{key:?}");
            return Err(LiftError::new(format_args!("the key {} comes twice", Truncated(key.as_str()))).at(i));
        }
    }
    Ok(())
}

macro_rules! map {
    ([$($generics:tt)*] $map:ty, $new:expr, $entry:path) => {
        // SAFETY: the lowered value is a list of pairs, and `lift` checks each part; `PLAIN` is false.
        unsafe impl<K: MapKey, V: Type, $($generics)*> Type for $map {
            type Canon = RawMap<K, V>;
            type Optional = RawOption<Self::Canon>;
            const POINTS: bool = true;
            const NEEDS_ROOM: bool = true;
            const NEWEST: u64 = V::NEWEST;

            fn describe(types: &mut Types) -> TypeRef {
                let key = K::describe(types);
                TypeRef::map(key, V::describe(types))
            }

            #[inline]
            fn lower<const COPY: bool>(&self, to: &mut Lower<COPY>) -> Self::Canon {
                lower_pairs(self.iter(), to)
            }

            #[inline]
            unsafe fn lift(canon: &Self::Canon, depth: Depth) -> Result<Self, LiftError> {
                let mut map: Self = $new(canon.len);
                let insert = |key, value| {
                    use $entry as Entry;
                    match map.entry(key) {
                        Entry::Vacant(entry) => {
                            entry.insert(value);
                            Ok(())
                        }
                        Entry::Occupied(entry) => Err(entry.remove_entry().0),
                    }
                };
                // SAFETY: the pairs and their data are readable (the caller's promise).
                unsafe { lift_pairs::<K, V>(canon, depth, insert) }?;
                Ok(map)
            }
        }
    };
}

// The length is not checked yet, so no more is reserved than a small map needs.
map!([S: BuildHasher + Default + 'static] HashMap<K, V, S>, |len: usize| HashMap::with_capacity_and_hasher(len.min(1024), S::default()), std::collections::hash_map::Entry);
map!([] BTreeMap<K, V>, |_| BTreeMap::new(), std::collections::btree_map::Entry);
