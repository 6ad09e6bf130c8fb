//! A bundle goes by its name: what takes an id takes the name as well, and what is shown to an operator shows the name.

use std::sync::Arc;

use polyplug::error::RuntimeError;
use polyplug::{BundleId, Runtime};
use polyplug_lua::LuaLoader;
use polyplug_tests::lua::{SCRIPT, Script};
use polyplug_tests::{Bundle, manifest};

fn runtime() -> Arc<Runtime> {
    Runtime::builder().loader(LuaLoader::new()).hot_reload(true).build().unwrap()
}

fn script_called(name: &str) -> Bundle {
    let bundle = Bundle::script("lua", SCRIPT);
    bundle.write("manifest.toml", manifest(name, "lua", "main.lua"));
    bundle
}

#[test]
fn what_takes_an_id_takes_a_name() {
    let runtime = runtime();
    let (one, two) = (script_called("one"), script_called("two"));
    runtime.configure("one", toml::Table::new()).unwrap();
    runtime.configure(BundleId::new("one"), toml::Table::new()).unwrap();
    runtime.grant("two", ["test.logger@1"]).unwrap();
    runtime.grant_all(BundleId::new("two"));
    let id = runtime.load_bundle(one.path()).unwrap();
    runtime.load_bundle(two.path()).unwrap();

    let name = "one".to_owned();
    let info = runtime.bundle("one").unwrap();
    assert_eq!(runtime.bundle(id).as_ref(), Some(&info));
    assert_eq!((runtime.bundle_name("one"), runtime.bundle_name(&name)), (Some(name.clone()), Some(name.clone())));
    for proxy in [
        runtime.proxy_from::<dyn Script>("one"),
        runtime.proxy_from::<dyn Script>(&name),
        runtime.proxy_from::<dyn Script>(name.clone()),
        runtime.proxy_from::<dyn Script>(&info),
        runtime.proxy_from::<dyn Script>(BundleId::new("one")),
        runtime.proxy_from::<dyn Script>(&id),
        runtime.snapshot().proxy_from::<dyn Script>("one"),
    ] {
        assert_eq!(proxy.unwrap().run("return 1"), Ok("1".to_owned()));
    }
    assert!(runtime.dynamic_from("test.script@1", "one").is_ok());
    runtime.prefer::<dyn Script>("two").unwrap();
    let contract = polyplug::GuestContractId::new("test.script", 1);
    let first = runtime.find_guest_contract_named("test.script@1").unwrap();
    assert_eq!(first, runtime.find_guest_contract_in(contract.id(), "two").unwrap(), "the preferred one");
    assert_eq!(runtime.snapshot().find_guest_contract_in(contract, "two"), Some(first));
    assert!(matches!(runtime.find_guest_contract_named("test.script@1.5"), Err(RuntimeError::NoProvider { .. })));
    assert!(matches!(runtime.find_guest_contract_named("test.script"), Err(RuntimeError::InvalidContract { .. })));

    assert_eq!(runtime.unload_bundle("one").unwrap().bundle, "one");
    assert_eq!(runtime.unload_bundle_cascade("two").unwrap().len(), 1);
    runtime.load_bundle(one.path()).unwrap();
    assert_eq!(runtime.unload_bundle(&info).unwrap().bundle, "one");
}

#[test]
fn an_unknown_bundle_is_answered_with_the_nearest_name() {
    let runtime = runtime();
    let error = |outcome: Result<(), RuntimeError>| outcome.unwrap_err().to_string();
    let unload = |name: &str| error(runtime.unload_bundle(name).map(drop));
    assert_eq!(unload("calc"), "no bundle `calc` is loaded, nor is any other: load it first");
    let bundles = [script_called("calc-rust"), script_called("journal")];
    for bundle in &bundles {
        runtime.load_bundle(bundle.path()).unwrap();
    }
    assert_eq!(unload("calc-rsut"), "no bundle `calc-rsut` is loaded (did you mean `calc-rust`?)");
    let near = error(runtime.proxy_from::<dyn Script>("jurnal").map(drop));
    assert_eq!(near, "no bundle `jurnal` is loaded (did you mean `journal`?)");
    let near = error(runtime.dynamic_from("test.script@1", "jurnal").map(drop));
    assert_eq!(near, "no bundle `jurnal` is loaded (did you mean `journal`?)");
    let (calc, journal) = (BundleId::new("calc-rust"), BundleId::new("journal"));
    let loaded = format!("loaded are `calc-rust` ({calc}), `journal` ({journal})");
    assert_eq!(unload("nothing like it"), format!("no bundle `nothing like it` is loaded: {loaded}"));
    let id = BundleId::new("nothing like it");
    let by_id = error(runtime.unload_bundle(id).map(drop));
    assert_eq!(by_id, format!("no loaded bundle has the id {id}: {loaded}"));
}

#[test]
fn reports_and_debug_texts_show_names() {
    let runtime = runtime();
    let bundle = script_called("journal");
    let id = runtime.load_bundle(bundle.path()).unwrap();
    assert!(runtime.bundle("journal").unwrap().to_string().starts_with(&format!("journal 1.0.0 ({id}, lua")));
    let proxy = runtime.proxy::<dyn Script>().unwrap();
    let text = format!("{proxy:?}");
    assert!(text.contains("test.script") && text.contains("journal"), "{text}");
    let text = format!("{runtime:?}");
    assert!(text.contains("journal 1.0.0"), "{text}");
    let handle = runtime.find_guest_contract_named("test.script@1").unwrap();
    let lease = runtime.lease(handle).unwrap();
    let text = format!("{lease:?}");
    assert!(text.contains("test.script") && text.contains("bundle `journal`"), "{text}");
    assert!(format!("{:?}", runtime.snapshot()).contains("journal"), "{:?}", runtime.snapshot());

    let report = runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!((report.name.as_str(), report.bundle), ("journal", id));
    let text = report.to_string();
    let start = "bundle `journal` is reloaded; 1 instance was made afresh and lost its state; the old version's code is \
                 held by ";
    assert!(text.starts_with(start) && text.contains("of test.script taken at"), "{text}");
    drop((proxy, lease));

    let held = runtime.proxy::<dyn Script>().unwrap();
    let report = runtime.unload_bundle("journal").unwrap();
    assert!(report.to_string().starts_with("bundle `journal` is unloaded; its code is held by"), "{report}");
    assert_eq!(report.id, id);
    let retired = runtime.retired();
    assert!(retired.iter().all(|version| (version.bundle.as_str(), version.id) == ("journal", id)), "{retired:?}");
    drop(held);

    let snapshot = runtime.snapshot();
    let error = snapshot.proxy_from::<dyn Script>("journal").unwrap_err().to_string();
    assert!(error.contains("in bundle `journal`"), "{error}");
    let stale = runtime.resolve_guest_contract(handle).unwrap_err().to_string();
    assert!(stale.contains("is stale") && stale.contains("look it up again"), "{stale}");
}
