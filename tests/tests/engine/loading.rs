//! What a program declares is held against its contracts; each mistake has an error that names it.

use polyplug::engine::{Exception, Fault};
use polyplug::error::{LoaderError, RuntimeError};
use polyplug::schema::Schema;
use polyplug::{BundleId, CallError, Value};
use polyplug_tests::engine::{Class, Code, Raise, Toy, ToyLoader};
use polyplug_tests::eventually;
use test_contracts::{Calculator, Counter};

use crate::{calculator, declaring, loaded};

/// What loading a program says.
#[track_caller]
fn refused(program: impl Fn(&mut Code<'_>) -> Result<(), Raise> + Send + Sync + 'static) -> String {
    let loader = ToyLoader::new();
    let runtime = loader.runtime();
    let error = loader.load(&runtime, "toy", "", program).unwrap_err();
    assert!(runtime.bundle_ids().is_empty(), "nothing of it stays");
    eventually("everything ends", || loader.counts().vms() == 0);
    let RuntimeError::Loader(LoaderError::InitFailed { bundle, error, .. }) = error else { return error.to_string() };
    assert_eq!(bundle, "toy");
    error
}

#[test]
fn a_plugin_is_registered_as_it_is_declared() {
    let (_loader, runtime, id) = loaded(calculator().named("abacus"));
    let [plugin] = runtime.bundle(id).unwrap().plugins.try_into().unwrap();
    assert_eq!((plugin.name.as_str(), plugin.contract.as_str()), ("abacus", "demo.calculator"));
    assert_eq!((plugin.contract_version.major, plugin.contract_version.minor), (1, 2));
    assert_eq!(runtime.proxy::<dyn Calculator>().unwrap().add(2, 3), Ok(5));
}

#[test]
fn a_plugin_without_a_name_has_its_contracts() {
    let (_loader, runtime, id) = loaded(calculator());
    assert_eq!(runtime.bundle(id).unwrap().plugins[0].name, "demo.calculator");
}

#[test]
fn a_program_that_fails_says_where() {
    let failing = |_: &mut Code<'_>| {
        let exception = Exception {
            message: "NameError: no such thing".to_owned(),
            location: Some("main.toy:3".to_owned()),
            traceback: Some("main.toy:3: in the main program".to_owned()),
        };
        Err(exception.into())
    };
    assert_eq!(refused(failing), "NameError: no such thing (at toy/main.toy:3)\ntoy/main.toy:3: in the main program");
}

#[test]
fn a_program_that_panics_is_refused() {
    let error = refused(|_| panic!("the machine is on fire"));
    assert!(error.starts_with("the loader panicked: the machine is on fire"), "{error}");
}

#[test]
fn a_program_that_declares_nothing_is_an_error() {
    let loader = ToyLoader::new();
    let error = loader.load(&loader.runtime(), "toy", "", |_| Ok(())).unwrap_err();
    assert!(matches!(&error, RuntimeError::Loader(LoaderError::NothingRegistered { .. })), "{error:?}");
    let text = "bundle `toy`: registered no plugin: does its code declare one, in Rust with `#[polyplug::plugin]`?";
    assert_eq!(error.to_string(), text);
}

#[test]
fn names_of_contracts_are_read() {
    for name in ["", "demo.calculator", "demo.calculator@", "demo.calculator@one", "@1", "demo.calculator@1.2.3"] {
        let error = refused(declaring(Class::new(name).at("main.toy:1")));
        assert!(
            error.starts_with("toy/main.toy:1: ") && error.contains(&format!("{name:?} names no contract")),
            "{name}: {error}"
        );
    }
}

#[test]
fn an_unknown_contract_is_named() {
    let error = refused(declaring(Class::new("demo.unheard@3").at("main.toy:7")));
    for part in ["toy/main.toy:7: ", "demo.unheard@3 is not known", "`demo.unheard@3.schema`"] {
        assert!(error.contains(part), "{part} is in: {error}");
    }
}

#[test]
fn a_newer_version_than_is_known_is_refused() {
    let error = refused(declaring(Class::new("demo.calculator@1.9")));
    assert_eq!(error, "demo.calculator@1.9 is asked for, and demo.calculator@1.2 is what is known: update the host");
}

#[test]
fn a_missing_method_is_named() {
    let one = calculator().method("unused", |_| Ok(Toy::Nil));
    let without = |names: &'static [&str]| {
        let mut class = Class::new("demo.calculator@1");
        for name in ["add", "divide", "greet", "sum"].into_iter().filter(|name| !names.contains(name)) {
            class = class.method(name, |_| Ok(Toy::Nil));
        }
        class
    };
    loaded(one); // more than the contract has is fine
    assert_eq!(
        refused(declaring(without(&["sum"]))),
        "the plugin for demo.calculator@1.2 lacks the method `sum`: write what is new, or declare the plugin as \
         `demo.calculator@1.1`"
    );
    assert_eq!(
        refused(declaring(without(&["greet", "divide"]))),
        "the plugin for demo.calculator@1.2 lacks the methods `divide`, `greet`"
    );
    assert_eq!(
        refused(declaring(without(&["divide"]).method("divdie", |_| Ok(Toy::Nil)).at("main.toy:2"))),
        "toy/main.toy:2: the plugin for demo.calculator@1.2 lacks the method `divide` (it has `divdie`: is that a \
         misspelling?)"
    );
}

#[test]
fn a_contract_is_provided_once() {
    let error = refused(|code| {
        code.declare(calculator().named("one"));
        code.declare(calculator().named("other").at("main.toy:9"));
        Ok(())
    });
    let text = "toy/main.toy:9: `demo.calculator` is provided by this bundle already, by plugin `one`: a bundle provides \
                a contract once";
    assert_eq!(error, text);
}

#[test]
fn several_contracts_are_provided_together() {
    let loader = ToyLoader::new();
    let runtime = loader.runtime();
    let id = loader.load(&runtime, "toy", "", |code| {
        code.declare(calculator());
        code.declare(Class::new("test.counter@1").method("add", |call| Ok(call.arguments[0].clone())));
        Ok(())
    });
    assert_eq!(runtime.bundle(id.unwrap()).unwrap().plugins.len(), 2);
    assert_eq!(runtime.proxy::<dyn Calculator>().unwrap().add(1, 2), Ok(3));
    assert_eq!(runtime.proxy::<dyn Counter>().unwrap().add(7), Ok(7));
    assert_eq!(loader.counts().vms(), 1, "one machine for all");
}

#[test]
fn an_older_version_has_its_methods_only() {
    let class = Class::new("demo.calculator@1.0")
        .method("add", |call| Ok(Toy::Int(call.arguments[0].int() + call.arguments[1].int())))
        .method("divide", |_| Err("not today".into()));
    let (_loader, runtime, id) = loaded(class);
    assert_eq!(runtime.bundle(id).unwrap().plugins[0].contract_version.minor, 0);
    let calculator = runtime.proxy::<dyn Calculator>().unwrap();
    assert_eq!(calculator.add(2, 3), Ok(5));
    let error = calculator.greet("you").unwrap_err();
    let CallError::MethodNotAvailable { since, failure } = &error else { panic!("not {error:?}") };
    assert_eq!((failure.method.as_str(), since.major, since.minor), ("demo.calculator.greet", 1, 1));
    assert!(matches!(calculator.sum(&[1]), Err(CallError::MethodNotAvailable { .. })));
    let error = runtime.call("demo.calculator@1", "greet", &[Value::from("you")]).unwrap_err();
    assert!(matches!(error, CallError::NotFound(_)), "{error:?}");
    assert!(runtime.dynamic("demo.calculator@1.1").is_err(), "it is no provider of a newer version");
}

#[test]
fn a_schema_in_the_bundle_describes_what_the_host_does_not_know() {
    let mut schema = Schema::of::<dyn Calculator>();
    schema.name = "foreign.calculator".to_owned();
    let loader = ToyLoader::new();
    loader.program("toy", declaring(calculator_for("foreign.calculator@1")));
    let runtime = loader.runtime();
    let bundle = ToyLoader::bundle("toy", "");
    let error = runtime.load_bundle(bundle.path()).unwrap_err().to_string();
    assert!(error.contains("foreign.calculator@1 is not known"), "{error}");

    bundle.write("foreign.calculator@1.schema", b"no schema");
    let error = runtime.load_bundle(bundle.path()).unwrap_err().to_string();
    assert!(error.contains("foreign.calculator@1.schema: "), "{error}");

    bundle.write("foreign.calculator@1.schema", Schema::of::<dyn Counter>().encode());
    let error = runtime.load_bundle(bundle.path()).unwrap_err().to_string();
    assert!(error.contains("foreign.calculator@1.schema: the schema is of test.counter@1.0"), "{error}");

    bundle.write("foreign.calculator@1.schema", schema.encode());
    runtime.load_bundle(bundle.path()).unwrap();
    let sum = runtime.call("foreign.calculator@1", "add", &[Value::from(2), Value::from(3)]);
    assert_eq!(sum, Ok(Value::from(5)));
}

fn calculator_for(contract: &str) -> Class {
    let mut class = Class::new(contract);
    for name in ["divide", "greet", "sum"] {
        class = class.method(name, |_| Err("not today".into()));
    }
    class.method("add", |call| Ok(Toy::Int(call.arguments[0].int() + call.arguments[1].int())))
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let loader = ToyLoader::new();
    let bundle = ToyLoader::bundle("absent", "");
    let error = loader.runtime().load_bundle(bundle.path()).unwrap_err();
    assert!(error.to_string().contains("there is no such program"), "{error}");
}

#[test]
fn a_program_cannot_hand_over_objects_before_it_is_started() {
    let error = refused(|code| {
        let contract = code.guest.contract("test.worker@1")?;
        assert!(code.guest.contract("test.unheard@1").is_err());
        assert_eq!(code.guest.bundle(), "toy");
        assert!(code.guest.directory().is_none(), "it is in memory");
        Err(Raise::Fault(Fault::new(contract.schema.to_string())))
    });
    assert_eq!(error, "test.worker@1.0");
}

#[test]
fn settings_are_there_from_the_start() {
    let loader = ToyLoader::new();
    let runtime = loader.runtime();
    let bundle = BundleId::new("toy");
    let loaded = loader.load(&runtime, "toy", "[config]\ngreeting = \"Hi\"\n", |code| {
        let greeting = code.guest.config()["greeting"].as_str().map(str::to_owned).ok_or("no text")?;
        code.declare(calculator().method("greet", move |_| Ok(Toy::text(&greeting))));
        Ok(())
    });
    assert_eq!(loaded.unwrap(), bundle);
    assert_eq!(runtime.proxy::<dyn Calculator>().unwrap().greet("you"), Ok("Hi".to_owned()));
}
