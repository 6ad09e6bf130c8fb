//! Turns what was counted into tables.

use crate::totals::Totals;
use pipeline_contracts::{AgentClass, Cell, ClassifierProxy, Report};
use polyplug::CallError;
use std::cmp::Reverse;

/// Rows shown where there could be any number.
pub(crate) const TOP: usize = 10;

/// Every table that has rows; none at all before the first request.
pub(crate) fn all(totals: &Totals, classifier: &ClassifierProxy) -> Result<Vec<Report>, CallError> {
    let reports = [sizes(totals), statuses(totals), agents(totals, classifier)?, paths(totals), labels(totals)];
    Ok(reports.into_iter().filter(|report| !report.rows.is_empty()).collect())
}

fn sizes(totals: &Totals) -> Report {
    let percentile = |percent| Some((format!("p{percent}"), totals.sizes.percentile(percent)?));
    let max = || Some(("max".to_owned(), totals.sizes.max()?));
    let sum = || (totals.requests > 0).then(|| ("total".to_owned(), totals.sizes.sum()));

    let values = [percentile(50), percentile(90), percentile(99), max(), sum()];
    let rows = values.into_iter().flatten().map(|(name, bytes)| vec![Cell::Text(name), integer(bytes)]);
    report("Sizes", &["of answers", "bytes"], rows)
}

fn statuses(totals: &Totals) -> Report {
    let rows = totals
        .statuses
        .iter()
        .map(|(status, count)| vec![Cell::Integer((*status).into()), integer(*count), share(*count, totals.requests)]);
    report("Statuses", &["status", "requests", "share %"], rows)
}

fn agents(totals: &Totals, classifier: &ClassifierProxy) -> Result<Report, CallError> {
    let mut agents: Vec<_> = totals.agents.iter().map(|(agent, count)| (*agent, name(*agent), *count)).collect();
    agents.sort_by_key(|&(_, name, count)| (Reverse(count), name));
    let row = |(agent, name, count): (AgentClass, &str, u64)| {
        let marks = classifier.marks(agent)?;
        let marks = marks.iter().map(|mark| mark.trim()).collect::<Vec<_>>().join(", ");
        Ok(vec![Cell::Text(name.into()), integer(count), share(count, totals.requests), Cell::Text(marks)])
    };
    let rows = agents.into_iter().map(row).collect::<Result<Vec<_>, CallError>>()?;
    Ok(report("Agents", &["agent", "requests", "share %", "known by"], rows))
}

fn paths(totals: &Totals) -> Report {
    let mut paths: Vec<_> = totals.paths.iter().collect();
    paths.sort_by_key(|(path, counts)| (Reverse(counts.requests), *path));
    let rows = paths.into_iter().take(TOP).map(|(path, counts)| {
        let requests = counts.requests;
        vec![Cell::Text(path.clone()), integer(requests), share(requests, totals.requests), integer(counts.bytes)]
    });
    let title = match totals.paths.len() {
        ..=TOP => "Paths".to_owned(),
        known => format!("Paths, first {TOP} of {known}"),
    };
    report(&title, &["path", "requests", "share %", "bytes"], rows)
}

fn labels(totals: &Totals) -> Report {
    let mut labels: Vec<_> = totals.labels.iter().collect();
    labels.sort_by_key(|(label, count)| (Reverse(**count), *label));
    let rows = labels
        .into_iter()
        .take(TOP)
        .map(|((key, value), count)| vec![Cell::Text(key.clone()), Cell::Text(value.clone()), integer(*count)]);
    report("Labels", &["label", "value", "requests"], rows)
}

fn report(title: &str, columns: &[&str], rows: impl IntoIterator<Item = Vec<Cell>>) -> Report {
    let columns = columns.iter().map(|&column| column.into()).collect();
    Report { title: title.into(), columns, rows: rows.into_iter().collect() }
}

fn integer(number: u64) -> Cell {
    Cell::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

fn share(part: u64, whole: u64) -> Cell {
    Cell::Number(part as f64 * 100.0 / whole as f64)
}

fn name(agent: AgentClass) -> &'static str {
    match agent {
        AgentClass::Browser => "browser",
        AgentClass::Mobile => "mobile",
        AgentClass::Bot => "bot",
        AgentClass::Tool => "tool",
        AgentClass::FeedReader => "feed reader",
        AgentClass::Unknown => "unknown",
    }
}
