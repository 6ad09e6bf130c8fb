//! Conversions of values from the canonical layouts of one version of a contract to those of another.

use std::mem::MaybeUninit;
use std::ptr;

use polyplug_abi::CallArena;

use crate::schema::stored::Stored;
use crate::types::{Depth, LiftError, RawList};

/// The conversions of one direction, by number.
#[derive(Debug, Default)]
pub(super) struct Conversions(pub(super) Vec<Conversion>);

/// The conversion of one type's values.
#[derive(Debug)]
pub(super) enum Conversion {
    /// The parts of a record or a tuple, and of every type whose layouts are the same.
    Parts(Vec<Part>),
    /// Pointer and length.
    Sequence { from_align: usize, from_stride: usize, to_stride: usize, to_align: usize, element: Element },
    /// A tag of one byte, and the value.
    Option(Vec<Part>),
    /// A pointer, which may be null if the flag says so.
    Pointer { from_align: usize, to_size: usize, to_align: usize, nullable: bool, target: Vec<Part> },
    /// A tag of four bytes, and the parts of each case.
    Cases { cases: Cases, bodies: Vec<Vec<Part>> },
}

/// A part of a value, with its offsets on both sides.
#[derive(Debug)]
pub(super) enum Part {
    /// Bytes that are the same on both sides.
    Copy { from: usize, to: usize, size: usize },
    /// A value whose type has grown.
    Convert { from: usize, to: usize, number: usize, name: Option<Box<str>> },
    /// A field that the sender lacks.
    Default { to: usize, value: Stored },
}

/// The parts of the elements of a list or of the entries of a map.
#[derive(Debug)]
pub(super) enum Element {
    /// Parts that are moved for all elements at once.
    Plain(Vec<Move>),
    Parts(Vec<Part>),
}

/// Bytes that each element gets, wherever they come from.
#[derive(Debug)]
pub(super) struct Move {
    /// The offset in the sender's elements, or the bytes themselves.
    from: Result<usize, Box<[u8]>>,
    to: usize,
    size: usize,
}

impl Element {
    pub(super) fn new(parts: Vec<Part>) -> Self {
        let plain = |part: &Part| match part {
            Part::Copy { from, to, size } => Some(Move { from: Ok(*from), to: *to, size: *size }),
            Part::Default { to, value } => {
                let bytes: Box<[u8]> = value.bytes()?.into();
                Some(Move { to: *to, size: bytes.len(), from: Err(bytes) })
            }
            Part::Convert { .. } => None,
        };
        match parts.iter().map(plain).collect() {
            Some(moves) => Self::Plain(moves),
            None => Self::Parts(parts),
        }
    }
}

impl Move {
    /// Moves the bytes of `len` elements, given by where they begin and by their sizes on both sides.
    ///
    /// # Safety
    ///
    /// Both sides must have `len` elements of their size, the receiver's writable, with this part in each.
    unsafe fn all(&self, len: usize, (from, from_stride): (*const u8, usize), (to, to_stride): (*mut u8, usize)) {
        let (from, from_stride) = match &self.from {
            // SAFETY: the offset is that of the part in the first element (the caller's promise).
            Ok(at) => (unsafe { from.add(*at) }, from_stride),
            // The same bytes for all.
            Err(bytes) => (bytes.as_ptr(), 0),
        };
        // SAFETY: as above.
        let to = unsafe { to.add(self.to) };
        // Copies of a size that the compiler knows are a few instructions each.
        macro_rules! sizes {
            ($($size:literal)*) => {
                match self.size {
                    $($size => {
                        for i in 0..len {
                            // SAFETY: the part lies in each element (the caller's promise). A byte may be padding, which
                            // `MaybeUninit` admits, and the type has no alignment.
                            unsafe {
                                let bytes = from.add(i * from_stride).cast::<MaybeUninit<[u8; $size]>>().read();
                                to.add(i * to_stride).cast::<MaybeUninit<[u8; $size]>>().write(bytes);
                            }
                        }
                    })*
                    size => {
                        for i in 0..len {
                            // SAFETY: the part lies in each element (the caller's promise).
                            unsafe { ptr::copy_nonoverlapping(from.add(i * from_stride), to.add(i * to_stride), size) };
                        }
                    }
                }
            };
        }
        sizes!(1 2 4 8 12 16 20 24 28 32 36 40 48 56 64 72 80 96 112 128);
    }
}

/// The cases of an enum or variant.
#[derive(Debug)]
pub(super) struct Cases {
    /// The name of the type.
    pub(super) of: String,
    /// The number of cases that both sides know.
    pub(super) common: u32,
    /// The case of the receiver's that unknown ones are read as.
    pub(super) other: Option<u32>,
    /// What is wrong with the cases that only the sender knows, in order.
    pub(super) unknown: Vec<String>,
}

impl Cases {
    /// Returns the receiver's tag for a tag of the sender's.
    fn tag(&self, tag: u32) -> Result<u32, LiftError> {
        if tag < self.common {
            return Ok(tag);
        }
        let Some(unknown) = self.unknown.get((tag - self.common) as usize) else {
            let all = self.common + u32::try_from(self.unknown.len()).unwrap_or(u32::MAX);
            return Err(LiftError::tag(&self.of, tag, all));
        };
        self.other.ok_or_else(|| LiftError::new(unknown))
    }
}

impl Conversions {
    /// Converts the parts of a value.
    ///
    /// # Safety
    ///
    /// `from` must point to a value of the sender's type. Pointers in the value that are neither null nor misaligned must
    /// point at readable memory of the length that goes with them. `to` must point to writable memory for the receiver's
    /// type, aligned. The arena must be valid and unused otherwise, or null if no part needs memory.
    pub(super) unsafe fn parts(
        &self,
        parts: &[Part],
        from: *const u8,
        to: *mut u8,
        arena: *mut CallArena,
        depth: Depth,
    ) -> Result<(), LiftError> {
        for part in parts {
            // SAFETY: the offsets are those of the part on each side (the caller's promise for the whole).
            unsafe {
                match part {
                    Part::Copy { from: at, to: to_at, size } => {
                        ptr::copy_nonoverlapping(from.add(*at), to.add(*to_at), *size);
                    }
                    Part::Convert { from: at, to: to_at, number, name } => {
                        let converted = self.value(*number, from.add(*at), to.add(*to_at), arena, depth);
                        if let Err(error) = converted {
                            return Err(match name {
                                Some(name) => error.within(name.to_string()),
                                None => error,
                            });
                        }
                    }
                    Part::Default { to: to_at, value } => {
                        if !value.place(to.add(*to_at), arena) {
                            return Err(no_room());
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Converts a value.
    ///
    /// # Safety
    ///
    /// As of [`parts`](Self::parts).
    unsafe fn value(
        &self,
        number: usize,
        from: *const u8,
        to: *mut u8,
        arena: *mut CallArena,
        depth: Depth,
    ) -> Result<(), LiftError> {
        // SAFETY: of the whole block: the layouts are those of the conversion (the caller's promise); `allocate` returns
        // memory of the size that is asked for.
        unsafe {
            match &self.0[number] {
                Conversion::Parts(parts) => self.parts(parts, from, to, arena, depth),
                Conversion::Sequence { from_align, from_stride, to_stride, to_align, element } => {
                    let depth = depth.enter()?;
                    let list = from.cast::<RawList<u8>>().read();
                    if list.len == 0 {
                        to.cast::<RawList<u8>>().write(RawList::empty());
                        return Ok(());
                    }
                    if list.ptr.is_null() || list.ptr.addr() % from_align != 0 {
                        return Err(LiftError::pointer("list"));
                    }
                    let stride = (*from_stride).max(*to_stride).max(1);
                    if list.len > isize::MAX as usize / stride {
                        return Err(LiftError::new(format_args!("a list of {} elements cannot exist", list.len)));
                    }
                    let start = allocate(arena, list.len * to_stride, *to_align)?;
                    match element {
                        Element::Plain(moves) => {
                            moves
                                .iter()
                                .for_each(|each| each.all(list.len, (list.ptr, *from_stride), (start, *to_stride)));
                        }
                        Element::Parts(parts) => {
                            for i in 0..list.len {
                                let (item, into) = (list.ptr.add(i * from_stride), start.add(i * to_stride));
                                self.parts(parts, item, into, arena, depth).map_err(|error| error.at(i))?;
                            }
                        }
                    }
                    to.cast::<RawList<u8>>().write(RawList { ptr: start, len: list.len });
                    Ok(())
                }
                Conversion::Option(parts) => {
                    let tag = from.read();
                    to.write(tag);
                    match tag {
                        0 => Ok(()),
                        1 => self.parts(parts, from, to, arena, depth),
                        tag => Err(LiftError::tag("option", tag.into(), 2)),
                    }
                }
                Conversion::Pointer { from_align, to_size, to_align, nullable, target } => {
                    let depth = depth.enter()?;
                    let pointer = from.cast::<*const u8>().read();
                    if pointer.is_null() && *nullable {
                        to.cast::<*const u8>().write(ptr::null());
                        return Ok(());
                    }
                    if pointer.is_null() || pointer.addr() % from_align != 0 {
                        return Err(LiftError::pointer("box"));
                    }
                    let start = allocate(arena, *to_size, *to_align)?;
                    self.parts(target, pointer, start, arena, depth)?;
                    to.cast::<*const u8>().write(start);
                    Ok(())
                }
                Conversion::Cases { cases, bodies } => {
                    let sent = from.cast::<u32>().read();
                    let tag = cases.tag(sent)?;
                    to.cast::<u32>().write(tag);
                    match bodies.get(sent as usize) {
                        Some(body) => self.parts(body, from, to, arena, depth),
                        None => Ok(()),
                    }
                }
            }
        }
    }
}

fn allocate(arena: *mut CallArena, size: usize, align: usize) -> Result<*mut u8, LiftError> {
    // SAFETY: the arena is valid or null (guaranteed by the caller of the conversion).
    let start = unsafe { arena.as_mut() }.map_or(ptr::null_mut(), |arena| arena.alloc(size, align));
    if start.is_null() { Err(no_room()) } else { Ok(start) }
}

/// Makes the error of an arena that is too small.
pub(super) fn no_room() -> LiftError {
    LiftError::limit("the value does not fit into the call's arena")
}
