/// What a Date header field says (RFC 3261 §20.17, RFC 1123): `Sat, 13 Nov 2010 23:29:00 GMT`, in seconds since
/// 1970. Nothing for whatever is no such date.
pub(super) fn seconds(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, rest) = text.split_once(',')?;
    let mut words = rest.split_ascii_whitespace();
    let mut word = || words.next();
    let (day, month, year, clock, zone) = (word()?, word()?, word()?, word()?, word()?);
    let number = |text: &str, digits: usize, most: i64| -> Option<i64> {
        let plain = text.len() <= digits && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|number| plain && *number <= most)
    };
    let month = 1 + i64::try_from(MONTHS.iter().position(|known| *known == month)?).ok()?;
    let (day, year) = (number(day, 2, 31)?, number(year, 4, 9999)?);
    let mut clock = clock.split(':');
    let mut part = |most| number(clock.next()?, 2, most);
    let (hour, minute, second) = (part(23)?, part(59)?, part(60)?);
    let sound = day >= 1 && year >= 1970 && zone == "GMT" && clock.next().is_none();
    sound.then(|| days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// Days from 1 January 1970 in the Gregorian calendar, counted in years that begin in March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leaps = year / 4 - year / 100 + year / 400;
    365 * year + leaps + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_seconds_since_1970_or_nothing() {
        for (text, found) in [
            ("Sat, 13 Nov 2010 23:29:00 GMT", Some(1_289_690_940)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Tue, 29 Feb 2028 12:00:00 GMT", Some(1_835_438_400)),
            ("Sat, 13 Nov 2010 23:29:00 CET", None),
            ("Sat, 13 Nov 2010 24:29:00 GMT", None),
            ("Sat, 0 Nov 2010 23:29:00 GMT", None),
            ("Sat, 13 Nov 2010 23:29:00:00 GMT", None),
            ("Sat, 13 Nov 2010 +3:29:00 GMT", None),
            ("Sat, 13 Nov 99999999999999999999 23:29:00 GMT", None),
            ("Sat, 13 Nov", None),
            ("", None),
        ] {
            assert_eq!(seconds(text), found, "{text}");
        }
    }
}
