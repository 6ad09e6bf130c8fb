//! Counts what a report needs while records leave the pipeline. What is kept grows with the number of different paths and
//! sizes, not with the length of the log.

use crate::run::{Outcome, Stage};
use crate::{distribution, traffic};
use pipeline_contracts::{Entry, Finding, PathCount, Record, SessionCounts, SessionSummary, StageCount, Summary};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

/// How many paths a summary lists.
pub const TOP_PATHS: usize = 25;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// Where the ranges of sizes begin, in bytes.
const SIZES: [u64; 12] =
    [0, 1, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB, 16 * MIB, 64 * MIB, 256 * MIB];

/// Where the ranges of a session's length begin, in seconds.
const SECONDS: [u64; 11] = [0, 1, 60, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400];

/// Where the ranges of a session's number of requests begin.
const REQUESTS: [u64; 11] = [1, 2, 3, 6, 11, 21, 51, 101, 201, 501, 1_001];

/// The requests so far.
#[derive(Debug, Clone, Default)]
pub struct Statistics {
    requests: u64,
    bytes: u64,
    traffic: traffic::Counter,
    statuses: BTreeMap<u16, u64>,
    /// How many answers have each size.
    sizes: BTreeMap<u64, u64>,
    paths: HashMap<String, PathTotals>,
}

#[derive(Debug, Clone, Default)]
struct PathTotals {
    requests: u64,
    errors: u64,
    bytes: u64,
}

impl Statistics {
    /// Counts a record that went through every stage. One that no stage has parsed has nothing to count.
    pub fn count(&mut self, record: &Record) {
        let Some(entry) = &record.entry else { return };
        self.requests += 1;
        self.bytes = self.bytes.saturating_add(entry.size);
        self.traffic.count(entry);
        *self.statuses.entry(entry.status).or_default() += 1;
        *self.sizes.entry(entry.size).or_default() += 1;
        self.count_path(entry);
    }

    fn count_path(&mut self, entry: &Entry) {
        let path = entry.target.split(['?', '#']).next().unwrap_or(&entry.target);
        // Most paths are known already: look up before making an owned key.
        if !self.paths.contains_key(path) {
            self.paths.insert(path.to_owned(), PathTotals::default());
        }
        if let Some(totals) = self.paths.get_mut(path) {
            totals.requests += 1;
            totals.errors += u64::from(entry.status >= 400);
            totals.bytes = totals.bytes.saturating_add(entry.size);
        }
    }

    /// Returns the summary of a run, without the rejected lines. `sessions` is what each bundle that knows sessions has
    /// counted.
    #[must_use]
    pub fn summary(
        &self,
        source: String,
        stages: &[Stage],
        outcome: &Outcome,
        sessions: Vec<SessionCounts>,
    ) -> Summary {
        Summary {
            source,
            lines: outcome.lines,
            requests: self.requests,
            bytes: self.bytes,
            traffic: self.traffic.clone().finish(),
            statuses: self.statuses.clone(),
            sizes: distribution::of(&self.sizes, &SIZES),
            paths: self.top_paths(),
            distinct_paths: self.paths.len() as u64,
            sessions: together(sessions),
            rejections: Vec::new(),
            stages: stages
                .iter()
                .zip(&outcome.tallies)
                .map(|(stage, tally)| StageCount {
                    name: stage.name.clone(),
                    summary: stage.summary.clone(),
                    language: stage.language.clone(),
                    records_in: tally.records_in,
                    records_out: tally.records_out,
                    rejected: tally.rejected,
                    lost: tally.lost,
                })
                .collect(),
            findings: outcome
                .reports
                .iter()
                .map(|(stage, report)| Finding { stage: stage.clone(), report: report.clone() })
                .collect(),
        }
    }

    /// Ties go by name.
    fn top_paths(&self) -> Vec<PathCount> {
        let mut paths: Vec<_> = self.paths.iter().collect();
        paths.sort_by_key(|(path, totals)| (Reverse(totals.requests), *path));
        let count = |(path, totals): (&String, &PathTotals)| PathCount {
            path: path.clone(),
            requests: totals.requests,
            errors: totals.errors,
            bytes: totals.bytes,
        };
        paths.into_iter().take(TOP_PATHS).map(count).collect()
    }
}

/// Returns the sessions that all bundles know, `None` if there is no such bundle.
fn together(all: Vec<SessionCounts>) -> Option<SessionSummary> {
    let sum = all.into_iter().reduce(|mut sum, next| {
        sum.clients += next.clients;
        for (into, from) in [(&mut sum.seconds, next.seconds), (&mut sum.requests, next.requests)] {
            for (number, count) in from {
                *into.entry(number).or_default() += count;
            }
        }
        sum
    })?;
    Some(SessionSummary {
        clients: sum.clients,
        sessions: sum.seconds.values().sum(),
        seconds: distribution::of(&sum.seconds, &SECONDS),
        requests: distribution::of(&sum.requests, &REQUESTS),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statistics(requests: &[(&str, u16, u64)]) -> Statistics {
        let mut statistics = Statistics::default();
        for &(target, status, size) in requests {
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
            statistics.count(&Record { entry: Some(entry), ..Record::new(1, "") });
        }
        statistics
    }

    fn summary(statistics: &Statistics, sessions: Vec<SessionCounts>) -> Summary {
        statistics.summary("access.log".into(), &[], &Outcome::default(), sessions)
    }

    #[test]
    fn nothing_gives_an_empty_summary() {
        let mut statistics = Statistics::default();
        statistics.count(&Record::new(1, "not parsed"));
        assert_eq!(summary(&statistics, vec![]), Summary { source: "access.log".into(), ..Summary::default() });
    }

    #[test]
    fn paths_are_counted_without_their_query() {
        let found = summary(&statistics(&[("/a?x", 200, 5), ("/b", 404, 7), ("/a#y", 500, 1)]), vec![]);
        let path = |path: &str, requests, errors, bytes| PathCount { path: path.into(), requests, errors, bytes };
        assert_eq!(found.paths, [path("/a", 2, 1, 6), path("/b", 1, 1, 7)]);
        assert_eq!((found.distinct_paths, found.requests, found.bytes), (2, 3, 13));
        assert_eq!(found.statuses, BTreeMap::from([(200, 1), (404, 1), (500, 1)]));
    }

    #[test]
    fn only_the_first_paths_are_listed() {
        let targets: Vec<_> = (0..TOP_PATHS + 5).map(|number| format!("/{number:02}")).collect();
        let requests: Vec<_> = targets.iter().rev().map(|target| (target.as_str(), 200, 1)).collect();
        let found = summary(&statistics(&requests), vec![]);
        assert!(found.paths.iter().map(|path| &path.path).eq(&targets[..TOP_PATHS]));
        assert_eq!(found.distinct_paths, targets.len() as u64);
    }

    #[test]
    fn absurd_sizes_stop_at_the_top() {
        let found = summary(&statistics(&[("/", 200, u64::MAX), ("/", 200, u64::MAX)]), vec![]);
        assert_eq!((found.bytes, found.paths[0].bytes), (u64::MAX, u64::MAX));
        assert_eq!(found.sizes.unwrap().bins.last().unwrap().below, None);
    }

    #[test]
    fn sessions_of_several_bundles_are_put_together() {
        let counts = |clients, seconds: &[(u64, u64)], requests: &[(u64, u64)]| SessionCounts {
            clients,
            seconds: seconds.iter().copied().collect(),
            requests: requests.iter().copied().collect(),
        };
        let all = vec![counts(2, &[(0, 2), (70, 1)], &[(1, 2), (2, 1)]), counts(1, &[(70, 1)], &[(2, 1)])];
        let found = summary(&Statistics::default(), all).sessions.unwrap();
        assert_eq!((found.clients, found.sessions), (3, 4));
        let bins = |found: Option<pipeline_contracts::Distribution>| {
            found.unwrap().bins.iter().map(|bin| bin.count).collect::<Vec<_>>()
        };
        assert_eq!((bins(found.seconds), bins(found.requests)), (vec![2, 0, 2], vec![2, 2]));
        let none = summary(&Statistics::default(), vec![SessionCounts::default()]).sessions.unwrap();
        assert_eq!((none.sessions, none.seconds, none.requests), (0, None, None));
    }
}
