//! Each proxy has an instance, unless the plugin wants only one.

use test_contracts::Counter;
use test_contracts::instances::Singleton;

use crate::guest::Guest;

pub(crate) fn proxies_do_not_share_instances(guest: &Guest) {
    let (runtime, _bundle, one) = guest.proxy::<dyn Counter>("state");
    let other = runtime.proxy::<dyn Counter>().unwrap();
    assert_eq!((one.add(1), one.add(1), other.add(5), one.add(1)), (Ok(1), Ok(2), Ok(5), Ok(3)));
    drop(one);
    assert_eq!(other.add(1), Ok(6));
    assert_eq!(runtime.proxy::<dyn Counter>().unwrap().add(1), Ok(1), "a new one begins anew");
}

pub(crate) fn clones_share_an_instance(guest: &Guest) {
    let (_runtime, _bundle, one) = guest.proxy::<dyn Counter>("state");
    let clone = one.clone();
    assert_eq!((one.add(1), clone.add(1)), (Ok(1), Ok(2)));
    drop(one);
    assert_eq!(clone.add(1), Ok(3));
}

pub(crate) fn a_singleton_is_shared(guest: &Guest) {
    let (runtime, _bundle, one) = guest.proxy::<dyn Singleton>("state");
    let other = runtime.proxy::<dyn Singleton>().unwrap();
    assert_eq!((one.count(), other.count(), one.count()), (Ok(1), Ok(2), Ok(3)));
    drop((one, other));
    let later = runtime.proxy::<dyn Singleton>().unwrap();
    assert_eq!((later.count(), later.made()), (Ok(4), Ok(1)));
}

pub(crate) fn bundles_do_not_share(guest: &Guest) {
    let runtime = guest.runtime();
    let ((_one, one), (_other, other)) =
        (guest.load(&runtime, "one", "state", ""), guest.load(&runtime, "other", "state", ""));
    let one = runtime.proxy_from::<dyn Singleton>(one).unwrap();
    let other = runtime.proxy_from::<dyn Singleton>(other).unwrap();
    assert_eq!((one.count(), one.count(), other.count()), (Ok(1), Ok(2), Ok(1)));
    assert_eq!((one.made(), other.made()), (Ok(1), Ok(1)), "not even what is global");
}
