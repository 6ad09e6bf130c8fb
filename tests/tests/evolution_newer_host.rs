//! A plugin that was built against an older minor version of a contract serves a newer host, all but what it cannot know.

use polyplug::{CallError, Contract, Proxy, Version};
use polyplug_tests::{Bundle, runtime};
use test_contracts_new::{Colour, Evolving, EvolvingProxy, ParseError, Position, Purchase};

#[track_caller]
fn old_methods_work(proxy: &EvolvingProxy, name: &str) {
    let position = Position { x: 1.0, y: 2.5 };
    assert_eq!(proxy.add(2, 3), Ok(5));
    assert_eq!(proxy.describe(position), Ok(format!("{name}: 1 right, 2.5 up")));
    assert_eq!(proxy.next(Colour::Red), Ok(Colour::Green));
    assert_eq!(proxy.total(&[Purchase { count: 3, price: 7 }]), Ok(21));
    assert_eq!(proxy.parse(""), Ok(Err(ParseError::Empty)));
}

#[track_caller]
fn not_available<T: std::fmt::Debug>(answer: Result<T, CallError>, method: &str, minor: u32) {
    let error = answer.expect_err("the plugin lacks the method");
    let CallError::MethodNotAvailable { since, failure } = &error else { panic!("not available, not {error:?}") };
    assert_eq!(
        (failure.method.as_str(), *since),
        (format!("test.evolving.{method}").as_str(), Version::new(1, minor, 0))
    );
    let text = format!(
        "bundle `old`, test.evolving.{method}: the method exists since version 1.{minor} of the contract, and the plugin \
         implements an older one"
    );
    assert!(error.to_string().starts_with(&text), "{error}");
}

#[test]
fn an_older_plugin_serves_all_but_what_it_lacks() {
    let bundle = Bundle::native("old", "plugin-evolving-old");
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    let proxy = runtime.proxy::<dyn Evolving>().unwrap();
    old_methods_work(&proxy, "old");
    not_available(proxy.scale(Position { x: 1.0, y: 1.0 }, 2.0), "scale", 1);
    not_available(proxy.colours(), "colours", 2);
    old_methods_work(&proxy, "old");
    let error = runtime.call("test.evolving@1", "colours", &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "bundle `old`, test.evolving.colours: the contract has no method `colours`: it has add, describe, next, total, parse"
    );
}

#[test]
fn a_plugin_of_the_same_version_has_everything() {
    let bundle = Bundle::native("new", "plugin-evolving-new");
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    let proxy = runtime.proxy::<dyn Evolving>().unwrap();
    old_methods_work(&proxy, "new");
    assert_eq!(proxy.scale(Position { x: 1.0, y: -1.0 }, 2.0), Ok(Position { x: 2.0, y: -2.0 }));
    assert_eq!(proxy.colours(), Ok(vec![Colour::Red, Colour::Green, Colour::Blue]));
}

#[test]
fn a_plugin_that_grew_differently_is_refused() {
    let bundle = Bundle::native("forked", "plugin-evolving-forked");
    let error = runtime().load_bundle(bundle.path()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "bundle `forked`: plugin `Forked` implements test.evolving@1.1 differently from this host's 1.2:\n  \
           scale: argument `by`: the host has f64, the plugin list<f32>\n  \
           scale: result: the host has Position, the plugin result<Point, ParseError>\n\
         rebuild the plugin against the host's version of the contract, or give the changed contract a new major version"
    );
}

#[test]
fn look_ups_know_minor_versions() {
    let (old, new) = (Bundle::native("old", "plugin-evolving-old"), Bundle::native("new", "plugin-evolving-new"));
    let runtime = runtime();
    let id = <dyn Evolving>::ID.id();
    let old_id = runtime.load_bundle(old.path()).unwrap();
    let handle = runtime.find_guest_contract(id, 0).unwrap();
    for minor in [1, 2, 3] {
        let error = runtime.find_guest_contract(id, minor).unwrap_err().to_string();
        assert!(error.ends_with(&format!("with a minor version of at least {minor}")), "{error}");
    }
    let error = runtime.dynamic("test.evolving@1.1").unwrap_err().to_string();
    assert_eq!(error, "no loaded bundle provides test.evolving@1.1: load a bundle that does (there is 1.0)");
    let error = runtime.dynamic("test.evolving@2").unwrap_err().to_string();
    assert_eq!(error, "no loaded bundle provides test.evolving@2: load a bundle that does (there is 1.0)");
    let error = runtime.call("test.evolving@1.2", "colours", &[]).unwrap_err().to_string();
    assert!(error.contains("no loaded bundle provides test.evolving@1.2"), "{error}");

    let new_id = runtime.load_bundle(new.path()).unwrap();
    assert_eq!(runtime.find_guest_contract(id, 0), Ok(handle), "the first that serves");
    for minor in [1, 2] {
        assert_ne!(runtime.find_guest_contract(id, minor), Ok(handle));
    }
    assert!(runtime.find_guest_contract(id, 3).is_err());
    for (contract, serving) in [
        ("test.evolving@1", "old"),
        ("test.evolving@1.0", "old"),
        ("test.evolving@1.1", "new"),
        ("test.evolving@1.2", "new"),
    ] {
        let proxy = runtime.dynamic(contract).unwrap();
        assert!(format!("{proxy:?}").contains(&format!("bundle `{serving}`")), "{contract}: {proxy:?}");
    }

    assert_eq!(runtime.proxy::<dyn Evolving>().unwrap().bundle_name(), "old");
    let proxy = runtime.proxy_from::<dyn Evolving>(new_id).unwrap();
    assert_eq!(proxy.colours().map(|colours| colours.len()), Ok(3));
    let of_old = runtime.dynamic_from("test.evolving@1.2", old_id).unwrap_err().to_string();
    assert_eq!(
        of_old,
        "no loaded bundle provides test.evolving@1.2 in bundle `old`: load a bundle that does (there is 1.0, 1.2)"
    );
    let proxies = runtime.proxies::<dyn Evolving>().unwrap();
    not_available(proxies[0].colours(), "colours", 2);
    assert!(proxies[1].colours().is_ok());
}

/// A contract whose second method a script from before lacks.
#[polyplug::contract(name = "test.aging", version = "1.1")]
trait Aging {
    fn first(&self) -> u32;
    #[contract(since = "1.1")]
    fn second(&self) -> u32;
}

#[test]
fn a_script_without_a_minor_version_may_be_as_old_as_the_schema_that_it_ships() {
    let mut old = polyplug::schema::Schema::of::<dyn Aging>();
    old.minor = 0;
    old.methods.truncate(1);
    let load = |methods: &str, schema: Option<&[u8]>| {
        let code = "local Aging = require('polyplug').plugin('test.aging@1') function Aging:first() return 1 end ";
        let bundle = Bundle::script("lua", &format!("{code}{methods}"));
        if let Some(schema) = schema {
            bundle.write("test.aging@1.schema", schema);
        }
        let runtime = polyplug::Runtime::builder().loader(polyplug_lua::LuaLoader::new()).build().unwrap();
        runtime.load_bundle(bundle.path()).map(|_| runtime)
    };
    let refused = |methods: &str, schema: Option<&[u8]>| load(methods, schema).unwrap_err().to_string();
    let (old, second) = (old.encode(), "function Aging:second() return 2 end");

    let runtime = load("", Some(&old)).unwrap();
    let proxy = runtime.proxy::<dyn Aging>().unwrap();
    assert_eq!(proxy.first(), Ok(1));
    assert!(
        matches!(proxy.second(), Err(CallError::MethodNotAvailable { since, .. }) if since == Version::new(1, 1, 0))
    );
    assert!(runtime.dynamic("test.aging@1.1").is_err());
    // What is there is called, whatever schema the bundle has been left with.
    assert_eq!(load(second, Some(&old)).unwrap().proxy::<dyn Aging>().unwrap().second(), Ok(2));

    let error = refused("", None);
    let remedy = "lacks the method `second`: write what is new, or declare the plugin as `test.aging@1.0`";
    assert!(error.contains(remedy), "{error}");
    let error = refused("", Some(&polyplug::schema::Schema::of::<dyn Aging>().encode()));
    assert!(error.contains(remedy), "{error}");
    let error = refused("function Aging:secnd() return 2 end", Some(&old));
    assert!(error.ends_with("lacks the method `second` (it has `secnd`: is that a misspelling?)"), "{error}");
    let error = refused("", Some(b"no schema"));
    assert!(error.contains("test.aging@1.schema"), "{error}");
}

#[test]
fn what_names_no_contract_says_how_to_write_one() {
    let runtime = runtime();
    for text in [
        "",
        "test.evolving",
        "test.evolving@",
        "test.evolving@one",
        "test.evolving@1.2.3",
        "@1",
        "a@-1",
        "a@+1",
        "a@1.",
        "a@1.x",
    ] {
        let error = runtime.dynamic(text).unwrap_err().to_string();
        let start =
            format!("`{text}` names no contract: write its name and major version, such as `demo.calculator@1`");
        assert!(error.starts_with(&start), "{error}");
        assert!(runtime.call(text, "any", &[]).unwrap_err().to_string().contains(&start));
    }
}
