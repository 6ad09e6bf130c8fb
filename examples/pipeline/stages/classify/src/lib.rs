//! Stage `classify`: tells who asked from the user agent, and how it ended from the status.

mod agent;

pub use agent::classify;
use pipeline_contracts::{Batch, Class, Flush, Record, Stage, StageError, StageInfo};

/// The stage. Each record stands for itself, so there is nothing to remember.
#[derive(Debug, Default)]
pub struct Classify;

#[polyplug::plugin]
impl Stage for Classify {
    fn describe(&self) -> StageInfo {
        StageInfo { name: "classify".into(), summary: "tells browsers from bots, successes from failures".into() }
    }

    fn process(&self, mut records: Vec<Record>) -> Result<Batch, StageError> {
        for record in &mut records {
            let entry = record.parsed()?;
            let class = Class { agent: classify(entry.agent.as_deref()), status: entry.status.into() };
            record.class = Some(class);
        }
        Ok(records.into())
    }

    fn flush(&self) -> Result<Flush, StageError> {
        Ok(Flush::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipeline_contracts::{AgentClass, Entry, StatusClass};

    fn entry(status: u16, agent: &str) -> Entry {
        Entry {
            client: "::1".into(),
            user: None,
            time: 0,
            method: "GET".into(),
            target: "/".into(),
            protocol: "HTTP/1.1".into(),
            status,
            size: 0,
            referer: None,
            agent: Some(agent.into()),
        }
    }

    #[test]
    fn every_record_goes_on_with_its_class() {
        let records = vec![
            Record { entry: Some(entry(204, "curl/8.5.0")), ..Record::new(1, "a") },
            Record { entry: Some(entry(503, "Googlebot/2.1")), ..Record::new(2, "b") },
        ];
        let batch = Classify.process(records).unwrap();

        let classes: Vec<_> = batch.records.iter().map(|record| record.class.unwrap()).collect();
        assert_eq!(classes[0], Class { agent: AgentClass::Tool, status: StatusClass::Success });
        assert_eq!(classes[1], Class { agent: AgentClass::Bot, status: StatusClass::ServerError });
        assert!(batch.rejected.is_empty());
    }

    #[test]
    fn a_record_nobody_has_parsed_is_an_error() {
        let error = Classify.process(vec![Record::new(12, "x")]).unwrap_err();
        assert_eq!(error, StageError::Missing { line: 12, field: "entry".into() });
    }
}
