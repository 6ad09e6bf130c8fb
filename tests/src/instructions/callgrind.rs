//! The program `hot-paths`, built with optimizations and run under callgrind.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The package of the program, and its name.
const PROGRAM: &str = "hot-paths";

/// The packages of the libraries that the program loads.
const PLUGINS: [&str; 2] = ["plugin-calc", "plugin-floor"];

/// The function at which callgrind ends a part of its counts.
const MARK: &str = "hot_paths_mark";

/// The instructions of one call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Count {
    /// Those of the call through polyplug.
    pub ours: f64,
    /// Those of the same by hand, where there is such a call.
    pub floor: Option<f64>,
}

/// The instructions of calls, by the calls' names, which begin with their groups.
pub type Counts = BTreeMap<String, Count>;

/// Builds the program and what it loads, with optimizations. Returns the program's path.
///
/// # Errors
///
/// What cargo says if it fails.
pub fn build() -> Result<PathBuf, String> {
    let test = std::env::current_exe().map_err(|error| error.to_string())?;
    // target/debug/deps/test
    let target = test.ancestors().nth(3).ok_or("a test lies in the target directory")?;
    // Plugins by themselves, for the program has features of a host.
    cargo(target, &PLUGINS)?;
    cargo(target, &[PROGRAM])?;
    Ok(target.join("release").join(PROGRAM))
}

fn cargo(target: &Path, packages: &[&str]) -> Result<(), String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into()));
    cargo.args(["build", "--release", "--locked"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    packages.iter().for_each(|package| _ = cargo.args(["--package", package]));
    // Flags that are set for the tests would change what is counted.
    cargo.env("CARGO_TARGET_DIR", target).env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    let output = cargo.output().map_err(|error| format!("{cargo:?}: {error}"))?;
    if output.status.success() { Ok(()) } else { Err(failure(&cargo, &output)) }
}

/// Counts the instructions of a group of calls.
///
/// # Errors
///
/// If valgrind cannot be started, or the program fails.
pub fn counts(program: &Path, group: &str) -> Result<Counts, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut valgrind = Command::new("valgrind");
    valgrind.arg("--tool=callgrind").arg(format!("--dump-before={MARK}"));
    valgrind.arg(format!("--callgrind-out-file={}", folder.path().join("out").display()));
    // Hashes decide how long a look-up takes.
    valgrind.arg(program).arg(group).env("PYTHONHASHSEED", "0");
    let output = valgrind.output().map_err(|error| {
        format!(
            "valgrind: {error}. Install it (on Debian: apt install valgrind), or do without the counts: \
             POLYPLUG_TESTS_WITHOUT=valgrind"
        )
    })?;
    if !output.status.success() {
        return Err(failure(&valgrind, &output));
    }
    let parts = parts(folder.path())?;
    read(&String::from_utf8_lossy(&output.stdout), &parts)
}

fn failure(command: &Command, output: &Output) -> String {
    let said = [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said).into_owned());
    format!("{command:?} failed ({}):\n{}", output.status, said.concat())
}

/// Returns the instructions of each part that callgrind has written, by its number.
fn parts(folder: &Path) -> Result<BTreeMap<usize, u64>, String> {
    let mut parts = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(|error| error.to_string())? {
        let path = entry.map_err(|error| error.to_string())?.path();
        let text = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let text = String::from_utf8_lossy(&text);
        let number = |key: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(key))?;
            value.trim().parse::<u64>().ok()
        };
        let (Some(part), Some(total)) = (number("part:"), number("totals:")) else {
            return Err(format!("{} is no profile of callgrind's", path.display()));
        };
        parts.insert(usize::try_from(part).map_err(|error| error.to_string())?, total);
    }
    Ok(parts)
}

/// Reads the lines of the program: `name`, `ours` or `floor`, and the number of calls. Each call has three marks, so three
/// parts end there: what was before, the calls, and twice as many.
fn read(printed: &str, parts: &BTreeMap<usize, u64>) -> Result<Counts, String> {
    let mut counts = Counts::new();
    for (number, line) in printed.lines().enumerate() {
        let wrong = || format!("the program has printed `{line}`");
        let [name, side, calls] = line.split('\t').collect::<Vec<_>>()[..] else { return Err(wrong()) };
        let calls: f64 = calls.parse().map_err(|_| wrong())?;
        let part = |which: usize| parts.get(&(3 * number + which)).ok_or_else(|| format!("{name}: no part {which}"));
        let each = (*part(3)? as f64 - *part(2)? as f64) / calls;
        let count = counts.entry(name.to_owned()).or_insert(Count { ours: 0.0, floor: None });
        match side {
            "ours" => count.ours = each,
            "floor" => count.floor = Some(each),
            _ => return Err(wrong()),
        }
    }
    if counts.is_empty() { Err(format!("the program has counted nothing:\n{printed}")) } else { Ok(counts) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_of_marks_and_of_what_was_before_cancels() {
        // 10 calls of 7 instructions, and one of 3 beside it; 100 are those of the marks.
        let parts = [(1, 9999), (2, 170), (3, 240), (4, 555), (5, 130), (6, 160), (7, 42)].into_iter().collect();
        let counts = read("x\tours\t10\nx\tfloor\t10\n", &parts).unwrap();
        assert_eq!(counts.into_iter().collect::<Vec<_>>(), [("x".to_owned(), Count { ours: 7.0, floor: Some(3.0) })]);
    }

    #[test]
    fn what_is_no_count_is_an_error() {
        let parts = [(1, 1), (2, 2), (3, 3)].into_iter().collect();
        for (printed, says) in [
            ("", "counted nothing"),
            ("x\tours", "`x\tours`"),
            ("x\tours\tten", "`x\tours\tten`"),
            ("x\ttheirs\t10", "`x\ttheirs\t10`"),
            ("x\tours\t10\ny\tours\t10", "y: no part 3"),
        ] {
            let error = read(printed, &parts).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
