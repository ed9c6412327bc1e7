//! The days of patron saints: those of a municipality, from the table in data, or one that the calendar names.

use crate::holidays::easter;
use crate::hours::DAY_KEYS;
use document::nearest;
use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use std::collections::BTreeSet;

const TABLE: &str = include_str!("../data/patrons.csv");

/// The days on which a municipality is closed for its saint.
#[derive(Clone, Debug)]
pub(crate) enum Patron {
    /// The calendar says only which day.
    Day(MonthDay),
    /// The days and their names, such as `San Marco (Venezia)`.
    Of(Vec<(Yearly, String)>),
}

impl Patron {
    /// Reads `12-07` or the name of a municipality. The error says what is wrong and what to write.
    pub(crate) fn parse(text: &str) -> Result<Patron, (String, String)> {
        if text.starts_with(|first: char| first.is_ascii_digit()) {
            let day = MonthDay::parse(text).map(Patron::Day);
            let what_to_do = "write month and day: \"12-07\"";
            return day.ok_or_else(|| (format!("`{text}` is no day of the year"), what_to_do.to_owned()));
        }
        let days: Vec<_> = rows().filter(|row| row.municipality == text).filter_map(Row::day).collect();
        match days.is_empty() {
            true => Err((format!("the patron saint of `{text}` is not known"), other_name(text))),
            false => Ok(Patron::Of(days)),
        }
    }

    /// The name of the feast on `date`, if there is one; empty if it has no name.
    pub(crate) fn feast(&self, date: Date) -> Option<&str> {
        match self {
            Patron::Day(day) => (*day == MonthDay::of(date)).then_some(""),
            Patron::Of(days) => days.iter().find(|(day, _)| day.is(date)).map(|(_, name)| name.as_str()),
        }
    }
}

fn other_name(text: &str) -> String {
    match nearest(text, rows().map(|row| row.municipality)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "write the day itself: \"12-07\"".to_owned(),
    }
}

struct Row {
    municipality: &'static str,
    day: &'static str,
    saint: &'static str,
}

impl Row {
    fn day(self) -> Option<(Yearly, String)> {
        Some((Yearly::parse(self.day)?, format!("{} ({})", self.saint, self.municipality)))
    }
}

/// Every municipality of the table, once.
pub(crate) fn municipalities() -> BTreeSet<&'static str> {
    rows().map(|row| row.municipality).collect()
}

fn rows() -> impl Iterator<Item = Row> {
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut fields = line.splitn(3, ',');
        Some(Row { municipality: fields.next()?, day: fields.next()?, saint: fields.next()? })
    })
}

/// A day that comes every year, or every year that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Yearly {
    On(MonthDay),
    /// The n-th such weekday of a month.
    Nth {
        month: i8,
        weekday: Weekday,
        n: i8,
    },
    /// So many days after Easter Sunday.
    AfterEaster(i16),
}

impl Yearly {
    fn parse(text: &str) -> Option<Yearly> {
        if let Some(days) = text.strip_prefix("easter+") {
            return days.parse().ok().map(Yearly::AfterEaster);
        }
        MonthDay::parse(text).map(Yearly::On).or_else(|| nth(text))
    }

    fn is(self, date: Date) -> bool {
        match self {
            Yearly::On(day) => day == MonthDay::of(date),
            Yearly::Nth { month, weekday, n } => {
                date.month() == month && date.weekday() == weekday && (date.day() - 1) / 7 + 1 == n
            }
            Yearly::AfterEaster(days) => {
                let day =
                    easter(date.year()).and_then(|sunday| sunday.checked_add(i64::from(days).days()).ok());
                day == Some(date)
            }
        }
    }
}

/// Reads `05-tue1`.
fn nth(text: &str) -> Option<Yearly> {
    let (month, day) = text.split_once('-')?;
    let (weekday, n) = day.split_at_checked(3)?;
    let place = DAY_KEYS.iter().position(|key| *key == weekday)?;
    let weekday = Weekday::from_monday_zero_offset(i8::try_from(place).ok()?).ok()?;
    let (month, n) = (month.parse().ok()?, n.parse().ok()?);
    ((1..=12).contains(&month) && (1..=5).contains(&n)).then_some(Yearly::Nth { month, weekday, n })
}

/// A day of the year; 29 February is one that most years leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MonthDay {
    pub(crate) month: i8,
    pub(crate) day: i8,
}

impl MonthDay {
    /// Reads `12-07`.
    pub(crate) fn parse(text: &str) -> Option<MonthDay> {
        let (month, day) = text.split_once('-')?;
        let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(month) || !digits(day) {
            return None;
        }
        let written = MonthDay { month: month.parse().ok()?, day: day.parse().ok()? };
        written.in_leap_year().map(|_| written)
    }

    pub(crate) fn of(date: Date) -> MonthDay {
        MonthDay { month: date.month(), day: date.day() }
    }

    /// The day in a year that has all days.
    pub(crate) fn in_leap_year(self) -> Option<Date> {
        Date::new(2000, self.month, self.day).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_municipality_with_a_day_and_a_saint() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        let mut seen = BTreeSet::new();
        for row in rows() {
            assert!(Yearly::parse(row.day).is_some(), "{} {}", row.municipality, row.day);
            assert!(!row.saint.is_empty() && row.saint.trim() == row.saint && !row.saint.contains(','));
            assert!(seen.insert((row.municipality, row.day)), "{} twice", row.municipality);
            assert!(Patron::parse(row.municipality).is_ok());
        }
        assert_eq!(seen.len(), lines);
        let order: Vec<&str> = rows().map(|row| row.municipality).collect();
        assert!(order.is_sorted(), "the table is in the order of names");
    }

    /// Of the table of provinces: the capitals, but those whose day nobody could vouch for.
    #[test]
    fn the_capitals_of_provinces_are_in_the_table() {
        const CAPITALS: &str = "Agrigento Alessandria Ancona Aosta Arezzo Asti Avellino Bari Belluno Benevento Bergamo \
            Biella Bologna Bolzano Brescia Brindisi Cagliari Caltanissetta Campobasso Caserta Catania Catanzaro Chieti \
            Como Cosenza Cremona Crotone Cuneo Enna Fermo Ferrara Firenze Foggia Forlì Frosinone Genova Gorizia \
            Grosseto Imperia Isernia Latina Lecce Lecco Livorno Lodi Lucca Macerata Mantova Massa Matera Messina \
            Milano Modena Monza Napoli Novara Nuoro Oristano Padova Palermo Parma Pavia Perugia Pesaro Pescara \
            Piacenza Pisa Pistoia Pordenone Potenza Prato Ragusa Ravenna Rieti Rimini Roma Rovigo Salerno Sassari \
            Savona Siena Siracusa Sondrio Taranto Teramo Terni Torino Trapani Trento Treviso Trieste Udine Varese \
            Venezia Verbania Vercelli Verona Vicenza Viterbo Barletta Cesena Urbino Carrara";
        let two_words =
            ["Ascoli Piceno", "L'Aquila", "La Spezia", "Reggio Calabria", "Reggio Emilia", "Vibo Valentia"];
        for name in CAPITALS.split_whitespace().chain(two_words) {
            assert!(Patron::parse(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn days_that_move_are_found_in_their_years() {
        use jiff::civil::date;
        let asti = Patron::parse("Asti").unwrap();
        for day in [date(2026, 5, 5), date(2027, 5, 4), date(2029, 5, 1), date(2030, 5, 7)] {
            assert_eq!(asti.feast(day), Some("San Secondo (Asti)"), "{day}");
        }
        assert_eq!(asti.feast(date(2026, 5, 12)), None);
        let bolzano = Patron::parse("Bolzano").unwrap();
        for day in [date(2026, 5, 25), date(2027, 5, 17), date(2028, 6, 5)] {
            assert!(bolzano.feast(day).is_some(), "{day}");
        }
    }

    #[test]
    fn what_is_no_day_of_any_year_is_refused() {
        for text in ["02-30", "13-01", "1-01", "+1-01", "12-7", "05-tue6", "00-mon1", "easter+x", ""] {
            assert_eq!(Yearly::parse(text), None, "{text}");
        }
        assert!(MonthDay::parse("02-29").is_some());
    }
}
