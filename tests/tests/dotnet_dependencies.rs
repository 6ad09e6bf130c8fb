//! What a bundle for .NET consists of: its assembly, other assemblies, native libraries; and what is wrong with files.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use polyplug::loader::BundleSource;
use polyplug::{BundleId, CallError, Failure, Runtime};
use polyplug_tests::dotnet::{Version, assembly, dotnet_bundle, dotnet_runtime};
use polyplug_tests::lua::{Script, ScriptProxy};
use polyplug_tests::{Bundle, SHARED, compile_c, eventually, library, manifest, mapped_below, on_each_dotnet};
use test_contracts::Calculator;

on_each_dotnet! {
    a_library_lies_beside_the_assembly a_library_that_is_missing_is_named a_base_class_that_is_missing_is_named
    a_list_of_dependencies_is_followed a_broken_list_of_dependencies_is_named
    bundles_have_versions_of_their_own a_reload_changes_a_library a_native_library_is_found
    a_native_library_that_is_missing_is_named the_loaders_own_assembly_is_used files_that_are_no_assembly_are_refused
    the_file_has_any_name a_missing_file_is_named bundles_know_their_folders files_may_be_overwritten_while_they_run
}

fn load(runtime: &Runtime, bundle: &Bundle) -> ScriptProxy {
    let id = runtime.load_bundle(bundle.path()).unwrap_or_else(|error| panic!("{error}"));
    runtime.proxy_from::<dyn Script>(id).unwrap()
}

fn loaded(version: Version, plugins: &str) -> (Arc<Runtime>, Bundle, ScriptProxy) {
    let (runtime, bundle) = (dotnet_runtime(version), dotnet_bundle(plugins, plugins));
    let proxy = load(&runtime, &bundle);
    (runtime, bundle, proxy)
}

#[track_caller]
fn raised(answer: Result<String, CallError>) -> Failure {
    match answer {
        Err(CallError::Exception(failure)) => *failure,
        other => panic!("an exception, not {other:?}"),
    }
}

fn remove(bundle: &Bundle, name: &str) {
    std::fs::remove_file(bundle.path().join(name)).unwrap();
}

fn a_library_lies_beside_the_assembly(version: Version) {
    let (_runtime, _bundle, proxy) = loaded(version, "dependencies");
    assert_eq!(proxy.run("list"), Ok("dependencies".to_owned()), "it is loaded when it is needed");
    assert_eq!(proxy.run("greet"), Ok("Hello, dear you!".to_owned()));
    assert_eq!(proxy.run("list"), Ok("dependencies,Words,Names".to_owned()));
}

fn a_library_that_is_missing_is_named(version: Version) {
    let (runtime, bundle) = (dotnet_runtime(version), dotnet_bundle("dependencies", "dependencies"));
    remove(&bundle, "Names.dll");
    let proxy = load(&runtime, &bundle);
    for _ in 0..2 {
        let failure = raised(proxy.run("greet"));
        assert!(failure.message.contains("FileNotFoundException") && failure.message.contains("'Names"), "{failure:?}");
    }
    assert_eq!(proxy.run("directory"), Ok(bundle.path().display().to_string()), "the plugin serves on");
}

fn a_base_class_that_is_missing_is_named(version: Version) {
    let (runtime, bundle, proxy) = loaded(version, "derived");
    assert_eq!(proxy.run("x"), Ok("base x".to_owned()));
    drop(proxy);
    runtime.unload_bundle(BundleId::new("derived")).unwrap();
    remove(&bundle, "Base.dll");
    let error = runtime.load_bundle(bundle.path()).unwrap_err().to_string();
    for part in ["`derived`", "`Base, Version=", "is missing: put its file into the bundle's folder"] {
        assert!(error.contains(part), "{part} is in: {error}");
    }
    assert_eq!((runtime.bundle_ids(), runtime.quiesce(Duration::from_secs(20))), (vec![], vec![]));
}

/// What `dotnet publish` writes for a project `dependencies` with a package.
const DEPENDENCIES: &str = r#"{
  "runtimeTarget": { "name": ".NETCoreApp,Version=v3.1", "signature": "" },
  "targets": {
    ".NETCoreApp,Version=v3.1": {
      "dependencies/1.0.0": { "dependencies": { "Words": "1.0.0" }, "runtime": { "dependencies.dll": {} } },
      "Words/1.0.0": {
        "runtime": { "lib/netstandard2.0/Words.dll": { "assemblyVersion": "0.0.0.0" } },
        "runtimeTargets": {
          "runtimes/linux-x64/native/libtriple.so": { "rid": "linux-x64", "assetType": "native" },
          "runtimes/linux-x64/lib/netstandard2.0/Names.dll": { "rid": "linux-x64", "assetType": "runtime" }
        }
      }
    }
  },
  "libraries": {
    "dependencies/1.0.0": { "type": "project", "serviceable": false, "sha512": "" },
    "Words/1.0.0": { "type": "package", "serviceable": true, "sha512": "sha512-x", "path": "words/1.0.0" }
  }
}"#;

fn make_folder(bundle: &Bundle, name: &str) {
    std::fs::create_dir_all(bundle.path().join(name)).unwrap();
}

fn a_list_of_dependencies_is_followed(version: Version) {
    let (runtime, bundle) = (dotnet_runtime(version), dotnet_bundle("dependencies", "dependencies"));
    bundle.write("dependencies.deps.json", DEPENDENCIES);
    // Its assets for one processor lie where the package had them.
    make_folder(&bundle, "runtimes/linux-x64/lib/netstandard2.0");
    make_folder(&bundle, "runtimes/linux-x64/native");
    let moved = bundle.path().join("runtimes/linux-x64/lib/netstandard2.0/Names.dll");
    std::fs::rename(bundle.path().join("Names.dll"), moved).unwrap();
    compile_c("triple.c", SHARED, &bundle.path().join("runtimes/linux-x64/native/libtriple.so"));
    let proxy = load(&runtime, &bundle);
    assert_eq!(proxy.run("greet"), Ok("Hello, dear you!".to_owned()));
    assert_eq!(proxy.run("triple"), Ok("42".to_owned()));
}

fn a_broken_list_of_dependencies_is_named(version: Version) {
    let (runtime, bundle) = (dotnet_runtime(version), dotnet_bundle("dependencies", "dependencies"));
    bundle.write("dependencies.deps.json", "{ \"targets\": ");
    let error = runtime.load_bundle(bundle.path()).unwrap_err().to_string();
    for part in ["`dependencies`", "dependencies.deps.json"] {
        assert!(error.contains(part), "{part} is in: {error}");
    }
    remove(&bundle, "dependencies.deps.json");
    assert_eq!(load(&runtime, &bundle).run("greet"), Ok("Hello, dear you!".to_owned()));
}

fn bundles_have_versions_of_their_own(version: Version) {
    let runtime = dotnet_runtime(version);
    let (first, second) = (dotnet_bundle("first", "uses_one"), dotnet_bundle("second", "uses_two"));
    let third = dotnet_bundle("third", "uses_one");
    let [first, second, third] = [&first, &second, &third].map(|bundle| load(&runtime, bundle));
    for call in 1..3 {
        assert_eq!(first.run("x"), Ok(format!("x version 1, call {call}")));
        assert_eq!(second.run("x"), Ok(format!("x version 2, call {call}")));
    }
    assert_eq!(third.run("x"), Ok("x version 1, call 1".to_owned()), "the same file is another assembly");
}

fn a_reload_changes_a_library(version: Version) {
    let (runtime, bundle, proxy) = loaded(version, "uses_one");
    assert_eq!(proxy.run("x"), Ok("x version 1, call 1".to_owned()));
    polyplug_tests::dotnet::install("uses_two", &bundle);
    bundle.write("manifest.toml", manifest("uses_one", "dotnet", "uses_two.dll"));
    runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!(proxy.run("x"), Ok("x version 2, call 1".to_owned()));
    drop(proxy);
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
}

fn a_native_library_is_found(version: Version) {
    for place in ["", "runtimes/linux-x64/native"] {
        for file in ["libtriple.so", "triple.so", "triple"] {
            let (runtime, bundle) = (dotnet_runtime(version), dotnet_bundle("dependencies", "dependencies"));
            make_folder(&bundle, place);
            compile_c("triple.c", SHARED, &bundle.path().join(place).join(file));
            let proxy = load(&runtime, &bundle);
            assert_eq!(proxy.run("triple"), Ok("42".to_owned()), "{place}/{file}");
            drop(proxy);
            runtime.unload_bundle(BundleId::new("dependencies")).unwrap();
            assert_eq!(runtime.quiesce(Duration::from_secs(20)), [], "the assembly is gone");
        }
    }
}

fn a_native_library_that_is_missing_is_named(version: Version) {
    let (_runtime, _bundle, proxy) = loaded(version, "dependencies");
    for _ in 0..2 {
        let failure = raised(proxy.run("triple"));
        assert!(
            failure.message.contains("DllNotFoundException") && failure.message.contains("'triple'"),
            "{failure:?}"
        );
    }
}

/// The types of the assembly that plugins refer to are the loader's own, whatever lies in the bundle.
fn the_loaders_own_assembly_is_used(version: Version) {
    let own = loaded(version, "dependencies").2.run("api").unwrap();
    // A copy, as `dotnet build` makes it; something else of that name; another version.
    let another = std::fs::read(assembly("lib/Words")).unwrap();
    let api =
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../loaders/dotnet/bridge/Polyplug.dll")).unwrap();
    for contents in [api, b"something else".to_vec(), another] {
        let (runtime, bundle) = (dotnet_runtime(version), dotnet_bundle("dependencies", "dependencies"));
        bundle.write("Polyplug.dll", &contents);
        let proxy = load(&runtime, &bundle);
        assert_eq!(proxy.run("api"), Ok(own.clone()));
        assert_eq!(proxy.run("same api"), Ok("True".to_owned()));
        assert_eq!(proxy.run("greet"), Ok("Hello, dear you!".to_owned()));
    }
}

/// The offset of the header of a PE file, in which the machine and the optional header are.
fn pe_header(file: &[u8]) -> usize {
    u32::from_le_bytes(file[0x3c..0x40].try_into().unwrap()) as usize
}

fn files_that_are_no_assembly_are_refused(version: Version) {
    let good = std::fs::read(assembly("dependencies")).unwrap();
    let header = pe_header(&good);
    let other_processor = {
        let mut file = good.clone();
        file[header + 4..header + 6].copy_from_slice(&0xaa64_u16.to_le_bytes());
        file
    };
    // A library for Windows has no header of .NET.
    let native = {
        let mut file = good.clone();
        let directory = header + 24 + 96 + 14 * 8;
        file[directory..directory + 8].fill(0);
        file
    };
    let cut = good[..good.len() / 2].to_vec();
    let broken = {
        let mut file = good.clone();
        let start = file.windows(4).position(|bytes| bytes == b"BSJB").expect("metadata");
        file[start..start + 64].fill(0xff);
        file
    };
    let elf = std::fs::read(library("plugin-calc")).unwrap();
    let runtime = dotnet_runtime(version);
    for (reason, contents) in [
        ("is empty", vec![]),
        ("is no assembly of .NET", b"using Polyplug;".to_vec()),
        ("is no .NET assembly, or one for another processor", other_processor),
        ("is no assembly of .NET, but a native library or program for Windows", native),
        ("is no complete assembly of .NET", cut),
        ("is no .NET assembly, or one for another processor", broken),
        ("is no assembly of .NET, but a native library or program for Linux", elf),
    ] {
        let bundle = Bundle::empty();
        bundle.write("faulty.dll", &contents);
        bundle.write("manifest.toml", manifest("faulty", "dotnet", "faulty.dll"));
        let error = runtime.load_bundle(bundle.path()).unwrap_err().to_string();
        for part in ["`faulty`", &format!("`faulty.dll` {reason}")] {
            assert!(error.contains(part), "{part} is in: {error}");
        }
        let source = BundleSource::Bytes(contents);
        let error =
            runtime.load_bundle_from(&manifest("faulty", "dotnet", "faulty.dll"), source).unwrap_err().to_string();
        assert!(error.contains("`faulty`") && error.contains(reason), "{reason} is in: {error}");
    }
    // A library of the bundle that is none is an error where it is needed.
    let bundle = dotnet_bundle("dependencies", "dependencies");
    bundle.write("Words.dll", b"no library");
    let proxy = load(&runtime, &bundle);
    let failure = raised(proxy.run("greet"));
    assert!(failure.message.contains("BadImageFormatException") && failure.message.contains("Words"), "{failure:?}");
}

fn the_file_has_any_name(version: Version) {
    let runtime = dotnet_runtime(version);
    for name in ["Grüße und Küsse.dll", "other.name.dll", "bin/calculator.dll"] {
        let bundle = Bundle::empty();
        make_folder(&bundle, "bin");
        std::fs::copy(assembly("calculator"), bundle.path().join(name)).unwrap();
        bundle.write("manifest.toml", manifest("calculator", "dotnet", name));
        let id = runtime.load_bundle(bundle.path()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(runtime.proxy::<dyn Calculator>().unwrap().add(2, 3), Ok(5));
        runtime.unload_bundle(id).unwrap();
    }
}

fn a_missing_file_is_named(version: Version) {
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", manifest("nothing", "dotnet", "Nothing.dll"));
    let error = dotnet_runtime(version).load_bundle(bundle.path()).unwrap_err().to_string();
    for part in ["`nothing`", "Nothing.dll"] {
        assert!(error.contains(part), "{part} is in: {error}");
    }
}

fn bundles_know_their_folders(version: Version) {
    let (runtime, bundle, proxy) = loaded(version, "dependencies");
    assert_eq!(proxy.run("directory"), Ok(bundle.path().display().to_string()));
    assert_eq!(proxy.run("context"), Ok("dependencies".to_owned()), "debuggers show the bundle's name");
    drop((runtime, proxy));
    let folder = Bundle::empty();
    let builder = Runtime::builder().loader(polyplug_tests::dotnet::loader(version)).data_directory(folder.path());
    let runtime = builder.build().unwrap();
    assert_eq!(load(&runtime, &bundle).run("data"), Ok("kept".to_owned()));
    assert_eq!(std::fs::read(folder.path().join("dependencies/note")).unwrap(), b"kept");
}

/// A file that is mapped while it is overwritten ends the process.
fn files_may_be_overwritten_while_they_run(version: Version) {
    for is_reloadable in [true, false] {
        let builder = Runtime::builder().loader(polyplug_tests::dotnet::loader(version)).hot_reload(is_reloadable);
        let (runtime, bundle) = (builder.build().unwrap(), dotnet_bundle("dependencies", "dependencies"));
        let proxy = load(&runtime, &bundle);
        for file in ["dependencies.dll", "Words.dll", "Names.dll"] {
            let path = bundle.path().join(file);
            let contents = std::fs::read(&path).unwrap();
            // In place, as `cp` does it: first empty, then anew.
            std::fs::write(&path, b"").unwrap();
            assert_eq!(proxy.run("directory"), Ok(bundle.path().display().to_string()));
            std::fs::write(&path, contents).unwrap();
        }
        assert_eq!(proxy.run("greet"), Ok("Hello, dear you!".to_owned()));
        for file in ["dependencies.dll", "Words.dll", "Names.dll"] {
            bundle.write(file, b"");
        }
        assert_eq!(proxy.run("greet"), Ok("Hello, dear you!".to_owned()));
        drop(proxy);
        runtime.unload_bundle(BundleId::new("dependencies")).unwrap();
        assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
        eventually("no file of it is mapped", || mapped_below(bundle.path()).is_empty());
    }
}
