//! A plugin that was built against a newer minor version of a contract serves a host that knows the older one.

use polyplug::Contract;
use polyplug_tests::{Bundle, runtime};
use test_contracts_old::{Colour, Evolving, EvolvingProxy, Order, ParseError, Point};

#[track_caller]
fn works(proxy: &EvolvingProxy, name: &str) {
    assert_eq!(proxy.add(2, 3), Ok(5));
    assert_eq!(proxy.describe(Point { x: 1.0, y: 2.5 }), Ok(format!("{name}: 1 right, 2.5 up")));
    assert_eq!(proxy.next(Colour::Blue), Ok(Colour::Red));
    assert_eq!(proxy.total(&[Order { count: 2, price: 50 }, Order { count: 1, price: -1 }]), Ok(99));
    assert_eq!(proxy.parse("1x"), Ok(Err(ParseError::NoDigit { at: 1 })));
}

#[test]
fn a_newer_plugin_serves_an_older_host() {
    assert_eq!(<dyn Evolving>::MINOR, 0, "the host is the older one");
    let bundle = Bundle::native("new", "plugin-evolving-new");
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    works(&runtime.proxy::<dyn Evolving>().unwrap(), "new");
    // What the host does not know is not lost to those who ask by name.
    let colours = runtime.call("test.evolving@1.2", "colours", &[]).unwrap();
    assert_eq!(colours.to_string(), "[Red, Green, Blue]");
}

#[test]
fn a_method_that_the_host_does_not_know_may_be_anything() {
    let bundle = Bundle::native("forked", "plugin-evolving-forked");
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    works(&runtime.proxy::<dyn Evolving>().unwrap(), "forked");
}

#[test]
fn plugins_of_all_versions_serve_side_by_side() {
    let names = ["new", "old", "forked"];
    let bundles = names.map(|name| Bundle::native(name, &format!("plugin-evolving-{name}")));
    let runtime = runtime();
    for bundle in &bundles {
        runtime.load_bundle(bundle.path()).unwrap();
    }
    let proxies = runtime.proxies::<dyn Evolving>().unwrap();
    assert_eq!(proxies.len(), 3);
    for (proxy, name) in proxies.iter().zip(names) {
        works(proxy, name);
    }
}
