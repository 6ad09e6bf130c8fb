//! Tuples.

use crate::schema::{TypeRef, Types};
use crate::types::forms::RawOption;
use crate::types::lift::{Depth, LiftError};
use crate::types::lower::Lower;
use crate::types::ty::Type;

macro_rules! tuple {
    ($raw:ident: $($name:ident $place:tt $label:literal),+) => {
        /// The canonical layout of a tuple.
        #[repr(C)]
        #[derive(Clone, Copy)]
        pub struct $raw<$($name: Copy),+>($(pub $name),+);

        // SAFETY: `PLAIN` demands equal layouts and plain parts; `lower` and `lift` convert part by part.
        unsafe impl<$($name: Type),+> Type for ($($name,)+) {
            type Canon = $raw<$($name::Canon),+>;
            type Optional = RawOption<Self::Canon>;
            const PLAIN: bool = size_of::<Self>() == size_of::<Self::Canon>()
                && align_of::<Self>() == align_of::<Self::Canon>()
                $(&& $name::PLAIN
                  && std::mem::offset_of!(Self, $place) == std::mem::offset_of!(<Self as Type>::Canon, $place))+;
            const POINTS: bool = $($name::POINTS)||+;
            const NEEDS_ROOM: bool = $($name::NEEDS_ROOM)||+;
            const NEWEST: u64 = {
                let mut newest = 0;
                $(if $name::NEWEST > newest { newest = $name::NEWEST; })+
                newest
            };

            fn describe(types: &mut Types) -> TypeRef {
                TypeRef::Tuple(vec![$($name::describe(types)),+])
            }

            #[inline]
            fn lower<const COPY: bool>(&self, to: &mut Lower<COPY>) -> Self::Canon {
                $raw($(self.$place.lower(to)),+)
            }

            #[inline]
            unsafe fn lift(canon: &Self::Canon, depth: Depth) -> Result<Self, LiftError> {
                // SAFETY: the memory that the parts point at is readable (the caller's promise).
                Ok(($(unsafe { $name::lift(&canon.$place, depth) }.map_err(|error| error.within($label))?,)+))
            }
        }
    };
}

tuple!(RawTuple1: A 0 "0");
tuple!(RawTuple2: A 0 "0", B 1 "1");
tuple!(RawTuple3: A 0 "0", B 1 "1", C 2 "2");
tuple!(RawTuple4: A 0 "0", B 1 "1", C 2 "2", D 3 "3");
tuple!(RawTuple5: A 0 "0", B 1 "1", C 2 "2", D 3 "3", E 4 "4");
tuple!(RawTuple6: A 0 "0", B 1 "1", C 2 "2", D 3 "3", E 4 "4", F 5 "5");
tuple!(RawTuple7: A 0 "0", B 1 "1", C 2 "2", D 3 "3", E 4 "4", F 5 "5", G 6 "6");
tuple!(RawTuple8: A 0 "0", B 1 "1", C 2 "2", D 3 "3", E 4 "4", F 5 "5", G 6 "6", H 7 "7");
