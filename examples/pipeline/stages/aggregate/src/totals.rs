//! What is counted while records go by. It grows with the number of different paths, not with the length of the log.

use crate::sizes::Sizes;
use pipeline_contracts::{AgentClass, Entry, Label, Record};
use std::collections::{BTreeMap, HashMap};

#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) requests: u64,
    pub(crate) sizes: Sizes,
    pub(crate) paths: HashMap<String, Path>,
    pub(crate) statuses: BTreeMap<u16, u64>,
    pub(crate) agents: HashMap<AgentClass, u64>,
    pub(crate) labels: HashMap<(String, String), u64>,
}

#[derive(Debug, Default)]
pub(crate) struct Path {
    pub(crate) requests: u64,
    pub(crate) bytes: u64,
}

impl Totals {
    pub(crate) fn count(&mut self, record: &Record, entry: &Entry, agent: AgentClass) {
        self.requests += 1;
        self.sizes.add(entry.size);
        *self.statuses.entry(entry.status).or_default() += 1;
        self.count_path(without_query(&entry.target), entry.size);
        *self.agents.entry(agent).or_default() += 1;
        for Label { key, value } in &record.labels {
            *self.labels.entry((key.clone(), value.clone())).or_default() += 1;
        }
    }

    fn count_path(&mut self, path: &str, size: u64) {
        // Most paths are known already: look up before making an owned key.
        if !self.paths.contains_key(path) {
            self.paths.insert(path.to_owned(), Path::default());
        }
        if let Some(known) = self.paths.get_mut(path) {
            known.requests += 1;
            known.bytes = known.bytes.saturating_add(size);
        }
    }
}

fn without_query(target: &str) -> &str {
    target.split(['?', '#']).next().unwrap_or(target)
}
