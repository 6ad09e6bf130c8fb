//! A map from tokens to the instances that are called through the C ABI.
//!
//! A token is a slot's index and a generation, packed into the pointer that callers see. The map never dereferences a
//! token: a stale or foreign token is merely unknown.

use std::ffi::c_void;
use std::sync::atomic::AtomicU32;

use crossbeam_epoch::{Atomic, Owned};

use crate::sync::atomic::{AtomicPtr, Ordering};
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// The number of slots in chunk 0. Each further chunk has twice as many as the one before.
const FIRST_CHUNK: usize = 32;

/// The number of chunks, enough for every index below `u32::MAX`.
const CHUNKS: usize = 27;

/// A map from tokens to values. Look-ups take no lock; insertions and removals hold the lock of `allocation`.
pub(crate) struct SlotMap<T> {
    chunks: [AtomicPtr<Slot<T>>; CHUNKS],
    allocation: Mutex<Allocation<T>>,
    first_generation: u32,
}

/// The first generation of the next map. Maps begin their generations far apart, so that the tokens of one map are
/// unknown to the others.
static FIRST_GENERATION: AtomicU32 = AtomicU32::new(1);
/// The step between the first generations of two maps: odd, and near 2^32 divided by the golden ratio, so that any few
/// multiples of the step lie far from each other.
const BETWEEN_TABLES: u32 = 0x9e37_79b9;

struct Slot<T> {
    entry: Atomic<Entry<T>>,
}

/// The content of a slot, as look-ups find it. An entry owns no value: the epoch collector drops entries on any thread,
/// and dropping a value runs foreign code.
struct Entry<T> {
    generation: u32,
    value: Weak<T>,
}

/// The part of a map that look-ups do not need.
struct Allocation<T> {
    /// The value of each slot that was ever used; `None` where the slot is empty.
    values: Vec<Option<Arc<T>>>,
    /// The empty slots that can be used again, each with the generation of its next entry.
    free: Vec<(u32, u32)>,
}

/// Returns the chunk of the slot `index`, and the slot's offset in the chunk.
fn locate(index: u32) -> (usize, usize) {
    let n = index as usize / FIRST_CHUNK + 1;
    let chunk = n.ilog2() as usize;
    (chunk, index as usize - FIRST_CHUNK * ((1 << chunk) - 1))
}

fn chunk_len(chunk: usize) -> usize {
    FIRST_CHUNK << chunk
}

fn pack(index: u32, generation: u32) -> *mut c_void {
    // The index plus one, so that no token is null.
    std::ptr::without_provenance_mut(((generation as usize) << 32) | (index as usize + 1))
}

fn unpack(token: *mut c_void) -> Option<(u32, u32)> {
    let bits = token.addr();
    let index = (bits as u32).checked_sub(1)?;
    Some((index, (bits >> 32) as u32))
}

impl<T: Send + Sync + 'static> SlotMap<T> {
    pub(crate) fn new() -> Self {
        Self {
            chunks: std::array::from_fn(|_| AtomicPtr::new(std::ptr::null_mut())),
            allocation: Mutex::new(Allocation { values: Vec::new(), free: Vec::new() }),
            first_generation: FIRST_GENERATION.fetch_add(BETWEEN_TABLES, Ordering::Relaxed),
        }
    }

    /// Adds `value` and returns its token.
    pub(crate) fn insert(&self, value: Arc<T>) -> *mut c_void {
        let mut allocation = self.lock();
        let (index, generation) = allocation.free.pop().unwrap_or_else(|| {
            let index = u32::try_from(allocation.values.len()).ok().filter(|index| *index != u32::MAX);
            allocation.values.push(None);
            (index.expect("fewer than four billion instances at a time"), self.first_generation)
        });
        let slot = self.slot_or_make(index);
        slot.entry.store(Owned::new(Entry { generation, value: Arc::downgrade(&value) }), Ordering::Release);
        allocation.values[index as usize] = Some(value);
        pack(index, generation)
    }

    /// Returns the value of a token, or `None` if the token is unknown.
    #[inline]
    pub(crate) fn get(&self, token: *mut c_void) -> Option<Arc<T>> {
        let (index, generation) = unpack(token)?;
        let slot = self.slot(index)?;
        let guard = crossbeam_epoch::pin();
        // SAFETY: `remove` defers the destruction of an entry until no guard from before the removal exists, and
        // `guard` is from before any removal that this load does not see. The release store of `insert` pairs with this
        // acquire load, so the entry is complete.
        let entry = unsafe { slot.entry.load(Ordering::Acquire, &guard).as_ref() }?;
        if entry.generation == generation { entry.value.upgrade() } else { None }
    }

    /// Removes a token and returns its value. Threads that looked the token up before may still use the value.
    pub(crate) fn remove(&self, token: *mut c_void) -> Option<Arc<T>> {
        let (index, generation) = unpack(token)?;
        let mut allocation = self.lock();
        let slot = self.slot(index)?;
        let guard = crossbeam_epoch::pin();
        let entry = slot.entry.load(Ordering::Acquire, &guard);
        // SAFETY: entries are removed under the lock only, which this function holds.
        unsafe { entry.as_ref() }.filter(|entry| entry.generation == generation)?;
        slot.entry.store(crossbeam_epoch::Shared::null(), Ordering::Release);
        // SAFETY: the store above made the entry unreachable, and under the lock no other call removes the entry.
        unsafe { guard.defer_destroy(entry) };
        // A slot whose generations are used up is never used again.
        let next = generation.wrapping_add(1);
        if next != self.first_generation {
            allocation.free.push((index, next));
        }
        allocation.values[index as usize].take()
    }

    fn lock(&self) -> MutexGuard<'_, Allocation<T>> {
        self.allocation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, index: u32) -> Option<&Slot<T>> {
        let (chunk, offset) = locate(index);
        let start = self.chunks.get(chunk)?.load(Ordering::Acquire);
        // SAFETY: `slot_or_make` made a chunk that is not null, and the chunk stays until the map is dropped.
        unsafe { start.as_ref()? };
        // SAFETY: the chunk has `chunk_len` slots, and `offset` is less than that.
        Some(unsafe { &*start.add(offset) })
    }

    /// Returns the slot, and makes its chunk if the chunk is missing. The caller holds the lock.
    fn slot_or_make(&self, index: u32) -> &Slot<T> {
        let (chunk, _) = locate(index);
        if self.chunks[chunk].load(Ordering::Relaxed).is_null() {
            let slots: Box<[Slot<T>]> = (0..chunk_len(chunk)).map(|_| Slot { entry: Atomic::null() }).collect();
            self.chunks[chunk].store(Box::into_raw(slots).cast(), Ordering::Release);
        }
        self.slot(index).expect("the chunk was made just now")
    }
}

impl<T> Drop for SlotMap<T> {
    fn drop(&mut self) {
        for (chunk, start) in self.chunks.iter().enumerate() {
            let start = start.load(Ordering::Relaxed);
            if start.is_null() {
                continue;
            }
            // SAFETY: `slot_or_make` made the pointer from a box of this length.
            let slots = unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(start, chunk_len(chunk))) };
            for slot in slots {
                // SAFETY: the map is being dropped, so no thread looks tokens up any more.
                drop(unsafe { slot.entry.try_into_owned() });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_found_until_removed() {
        let tokens = SlotMap::new();
        let all: Vec<_> = (0..1000).map(|n| (n, tokens.insert(Arc::new(n)))).collect();
        for (n, token) in &all {
            assert_eq!(tokens.get(*token).as_deref(), Some(n));
        }
        for (n, token) in &all {
            assert_eq!(tokens.remove(*token).as_deref(), Some(n));
            assert_eq!(tokens.get(*token), None);
            assert_eq!(tokens.remove(*token), None);
        }
        let again = tokens.insert(Arc::new(7));
        assert!(all.iter().all(|(_, token)| *token != again), "a slot used again has another generation");
    }

    #[test]
    fn foreign_tokens_are_unknown() {
        let tokens = SlotMap::new();
        let token = tokens.insert(Arc::new(1));
        for bits in [0, 1, 2, usize::MAX, usize::MAX >> 32, 0xdead_beef, token.addr() + 1, token.addr() | 1 << 60] {
            assert_eq!(tokens.get(std::ptr::without_provenance_mut(bits)), None, "{bits:#x}");
        }
    }

    #[test]
    fn tokens_of_one_table_are_unknown_to_another() {
        let tables: Vec<_> = (0..20).map(|_| SlotMap::new()).collect();
        let tokens: Vec<_> = tables.iter().map(|table| table.insert(Arc::new(()))).collect();
        for (i, table) in tables.iter().enumerate() {
            for (j, token) in tokens.iter().enumerate() {
                assert_eq!(table.get(*token).is_some(), i == j);
            }
        }
    }

    #[test]
    fn slots_fill_their_chunks() {
        let mut expected = (0, 0);
        for index in 0..100_000 {
            assert_eq!(locate(index), expected);
            expected.1 += 1;
            if expected.1 == chunk_len(expected.0) {
                expected = (expected.0 + 1, 0);
            }
        }
        assert!(locate(u32::MAX - 1).0 < CHUNKS + 1);
    }
}
