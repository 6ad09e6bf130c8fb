//! What a bundle's code has to be.

use polyplug::loader::BundleSource;
use polyplug::schema::Schema;
use polyplug::{CallError, Value, Version};
use polyplug_tests::{Bundle, manifest};
use test_contracts::calling::Logger;
use test_contracts::conformance::Modules;
use test_contracts::types::{Depth, Types, tree};
use test_contracts::{Calculator, Counter, Stamp};

use crate::guest::{Guest, raised};
use crate::hosts::Memory;

pub(crate) fn several_plugins_may_be_in_a_file(guest: &Guest) {
    let (runtime, _bundle, types) = guest.proxy::<dyn Types>("types");
    let depth = runtime.proxy::<dyn Depth>().unwrap();
    assert_eq!((types.int8(5), depth.measure_tree(&tree(3))), (Ok(5), Ok(3)));
    let bundles = runtime.bundles();
    let contracts: Vec<_> = bundles[0].plugins.iter().map(|plugin| plugin.contract.as_str()).collect();
    assert!(contracts.contains(&"test.types") && contracts.contains(&"test.depth"), "{contracts:?}");
}

pub(crate) fn a_start_that_fails_is_reported(guest: &Guest) {
    let error = guest.refusal("broken");
    for part in ["`broken`", "the start is no good"] {
        assert!(error.contains(part), "{part} is in: {error}");
    }
}

pub(crate) fn calls_by_name_do_the_same(guest: &Guest) {
    let (runtime, _bundle) = guest.loaded("calculator");
    let call = |method: &str, arguments: &[Value]| runtime.call("demo.calculator@1", method, arguments);
    assert_eq!(call("add", &[Value::I32(2), Value::I32(3)]), Ok(Value::I32(5)));
    assert_eq!(call("greet", &["Grüße".into()]), Ok(Value::from("Hello, Grüße!")));
    let error = Value::Variant { case: "Overflow".to_owned(), fields: vec![("at".to_owned(), Value::I64(i64::MIN))] };
    let answer = call("divide", &[Value::I64(i64::MIN), Value::I64(-1)]);
    assert_eq!(answer, Ok(Value::Result(Err(Box::new(error)))));
}

pub(crate) fn missing_methods_are_refused(guest: &Guest) {
    let error = guest.refusal("missing");
    let lacks = format!("lacks the methods `{}`, `{}`", guest.method("divide"), guest.method("sum"));
    for part in ["`missing`", "demo.calculator@1.2", &lacks] {
        assert!(error.contains(part), "{part} is in: {error}");
    }
}

pub(crate) fn misspelt_methods_are_refused(guest: &Guest) {
    let error = guest.refusal("misspelt");
    let [right, wrong] = ["divide", "divdie"].map(|name| guest.method(name));
    let lacks = format!("lacks the method `{right}` (it has `{wrong}`: is that a misspelling?)");
    for part in ["`misspelt`", "demo.calculator@1.2", &lacks] {
        assert!(error.contains(part), "{part} is in: {error}");
    }
}

pub(crate) fn unknown_contracts_are_refused(guest: &Guest) {
    let error = guest.refusal("stranger");
    for part in ["`stranger`", "test.nobody@1", "link the crate that defines it into the host"] {
        assert!(error.contains(part), "{part} is in: {error}");
    }
}

pub(crate) fn a_bundle_without_plugins_is_refused(guest: &Guest) {
    let error = guest.refusal("idle");
    for part in ["`idle`", "no plugin"] {
        assert!(error.contains(part), "{part} is in: {error}");
    }
}

pub(crate) fn later_minors_are_refused(guest: &Guest) {
    let error = guest.refusal("later");
    for part in ["`later`", "demo.calculator@1.7", "demo.calculator@1.2", "update the host"] {
        assert!(error.contains(part), "{part} is in: {error}");
    }
}

pub(crate) fn earlier_minors_lack_what_is_newer(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Calculator>("older");
    assert_eq!((proxy.add(2, 3), proxy.greet("you")), (Ok(5), Ok("Hello, you!".to_owned())));
    let answer = proxy.sum(b"x");
    let Err(CallError::MethodNotAvailable { since, failure }) = &answer else { panic!("{answer:?}") };
    assert_eq!(failure.bundle(), Some("older"));
    assert_eq!((failure.method.as_str(), *since), ("demo.calculator.sum", Version::new(1, 2, 0)));
}

pub(crate) fn a_contract_may_be_described_by_the_bundle(guest: &Guest) {
    let (runtime, bundle) = (guest.runtime(), guest.bundle("shipped", "shipped", ""));
    let error = runtime.load_bundle(bundle.path()).unwrap_err().to_string();
    assert!(error.contains("`test.shipped@1.schema`"), "{error}");
    let schema = Schema { name: "test.shipped".to_owned(), ..Schema::of::<dyn Stamp>() };
    bundle.write("test.shipped@1.schema", schema.encode());
    runtime.load_bundle(bundle.path()).unwrap();
    assert_eq!(runtime.call("test.shipped@1", "echo", &["Grüße".into()]), Ok(Value::from("1 Grüße")));
    let card = runtime.call("test.shipped@1", "card", &["x".into()]).unwrap();
    assert_eq!(card.to_string(), r#"{version: 1, text: "1 x", repeated: [], last: 1}"#);
}

pub(crate) fn a_reload_that_lacks_methods_keeps_the_old(guest: &Guest) {
    let (runtime, bundle, proxy) = guest.proxy::<dyn Calculator>("calculator");
    guest.write(&bundle, "calculator", "misspelt", "");
    let error = runtime.reload_bundle(bundle.path()).unwrap_err().to_string();
    let has = format!("it has `{}`", guest.method("divdie"));
    assert!(error.contains(&has), "{has} is in: {error}");
    assert_eq!(proxy.divide(8, 2), Ok(Ok(4)));
    assert_eq!(runtime.quiesce(std::time::Duration::from_secs(20)), [], "nothing is left of what failed");
}

pub(crate) fn the_host_may_be_called_at_the_start(guest: &Guest) {
    let runtime = guest.runtime();
    let bundle = guest.bundle("starting", "starting", "");
    let error = runtime.load_bundle(bundle.path()).unwrap_err().to_string();
    assert!(error.contains("the host does not provide the host contract test.logger@1"), "{error}");
    runtime.provide::<dyn Logger>(Memory::default()).unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    let (one, other) = (runtime.proxy::<dyn Counter>().unwrap(), runtime.proxy::<dyn Counter>().unwrap());
    assert_eq!((one.add(0), other.add(0)), (Ok(2), Ok(3)), "the bundle started first");
}

pub(crate) fn text_in_memory_is_loaded(guest: &Guest) {
    let runtime = guest.runtime();
    let code = || BundleSource::Code(guest.text("calculator"));
    let text = manifest("calculator", guest.loader, "calculator");
    let id = runtime.load_bundle_from(&text, code()).unwrap();
    assert_eq!(runtime.proxy::<dyn Calculator>().unwrap().add(2, 3), Ok(5));
    runtime.unload_bundle(id).unwrap();
    assert_eq!(runtime.quiesce(std::time::Duration::from_secs(20)), []);
    runtime.load_bundle_from(&text, code()).unwrap();
    assert_eq!(runtime.proxy::<dyn Calculator>().unwrap().add(2, 3), Ok(5));
}

pub(crate) fn bytes_in_memory_are_loaded(guest: &Guest) {
    let runtime = guest.runtime();
    let text = manifest("calculator", guest.loader, "calculator");
    let id = runtime.load_bundle_from(&text, BundleSource::Bytes(guest.bytes("calculator"))).unwrap();
    let proxy = runtime.proxy::<dyn Calculator>().unwrap();
    assert_eq!((proxy.add(2, 3), proxy.sum(&[255; 3])), (Ok(5), Ok(765)));
    drop(proxy);
    runtime.unload_bundle(id).unwrap();
    assert_eq!(runtime.quiesce(std::time::Duration::from_secs(20)), []);
    runtime.load_bundle_from(&text, BundleSource::Bytes(guest.bytes("calculator"))).unwrap();
    assert_eq!(runtime.proxy::<dyn Calculator>().unwrap().add(2, 3), Ok(5));
}

pub(crate) fn libraries_are_found(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Modules>("modules");
    assert_eq!(proxy.load("Names"), Ok(None), "by name");
    assert_eq!(proxy.greet("Zoë"), Ok("Hello, dear Zoë!".to_owned()), "by reference, and by that of a library");
    let error = proxy.load("Nothing").unwrap().expect("there is none");
    assert!(error.contains("Nothing"), "{error}");
}

pub(crate) fn bytes_in_memory_have_no_libraries(guest: &Guest) {
    let runtime = guest.runtime();
    let text = manifest("modules", guest.loader, "modules");
    runtime.load_bundle_from(&text, BundleSource::Bytes(guest.bytes("modules"))).unwrap();
    let proxy = runtime.proxy::<dyn Modules>().unwrap();
    for _ in 0..2 {
        let failure = raised(proxy.greet("you"));
        assert!(failure.message.contains("Words"), "{failure:?}");
    }
    assert!(proxy.load("Words").unwrap().is_some_and(|error| error.contains("Words")));
}

pub(crate) fn what_is_no_program_is_reported(guest: &Guest) {
    let runtime = guest.runtime();
    let good = guest.bytes("calculator");
    let files = [b"no program".to_vec(), vec![], good[..good.len() / 2].to_vec(), vec![0; 100_000]];
    for contents in files {
        let bundle = Bundle::empty();
        let file = format!("faulty.{}", guest.extension);
        bundle.write(&file, &contents);
        bundle.write("manifest.toml", manifest("faulty", guest.loader, &file));
        let error = runtime.load_bundle(bundle.path()).unwrap_err().to_string();
        for part in ["`faulty`", file.as_str()] {
            assert!(error.contains(part), "{part} is in: {error}");
        }
        let text = manifest("faulty", guest.loader, &file);
        let error = runtime.load_bundle_from(&text, BundleSource::Bytes(contents)).unwrap_err().to_string();
        assert!(error.contains("`faulty`"), "{error}");
        assert_eq!((runtime.bundle_ids(), runtime.retired()), (vec![], vec![]), "nothing is left after: {error}");
    }
}

pub(crate) fn other_files_are_found(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Modules>("modules");
    assert_eq!(proxy.greet("Zoë"), Ok("Hello, dear Zoë!".to_owned()));
    assert_eq!(proxy.load("words"), Ok(None));
    assert_eq!(proxy.load("inner.names"), Ok(None));
}

pub(crate) fn nothing_outside_is_found(guest: &Guest) {
    let (_runtime, bundle, proxy) = guest.proxy::<dyn Modules>("modules");
    let extension = guest.extension;
    let outside =
        bundle.path().parent().expect("a folder around it").join(format!("outside-{}.{extension}", std::process::id()));
    std::fs::write(&outside, guest.text("modules/words")).unwrap();
    let name = outside.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
    let absolute = outside.with_extension("").display().to_string();
    let names =
        [name.clone(), format!("../{name}"), format!("..{name}"), format!("...{name}"), absolute, String::new()];
    #[cfg(unix)]
    let names = {
        std::os::unix::fs::symlink(&outside, bundle.path().join(format!("link.{extension}"))).unwrap();
        std::os::unix::fs::symlink(bundle.path().parent().unwrap(), bundle.path().join("folder")).unwrap();
        [names.as_slice(), &["link".to_owned(), format!("folder.{name}")]].concat()
    };
    let answers: Vec<_> = names.into_iter().map(|name| (proxy.load(&name), name)).collect();
    std::fs::remove_file(&outside).unwrap();
    for (answer, name) in answers {
        let error = answer.unwrap().unwrap_or_else(|| panic!("`{name}` was loaded from outside"));
        assert!(!error.is_empty());
    }
}

pub(crate) fn a_text_in_memory_has_no_other_files(guest: &Guest) {
    let runtime = guest.runtime();
    let text = manifest("modules", guest.loader, "modules");
    let error = runtime.load_bundle_from(&text, BundleSource::Code(guest.text("modules"))).unwrap_err().to_string();
    for part in ["`modules`", "words"] {
        assert!(error.contains(part), "{part} is in: {error}");
    }
}

pub(crate) fn a_syntax_error_is_reported(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Modules>("modules");
    let error = proxy.load("faulty").unwrap().expect("it is none");
    assert!(error.contains("faulty"), "{error}");
    let runtime = guest.runtime();
    let text = manifest("faulty", guest.loader, "faulty");
    let source = BundleSource::Code(guest.text("modules/faulty"));
    let error = runtime.load_bundle_from(&text, source).unwrap_err().to_string();
    for part in ["`faulty`", "faulty:1"] {
        assert!(error.contains(part), "{part} is in: {error}");
    }
}
