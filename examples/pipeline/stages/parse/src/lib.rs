//! Stage `parse`: fills in the fields of each line, and rejects the lines that are not in Combined Log Format.

mod line;
mod timestamp;

pub use line::{Flaw, Malformed, parse};
use pipeline_contracts::{Batch, Flush, Record, Rejected, Stage, StageError, StageInfo};

/// The stage. Each line stands for itself, so there is nothing to remember.
#[derive(Debug, Default)]
pub struct Parse;

#[polyplug::plugin]
impl Stage for Parse {
    fn describe(&self) -> StageInfo {
        StageInfo { name: "parse".into(), summary: "reads lines in Combined Log Format".into() }
    }

    fn process(&self, records: Vec<Record>) -> Result<Batch, StageError> {
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
        Ok(batch)
    }

    fn flush(&self) -> Result<Flush, StageError> {
        Ok(Flush::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"::1 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 5 "-" "-""#;

    #[test]
    fn good_lines_go_on_and_bad_ones_say_why() {
        let batch = Parse.process(vec![Record::new(7, GOOD), Record::new(8, "")]).unwrap();

        assert_eq!(batch.records.len(), 1);
        assert_eq!(batch.records[0].raw, GOOD);
        assert_eq!(batch.records[0].entry.as_ref().unwrap().size, 5);
        assert_eq!(batch.rejected.len(), 1);
        assert_eq!((batch.rejected[0].line, batch.rejected[0].reason.as_str()), (8, "empty line"));
    }
}
