//! A plugin that registers itself with a malformed table, or twice, is refused with what is wrong with it.

use polyplug::error::{LoaderError, RuntimeError};
use polyplug::schema::Schema;
use polyplug::{BundleId, CallError};
use polyplug_tests::{BAD, Bundle, refused, runtime};
use test_contracts::Calculator;

/// What the host says to a calculator in C, some of whose parts are replaced.
#[track_caller]
fn refusal(defines: &[&str]) -> String {
    init_failure(&Bundle::c(BAD, "registration.c", defines))
}

#[track_caller]
fn init_failure(bundle: &Bundle) -> String {
    match refused(bundle) {
        RuntimeError::Loader(LoaderError::InitFailed { bundle, error, .. }) => {
            assert_eq!(bundle, BAD);
            error
        }
        other => panic!("a failed start, not {other:?}"),
    }
}

#[track_caller]
fn refused_with(defines: &[&str], parts: &[&str]) {
    let text = refusal(defines);
    for part in parts {
        assert!(text.contains(part), "{part} is in: {text}");
    }
}

/// A good calculator in C with these defines, and the contract's schema, so that typed proxies can be had.
fn calculator(defines: &[&str]) -> Bundle {
    let bundle = Bundle::c(BAD, "registration.c", defines);
    bundle.write("demo.calculator@1.schema", Schema::of::<dyn Calculator>().encode());
    bundle
}

#[test]
fn the_plugin_that_others_vary_is_good() {
    let bundle = calculator(&[]);
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    let calculator = runtime.proxy::<dyn Calculator>().unwrap();
    assert_eq!(calculator.add(2, 3), Ok(5));
    assert!(matches!(calculator.divide(1, 1), Err(CallError::Failed { code: 300, .. })));
}

#[test]
fn a_null_descriptor_is_refused() {
    refused_with(&["DESCRIPTOR=NULL"], &["descriptor", "null"]);
}

#[test]
fn a_crooked_descriptor_is_refused() {
    refused_with(&["DESCRIPTOR=(void*)((char*)&descriptor+1)"], &["descriptor", "not aligned"]);
}

#[test]
fn a_null_interface_is_refused() {
    refused_with(&["INTERFACE=NULL"], &["interface", "null"]);
}

#[test]
fn a_crooked_interface_is_refused() {
    refused_with(&["INTERFACE=(void*)((char*)&interface+4)"], &["interface", "not aligned", "`Basic`"]);
}

#[test]
fn a_null_factory_is_refused() {
    refused_with(&["CREATE=NULL"], &["`create_instance` is null", "`Basic`"]);
}

#[test]
fn a_null_destructor_is_refused() {
    refused_with(&["DESTROY=NULL"], &["`destroy_instance` is null", "`Basic`"]);
}

#[test]
fn a_null_table_of_functions_is_refused() {
    refused_with(&["FUNCTIONS=NULL"], &["table of functions is null", "`Basic`"]);
}

#[test]
fn a_crooked_table_of_functions_is_refused() {
    refused_with(&["FUNCTIONS=(void*)((char*)functions+2)"], &["table of functions", "not aligned", "`Basic`"]);
}

#[test]
fn a_null_function_is_refused_with_its_number() {
    refused_with(&["DIVIDE=NULL"], &["function 1 of 4 is null", "`Basic`"]);
}

#[test]
fn too_many_functions_are_refused_before_any_is_read() {
    for count in ["65537", "UINT32_MAX"] {
        refused_with(&[&format!("FUNCTION_COUNT={count}")], &["functions are too many", "`Basic`"]);
    }
}

#[test]
fn an_unknown_dispatch_type_is_refused() {
    for number in ["2", "255", "UINT32_MAX"] {
        refused_with(&[&format!("DISPATCH={number}")], &["no way to dispatch", "Native (0)", "`Basic`"]);
    }
}

/// A virtual machine's call lies where a native table has its number of functions: here 0.
#[test]
fn a_vm_without_a_call_is_refused() {
    refused_with(&["DISPATCH=DISPATCH_VM", "FUNCTION_COUNT=0"], &["`call` is null", "`Basic`"]);
}

#[test]
fn a_plugins_name_that_is_no_text_is_refused() {
    refused_with(&["NAME=TEXT(\"caf\\xc3\")"], &["plugin's name is not UTF-8"]);
    refused_with(&["NAME=TEXT(\"\")"], &["plugin's name is empty"]);
    refused_with(&["NAME=((StringView){NULL,5})"], &["plugin's name is null"]);
    refused_with(&["NAME=((StringView){(const uint8_t*)1,SIZE_MAX})"], &["plugin's name", "bytes long"]);
}

#[test]
fn a_contracts_name_that_is_no_text_is_refused() {
    refused_with(&["CONTRACT_NAME=TEXT(\"\\xff\")"], &["contract's name is not UTF-8", "`Basic`"]);
    refused_with(&["CONTRACT_NAME=TEXT(\"\")"], &["contract's name is empty", "`Basic`"]);
    refused_with(&["CONTRACT_NAME=((StringView){NULL,5})"], &["contract's name is null", "`Basic`"]);
}

/// The name leads to the file of the schema, and must not lead out of the bundle.
#[test]
fn a_contracts_name_that_is_a_path_leads_nowhere() {
    let parent = Bundle::empty();
    let bundle = Bundle::c(BAD, "registration.c", &["CONTRACT_NAME=TEXT(\"../outside\")"]);
    let inside = parent.path().join("bundle");
    std::fs::create_dir(&inside).unwrap();
    for entry in std::fs::read_dir(bundle.path()).unwrap().map(Result::unwrap) {
        std::fs::copy(entry.path(), inside.join(entry.file_name())).unwrap();
    }
    parent.write("outside@1.schema", Schema::of::<dyn Calculator>().encode());
    let runtime = runtime();
    runtime.load_bundle(&inside).unwrap();
    let error = runtime.proxy::<dyn Calculator>().unwrap_err();
    assert!(matches!(error, RuntimeError::NoSchema { .. }), "{error:?}");
}

#[test]
fn a_contract_twice_in_one_bundle_is_refused() {
    let text = init_failure(&Bundle::native(BAD, "plugin-twice"));
    for part in ["`demo.calculator`", "`Older`", "a bundle provides a contract once"] {
        assert!(text.contains(part), "{part} is in: {text}");
    }
}

#[test]
fn a_contract_twice_in_one_bundle_in_c_is_refused() {
    refused_with(&["TIMES=2"], &["`demo.calculator`", "`Basic`", "a bundle provides a contract once"]);
}

/// The author sees what the host said, not that there is no plugin.
#[test]
fn a_refusal_that_the_plugin_ignores_is_reported_all_the_same() {
    refused_with(&["CREATE=NULL", "IGNORE_ERRORS"], &["`create_instance` is null", "`Basic`"]);
}

/// The calculator's fourth method registers it once more.
#[test]
fn a_registration_after_the_start_is_refused() {
    let bundle = calculator(&[]);
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    let calculator = runtime.proxy::<dyn Calculator>().unwrap();
    assert_ne!(calculator.sum(&[]), Ok(0), "the code of the refusal");
    assert_eq!(runtime.proxies::<dyn Calculator>().unwrap().len(), 1);
}

#[test]
fn a_schema_of_another_table_is_refused() {
    let bundle = calculator(&["FUNCTION_COUNT=3"]);
    let error = refused(&bundle);
    assert!(matches!(error, RuntimeError::Loader(LoaderError::ArtifactInvalid { .. })), "{error:?}");
    let text = error.to_string();
    for part in ["`bad`", "demo.calculator@1.schema", "3 functions", "4 methods"] {
        assert!(text.contains(part), "{part} is in: {text}");
    }
}

#[test]
fn a_schema_that_is_none_is_refused() {
    for bytes in [&b"not a schema"[..], b"", b"polyplug schema\x01", b"polyplug schema\x02"] {
        let bundle = calculator(&[]);
        bundle.write("demo.calculator@1.schema", bytes);
        let error = refused(&bundle);
        assert!(matches!(error, RuntimeError::Loader(LoaderError::ArtifactInvalid { .. })), "{error:?}");
        assert!(error.to_string().contains("demo.calculator@1.schema: "), "{error}");
    }
}

#[test]
fn without_a_schema_there_is_no_typed_proxy() {
    let bundle = Bundle::c(BAD, "registration.c", &[]);
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    let error = runtime.proxy::<dyn Calculator>().unwrap_err();
    assert!(matches!(&error, RuntimeError::NoSchema { bundle, plugin, .. } if bundle == BAD && plugin == "Basic"));
    assert!(error.to_string().contains("demo.calculator@1.schema"), "the remedy: {error}");
}

#[test]
fn a_stateless_plugin_whose_factory_fails_is_refused_at_load() {
    let error = refused(&Bundle::native(BAD, "plugin-stateless-fails"));
    let RuntimeError::Factory { bundle, plugin, reason } = &error else { panic!("a failed factory, not {error:?}") };
    assert_eq!((bundle.as_str(), plugin.as_str()), (BAD, "Absent"));
    assert_eq!(reason, "invalid digit found in string", "what the factory's own error says");
}

#[test]
fn a_singleton_whose_factory_panics_is_refused_at_load() {
    let source = include_str!("../plugins/singleton-fails/src/lib.rs");
    let line = 1 + source.lines().position(|line| line.ends_with("// mark: singleton")).unwrap();
    let error = refused(&Bundle::native(BAD, "plugin-singleton-fails"));
    let RuntimeError::Factory { bundle, plugin, reason } = &error else { panic!("a failed factory, not {error:?}") };
    assert_eq!((bundle.as_str(), plugin.as_str()), (BAD, "Only"));
    assert!(reason.starts_with("no licence found"), "{reason}");
    assert!(reason.contains(&format!("tests/plugins/singleton-fails/src/lib.rs:{line}:")), "{reason}");
}

/// Plugins without data that are written in C need no object: their functions are handed none.
#[test]
fn a_factory_in_c_that_leaves_no_instance_makes_calls_without_one() {
    let bundle = calculator(&["CREATE=create_nothing"]);
    let runtime = runtime();
    let id = runtime.load_bundle(bundle.path()).unwrap();
    let calculator = runtime.proxy::<dyn Calculator>().unwrap();
    assert_eq!(calculator.add(2, 3), Ok(5));
    drop(calculator);
    runtime.unload_bundle(id).unwrap();
    assert_eq!(runtime.bundle_name(BundleId::new(BAD)), None);
}
