//! The program with real bundles: the stages' libraries, which Cargo builds along with these tests.

mod support;

use std::fs;
use std::process::Output;
use support::{bundles, pipeline, shipped, without_dotnet};

#[test]
fn the_shipped_log_goes_through_the_shipped_stages() {
    let bundles = bundles();
    let passed = bundles.path().join("passed.log");
    let output = pipeline(&shipped("pipeline.toml"), bundles.path(), &["--output", passed.to_str().unwrap()]);

    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let told: Vec<_> = errors.lines().collect();
    let mut expected = vec![
        "[parse] 5,000 records",
        "[validate] 5,000 records",
        "[classify] 5,000 records",
        "[sessions] 5,000 records",
        "[redact] 5,000 records",
        "[aggregate] 5,000 records",
        "[validate] 0 of 9851 records cannot be true, labels for suspicious ones: 278",
        "[classify] requests with an agent that no rule knows: 358",
        "[sessions] 647 sessions of 201 clients, 10 of which are unusual",
        "[redact] masked 9851 addresses and 465 secrets",
        "[aggregate] 9851 requests for 530 paths",
    ];
    if without_dotnet() {
        expected.retain(|line| !line.starts_with("[validate]"));
    }
    assert_eq!(told, expected);
    let summary = String::from_utf8(output.stdout).unwrap();
    for part in [
        "10,000 lines",
        "bad timestamp",
        "not UTF-8",
        "Sizes (aggregate)",
        "Agents (aggregate)",
        "native",
        "lua",
        "Masked (redact)",
        "python",
        "Sessions, 647 in all (sessions)",
        "Unusual clients, first 10 of 11 findings (sessions)",
    ] {
        assert!(summary.contains(part), "no {part:?} in\n{summary}");
    }
    // Who tries passwords fails most of all; and `aggregate` counts the labels of a stage that it has never heard of.
    assert!(row(&summary, &["203.0.113.147", "7", "errors", "645"]), "{summary}");
    assert!(row(&summary, &["session", "begins", "647"]), "{summary}");
    let passed = fs::read_to_string(passed).unwrap();
    assert_eq!(passed.lines().count(), 9_851);
    for line in passed.lines() {
        let (client, rest) = line.split_once(' ').unwrap();
        assert!(client.ends_with(".0") || client.ends_with("::") || !client.contains(['.', ':']), "{line}");
        for secret in ["access_token=", "token=", "email="] {
            for (_, value) in rest.match_indices(secret).map(|(at, _)| rest.split_at(at + secret.len())) {
                assert!(value.starts_with("***"), "{line}");
            }
        }
        assert!(!rest.contains("%40example"), "{line}");
    }
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
fn the_rules_of_a_stage_in_lua_are_settings() {
    let line = r#"2001:db8:1:2::3 - - [10/Oct/2000:13:55:36 +0000] "GET /x?pin=1234&token=abc HTTP/1.1" 200 5 "http://a/?token=b" "me a.b+c@d.example""#;
    let passed = |settings: &str| {
        let stages = format!("[[stage]]\nbundle = 'parse'\n[[stage]]\nbundle = 'redact'\n{settings}\n");
        let folder = folder_with(&format!("bundles = '.'\nlog = 'access.log'\n{stages}"));
        fs::write(folder.path().join("access.log"), format!("{line}\n")).unwrap();
        let passed = folder.path().join("passed.log");
        let config = folder.path().join("pipeline.toml");
        let output = pipeline(&config, bundles().path(), &["--output", passed.to_str().unwrap()]);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(fs::read_to_string(passed).unwrap()) } else { Err(errors) }
    };
    let with = |client: &str, target: &str, referer: &str, agent: &str| {
        let rest = format!(r#"- - [10/Oct/2000:13:55:36 +0000] "GET {target} HTTP/1.1" 200 5"#);
        Ok(format!("{client} {rest} \"{referer}\" \"{agent}\"\n"))
    };
    assert_eq!(passed(""), with("2001:db8:1::", "/x?pin=1234&token=***", "http://a/?token=***", "me ***"));
    let own = "[stage.config]\nmask = '%1'\nkeep.v6 = 2\nparameters.pin = true\nparameters.token = false\npatterns.mail = false";
    assert_eq!(passed(own), with("2001:db8::", "/x?pin=%1&token=abc", "http://a/?token=b", "me a.b+c@d.example"));
    let all = passed("[stage.config]\nkeep.v6 = 8\nparameters.token = false\npatterns.mail = false");
    assert_eq!(all, Ok(format!("{line}\n")));
    assert_eq!(
        passed("[stage.config]\nkeep.v6 = 0"),
        with("::", "/x?pin=1234&token=***", "http://a/?token=***", "me ***")
    );

    let wrong = |settings: &str| passed(&format!("[stage.config]\n{settings}")).unwrap_err();
    assert!(wrong("keep.v4 = 5").contains("settings: keep.v4: expected a whole number from 0 to 4, got 5"));
    assert!(wrong("keep.v6 = 'all'").contains("settings: keep.v6: expected a whole number from 0 to 8, got all"));
    assert!(
        wrong("patterns.bad = '%'").contains("settings: patterns.bad: malformed pattern"),
        "{}",
        wrong("patterns.bad = '%'")
    );
    assert!(wrong("parameters.pin = 'yes'").contains("settings: parameters.pin: expected boolean or false, got yes"));
    assert!(wrong("mask = 7").contains("settings: mask: expected text, got 7"));
}

/// Whether a table has a row that begins with these cells.
fn row(summary: &str, cells: &[&str]) -> bool {
    summary.lines().any(|line| line.split_whitespace().take(cells.len()).eq(cells.iter().copied()))
}

/// Runs `parse` and `sessions`, with these settings, over requests: the client and the minute.
fn sessions(settings: &str, requests: &[(String, u32)]) -> Output {
    let stages = format!("[[stage]]\nbundle = 'parse'\n[[stage]]\nbundle = 'sessions'\n[stage.config]\n{settings}\n");
    let folder = folder_with(&format!("bundles = '.'\nlog = 'access.log'\n{stages}"));
    let line = |(client, minute): &(String, u32)| {
        let (hour, minute) = (minute / 60, minute % 60);
        format!("{client} - - [10/Oct/2000:{hour:02}:{minute:02}:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"-\"\n")
    };
    fs::write(folder.path().join("access.log"), requests.iter().map(line).collect::<String>()).unwrap();
    run_in(&folder)
}

#[test]
fn a_stage_in_python_finds_sessions() {
    let requests = [("10.0.0.1", 0), ("10.0.0.2", 0), ("10.0.0.2", 30), ("10.0.0.1", 31), ("10.0.0.1", 40)];
    let requests = requests.map(|(client, minute)| (client.to_owned(), minute));
    for (settings, found) in [("", 3), ("gap = 31", 2), ("gap = 29.5", 4)] {
        let output = sessions(settings, &requests);
        let errors = String::from_utf8_lossy(&output.stderr);
        let told = format!("[sessions] {found} sessions of 2 clients, 0 of which are unusual");
        assert!(output.status.success() && errors.contains(&told), "{settings}: {errors}");
        let summary = String::from_utf8(output.stdout).unwrap();
        assert!(summary.contains(&format!("Sessions, {found} in all")), "{summary}");
        assert!(!summary.contains("Unusual"), "{summary}");
    }
    let output = sessions("", &requests);
    let summary = String::from_utf8(output.stdout).unwrap();
    // Of one, two and two requests, in none, nine and thirty minutes.
    assert!(row(&summary, &["requests", "1.50", "2.00", "2.00"]), "{summary}");
    assert!(row(&summary, &["minutes", "4.50", "9.00", "19.50"]), "{summary}");
    assert!(String::from_utf8_lossy(&sessions("", &[]).stderr).contains("0 sessions of 0 clients"));
}

#[test]
fn a_stage_in_python_finds_unusual_clients() {
    let mut requests: Vec<_> = (1..=12).map(|number| (format!("10.0.0.{number}"), number)).collect();
    requests.extend((0..100).map(|minute| ("10.0.1.1".to_owned(), minute)));
    let summary = |settings: &str| String::from_utf8(sessions(settings, &requests).stdout).unwrap();
    let found = summary("");
    assert!(found.contains("Unusual clients (sessions)"), "{found}");
    for (what, much, mean) in [("requests", "100", "8.62"), ("bytes", "500", "43.08")] {
        assert!(row(&found, &["10.0.1.1", "1", what, much, mean, "3.33"]), "{found}");
    }
    assert!(!found.contains("errors"), "all have as many, none: {found}");
    assert!(!summary("deviations = 3.5").contains("Unusual"));
    assert!(summary("top = 1").contains("Unusual clients, first 1 of 2 findings"));
}

#[test]
fn what_is_wrong_with_a_stage_in_python_is_told() {
    let wrong = |settings: &str| String::from_utf8(sessions(settings, &[]).stderr).unwrap();
    for (settings, told) in [
        ("gap = 0", "settings: gap: expected a number of minutes above 0, got 0"),
        ("gap = true", "settings: gap: expected a number of minutes above 0, got True"),
        ("deviations = 'many'", "settings: deviations: expected a number above 0, got 'many'"),
        ("top = 1.5", "settings: top: expected a whole number above 0, got 1.5"),
    ] {
        let errors = wrong(settings);
        assert!(errors.contains("`sessions`") && errors.contains(told), "{settings}: {errors}");
    }
    let config = "bundles = '.'\nlog = 'access.log'\n[[stage]]\nbundle = 'sessions'\n[[stage]]\nbundle = 'parse'\n";
    let output = run_in(&folder_with(config));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        errors.contains("stage `sessions` failed on batch 1, ") && errors.contains("line 1 has no `entry`"),
        "{errors}"
    );
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
