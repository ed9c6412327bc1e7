use jiff::ToSpan;
use jiff::civil::Date;

/// A country whose holidays are known.
#[derive(Clone, Copy, Debug)]
pub(crate) enum National {
    Italy,
    /// The province of Bolzano keeps Whit Monday too.
    Bolzano,
}

impl National {
    pub(crate) fn parse(code: &str) -> Option<National> {
        match code {
            "it" => Some(National::Italy),
            "it-bz" => Some(National::Bolzano),
            _ => None,
        }
    }

    /// The name of the holiday on `date`, if it is one.
    pub(crate) fn holiday(self, date: Date) -> Option<&'static str> {
        match self {
            National::Italy => italian(date),
            National::Bolzano => italian(date).or_else(|| whit_monday(date)),
        }
    }
}

/// Law 260/1949 as amended: Epiphany by DPR 792/1985, 2 June by law 336/2000, and 4 October by law 151/2025
/// from 2026 on.
fn italian(date: Date) -> Option<&'static str> {
    let fixed = match (date.month(), date.day()) {
        (1, 1) => "Capodanno",
        (1, 6) => "Epifania",
        (4, 25) => "Festa della Liberazione",
        (5, 1) => "Festa del Lavoro",
        (6, 2) => "Festa della Repubblica",
        (8, 15) => "Ferragosto",
        (10, 4) if date.year() >= 2026 => "San Francesco d'Assisi",
        (11, 1) => "Ognissanti",
        (12, 8) => "Immacolata Concezione",
        (12, 25) => "Natale",
        (12, 26) => "Santo Stefano",
        _ => return easter_days(date),
    };
    Some(fixed)
}

fn easter_days(date: Date) -> Option<&'static str> {
    let sunday = easter(date.year())?;
    match date {
        _ if date == sunday => Some("Pasqua"),
        _ if sunday.checked_add(1.day()).is_ok_and(|monday| monday == date) => Some("Lunedì dell'Angelo"),
        _ => None,
    }
}

fn whit_monday(date: Date) -> Option<&'static str> {
    let monday = easter(date.year())?.checked_add(50.days()).ok()?;
    (monday == date).then_some("Lunedì di Pentecoste")
}

/// Easter Sunday of the Gregorian calendar (Meeus, Astronomical Algorithms, chapter 8).
pub(crate) fn easter(year: i16) -> Option<Date> {
    let y = i32::from(year);
    let a = y.rem_euclid(19);
    let (b, c) = (y.div_euclid(100), y.rem_euclid(100));
    let (d, e) = (b.div_euclid(4), b.rem_euclid(4));
    let g = (b - (b + 8).div_euclid(25) + 1).div_euclid(3);
    let h = (19 * a + b - d - g + 15).rem_euclid(30);
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k).rem_euclid(7);
    let m = (a + 11 * h + 22 * l).div_euclid(451);
    let n = h + l - 7 * m + 114;
    Date::new(year, i8::try_from(n / 31).ok()?, i8::try_from(n % 31 + 1).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn easter_falls_where_the_almanac_says() {
        for (year, month, day) in [
            (1818, 3, 22),
            (1943, 4, 25),
            (1961, 4, 2),
            (2000, 4, 23),
            (2024, 3, 31),
            (2025, 4, 20),
            (2026, 4, 5),
            (2027, 3, 28),
            (2028, 4, 16),
            (2029, 4, 1),
            (2030, 4, 21),
            (2035, 3, 25),
            (2038, 4, 25),
            (2285, 3, 22),
        ] {
            assert_eq!(easter(year), Some(date(year, month, day)), "{year}");
        }
        for year in i16::MIN..=i16::MAX {
            assert!((-9999..=9999).contains(&year) == easter(year).is_some(), "{year}");
        }
    }

    /// Of the almanac, one by one.
    #[test]
    fn easter_monday_is_a_holiday_in_each_year_from_2020_to_2040() {
        const MONDAYS: [(i8, i8); 21] = [
            (4, 13),
            (4, 5),
            (4, 18),
            (4, 10),
            (4, 1),
            (4, 21),
            (4, 6),
            (3, 29),
            (4, 17),
            (4, 2),
            (4, 22),
            (4, 14),
            (3, 29),
            (4, 18),
            (4, 10),
            (3, 26),
            (4, 14),
            (4, 6),
            (4, 26),
            (4, 11),
            (4, 2),
        ];
        for (year, (month, day)) in (2020..).zip(MONDAYS) {
            let monday = date(year, month, day);
            assert_eq!(italian(monday), Some("Lunedì dell'Angelo"), "{monday}");
            let count = monday.first_of_year().series(1.day()).take(366).filter(|day| day.year() == year);
            let name = |day: &Date| italian(*day) == Some("Lunedì dell'Angelo");
            assert_eq!(count.filter(name).count(), 1, "{year}");
        }
    }

    #[test]
    fn whit_monday_is_a_holiday_in_the_province_of_bolzano_and_nowhere_else() {
        for (year, month, day) in [(2024, 5, 20), (2026, 5, 25), (2027, 5, 17), (2035, 5, 14), (2038, 6, 14)]
        {
            let monday = date(year, month, day);
            assert_eq!(National::Bolzano.holiday(monday), Some("Lunedì di Pentecoste"), "{monday}");
            assert_eq!(National::Italy.holiday(monday), None, "{monday}");
        }
        assert_eq!(National::Bolzano.holiday(date(2026, 12, 25)), Some("Natale"));
    }

    #[test]
    fn a_year_has_twelve_national_holidays_and_thirteen_from_2026_on() {
        let count = |year| {
            date(year, 1, 1).series(1.day()).take_while(|day| day.year() == year).filter_map(italian).count()
        };
        assert_eq!((count(2025), count(2026), count(2027)), (12, 13, 13));
        // Where Easter Monday falls on Liberation Day, one day bears two.
        assert_eq!(count(2011), 11);
        assert_eq!(italian(date(2026, 10, 4)), Some("San Francesco d'Assisi"));
        assert_eq!(italian(date(2025, 10, 4)), None);
        assert_eq!(italian(date(2026, 4, 6)), Some("Lunedì dell'Angelo"));
        assert_eq!(italian(date(2026, 8, 15)), Some("Ferragosto"));
    }
}
