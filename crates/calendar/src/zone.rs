//! Clocks on walls: an instant as a place's clock shows it, and back.

use base::Wall;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// A place whose clocks count, such as `Europe/Rome`. Its rules are compiled in.
#[derive(Clone, Debug)]
pub struct Zone(pub(crate) TimeZone);

impl Zone {
    /// The zone of this name, if there is one.
    pub fn named(name: &str) -> Option<Zone> {
        TimeZoneDatabase::bundled().get(name).ok().map(Zone)
    }

    /// All names.
    pub(crate) fn names() -> Vec<String> {
        TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("")
    }

    /// What the clock shows at `wall`, with its offset: `2027-04-25 10:00:00 +02:00`. `None` for an instant outside
    /// the years that dates are written in.
    pub fn shown(&self, wall: Wall) -> Option<String> {
        let instant = Timestamp::from_microsecond(wall.unix_micros()).ok()?;
        Some(instant.to_zoned(self.0.clone()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string())
    }

    /// The instants at which the clock shows `2027-04-25 10:00`, in order: none in the hour that spring leaves out, two
    /// in the one that autumn shows twice. `None` if it is no time of a day.
    pub fn instants(&self, shown: &str) -> Option<Vec<Wall>> {
        let shape = |text: &str| matches!(text.len(), 16 | 19) && text.is_char_boundary(10);
        let local: DateTime = Some(shown.trim()).filter(|text| shape(text))?.parse().ok()?;
        let ambiguous = self.0.to_ambiguous_timestamp(local);
        let mut found: Vec<Timestamp> = ambiguous.earlier().into_iter().chain(ambiguous.later()).collect();
        found.retain(|instant| self.0.to_datetime(*instant) == local);
        found.dedup();
        Some(found.into_iter().map(|instant| Wall::from_unix_micros(instant.as_microsecond())).collect())
    }

    /// The day on the wall at `wall`.
    pub(crate) fn date(&self, wall: Wall) -> Option<Date> {
        let instant = Timestamp::from_microsecond(wall.unix_micros()).ok()?;
        Some(self.0.to_datetime(instant).date())
    }
}
