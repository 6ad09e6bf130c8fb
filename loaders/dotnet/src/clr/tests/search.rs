//! The search for an installation.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::super::image::own_processor;
use super::super::search::{HOSTFXR, Search};
use super::dotnet::contains;

/// Returns the beginning of a library for a processor of ELF's number.
fn elf(machine: u16) -> Vec<u8> {
    let mut header = b"\x7fELF\x02\x01\x01".to_vec();
    header.resize(64, 0);
    header[18..20].copy_from_slice(&machine.to_le_bytes());
    header
}

/// Returns the beginning of a library that this program can load, as far as the search looks.
fn own() -> Vec<u8> {
    match own_processor() {
        "x64" => elf(62),
        "arm64" => elf(183),
        other => panic!("the number of {other} is unknown to this test"),
    }
}

/// Makes an installation with versions of hostfxr.
fn install(root: &Path, versions: &[&str], library: &[u8]) {
    for version in versions {
        let folder = root.join("host/fxr").join(version);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(HOSTFXR), library).unwrap();
    }
}

/// Makes a search with environment variables.
fn with_variables(variables: &[(&str, Option<&Path>)]) -> Search {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), value.map(OsString::from)));
    Search { variables: variables.collect(), ..Search::default() }
}

/// A folder for a test, with its links resolved.
struct World {
    _folder: TempDir,
    path: PathBuf,
}

impl World {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().canonicalize().unwrap();
        Self { _folder: folder, path }
    }

    fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn installed(&self, name: &str, versions: &[&str]) -> PathBuf {
        let root = self.join(name);
        install(&root, versions, &own());
        root
    }
}

#[test]
fn the_newest_version_is_taken() {
    let world = World::new();
    let root = world.installed("dotnet", &["3.1.32", "9.0.2", "10.0.0-rc.1", "9.0.10", "notes"]);
    let search = |root: &Path| Search { configured: Some(root.to_owned()), ..Search::default() }.find();
    assert_eq!(search(&root).unwrap().hostfxr, root.join("host/fxr/10.0.0-rc.1").join(HOSTFXR));
    // An update that was interrupted, and one for another processor.
    fs::remove_file(root.join("host/fxr/10.0.0-rc.1").join(HOSTFXR)).unwrap();
    assert_eq!(search(&root).unwrap().hostfxr, root.join("host/fxr/9.0.10").join(HOSTFXR));
    install(&root, &["9.0.10"], &elf(22));
    assert_eq!(search(&root).unwrap().hostfxr, root.join("host/fxr/9.0.2").join(HOSTFXR));
    assert_eq!(search(&root).unwrap().root, root);
}

#[test]
fn the_places_have_an_order() {
    let world = World::new();
    let [configured, special, general, in_path, by_file, standard] =
        ["configured", "special", "general", "path", "file", "standard"].map(|name| world.installed(name, &["9.0.1"]));
    fs::write(in_path.join(format!("dotnet{}", std::env::consts::EXE_SUFFIX)), "").unwrap();
    let location = world.join("install_location");
    fs::write(&location, format!("{}\nmore\n", by_file.display())).unwrap();

    let mut search = with_variables(&[("DOTNET_ROOT_X64", Some(&special)), ("DOTNET_ROOT", Some(&general))]);
    search.configured = Some(configured.clone());
    search.path = Some(std::env::join_paths([world.join("absent"), in_path.clone()]).unwrap());
    search.location_files = vec![world.join("absent"), location];
    search.folders = vec![world.join("absent"), standard.clone()];
    let root = |search: &Search| search.find().unwrap().root;
    assert_eq!(root(&search), configured);
    search.configured = None;
    assert_eq!(root(&search), special);
    search.variables[0].1 = Some(OsString::new());
    assert_eq!(root(&search), general);
    search.variables.clear();
    assert_eq!(root(&search), in_path);
    search.path = None;
    assert_eq!(root(&search), by_file);
    search.location_files.clear();
    assert_eq!(root(&search), standard);
}

#[test]
fn each_place_is_listed_with_its_reason() {
    let world = World::new();
    fs::create_dir_all(world.join("no-host")).unwrap();
    fs::create_dir_all(world.join("empty/host/fxr/notes")).unwrap();
    fs::create_dir_all(world.join("incomplete/host/fxr/9.0.1")).unwrap();
    fs::write(world.join("file"), "").unwrap();
    fs::create_dir_all(world.join("odd/host")).unwrap();
    fs::write(world.join("odd/host/fxr"), "").unwrap();
    install(&world.join("foreign"), &["9.0.1"], &elf(22));
    install(&world.join("text"), &["9.0.1"], b"text");
    install(&world.join("old"), &["2.1.30", "2.0.0"], &own());
    fs::write(world.join("location"), world.join("absent").to_str().unwrap()).unwrap();
    fs::create_dir_all(world.join("bin")).unwrap();
    let program = world.join("bin").join(format!("dotnet{}", std::env::consts::EXE_SUFFIX));
    fs::write(&program, "").unwrap();

    let mut search = with_variables(&[("DOTNET_ROOT_X64", None), ("DOTNET_ROOT", Some(Path::new("")))]);
    search.path = Some(world.join("bin").into_os_string());
    search.location_files = vec![world.join("location"), world.join("no-location"), world.join("no-host")];
    let folders = ["absent", "no-host", "empty", "incomplete", "file", "odd", "foreign", "text", "old"];
    search.folders = folders.map(|name| world.join(name)).to_vec();
    let text = search.find().expect_err("nothing is found");

    let own = own_processor();
    for (name, reason) in [
        ("absent", "does not exist".to_owned()),
        ("no-host", "has no folder host/fxr".to_owned()),
        ("empty", "its folder host/fxr has no version of .NET".to_owned()),
        ("incomplete", format!("host/fxr/9.0.1/{HOSTFXR} does not exist")),
        ("file", "is no folder".to_owned()),
        ("odd", "its folder host/fxr cannot be read".to_owned()),
        ("foreign", format!("host/fxr/9.0.1/{HOSTFXR} is made for s390x, and this program for {own}")),
        ("text", format!("host/fxr/9.0.1/{HOSTFXR} is no library")),
        ("old", format!("host/fxr/2.1.30/{HOSTFXR} is too old: .NET Core 3.1 or later is needed; host/fxr/2.0.0/")),
        ("bin", format!("/dotnet: leads to {}: has no folder host/fxr", world.join("bin").display())),
        ("location", format!("names {}: does not exist", world.join("absent").display())),
        ("no-location", "does not exist".to_owned()),
    ] {
        let separator = if reason.starts_with('/') { "" } else { ": " };
        contains(&text, &[&format!("\n  {}{separator}{reason}", world.join(name).display())]);
    }
    contains(&text, &["variable DOTNET_ROOT_X64: is not set", "variable DOTNET_ROOT: is not set"]);
    contains(&text, &["https://dotnet.microsoft.com/download", "with_root", "variable DOTNET_ROOT"]);
    contains(&Search::default().find().expect_err("nothing"), &["in the folders of PATH: does not exist"]);
}

#[test]
fn a_folder_that_is_named_must_be_right() {
    let world = World::new();
    let standard = world.installed("standard", &["9.0.1"]);
    let absent = world.join("absent");

    let mut search = with_variables(&[("DOTNET_ROOT_X64", None), ("DOTNET_ROOT", Some(&absent))]);
    search.folders = vec![standard];
    let text = search.find().expect_err("the variable is wrong");
    contains(&text, &["the environment variable DOTNET_ROOT names", "absent: does not exist", "has a folder `host`"]);

    search.configured = Some(world.join("bin"));
    fs::create_dir(world.join("bin")).unwrap();
    let text = search.find().expect_err("the folder is wrong");
    contains(&text, &["`DotnetLoader::with_root` names", "bin: has no folder host/fxr", "https://"]);
}

#[cfg(unix)]
#[test]
fn a_program_in_path_is_followed() {
    let world = World::new();
    let root = world.installed("lib/dotnet", &["8.0.0"]);
    fs::write(root.join("dotnet"), "").unwrap();
    fs::create_dir_all(world.join("usr/bin")).unwrap();
    fs::create_dir_all(world.join("alternatives")).unwrap();
    std::os::unix::fs::symlink(root.join("dotnet"), world.join("alternatives/dotnet")).unwrap();
    std::os::unix::fs::symlink("../../alternatives/dotnet", world.join("usr/bin/dotnet")).unwrap();
    let path = Some(world.join("usr/bin").into_os_string());
    assert_eq!(Search { path, ..Search::default() }.find().unwrap().root, root);
}

#[test]
fn the_processor_is_read_from_all_formats() {
    use super::super::image::processors;

    let world = World::new();
    let file = world.join("library");
    let of = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        processors(&file).unwrap()
    };
    assert_eq!(of(&elf(62)), ["x64"]);
    assert_eq!(of(&elf(183)), ["arm64"]);
    assert_eq!(of(&elf(0x1234)), ["processor 0x1234"]);
    let mut big = elf(0);
    big[5] = 2;
    big[18..20].copy_from_slice(&22_u16.to_be_bytes());
    assert_eq!(of(&big), ["s390x"]);

    let mut pe = b"MZ".to_vec();
    pe.resize(0x90, 0);
    pe[0x3c] = 0x80;
    pe[0x80..0x84].copy_from_slice(b"PE\0\0");
    pe[0x84..0x86].copy_from_slice(&0xaa64_u16.to_le_bytes());
    assert_eq!(of(&pe), ["arm64"]);
    pe[0x80] = b'N';
    assert!(of(&pe).is_empty());

    let thin = [0xcf, 0xfa, 0xed, 0xfe, 7, 0, 0, 1];
    assert_eq!(of(&thin), ["x64"]);
    let mut fat = vec![0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 2];
    fat.extend([1, 0, 0, 7].into_iter().chain([0; 16]).chain([1, 0, 0, 12]).chain([0; 16]));
    assert_eq!(of(&fat), ["x64", "arm64"]);
    assert!(of(b"").is_empty());
    assert!(of(b"\x7fELF").is_empty());
    assert!(of(&fat[..10]).is_empty());
}
