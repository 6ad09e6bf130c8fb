//! Stage `parse`: fills in the fields of each line, and rejects the lines that are not in Combined Log Format.

mod line;
mod timestamp;

pub use line::{Flaw, Malformed, parse};
use pipeline_contracts::{
    Batch, Flush, Level, Log, LogProxy, Progress, ProgressProxy, Record, Rejected, Stage, StageError, StageInfo,
};
use polyplug::{CallError, PluginContext};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The stage, with how many lines of either kind it has seen.
#[derive(Debug)]
pub struct Parse {
    log: LogProxy,
    progress: ProgressProxy,
    good: AtomicU64,
    bad: AtomicU64,
}

impl Parse {
    fn new(context: &PluginContext) -> Result<Self, CallError> {
        Ok(Self {
            log: context.host::<dyn Log>()?,
            progress: context.host::<dyn Progress>()?,
            good: AtomicU64::new(0),
            bad: AtomicU64::new(0),
        })
    }
}

#[polyplug::plugin(create = Parse::new)]
impl Stage for Parse {
    fn describe(&self) -> StageInfo {
        StageInfo { name: "parse".into(), summary: "reads lines in Combined Log Format".into() }
    }

    fn process(&self, records: Vec<Record>) -> Result<Batch, StageError> {
        let count = records.len() as u64;
        let mut batch = Batch { records: Vec::with_capacity(records.len()), rejected: Vec::new() };
        for mut record in records {
            match parse(&record.raw) {
                Ok(entry) => {
                    record.entry = Some(entry);
                    batch.records.push(record);
                }
                Err(malformed) => batch.rejected.push(Rejected {
                    line: record.line,
                    raw: record.raw,
                    reason: malformed.flaw.to_string(),
                    detail: malformed.detail,
                }),
            }
        }
        self.good.fetch_add(batch.records.len() as u64, Relaxed);
        self.bad.fetch_add(batch.rejected.len() as u64, Relaxed);
        self.progress.advance(count)?;
        Ok(batch)
    }

    fn flush(&self) -> Result<Flush, StageError> {
        let (good, bad) = (self.good.load(Relaxed), self.bad.load(Relaxed));
        if bad > good {
            let text = format!("{bad} of {} lines are malformed: is this a log in Combined Log Format?", good + bad);
            self.log.log(Level::Warning, &text)?;
        }
        Ok(Flush::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use polyplug::testing::{Calls, Host};

    const GOOD: &str = r#"::1 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 5 "-" "-""#;

    /// Stands for the host, and remembers what it was told.
    #[derive(Clone, Default)]
    struct FakeHost {
        lines: Calls<(Level, String)>,
        records: Calls<u64>,
    }

    impl Log for FakeHost {
        fn log(&self, level: Level, text: &str) {
            self.lines.push((level, text.to_owned()));
        }
    }

    impl Progress for FakeHost {
        fn advance(&self, records: u64) {
            self.records.push(records);
        }
    }

    fn host(fake: &FakeHost) -> Host {
        let host = Host::new().manifest(include_str!("../manifest.toml"));
        host.provide::<dyn Log>(fake.clone()).provide::<dyn Progress>(fake.clone())
    }

    #[test]
    fn good_lines_go_on_and_bad_ones_say_why() {
        let host = host(&FakeHost::default());
        let stage = host.proxy::<dyn Stage>().unwrap();
        let batch = stage.process(vec![Record::new(7, GOOD), Record::new(8, "")]).unwrap().unwrap();

        assert_eq!(batch.records.len(), 1);
        assert_eq!(batch.records[0].raw, GOOD);
        assert_eq!(batch.records[0].entry.as_ref().unwrap().size, 5);
        assert_eq!(batch.rejected.len(), 1);
        assert_eq!((batch.rejected[0].line, batch.rejected[0].reason.as_str()), (8, "empty line"));
    }

    #[test]
    fn progress_is_reported_batch_by_batch() {
        let fake = FakeHost::default();
        let host = host(&fake);
        let stage = host.proxy::<dyn Stage>().unwrap();
        for count in [3, 1] {
            stage.process(vec![Record::new(1, GOOD); count]).unwrap().unwrap();
        }
        assert_eq!(fake.records.take(), [3, 1]);
    }

    #[test]
    fn a_log_of_another_format_is_a_warning_at_its_end() {
        let warnings = |lines: [&str; 3]| {
            let fake = FakeHost::default();
            let host = host(&fake);
            let stage = host.proxy::<dyn Stage>().unwrap();
            stage.process(lines.map(|line| Record::new(1, line)).into()).unwrap().unwrap();
            assert!(fake.lines.take().is_empty());
            stage.flush().unwrap().unwrap();
            fake.lines.take()
        };
        let text = "2 of 3 lines are malformed: is this a log in Combined Log Format?".to_owned();
        assert_eq!(warnings([GOOD, "x", "y"]), [(Level::Warning, text)]);
        assert_eq!(warnings([GOOD, GOOD, "y"]), []);
    }
}
