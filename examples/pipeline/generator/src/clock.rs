//! The server's clock, as it appears in the log.

use std::fmt;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Seconds since 1970, in the server's own time zone.
#[derive(Clone, Copy)]
pub(crate) struct Clock(u64);

impl Clock {
    /// The evening of 28 February 2024 in Wellington: the log runs into a leap day.
    pub(crate) const START: Self = Self(1_709_146_800);

    pub(crate) fn advance(&mut self, seconds: u64) {
        self.0 += seconds;
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut day, second) = (self.0 / 86_400, self.0 % 86_400);
        let mut year = 1970;
        while day >= days_in_year(year) {
            day -= days_in_year(year);
            year += 1;
        }
        let mut month = 0;
        while day >= days_in_month(year, month) {
            day -= days_in_month(year, month);
            month += 1;
        }
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(f, "{:02}/{}/{year}:{hour:02}:{minute:02}:{second:02} +1300", day + 1, MONTHS[month])
    }
}

fn days_in_year(year: u64) -> u64 {
    (0..12).map(|month| days_in_month(year, month)).sum()
}

fn days_in_month(year: u64, month: usize) -> u64 {
    match month {
        1 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        1 => 28,
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::Clock;

    #[test]
    fn known_moments() {
        assert_eq!(Clock(0).to_string(), "01/Jan/1970:00:00:00 +1300");
        assert_eq!(Clock(951_782_399).to_string(), "28/Feb/2000:23:59:59 +1300");
        assert_eq!(Clock(951_782_400).to_string(), "29/Feb/2000:00:00:00 +1300");
        assert_eq!(Clock(1_735_689_599).to_string(), "31/Dec/2024:23:59:59 +1300");
        assert_eq!(Clock::START.to_string(), "28/Feb/2024:19:00:00 +1300");
    }
}
