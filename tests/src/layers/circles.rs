//! Circles: files that use each other, directly or by way of others.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::arrows::Arrows;

/// Returns the circles: the largest sets of more than one file in which arrows lead from each file to each other.
pub(super) fn circles(arrows: &Arrows) -> Vec<BTreeSet<&str>> {
    let (mut forth, mut back) = (BTreeMap::new(), BTreeMap::new());
    for (from, to) in arrows.keys() {
        forth.entry(from.as_str()).or_insert_with(Vec::new).push(to.as_str());
        back.entry(to.as_str()).or_insert_with(Vec::new).push(from.as_str());
    }
    let mut done = BTreeSet::new();
    let mut found = Vec::new();
    for file in forth.keys() {
        if done.contains(file) {
            continue;
        }
        let after = reached(file, &forth);
        let circle: BTreeSet<&str> = reached(file, &back).intersection(&after).copied().collect();
        done.extend(circle.iter().copied());
        if circle.len() > 1 {
            found.push(circle);
        }
    }
    found
}

/// Returns the files that arrows lead to from `file`, and the file itself.
fn reached<'a>(file: &'a str, next: &BTreeMap<&'a str, Vec<&'a str>>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::from([file]);
    let mut open = vec![file];
    while let Some(at) = open.pop() {
        let unseen = next.get(at).into_iter().flatten().filter(|to| seen.insert(**to));
        open.extend(unseen.copied().collect::<Vec<_>>());
    }
    seen
}

/// Returns a shortest way around within the circle. The last file imports the first.
pub(super) fn shortest<'a>(circle: &BTreeSet<&'a str>, arrows: &'a Arrows) -> Vec<&'a str> {
    let inside = |file: &str| circle.contains(file);
    let ways = circle.iter().filter_map(|start| {
        let mut before: BTreeMap<&str, &str> = BTreeMap::new();
        let mut open = VecDeque::from([*start]);
        while let Some(at) = open.pop_front() {
            for (from, to) in arrows.keys().filter(|(from, to)| from == at && inside(to)) {
                if to == start {
                    return Some(way(start, from, &before));
                }
                if !before.contains_key(to.as_str()) {
                    before.insert(to, from);
                    open.push_back(to);
                }
            }
        }
        None
    });
    ways.min_by_key(Vec::len).unwrap_or_default()
}

/// Returns the files from `start` to `end`, by the file that each was reached from.
fn way<'a>(start: &'a str, end: &'a str, before: &BTreeMap<&'a str, &'a str>) -> Vec<&'a str> {
    let mut files = vec![end];
    while let Some(from) = files.last().filter(|at| **at != start).and_then(|at| before.get(at)) {
        files.push(from);
    }
    files.reverse();
    files
}
