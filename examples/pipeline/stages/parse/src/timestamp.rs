//! The time of a request, `10/Oct/2000:13:55:36 -0700`, as seconds since 1970-01-01 UTC.

const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// Reads a timestamp without its brackets; the error says which part is wrong.
pub(crate) fn seconds(text: &str) -> Result<i64, &'static str> {
    let &[d1, d2, b'/', m1, m2, m3, b'/', y1, y2, y3, y4, b':', ref clock @ .., b' ', sign, z1, z2, z3, z4] =
        text.as_bytes()
    else {
        return Err("not of the form dd/Mon/yyyy:hh:mm:ss +hhmm");
    };
    let &[h1, h2, b':', n1, n2, b':', s1, s2] = clock else {
        return Err("not of the form dd/Mon/yyyy:hh:mm:ss +hhmm");
    };

    let month = MONTHS.iter().position(|name| *name == [m1, m2, m3]).ok_or("unknown month")?;
    let month = month as i64 + 1;
    let year = number(&[y1, y2, y3, y4]).ok_or("the year is not a number")?;
    let day = number(&[d1, d2]).filter(|day| (1..=days_in(year, month)).contains(day)).ok_or("no such day")?;

    let hour = number(&[h1, h2]).filter(|hour| *hour < 24).ok_or("no such hour")?;
    let minute = number(&[n1, n2]).filter(|minute| *minute < 60).ok_or("no such minute")?;
    // 60 is a leap second.
    let second = number(&[s1, s2]).filter(|second| *second <= 60).ok_or("no such second")?;

    let east = match sign {
        b'+' => 1,
        b'-' => -1,
        _ => return Err("the offset from UTC has no sign"),
    };
    let offset = match (number(&[z1, z2]), number(&[z3, z4])) {
        (Some(hours @ ..=23), Some(minutes @ ..=59)) => east * (hours * 60 + minutes) * 60,
        _ => return Err("no such offset from UTC"),
    };
    Ok(days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset)
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0')))
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    // A year that begins in March ends with its leap day, and then month lengths repeat every 153 days.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 719,469 days lie between 0000-03-00 and 1970-01-01.
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 719_469
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn known_moments() {
        assert_eq!(seconds("01/Jan/1970:00:00:00 +0000"), Ok(0));
        assert_eq!(seconds("31/Dec/1969:23:59:59 +0000"), Ok(-1));
        assert_eq!(seconds("10/Oct/2000:13:55:36 -0700"), Ok(971_211_336));
        assert_eq!(seconds("29/Feb/2024:00:00:00 +0530"), Ok(1_709_145_000));
        assert_eq!(seconds("01/Mar/2000:00:00:00 +0000"), Ok(951_868_800));
        assert_eq!(seconds("31/Dec/2016:23:59:60 +0000"), seconds("01/Jan/2017:00:00:00 +0000"));
    }

    #[test]
    fn the_error_names_the_part() {
        assert_eq!(seconds("10/Okt/2000:13:55:36 -0700"), Err("unknown month"));
        assert_eq!(seconds("29/Feb/1900:13:55:36 -0700"), Err("no such day"));
        assert_eq!(seconds("00/Oct/2000:13:55:36 -0700"), Err("no such day"));
        assert_eq!(seconds("+1/Oct/2000:13:55:36 -0700"), Err("no such day"));
        assert_eq!(seconds("10/Oct/2000:24:55:36 -0700"), Err("no such hour"));
        assert_eq!(seconds("10/Oct/2000:13:60:36 -0700"), Err("no such minute"));
        assert_eq!(seconds("10/Oct/2000:13:55:61 -0700"), Err("no such second"));
        assert_eq!(seconds("10/Oct/2000:13:55:36 00700"), Err("the offset from UTC has no sign"));
        assert_eq!(seconds("10/Oct/2000:13:55:36 +0790"), Err("no such offset from UTC"));
    }

    #[test]
    fn other_forms_are_no_timestamps() {
        for text in ["", "10/Oct/2000", "2000-10-10T13:55:36Z", "10/Oct/2000:1:55:36 -0700", "10/Oct/2000:13:55:36 Z"] {
            assert!(seconds(text).unwrap_err().starts_with("not of the form"), "{text}");
        }
    }
}
