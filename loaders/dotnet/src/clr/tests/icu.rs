//! Systems without an ICU that .NET can use.

use super::super::icu::{INVARIANT, is_missing};
use super::super::{Clr, ClrConfig};
use super::child::with_each;
use super::dotnet::{at, bridge, call, contains, newest, probe, start};

/// Makes a library of a framework's name whose function finds an ICU or none.
#[cfg(target_os = "linux")]
fn framework(folder: &std::path::Path, file: &str, finds: bool) {
    let source = folder.join("icu.c");
    std::fs::write(&source, format!("int GlobalizationNative_LoadICU(void) {{ return {}; }}", i32::from(finds)))
        .unwrap();
    let output =
        std::process::Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(folder.join(file)).arg(&source).output();
    let output = output.expect("a C compiler");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[cfg(target_os = "linux")]
#[test]
fn the_function_of_the_framework_decides() {
    for (file, finds) in [
        ("libSystem.Globalization.Native.so", true),
        ("libSystem.Globalization.Native.so", false),
        ("System.Globalization.Native.so", true),
        ("System.Globalization.Native.so", false),
    ] {
        let folder = tempfile::TempDir::new().unwrap();
        assert!(!is_missing(folder.path()), "nothing is known of an empty folder");
        framework(folder.path(), file, finds);
        assert_eq!(is_missing(folder.path()), !finds, "{file}");
    }
}

/// Without the check, the CLR ends the process where there is no ICU for it: 3.1 knows none that systems of today have.
#[test]
fn the_process_goes_on_without_icu() {
    let Some(root) = with_each("icu", "the_process_goes_on_without_icu") else { return };
    let framework = root.join("shared/Microsoft.NETCore.App").join(newest(&root, "shared/Microsoft.NETCore.App"));
    let is_missing = is_missing(&framework);

    let property = |value: &str| [(INVARIANT.to_owned(), value.to_owned())].into();
    let wanted = ClrConfig { properties: property("false"), ..at(&root) };
    match Clr::start(&wanted, &bridge()) {
        Ok(_) => assert!(!is_missing, "the process would have ended"),
        Err(error) => {
            assert!(is_missing, "{error}");
            contains(&error.to_string(), &["no ICU that .NET ", "libicuuc", "Install one", INVARIANT]);
            let clr = start(&at(&root));
            assert!(std::ptr::eq(start(&ClrConfig { properties: property("true"), ..ClrConfig::default() }), clr));
            assert_eq!(call(probe(clr)), 42);
        }
    }
}
