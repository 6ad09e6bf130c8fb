//! Tokens: a look-up takes no lock and finds a value that stays, or nothing.

use std::sync::Arc as Untracked;

use crossbeam_epoch::{Collects, set_collects};

use super::{join, spawn};
use crate::explore::explore;
use crate::host::abi::slot_map::SlotMap;
use crate::sync::Arc;

/// A token that is ended meanwhile is unknown, or its value may be used.
pub fn what_a_token_names_stays_while_it_is_used() {
    explore(|| {
        let tokens = Untracked::new(SlotMap::new());
        let token = tokens.insert(Arc::new(7)).addr();
        let user = spawn({
            let tokens = Untracked::clone(&tokens);
            move || tokens.get(std::ptr::without_provenance_mut(token)).map(|value| *value)
        });
        let removed = tokens.remove(std::ptr::without_provenance_mut(token));
        assert_eq!(removed.as_deref(), Some(&7));
        drop(removed);
        assert!(matches!(join(user), None | Some(7)));
    });
}

/// Of two threads that end a token one gets its value.
pub fn a_token_ends_once() {
    explore(|| {
        let tokens = Untracked::new(SlotMap::new());
        let token = tokens.insert(Arc::new(7)).addr();
        let remove = move |tokens: &SlotMap<i32>| tokens.remove(std::ptr::without_provenance_mut(token)).is_some();
        let user = spawn({
            let tokens = Untracked::clone(&tokens);
            move || remove(&tokens)
        });
        let here = remove(&tokens);
        assert!(here ^ join(user));
    });
}

/// A value whose drop ends another token.
struct Chained {
    tokens: Untracked<SlotMap<Chained>>,
    next: Option<usize>,
}

impl Drop for Chained {
    fn drop(&mut self) {
        if let Some(next) = self.next.take() {
            drop(self.tokens.remove(std::ptr::without_provenance_mut(next)));
        }
    }
}

/// The drop of a value may be foreign code: no lock is held when it runs.
pub fn a_value_ends_without_a_lock() {
    explore(|| {
        set_collects(Collects::Later);
        let tokens = Untracked::new(SlotMap::new());
        let chained = |next| Arc::new(Chained { tokens: Untracked::clone(&tokens), next });
        let last = tokens.insert(chained(None)).addr();
        let middle = tokens.insert(chained(Some(last))).addr();
        let first = tokens.insert(chained(None)).addr();
        let user = spawn({
            let tokens = Untracked::clone(&tokens);
            move || drop(tokens.remove(std::ptr::without_provenance_mut(middle)))
        });
        drop(tokens.remove(std::ptr::without_provenance_mut(first)));
        join(user);
        assert!(tokens.get(std::ptr::without_provenance_mut(last)).is_none());
    });
}

/// A thread uses a token before the value is published, such as a guessed one: it finds nothing, or the whole value.
pub fn a_token_is_whole_when_it_is_found() {
    explore(|| {
        let tokens = Untracked::new(SlotMap::new());
        let token = tokens.insert(Arc::new(6)).addr();
        drop(tokens.remove(std::ptr::without_provenance_mut(token)));
        // The same slot, a generation later.
        let next = token + (1 << 32);
        let user = spawn({
            let tokens = Untracked::clone(&tokens);
            move || tokens.get(std::ptr::without_provenance_mut(next)).map(|value| *value)
        });
        assert_eq!(tokens.insert(Arc::new(7)).addr(), next);
        assert!(matches!(join(user), None | Some(7)));
    });
}
