//! The pipeline with its stages linked in, so without bundles: what flows where, and whether the books balance.

use anyhow::{anyhow, bail};
use pipeline::input::Chunks;
use pipeline::output::Output;
use pipeline::run::{FailedAt, Failure, INPUT, Outcome, Sink, Stage, Step, run};
use pipeline_contracts::{
    AgentClass, Batch, Cell, Classifier, Flush, Level, Log, Progress, Record, Rejected, StageError, StageProxy,
};
use polyplug::testing::Host;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;
use {pipeline_aggregate as _, pipeline_classify as _, pipeline_parse as _};

/// A stage that is linked into this test, with its host.
struct Linked {
    stage: StageProxy,
    _host: Host,
}

impl Step for Linked {
    fn process(&self, records: Vec<Record>) -> anyhow::Result<Batch> {
        Step::process(&self.stage, records)
    }

    fn flush(&self) -> anyhow::Result<Flush> {
        Step::flush(&self.stage)
    }
}

/// A host that nobody listens to.
struct Silent;

impl Log for Silent {
    fn log(&self, _: Level, _: &str) {}
}

impl Progress for Silent {
    fn advance(&self, _: u64) {}
}

fn host(package: &str) -> Host {
    Host::of(package).provide::<dyn Log>(Silent).provide::<dyn Progress>(Silent)
}

fn linked(name: &str, host: Host) -> Stage {
    let proxy = host.proxy::<dyn pipeline_contracts::Stage>().unwrap();
    stage(name, Linked { stage: proxy, _host: host })
}

fn stage(name: &str, step: impl Step + 'static) -> Stage {
    Stage {
        name: name.into(),
        summary: String::new(),
        language: "native".into(),
        bundle: name.into(),
        step: Box::new(step),
    }
}

fn parse() -> Stage {
    linked("parse", host("pipeline-parse"))
}

const CLASSIFY: &str = include_str!("../../stages/classify/manifest.toml");

fn classify() -> Stage {
    linked("classify", host("pipeline-classify").manifest(CLASSIFY))
}

/// With the real classifier as its peer.
fn aggregate() -> Stage {
    let manifest = include_str!("../../stages/aggregate/manifest.toml");
    let host = host("pipeline-aggregate").manifest(manifest).linked_peer("pipeline-classify", CLASSIFY);
    linked("aggregate", host)
}

/// A stage made of what it does with a batch.
struct Act<F>(F);

impl<F: Fn(Vec<Record>) -> anyhow::Result<Batch>> Step for Act<F> {
    fn process(&self, records: Vec<Record>) -> anyhow::Result<Batch> {
        self.0(records)
    }

    fn flush(&self) -> anyhow::Result<Flush> {
        Ok(Flush::default())
    }
}

/// Keeps everything that leaves the pipeline.
#[derive(Default)]
struct Kept {
    passed: Vec<Record>,
    rejected: Vec<(String, Rejected)>,
    failed: Vec<(String, FailedAt, String)>,
}

impl Sink for Kept {
    fn passed(&mut self, record: Record) -> anyhow::Result<()> {
        self.passed.push(record);
        Ok(())
    }

    fn rejected(&mut self, stage: &str, rejected: Rejected) -> anyhow::Result<()> {
        self.rejected.push((stage.into(), rejected));
        Ok(())
    }

    fn failed(&mut self, failure: &Failure) {
        self.failed.push((failure.stage.clone(), failure.at.clone(), failure.to_string()));
    }
}

fn run_over(log: &[u8], batch: usize, stages: &[Stage]) -> (Outcome, Kept) {
    let mut kept = Kept::default();
    let outcome = run(stages, Chunks::new(log, NonZeroUsize::new(batch).unwrap()), &mut kept).unwrap();
    (outcome, kept)
}

fn shipped_log() -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/access.log")).unwrap()
}

#[test]
fn every_line_of_the_shipped_log_is_accounted_for() {
    let stages = [parse(), classify(), aggregate()];
    let (outcome, kept) = run_over(&shipped_log(), 256, &stages);

    assert_eq!(outcome.lines, 10_000);
    assert_eq!(outcome.failures, 0);
    assert_eq!(kept.passed.len() + kept.rejected.len(), 10_000);
    let mut reasons = BTreeMap::new();
    for (stage, rejected) in &kept.rejected {
        *reasons.entry((stage.as_str(), rejected.reason.as_str())).or_insert(0) += 1;
    }
    assert_eq!(
        reasons.into_iter().collect::<Vec<_>>(),
        [
            ((INPUT, "not UTF-8"), 8),
            (("parse", "bad client"), 3),
            (("parse", "bad escape"), 10),
            (("parse", "bad request line"), 14),
            (("parse", "bad size"), 15),
            (("parse", "bad status"), 15),
            (("parse", "bad timestamp"), 26),
            (("parse", "empty line"), 7),
            (("parse", "missing field"), 14),
            (("parse", "missing quote"), 31),
            (("parse", "trailing data"), 6),
        ]
    );

    let [parse, classify, aggregate] = &outcome.tallies[..] else { panic!("one tally a stage") };
    assert_eq!(parse.records_in, parse.records_out + parse.rejected);
    assert_eq!((classify.records_in, aggregate.records_in), (parse.records_out, classify.records_out));
    assert_eq!(aggregate.records_out, kept.passed.len() as u64);
}

#[test]
fn records_arrive_in_order_and_complete() {
    let (_, kept) = run_over(&shipped_log(), 100, &[parse(), classify(), aggregate()]);
    assert!(kept.passed.is_sorted_by(|one, next| one.line < next.line));
    assert!(kept.passed.iter().all(|record| record.entry.is_some() && record.class.is_some()));
    for class in [AgentClass::Browser, AgentClass::Mobile, AgentClass::Bot, AgentClass::Tool, AgentClass::FeedReader] {
        assert!(kept.passed.iter().any(|record| record.class.unwrap().agent == class), "{class:?}");
    }
}

#[test]
fn the_size_of_a_batch_changes_nothing() {
    let log = shipped_log();
    let result = |batch| {
        let (outcome, kept) = run_over(&log, batch, &[parse(), classify(), aggregate()]);
        (outcome.reports, kept.passed.len(), kept.rejected.len())
    };
    assert_eq!(result(1), result(256));
    assert_eq!(result(256), result(1_000_000));
}

#[test]
fn reports_agree_with_the_records() {
    let (outcome, kept) = run_over(&shipped_log(), 256, &[parse(), classify(), aggregate()]);
    let bytes: u64 = kept.passed.iter().map(|record| record.entry.as_ref().unwrap().size).sum();
    let (stage, sizes) = outcome.reports.iter().find(|(_, report)| report.title == "Sizes").unwrap();
    assert_eq!(stage, "aggregate");
    assert_eq!(sizes.rows.last().unwrap()[1], Cell::Integer(bytes as i64));

    let (_, statuses) = outcome.reports.iter().find(|(_, report)| report.title == "Statuses").unwrap();
    let share: f64 = statuses.rows.iter().map(|row| if let Cell::Number(share) = row[2] { share } else { 0.0 }).sum();
    assert!((share - 100.0).abs() < 1e-6);
}

#[test]
fn aggregate_asks_its_peer_where_classify_is_no_stage() {
    let agents = |stages: &[Stage]| {
        let (outcome, _) = run_over(&shipped_log(), 256, stages);
        outcome.reports.into_iter().find(|(_, report)| report.title == "Agents").unwrap()
    };
    assert_eq!(agents(&[parse(), aggregate()]), agents(&[parse(), classify(), aggregate()]));
}

#[test]
fn a_fake_peer_comes_before_linked_ones() {
    struct Bots;
    impl Classifier for Bots {
        fn classify(&self, _: &str) -> AgentClass {
            AgentClass::Bot
        }
        fn marks(&self, _: AgentClass) -> Vec<String> {
            Vec::new()
        }
    }
    let parse_manifest = include_str!("../../stages/parse/manifest.toml");
    let host = host("pipeline-aggregate")
        .linked_peer("pipeline-classify", CLASSIFY)
        .linked_peer("pipeline-parse", parse_manifest)
        .peer::<dyn Classifier>(Bots);
    let (outcome, _) = run_over(&shipped_log(), 256, &[parse(), linked("aggregate", host)]);
    let (_, agents) = outcome.reports.iter().find(|(_, report)| report.title == "Agents").unwrap();
    assert_eq!((agents.rows.len(), &agents.rows[0][0]), (1, &Cell::Text("bot".into())));
}

#[test]
fn whose_plugins_are_tested_has_to_be_said_where_several_are_linked() {
    let payload = std::panic::catch_unwind(|| drop(Host::new())).unwrap_err();
    assert_eq!(
        *payload.downcast::<String>().unwrap(),
        "plugins of more than one package are linked into this test, `pipeline-aggregate`, `pipeline-classify` and \
         `pipeline-parse`: say whose are tested, `Host::of(env!(\"CARGO_PKG_NAME\"))`"
    );
}

#[test]
fn a_stage_that_fails_costs_its_batch_and_nothing_else() {
    let picky = Act(|records: Vec<Record>| {
        if records.iter().any(|record| record.raw == "bad") {
            bail!("cannot stand line {}", records[0].line);
        }
        Ok(records.into())
    });
    let (outcome, kept) = run_over(b"1\n2\n3\nbad\n5\n", 2, &[stage("picky", picky)]);

    assert_eq!(kept.passed.iter().map(|record| record.line).collect::<Vec<_>>(), [1, 2, 5]);
    assert_eq!((outcome.failures, outcome.tallies[0].lost), (1, 2));
    let (stage, at, message) = &kept.failed[0];
    assert_eq!((stage.as_str(), at), ("picky", &FailedAt::Batch { number: 2, records: 2, first: 3, last: 4 }));
    assert_eq!(message, "stage `picky` failed on batch 2, 2 records of lines 3 to 4: cannot stand line 3");
}

#[test]
fn stages_in_the_wrong_order_say_what_is_missing() {
    let (outcome, kept) = run_over(b"x\n", 10, &[classify(), parse()]);
    assert_eq!(outcome.failures, 1);
    assert!(kept.failed[0].2.contains("line 1 has no `entry`"), "{}", kept.failed[0].2);
    assert_eq!(outcome.tallies[1].records_in, 0);
}

#[test]
fn a_batch_that_is_rejected_as_a_whole_goes_no_further() {
    let never = Act(|_| Err(anyhow!("called")));
    let (outcome, kept) = run_over(b"\n\n", 10, &[parse(), stage("never", never)]);
    assert_eq!((outcome.failures, kept.rejected.len()), (0, 2));
}

/// Holds everything until the end.
#[derive(Default)]
struct Hold(RefCell<Vec<Record>>);

impl Step for Hold {
    fn process(&self, records: Vec<Record>) -> anyhow::Result<Batch> {
        self.0.borrow_mut().extend(records);
        Ok(Batch::default())
    }

    fn flush(&self) -> anyhow::Result<Flush> {
        Ok(Flush { batch: self.0.take().into(), reports: Vec::new() })
    }
}

#[test]
fn what_a_stage_holds_back_reaches_the_next_ones_before_they_are_flushed() {
    let (outcome, kept) =
        run_over(&shipped_log(), 256, &[parse(), stage("hold", Hold::default()), classify(), aggregate()]);
    assert_eq!(kept.passed.len() as u64, outcome.tallies[0].records_out);
    assert_eq!(outcome.tallies[3].records_in, outcome.tallies[0].records_out);
    assert!(outcome.reports.iter().any(|(_, report)| report.title == "Agents"));
}

#[test]
fn a_stage_that_cannot_finish_does_not_keep_others_from_it() {
    struct NeverDone;
    impl Step for NeverDone {
        fn process(&self, records: Vec<Record>) -> anyhow::Result<Batch> {
            Ok(records.into())
        }
        fn flush(&self) -> anyhow::Result<Flush> {
            Err(StageError::Failed { reason: "the disk is full".into() }.into())
        }
    }
    let (outcome, kept) = run_over(&shipped_log(), 256, &[parse(), stage("never-done", NeverDone), aggregate()]);
    assert_eq!(kept.failed[0].2, "stage `never-done` failed at the end of the log: the disk is full");
    assert!(!outcome.reports.is_empty());
}

#[test]
fn the_summary_has_every_stage_every_reason_and_every_report() {
    let stages = [parse(), classify(), aggregate()];
    let mut output = Output::default();
    let outcome = run(&stages, Chunks::new(&shipped_log()[..], NonZeroUsize::MIN), &mut output).unwrap();
    let summary = output.summary(&stages, &outcome);
    for part in ["10,000 lines", "parse", "classify", "aggregate", "bad timestamp", "not UTF-8", "Sizes (aggregate)"] {
        assert!(summary.contains(part), "no {part:?} in\n{summary}");
    }
}

#[test]
fn lines_go_to_files() {
    let folder = tempfile::tempdir().unwrap();
    let (passed, rejected) = (folder.path().join("passed.log"), folder.path().join("rejected.tsv"));
    let good = r#"::1 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 5 "-" "-""#;
    let log = format!("{good}\nbad\n{good}\n");

    let mut output = Output::new(Some(&passed), Some(&rejected)).unwrap();
    run(&[parse()], Chunks::new(log.as_bytes(), NonZeroUsize::MIN), &mut output).unwrap();
    output.finish().unwrap();

    assert_eq!(std::fs::read_to_string(passed).unwrap(), format!("{good}\n{good}\n"));
    assert_eq!(
        std::fs::read_to_string(rejected).unwrap(),
        "2\tparse\tmissing field\tthe line ends before the identity\tbad\n"
    );
}
