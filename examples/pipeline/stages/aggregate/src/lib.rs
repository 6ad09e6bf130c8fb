//! Stage `aggregate`: passes every record on, and reports on all of them at the end.

mod report;
mod sizes;
mod totals;

use pipeline_contracts::{
    AgentClass, Batch, Classifier, ClassifierProxy, Entry, Flush, Level, Log, LogProxy, Progress, ProgressProxy,
    Record, Stage, StageError, StageInfo,
};
use polyplug::{CallError, PluginContext};
use std::sync::{Mutex, MutexGuard, PoisonError};
use totals::Totals;

/// The stage, with what it has counted so far.
#[derive(Debug)]
pub struct Aggregate {
    log: LogProxy,
    progress: ProgressProxy,
    /// A plugin of another bundle.
    classifier: ClassifierProxy,
    totals: Mutex<Totals>,
}

impl Aggregate {
    fn new(context: &PluginContext) -> Result<Self, CallError> {
        Ok(Self {
            log: context.host::<dyn Log>()?,
            progress: context.host::<dyn Progress>()?,
            classifier: context.peer::<dyn Classifier>()?,
            totals: Mutex::default(),
        })
    }

    fn totals(&self) -> MutexGuard<'_, Totals> {
        // Counts are whole between any two statements, so a panic elsewhere takes nothing from them.
        self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who asked: what an earlier stage found, or, where none has looked, what the classifier says.
    fn agent(&self, record: &Record, entry: &Entry) -> Result<AgentClass, CallError> {
        match record.class {
            Some(class) => Ok(class.agent),
            None => self.classifier.classify(entry.agent.as_deref().unwrap_or_default()),
        }
    }
}

#[polyplug::plugin(create = Aggregate::new)]
impl Stage for Aggregate {
    fn describe(&self) -> StageInfo {
        StageInfo { name: "aggregate".into(), summary: "counts paths, statuses, clients and sizes".into() }
    }

    fn process(&self, records: Vec<Record>) -> Result<Batch, StageError> {
        // All or nothing: the host gives up a batch that failed, so none of it may have been counted.
        let entries = records.iter().map(Record::parsed).collect::<Result<Vec<_>, _>>()?;
        let agents = records.iter().zip(&entries).map(|(record, entry)| self.agent(record, entry));
        let agents = agents.collect::<Result<Vec<_>, _>>()?;
        self.progress.advance(records.len() as u64)?;

        let mut totals = self.totals();
        for ((record, entry), agent) in records.iter().zip(entries).zip(agents) {
            totals.count(record, entry, agent);
        }
        drop(totals);
        Ok(records.into())
    }

    fn flush(&self) -> Result<Flush, StageError> {
        let totals = std::mem::take(&mut *self.totals());
        self.log.log(Level::Info, &format!("{} requests for {} paths", totals.requests, totals.paths.len()))?;
        Ok(Flush { batch: Batch::default(), reports: report::all(&totals, &self.classifier)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipeline_contracts::{Cell, Class, Label, Report, StageProxy};
    use polyplug::testing::{Calls, Host};

    /// Stands for the host and for the classifier, and remembers what it was told.
    #[derive(Clone, Default)]
    struct Fake {
        lines: Calls<String>,
        records: Calls<u64>,
        agents: Calls<String>,
    }

    impl Log for Fake {
        fn log(&self, _: Level, text: &str) {
            self.lines.push(text.to_owned());
        }
    }

    impl Progress for Fake {
        fn advance(&self, records: u64) {
            self.records.push(records);
        }
    }

    impl Classifier for Fake {
        fn classify(&self, agent: &str) -> AgentClass {
            self.agents.push(agent.to_owned());
            AgentClass::Tool
        }

        fn marks(&self, class: AgentClass) -> Vec<String> {
            vec![format!("{class:?}"), "?".into()]
        }
    }

    fn host(fake: &Fake) -> Host {
        let host = Host::new().manifest(include_str!("../manifest.toml")).peer::<dyn Classifier>(fake.clone());
        host.provide::<dyn Log>(fake.clone()).provide::<dyn Progress>(fake.clone())
    }

    /// Has the stage count the batches; its reports.
    fn count<const N: usize>(batches: [Vec<Record>; N]) -> Vec<Report> {
        let host = host(&Fake::default());
        let stage = host.proxy::<dyn Stage>().unwrap();
        for batch in batches {
            stage.process(batch).unwrap().unwrap();
        }
        reports(&stage)
    }

    fn record(line: u64, target: &str, status: u16, size: u64) -> Record {
        let entry = Entry {
            client: "::1".into(),
            user: None,
            time: 0,
            method: "GET".into(),
            target: target.into(),
            protocol: "HTTP/1.1".into(),
            status,
            size,
            referer: None,
            agent: None,
        };
        Record { entry: Some(entry), ..Record::new(line, "") }
    }

    fn reports(stage: &StageProxy) -> Vec<Report> {
        stage.flush().unwrap().unwrap().reports
    }

    fn rows<'a>(reports: &'a [Report], title: &str) -> &'a [Vec<Cell>] {
        &reports.iter().find(|report| report.title.starts_with(title)).expect(title).rows
    }

    fn text(text: &str) -> Cell {
        Cell::Text(text.into())
    }

    #[test]
    fn paths_are_counted_without_their_query() {
        let batch = vec![record(1, "/a?x=1", 200, 10), record(2, "/b", 200, 5), record(3, "/a?x=2#y", 200, 30)];
        let reports = count([batch]);
        let paths = rows(&reports, "Paths");
        assert_eq!(paths[0], [text("/a"), Cell::Integer(2), Cell::Number(200.0 / 3.0), Cell::Integer(40)]);
        assert_eq!(paths[1], [text("/b"), Cell::Integer(1), Cell::Number(100.0 / 3.0), Cell::Integer(5)]);
    }

    #[test]
    fn only_the_first_paths_are_shown_and_ties_go_by_name() {
        let reports = count([(0..50).rev().map(|n| record(n, &format!("/{n:02}"), 200, 0)).collect()]);
        let paths = rows(&reports, "Paths");
        assert_eq!(paths.len(), report::TOP);
        assert!(paths.iter().enumerate().all(|(n, row)| row[0] == text(&format!("/{n:02}"))));
    }

    #[test]
    fn statuses_come_in_order() {
        let reports = count([[404, 200, 503, 200].map(|status| record(1, "/", status, 0)).into()]);
        let statuses: Vec<_> = rows(&reports, "Statuses").iter().map(|row| (row[0].clone(), row[1].clone())).collect();
        assert_eq!(
            statuses,
            [
                (Cell::Integer(200), Cell::Integer(2)),
                (Cell::Integer(404), Cell::Integer(1)),
                (Cell::Integer(503), Cell::Integer(1))
            ]
        );
    }

    #[test]
    fn sizes() {
        let reports = count([(1..=100).map(|size| record(1, "/", 200, size)).collect()]);
        let values: Vec<_> = rows(&reports, "Sizes").iter().map(|row| row[1].clone()).collect();
        assert_eq!(values, [50, 90, 99, 100, 5050].map(Cell::Integer));
    }

    #[test]
    fn labels_are_reported_where_other_stages_gave_them() {
        let titles = |reports: Vec<Report>| reports.into_iter().map(|report| report.title).collect::<Vec<_>>();
        assert!(!titles(count([vec![record(1, "/", 200, 0)]])).contains(&"Labels".to_owned()));

        let mut labelled = record(2, "/", 200, 0);
        labelled.labels.push(Label { key: "country".into(), value: "NZ".into() });
        let reports = count([vec![record(1, "/", 200, 0)], vec![labelled]]);
        assert_eq!(rows(&reports, "Labels"), [[text("country"), text("NZ"), Cell::Integer(1)]]);
    }

    #[test]
    fn the_classifier_is_asked_where_no_other_stage_has_looked() {
        let fake = Fake::default();
        let host = host(&fake);
        let stage = host.proxy::<dyn Stage>().unwrap();
        let mut known = record(1, "/", 200, 0);
        known.class = Some(Class { agent: AgentClass::FeedReader, status: 200.into() });
        let mut unknown = record(2, "/", 200, 0);
        unknown.entry.as_mut().unwrap().agent = Some("curl/8.5.0".into());
        stage.process(vec![known, unknown]).unwrap().unwrap();

        assert_eq!(fake.agents.take(), ["curl/8.5.0"]);
        let row = |name, marks| [text(name), Cell::Integer(1), Cell::Number(50.0), text(marks)];
        let expected = [row("feed reader", "FeedReader, ?"), row("tool", "Tool, ?")];
        assert_eq!(rows(&reports(&stage), "Agents"), expected);
        assert_eq!(fake.records.take(), [2]);
        assert_eq!(fake.lines.take(), ["2 requests for 1 paths"]);
    }

    #[test]
    fn a_classifier_that_fails_costs_the_batch() {
        struct Broken;
        impl Classifier for Broken {
            fn classify(&self, _: &str) -> AgentClass {
                panic!("out of order")
            }
            fn marks(&self, _: AgentClass) -> Vec<String> {
                Vec::new()
            }
        }
        let fake = Fake::default();
        let host =
            Host::new().provide::<dyn Log>(fake.clone()).provide::<dyn Progress>(fake).peer::<dyn Classifier>(Broken);
        let stage = host.proxy::<dyn Stage>().unwrap();
        let error = stage.process(vec![record(1, "/", 200, 7)]).unwrap().unwrap_err();
        assert!(error.to_string().contains("pipeline.classifier.classify: panicked: out of order"), "{error}");
        assert!(reports(&stage).is_empty());
    }

    #[test]
    fn a_batch_counts_as_a_whole_or_not_at_all() {
        let host = host(&Fake::default());
        let stage = host.proxy::<dyn Stage>().unwrap();
        let error = stage.process(vec![record(1, "/", 200, 7), Record::new(2, "")]).unwrap().unwrap_err();

        assert_eq!(error, StageError::Missing { line: 2, field: "entry".into() });
        assert!(reports(&stage).is_empty());
    }

    #[test]
    fn nothing_counted_gives_no_reports_and_flushing_starts_over() {
        let host = host(&Fake::default());
        let stage = host.proxy::<dyn Stage>().unwrap();
        assert!(reports(&stage).is_empty());
        stage.process(vec![record(1, "/", 200, 7)]).unwrap().unwrap();
        assert!(!reports(&stage).is_empty());
        assert!(reports(&stage).is_empty());
    }
}
