//! The `Debug` text of an error is its `Display` text: a `main` that returns the error, `unwrap` and `expect` print what
//! failed and the remedy.

use std::error::Error;

use polyplug::error::{LoaderError, ManifestError, RegistryError, RuntimeError};
use polyplug::host_bridge::BridgeError;
use polyplug::{BundleId, CallError, Runtime};
use polyplug_lua::LuaLoader;
use polyplug_tests::lua::{Script, loaded};
use polyplug_tests::{Bundle, child, runtime};

#[track_caller]
fn same(error: &(impl Error + ?Sized)) -> String {
    let text = error.to_string();
    assert_eq!(format!("{error:?}"), text);
    assert_eq!(format!("{error:#?}"), text);
    text
}

#[test]
fn errors_of_the_runtime() {
    let runtime = runtime();
    let text = same(&runtime.proxy::<dyn Script>().unwrap_err());
    assert!(text.contains("test.script") && text.contains("load"), "{text}");
    let nowhere = std::path::absolute("/no/such/bundle").unwrap();
    let text = same(&runtime.load_bundle(&nowhere).unwrap_err());
    assert!(text.contains(nowhere.to_str().unwrap()), "{text}");
    same(&runtime.unload_bundle(BundleId::new("none")).unwrap_err());
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", "name = \"x\"\nversion = \"one\"\nloader = \"native\"\nfile = \"x\"\n");
    let RuntimeError::Manifest(error) = runtime.load_bundle(bundle.path()).unwrap_err() else {
        panic!("the manifest is wrong")
    };
    assert!(same(&error).contains("manifest.toml"));
    let error: ManifestError = error;
    assert!(error.to_string().contains("one"));
}

#[test]
fn errors_of_loaders_and_the_store() {
    let runtime = Runtime::builder().loader(LuaLoader::new()).build().unwrap();
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", polyplug_tests::manifest("lua", "lua", "main.lua"));
    bundle.write("main.lua", "syntax error");
    let RuntimeError::Loader(error) = runtime.load_bundle(bundle.path()).unwrap_err() else {
        panic!("the loader refuses it")
    };
    let error: LoaderError = error;
    assert!(same(&error).contains("main.lua"), "{error}");
    let error: RegistryError = runtime.find_guest_contract(1, 0).unwrap_err();
    same(&error);
    same(&BridgeError::DuplicateContract { contract_id: 1 });
}

#[test]
fn errors_of_calls() {
    let runtime = loaded(polyplug_tests::lua::SCRIPT);
    let error: CallError = runtime.proxy::<dyn Script>().unwrap().run("error('on purpose')").unwrap_err();
    assert!(same(&error).contains("test.script.run: on purpose"), "{error}");
}

/// What `main` prints when it returns an error.
#[test]
fn a_program_that_ends_with_an_error() -> Result<(), Box<dyn Error>> {
    if child::is_child() {
        loaded(polyplug_tests::lua::SCRIPT).unload_bundle(BundleId::new("luo"))?;
    }
    let output = child::again("a_program_that_ends_with_an_error").output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && text.contains("Error: no loaded bundle has the id"), "{text}");
    Ok(())
}
