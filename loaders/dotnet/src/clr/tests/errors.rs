//! Starts that fail.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::super::search::HOSTFXR;
use super::super::{Clr, ClrConfig};
use super::child::{again, in_child, passed, versions, with_each};
use super::dotnet::{at, call, contains, error, newest, probe, start};

fn copy_hostfxr(root: &Path, folder: &Path, version: &str) {
    let real = root.join("host/fxr").join(newest(root, "host/fxr")).join(HOSTFXR);
    let copy = folder.join("host/fxr").join(version);
    fs::create_dir_all(&copy).unwrap();
    fs::copy(real, copy.join(HOSTFXR)).unwrap();
}

#[test]
fn a_start_that_failed_is_tried_again_with_other_options() {
    let name = "a_start_that_failed_is_tried_again_with_other_options";
    if let Some(root) = in_child() {
        return fail_and_start(&root);
    }
    for version in versions() {
        let output = passed(&mut again("errors", name, version));
        // hostfxr's lines are in the errors, and nowhere else.
        let lines = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = lines.lines().filter(|line| !line.contains("no ICU")).collect();
        assert!(lines.is_empty(), "{lines:?}");
    }
}

fn fail_and_start(root: &Path) {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();

    let absent = folder.join("absent");
    let text = error(&at(&absent));
    contains(&text, &[&absent.display().to_string(), "does not exist", "with_root", "dotnet.microsoft.com/download"]);

    // The framework of .NET Core 2.1 only.
    let old = folder.join("old");
    copy_hostfxr(root, &old, "9.0.0");
    fs::create_dir_all(old.join("shared/Microsoft.NETCore.App/2.1.30")).unwrap();
    fs::write(old.join("shared/Microsoft.NETCore.App/2.1.30/Microsoft.NETCore.App.deps.json"), "{}").unwrap();
    let text = error(&at(&old));
    contains(
        &text,
        &[&old.canonicalize().unwrap().display().to_string(), "has not Microsoft.NETCore.App 3.1 or later"],
    );
    contains(&text, &["Microsoft.NETCore.App in 2.1.30", "dotnet.microsoft.com/download", "hostfxr says: "]);

    let none = folder.join("none");
    copy_hostfxr(root, &none, "9.0.0");
    contains(&error(&at(&none)), &["Microsoft.NETCore.App in no version"]);

    // Files of the host's.
    let file = folder.join("host.runtimeconfig.json");
    let config = ClrConfig { runtime_config: Some(file.clone()), ..at(root) };
    contains(&error(&config), &["host.runtimeconfig.json cannot be read: No such file"]);
    fs::create_dir(&file).unwrap();
    contains(&error(&config), &["host.runtimeconfig.json cannot be read: it is no file"]);
    fs::remove_dir(&file).unwrap();
    fs::write(&file, "{ \"runtimeOptions\": ").unwrap();
    contains(&error(&config), &["host.runtimeconfig.json", "hostfxr says: ", "Invalid runtimeconfig.json"]);
    let framework = r#"{ "runtimeOptions": { "framework": { "name": "Demo.App", "version": "7.0.0" } } }"#;
    fs::write(&file, framework).unwrap();
    contains(&error(&config), &["the framework that", "host.runtimeconfig.json", "Demo.App", "7.0.0"]);

    let nul = ClrConfig { properties: [("a\0b".to_owned(), "c".to_owned())].into(), ..at(root) };
    contains(&error(&nul), &["the property `a\0b`", "NUL"]);

    // From here on a CLR runs.
    let text = match Clr::start(&at(root), b"no assembly") {
        Ok(_) => panic!("no assembly is loaded"),
        Err(error) => error.to_string(),
    };
    contains(&text, &["the assembly Polyplug has no function `Init`"]);
    assert_eq!(call(probe(start(&at(root)))), 42);
}

#[test]
fn a_clr_that_does_not_start_says_why() {
    let name = "a_clr_that_does_not_start_says_why";
    if let Some(root) = in_child() {
        let first = error(&at(&root));
        contains(&first, &["the CLR of .NET ", "does not start", "Failed to create CoreCLR, HRESULT: 0x8007000E"]);
        contains(&error(&at(&root)), &[&first, "cannot be tried again in this process"]);
        return;
    }
    for version in versions() {
        let mut command = again("errors", name, version);
        // A heap of a byte.
        let output = passed(command.env("DOTNET_GCHeapHardLimit", "1").env("COMPlus_GCHeapHardLimit", "1"));
        let lines = String::from_utf8_lossy(&output.stderr);
        assert!(!lines.contains("CoreCLR"), "{lines}");
    }
}

#[test]
fn a_hostfxr_that_cannot_be_loaded_is_named() {
    let Some(root) = with_each("errors", "a_hostfxr_that_cannot_be_loaded_is_named") else { return };
    let folder = TempDir::new().unwrap();
    let fxr = folder.path().join("host/fxr/9.0.1");
    copy_hostfxr(&root, folder.path(), "9.0.1");
    // The beginning is right, and the rest is missing.
    let file = fs::File::options().write(true).open(fxr.join(HOSTFXR)).unwrap();
    file.set_len(64).unwrap();
    let text = error(&at(folder.path()));
    contains(&text, &["host/fxr/9.0.1", HOSTFXR, "cannot be loaded"]);
    assert_eq!(call(probe(start(&at(&root)))), 42);
}
