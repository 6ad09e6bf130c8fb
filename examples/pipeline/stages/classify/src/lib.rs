//! Stage `classify`: tells who asked from the user agent, and how it ended from the status. Other stages can ask it too.

mod rules;

use pipeline_contracts::{
    AgentClass, Batch, Class, Classifier, Flush, Level, Log, LogProxy, Progress, ProgressProxy, Record, Stage,
    StageError, StageInfo,
};
use polyplug::PluginContext;
use rules::Rules;
use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The stage. Its rules are in the manifest, under `[config]`.
#[derive(Debug)]
pub struct Classify {
    rules: Rules,
    log: LogProxy,
    progress: ProgressProxy,
    unknown: AtomicU64,
}

impl Classify {
    fn new(context: &PluginContext) -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            rules: context.config()?,
            log: context.host::<dyn Log>()?,
            progress: context.host::<dyn Progress>()?,
            unknown: AtomicU64::new(0),
        })
    }
}

#[polyplug::plugin(create = Classify::new)]
impl Stage for Classify {
    fn describe(&self) -> StageInfo {
        StageInfo { name: "classify".into(), summary: "tells browsers from bots, successes from failures".into() }
    }

    fn process(&self, mut records: Vec<Record>) -> Result<Batch, StageError> {
        for record in &mut records {
            let entry = record.parsed()?;
            let agent = self.rules.class(entry.agent.as_deref().unwrap_or_default());
            if agent == AgentClass::Unknown {
                self.unknown.fetch_add(1, Relaxed);
            }
            record.class = Some(Class { agent, status: entry.status.into() });
        }
        self.progress.advance(records.len() as u64)?;
        Ok(records.into())
    }

    fn flush(&self) -> Result<Flush, StageError> {
        let unknown = self.unknown.load(Relaxed);
        if unknown > 0 {
            self.log.log(Level::Info, &format!("requests with an agent that no rule knows: {unknown}"))?;
        }
        Ok(Flush::default())
    }
}

/// What other stages call: the rules themselves, read from the settings.
#[polyplug::plugin(create = PluginContext::config)]
impl Classifier for Rules {
    fn classify(&self, agent: &str) -> AgentClass {
        self.class(agent)
    }

    fn marks(&self, class: AgentClass) -> Vec<String> {
        self.of(class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipeline_contracts::{Entry, StatusClass};
    use polyplug::testing::{Calls, Host};

    /// Stands for the host, and remembers what it was told.
    #[derive(Clone, Default)]
    struct FakeHost {
        lines: Calls<String>,
        records: Calls<u64>,
    }

    impl Log for FakeHost {
        fn log(&self, _: Level, text: &str) {
            self.lines.push(text.to_owned());
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

    fn record(line: u64, status: u16, agent: &str) -> Record {
        let entry = Entry {
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
        };
        Record { entry: Some(entry), ..Record::new(line, "") }
    }

    #[test]
    fn every_record_goes_on_with_its_class() {
        let fake = FakeHost::default();
        let host = host(&fake);
        let stage = host.proxy::<dyn Stage>().unwrap();
        let records = vec![record(1, 204, "curl/8.5.0"), record(2, 503, "Googlebot/2.1"), record(3, 200, "?")];
        let batch = stage.process(records).unwrap().unwrap();

        let classes: Vec<_> = batch.records.iter().map(|record| record.class.unwrap()).collect();
        assert_eq!(classes[0], Class { agent: AgentClass::Tool, status: StatusClass::Success });
        assert_eq!(classes[1], Class { agent: AgentClass::Bot, status: StatusClass::ServerError });
        assert_eq!(classes[2].agent, AgentClass::Unknown);
        assert!(batch.rejected.is_empty());

        stage.flush().unwrap().unwrap();
        assert_eq!(fake.records.take(), [3]);
        assert_eq!(fake.lines.take(), ["requests with an agent that no rule knows: 1"]);
    }

    #[test]
    fn a_record_nobody_has_parsed_is_an_error() {
        let host = host(&FakeHost::default());
        let error = host.proxy::<dyn Stage>().unwrap().process(vec![Record::new(12, "x")]).unwrap().unwrap_err();
        assert_eq!(error, StageError::Missing { line: 12, field: "entry".into() });
    }

    #[test]
    fn the_host_may_add_rules_and_change_them() {
        let settings = "[begins]\n'Stock-Sync ' = 'tool'\n[contains]\nfeed = 'bot'";
        let host = host(&FakeHost::default()).config(settings);
        let classifier = host.proxy::<dyn Classifier>().unwrap();
        let classes = ["stock-sync 3", "Feedly/1.0", "curl/8.5.0"].map(|agent| classifier.classify(agent).unwrap());
        assert_eq!(classes, [AgentClass::Tool, AgentClass::Bot, AgentClass::Tool]);

        let marks = classifier.marks(AgentClass::FeedReader).unwrap();
        assert_eq!(marks, ["akregator", "inoreader", "miniflux", "netnewswire", "newsblur", "rss"]);
        assert!(classifier.marks(AgentClass::Tool).unwrap().contains(&"stock-sync ".to_owned()));
    }

    #[test]
    fn wrong_rules_are_named() {
        let error =
            |settings: &str| host(&FakeHost::default()).config(settings).proxy::<dyn Stage>().unwrap_err().to_string();
        let message = error("contains.vacuum = 'robot'");
        assert!(message.contains("settings: contains.vacuum: unknown variant `robot`, expected one of"), "{message}");
        assert!(error("contain.vacuum = 'bot'").contains("unknown field `contain`"));
    }
}
