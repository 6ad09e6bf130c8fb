//! Turns counted numbers into their distribution.

use pipeline_contracts::{Bin, Distribution};
use std::collections::BTreeMap;

/// Returns how numbers are distributed, `None` if there are none. `counts` tells how often each number occurs. `edges`
/// are the least numbers of the ranges, ascending; no number is below the first.
///
/// Ranges above the greatest number are left out. The last range has no end if the greatest number is beyond all edges.
#[must_use]
pub fn of(counts: &BTreeMap<u64, u64>, edges: &[u64]) -> Option<Distribution> {
    let (&max, _) = counts.last_key_value()?;
    let bins = edges.iter().take_while(|&&from| from <= max).enumerate().map(|(at, &from)| {
        let below = edges.get(at + 1).copied();
        let count = counts.range(from..).take_while(|&(&number, _)| below.is_none_or(|below| number < below));
        Bin { from, below, count: count.map(|(_, count)| count).sum() }
    });
    Some(Distribution {
        bins: bins.collect(),
        median: reached_by(counts, 50)?,
        ninetieth: reached_by(counts, 90)?,
        max,
    })
}

/// Returns the least number that `percent` in a hundred do not exceed (nearest rank).
fn reached_by(counts: &BTreeMap<u64, u64>, percent: u128) -> Option<u64> {
    let total: u128 = counts.values().map(|&count| u128::from(count)).sum();
    let rank = (total * percent).div_ceil(100);
    let mut seen = 0;
    counts.iter().find_map(|(&number, &count)| {
        seen += u128::from(count);
        (seen >= rank).then_some(number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(numbers: impl IntoIterator<Item = u64>) -> BTreeMap<u64, u64> {
        let mut counts = BTreeMap::new();
        numbers.into_iter().for_each(|number| *counts.entry(number).or_default() += 1);
        counts
    }

    fn bins(distribution: &Distribution) -> Vec<(u64, Option<u64>, u64)> {
        distribution.bins.iter().map(|bin| (bin.from, bin.below, bin.count)).collect()
    }

    #[test]
    fn nothing_has_no_distribution() {
        assert_eq!(of(&BTreeMap::new(), &[0, 1]), None);
    }

    #[test]
    fn a_number_on_an_edge_begins_a_range() {
        let found = of(&counts([0, 1, 9, 10, 10, 11]), &[0, 1, 10, 100]).unwrap();
        assert_eq!(bins(&found), [(0, Some(1), 1), (1, Some(10), 2), (10, Some(100), 3)]);
        assert_eq!((found.median, found.ninetieth, found.max), (9, 11, 11));
    }

    #[test]
    fn ranges_between_stay_and_those_above_go() {
        let found = of(&counts([7, 0]), &[0, 1, 5, 10, 100]).unwrap();
        assert_eq!(bins(&found), [(0, Some(1), 1), (1, Some(5), 0), (5, Some(10), 1)]);
    }

    #[test]
    fn what_is_beyond_all_edges_is_counted() {
        let found = of(&counts([3, u64::MAX, u64::MAX]), &[0, 10]).unwrap();
        assert_eq!(bins(&found), [(0, Some(10), 1), (10, None, 2)]);
        assert_eq!((found.median, found.max), (u64::MAX, u64::MAX));
    }
}
