//! The program with real bundles: the stages' libraries, which Cargo builds along with these tests.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// A folder with a bundle for each of the three stages.
fn bundles() -> tempfile::TempDir {
    let tests = std::env::current_exe().unwrap();
    let libraries = tests.parent().unwrap();
    let stages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stages");

    let bundles = tempfile::tempdir().unwrap();
    for stage in ["parse", "classify", "aggregate"] {
        let bundle = bundles.path().join(stage);
        let library = format!("{DLL_PREFIX}pipeline_{stage}{DLL_SUFFIX}");
        fs::create_dir(&bundle).unwrap();
        fs::copy(stages.join(stage).join("manifest.toml"), bundle.join("manifest.toml")).unwrap();
        fs::copy(libraries.join(&library), bundle.join(&library)).unwrap();
    }
    bundles
}

fn pipeline(config: &Path, bundles: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pipeline")).arg(config).arg("--bundles").arg(bundles).args(more).output().unwrap()
}

fn shipped(file: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file)
}

#[test]
fn the_shipped_log_goes_through_the_shipped_stages() {
    let bundles = bundles();
    let passed = bundles.path().join("passed.log");
    let output = pipeline(&shipped("pipeline.toml"), bundles.path(), &["--output", passed.to_str().unwrap()]);

    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let told: Vec<_> = errors.lines().collect();
    let expected = [
        "[parse] 5,000 records",
        "[classify] 5,000 records",
        "[aggregate] 5,000 records",
        "[classify] requests with an agent that no rule knows: 358",
        "[aggregate] 9851 requests for 530 paths",
    ];
    assert_eq!(told, expected);
    let summary = String::from_utf8(output.stdout).unwrap();
    for part in ["10,000 lines", "bad timestamp", "not UTF-8", "Sizes (aggregate)", "Agents (aggregate)", "native"] {
        assert!(summary.contains(part), "no {part:?} in\n{summary}");
    }
    assert_eq!(fs::read_to_string(passed).unwrap().lines().count(), 9_851);
}

#[test]
fn a_failing_stage_fails_the_run_unless_told_otherwise() {
    let bundles = bundles();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("pipeline.toml");
    let order = "bundles = '.'\n[[stage]]\nbundle = 'classify'\n[[stage]]\nbundle = 'parse'\n";
    fs::write(&config, order).unwrap();
    let log = shipped("data/access.log");
    let arguments = ["--batch", "5000", "--log", log.to_str().unwrap(), "--keep-going"];

    let output = pipeline(&config, bundles.path(), &arguments[..4]);
    assert!(!output.status.success());
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("stage `classify` failed on batch 2, "), "{errors}");
    assert!(errors.contains("line 1 has no `entry`"), "{errors}");

    assert!(pipeline(&config, bundles.path(), &arguments).status.success());
}

#[test]
fn a_bundle_may_serve_two_stages() {
    let bundles = bundles();
    let folder = tempfile::tempdir().unwrap();
    let (config, log) = (folder.path().join("pipeline.toml"), folder.path().join("access.log"));
    fs::write(&config, "bundles = '.'\n[[stage]]\nbundle = 'parse'\n[[stage]]\nbundle = 'parse'\n").unwrap();
    fs::write(&log, "::1 - - [10/Oct/2000:13:55:36 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"-\"\n").unwrap();

    let output = pipeline(&config, bundles.path(), &["--log", log.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A folder with a configuration, and a log of one line.
fn folder_with(config: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("pipeline.toml"), config).unwrap();
    let line = r#"::1 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 5 "-" "stock-sync 3""#;
    fs::write(folder.path().join("access.log"), format!("{line}\n")).unwrap();
    folder
}

fn run_in(folder: &tempfile::TempDir) -> Output {
    pipeline(&folder.path().join("pipeline.toml"), bundles().path(), &[])
}

#[test]
fn aggregate_calls_the_classifier_of_another_bundle() {
    let stages = "[[stage]]\nbundle = 'parse'\n[[stage]]\nbundle = 'aggregate'\n";
    let alone = run_in(&folder_with(&format!("bundles = '.'\nlog = 'access.log'\n{stages}")));
    let errors = String::from_utf8_lossy(&alone.stderr);
    assert!(!alone.status.success());
    assert!(errors.contains("manifest.toml:15: bundle `aggregate` needs pipeline.classifier@1.0"), "{errors}");

    let peers = run_in(&folder_with(&format!("bundles = '.'\nlog = 'access.log'\npeers = ['classify']\n{stages}")));
    assert!(peers.status.success(), "{}", String::from_utf8_lossy(&peers.stderr));
    let summary = String::from_utf8(peers.stdout).unwrap();
    assert!(summary.contains("Agents (aggregate)") && summary.contains("unknown"), "{summary}");
}

#[test]
fn the_configuration_gives_a_stage_its_settings() {
    let config = |settings: &str| {
        let stages = format!("[[stage]]\nbundle = 'parse'\n[[stage]]\nbundle = 'classify'\n{settings}\n");
        folder_with(&format!("bundles = '.'\nlog = 'access.log'\n{stages}[[stage]]\nbundle = 'aggregate'\n"))
    };
    let own = run_in(&config("[stage.config.begins]\n'stock-sync ' = 'tool'"));
    let summary = String::from_utf8(own.stdout).unwrap();
    assert!(summary.contains("tool") && !summary.contains("unknown"), "{summary}");

    let wrong = run_in(&config("[stage.config.begins]\n'stock-sync ' = 'toll'"));
    let errors = String::from_utf8_lossy(&wrong.stderr);
    assert!(!wrong.status.success());
    assert!(errors.contains("bundle `classify`: settings: begins.stock-sync : unknown variant `toll`"), "{errors}");
}
