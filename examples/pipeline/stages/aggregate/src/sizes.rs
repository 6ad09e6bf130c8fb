//! Exact percentiles of sizes. Sizes of answers repeat a lot, so each is kept once with its count.

use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(crate) struct Sizes {
    counts: BTreeMap<u64, u64>,
    total: u64,
    sum: u64,
}

impl Sizes {
    pub(crate) fn add(&mut self, size: u64) {
        *self.counts.entry(size).or_default() += 1;
        self.total += 1;
        // A log may claim any size: better a sum that stops than one that starts over.
        self.sum = self.sum.saturating_add(size);
    }

    /// The smallest size that at least `percent` in a hundred do not exceed (nearest rank).
    pub(crate) fn percentile(&self, percent: u64) -> Option<u64> {
        let rank = (u128::from(self.total) * u128::from(percent)).div_ceil(100);
        let mut seen = 0;
        self.counts.iter().find_map(|(&size, &count)| {
            seen += u128::from(count);
            (seen >= rank).then_some(size)
        })
    }

    pub(crate) fn max(&self) -> Option<u64> {
        self.counts.last_key_value().map(|(&size, _)| size)
    }

    pub(crate) fn sum(&self) -> u64 {
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::Sizes;

    fn sizes(all: impl IntoIterator<Item = u64>) -> Sizes {
        let mut sizes = Sizes::default();
        all.into_iter().for_each(|size| sizes.add(size));
        sizes
    }

    #[test]
    fn nearest_rank() {
        let five = sizes([50, 15, 40, 20, 35]);
        let percentiles = [0, 5, 30, 40, 50, 90, 99, 100].map(|percent| five.percentile(percent).unwrap());
        assert_eq!(percentiles, [15, 15, 20, 20, 35, 50, 50, 50]);
        assert_eq!((five.max(), five.sum()), (Some(50), 160));
    }

    #[test]
    fn repeated_sizes_count_each_time() {
        let many = sizes([0; 98].into_iter().chain([7, 9]));
        assert_eq!([90, 98, 99, 100].map(|percent| many.percentile(percent)), [Some(0), Some(0), Some(7), Some(9)]);
    }

    #[test]
    fn nothing_has_no_percentiles() {
        assert_eq!((Sizes::default().percentile(50), Sizes::default().max()), (None, None));
    }

    #[test]
    fn an_absurd_sum_stops_at_the_top() {
        assert_eq!(sizes([u64::MAX, 5]).sum(), u64::MAX);
    }
}
