//! A manifest that is missing or wrong is refused with its file, its line or key, and what to write instead.

use std::env::consts::{ARCH, DLL_PREFIX, DLL_SUFFIX, OS};

use polyplug::error::{LoaderError, ManifestError, RuntimeError};
use polyplug::{BundleId, Runtime};
use polyplug_tests::{BAD, Bundle, library, manifest, refused, refused_by, runtime, works};

/// A bundle with this manifest and a good library.
fn bundle(manifest: impl AsRef<[u8]>) -> Bundle {
    let bundle = Bundle::native(BAD, "plugin-calc");
    bundle.write("manifest.toml", manifest);
    bundle
}

/// Why a bundle with this manifest is refused.
#[track_caller]
fn fault(manifest: impl AsRef<[u8]>) -> (ManifestError, String) {
    let bundle = bundle(manifest);
    let error = refused(&bundle);
    let text = error.to_string();
    let file = bundle.path().join("manifest.toml").display().to_string();
    assert!(text.starts_with(&file), "begins with the file: {text}");
    match error {
        RuntimeError::Manifest(error) => (error, text),
        other => panic!("a fault of the manifest, not {other:?}"),
    }
}

/// Where the manifest is no TOML, or has a key that is wrong, and the message.
#[track_caller]
fn syntax(manifest: impl AsRef<[u8]>) -> (usize, usize, String) {
    match fault(manifest) {
        (ManifestError::Syntax { line, column, message, .. }, text) => {
            assert!(text.contains(&format!("manifest.toml:{line}:{column}: ")), "{text}");
            (line, column, message)
        }
        (other, _) => panic!("a place in the file, not {other:?}"),
    }
}

/// Which value of the manifest makes no sense, and the whole message.
#[track_caller]
fn invalid(manifest: impl AsRef<[u8]>) -> (&'static str, String) {
    match fault(manifest) {
        (ManifestError::Invalid { key, .. }, text) => (key, text),
        (other, _) => panic!("a value that makes no sense, not {other:?}"),
    }
}

/// A manifest with one line in addition to the good ones.
fn with(line: &str) -> String {
    manifest(BAD, "native", "plugin") + line + "\n"
}

/// A manifest whose line for `key` is `line`.
fn with_instead(key: &str, line: &str) -> String {
    let good = manifest(BAD, "native", "plugin");
    let replaced: Vec<_> =
        good.lines().map(|known| if known.starts_with(&format!("{key} =")) { line } else { known }).collect();
    replaced.join("\n")
}

#[test]
fn the_manifest_that_others_vary_is_good() {
    let bundle = bundle(with_instead("version", "version = \"1.0.0\""));
    runtime().load_bundle(bundle.path()).unwrap();
}

#[test]
fn a_folder_without_a_manifest_is_no_bundle() {
    let bundle = Bundle::empty();
    let error = refused(&bundle);
    assert!(
        matches!(&error, RuntimeError::Manifest(ManifestError::Missing { path, .. }) if *path == bundle.path().join("manifest.toml"))
    );
    assert!(error.to_string().contains("a bundle is a folder with a manifest.toml"), "{error}");
}

#[test]
fn a_path_that_does_not_exist_is_named() {
    let runtime = runtime();
    let path = std::path::absolute("/no/such/folder").unwrap();
    let error = refused_by(&runtime, &path);
    assert!(matches!(error, RuntimeError::Manifest(ManifestError::Missing { .. })), "{error:?}");
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
}

#[test]
fn a_path_through_a_file_is_named() {
    let bundle = Bundle::empty();
    bundle.write("file", "");
    let error = refused_by(&runtime(), &bundle.path().join("file/bundle"));
    assert!(matches!(error, RuntimeError::Manifest(ManifestError::Missing { .. })), "{error:?}");
}

#[test]
fn broken_toml_is_found_by_line_and_column() {
    let (line, column, _) = syntax("name = \"bad\"\nversion = \"1.0.0\nloader = \"native\"\n");
    assert_eq!((line, column), (2, 17));
}

#[test]
fn the_column_counts_letters() {
    let (line, column, _) = syntax("name = \"bad\"\n\"größe\" & 1\n");
    assert_eq!((line, column), (2, 9), "after seven letters, two of them of two bytes, and a space");
}

#[test]
fn an_empty_manifest_lacks_its_first_key() {
    let (line, _, message) = syntax("");
    assert_eq!(line, 1);
    assert!(message.contains("name"), "{message}");
}

#[test]
fn a_missing_key_is_named() {
    let (_, _, message) = syntax(with_instead("loader", ""));
    assert!(message.contains("missing field `loader`"), "{message}");
}

#[test]
fn an_unknown_key_is_found_and_the_known_ones_are_listed() {
    let (line, column, message) = syntax(with("lodaer = \"native\""));
    assert_eq!((line, column), (5, 1));
    assert!(message.contains("`lodaer`") && message.contains("`loader`"), "{message}");
}

#[test]
fn a_table_of_another_loader_is_found() {
    for (lines, place) in [
        ("[lua]\nmemory = 1", (5, 2)),
        ("\n[native]\n[ lua . limits ]\nmemory = 1", (7, 3)),
        ("lua.memory = 1", (5, 1)),
        ("lua = { memory = 1 }", (5, 1)),
        ("[confg]\nmax = 1", (5, 2)),
    ] {
        let (line, column, message) = syntax(with(lines));
        assert_eq!((line, column), place, "{lines}");
        let name = if lines.contains("lua") { "`lua`" } else { "`confg`" };
        for part in [name, "`config`", "only the table of the bundle's own loader is allowed, `native`"] {
            assert!(message.contains(part), "{part} is in: {message}");
        }
    }
}

#[test]
fn settings_of_the_loader_that_are_no_table_are_found() {
    for (lines, place, kind) in [
        ("native = 7", (5, 10), "integer"),
        ("native = \"lazy\"", (5, 10), "string"),
        ("native = [{ lazy = true }]", (5, 10), "array"),
    ] {
        let (line, column, message) = syntax(with(lines));
        assert_eq!((line, column), place, "{lines}");
        let text = format!("`native` is of type {kind}, and has to be a table");
        assert!(message.starts_with(&text) && message.ends_with("write them under `[native]`"), "{message}");
    }
    let (line, _, message) = syntax(with("[[native]]\nlazy = true"));
    assert_eq!(line, 5);
    assert!(message.starts_with("`native` is of type array"), "{message}");
}

#[test]
fn a_number_that_is_too_large_is_found_in_the_loaders_settings_as_well() {
    for table in ["native", "config"] {
        let (line, column, message) = syntax(with(&format!("[{table}]\nlarge = 0x1_0000_0000_0000_0000")));
        assert_eq!((line, column), (6, 9), "{table}: {message}");
    }
}

#[test]
fn a_manifest_that_names_no_loader_lacks_it_whatever_tables_it_has() {
    let (_, _, message) = syntax(with_instead("loader", "") + "\n[config]\na = 1\n");
    assert!(message.contains("missing field `loader`"), "{message}");
    let (line, _, message) = syntax(with_instead("loader", "") + "\n[lua]\n");
    assert_eq!(line, 5);
    assert!(message.contains("unknown field `lua`"), "{message}");
}

#[test]
fn an_unknown_key_of_a_dependency_is_found() {
    let (line, _, message) = syntax(with("[[dependency]]\ncontract = \"demo.logger@1\"\noptional = true"));
    assert_eq!(line, 7);
    assert!(message.contains("`optional`") && message.contains("`contract`"), "{message}");
}

#[test]
fn a_key_written_twice_is_found() {
    let (line, _, message) = syntax(with("name = \"other\""));
    assert_eq!(line, 5);
    assert!(message.contains("duplicate key"), "{message}");
}

#[test]
fn a_value_of_the_wrong_type_is_found() {
    let (line, column, message) = syntax(with_instead("version", "version = 1"));
    assert_eq!((line, column), (2, 11));
    assert!(message.contains("expected a string"), "{message}");
}

#[test]
fn a_file_of_the_wrong_type_says_what_to_write() {
    let (line, _, message) = syntax(with_instead("file", "file = 7"));
    assert_eq!(line, 4);
    assert!(message.contains("a file name, or a table of file names by os and arch"), "{message}");
}

#[test]
fn a_name_that_is_no_name_is_refused() {
    for (name, because) in [
        ("", "1 to 128"),
        ("../bad", "starts with a dot"),
        ("good.", "ends with a dot"),
        ("CON", "a device on Windows"),
        ("nul.lua", "a device on Windows"),
        ("Com1", "a device on Windows"),
        ("a/b", "'/'"),
        ("a b", "' '"),
        ("naïve", "'ï'"),
        (&"x".repeat(129), "1 to 128"),
    ] {
        let (key, text) = invalid(with_instead("name", &format!("name = \"{name}\"")));
        assert_eq!(key, "name");
        assert!(text.contains(because), "{text}");
    }
}

#[test]
fn a_version_that_is_no_version_shows_a_good_one() {
    for version in ["1.0", "v1.0.0", "", "1.0.0.0", "one"] {
        let (key, text) = invalid(with_instead("version", &format!("version = \"{version}\"")));
        assert_eq!(key, "version");
        assert!(text.contains(&format!("\"{version}\"")) && text.contains("write \"1.0.0\""), "{text}");
    }
}

#[test]
fn an_unknown_loader_is_named_beside_those_there_are() {
    let bundle = bundle(with_instead("loader", "loader = \"cobol\""));
    let error = refused(&bundle);
    let RuntimeError::UnknownLoader { bundle: name, loader, registered, .. } = &error else {
        panic!("an unknown loader, not {error:?}")
    };
    assert_eq!((name.as_str(), loader.as_str()), (BAD, "cobol"));
    assert_eq!(registered, &["native"]);
    let text = error.to_string();
    for part in ["manifest.toml", "`bad`", "`cobol`", "`native`", "Runtime::builder().loader(..)"] {
        assert!(text.contains(part), "{part} is in: {text}");
    }
}

#[test]
fn a_runtime_without_loaders_says_so() {
    let bundle = Bundle::native(BAD, "plugin-calc");
    let runtime = Runtime::builder().build().unwrap();
    let error = runtime.load_bundle(bundle.path()).unwrap_err();
    assert!(matches!(&error, RuntimeError::UnknownLoader { registered, .. } if registered.is_empty()), "{error:?}");
    assert!(error.to_string().contains("it has none"), "{error}");
}

#[test]
fn an_empty_loader_is_refused() {
    let (key, text) = invalid(with_instead("loader", "loader = \"\""));
    assert_eq!(key, "loader");
    assert!(text.contains("\"native\""), "an example: {text}");
}

#[test]
fn an_id_that_is_not_the_names_is_refused_with_the_right_one() {
    let right = BundleId::new(BAD).to_string();
    for id in ["\"0x1234\"", "4660", "\"bad\"", "\"\"", "-1"] {
        let (key, text) = invalid(with(&format!("id = {id}")));
        assert_eq!(key, "id");
        assert!(text.contains(&right) && text.contains("\"bad\""), "{text}");
    }
}

#[test]
fn an_id_that_is_the_names_is_accepted_in_every_notation() {
    let id = BundleId::new(BAD);
    for written in [format!("\"{id}\""), format!("\"{}\"", id.id()), (id.id() as i64).to_string()] {
        let bundle = bundle(with(&format!("id = {written}")));
        assert_eq!(runtime().load_bundle(bundle.path()).unwrap(), id);
    }
}

#[test]
fn a_dependency_that_names_no_contract_is_refused() {
    for contract in ["demo.logger", "@1", "demo.logger@", "demo.logger@one", "demo.logger@1.x", "demo.logger@-1"] {
        let (key, text) = invalid(with(&format!("[[dependency]]\ncontract = \"{contract}\"")));
        assert_eq!(key, "dependency.contract");
        assert!(text.contains(&format!("\"{contract}\"")) && text.contains("name@major.minor"), "{text}");
    }
}

#[test]
fn a_host_contract_that_names_no_contract_is_refused() {
    for contract in ["", "demo.logger", "@1", "demo.logger@", "demo.logger@one", "demo.logger@1.x", "demo.logger@-1"] {
        let (key, text) = invalid(with(&format!("[[host]]\ncontract = \"{contract}\"")));
        assert_eq!(key, "host.contract");
        assert!(text.contains(&format!("\"{contract}\"")) && text.contains("name@major.minor"), "{text}");
    }
}

#[test]
fn an_unknown_key_of_a_host_contract_is_found_and_the_known_ones_are_listed() {
    let (line, column, message) = syntax(with("[[host]]\ncontract = \"demo.logger@1\"\noptinal = true"));
    assert_eq!((line, column), (7, 1));
    for part in ["`optinal`", "`contract`", "`optional`"] {
        assert!(message.contains(part), "{part} is in: {message}");
    }
}

#[test]
fn a_value_of_the_wrong_type_of_a_host_contract_is_found() {
    for (lines, place, expected) in [
        ("[[host]]\ncontract = 1", (6, 12), "expected a string"),
        ("[[host]]\ncontract = [\"demo.logger@1\"]", (6, 12), "expected a string"),
        ("[[host]]\ncontract = \"demo.logger@1\"\noptional = \"yes\"", (7, 12), "expected a boolean"),
        ("host = \"demo.logger@1\"", (5, 8), "expected a sequence"),
        ("[host]\ncontract = \"demo.logger@1\"", (5, 1), "expected a sequence"),
        ("[[host]]\noptional = true", (5, 1), "missing field `contract`"),
    ] {
        let (line, column, message) = syntax(with(lines));
        assert_eq!((line, column), place, "{lines}");
        assert!(message.contains(expected), "{expected} is in: {message}");
    }
}

#[test]
fn a_contract_that_is_listed_twice_is_refused_with_both_lines() {
    for list in ["host", "dependency"] {
        let contract = |version: &str| format!("[[{list}]]\ncontract = \"demo.logger@{version}\"\n");
        let (key, text) = invalid(with(&(contract("1.1") + &contract("2") + &contract("1.4"))));
        assert_eq!(key, format!("{list}.contract"));
        assert!(text.contains("line 10 lists demo.logger@1 again, after line 6: list it once"), "{text}");
    }
}

#[test]
fn a_file_that_is_absolute_is_refused() {
    let elsewhere = library("plugin-calc").canonicalize().unwrap();
    let (key, text) = invalid(with_instead("file", &format!("file = {:?}", elsewhere.to_str().unwrap())));
    assert_eq!(key, "file");
    assert!(text.contains("is absolute") && text.contains("relative to the bundle's folder"), "{text}");
}

#[test]
fn a_file_that_climbs_out_is_refused() {
    for file in ["../plugin", "..", "sub/../../plugin", "./../plugin.so", "sub/../plugin"] {
        let (key, text) = invalid(with_instead("file", &format!("file = \"{file}\"")));
        assert_eq!(key, "file");
        assert!(text.contains(&format!("\"{file}\" climbs out of the bundle")), "{text}");
    }
}

#[test]
fn a_file_by_platform_is_found() {
    let flat = format!("file = {{ \"{OS}.{ARCH}\" = \"plugin\", \"plan9.mips\" = \"other\" }}");
    let nested = format!("[file]\n{OS}.{ARCH} = \"plugin\"\nplan9.mips = \"other\"");
    let tables = format!("[file.plan9]\nmips = \"other\"\n[file.{OS}]\n{ARCH} = \"plugin\"");
    for file in [flat, nested, tables] {
        let bundle = bundle(with_instead("file", &file));
        runtime().load_bundle(bundle.path()).unwrap_or_else(|error| panic!("{file}: {error}"));
    }
}

#[test]
fn a_platform_without_a_file_lists_the_others() {
    let (key, text) = invalid(with_instead("file", "file = { plan9.mips = \"a\", \"vms.vax\" = \"b\" }"));
    assert_eq!(key, "file");
    for part in [format!("{OS}.{ARCH}"), "plan9.mips, vms.vax".to_owned(), "add a file for this platform".to_owned()] {
        assert!(text.contains(&part), "{part} is in: {text}");
    }
}

#[test]
fn a_file_by_platform_cannot_climb_out() {
    let (key, text) = invalid(with_instead("file", &format!("file = {{ \"{OS}.{ARCH}\" = \"../plugin\" }}")));
    assert_eq!(key, "file");
    assert!(text.contains("climbs out"), "{text}");
}

#[test]
fn an_empty_file_is_refused() {
    for file in ["file = \"\"".to_owned(), format!("file = {{ \"{OS}.{ARCH}\" = \"\" }}")] {
        let (key, text) = invalid(with_instead("file", &file));
        assert_eq!(key, "file");
        assert!(text.contains("name the artifact"), "{text}");
    }
}

#[test]
fn no_file_at_all_is_refused() {
    let bundle = bundle(with_instead("file", ""));
    let error = refused(&bundle);
    assert!(matches!(error, RuntimeError::Loader(LoaderError::ArtifactInvalid { .. })), "{error:?}");
    assert!(error.to_string().contains("`file` is missing"), "{error}");
}

#[test]
fn the_platforms_prefix_and_extension_are_added() {
    for stored in ["plugin".to_owned(), format!("plugin{DLL_SUFFIX}"), format!("{DLL_PREFIX}plugin{DLL_SUFFIX}")] {
        let bundle = Bundle::empty();
        bundle.write("manifest.toml", manifest(BAD, "native", "plugin"));
        std::fs::copy(library("plugin-calc"), bundle.path().join(&stored)).unwrap();
        works_once(&bundle, &stored);
    }
}

#[test]
fn the_prefix_and_extension_are_added_in_a_folder_of_the_bundle() {
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", manifest(BAD, "native", "lib/plugin"));
    std::fs::create_dir(bundle.path().join("lib")).unwrap();
    let stored = format!("lib/{DLL_PREFIX}plugin{DLL_SUFFIX}");
    std::fs::copy(library("plugin-calc"), bundle.path().join(&stored)).unwrap();
    works_once(&bundle, &stored);
}

#[track_caller]
fn works_once(bundle: &Bundle, stored: &str) {
    let runtime = runtime();
    let id = runtime.load_bundle(bundle.path()).unwrap_or_else(|error| panic!("{stored}: {error}"));
    runtime.unload_bundle(id).unwrap();
    works(&runtime);
}

#[test]
fn the_name_as_written_comes_first() {
    let bundle = Bundle::native(BAD, "plugin-calc");
    bundle.write("plugin", "no library");
    let error = refused(&bundle);
    assert!(
        matches!(&error, RuntimeError::Loader(LoaderError::ArtifactInvalid { path, .. }) if path.ends_with("plugin")),
        "{error:?}"
    );
}

#[test]
fn a_missing_artifact_names_what_was_tried() {
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", manifest(BAD, "native", "plugin"));
    let error = refused(&bundle);
    let RuntimeError::Loader(LoaderError::ArtifactMissing { bundle: name, tried, .. }) = &error else {
        panic!("a missing artifact, not {error:?}")
    };
    assert_eq!(name, BAD);
    let mut names = vec!["plugin".to_owned(), format!("plugin{DLL_SUFFIX}"), format!("{DLL_PREFIX}plugin{DLL_SUFFIX}")];
    names.dedup(); // Windows has no prefix
    assert_eq!(*tried, names.into_iter().map(|name| bundle.path().join(name)).collect::<Vec<_>>());
    let text = error.to_string();
    for part in tried.iter().map(|path| path.display().to_string()).chain(["`bad`".into(), "build the artifact".into()])
    {
        assert!(text.contains(&part), "{part} is in: {text}");
    }
}

#[test]
fn an_artifact_that_is_a_folder_is_missing() {
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", manifest(BAD, "native", "plugin"));
    std::fs::create_dir(bundle.path().join("plugin")).unwrap();
    let error = refused(&bundle);
    assert!(matches!(error, RuntimeError::Loader(LoaderError::ArtifactMissing { .. })), "{error:?}");
}

#[test]
fn a_manifest_of_ten_megabytes_is_not_read() {
    let (error, text) = fault(with(&format!("# {}", "x".repeat(10 << 20))));
    assert!(matches!(error, ManifestError::TooLarge { size, .. } if size > 10 << 20), "{error:?}");
    assert!(text.contains("too many for a manifest"), "{text}");
}

#[test]
fn a_manifest_that_is_a_folder_is_refused() {
    let bundle = Bundle::empty();
    std::fs::create_dir(bundle.path().join("manifest.toml")).unwrap();
    let error = refused(&bundle);
    assert!(matches!(error, RuntimeError::Manifest(ManifestError::Unreadable { .. })), "{error:?}");
    assert!(error.to_string().contains("manifest.toml"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_manifest_that_is_a_pipe_is_refused_rather_than_waited_for() {
    let bundle = Bundle::empty();
    let pipe = bundle.path().join("manifest.toml");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo belongs to every Unix");
    assert!(made.success());
    let error = refused(&bundle);
    assert!(matches!(error, RuntimeError::Manifest(ManifestError::Unreadable { .. })), "{error:?}");
}

#[test]
fn a_manifest_that_is_no_utf_8_is_found_by_line_and_column() {
    let (line, column, message) = syntax(b"name = \"bad\"\n# caf\xe9\nversion = \"1.0.0\"\n");
    assert_eq!((line, column), (2, 6));
    assert!(message.contains("UTF-8"), "{message}");
}

#[test]
fn a_manifest_nested_without_end_does_not_exhaust_the_stack() {
    let (_, _, message) = syntax(with(&format!("description = {}", "[".repeat(1 << 19))));
    assert!(!message.is_empty());
}

#[cfg(unix)]
mod links {
    use std::os::unix::fs::symlink;

    use super::*;

    fn outside(bundle: &Bundle) {
        let error = refused(bundle);
        let RuntimeError::Loader(LoaderError::ArtifactOutside { bundle: name, path }) = &error else {
            panic!("an artifact outside of the bundle, not {error:?}")
        };
        assert_eq!(name, BAD);
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
        assert!(error.to_string().contains("an artifact lies in its bundle's folder"), "{error}");
    }

    #[test]
    fn a_link_to_a_file_outside_is_refused() {
        let elsewhere = Bundle::native("elsewhere", "plugin-calc");
        let bundle = Bundle::empty();
        bundle.write("manifest.toml", manifest(BAD, "native", "plugin"));
        let library = format!("plugin{DLL_SUFFIX}");
        symlink(elsewhere.path().join(&library), bundle.path().join(&library)).unwrap();
        outside(&bundle);
    }

    #[test]
    fn a_link_to_a_folder_outside_is_refused() {
        let elsewhere = Bundle::native("elsewhere", "plugin-calc");
        let bundle = Bundle::empty();
        bundle.write("manifest.toml", manifest(BAD, "native", "lib/plugin"));
        symlink(elsewhere.path(), bundle.path().join("lib")).unwrap();
        outside(&bundle);
    }

    #[test]
    fn a_link_to_a_folder_whose_name_begins_with_the_bundles_is_refused() {
        let parent = Bundle::empty();
        let (inside, beside) = (parent.path().join("bundle"), parent.path().join("bundle-2"));
        for folder in [&inside, &beside] {
            std::fs::create_dir(folder).unwrap();
        }
        std::fs::write(inside.join("manifest.toml"), manifest(BAD, "native", "plugin")).unwrap();
        let library = format!("plugin{DLL_SUFFIX}");
        std::fs::copy(polyplug_tests::library("plugin-calc"), beside.join(&library)).unwrap();
        symlink(beside.join(&library), inside.join(&library)).unwrap();
        let error = refused_by(&runtime(), &inside);
        assert!(matches!(error, RuntimeError::Loader(LoaderError::ArtifactOutside { .. })), "{error:?}");
    }

    #[test]
    fn a_link_that_leads_nowhere_is_a_missing_artifact() {
        let bundle = Bundle::empty();
        bundle.write("manifest.toml", manifest(BAD, "native", "plugin"));
        symlink(bundle.path().join("nothing"), bundle.path().join("plugin")).unwrap();
        let error = refused(&bundle);
        assert!(matches!(error, RuntimeError::Loader(LoaderError::ArtifactMissing { .. })), "{error:?}");
    }

    #[test]
    fn a_link_within_the_bundle_is_followed() {
        let bundle = Bundle::native(BAD, "plugin-calc");
        bundle.write("manifest.toml", manifest(BAD, "native", "current"));
        symlink(format!("plugin{DLL_SUFFIX}"), bundle.path().join("current")).unwrap();
        works_once(&bundle, "current");
    }

    #[test]
    fn a_bundle_behind_a_link_is_loaded() {
        let bundle = Bundle::native(BAD, "plugin-calc");
        let parent = Bundle::empty();
        let link = parent.path().join("link");
        symlink(bundle.path(), &link).unwrap();
        runtime().load_bundle(&link).unwrap();
    }
}
