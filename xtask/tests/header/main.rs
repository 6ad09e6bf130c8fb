//! The C header, `loaders/all/include/polyplug.h`, fits the sources.
//!
//! `cargo xtask header` runs this with `POLYPLUG_HEADER=write`, and the header is written instead of compared. The
//! generator is a test, so that its dependencies are not compiled for every `cargo xtask`.
//!
//! cbindgen does the work. Code that it cannot translate is [changed before](source), [corrected afterwards](polish),
//! or written by hand: see `begin.h` and `end.h`.

mod polish;
mod sizes;
mod source;

use std::path::{Path, PathBuf};

use cbindgen::{Builder, Config, DocumentationStyle, Language, Layout, RenameRule, Style};

use source::Sources;

#[test]
fn the_header_is_what_the_sources_say() {
    let path = root().join("loaders/all/include/polyplug.h");
    let expected = header();
    if std::env::var_os("POLYPLUG_HEADER").is_some_and(|mode| mode == "write") {
        return std::fs::write(&path, expected).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    let present = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    let lines = expected.lines().map(Some).chain([None]).zip(present.lines().map(Some).chain([None]));
    for (number, (expected, present)) in (1..).zip(lines) {
        assert_eq!(present, expected, "line {number} of {}: run `cargo xtask header`", path.display());
    }
    assert_eq!(present.len(), expected.len(), "{}: run `cargo xtask header`", path.display());
}

/// Returns the header's text.
fn header() -> String {
    let sources = Sources::read(&root());
    let mut builder = Builder::new().with_config(config(&sources));
    for file in sources.files() {
        builder = builder.with_src(file);
    }
    let mut text = Vec::new();
    builder.generate().expect("the sources are Rust").write(&mut text);
    let text = String::from_utf8(text).expect("cbindgen writes text");
    let polished = polish::polish(&text, &sources.names);
    let sizes = sizes::assertions(&polished);
    format!("{}{polished}\n{}\n{sizes}\n#endif\n", include_str!("begin.h"), include_str!("end.h"))
        .replace("@VERSION@", &sizes::version())
}

fn config(sources: &Sources) -> Config {
    let mut config = Config {
        language: Language::C,
        // Gives enums their size in C++.
        cpp_compat: true,
        no_includes: true,
        usize_is_size_t: true,
        style: Style::Tag,
        tab_width: 4,
        documentation_style: DocumentationStyle::Cxx,
        ..Config::default()
    };
    config.export.prefix = Some("Polyplug".to_owned());
    // Otherwise cbindgen writes only the types of the exported functions.
    config.export.include = sources.names.clone();
    // `PolyplugArrayBundleId` rather than `PolyplugArray_PolyplugBundleId`.
    config.export.mangle.rename_types = RenameRule::PascalCase;
    config.export.mangle.remove_underscores = true;
    config.enumeration.rename_variants = RenameRule::QualifiedScreamingSnakeCase;
    // Broken into lines afterwards.
    config.function.args = Layout::Horizontal;
    config
}

/// Returns the repository's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository is one folder up").to_owned()
}
