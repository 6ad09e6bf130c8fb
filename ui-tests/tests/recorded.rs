//! What is recorded in `ui/` is the same on every machine, and complete.

use std::fs;
use std::path::{Path, PathBuf};

fn files(extension: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui");
    let folders = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap()).map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
}

#[test]
fn every_mistake_has_its_message_and_every_message_its_mistake() {
    for (file, other) in [("rs", "stderr"), ("stderr", "rs")] {
        for path in files(file) {
            assert!(path.with_extension(other).is_file(), "{} has no .{other}", path.display());
        }
    }
}

#[test]
fn messages_name_no_place_of_one_machine() {
    for path in files("stderr") {
        let text = fs::read_to_string(&path).unwrap();
        for line in text.lines().filter(|line| line.trim_start().starts_with("-->") || line.contains(":::")) {
            let place = line.trim_start().trim_start_matches([' ', '-', '>', ':']);
            let known = ["ui/", "$WORKSPACE/", "$RUST/"].iter().any(|start| place.starts_with(start));
            assert!(known, "{}: {line}", path.display());
        }
        assert!(!text.contains(env!("CARGO_MANIFEST_DIR")), "{}", path.display());
    }
}
