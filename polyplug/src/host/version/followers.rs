//! The observers of a version's retirement.

use std::sync::{Arc, Weak};

/// An observer of a version's retirement.
pub(crate) trait Follower: Send + Sync {
    /// Reacts to the replacement or unload of the version.
    fn retired(&self);
}

/// The observers of one version, which are not kept alive. Dropped ones are removed now and then.
#[derive(Default)]
pub(crate) struct Followers {
    list: Vec<Weak<dyn Follower>>,
    /// The length of `list` at which dropped followers are removed.
    sweep_at: usize,
}

impl Followers {
    /// Adds an observer.
    pub(crate) fn add(&mut self, follower: &Arc<impl Follower + 'static>) {
        if self.list.len() >= self.sweep_at {
            self.list.retain(|follower| follower.strong_count() > 0);
            self.sweep_at = (self.list.len() * 2).max(16);
        }
        let follower: Weak<dyn Follower> = Arc::downgrade(follower) as Weak<_>;
        self.list.push(follower);
    }

    /// Notifies the observers that still exist. The caller must not hold a lock, because observers run foreign code.
    pub(crate) fn notify(self) {
        for follower in self.list.iter().filter_map(Weak::upgrade) {
            follower.retired();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl Follower for Counter {
        fn retired(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn dropped_followers_are_removed() {
        let (mut followers, kept) = (Followers::default(), Arc::<Counter>::default());
        followers.add(&kept);
        for _ in 0..10_000 {
            followers.add(&Arc::<Counter>::default());
        }
        assert!(followers.list.len() <= 16, "{}", followers.list.len());
        followers.notify();
        assert_eq!(kept.0.load(Ordering::Relaxed), 1);
    }
}
