//! Hosts that run a CLR themselves.

#[cfg(target_os = "linux")]
use std::path::{Path, PathBuf};

use super::super::ClrConfig;
use super::super::files::Files;
use super::super::hostfxr::Hostfxr;
use super::super::loaded::Loaded;
use super::super::search::Search;
use super::super::stack::prepare_thread;
use super::child::with_each;
use super::dotnet::{at, call, contains, error, newest, probe, start};

#[test]
fn the_clr_of_the_host_is_used() {
    let Some(root) = with_each("host", "the_clr_of_the_host_is_used") else { return };
    assert_eq!(Loaded::find(), None);
    let found = Search::of_process(Some(&root)).find().unwrap();
    let files = Files::new().unwrap();
    let host = Hostfxr::load(&found.hostfxr).unwrap();
    let context = host.initialize(&files.runtime_config().unwrap(), &found.root).unwrap();
    context.set_property("Demo.Host", "1").unwrap();
    context.set_property("System.Globalization.Invariant", "true").unwrap();
    prepare_thread();
    context.start().unwrap();
    assert_eq!(Loaded::find().unwrap().host.unwrap().root, found.root);

    let property = |value: &str| [("Demo.Host".to_owned(), value.to_owned())].into();
    let refused = error(&ClrConfig { properties: property("2"), ..ClrConfig::default() });
    contains(&refused, &["`Demo.Host`: `1` runs, `2` is asked for"]);
    contains(&error(&at("/elsewhere")), &["/elsewhere is asked for"]);
    let clr = start(&ClrConfig { properties: property("1"), ..ClrConfig::default() });
    assert_eq!(clr.root(), root.canonicalize().unwrap());
    assert_eq!(clr.version(), newest(&root, "shared/Microsoft.NETCore.App"));
    assert_eq!(call(probe(clr)), 42);
}

#[cfg(target_os = "linux")]
#[test]
fn a_clr_that_hostfxr_has_not_started_is_refused() {
    let Some(root) = with_each("host", "a_clr_that_hostfxr_has_not_started_is_refused") else { return };
    let folder = root.join("shared/Microsoft.NETCore.App").join(newest(&root, "shared/Microsoft.NETCore.App"));
    // SAFETY: the library is the CLR, which does nothing before it is asked to start.
    let library = unsafe { libloading::Library::new(folder.join("libcoreclr.so")) };
    std::mem::forget(library.expect("the CLR can be loaded"));
    contains(&error(&at(&root)), &["runs the CLR ", "libcoreclr.so already", "without hostfxr"]);
}

#[cfg(target_os = "linux")]
#[test]
fn the_clr_is_found_among_the_libraries() {
    let clr = "/opt/b/shared/Microsoft.NETCore.App/9.0.1/libcoreclr.so";
    let among = |files: &[&str]| Loaded::among(&files.iter().map(PathBuf::from).collect::<Vec<_>>());
    assert_eq!(among(&["/lib/libc.so.6", "/opt/b/host/fxr/9.0.1/libhostfxr.so"]), None);
    let alone = among(&["/lib/libc.so.6", clr]).unwrap();
    assert_eq!((alone.coreclr, alone.host), (PathBuf::from(clr), None));

    // The hostfxr of the same installation.
    let both = among(&["/opt/a/host/fxr/8.0.0/libhostfxr.so", clr, "/opt/b/host/fxr/9.0.1/libhostfxr.so"]).unwrap();
    let host = both.host.unwrap();
    assert_eq!(host.root, Path::new("/opt/b"));
    assert_eq!(host.hostfxr, Path::new("/opt/b/host/fxr/9.0.1/libhostfxr.so"));

    // A program that brings its own .NET.
    let own = among(&["/app/libhostfxr.so", "/app/libcoreclr.so"]).unwrap();
    assert_eq!(own.host.unwrap().root, Path::new("/app"));
}
