//! Prints the figures of the layers: `cargo run -p polyplug-tests --example layers -- /path/to/repository`.

use std::io;
use std::path::PathBuf;

use polyplug_tests::layers::Repository;

fn main() -> io::Result<()> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let root = std::env::args_os().nth(1).map_or(here, PathBuf::from);
    for figures in Repository::read(&root)?.figures() {
        print!("{figures}");
    }
    Ok(())
}
