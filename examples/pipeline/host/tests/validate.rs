//! The stage `validate`, which is written in C#: what it rejects and labels, its settings, and a machine without .NET.
//!
//! Without .NET, list `dotnet` in `POLYPLUG_TESTS_WITHOUT`.

mod support;

use std::fs;
use std::path::Path;
use std::process::Output;
use support::{bundles, dotnet_roots, pipeline, pipeline_with, shipped, without_dotnet};

/// What came of a log that went through `parse` and `validate`.
struct Run {
    output: Output,
    passed: String,
    /// Of each rejected line: its number, the stage, the reason and the detail.
    rejected: Vec<[String; 4]>,
}

impl Run {
    fn errors(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    fn summary(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }
}

/// Runs `parse` and `validate`, the latter with these settings, over a log, with the .NET in `root`.
fn run_with(root: Option<&Path>, settings: &str, log: &str) -> Run {
    let stages = "[[stage]]\nbundle = 'parse'\n[[stage]]\nbundle = 'validate'\n";
    run_stages(root, &format!("{stages}[stage.config]\n{settings}\n"), log)
}

fn run_stages(root: Option<&Path>, stages: &str, log: &str) -> Run {
    let bundles = bundles();
    let path = |name: &str| bundles.path().join(name);
    fs::write(path("pipeline.toml"), format!("bundles = '.'\nlog = 'access.log'\n{stages}")).unwrap();
    fs::write(path("access.log"), log).unwrap();
    let (passed, rejected) = (path("passed.log"), path("rejected.tsv"));
    let arguments = ["--output", passed.to_str().unwrap(), "--rejects", rejected.to_str().unwrap()];
    let output = pipeline_with(root, &path("pipeline.toml"), bundles.path(), &arguments);
    let rejected = fs::read_to_string(rejected).unwrap_or_default();
    let columns = |line: &str| {
        let mut columns = line.split('\t').map(str::to_owned);
        std::array::from_fn(|_| columns.next().unwrap_or_default())
    };
    Run {
        output,
        passed: fs::read_to_string(passed).unwrap_or_default(),
        rejected: rejected.lines().map(columns).collect(),
    }
}

/// Does the same with the newest .NET.
fn run(settings: &str, log: &str) -> Run {
    run_with(dotnet_roots().last().map(|root| root.as_path()), settings, log)
}

/// A line of the log.
fn line(request: &str, answer: &str) -> String {
    at("10/Oct/2000:13:55:36 +0000", request, answer)
}

fn at(time: &str, request: &str, answer: &str) -> String {
    format!("::1 - - [{time}] \"{request}\" {answer} \"-\" \"me\"\n")
}

/// Whether a table has a row that begins with these cells.
fn row(summary: &str, cells: &[&str]) -> bool {
    summary.lines().any(|line| line.split_whitespace().take(cells.len()).eq(cells.iter().copied()))
}

#[test]
fn suspicious_requests_of_the_shipped_log_are_labelled_with_every_version_of_dotnet() {
    if without_dotnet() {
        return;
    }
    let log = fs::read(shipped("data/access.log")).unwrap();
    let log = String::from_utf8_lossy(&log);
    for root in dotnet_roots() {
        let aggregate = "[[stage]]\nbundle = 'classify'\n[[stage]]\nbundle = 'aggregate'\n";
        let stages = format!("[[stage]]\nbundle = 'parse'\n[[stage]]\nbundle = 'validate'\n{aggregate}");
        let found = run_stages(Some(&root), &stages, &log);
        assert!(found.output.status.success(), "{}", found.errors());
        assert!(found.rejected.iter().all(|[_, stage, ..]| stage != "validate"), "{:?}", found.rejected);

        let targets: Vec<_> = found.passed.lines().map(|line| line.split(' ').nth(6).unwrap()).collect();
        let count =
            |marks: &[&str]| targets.iter().filter(|target| marks.iter().any(|mark| target.contains(mark))).count();
        let secrets = count(&["/.env", "/.git/", "/backup.", "/actuator/"]).to_string();
        let scripts = count(&[".php"]).to_string();
        assert!(secrets.len() >= 2 && scripts.len() >= 2, "{secrets} {scripts}");
        let summary = found.summary();
        assert!(row(&summary, &["validate", "dotnet", "validate"]), "{summary}");
        assert!(summary.contains("Suspicious requests (validate)"), "{summary}");
        assert!(row(&summary, &["secrets", &secrets]) && row(&summary, &["scripts", &scripts]), "{summary}");
        assert!(!row(&summary, &["traversal"]), "{summary}");
        // `aggregate` counts the labels.
        for (rule, count) in [("secrets", &secrets), ("scripts", &scripts)] {
            assert!(row(&summary, &["suspicious", rule, count]), "{summary}");
        }
    }
}

#[test]
fn a_record_that_cannot_be_true_is_rejected_with_line_and_field() {
    if without_dotnet() {
        return;
    }
    let long = format!("/{}🦀{}", "x".repeat(78), "y".repeat(100));
    let log = [
        line("GET / HTTP/1.1", "200 5"),
        line("TRACE / HTTP/1.1", "200 5"),
        at("05/Aug/1991:23:59:59 +0000", "GET / HTTP/1.1", "200 5"),
        at("06/Aug/1991:00:00:00 +0000", "GET / HTTP/1.1", "200 5"),
        at("01/Jan/0000:00:00:00 +0000", "GET / HTTP/1.1", "200 5"),
        line("GET / HTTP/1.1", "304 512"),
        line("GET / HTTP/1.1", "204 1"),
        line("HEAD / HTTP/1.1", "200 7"),
        line("HEAD / HTTP/1.1", "200 -"),
        line("GET ftp://x/ HTTP/1.1", "200 5"),
        line("GET http://x/ HTTP/1.1", "200 5"),
        line("OPTIONS * HTTP/2", "200 0"),
        line(&format!("GET x{long} HTTP/1.1"), "200 5"),
        "no line of a log\n".to_owned(),
    ]
    .concat();
    let found = run("", &log);
    assert!(found.output.status.success(), "{}", found.errors());
    let pattern = r"^(/|https?://|\*$)";
    let cut = format!("\"x/{}…\"", "x".repeat(78));
    let expected = [
        ("2", "unknown method", "method: \"TRACE\" is not in the list of methods".to_owned()),
        ("3", "impossible time", "time: 1991-08-05T23:59:59Z is before 1991-08-06T00:00:00Z".to_owned()),
        ("5", "impossible time", "time: second -62167219200 is before 1991-08-06T00:00:00Z".to_owned()),
        (
            "6",
            "contradictory size",
            "size: an answer with status 304 has no body, and this one has 512 bytes".to_owned(),
        ),
        ("7", "contradictory size", "size: an answer with status 204 has no body, and this one has 1 bytes".to_owned()),
        ("8", "contradictory size", "size: an answer to HEAD has no body, and this one has 7 bytes".to_owned()),
        ("10", "unexpected target", format!("target: \"ftp://x/\" does not match {pattern}")),
        ("13", "unexpected target", format!("target: {cut} does not match {pattern}")),
    ];
    let rejected = found.rejected.iter().filter(|[_, stage, ..]| stage == "validate");
    let rejected: Vec<_> = rejected.map(|[line, _, reason, detail]| (&line[..], &reason[..], detail.clone())).collect();
    assert_eq!(rejected, expected);
    assert_eq!(found.passed.lines().count(), 5);
    let told = "[validate] 8 of 13 records cannot be true, labels for suspicious ones: 0";
    assert!(found.errors().contains(told), "{}", found.errors());
    // The table of the program has the first of each kind.
    let summary = found.summary();
    assert!(row(&summary, &["validate", "contradictory", "size", "3", "6", "size:"]), "{summary}");
}

#[test]
fn the_rules_of_a_stage_in_csharp_are_settings() {
    if without_dotnet() {
        return;
    }
    let log = [
        line("GET /a?q=../ HTTP/1.1", "200 5"),
        line("PURGE /a HTTP/1.1", "200 5"),
        line("GET x HTTP/1.1", "200 5"),
        at("10/Oct/2001:13:55:36 +0000", "PURGE / HTTP/1.1", "200 5"),
    ]
    .concat();
    let lines = |settings: &str| {
        let found = run(settings, &log);
        assert!(found.output.status.success(), "{}", found.errors());
        found.rejected.into_iter().map(|[line, _, reason, _]| format!("{line} {reason}")).collect::<Vec<_>>()
    };
    let methods = |rest: &str| lines(&format!("methods = ['GET', 'PURGE']\n{rest}"));
    assert_eq!(lines(""), ["2 unknown method", "3 unexpected target", "4 unknown method"]);
    assert_eq!(methods(""), ["3 unexpected target"]);
    assert_eq!(methods("patterns.target = false"), [""; 0]);
    assert_eq!(methods("patterns.target = '^x'"), ["1", "2", "4"].map(|line| format!("{line} unexpected target")));
    assert_eq!(methods("patterns.Agent = '^you'")[0], "1 unexpected agent");
    // The referer is not given, so that there is nothing to match.
    assert_eq!(methods("patterns.referer = '^https:'\npatterns.target = false"), [""; 0]);
    let period = "from = '2000-10-10T15:55:36+02:00'\nuntil = '2001-10-10T13:55:36Z'\npatterns.target = false";
    assert_eq!(methods(period), ["4 impossible time"]);
    assert_eq!(methods(&period.replace("36Z", "37Z")), [""; 0]);
    assert_eq!(methods(&period.replace("15:55:36", "15:55:37")).len(), 4);

    let found =
        run("suspicious.traversal = false\nsuspicious.purging = '^/a$'\nmethods = ['PURGE', 'GET']", &log).summary();
    assert!(row(&found, &["purging", "1", "1", "2", "/a"]) && !row(&found, &["traversal"]), "{found}");
    // The path is told without its query, which may have secrets.
    let found = run("", &log).summary();
    assert!(row(&found, &["traversal", "1", "1", "1", "/a"]) && !found.contains("/a?"), "{found}");
}

#[test]
fn an_expression_that_takes_too_long_costs_the_line() {
    if without_dotnet() {
        return;
    }
    let log =
        [line("GET /short HTTP/1.1", "200 5"), line(&format!("GET /{}! HTTP/1.1", "a".repeat(60)), "200 5")].concat();
    let found = run("patterns.target = '^/(\\w+)+$'", &log);
    assert!(found.output.status.success(), "{}", found.errors());
    assert_eq!(found.passed.lines().count(), 1);
    let [[line, _, reason, detail]] = &found.rejected[..] else { panic!("{:?}", found.rejected) };
    assert_eq!((&line[..], &reason[..]), ("2", "unexpected target"));
    assert!(detail.contains("takes too long to match"), "{detail}");
}

#[test]
fn what_is_wrong_with_a_stage_in_csharp_is_told() {
    if without_dotnet() {
        return;
    }
    for (settings, told) in [
        ("methods = []", "settings: methods: expected a list of at least one text, got a list"),
        ("methods = 'GET'", "settings: methods: expected a list of at least one text, got \"GET\""),
        ("from = 7", "settings: from: expected a time such as \"2024-02-28T19:00:00+13:00\", got 7"),
        ("from = '2024-02-30T19:00:00Z'", "settings: from: expected a time such as"),
        ("from = '2024-02-28T19:00:00'", "settings: from: expected a time such as"),
        (
            "until = '1980-01-01T00:00:00Z'",
            "settings: until: expected a time after `from`, got \"1980-01-01T00:00:00Z\"",
        ),
        ("patterns.target = '('", "settings: patterns.target: "),
        (
            "patterns.targets = '/'",
            "settings: patterns.targets: expected one of the fields client, user, method, target",
        ),
        ("patterns.'3' = '/'", "settings: patterns.3: expected one of the fields"),
        ("suspicious.x = true", "settings: suspicious.x: expected a regular expression or false, got true"),
    ] {
        let errors = run(settings, "").errors();
        assert!(errors.contains("`validate`") && errors.contains(told), "{settings}: {errors}");
    }
    let order = "[[stage]]\nbundle = 'validate'\n[[stage]]\nbundle = 'parse'\n";
    let root = dotnet_roots().pop();
    let found = run_stages(root.as_deref(), order, &line("GET / HTTP/1.1", "200 5"));
    let told = "stage `validate` failed on batch 1, 1 records of lines 1 to 1: line 1 has no `entry`: put the stage";
    assert!(!found.output.status.success() && found.errors().contains(told), "{}", found.errors());
}

#[test]
fn a_machine_without_dotnet_goes_without_the_stage() {
    if without_dotnet() {
        return;
    }
    let (bundles, nothing) = (bundles(), tempfile::tempdir().unwrap());
    let run = |more: &[&str]| pipeline_with(Some(nothing.path()), &shipped("pipeline.toml"), bundles.path(), more);
    let output = run(&[]);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    for part in ["validate", ".NET", "DOTNET_ROOT"] {
        assert!(errors.contains(part), "no {part} in {errors}");
    }

    let output = run(&["--without", "validate"]);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && !errors.contains("validate"), "{errors}");
    assert!(errors.contains("[aggregate] 9851 requests for 530 paths"), "{errors}");

    let output = pipeline(&shipped("pipeline.toml"), bundles.path(), &["--without", "validation"]);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && errors.contains("has only the stages parse, validate, classify"), "{errors}");
}
