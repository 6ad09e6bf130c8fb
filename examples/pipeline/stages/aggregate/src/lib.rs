//! Stage `aggregate`: passes every record on, and reports on all of them at the end.

mod report;
mod sizes;
mod totals;

use pipeline_contracts::{Batch, Flush, Record, Stage, StageError, StageInfo};
use std::sync::{Mutex, MutexGuard, PoisonError};
use totals::Totals;

/// The stage, with what it has counted so far.
#[derive(Debug, Default)]
pub struct Aggregate {
    totals: Mutex<Totals>,
}

impl Aggregate {
    fn totals(&self) -> MutexGuard<'_, Totals> {
        // Counts are whole between any two statements, so a panic elsewhere takes nothing from them.
        self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[polyplug::plugin]
impl Stage for Aggregate {
    fn describe(&self) -> StageInfo {
        StageInfo { name: "aggregate".into(), summary: "counts paths, statuses, clients and sizes".into() }
    }

    fn process(&self, records: Vec<Record>) -> Result<Batch, StageError> {
        // All or nothing: the host gives up a batch that failed, so none of it may have been counted.
        let entries = records.iter().map(Record::parsed).collect::<Result<Vec<_>, _>>()?;
        let mut totals = self.totals();
        for (record, entry) in records.iter().zip(entries) {
            totals.count(record, entry);
        }
        Ok(records.into())
    }

    fn flush(&self) -> Result<Flush, StageError> {
        let totals = std::mem::take(&mut *self.totals());
        Ok(Flush { batch: Batch::default(), reports: report::all(&totals) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipeline_contracts::{AgentClass, Cell, Class, Entry, Label, Report};

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

    fn reports(stage: &Aggregate) -> Vec<Report> {
        stage.flush().unwrap().reports
    }

    fn rows<'a>(reports: &'a [Report], title: &str) -> &'a [Vec<Cell>] {
        &reports.iter().find(|report| report.title.starts_with(title)).expect(title).rows
    }

    fn text(text: &str) -> Cell {
        Cell::Text(text.into())
    }

    #[test]
    fn paths_are_counted_without_their_query() {
        let stage = Aggregate::default();
        let batch = vec![record(1, "/a?x=1", 200, 10), record(2, "/b", 200, 5), record(3, "/a?x=2#y", 200, 30)];
        stage.process(batch).unwrap();

        let reports = reports(&stage);
        let paths = rows(&reports, "Paths");
        assert_eq!(paths[0], [text("/a"), Cell::Integer(2), Cell::Number(200.0 / 3.0), Cell::Integer(40)]);
        assert_eq!(paths[1], [text("/b"), Cell::Integer(1), Cell::Number(100.0 / 3.0), Cell::Integer(5)]);
    }

    #[test]
    fn only_the_first_paths_are_shown_and_ties_go_by_name() {
        let stage = Aggregate::default();
        stage.process((0..50).rev().map(|n| record(n, &format!("/{n:02}"), 200, 0)).collect()).unwrap();

        let reports = reports(&stage);
        let paths = rows(&reports, "Paths");
        assert_eq!(paths.len(), report::TOP);
        assert!(paths.iter().enumerate().all(|(n, row)| row[0] == text(&format!("/{n:02}"))));
    }

    #[test]
    fn statuses_come_in_order() {
        let stage = Aggregate::default();
        stage.process([404, 200, 503, 200].map(|status| record(1, "/", status, 0)).into()).unwrap();

        let reports = reports(&stage);
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
        let stage = Aggregate::default();
        stage.process((1..=100).map(|size| record(1, "/", 200, size)).collect()).unwrap();

        let reports = reports(&stage);
        let values: Vec<_> = rows(&reports, "Sizes").iter().map(|row| row[1].clone()).collect();
        assert_eq!(values, [50, 90, 99, 100, 5050].map(Cell::Integer));
    }

    #[test]
    fn agents_and_labels_are_reported_where_other_stages_gave_them() {
        let stage = Aggregate::default();
        stage.process(vec![record(1, "/", 200, 0)]).unwrap();
        assert!(reports(&stage).iter().all(|report| !["Agents", "Labels"].contains(&report.title.as_str())));

        let mut labelled = record(2, "/", 200, 0);
        labelled.class = Some(Class { agent: AgentClass::FeedReader, status: 200.into() });
        labelled.labels.push(Label { key: "country".into(), value: "NZ".into() });
        stage.process(vec![record(1, "/", 200, 0), labelled]).unwrap();

        let reports = reports(&stage);
        assert_eq!(rows(&reports, "Agents"), [[text("feed reader"), Cell::Integer(1), Cell::Number(50.0)]]);
        assert_eq!(rows(&reports, "Labels"), [[text("country"), text("NZ"), Cell::Integer(1)]]);
    }

    #[test]
    fn a_batch_counts_as_a_whole_or_not_at_all() {
        let stage = Aggregate::default();
        let error = stage.process(vec![record(1, "/", 200, 7), Record::new(2, "")]).unwrap_err();

        assert_eq!(error, StageError::Missing { line: 2, field: "entry".into() });
        assert!(reports(&stage).is_empty());
    }

    #[test]
    fn nothing_counted_gives_no_reports_and_flushing_starts_over() {
        let stage = Aggregate::default();
        assert!(reports(&stage).is_empty());
        stage.process(vec![record(1, "/", 200, 7)]).unwrap();
        assert!(!reports(&stage).is_empty());
        assert!(reports(&stage).is_empty());
    }
}
