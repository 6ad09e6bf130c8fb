//! Any thread may call, and each gets its own answers.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use polyplug::CallError;
use test_contracts::Counter;
use test_contracts::callbacks::Progress;
use test_contracts::conformance::{Failing, Objects, ObjectsProxy, Written, order};
use test_contracts::instances::Singleton;
use test_contracts::types::{Refusal, Shape};

use crate::guest::{Guest, raised};

const THREADS: u32 = 8;

pub(crate) fn threads_share_a_proxy(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Counter>("state");
    let sum = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut last = 0;
                for _ in 0..500 {
                    let count = proxy.add(1).unwrap();
                    assert!(count > last, "{count} came after {last}");
                    last = count;
                    sum.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(proxy.add(0), Ok(sum.load(Ordering::Relaxed)), "no call was lost");
}

pub(crate) fn threads_have_proxies_of_their_own(guest: &Guest) {
    let (runtime, _bundle) = guest.loaded("written");
    let start = std::sync::Barrier::new(THREADS as usize);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (runtime, start) = (&runtime, &start);
            scope.spawn(move || {
                start.wait();
                let proxy = runtime.proxy::<dyn Written>().unwrap();
                for round in 0..200 {
                    let text = format!("{thread} {round} ");
                    assert_eq!(proxy.repeat(&text, 3), Ok(text.repeat(3)));
                    let mut own = order();
                    own.items.truncate(1);
                    own.items[0].count = thread * 1000 + round;
                    assert_eq!(proxy.total(&own), Ok(f64::from(own.items[0].count) * 1.25));
                    let size = u8::try_from(thread * 30 + round % 30).unwrap();
                    assert_eq!(proxy.spell(&Shape::Dot(size)), Ok(format!("dot {size}")));
                }
            });
        }
    });
}

pub(crate) fn threads_get_their_own_errors(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Failing>("failing");
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let proxy = &proxy;
            scope.spawn(move || {
                for round in 0..100 {
                    let words = format!("{thread} {round}");
                    let failure = raised(proxy.throw(&words));
                    assert!(failure.message.ends_with(&words), "{words}: {failure:?}");
                    assert!(failure.location.is_some());
                    assert_eq!(proxy.variant("full"), Ok(Err(Refusal::Full { capacity: 7 })));
                }
            });
        }
    });
}

pub(crate) fn threads_get_one_singleton(guest: &Guest) {
    let (runtime, _bundle) = guest.loaded("state");
    let start = std::sync::Barrier::new(THREADS as usize);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                start.wait();
                let singleton = runtime.proxy::<dyn Singleton>().unwrap();
                singleton.count().unwrap();
                assert_eq!(singleton.made(), Ok(1));
            });
        }
    });
    assert_eq!(runtime.proxy::<dyn Singleton>().unwrap().count(), Ok(THREADS + 1));
}

pub(crate) fn threads_load_and_unload(guest: &Guest) {
    let runtime = guest.runtime();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let runtime = &runtime;
            scope.spawn(move || {
                let name = format!("state-{thread}");
                for _ in 0..5 {
                    let (_bundle, id) = guest.load(runtime, &name, "state", "");
                    let proxy = runtime.proxy_from::<dyn Counter>(id).unwrap();
                    assert_eq!((proxy.add(2), proxy.add(3)), (Ok(2), Ok(5)));
                    drop(proxy);
                    runtime.unload_bundle(id).unwrap();
                }
            });
        }
    });
    assert_eq!(runtime.quiesce(std::time::Duration::from_secs(20)), []);
}

/// Has another thread do something in the middle of a call, and waits for it.
struct Meanwhile<F>(F);

impl<F: Fn() + Send + Sync> Progress for Meanwhile<F> {
    fn step(&self, _: u32, _: &str) -> bool {
        std::thread::scope(|scope| scope.spawn(&self.0).join().expect("it goes well"));
        false
    }

    fn breaks(&self) {}

    fn note(&self, text: String) -> Result<u32, String> {
        Err(text)
    }
}

/// What is no call of the plugin is done while one is running.
pub(crate) fn others_need_not_wait_for_a_call(guest: &Guest) {
    let (runtime, bundle, proxy) = guest.proxy::<dyn Objects>("objects");
    let (_counting, id) = guest.load(&runtime, "state", "state", "");
    let others = Mutex::new(vec![proxy.clone(), runtime.proxy::<dyn Objects>().unwrap()]);
    assert_eq!(proxy.work(1, &Meanwhile(|| drop(others.lock().unwrap().drain(..)))), Ok(0), "proxies are dropped");
    let count = || assert_eq!(runtime.proxy_from::<dyn Counter>(id).unwrap().add(2), Ok(2));
    assert_eq!(proxy.work(1, &Meanwhile(count)), Ok(0), "other bundles are called");
    assert_eq!(proxy.work(1, &Meanwhile(|| assert_eq!(runtime.bundles().len(), 2))), Ok(0), "bundles are listed");
    let reload = || assert!(runtime.reload_bundle(bundle.path()).is_ok());
    assert_eq!(proxy.work(1, &Meanwhile(reload)), Ok(0), "the bundle is reloaded");
    let unload = || assert!(runtime.unload_bundle(polyplug::BundleId::new("objects")).is_ok());
    assert_eq!(proxy.work(1, &Meanwhile(unload)), Ok(0), "the bundle is unloaded");
    assert!(proxy.heard().unwrap_err().is_unloaded());
    drop(proxy);
    assert_eq!(runtime.quiesce(std::time::Duration::from_secs(20)), []);
}

/// Two bundles that call each other from two sides at once get an answer or an error, and never wait for ever.
pub(crate) fn bundles_that_call_each_other_do_not_hang(guest: &Guest) {
    /// Calls the other bundle while the first is in a call of its own.
    struct Across<'a>(&'a ObjectsProxy, &'a std::sync::Barrier);
    impl Progress for Across<'_> {
        fn step(&self, _: u32, _: &str) -> bool {
            self.1.wait();
            match self.0.heard() {
                Ok(0) | Err(CallError::Deadlock(_)) => true,
                other => panic!("an answer or an error, not {other:?}"),
            }
        }

        fn breaks(&self) {}

        fn note(&self, text: String) -> Result<u32, String> {
            Err(text)
        }
    }

    let runtime = guest.runtime();
    let (_one, one) = guest.load(&runtime, "one", "objects", "");
    let (_other, other) = guest.load(&runtime, "other", "objects", "");
    let one = runtime.proxy_from::<dyn Objects>(one).unwrap();
    let other = runtime.proxy_from::<dyn Objects>(other).unwrap();
    for _ in 0..20 {
        let both = std::sync::Barrier::new(2);
        std::thread::scope(|scope| {
            scope.spawn(|| assert_eq!(one.work(1, &Across(&other, &both)), Ok(1)));
            scope.spawn(|| assert_eq!(other.work(1, &Across(&one, &both)), Ok(1)));
        });
    }
    assert_eq!((one.heard(), other.heard()), (Ok(0), Ok(0)), "both serve on");
}
