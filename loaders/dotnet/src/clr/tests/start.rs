//! The start of the CLR.

use std::fs;
use std::path::Path;
use std::sync::Barrier;
use std::thread;

use tempfile::TempDir;

use super::super::ClrConfig;
use super::super::files::Files;
use super::child::{again, in_child, passed, versions, with_each};
use super::dotnet::{ENTRY, at, call, contains, newest, probe, root, start};

#[test]
fn the_clr_starts_and_has_the_functions_of_the_bridge() {
    let Some(root) = with_each("start", "the_clr_starts_and_has_the_functions_of_the_bridge") else { return };
    let clr = start(&at(&root));
    assert_eq!(clr.root(), root.canonicalize().unwrap());
    assert_eq!(clr.version(), newest(&root, "shared/Microsoft.NETCore.App"));
    assert_eq!(call(probe(clr)), 42);

    let missing = clr.function(ENTRY, "Nothing").expect_err("no such function").to_string();
    contains(&missing, &["no function `Nothing` in `Polyplug.Bridge.Entry, Polyplug`"]);
    let missing = clr.function("Polyplug.Nothing, Polyplug", "Init").expect_err("no such class").to_string();
    contains(&missing, &["`Polyplug.Nothing, Polyplug`"]);
}

#[test]
fn threads_that_start_at_once_get_one_clr() {
    let Some(root) = with_each("start", "threads_that_start_at_once_get_one_clr") else { return };
    let barrier = Barrier::new(8);
    let found: Vec<usize> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    let clr = start(&at(&root));
                    assert_eq!(call(probe(clr)), 42);
                    std::ptr::from_ref(clr).addr()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("the thread starts the CLR")).collect()
    });
    assert!(found.iter().all(|clr| *clr == found[0]), "{found:?}");
}

#[cfg(unix)]
#[test]
fn nothing_remains_in_the_temporary_folder() {
    if let Some(root) = in_child() {
        let clr = start(&at(&root));
        // While the CLR runs, it has files of its own for debuggers.
        let names = fs::read_dir(std::env::temp_dir()).unwrap().map(|entry| entry.unwrap().file_name());
        let names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        assert!(names.iter().all(|name| !name.contains("polyplug")), "{names:?}");
        assert_eq!(call(probe(clr)), 42);
        return;
    }
    for version in versions() {
        let folder = TempDir::new().unwrap();
        passed(again("start", "nothing_remains_in_the_temporary_folder", version).env("TMPDIR", folder.path()));
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[cfg(unix)]
#[test]
fn the_files_of_the_bridge_are_for_this_user_only() {
    use std::os::unix::fs::PermissionsExt as _;

    let files = Files::new().unwrap();
    let bridge = files.bridge(b"bytes").unwrap();
    assert_eq!(fs::metadata(files.path()).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::read(&bridge).unwrap(), b"bytes");
    let folder = files.path().to_owned();
    drop(files);
    assert!(!folder.exists());
}

#[cfg(unix)]
#[test]
fn the_folder_of_dotnet_has_any_name() {
    let Some(root) = with_each("start", "the_folder_of_dotnet_has_any_name") else { return };
    let folder = TempDir::new().unwrap();
    let other = folder.path().join("the runtime");
    super::dotnet::linked(&root, &other);
    let clr = start(&at(&other));
    assert_eq!(clr.root(), other.canonicalize().unwrap());
    assert_eq!(call(probe(clr)), 42);
}

#[cfg(unix)]
#[test]
fn the_program_in_path_leads_to_the_installation() {
    if in_child().is_some() {
        let clr = start(&ClrConfig::default());
        assert_eq!(clr.root(), Path::new(&std::env::var_os("EXPECTED").unwrap()));
        assert_eq!(call(probe(clr)), 42);
        return;
    }
    for version in versions() {
        let folder = TempDir::new().unwrap();
        let installation = folder.path().join("installation");
        super::dotnet::linked(&root(version), &installation);
        fs::write(installation.join("dotnet"), "").unwrap();
        let programs = folder.path().join("bin");
        fs::create_dir(&programs).unwrap();
        std::os::unix::fs::symlink("../installation/dotnet", programs.join("dotnet")).unwrap();
        let mut command = again("start", "the_program_in_path_leads_to_the_installation", version);
        passed(command.env("PATH", programs).env("EXPECTED", installation.canonicalize().unwrap()));
    }
}
