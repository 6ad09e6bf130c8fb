//! The report of a run: which bundle makes it, what that bundle is given, and what is said when there is none.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Output;
use support::{bundles, pipeline, shipped};

/// A renderer in Lua, whose document has a line for each number, with its name.
const LISTING: &str = r#"
local polyplug = require("polyplug")
local Listing = polyplug.plugin("pipeline.renderer@1")

function Listing:render(summary)
  local lines = {}
  local function say(...)
    lines[#lines + 1] = table.concat({ ... }, " ")
  end
  say("source", summary.source)
  say("lines", summary.lines)
  say("requests", summary.requests)
  say("bytes", summary.bytes)
  for _, interval in ipairs(summary.traffic and summary.traffic.intervals or {}) do
    local statuses = interval.statuses
    say("interval", statuses.success + statuses.redirection, statuses.client_error + statuses.server_error)
  end
  for status, count in pairs(summary.statuses) do
    say("status", status, count)
  end
  for _, bin in ipairs(summary.sizes and summary.sizes.bins or {}) do
    say("size", bin.from, bin.below or "open", bin.count)
  end
  for _, path in ipairs(summary.paths) do
    say("path", path.path, path.requests, path.errors, path.bytes)
  end
  say("paths", summary.distinct_paths)
  if summary.sessions then
    say("sessions", summary.sessions.clients, summary.sessions.sessions, summary.sessions.requests.median)
  end
  for _, rejection in ipairs(summary.rejections) do
    say("rejection", rejection.stage, rejection.lines, rejection.reason)
  end
  for _, stage in ipairs(summary.stages) do
    say("stage", stage.name, stage.language, stage.records_in, stage.records_out)
  end
  for _, finding in ipairs(summary.findings) do
    say("finding", finding.stage, finding.report.title)
  end
  return table.concat(lines, "\n")
end
"#;

/// Puts a bundle `report` in Lua in the place of the shipped one.
fn add_renderer(bundles: &Path, program: &str) {
    let bundle = bundles.join("report");
    fs::remove_dir_all(&bundle).unwrap();
    fs::create_dir_all(&bundle).unwrap();
    let manifest = "name = 'report'\nversion = '0.1.0'\nloader = 'lua'\nfile = 'main.lua'\n";
    fs::write(bundle.join("manifest.toml"), manifest).unwrap();
    fs::write(bundle.join("main.lua"), program).unwrap();
}

/// Runs the shipped pipeline with a report in `report.txt` of the folder, by a renderer in Lua.
fn report_by(program: &str, more: &[&str]) -> (tempfile::TempDir, Output) {
    let bundles = bundles();
    add_renderer(bundles.path(), program);
    let report = bundles.path().join("out/report.txt");
    let arguments = [&["--report", report.to_str().unwrap()], more].concat();
    let output = pipeline(&shipped("pipeline.toml"), bundles.path(), &arguments);
    (bundles, output)
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The lines of a listing that begin with a word, without that word.
fn listed<'a>(listing: &'a str, word: &str) -> Vec<&'a str> {
    listing.lines().filter_map(|line| line.strip_prefix(word)?.strip_prefix(' ')).collect()
}

/// A line of the log, of which only what the report is about is read.
struct Request<'a> {
    /// The day, the hour and which quarter of it, as the log has them.
    quarter: (&'a str, u32),
    path: &'a str,
    status: u16,
    size: u64,
}

fn request(line: &str) -> Request<'_> {
    let (_, rest) = line.split_once('[').unwrap();
    let (time, rest) = rest.split_once("] \"").unwrap();
    // A quote within the request has a backslash before it.
    let (end, _) = rest.match_indices('"').find(|&(at, _)| !rest[..at].ends_with('\\')).unwrap();
    let (request, rest) = rest.split_at(end);
    let mut answer = rest[1..].split_whitespace();
    Request {
        quarter: (&time[..14], time[15..17].parse::<u32>().unwrap() / 15),
        path: request.split(' ').nth(1).unwrap().split(['?', '#']).next().unwrap(),
        status: answer.next().unwrap().parse().unwrap(),
        size: answer.next().unwrap().parse().unwrap_or(0),
    }
}

/// How often each key is there.
fn tally<K: Ord>(keys: impl IntoIterator<Item = K>) -> BTreeMap<K, u64> {
    let mut counts = BTreeMap::new();
    keys.into_iter().for_each(|key| *counts.entry(key).or_default() += 1);
    counts
}

#[test]
fn a_renderer_is_given_what_went_through_the_stages() {
    let passed = tempfile::NamedTempFile::new().unwrap();
    let (folder, output) = report_by(LISTING, &["--output", passed.path().to_str().unwrap()]);
    assert!(output.status.success(), "{}", errors(&output));
    let report = folder.path().join("out/report.txt");
    let listing = fs::read_to_string(&report).unwrap();
    let size = listing.len().to_string();
    let told = String::from_utf8(output.stdout).unwrap();
    let told = told.lines().last().unwrap().replace(',', "");
    assert!(told.contains(report.to_str().unwrap()) && told.ends_with(&format!("{size} bytes")), "{told}");

    let passed = fs::read_to_string(passed.path()).unwrap();
    let requests: Vec<_> = passed.lines().map(request).collect();
    assert_eq!(listed(&listing, "source"), ["access.log"]);
    assert_eq!(listed(&listing, "lines"), ["10000"]);
    assert_eq!(listed(&listing, "requests"), [requests.len().to_string()]);
    assert_eq!(listed(&listing, "bytes"), [requests.iter().map(|request| request.size).sum::<u64>().to_string()]);

    let statuses = tally(requests.iter().map(|request| request.status));
    let mut found = listed(&listing, "status");
    found.sort_unstable();
    assert_eq!(found, statuses.iter().map(|(status, count)| format!("{status} {count}")).collect::<Vec<_>>());

    // The shipped log is of half a day, which has intervals of a quarter of an hour.
    let quarters = tally(requests.iter().map(|request| request.quarter));
    let failed = tally(requests.iter().filter(|request| request.status >= 400).map(|request| request.quarter));
    let expected = quarters.iter().map(|(quarter, all)| {
        let failed = failed.get(quarter).copied().unwrap_or_default();
        format!("{} {failed}", all - failed)
    });
    assert_eq!(listed(&listing, "interval"), expected.collect::<Vec<_>>());

    for bin in listed(&listing, "size") {
        let [from, below, count] = bin.split(' ').collect::<Vec<_>>()[..] else { panic!("{bin}") };
        let range = from.parse().unwrap()..below.parse().unwrap_or(u64::MAX);
        let inside = requests.iter().filter(|request| range.contains(&request.size)).count();
        assert_eq!(count, inside.to_string(), "{bin}");
    }

    let paths = tally(requests.iter().map(|request| request.path));
    assert_eq!(listed(&listing, "paths"), [paths.len().to_string()]);
    let top = listed(&listing, "path");
    assert_eq!(top.len(), pipeline::statistics::TOP_PATHS);
    for path in top {
        let [name, count, errors, bytes] = path.split(' ').collect::<Vec<_>>()[..] else { panic!("{path}") };
        let of: Vec<_> = requests.iter().filter(|request| request.path == name).collect();
        let failed = of.iter().filter(|request| request.status >= 400).count();
        let sum = of.iter().map(|request| request.size).sum::<u64>();
        assert_eq!([count, errors, bytes], [of.len(), failed, sum as usize].map(|number| number.to_string()), "{name}");
    }

    // The same that `sessions` says itself.
    assert_eq!(listed(&listing, "sessions"), ["201 647 11"]);
    assert!(listed(&listing, "rejection").contains(&"parse 26 bad timestamp"), "{listing}");
    assert!(listed(&listing, "rejection").contains(&"input 8 not UTF-8"), "{listing}");
    let mut stages = listed(&listing, "stage");
    stages.retain(|stage| !stage.starts_with("validate dotnet 9851 9851"));
    assert_eq!(stages[..2], ["parse native 9992 9851", "classify native 9851 9851"]);
    assert!(listed(&listing, "finding").contains(&"sessions Sessions, 647 in all"), "{listing}");
}

#[test]
fn an_empty_log_has_an_empty_summary() {
    let log = tempfile::NamedTempFile::new().unwrap();
    let program = LISTING.replace("summary.sessions.requests.median", "tostring(summary.sessions.requests)");
    let (folder, output) = report_by(&program, &["--log", log.path().to_str().unwrap()]);
    assert!(output.status.success(), "{}", errors(&output));
    let listing = fs::read_to_string(folder.path().join("out/report.txt")).unwrap();
    let name = log.path().file_name().unwrap().to_str().unwrap();
    let start =
        format!("source {name}\nlines 0\nrequests 0\nbytes 0\npaths 0\nsessions 0 0 nil\nstage parse native 0 0\n");
    assert!(listing.starts_with(&start), "{listing}");
}

#[test]
fn a_renderer_that_fails_is_named_and_leaves_no_file() {
    let declared = r#"
local polyplug = require("polyplug")
local RenderError = polyplug.types("pipeline.renderer@1").RenderError
local Failing = polyplug.plugin("pipeline.renderer@1")
function Failing:render(summary)
  error(RenderError.Invalid({ field = "requests", reason = "are too many: " .. summary.requests }))
end
"#;
    let (folder, output) = report_by(declared, &[]);
    assert!(!output.status.success());
    let message = "error: bundle `report` cannot make the report: the summary's `requests`: are too many: 9851";
    assert!(errors(&output).contains(message), "{}", errors(&output));
    assert!(!folder.path().join("out").exists());
    // What was found out is not lost with the report.
    assert!(String::from_utf8(output.stdout).unwrap().contains("Sizes (aggregate)"));

    let broken = declared.replace("error(RenderError", "local _ = nil .. (RenderError");
    let (_, output) = report_by(&broken, &[]);
    let errors = errors(&output);
    assert!(errors.contains("cannot make the report: bundle `report`, pipeline.renderer.render: "), "{errors}");
    assert!(errors.contains("report/main.lua:6"), "{errors}");
}

#[test]
fn what_is_missing_for_a_report_is_told_before_the_log_is_read() {
    let bundles = bundles();
    let config = bundles.path().join("pipeline.toml");
    let log = shipped("data/access.log");
    let stages = format!("bundles = '.'\nlog = {log:?}\n[[stage]]\nbundle = 'parse'\n");
    let report = bundles.path().join("report.txt");
    let run = |more: &str, report: &Path| {
        fs::write(&config, format!("{stages}{more}")).unwrap();
        let output = pipeline(&config, bundles.path(), &["--report", report.to_str().unwrap()]);
        assert!(!output.status.success() && output.stdout.is_empty(), "{more}");
        errors(&output)
    };
    let none = run("", &report);
    assert!(none.contains("no bundle makes reports: name one in the configuration, `[report]`"), "{none}");
    let missing = run("[report]\nbundle = 'absent'\n", &report);
    assert!(missing.contains("there is no bundle in") && missing.contains("cargo xtask demo"), "{missing}");
    let unable = run("[report]\nbundle = 'parse'\n", &report);
    assert!(unable.contains("in bundle `parse`: it makes no reports"), "{unable}");
    let settings = run("[report]\nbundle = 'parse'\nconfig.a = 1\n", &report);
    assert!(settings.contains("bundle `parse` has a stage as well"), "{settings}");
    add_renderer(bundles.path(), LISTING);
    let same = run("[report]\nbundle = 'report'\n", &log);
    assert!(same.contains("is the log: write the output elsewhere"), "{same}");
}

#[test]
fn a_run_without_sessions_says_so() {
    let bundles = bundles();
    add_renderer(bundles.path(), LISTING);
    let (config, report) = (bundles.path().join("pipeline.toml"), bundles.path().join("report.txt"));
    let log = shipped("data/access.log");
    fs::write(
        &config,
        format!("bundles = '.'\nlog = {log:?}\n[[stage]]\nbundle = 'parse'\n[report]\nbundle = 'report'\n"),
    )
    .unwrap();
    let output = pipeline(&config, bundles.path(), &["--report", report.to_str().unwrap()]);
    assert!(output.status.success(), "{}", errors(&output));
    let listing = fs::read_to_string(&report).unwrap();
    assert_eq!((listed(&listing, "requests"), listed(&listing, "sessions").len()), (vec!["9851"], 0));
}

/// The values of an attribute in a chart, in order.
fn attributes<'a>(page: &'a str, chart: &str, attribute: &str) -> Vec<&'a str> {
    let (_, chart) = page.split_once(&format!("<svg id=\"{chart}\"")).unwrap();
    // Labels have places of their own within a chart.
    let chart = chart.split("\n</svg>").next().unwrap();
    let start = format!(" data-{attribute}=\"");
    let values = chart.split(&start).skip(1);
    values.map(|value| value.split('"').next().unwrap()).collect()
}

#[test]
fn the_page_in_javascript_has_the_numbers_of_the_log() {
    let bundles = bundles();
    let (report, passed) = (bundles.path().join("report.html"), bundles.path().join("passed.log"));
    let arguments = ["--report", report.to_str().unwrap(), "--output", passed.to_str().unwrap()];
    let output = pipeline(&shipped("pipeline.toml"), bundles.path(), &arguments);
    assert!(output.status.success(), "{}", errors(&output));

    let (page, passed) = (fs::read_to_string(&report).unwrap(), fs::read_to_string(&passed).unwrap());
    let requests: Vec<_> = passed.lines().map(request).collect();
    let texts = |counts: &BTreeMap<_, u64>| counts.values().map(u64::to_string).collect::<Vec<_>>();
    let quarters = tally(requests.iter().map(|request| request.quarter));
    assert_eq!(attributes(&page, "traffic-chart", "requests"), texts(&quarters));

    let classes = tally(requests.iter().map(|request| request.status / 100));
    let shown =
        attributes(&page, "status-chart", "class").into_iter().zip(attributes(&page, "status-chart", "requests"));
    let expected: Vec<_> = classes.iter().map(|(class, count)| format!("{class} {count}")).collect();
    assert_eq!(shown.map(|(class, count)| format!("{class} {count}")).collect::<Vec<_>>(), expected);

    let sizes = attributes(&page, "size-chart", "from").into_iter().zip(attributes(&page, "size-chart", "below"));
    for ((from, below), count) in sizes.zip(attributes(&page, "size-chart", "count")) {
        let range = from.parse().unwrap()..below.parse().unwrap_or(u64::MAX);
        assert_eq!(
            count,
            requests.iter().filter(|request| range.contains(&request.size)).count().to_string(),
            "{from}"
        );
    }

    let paths = tally(requests.iter().map(|request| request.path));
    let shown = attributes(&page, "path-chart", "path");
    assert_eq!(shown.len(), 10);
    for (path, count) in shown.into_iter().zip(attributes(&page, "path-chart", "requests")) {
        assert_eq!(count, paths[path].to_string(), "{path}");
    }

    for chart in ["session-length-chart", "session-request-chart"] {
        let sum: u64 = attributes(&page, chart, "count").iter().map(|count| count.parse::<u64>().unwrap()).sum();
        assert_eq!(sum, 647, "{chart}");
    }
    for (name, value) in [("Requests", "9851"), ("Sessions", "647"), ("Rejected", "149")] {
        assert!(page.contains(&format!("data-figure=\"{name}\" data-value=\"{value}\"")), "{name}");
    }
    for table in ["Unusual clients, first 10 of 11 findings", "Masked", "bad timestamp", "reads lines in Combined Log"]
    {
        assert!(page.contains(table), "{table}");
    }
}

#[test]
fn the_page_in_javascript_takes_hostile_lines_and_none_at_all() {
    let bundles = bundles();
    let (log, report) = (bundles.path().join("access.log"), bundles.path().join("report.html"));
    let page = |lines: &str| {
        fs::write(&log, lines).unwrap();
        let arguments = ["--log", log.to_str().unwrap(), "--report", report.to_str().unwrap()];
        let output = pipeline(&shipped("pipeline.toml"), bundles.path(), &arguments);
        assert!(output.status.success(), "{}", errors(&output));
        fs::read_to_string(&report).unwrap()
    };
    let line =
        |target: &str| format!("::1 - - [10/Oct/2000:13:55:36 +0000] \"GET {target} HTTP/1.1\" 200 5 \"-\" \"-\"\n");
    let targets = [
        "/<script>alert(1)</script>",
        "/\\\"><svg/onload=alert(2)>",
        "/\u{202e}gpj.exe&amp;'`",
        &"/long".repeat(5_000),
    ];
    let hostile = page(&targets.map(line).concat());
    assert_eq!(attributes(&hostile, "path-chart", "requests"), ["1"; 4]);
    for attack in ["<script", "<svg/onload", "\u{202e}", &"/long".repeat(100)] {
        assert!(!hostile.contains(attack), "{attack}");
    }
    assert!(
        hostile.contains("/&lt;script&gt;alert(1)&lt;/script&gt;")
            && hostile.contains("\u{fffd}gpj.exe&amp;amp;&#39;&#96;")
    );

    assert_eq!(attributes(&page(&line("/")), "traffic-chart", "requests"), ["1"]);
    let empty = page("");
    assert!(
        empty.contains("There are no requests in this log. The log is empty.") && !empty.contains("<svg"),
        "{empty}"
    );
}

#[test]
fn the_page_in_javascript_has_settings() {
    let bundles = bundles();
    let (config, report) = (bundles.path().join("pipeline.toml"), bundles.path().join("report.html"));
    let run = |settings: &str| {
        let (log, stage) = (shipped("data/access.log"), "[[stage]]\nbundle = 'parse'\n[report]\nbundle = 'report'\n");
        fs::write(&config, format!("bundles = '.'\nlog = {log:?}\n{stage}[report.config]\n{settings}\n")).unwrap();
        pipeline(&config, bundles.path(), &["--report", report.to_str().unwrap()])
    };
    let output = run("title = 'Shop & <more>'\npaths = 3");
    assert!(output.status.success(), "{}", errors(&output));
    let page = fs::read_to_string(&report).unwrap();
    assert!(page.contains("<h1>Shop &amp; &lt;more&gt;</h1>"), "{page}");
    assert_eq!(attributes(&page, "path-chart", "path").len(), 3);

    let wrong = errors(&run("paths = 0"));
    let told = "settings: paths: expected a whole number above 0, got 0";
    assert!(wrong.contains("`report`") && wrong.contains(told), "{wrong}");
}
